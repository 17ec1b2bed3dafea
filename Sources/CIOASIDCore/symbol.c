// SPDX-License-Identifier: MIT
// Names of functions, for people.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "core.h"

/* Only what a module exports has a name here; the rest is an offset that addr2line knows. */
__attribute__((cold)) const char *cio_symbol(const void *address, char *text, size_t size)
{
	Dl_info info;

	if (!address || !dladdr(address, &info) || !info.dli_fname) {
		snprintf(text, size, "%p", address);
	} else if (info.dli_sname) {
		size_t offset = (size_t)((const char *)address - (const char *)info.dli_saddr);

		if (offset)
			snprintf(text, size, "%s+0x%zx", info.dli_sname, offset);
		else
			snprintf(text, size, "%s", info.dli_sname);
	} else {
		const char *file = strrchr(info.dli_fname, '/');

		snprintf(text, size, "%s+0x%zx", file ? file + 1 : info.dli_fname,
			 (size_t)((const char *)address - (const char *)info.dli_fbase));
	}
	return text;
}
