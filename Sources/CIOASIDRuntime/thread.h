/* SPDX-License-Identifier: MIT */
/* Internal: a record for each thread that uses the library, found without thread-local variables. */
#ifndef CIOASID_THREAD_H
#define CIOASID_THREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h> /* says whether this is glibc */

/*
 * The library has no thread-local variable of its own. The static kind (initial-exec) makes a late
 * dlopen() fail when others have used the room up; the dynamic kind is allocated by the dynamic
 * linker at a thread's first access, which aborts without memory and must not happen in a signal
 * handler. So records stand in an array, and a thread finds its own by who it is:
 *
 *     thread pointer ----> the C library's word with the thread's id (cio_tid_offset)
 *        |                        |
 *        |                        v  low bits
 *        |              cio_thread_directory   [ 0 | 2 | 0 | 1 | 3 | ... ]   a hint, never trusted
 *        |                                           |
 *        v                                           v
 *     cio_threads   [ 0: nobody's | 1 | 2: life:tid, pointer, section ... | 3 | ... ]
 *                                          ^
 *                    the record says whose it is: both words must be the caller's
 *
 * Both, since each alone is used again: a thread pointer by the next thread on the same stack, an
 * id when the kernel's numbers come round. A record that its thread left behind is so never taken
 * for the new thread's, unless both are the same at once; and a thread that claims a record ends
 * any other with its pointer or with its id, as no two living threads have the same.
 *
 * The array is zeroes until used, so it costs address space only: pages come one by one, lowest
 * first.
 */
#ifndef CIO_THREADS
#define CIO_THREADS 16384
#endif
#define CIO_THREAD_DIRECTORY 65536

/* None of this leaves the library, so it is reached without a table of addresses. */
#pragma GCC visibility push(hidden)

/* Written by its thread, but for the claim; read by those who wait. */
struct cio_thread {
	union {
		uint64_t claim; /* life << 32 | CIO_THREAD_HALF | thread id; see thread.c */
		struct {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			uint32_t id, life;
#else
			uint32_t life, id;
#endif
		};
	};
	uintptr_t pointer; /* the thread pointer, see cio_thread_find() */
	uint64_t section; /* phase << 16 | depth of the read-side section, or 0; see readside.h */
	uint32_t deeper; /* sections beyond those that fit into the depth */
	uint32_t flags; /* for the layers above; zero in a new life */
	uint32_t task; /* what the kernel calls the thread, for tgkill() */
	uint32_t rounds; /* how often its end was put off */
	uint64_t unused[3];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct cio_thread) == 64, "a record has a cache line to itself");

/* Not in use, or not yet complete. No thread has an id with this bit. */
#define CIO_THREAD_HALF 0x80000000u

extern struct cio_thread cio_threads[CIO_THREADS];
extern struct cio_thread *_Nullable cio_thread_directory[CIO_THREAD_DIRECTORY];

/*
 * Where the C library keeps a thread's id, from the thread pointer. glibc for x86-64 has had one
 * place for it since 2.4, so there it can be said here: one instruction less. find_tid() checks.
 */
#if defined(__x86_64__) && defined(__GLIBC__)
#define CIO_TID_OFFSET 0x2d0
#else
#define CIO_TID_OFFSET cio_tid_offset
extern intptr_t cio_tid_offset;
#endif

/* No record has a number as large as this, or ever had. */
extern uint32_t cio_threads_end;

static inline uintptr_t cio_thread_pointer(void)
{
	uintptr_t pointer;

	/* Not volatile: it is the same for as long as a function runs. */
#if defined(__x86_64__)
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
#elif defined(__aarch64__)
	__asm__("mrs %0, tpidr_el0" : "=r"(pointer));
#else
	pointer = (uintptr_t)__builtin_thread_pointer();
#endif
	return pointer;
}

/*
 * The slow way to the caller's record. Without one, claims one if @claim; NULL if there is none,
 * or none to be had. Allocates nothing, waits for nobody, may be called in signal handlers.
 */
struct cio_thread *_Nullable cio_thread_find(bool claim);

/* What stands where the C library keeps the caller's id. */
static inline uint32_t cio_thread_id(void)
{
	uint32_t id;

#if defined(__x86_64__) && defined(__GLIBC__)
	/* Volatile, unlike the pointer: fork() changes it. */
	__asm__ volatile("movl %%fs:%c1, %0" : "=r"(id) : "i"(CIO_TID_OFFSET));
#else
	id = __atomic_load_n((const uint32_t *)(cio_thread_pointer() + (uintptr_t)CIO_TID_OFFSET),
			     __ATOMIC_RELAXED);
#endif
	return id;
}

