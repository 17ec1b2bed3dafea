/* SPDX-License-Identifier: MIT */
/* Internal: lock, read side, address space and probes for the core, as inlines Swift can call. */
#ifndef CIOASID_CORE_H
#define CIOASID_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <urcu/urcu-bp.h>

extern pthread_mutex_t cio_core_mutex;

static inline void cio_core_lock(void)
{
	pthread_mutex_lock(&cio_core_mutex);
}

static inline void cio_core_unlock(void)
{
	pthread_mutex_unlock(&cio_core_mutex);
}

/*
 * ThreadSanitizer does not see into liburcu. These say what a grace period means: everything
 * that readers did in their sections happens before what follows the wait.
 */
#ifdef IOASID_TSAN
extern char cio_grace_period;
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define CIO_READERS_DONE() __tsan_release(&cio_grace_period)
#define CIO_READERS_AWAITED() __tsan_acquire(&cio_grace_period)
#else
#define CIO_READERS_DONE() ((void)0)
#define CIO_READERS_AWAITED() ((void)0)
#endif

static inline void cio_read_lock(void)
{
	urcu_bp_read_lock();
}

static inline void cio_read_unlock(void)
{
	CIO_READERS_DONE();
	urcu_bp_read_unlock();
}

static inline bool cio_read_ongoing(void)
{
	return urcu_bp_read_ongoing() != 0;
}

static inline void cio_synchronize(void)
{
	urcu_bp_synchronize_rcu();
	CIO_READERS_AWAITED();
}

/* Readable at once, so that a look-up beyond what is committed finds zeroes. */
static inline void *_Nullable cio_reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static inline bool cio_commit(void *_Nonnull start, size_t bytes)
{
	return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

static inline void cio_decommit(void *_Nonnull start, size_t bytes)
{
	madvise(start, bytes, MADV_DONTNEED);
}

/* declared.c: is this a DECLARE_IOASID_SET() of a loaded program or library? Never faults. */
bool cio_is_declared_set(const void *_Nonnull set);

#endif /* CIOASID_CORE_H */
