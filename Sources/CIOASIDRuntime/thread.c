// SPDX-License-Identifier: MIT
// Thread records: claimed by a thread's first call, wherever that is, and given back when it ends.
#define _GNU_SOURCE
#include "runtime.h"
#include "raw.h"
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/*
 * The claim word of a record:
 *
 *                      claim()                   complete()
 *     never used: 0 ------+--> life+1 : HALF|id ------------> life+1 : id
 *     free: life:HALF ----+       |                               |
 *           ^             ^       | give_back()                   | release(), by its thread
 *           +-------------|-------+<------------------------------+ sweep(), when it is gone
 *                         |                                       |
 *                         +--- claim() by the next thread that has the same thread pointer
 *
 * All changes are compare-and-swaps of the whole word (release() apart: only the living owner is
 * there then), and a life is given once, so whoever decided by an old claim fails.
 *
 * A signal handler may interrupt its thread at any instruction of this, and may claim itself; so
 * may a handler of that handler. What holds:
 *
 * A. At most one record is complete for a thread. A look-up prefers the complete one; only where
 *    there is none it completes one that is half claimed for this thread, which an interrupted
 *    claim() left. claim() looks again after it made its record half claimed: either it finds the
 *    complete record of a handler that ran before that, and gives its own back, or none, and then
 *    every later handler finds the half claimed one and completes just that.
 * B. What complete() stores are the same values whoever does it, and handlers leave their sections
 *    and flags as they found them: so the interrupted one may store them again.
 * C. The stores of complete() are released by the claim word: who sees the claim sees the record.
 * D. cio_threads_end grows before the claim. Whoever sees a claim, or anything its owner stored
 *    since, sees an end beyond it.
 */
struct cio_thread cio_threads[CIO_THREADS];
struct cio_thread *cio_thread_directory[CIO_THREAD_DIRECTORY];

/* CIO_TID_OFFSET is where the ids are; the kernel need not be asked. */
static bool has_tid;
#if !(defined(__x86_64__) && defined(__GLIBC__))
intptr_t cio_tid_offset;
#endif

uint32_t cio_threads_end = 1;

/* A thread's id is looked for in this many places, in case others have the same low bits. */
#define WINDOW 8

/* Nobody wants to ask the kernel about all threads each time that no record is free. */
#define SWEEP_PAUSE_MS 100

/* pthread_setspecific() allocates for others: glibc has room for so many in the thread itself. */
#define INLINE_KEYS 32

static pthread_key_t key;
static bool has_key;

/* The process as tgkill() wants it. Not getpid(): a child of vfork() runs in the parent's records. */
static pid_t process;

/* A word that a child of fork() finds zero: the kernel wipes its page. NULL where it cannot. */
static uint32_t *not_forked;

static uint64_t last_sweep;

struct identity {
	uintptr_t pointer;
	uint32_t id;
};

static uint32_t kernel_id(void)
{
	return (uint32_t)raw_call(SYS_gettid, 0, 0, 0, 0);
}

/*
 * Where the C library does not tell a thread's id, the kernel has to be asked each time. The
 * pointer is marked then, so that cio_thread_hit() never takes a record for the caller's: what it
 * read as an id was something else.
 */
static struct identity identity(void)
{
	struct identity me = { cio_thread_pointer(), 0 };

	if (has_tid)
		me.id = cio_thread_id();
	if (!me.id || me.id & CIO_THREAD_HALF) {
		me.id = kernel_id();
		me.pointer |= 1;
	}
	return me;
}

static uint64_t load_claim(const struct cio_thread *thread)
{
	return __atomic_load_n(&thread->claim, __ATOMIC_ACQUIRE);
}

