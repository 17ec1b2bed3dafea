// SPDX-License-Identifier: MIT
// A word that counts, at which threads sleep until it does: the kernel's futex.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime.h"

uint32_t cio_count_now(const uint32_t *count)
{
	return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

void cio_count_up(uint32_t *count)
{
	__atomic_add_fetch(count, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, count, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

uint64_t cio_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool cio_count_wait(const uint32_t *count, uint32_t seen, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};
	/* WAIT_BITSET takes a point in time, by the monotonic clock. */
	long result = syscall(SYS_futex, count, FUTEX_WAIT_BITSET_PRIVATE, seen,
			      deadline_ns == UINT64_MAX ? NULL : &deadline, NULL,
			      FUTEX_BITSET_MATCH_ANY);

	return result == 0 || errno != ETIMEDOUT;
}
