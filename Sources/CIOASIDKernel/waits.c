// SPDX-License-Identifier: MIT
// Waiting: for a number to change, and for time to pass.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

#include <linux/ktime.h>
#include <linux/wait.h>

/*
 * System calls of our own: those of the C library are cancellation points, and its conditions know
 * waiters of the parent in a child of fork().
 */

bool ioasid_wait_word(const unsigned int *word, unsigned int value, u64 ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / (u64)NSEC_PER_SEC),
		.tv_nsec = (long)(ns % (u64)NSEC_PER_SEC),
	};

	if (!word)
		return false;
	if (!ioasid_may_wait())
		cio_warn("waiting in a read-side section or a callback: perhaps for ever");
	if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, ns == IOASID_FOREVER ? NULL : &time,
		    NULL, 0) == 0)
		return true;
	return errno != ETIMEDOUT;
}

void ioasid_wake_word(const unsigned int *word, int count)
{
	int before = errno;

	if (word)
		syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
	/* The memory may be gone. */
	errno = before;
}

static unsigned int forks;

unsigned int ioasid_forks(void)
{
	return __atomic_load_n(&forks, __ATOMIC_RELAXED);
}

void cio_waits_after_fork_child(void)
{
	__atomic_store_n(&forks, forks + 1, __ATOMIC_RELAXED);
}

u64 ioasid_time_ns(void)
{
	return cio_now_ns();
}

void ioasid_sleep_ns(u64 ns)
{
	u64 until = cio_now_ns() + ns;
	struct timespec time;

	if (until < ns)
		until = ~(u64)0;
	time.tv_sec = (time_t)(until / (u64)NSEC_PER_SEC);
	time.tv_nsec = (long)(until % (u64)NSEC_PER_SEC);
	if (!ns)
		return;
	while (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) &&
	       errno == EINTR)
		;
}