static bool swap_claim(struct cio_thread *thread, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(&thread->claim, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static uint64_t free_claim(uint64_t claim)
{
	return (claim & ~(uint64_t)UINT32_MAX) | CIO_THREAD_HALF;
}

static uint64_t half_claim(uint64_t old, struct identity me)
{
	uint32_t life = (uint32_t)(old >> 32) + 1;

	return (uint64_t)(life ? life : 1) << 32 | CIO_THREAD_HALF | me.id;
}

static bool is_free(uint64_t claim)
{
	return !((uint32_t)claim & ~CIO_THREAD_HALF);
}

static bool has_pointer(const struct cio_thread *thread, uintptr_t pointer)
{
	return __atomic_load_n(&thread->pointer, __ATOMIC_RELAXED) == pointer;
}

static bool is_mine(const struct cio_thread *thread, struct identity me)
{
	return (uint32_t)load_claim(thread) == me.id && has_pointer(thread, me.pointer);
}

static uint32_t end_of_threads(void)
{
	return __atomic_load_n(&cio_threads_end, __ATOMIC_ACQUIRE);
}

/* Puts a record where it will be found; best where no other thread's is. */
static void note(struct cio_thread *thread, struct identity me)
{
	struct cio_thread **place = &cio_thread_directory[me.id % CIO_THREAD_DIRECTORY];

	for (uint32_t i = 0; i < WINDOW; i++) {
		struct cio_thread **other =
			&cio_thread_directory[(me.id + i) % CIO_THREAD_DIRECTORY];
		const struct cio_thread *there = __atomic_load_n(other, __ATOMIC_RELAXED);

		if (!there || there == thread || !cio_thread_is_claimed(load_claim(there))) {
			place = other;
			break;
		}
	}
	__atomic_store_n(place, thread, __ATOMIC_RELAXED);
}

/* The caller's complete record. */
static struct cio_thread *look(struct identity me)
{
	uint32_t end = end_of_threads();

	for (uint32_t i = 0; i < WINDOW; i++) {
		struct cio_thread *thread =
			__atomic_load_n(&cio_thread_directory[(me.id + i) % CIO_THREAD_DIRECTORY],
					__ATOMIC_RELAXED);

		if (thread && is_mine(thread, me))
			return thread;
	}
	for (uint32_t i = 1; i < end; i++) {
		if (is_mine(&cio_threads[i], me)) {
			note(&cio_threads[i], me);
			return &cio_threads[i];
		}
	}
	return NULL;
}

/* From half claimed to complete, by the thread itself or a handler in it (A, B, C). */
static struct cio_thread *complete(struct cio_thread *thread, struct identity me)
{
	uint64_t claim = load_claim(thread);

	if (!cio_thread_is_claimed(claim)) {
		__atomic_store_n(&thread->pointer, me.pointer, __ATOMIC_RELAXED);
		__atomic_store_n(&thread->section, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&thread->deeper, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&thread->flags, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&thread->task, me.id, __ATOMIC_RELAXED);
		__atomic_store_n(&thread->rounds, 0, __ATOMIC_RELAXED);
		swap_claim(thread, claim, claim & ~(uint64_t)CIO_THREAD_HALF);
	}
	note(thread, me);
	if (has_key)
		pthread_setspecific(key, thread);
	return thread;
}

bool cio_thread_is_gone(const struct cio_thread *thread, uint64_t claim)
{
	uint32_t task = __atomic_load_n(&thread->task, __ATOMIC_RELAXED);

	/* What a half claimed record says of its task may be that of its last owner. */
	if ((uint32_t)claim & CIO_THREAD_HALF)
		task = (uint32_t)claim & ~CIO_THREAD_HALF;
	return raw_call(SYS_tgkill, process, task, 0, 0) == -ESRCH;
}

/* Frees what threads left behind that ended without saying so. */
static void sweep(void)
{
	uint32_t end = end_of_threads();

	for (uint32_t i = 1; i < end; i++) {
		uint64_t claim = load_claim(&cio_threads[i]);

		if (!is_free(claim) && cio_thread_is_gone(&cio_threads[i], claim))
			swap_claim(&cio_threads[i], claim, free_claim(claim));
	}
}

static bool may_sweep_again(void)
{
	uint64_t now = raw_now_ms();
	uint64_t last = __atomic_load_n(&last_sweep, __ATOMIC_RELAXED);

	return now - last >= SWEEP_PAUSE_MS &&
	       __atomic_compare_exchange_n(&last_sweep, &last, now, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

/* The end is to be @end at least (D). */
static void raise_end(uint32_t end)
{
	uint32_t old = end_of_threads();

	while (old < end && !__atomic_compare_exchange_n(&cio_threads_end, &old, end, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
}

/* Half claims the lowest free record below @limit. */
static struct cio_thread *claim_free(struct identity me, uint32_t limit)
{
	for (uint32_t i = 1; i < limit; i++) {
		uint64_t claim = load_claim(&cio_threads[i]);

		if (!is_free(claim))
			continue;
		raise_end(i + 1);
		if (swap_claim(&cio_threads[i], claim, half_claim(claim, me)))
			return &cio_threads[i];
	}
	return NULL;
}

/*
 * One of those in use before the first that never was. Where the next is a power of two, the dead
 * are looked for first: so their number stays below that of the living, or few.
 */
static struct cio_thread *claim_lowest(struct identity me)
{
	uint32_t end = end_of_threads();
	struct cio_thread *thread = claim_free(me, end);

	if (!thread && (end >= CIO_THREADS ? may_sweep_again() : !(end & (end - 1)))) {
		sweep();
		thread = claim_free(me, end);
	}
	return thread ? thread : claim_free(me, CIO_THREADS);
}

/*
 * What the caller can go on with: a record half claimed for it, or one whose owner was the last
 * thread with this pointer or this id, and so is dead. If there are two, the other is freed.
 */
static struct cio_thread *claim_left_behind(struct identity me)
{
	uint32_t end = end_of_threads();
	struct cio_thread *mine = NULL;

	for (uint32_t i = 1; i < end; i++) {
		struct cio_thread *thread = &cio_threads[i];
		uint64_t claim = load_claim(thread);
		bool same_id = (uint32_t)claim == me.id;
		bool same_pointer = has_pointer(thread, me.pointer);

		if ((uint32_t)claim == (CIO_THREAD_HALF | me.id)) {
			if (!mine)
				mine = thread;
		} else if (cio_thread_is_claimed(claim) && same_id != same_pointer) {
			if (swap_claim(thread, claim,
				       mine ? free_claim(claim) : half_claim(claim, me)) &&
			    !mine)
				mine = thread;
		}
	}
	return mine;
}

static struct cio_thread *claim(struct identity me)
{
	struct cio_thread *thread = claim_left_behind(me), *other;

	if (!thread)
		thread = claim_lowest(me);
	if (!thread)
		return NULL;
	other = look(me);
	if (other && other != thread) {
		uint64_t claim = load_claim(thread);

		swap_claim(thread, claim, free_claim(claim));
		return other;
	}
	return complete(thread, me);
}

struct cio_thread *cio_thread_find(bool wanted)
{
	struct identity me;
	struct cio_thread *thread;

	if (cio_thread_is_forked())
		cio_read_child_after_fork();
	me = identity();
	thread = look(me);
	return thread || !wanted ? thread : claim(me);
}

/* By its thread. Without the record it can claim another, in a handler or a later destructor. */
static void release(struct cio_thread *thread)
{
	uint64_t claim = load_claim(thread);

	__atomic_store_n(&thread->section, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&thread->deeper, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&thread->flags, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&thread->claim, free_claim(claim), __ATOMIC_RELEASE);
}

/*
 * A thread ends. Inside a section it may be that a later destructor leaves it, so it gets the
 * rounds that there are; then the section ends with the thread.
 */
static void thread_ends(void *record)
{
	struct cio_thread *thread = record;
	uint32_t rounds;

	if (thread != look(identity()))
		return;
	rounds = __atomic_add_fetch(&thread->rounds, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&thread->section, __ATOMIC_RELAXED) &&
	    rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(key, thread);
	else
		release(thread);
}

bool cio_thread_is_forked(void)
{
	return not_forked && !__atomic_load_n(not_forked, __ATOMIC_ACQUIRE);
}

bool cio_thread_is_same_process(void)
{
	return not_forked && __atomic_load_n(not_forked, __ATOMIC_ACQUIRE);
}

/*
 * The child has one thread, which may have been anywhere in the parent, and in a section. Its
 * record is the one with its pointer (see claim_left_behind()), its id has changed.
 */
void cio_threads_after_fork(void)
{
	struct identity me = identity();
	uint32_t end = end_of_threads();
	bool found = false;

	process = (pid_t)raw_call(SYS_getpid, 0, 0, 0, 0);
	for (uint32_t i = 1; i < end; i++) {
		struct cio_thread *thread = &cio_threads[i];
		uint64_t claim = load_claim(thread);

		if (cio_thread_is_claimed(claim) && has_pointer(thread, me.pointer) && !found) {
			found = true;
			__atomic_store_n(&thread->task, kernel_id(), __ATOMIC_RELAXED);
			swap_claim(thread, claim, (claim & ~(uint64_t)UINT32_MAX) | me.id);
			note(thread, me);
		} else if (!is_free(claim)) {
			swap_claim(thread, claim, free_claim(claim));
		}
	}
	if (not_forked)
		__atomic_store_n(not_forked, 1, __ATOMIC_RELEASE);
}

/* Is this where the C library keeps the caller's id? */
static bool try_offset(intptr_t offset)
{
	uintptr_t word = cio_thread_pointer() + (uintptr_t)offset;

	if (!offset || offset % 4 || offset < -16384 || offset > 16384 ||
	    *(const uint32_t *)word != kernel_id())
		return false;
#if defined(__x86_64__) && defined(__GLIBC__)
	return offset == CIO_TID_OFFSET;
#else
	cio_tid_offset = offset;
	return true;
#endif
}

/*
 * glibc has the id in the thread's descriptor, at a place that is the same for all threads. The
 * kernel was told it, to clear it when the thread ends; debuggers are told it by a table in libc,
 * { bits, count, offset from the descriptor }. Whatever is found must hold this thread's id. Without
 * (another C library) the kernel is asked each time, which is right, and slow.
 */
static bool find_tid(void)
{
	uintptr_t address = 0;
	const uint32_t *table;

#ifdef PR_GET_TID_ADDRESS
	if (raw_call(SYS_prctl, PR_GET_TID_ADDRESS, (long)&address, 0, 0) == 0 &&
	    try_offset((intptr_t)(address - cio_thread_pointer())))
		return true;
#endif
	table = dlsym(RTLD_DEFAULT, "_thread_db_pthread_tid");
	return table && table[0] == 32 &&
	       try_offset((intptr_t)((uintptr_t)pthread_self() + table[2] - cio_thread_pointer()));
}

static void find_key(void)
{
	if (pthread_key_create(&key, thread_ends))
		return;
	if (key < INLINE_KEYS)
		has_key = true;
	else
		pthread_key_delete(key);
}

static void find_fork_word(void)
{
	void *page = mmap(NULL, sizeof(*not_forked), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	*(uint32_t *)page = 1;
	/* Some emulators accept every advice and follow none: so one that does not exist comes first. */
	if (madvise(page, sizeof(*not_forked), -1) != 0 &&
	    madvise(page, sizeof(*not_forked), MADV_WIPEONFORK) == 0)
		not_forked = page;
	else
		munmap(page, sizeof(*not_forked));
}

/* Before the constructors of those who use the library, so that no thread has a record yet. */
__attribute__((constructor(102))) static void begin(void)
{
	process = (pid_t)raw_call(SYS_getpid, 0, 0, 0, 0);
#ifndef CIO_TEST_NO_TID
	has_tid = find_tid();
#else
	(void)find_tid;
#endif
	find_key();
	find_fork_word();
}
