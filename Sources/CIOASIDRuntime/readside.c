// SPDX-License-Identifier: MIT
// The read side: phases, the barrier that spares readers a fence, and waiting.
#define _GNU_SOURCE
#include "runtime.h"
#include "raw.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>

/*
 * What a reader and a waiter do, and in which order the other one sees it:
 *
 *     reader                                      waiter
 *     ------                                      ------
 *                                                 takes X away (its caller)
 *     r1  p = phase              (acquire)    w1  phase = mine = phase + 1
 *     r2  section = p            (release)    w2  ===== barrier in all threads =====
 *     ~~  (a fence if the barrier is none)    w3  for each record: until section is 0,
 *     r3  looks for X, uses it                        or its phase is mine or later  (acquire)
 *     r4  section = 0            (release)    w4  returns; its caller frees X
 *
 * A. The barrier is one point in each thread's order: what the thread stored before it is seen by
 *    w3, and what it loads after it sees what the waiter did before w2. membarrier() interrupts
 *    every core that runs one of the process's threads; threads that do not run went through the
 *    scheduler, which is a full fence as well. Where it cannot be had, the fences at ~~ and w2 say
 *    the same, of two at a time.
 * B. Who reads mine or a later phase at r1 sees all that came before w1: w1 releases, r1 acquires,
 *    and so do the steps from one phase to the next.
 * C. Phases only grow (they are compared by their difference, and 2^47 do not fit into a section).
 * D. What a waiter sees in a section word at w3, it sees after everything that the thread did
 *    before it stored that, whatever value it is: both r2 and r4 release.
 *
 * So no reader has X when the waiter returns. Take a section that found X at r3, and where its
 * thread was at the barrier:
 *   - Before r2: then r3 came after the barrier, and by A did not find X. Contradiction. It does
 *     not matter how old the p is that r1 read: this is where a phase of one bit fails. Such a late
 *     section carries an old phase, is waited for by later waiters, and rightly so.
 *   - After r2: then w3 sees r2, or what came later in that word. If it is p < mine, it waits for
 *     r4, or for a later section's r2, and by D all uses of X came before. If p is mine or later,
 *     then by B r3 came after X was taken away. Contradiction.
 * One new phase is enough for that, where schemes with one bit need two flips and a lock for
 * waiters: a bit cannot say whether a section is older or younger than two waiters.
 *
 * E. Waiters hold nothing and share nothing but a few words, which they move by single
 *    instructions. A stopped waiter delays the others by 20 us at most (barrier()).
 * F. completed = mine once w3 is done. A waiter that has phase mine' <= mine may leave: the other's
 *    w1 came after its own, the barrier after that, and what was shown above for X holds for all
 *    that was taken away before w1, in either thread (B: the steps of the phase are one chain).
 *
 * G. fenced = p once a barrier is through that began after phase p did. A waiter with mine <= p need
 *    not call one: its w1 came before that of p, or is that, so the barrier came after it; and the
 *    acquire of fenced shows it what the barrier showed to whoever called it.
 *
 * Threads without a record (all of them are taken) share counts of how many are in sections. A
 * count does not say who, so a waiter waits until it has seen each at zero once. By A that is
 * right, but sections of sharing threads that overlap without end would make it wait without end;
 * and the section of a thread that died in it is never over. The counts are several, by thread
 * pointer, so that fewer share one.
 */
struct cio_read cio_read = {
	.directory = cio_thread_directory,
	.phase = CIO_READ_PHASE | 1,
	.fences = 1,
};

/* The newest phase whose wait is over, and the newest that was there before a barrier (F, G). */
static uint64_t completed = 1;
static uint64_t fenced = 1;

/* The phase of the waiter that calls the barrier for others, or 0. */
static uint64_t barrier_turn;

#define SHARED_COUNTS 64

static struct {
	uint64_t sections;
	uint64_t unused[7];
} __attribute__((aligned(64))) shared[SHARED_COUNTS];

