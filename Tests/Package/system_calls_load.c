/* SPDX-License-Identifier: MIT */
/* system_calls_load LIBRARY CALL...: loads it where only these system calls may be made. */
#define _GNU_SOURCE
#include "filter.h"

#include <dlfcn.h>

int main(int argc, char **argv)
{
	(void)argc;
	allow_only(argv + 2);
	if (!dlopen(argv[1], RTLD_NOW)) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	return 0;
}
