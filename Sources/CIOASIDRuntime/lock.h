/* SPDX-License-Identifier: MIT */
/* Internal: the core lock. */
#ifndef CIOASID_LOCK_H
#define CIOASID_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <cioasid.h>

/*
 * The core lock is a plain mutex that knows its owner: half the cost of pthread's recursive kind,
 * which counts. The address of a thread's own variable says who it is; nobody else can have
 * written that to the owner.
 */
extern pthread_mutex_t cio_core_mutex;
extern char *_Nullable cio_core_owner;
extern unsigned int cio_core_depth;
extern __thread char cio_core_self;

static inline void cio_core_lock(void)
{
	if (__atomic_load_n(&cio_core_owner, __ATOMIC_RELAXED) == &cio_core_self) {
		cio_core_depth++;
		return;
	}
	pthread_mutex_lock(&cio_core_mutex);
	__atomic_store_n(&cio_core_owner, &cio_core_self, __ATOMIC_RELAXED);
}

static inline void cio_core_unlock(void)
{
	if (cio_core_depth) {
		cio_core_depth--;
		return;
	}
	__atomic_store_n(&cio_core_owner, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&cio_core_mutex);
}

/* Had the owner the lock already when it took it? To be asked by the owner. */
static inline bool cio_core_is_nested(void)
{
	return cio_core_depth != 0;
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
	pthread_setcancelstate(before, &before);
}

#endif /* CIOASID_LOCK_H */
