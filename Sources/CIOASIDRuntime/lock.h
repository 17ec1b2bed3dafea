/* SPDX-License-Identifier: MIT */
/* Internal: the core lock. */
#ifndef CIOASID_LOCK_H
#define CIOASID_LOCK_H

#include "readside.h"
#include "thread.h"

#include <pthread.h>

#pragma GCC visibility push(hidden)

/*
 * A lock that knows its owner, in one word: the owner's thread pointer, and in the lowest bit whether somebody
 * sleeps; 0 if it is free. Nobody else can have written a thread's pointer there, so a thread can ask whether it
 * is the owner without having the lock.
 *
 *            compare-and-swap             somebody finds it taken
 *     free -------------------> owner ---------------------------> owner | SLEEPERS
 *      ^                          |        and sleeps                     |
 *      +--------------------------+                                       |
 *      ^           exchange                                               |
 *      +------------------------------------------------------------------+
 *                  exchange, and one of the sleepers is woken
 *
 * Who was woken does not know whether others sleep, and says so when it takes the lock: the next exchange wakes one
 * more. libc's mutex does the same with 90 instructions more for an alloc and a free, which call it four times;
 * docs/performance.md has what was measured.
 */
#define CIO_CORE_SLEEPERS ((uintptr_t)1)
extern uintptr_t cio_core_word;
extern unsigned int cio_core_depth;

/*
 * ThreadSanitizer and helgrind know libc's mutexes only. Where they look, there is one more, which is taken with
 * the lock. 0: nobody looks, as first found out; see lock.c.
 */
extern uint8_t cio_core_watched;
void cio_core_watch_lock(void);
void cio_core_watch_unlock(void);

/*
 * The owner may be in users' code: a handler, which may take its time. What the lock guards is
 * consistent then and does not change, so fork() need not wait for it. cio_core_outside is the depth
 * at which users' code runs, plus one; it runs right now if
 *
 *     cio_core_outside == cio_core_depth + 1
 *
 * Coming back (cio_core_enter(), or a cio_core_lock() there) the owner first says so and then looks
 * whether a fork() is under way; who forks says so first, then looks where the owner is, with a
 * barrier in all threads between. So one of them sees the other.
 */
extern unsigned int cio_core_outside;
extern uint32_t cio_core_forking;

/* Somebody has it; or is to be woken. */
void cio_core_lock_taken(uintptr_t self);
void cio_core_wake(void);

/* The owner comes back from users' code, and somebody forks: goes out again until that is done. */
void cio_core_wait_for_fork(unsigned int *_Nonnull word, unsigned int outside, unsigned int inside);

/* A step of the owner's from users' code into the library, said by one of the two words. */
static inline void cio_core_come_in(unsigned int *_Nonnull word, unsigned int outside,
				    unsigned int inside)
{
	__atomic_store_n(word, inside, __ATOMIC_RELAXED);
	cio_light_fence();
	if (__builtin_expect(__atomic_load_n(&cio_core_forking, __ATOMIC_ACQUIRE), 0))
		cio_core_wait_for_fork(word, outside, inside);
}

