// SPDX-License-Identifier: MIT
// The core lock when somebody has it, and after fork().
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "runtime.h"

uintptr_t cio_core_word;
unsigned int cio_core_depth;
unsigned int cio_core_outside;
uint32_t cio_core_forking;

/*
 * What is done under the lock takes tens of nanoseconds, going to sleep and being woken a hundred
 * times that, and a lock with a sleeper makes each unlock a system call. So it is tried for some
 * 25 us more. The pauses grow, as each look takes the lock's cache line away from its owner.
 * Measured with two threads and 60 ns under the lock, from one lock to the next: 75 to 90 ns, where
 * one thread alone has 75; pthread_mutex_lock() 190 to 245, the adaptive kind 100 and with one
 * thread 3 more.
 */
#define TRIES 20
#define FIRST_PAUSES 8
#define MOST_PAUSES 128

/* A futex is 32 bits: those with CIO_CORE_SLEEPERS. */
static uint32_t *futex(void)
{
	return (uint32_t *)&cio_core_word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Until the lock is free, or the word has changed; may return at any time. */
static void sleep_while(uintptr_t word)
{
	raw_call(SYS_futex, (long)futex(), FUTEX_WAIT_PRIVATE, (long)(uint32_t)word, 0);
}

void cio_core_wake(void)
{
	raw_call(SYS_futex, (long)futex(), FUTEX_WAKE_PRIVATE, 1, 0);
}

void cio_core_lock_taken(uintptr_t self)
{
	uintptr_t found;
	int pauses = FIRST_PAUSES;

	for (int i = 0; i < TRIES; i++) {
		for (int j = 0; j < pauses; j++)
			raw_pause();
		if (!__atomic_load_n(&cio_core_word, __ATOMIC_RELAXED) &&
		    cio_core_try(self, &found))
			return;
		if (pauses < MOST_PAUSES)
			pauses *= 2;
	}
	while (!cio_core_try(self | CIO_CORE_SLEEPERS, &found)) {
		if ((found & CIO_CORE_SLEEPERS) ||
		    __atomic_compare_exchange_n(&cio_core_word, &found, found | CIO_CORE_SLEEPERS,
						false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			sleep_while(found | CIO_CORE_SLEEPERS);
	}
}

/* What is not known yet is found out by the first owner. */
enum { NOBODY_LOOKS, SOMEBODY_LOOKS, NOT_KNOWN };
uint8_t cio_core_watched = NOT_KNOWN;
static pthread_mutex_t watched_mutex = PTHREAD_MUTEX_INITIALIZER;

/* ThreadSanitizer is seen by its functions, valgrind's tools by what they have ld.so load before all else. */
static bool somebody_looks(void)
{
#ifdef IOASID_TSAN
	return true;
#endif
	const char *before_all = getenv("LD_PRELOAD");

	return cio_order_is_watched() || (before_all && (strstr(before_all, "vgpreload_helgrind") ||
							 strstr(before_all, "vgpreload_drd")));
}

__attribute__((cold)) void cio_core_watch_lock(void)
{
	if (cio_core_watched == NOT_KNOWN)
		cio_core_watched = somebody_looks() ? SOMEBODY_LOOKS : NOBODY_LOOKS;
	if (cio_core_watched)
		pthread_mutex_lock(&watched_mutex);
}

__attribute__((cold)) void cio_core_watch_unlock(void)
{
	pthread_mutex_unlock(&watched_mutex);
}

/* One fork() at a time; held across it. An owner who waits for its end has the core lock, so not by this mutex. */
static pthread_mutex_t fork_mutex = PTHREAD_MUTEX_INITIALIZER;

/* What the forking thread has: the lock once more than before, or the owner in users' code. */
static enum { NESTED, LOCKED, OWNER_OUTSIDE } fork_has;

void cio_core_wait_for_fork(unsigned int *word, unsigned int outside, unsigned int inside)
{
	do {
		__atomic_store_n(word, outside, __ATOMIC_RELEASE);
		while (__atomic_load_n(&cio_core_forking, __ATOMIC_RELAXED))
			raw_call(SYS_futex, (long)&cio_core_forking, FUTEX_WAIT_PRIVATE, 1, 0);
		__atomic_store_n(word, inside, __ATOMIC_RELAXED);
		cio_light_fence();
	} while (__atomic_load_n(&cio_core_forking, __ATOMIC_ACQUIRE));
}

/* Asked while cio_core_forking is set: then an owner who is outside stays there. */
static bool owner_is_outside(void)
{
	unsigned int outside = __atomic_load_n(&cio_core_outside, __ATOMIC_ACQUIRE);

	return outside && outside == __atomic_load_n(&cio_core_depth, __ATOMIC_ACQUIRE) + 1;
}

void cio_core_before_fork(void)
{
	if (cio_core_is_mine()) {
		cio_core_lock();
		return;
	}
	pthread_mutex_lock(&fork_mutex);
	__atomic_store_n(&cio_core_forking, 1, __ATOMIC_RELEASE);
	cio_barrier();
	for (unsigned int looks = 1;; looks++) {
		if (cio_core_lock_at_once()) {
			fork_has = LOCKED;
			return;
		}
		if (owner_is_outside()) {
			fork_has = OWNER_OUTSIDE;
			return;
		}
		if (looks % 64)
			raw_pause();
		else
			raw_sleep(50000);
	}
}

static void end_fork(void)
{
	fork_has = NESTED;
	__atomic_store_n(&cio_core_forking, 0, __ATOMIC_RELEASE);
	raw_call(SYS_futex, (long)&cio_core_forking, FUTEX_WAKE_PRIVATE, INT_MAX, 0);
}

void cio_core_after_fork_parent(void)
{
	if (fork_has == NESTED) {
		cio_core_unlock();
		return;
	}
	if (fork_has == LOCKED)
		cio_core_unlock();
	end_fork();
	pthread_mutex_unlock(&fork_mutex);
}

bool cio_core_after_fork_child(void)
{
	bool was_outside = fork_has == OWNER_OUTSIDE;

	if (was_outside) {
		watched_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
		cio_core_word = 0;
		cio_core_depth = 0;
		cio_core_outside = 0;
	} else {
		cio_core_unlock();
	}
	end_fork();
	fork_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	return was_outside;
}
