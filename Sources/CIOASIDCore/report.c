// SPDX-License-Identifier: MIT
// What is left over, said when the process ends: only if the environment asks for it.
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "core.h"

#define STATUS_OF_LEAKS 23

/* A thread that goes on, or was stopped, may have the lock: then nothing is said rather than waited for. */
static bool try_lock(void)
{
	for (int tries = 0; tries < 1000; tries++) {
		if (cio_core_lock_at_once())
			return true;
		usleep(1000);
	}
	return false;
}

__attribute__((cold)) void cio_report_at_exit(void)
{
	const char *wanted = secure_getenv("IOASID_REPORT_LEAKS");
	bool had = cio_core_is_mine();
	int left;

	if (!wanted || !wanted[0] || !strcmp(wanted, "0"))
		return;
	if (!try_lock()) {
		fputs("ioasid: left over: not known, a thread has the library's lock\n", stderr);
		return;
	}
	left = cio_report_leaks(stderr);
	if (!had)
		cio_core_unlock();
	if (left > 0 && !strcmp(wanted, "fail")) {
		fflush(NULL);
		_exit(STATUS_OF_LEAKS);
	}
}
