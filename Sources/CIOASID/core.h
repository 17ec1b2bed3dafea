/* SPDX-License-Identifier: MIT */
/* Internal: lock, read side, address space and probes for the core, as inlines Swift can call. */
#ifndef CIOASID_CORE_H
#define CIOASID_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <urcu/urcu-bp.h>

#include <linux/ioasid.h>
#include <linux/sched.h>

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

/*
 * ThreadSanitizer does not see into liburcu. These say what a grace period means: everything
 * that readers did in their sections happens before what follows the wait. The address is the one
 * that <linux/rcupdate.h> uses, so that it holds between the library and its users as well.
 */
#ifdef IOASID_TSAN
void __tsan_acquire(void *_Nonnull addr);
void __tsan_release(void *_Nonnull addr);
#define CIO_READERS_DONE() __tsan_release(&urcu_bp_gp)
#define CIO_READERS_AWAITED() __tsan_acquire(&urcu_bp_gp)
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

/* Asks for a line that will be written; harmless for any address. */
static inline void cio_prefetch(uintptr_t address)
{
	__builtin_prefetch((const void *)address, 1);
}

/* Public fields are read by users without a lock. */
static inline void cio_store_int(int *_Nonnull field, int value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

/* declared.c: is this a DECLARE_IOASID_SET() of a loaded program or library? Never faults. */
bool cio_is_declared_set(const void *_Nonnull set);

/* counters.c: requests refused, by reason; counted with and without the core lock. */
void cio_count_refusal(enum ioasid_refusal why);
void cio_copy_refusals(uint64_t *_Nonnull counts);

/* The address space that the calling thread stands for, or NULL. */
static inline const void *_Nullable cio_current_mm(void)
{
	return current->mm;
}

/* In checking builds: an invariant does not hold. The library is wrong, not its user. */
static inline void cio_broken(const char *_Nonnull invariant)
{
	fprintf(stderr, "ioasid: broken invariant: %s\n", invariant);
	abort();
}

/* trace.c */
extern unsigned char cio_tracing;
int cio_trace_start(FILE *_Nonnull out);
void cio_trace_stop(void);
void cio_trace_before_fork(void);
void cio_trace_after_fork(void);
void cio_trace_event(enum ioasid_notify_val event, ioasid_t id, ioasid_t spid, uint32_t set,
		     uint32_t references, const void *_Nullable subscriber, int priority);
void cio_trace_reference(const char *_Nonnull what, ioasid_t id, ioasid_t spid, uint32_t set,
			 uint32_t references);

static inline bool cio_trace_is_on(void)
{
	return __atomic_load_n(&cio_tracing, __ATOMIC_RELAXED);
}

/* Static probe points: a nop each until a tracer attaches. */
#ifdef IOASID_PROBES
/* In registers, or clang stores each argument on the stack, tracer or not. */
#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>
#else
#define DTRACE_PROBE1(provider, name, a) ((void)(a))
#define DTRACE_PROBE2(provider, name, a, b) ((void)(a), (void)(b))
#define DTRACE_PROBE3(provider, name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

static inline void cio_probe_alloc(ioasid_t id, uint32_t set)
{
	DTRACE_PROBE2(ioasid, alloc, id, set);
}

static inline void cio_probe_free(ioasid_t id, uint32_t set)
{
	DTRACE_PROBE2(ioasid, free, id, set);
}

static inline void cio_probe_reclaim(ioasid_t id, uint32_t set)
{
	DTRACE_PROBE2(ioasid, reclaim, id, set);
}

static inline void cio_probe_get(ioasid_t id, uint32_t references)
{
	DTRACE_PROBE2(ioasid, get, id, references);
}

static inline void cio_probe_put(ioasid_t id, uint32_t references)
{
	DTRACE_PROBE2(ioasid, put, id, references);
}

static inline void cio_probe_bind(ioasid_t id, ioasid_t spid, uint32_t set)
{
	DTRACE_PROBE3(ioasid, bind, id, spid, set);
}

static inline void cio_probe_unbind(ioasid_t id, ioasid_t spid, uint32_t set)
{
	DTRACE_PROBE3(ioasid, unbind, id, spid, set);
}

static inline void cio_probe_refuse(ioasid_t id, enum ioasid_refusal why)
{
	DTRACE_PROBE2(ioasid, refuse, id, why);
}

#endif /* CIOASID_CORE_H */
