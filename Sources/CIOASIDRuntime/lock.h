/* SPDX-License-Identifier: MIT */
/* Internal: the core lock. */
#ifndef CIOASID_LOCK_H
#define CIOASID_LOCK_H

#include "readside.h"
#include "thread.h"

#include <pthread.h>

#pragma GCC visibility push(hidden)

/*
 * A plain mutex that knows its owner: half the cost of pthread's recursive kind, which counts. The
 * thread pointer says who it is; nobody else can have written that to the owner.
 */
extern pthread_mutex_t cio_core_mutex;
extern uintptr_t cio_core_owner;
extern unsigned int cio_core_depth;

/*
 * The owner may be in users' code: a handler, which may take its time. What the lock guards is
 * consistent then and does not change, so fork() need not wait for it. cio_core_outside is the depth
 * at which users' code runs, plus one; it runs right now if
 *
 *     cio_core_outside == cio_core_depth + 1
 *
 * Coming back (cio_core_enter(), or a nested cio_core_lock()) the owner first says so and then looks
 * whether a fork() is under way; who forks says so first, then looks where the owner is, with a
 * barrier in all threads between. So one of them sees the other.
 */
extern unsigned int cio_core_outside;
extern uint8_t cio_core_forking;

/* Somebody has it. */
void cio_core_lock_taken(void);

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

/* Takes the lock; false if the caller has it already, and nothing is done. */
static inline bool cio_core_lock_outermost(void)
{
	uintptr_t self = cio_thread_pointer();

	if (__atomic_load_n(&cio_core_owner, __ATOMIC_RELAXED) == self)
		return false;
	if (pthread_mutex_trylock(&cio_core_mutex))
		cio_core_lock_taken();
	__atomic_store_n(&cio_core_owner, self, __ATOMIC_RELAXED);
	return true;
}

static inline void cio_core_lock(void)
{
	if (!cio_core_lock_outermost())
		cio_core_come_in(&cio_core_depth, cio_core_depth, cio_core_depth + 1);
}

static inline void cio_core_unlock_outermost(void)
{
	__atomic_store_n(&cio_core_owner, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&cio_core_mutex);
}

static inline void cio_core_unlock(void)
{
	if (cio_core_depth)
		__atomic_store_n(&cio_core_depth, cio_core_depth - 1, __ATOMIC_RELEASE);
	else
		cio_core_unlock_outermost();
}

/* Had the owner the lock already when it took it? To be asked by the owner. */
static inline bool cio_core_is_nested(void)
{
	return cio_core_depth != 0;
}

/* Does the caller have it? */
static inline bool cio_core_is_mine(void)
{
	return __atomic_load_n(&cio_core_owner, __ATOMIC_RELAXED) == cio_thread_pointer();
}

/* Is the owner in users' code? To be asked by the owner. */
static inline bool cio_core_is_outside(void)
{
	return cio_core_outside == cio_core_depth + 1;
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