/* membarrier() is refused, and all sections have fences. */
static bool barrier_is_gone;

/* A reader that goes on this long is looked after: is its thread still there? */
#define LOOK_AFTER_MS 10

/* How often a waiter looks whether another has called the barrier: about 20 us. */
#define TURN_LOOKS 1000
#define TURN_YIELDS 100

#define SPINS 200
#define YIELDS 20
#define SLEEP_FIRST_NS 50000
#define SLEEP_LONGEST_NS 1000000

/* Longer than any core keeps a store to itself; see barrier_of_all(). */
#define DRAIN_NS 20000000

static bool is_older(uint64_t phase, uint64_t than)
{
	return (int64_t)((phase & ~CIO_READ_DEPTH) - (than & ~CIO_READ_DEPTH)) < 0;
}

static long membarrier(int command)
{
#ifdef CIO_TEST_MEMBARRIER
	return CIO_TEST_MEMBARRIER(command);
#else
	return raw_call(SYS_membarrier, command, 0, 0, 0);
#endif
}

static bool register_barrier(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

/*
 * If membarrier() was there at load and is refused now (a filter of system calls came after),
 * readers get fences from here on. But one may be on its way that did not see the flag, whose
 * store is still in its core's buffer. Nothing that a process may ask for is certain to reach
 * there: changing a page's protection interrupts other cores on some machines only. Yet a core
 * does not keep a store for itself for longer than some microseconds, and going through the
 * scheduler empties the buffer: so this waits for a thousand times that, once in the life of the
 * process. From then on the fences are the proof. Each waiter that comes meanwhile waits itself (E).
 */
static void barrier_of_all(void)
{
	if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
	    !(register_barrier() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)) {
		uint64_t end;

		__atomic_store_n(&cio_read_fences, 1, __ATOMIC_SEQ_CST);
		cio_fence();
		end = raw_now_ms() + DRAIN_NS / 1000000 + 1;
		do
			raw_sleep(DRAIN_NS);
		while ((int64_t)(raw_now_ms() - end) < 0);
		__atomic_store_n(&barrier_is_gone, true, __ATOMIC_RELEASE);
	}
}

void cio_barrier(void)
{
	cio_fence();
	if (!__atomic_load_n(&barrier_is_gone, __ATOMIC_ACQUIRE))
		barrier_of_all();
	cio_fence();
}

/* To the newest of two phases. */
static void advance(uint64_t *to, uint64_t phase)
{
	uint64_t old = __atomic_load_n(to, __ATOMIC_RELAXED);

	while (is_older(old, phase) &&
	       !__atomic_compare_exchange_n(to, &old, phase, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED))
		;
}

/*
 * w2 for the waiter with phase @mine. The kernel has its callers of membarrier() sleep for each
 * other, which costs tens of microseconds where the work takes half of one. So one calls, for all
 * phases that have begun by then, and the others look whether that was theirs too (G). Not for
 * long: who has seen nothing for some 20 us takes the turn and calls itself, so that one who was
 * stopped, or who ended there, holds nobody up.
 */