/* Takes the lock if nobody has it; @found is who has it otherwise. */
static inline bool cio_core_try(uintptr_t self, uintptr_t *_Nonnull found)
{
	*found = 0;
	return __atomic_compare_exchange_n(&cio_core_word, found, self, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* Takes the lock; false if the caller has it already, and nothing is done. */
static inline bool cio_core_lock_outermost(void)
{
	uintptr_t self = cio_thread_pointer(), found;

	if (__builtin_expect(!cio_core_try(self, &found), 0)) {
		if ((found & ~CIO_CORE_SLEEPERS) == self)
			return false;
		cio_core_lock_taken(self);
	}
	if (__builtin_expect(cio_core_watched, 0))
		cio_core_watch_lock();
	return true;
}

static inline void cio_core_unlock_outermost(void)
{
	if (__builtin_expect(cio_core_watched, 0))
		cio_core_watch_unlock();
	if (__builtin_expect(__atomic_exchange_n(&cio_core_word, 0, __ATOMIC_RELEASE) &
				     CIO_CORE_SLEEPERS,
			     0))
		cio_core_wake();
}

static inline void cio_core_unlock(void)
{
	if (cio_core_depth)
		__atomic_store_n(&cio_core_depth, cio_core_depth - 1, __ATOMIC_RELEASE);
	else
		cio_core_unlock_outermost();
}

/* Takes the lock, or has it already, if that takes no waiting. */
static inline bool cio_core_lock_at_once(void)
{
	uintptr_t self = cio_thread_pointer(), found;

	if (!cio_core_try(self, &found))
		return (found & ~CIO_CORE_SLEEPERS) == self;
	if (cio_core_watched)
		cio_core_watch_lock();
	return true;
}

/* Had the owner the lock already when it took it? To be asked by the owner. */
static inline bool cio_core_is_nested(void)
{
	return cio_core_depth != 0;
}

/* Does the caller have it? */
static inline bool cio_core_is_mine(void)
{
	return (__atomic_load_n(&cio_core_word, __ATOMIC_RELAXED) & ~CIO_CORE_SLEEPERS) ==
	       cio_thread_pointer();
}

/* Is the owner in users' code? To be asked by the owner. */
static inline bool cio_core_is_outside(void)
{
	return cio_core_outside == cio_core_depth + 1;
}

/*
 * Once more, by the owner: from users' code, or inside the library. In there it must not wait for a fork(),
 * which waits for it.
 */
static inline void cio_core_lock_again(void)
{
	if (cio_core_is_outside())
		cio_core_come_in(&cio_core_depth, cio_core_depth, cio_core_depth + 1);
	else
		__atomic_store_n(&cio_core_depth, cio_core_depth + 1, __ATOMIC_RELAXED);
}

static inline void cio_core_lock(void)
{
	if (!cio_core_lock_outermost())
		cio_core_lock_again();
}

/* Users' code is called, by the owner. Returns what is to be given to cio_core_enter(). */
static inline unsigned int cio_core_leave(void)
{
	unsigned int before = cio_core_outside;

	__atomic_store_n(&cio_core_outside, cio_core_depth + 1, __ATOMIC_RELEASE);
	return before;
}

/* Users' code has returned. */
static inline void cio_core_enter(unsigned int before)
{
	cio_core_come_in(&cio_core_outside, cio_core_depth + 1, before);
}

/*
 * Around fork(). Afterwards the forking thread has what it had before: the lock, as often, or not.
 * In the child the lock is free if another thread had it, and true is returned if that was in
 * users' code.
 */
void cio_core_before_fork(void);
void cio_core_after_fork_parent(void);
bool cio_core_after_fork_child(void);

/* In the calling thread, visitors and write functions are called from here on. Returns what was so before. */
static inline uint32_t cio_callbacks_begin(void)
{
	struct cio_thread *thread = cio_thread_self();
	uint32_t flags = thread ? cio_thread_flags(thread) : 0;

	if (thread)
		cio_thread_set_flags(thread, flags | CIO_THREAD_IN_CALLBACK);
	return flags & CIO_THREAD_IN_CALLBACK;
}

static inline void cio_callbacks_end(uint32_t before)
{
	struct cio_thread *thread = cio_thread_known();

	if (thread && !before)
		cio_thread_set_flags(thread, cio_thread_flags(thread) & ~CIO_THREAD_IN_CALLBACK);
}

/* Is the caller in a callback of any kind, or in a read-side section, where getters run? */
static inline bool cio_is_in_callback(void)
{
	const struct cio_thread *thread = cio_thread_known();

	return cio_core_is_mine() || cio_read_ongoing() ||
	       (thread && cio_thread_flags(thread) & (CIO_THREAD_IN_SINK | CIO_THREAD_IN_CALLBACK));
}

/* Holds off cancellation of the calling thread; what it was until now is to be restored. */
static inline int cio_hold_cancellation(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void cio_restore_cancellation(int before)
{
	pthread_setcancelstate(before, NULL);
}

#pragma GCC visibility pop

#endif /* CIOASID_LOCK_H */
