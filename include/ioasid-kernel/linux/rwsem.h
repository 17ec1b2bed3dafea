/* SPDX-License-Identifier: MIT */
/* Compat: reader-writer semaphores, over a mutex and a condition. */
#ifndef IOASID_LINUX_RWSEM_H
#define IOASID_LINUX_RWSEM_H

#include <pthread.h>
#include <stdbool.h>

#include <linux/bug.h>

/*
 * Not pthread_rwlock_t, which strict ISO C modes hide. @holders is -1 for a writer, which @writer says:
 * in the child of fork() it may be a thread that is not there.
 */
struct rw_semaphore {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int holders;
	int writers_waiting;
	unsigned long writer;
};

#define IOASID_RWSEM_INIT { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 }
#define DECLARE_RWSEM(name) struct rw_semaphore name = IOASID_RWSEM_INIT

static inline void init_rwsem(struct rw_semaphore *sem)
{
	pthread_mutex_init(&sem->lock, NULL);
	pthread_cond_init(&sem->changed, NULL);
	sem->holders = 0;
	sem->writers_waiting = 0;
	sem->writer = 0;
}

/* A waiting writer keeps new readers out, so one thread must not read twice: as in the kernel. */
static inline void down_read(struct rw_semaphore *sem)
{
	pthread_mutex_lock(&sem->lock);
	while (sem->holders < 0 || sem->writers_waiting)
		pthread_cond_wait(&sem->changed, &sem->lock);
	sem->holders++;
	pthread_mutex_unlock(&sem->lock);
}

static inline bool down_read_trylock(struct rw_semaphore *sem)
{
	bool got;

	pthread_mutex_lock(&sem->lock);
	got = sem->holders >= 0 && !sem->writers_waiting;
	if (got)
		sem->holders++;
	pthread_mutex_unlock(&sem->lock);
	return got;
}

/* A warning, and nothing, if nobody reads. */
static inline void up_read(struct rw_semaphore *sem)
{
	bool reads;

	pthread_mutex_lock(&sem->lock);
	reads = sem->holders > 0;
	if (reads && --sem->holders == 0)
		pthread_cond_broadcast(&sem->changed);
	pthread_mutex_unlock(&sem->lock);
	WARN_ON_ONCE(!reads);
}

static inline void ioasid_rwsem_set_writer(struct rw_semaphore *sem)
{
	sem->holders = -1;
	sem->writer = (unsigned long)pthread_self();
}

/* What is there instead of a writer. A warning, and nothing, if nobody writes. */
static inline void ioasid_rwsem_end_writer(struct rw_semaphore *sem, int holders)
{
	bool writes;

	pthread_mutex_lock(&sem->lock);
	writes = sem->holders < 0;
	if (writes) {
		sem->holders = holders;
		sem->writer = 0;
		pthread_cond_broadcast(&sem->changed);
	}
	pthread_mutex_unlock(&sem->lock);
	WARN_ON_ONCE(!writes);
}

static inline void down_write(struct rw_semaphore *sem)
{
	pthread_mutex_lock(&sem->lock);
	sem->writers_waiting++;
	while (sem->holders)
		pthread_cond_wait(&sem->changed, &sem->lock);
	sem->writers_waiting--;
	ioasid_rwsem_set_writer(sem);
	pthread_mutex_unlock(&sem->lock);
}

static inline bool down_write_trylock(struct rw_semaphore *sem)
{
	bool got;

	pthread_mutex_lock(&sem->lock);
	got = sem->holders == 0;
	if (got)
		ioasid_rwsem_set_writer(sem);
	pthread_mutex_unlock(&sem->lock);
	return got;
}

static inline void up_write(struct rw_semaphore *sem)
{
	ioasid_rwsem_end_writer(sem, 0);
}

/* The writer goes on as a reader, and lets others read. */
static inline void downgrade_write(struct rw_semaphore *sem)
{
	ioasid_rwsem_end_writer(sem, 1);
}

static inline int ioasid_rwsem_holders(struct rw_semaphore *sem)
{
	int holders;

	pthread_mutex_lock(&sem->lock);
	holders = sem->holders;
	pthread_mutex_unlock(&sem->lock);
	return holders;
}

/* By anybody, not by the caller only. */
static inline bool rwsem_is_locked(struct rw_semaphore *sem)
{
	return ioasid_rwsem_holders(sem) != 0;
}

static inline bool rwsem_is_write_locked(struct rw_semaphore *sem)
{
	return ioasid_rwsem_holders(sem) < 0;
}

#endif