static void barrier(uint64_t mine)
{
	uint64_t turn = 0;

	cio_fence();
	if (__atomic_load_n(&barrier_is_gone, __ATOMIC_ACQUIRE))
		return;
	for (int i = 0; i < TURN_LOOKS; i++) {
		if (!is_older(__atomic_load_n(&fenced, __ATOMIC_ACQUIRE), mine)) {
			cio_fence();
			return;
		}
		turn = 0;
		if (__atomic_compare_exchange_n(&barrier_turn, &turn, mine, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			break;
		if (i % TURN_YIELDS == TURN_YIELDS - 1)
			raw_call(SYS_sched_yield, 0, 0, 0, 0);
		else
			raw_pause();
	}
	if (turn)
		__atomic_store_n(&barrier_turn, mine, __ATOMIC_RELAXED);
	turn = __atomic_load_n(&cio_read_phase, __ATOMIC_ACQUIRE);
	cio_fence();
	barrier_of_all();
	cio_fence();
	advance(&fenced, turn);
	/* If it is still this one's. */
	__atomic_compare_exchange_n(&barrier_turn, &mine, 0, false, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
}

static uint64_t *shared_sections(void)
{
	uint64_t hash = (uint64_t)cio_thread_pointer() * UINT64_C(0x9e3779b97f4a7c15);

	return &shared[hash >> 58].sections;
}

_Static_assert(SHARED_COUNTS == 1 << (64 - 58), "the hash has as many values as there are counts");

/* Not below zero: after fork() the counts begin anew, and nobody unlocks more than he locked. */
static void unlock_shared(void)
{
	uint64_t *sections = shared_sections();
	uint64_t old = __atomic_load_n(sections, __ATOMIC_RELAXED);

	while (old && !__atomic_compare_exchange_n(sections, &old, old - 1, false, __ATOMIC_RELEASE,
						   __ATOMIC_RELAXED))
		;
}

bool cio_read_ongoing_shared(void)
{
	return __atomic_load_n(shared_sections(), __ATOMIC_RELAXED) != 0;
}

/*
 * A thread's first section, a nested one, or one of a thread that has to share. Where the depth is
 * full a count goes on: handlers leave as many sections as they enter, so plain steps will do.
 */
void cio_read_lock_slow(struct cio_thread *thread)
{
	uint64_t section;

	if (!thread)
		thread = cio_thread_find(true);
	if (!thread) {
		__atomic_fetch_add(shared_sections(), 1, __ATOMIC_SEQ_CST);
		cio_fence();
		return;
	}
	section = __atomic_load_n(&thread->section, __ATOMIC_RELAXED);
	if (!section)
		cio_read_enter(thread);
	else if ((section & CIO_READ_DEPTH) != CIO_READ_DEPTH)
		__atomic_store_n(&thread->section, section + 1, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&thread->deeper,
				 __atomic_load_n(&thread->deeper, __ATOMIC_RELAXED) + 1,
				 __ATOMIC_RELAXED);
}

/*
 * All but the end of an outermost section. A thread may have got its record in a section that it
 * had entered without one: sections end in the opposite order, so those of the record end first.
 */
void cio_read_unlock_slow(struct cio_thread *thread)
{
	uint64_t section;
	uint32_t deeper;

	if (!thread)
		thread = cio_thread_find(false);
	section = thread ? __atomic_load_n(&thread->section, __ATOMIC_RELAXED) : 0;
	if (!section) {
		unlock_shared();
		return;
	}
	deeper = __atomic_load_n(&thread->deeper, __ATOMIC_RELAXED);
	if ((section & CIO_READ_DEPTH) == CIO_READ_DEPTH && deeper)
		__atomic_store_n(&thread->deeper, deeper - 1, __ATOMIC_RELAXED);
	else if ((section & CIO_READ_DEPTH) == 1)
		__atomic_store_n(&thread->section, 0, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&thread->section, section - 1, __ATOMIC_RELEASE);
}

/* One waiter's wait. */
struct wait {
	uint64_t mine;
	uint32_t steps;
	long sleep_ns;
	uint64_t began_ms; /* waiting for the present record; 0 before the first sleep */
};

/* F */
static bool is_done_by_another(const struct wait *wait)
{
	return !is_older(__atomic_load_n(&completed, __ATOMIC_ACQUIRE), wait->mine);
}

/* A little longer each time. Nothing is held meanwhile. */
static void step(struct wait *wait)
{
	wait->steps++;
	if (wait->steps <= SPINS) {
		raw_pause();
	} else if (wait->steps <= SPINS + YIELDS) {
		raw_call(SYS_sched_yield, 0, 0, 0, 0);
	} else {
		if (!wait->began_ms)
			wait->began_ms = raw_now_ms();
		raw_sleep(wait->sleep_ns);
		wait->sleep_ns *= 2;
		if (wait->sleep_ns > SLEEP_LONGEST_NS)
			wait->sleep_ns = SLEEP_LONGEST_NS;
	}
}

/* Is the thread of this record in a section that is to be waited for? */
static bool is_behind(const struct cio_thread *thread, uint64_t claim, uint64_t mine)
{
	uint64_t section;

	/* While it is claimed nobody is in a section with it; a free one may have been left in one. */
	if (!cio_thread_is_claimed(claim))
		return false;
	section = __atomic_load_n(&thread->section, __ATOMIC_ACQUIRE);
	return section && is_older(section, mine);
}

/* w3 for one record. False: everything is done by another. */
static bool wait_for_thread(struct wait *wait, const struct cio_thread *thread)
{
	wait->began_ms = 0;
	for (;;) {
		uint64_t claim = __atomic_load_n(&thread->claim, __ATOMIC_ACQUIRE);

		if (!is_behind(thread, claim, wait->mine))
			return true;
		if (is_done_by_another(wait))
			return false;
		step(wait);
		if (!wait->began_ms || raw_now_ms() - wait->began_ms < LOOK_AFTER_MS)
			continue;
		/* Its thread ended inside a section, against the rules: nobody else shall hang. */
		if (cio_thread_is_gone(thread, claim) &&
		    __atomic_load_n(&thread->claim, __ATOMIC_ACQUIRE) == claim)
			return true;
		wait->began_ms = 0;
	}
}

static bool wait_for_sharing(struct wait *wait, const uint64_t *sections)
{
	while (__atomic_load_n(sections, __ATOMIC_ACQUIRE)) {
		if (is_done_by_another(wait))
			return false;
		step(wait);
	}
	return true;
}

static bool wait_for_all(struct wait *wait, const struct cio_thread *self)
{
	/* By A as large as any record whose section matters (thread.c, D). */
	uint32_t end = __atomic_load_n(&cio_threads_end, __ATOMIC_ACQUIRE);

	for (uint32_t i = 1; i < end; i++) {
		if (&cio_threads[i] != self && !wait_for_thread(wait, &cio_threads[i]))
			return false;
	}
	/* Nobody shares before all records were in use. */
	for (uint32_t i = 0; end == CIO_THREADS && i < SHARED_COUNTS; i++) {
		if (!wait_for_sharing(wait, &shared[i].sections))
			return false;
	}
	return true;
}

/*
 * The caller's own section is left out: it would be waited for without end. Nor may others rely on
 * such a wait then, as to them that section counts.
 */
void cio_synchronize(void)
{
	struct wait wait = { 0, 0, SLEEP_FIRST_NS, 0 };
	const struct cio_thread *self;
	int cancelling;

	if (cio_thread_is_forked())
		cio_read_child_after_fork();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
	self = cio_thread_known();
	if (self && !__atomic_load_n(&self->section, __ATOMIC_RELAXED))
		self = NULL;
	wait.mine = __atomic_add_fetch(&cio_read_phase, CIO_READ_PHASE, __ATOMIC_SEQ_CST);
	barrier(wait.mine);
	if (wait_for_all(&wait, self) && !self)
		advance(&completed, wait.mine);
	cio_come_after(&cio_read_phase);
	pthread_setcancelstate(cancelling, NULL);
}

/* The records last: they say that it is done. */
void cio_read_child_after_fork(void)
{
	if (cio_thread_is_same_process())
		return;
	__atomic_store_n(&barrier_turn, 0, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < SHARED_COUNTS; i++)
		__atomic_store_n(&shared[i].sections, 0, __ATOMIC_RELAXED);
	cio_threads_after_fork();
}

__attribute__((constructor(102))) static void begin(void)
{
	if (register_barrier())
		__atomic_store_n(&cio_read_fences, 0, __ATOMIC_RELEASE);
	else
		barrier_is_gone = true;
}
