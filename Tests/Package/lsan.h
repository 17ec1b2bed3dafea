/* SPDX-License-Identifier: MIT */
/* What the programs for LeakSanitizer have in common. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Pointers that calls have left on the stack would keep what they point at. */
static __attribute__((noinline)) void wipe(void)
{
	volatile char stack[65536];

	memset((char *)stack, 0, sizeof(stack));
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	printf("FAIL: %s\n", what);
	fflush(stdout);
	_exit(1);
}
