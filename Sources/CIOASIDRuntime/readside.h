/* SPDX-License-Identifier: MIT */
/* Internal: read-side sections, and waiting until those that are going on have ended. */
#ifndef CIOASID_READSIDE_H
#define CIOASID_READSIDE_H

#include "order.h"
#include "thread.h"

/*
 * A thread in a section has the phase at which it entered in its record; who waits begins a new
 * phase and waits for the older ones. readside.c has the order of things, and why one new phase is
 * enough. A section word, and the words it is compared with:
 *
 *      63                                16 15            0
 *     +------------------------------------+---------------+
 *     |               phase                |     depth     |     0: outside
 *     +------------------------------------+---------------+
 *
 * One word and one store for both: a signal handler between two stores would enter a section that
 * nobody sees. cio_read_phase has depth 1, so that it is what an outermost section stores.
 * Sections may be nested; at the largest depth a count of its own takes over.
 */
#define CIO_READ_DEPTH UINT64_C(0xffff)
#define CIO_READ_PHASE (CIO_READ_DEPTH + 1)

#pragma GCC visibility push(hidden)

/*
 * What readers look at, in one place: <linux/rcupdate.h> has them look at it in line.
 * @fences: readers have to order their store themselves: nobody does it for them (readside.c)
 */
struct cio_read {
	struct cio_thread *_Nullable *_Nonnull directory;
	uint64_t phase;
	uint8_t fences;
};
extern struct cio_read cio_read;
#define cio_read_phase cio_read.phase
#define cio_read_fences cio_read.fences

/* A full fence. Not the builtin: gcc warns of it under ThreadSanitizer. */
static inline void cio_fence(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lock; orl $0, (%%rsp)" : : : "memory", "cc");
#elif defined(__aarch64__)
	__asm__ volatile("dmb ish" : : : "memory");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* The other side of cio_barrier(): costs nothing where the kernel interrupts threads for it. */
static inline void cio_light_fence(void)
{
	if (__builtin_expect(__atomic_load_n(&cio_read_fences, __ATOMIC_RELAXED), 0))
		cio_fence();
	else
		__asm__ volatile("" : : : "memory");
}

/* What is rare: no record yet, or none to be had; nested sections; unlocking what is not locked. */
void cio_read_lock_slow(struct cio_thread *_Nullable thread);
void cio_read_unlock_slow(struct cio_thread *_Nullable thread);
bool cio_read_ongoing_shared(void);

/* By the thread that has the record. */
static inline void cio_read_enter(struct cio_thread *_Nonnull thread)
{
	if (__builtin_expect(__atomic_load_n(&thread->section, __ATOMIC_RELAXED) != 0, 0)) {
		cio_read_lock_slow(thread);
		return;
	}
	/* Guarantees B and D of readside.c. */
	__atomic_store_n(&thread->section, __atomic_load_n(&cio_read_phase, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
	cio_light_fence(); /* Guarantee A. */
}

static inline void cio_read_leave(struct cio_thread *_Nonnull thread)
{
	if (__builtin_expect(
		    (__atomic_load_n(&thread->section, __ATOMIC_RELAXED) & CIO_READ_DEPTH) == 1, 1))
		__atomic_store_n(&thread->section, 0, __ATOMIC_RELEASE);
	else
		cio_read_unlock_slow(thread);
}

/* Begins a section. Never waits, never fails; may be called in signal handlers. */
static inline void cio_read_lock(void)
{
	struct cio_thread *thread = cio_thread_hit();

	if (__builtin_expect(thread != NULL, 1))
		cio_read_enter(thread);
	else
		cio_read_lock_slow(NULL);
}

/* Ends the innermost section of the thread. */
static inline void cio_read_unlock(void)
{
	struct cio_thread *thread = cio_thread_hit_again();

	cio_come_before(&cio_read_phase);
	if (__builtin_expect(thread != NULL, 1))
		cio_read_leave(thread);
	else
		cio_read_unlock_slow(NULL);
}

/*
 * Is the thread in a section? One without a record cannot be told from those it shares with, and
 * gets true if any of them is.
 */
static inline bool cio_read_ongoing(void)
{
	struct cio_thread *thread = cio_thread_known();

	if (thread && __atomic_load_n(&thread->section, __ATOMIC_RELAXED))
		return true;
	return cio_read_ongoing_shared();
}

/*
 * Returns when all sections have ended that were going on when it was called, in other threads: a
 * caller that is in one itself does not wait for that. Waits for nothing else, not for other
 * callers, and holds nothing. No cancellation point.
 */
void cio_synchronize(void);

/*
 * A barrier in all threads of the process: each has a full fence between what it did before and
 * what it does after, where it says cio_light_fence().
 */
void cio_barrier(void);

/*
 * In the child of fork(), before its other uses: the parent's other threads are not there. The
 * caller's sections are, and it ends them as it would have. Nothing is to be done before fork().
 * Calling it again changes nothing.
 */
void cio_read_child_after_fork(void);

#pragma GCC visibility pop

#endif /* CIOASID_READSIDE_H */
