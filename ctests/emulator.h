/* SPDX-License-Identifier: MIT */
/* Programs of another architecture run under an emulator (docs/aarch64.md): what it cannot do is skipped. */
#ifndef IOASID_CTESTS_EMULATOR_H
#define IOASID_CTESTS_EMULATOR_H

#include <stdlib.h>

/* The emulator, to start a program of the same kind with, or NULL. */
static inline const char *emulator(void)
{
	return getenv("IOASID_TEST_EMULATOR");
}

/* Skips the test, and says why. */
#define skip_because(why) \
	do { \
		print_message("skipped: %s\n", why); \
		skip(); \
	} while (0)

#endif
