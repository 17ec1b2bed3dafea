/* SPDX-License-Identifier: MIT */
/* Internal: the core lock. */
#ifndef CIOASID_LOCK_H
#define CIOASID_LOCK_H

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

/* Somebody has it. */
void cio_core_lock_taken(void);

static inline void cio_core_lock(void)
{
	uintptr_t self = cio_thread_pointer();

	if (__atomic_load_n(&cio_core_owner, __ATOMIC_RELAXED) == self) {
		cio_core_depth++;
		return;
	}
	if (pthread_mutex_trylock(&cio_core_mutex))
		cio_core_lock_taken();
	__atomic_store_n(&cio_core_owner, self, __ATOMIC_RELAXED);
}

static inline void cio_core_unlock(void)
{
	if (cio_core_depth) {
		cio_core_depth--;
		return;
	}
	__atomic_store_n(&cio_core_owner, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&cio_core_mutex);
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

/*
 * In the child of fork(). A thread that forked with the lock held has it in the child as well, as
 * often. If another had it, the lock is free, and what it protects is as it was at that moment.
 */
void cio_core_after_fork_child(void);

#pragma GCC visibility pop

#endif /* CIOASID_LOCK_H */
