/* SPDX-License-Identifier: MIT */
/* Compat: mutexes, over pthread_mutex_t. */
#ifndef IOASID_LINUX_MUTEX_H
#define IOASID_LINUX_MUTEX_H

#include <pthread.h>
#include <stdbool.h>

/* Not recursive: as in the kernel, taking it twice in one thread waits for ever. */
struct mutex {
	pthread_mutex_t lock;
	bool locked;
};

#define DEFINE_MUTEX(name) struct mutex name = { PTHREAD_MUTEX_INITIALIZER, false }

static inline void mutex_init(struct mutex *mutex)
{
	pthread_mutex_init(&mutex->lock, NULL);
	mutex->locked = false;
}

static inline void mutex_destroy(struct mutex *mutex)
{
	pthread_mutex_destroy(&mutex->lock);
}

static inline void mutex_lock(struct mutex *mutex)
{
	pthread_mutex_lock(&mutex->lock);
	__atomic_store_n(&mutex->locked, true, __ATOMIC_RELAXED);
}

/* True, not 0, when it got the lock: the kernel's way round. */
static inline bool mutex_trylock(struct mutex *mutex)
{
	if (pthread_mutex_trylock(&mutex->lock))
		return false;
	__atomic_store_n(&mutex->locked, true, __ATOMIC_RELAXED);
	return true;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	__atomic_store_n(&mutex->locked, false, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&mutex->lock);
}

/* By anybody, not by the caller only. */
static inline bool mutex_is_locked(struct mutex *mutex)
{
	return __atomic_load_n(&mutex->locked, __ATOMIC_RELAXED);
}

#endif