/* Where the directory has the record at once: all but a thread's first call. */
static inline struct cio_thread *_Nullable cio_thread_hint(uint32_t id)
{
	return __atomic_load_n(&cio_thread_directory[id % CIO_THREAD_DIRECTORY], __ATOMIC_RELAXED);
}

static inline struct cio_thread *_Nullable cio_thread_hit(void)
{
	uint32_t id = cio_thread_id();
	struct cio_thread *thread = cio_thread_hint(id);

	if (__builtin_expect(thread && __atomic_load_n(&thread->id, __ATOMIC_RELAXED) == id &&
				     __atomic_load_n(&thread->pointer, __ATOMIC_RELAXED) ==
					     cio_thread_pointer(),
			     1))
		return thread;
	return NULL;
}

/*
 * The same for a thread that has claimed a record: then no other has its id, and the pointer need
 * not be compared.
 */
static inline struct cio_thread *_Nullable cio_thread_hit_again(void)
{
	uint32_t id = cio_thread_id();
	struct cio_thread *thread = cio_thread_hint(id);

	if (__builtin_expect(thread && __atomic_load_n(&thread->id, __ATOMIC_RELAXED) == id, 1))
		return thread;
	return NULL;
}

/*
 * The caller's record, claimed at its first call. NULL when all are taken by living threads: such
 * a thread shares (readside.h), and has no flags or storage of its own.
 */
static inline struct cio_thread *_Nullable cio_thread_self(void)
{
	struct cio_thread *thread = cio_thread_hit();

	return thread ? thread : cio_thread_find(true);
}

/* The caller's record if it has one. */
static inline struct cio_thread *_Nullable cio_thread_known(void)
{
	struct cio_thread *thread = cio_thread_hit();

	return thread ? thread : cio_thread_find(false);
}

/* For storage by thread: 1 to CIO_THREADS - 1. */
static inline uint32_t cio_thread_index(const struct cio_thread *_Nonnull thread)
{
	return (uint32_t)(thread - cio_threads);
}

/* The caller's number, claimed if need be; 0 when it has to share. */
static inline uint32_t cio_thread_number(void)
{
	const struct cio_thread *thread = cio_thread_self();

	return thread ? cio_thread_index(thread) : 0;
}

/*
 * Who has the record: another value for each thread that ever had it, and never 0. Storage by
 * number that says another life was a dead thread's, and is to begin anew.
 */
static inline uint32_t cio_thread_life(const struct cio_thread *_Nonnull thread)
{
	return __atomic_load_n(&thread->life, __ATOMIC_RELAXED);
}

static inline uint32_t cio_thread_flags(const struct cio_thread *_Nonnull thread)
{
	return __atomic_load_n(&thread->flags, __ATOMIC_RELAXED);
}

/* By the owner. A handler that interrupts it must leave the flags as it finds them. */
static inline void cio_thread_set_flags(struct cio_thread *_Nonnull thread, uint32_t flags)
{
	__atomic_store_n(&thread->flags, flags, __ATOMIC_RELAXED);
}

/* Flags: the thread is in a sink of the log; in other users' code that is called without the core lock. */
#define CIO_THREAD_IN_SINK 1u
#define CIO_THREAD_IN_CALLBACK 2u

/* Does the record belong to a thread, as far as is known a living one? */
static inline bool cio_thread_is_claimed(uint64_t claim)
{
	return (uint32_t)claim && !((uint32_t)claim & CIO_THREAD_HALF);
}

/* Has the thread of this record, with this claim, ended without saying so? A system call. */
bool cio_thread_is_gone(const struct cio_thread *_Nonnull thread, uint64_t claim);

/* Is this a child of fork() where nobody called cio_threads_after_fork() yet? */
bool cio_thread_is_forked(void);

/* Is it certain that it is none? Not the opposite: old kernels do not tell. */
bool cio_thread_is_same_process(void);

/* In the child: all records but the caller's are free, and the caller's has its new id. */
void cio_threads_after_fork(void);

#pragma GCC visibility pop

#endif /* CIOASID_THREAD_H */
