/* SPDX-License-Identifier: MIT */
/* A program with LeakSanitizer and the library that ships: private data of live ids is no leak, of freed ids it is. */
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/ioasid.h>

#include "lsan.h"

#define IDS 5000

/* Nothing of it stays in registers or on the stack. */
static __attribute__((noinline)) void fill(struct ioasid_set *set)
{
	for (ioasid_t id = 0; id < IDS; id++)
		if (ioasid_alloc(set, id, id, malloc(100)) != id)
			_exit(2);
}

int main(void)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);

	fill(set);
	wipe();
	check(!__lsan_do_recoverable_leak_check(), "the data of live ids counts as leaked");
	ioasid_free(set, 7);
	wipe();
	check(__lsan_do_recoverable_leak_check(),
	      "the data of a freed id does not count as leaked");
	puts("live data is reachable, freed data is not");
	fflush(stdout);
	_exit(0); /* what was leaked on purpose is no news */
}
