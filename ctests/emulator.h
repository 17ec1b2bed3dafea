/* SPDX-License-Identifier: MIT */
/* Programs of another architecture run under an emulator (docs/aarch64.md): what it cannot do is skipped. */
#ifndef IOASID_CTESTS_EMULATOR_H
#define IOASID_CTESTS_EMULATOR_H

#include <stdlib.h>
#include <unistd.h>

/* The emulator, to start a program of the same kind with, or NULL. */
static inline const char *emulator(void)
{
	return getenv("IOASID_TEST_EMULATOR");
}

/* This program's path: the link itself leads to valgrind under valgrind, which knows what to answer for readlink(). */
static inline const char *self(void)
{
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(length > 0);
	path[length] = 0;
	return path;
}

/* In a child: becomes @program, with this argument; 127 is the status if it cannot. */
static inline void become(const char *program, const char *argument)
{
	if (emulator())
		execl(emulator(), emulator(), program, argument, (char *)NULL);
	execl(program, program, argument, (char *)NULL);
	_exit(127);
}

/* Skips the test, and says why. */
#define skip_because(why) \
	do { \
		print_message("skipped: %s\n", why); \
		skip(); \
	} while (0)

#endif
