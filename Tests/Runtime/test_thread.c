// SPDX-License-Identifier: MIT
// Thread records: who has which, for how long, and when nothing is left.
// cmake/Runtime.cmake has the ways in which it is built.
#define _GNU_SOURCE
#include "runtime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef EXHAUST_KEYS
/* Before the library's constructor: no key is left that takes no memory. */
__attribute__((constructor(101))) static void exhaust_keys(void)
{
	pthread_key_t key;

	for (int i = 0; i < 40; i++)
		pthread_key_create(&key, NULL);
}
#endif

static struct cio_thread *seen;
static uint32_t seen_life, seen_flags;

static void *look(void *unused)
{
	(void)unused;
	seen = cio_thread_self();
	if (seen) {
		seen_life = cio_thread_life(seen);
		seen_flags = cio_thread_flags(seen);
		cio_thread_set_flags(seen, 7);
	}
	return seen;
}

static void in_thread(void *(*run)(void *))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, NULL), 0);
	pthread_join(thread, NULL);
}

static void a_thread_keeps_its_record(void **state)
{
	struct cio_thread *mine = cio_thread_self();

	(void)state;
	assert_non_null(mine);
	assert_ptr_equal(cio_thread_self(), mine);
	assert_ptr_equal(cio_thread_known(), mine);
	assert_int_equal(cio_thread_number(), cio_thread_index(mine));
	assert_true(cio_thread_number() > 0);
	in_thread(look);
	assert_ptr_not_equal(seen, mine);
	assert_ptr_equal(cio_thread_self(), mine);
}

static void *only_asks(void *unused)
{
	assert_false(cio_read_ongoing());
	assert_null(cio_thread_known());
	return unused;
}

static void a_thread_that_only_asks_gets_none(void **state)
{
	(void)state;
	in_thread(only_asks);
}

static void a_new_life_starts_with_nothing(void **state)
{
	uint32_t life;

	(void)state;
	in_thread(look);
	life = seen_life;
	in_thread(look);
	assert_int_not_equal(seen_life, 0);
	assert_int_not_equal(seen_life, life);
	assert_int_equal(seen_flags, 0);
}

static void threads_one_after_the_other_leave_few_records(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++)
		in_thread(look);
	assert_true(cio_threads_end < 16);
}

#define MANY 300
static pthread_barrier_t all_there, all_looked;
static struct cio_thread *records[MANY];

static void *one_of_many(void *place)
{
	pthread_barrier_wait(&all_there);
	*(struct cio_thread **)place = cio_thread_self();
	for (int i = 0; i < 1000; i++) {
		cio_read_lock();
		assert_true(cio_read_ongoing());
		cio_read_unlock();
		if (i % 100 == 0)
			sched_yield();
	}
	pthread_barrier_wait(&all_looked);
	return (void *)(uintptr_t)(cio_thread_self() == *(struct cio_thread **)place ||
				   !*(struct cio_thread **)place);
}

static void many_at_once_have_one_each(void **state)
{
	pthread_t threads[MANY];
	int with = 0;

	(void)state;
	pthread_barrier_init(&all_there, NULL, MANY);
	pthread_barrier_init(&all_looked, NULL, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, one_of_many, &records[i]), 0);
	for (int i = 0; i < MANY; i++) {
		void *same;

		pthread_join(threads[i], &same);
		assert_non_null(same);
	}
	for (int i = 0; i < MANY; i++) {
		with += records[i] != NULL;
		for (int j = 0; j < i; j++)
			assert_true(!records[i] || records[i] != records[j]);
	}
	assert_int_equal(with, CIO_THREADS - 2 < MANY ? CIO_THREADS - 2 : MANY);
	cio_synchronize();
}

static pthread_key_t late_key;
static int late_rounds;

static void late(void *rounds)
{
	cio_read_lock();
	assert_true(cio_read_ongoing());
	cio_read_unlock();
	__atomic_fetch_add(&late_rounds, 1, __ATOMIC_RELAXED);
	if ((uintptr_t)rounds > 1)
		pthread_setspecific(late_key, (void *)((uintptr_t)rounds - 1));
}

static void *uses_it_late(void *unused)
{
	pthread_setspecific(late_key, (void *)4);
	return unused;
}

static void destructors_of_a_thread_may_use_it(void **state)
{
	uint32_t end = cio_threads_end;

	(void)state;
	assert_int_equal(pthread_key_create(&late_key, late), 0);
	for (int i = 0; i < 100; i++)
		in_thread(uses_it_late);
	assert_int_equal(__atomic_load_n(&late_rounds, __ATOMIC_RELAXED), 400);
	assert_true(cio_threads_end <= end + 4);
	cio_synchronize();
}

static void the_child_of_fork_has_one_thread(void **state)
{
	struct cio_thread *mine = cio_thread_self();
	uint32_t life = cio_thread_life(mine);
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		bool same = cio_thread_self() == mine && cio_thread_life(mine) == life;

		cio_read_child_after_fork();
		same = same && cio_thread_self() == mine && mine->task == (uint32_t)getpid();
		_exit(!same);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_ptr_equal(cio_thread_self(), mine);
}

static void the_child_of_vfork_is_its_parent(void **state)
{
	struct cio_thread *mine = cio_thread_self();
	int status;
	pid_t child = vfork();

	(void)state;
	if (!child) {
		cio_read_lock();
		cio_read_unlock();
		_exit(cio_thread_is_forked());
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_ptr_equal(cio_thread_self(), mine);
}

static void errno_is_left_alone(void **state)
{
	(void)state;
	errno = 77;
	cio_thread_find(true);
	cio_synchronize();
	assert_int_equal(errno, 77);
}

/* Sanitizers have code of their own in between, which no handler may interrupt. */
#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !HAS_FEATURE(address_sanitizer) && \
	!defined(IOASID_TSAN)
#define CAN_STEP
/*
 * A handler after each instruction: the trap flag makes the processor stop there. What it
 * interrupts is a thread's first call, sections, a wait, and the thread's end. The handler does
 * nothing until the instruction whose turn it is, or it would always be the first to claim.
 */
static volatile long traps, turn, wrong;

static void trapped(int signal)
{
	struct cio_thread *thread;

	(void)signal;
	if (traps++ < turn)
		return;
	cio_read_lock();
	thread = cio_thread_known();
	if (!thread || !cio_read_ongoing())
		wrong++;
	if (traps % 64 == 0)
		cio_synchronize();
	if (cio_thread_known() != thread)
		wrong++;
	cio_read_unlock();
}

static inline void trap_flag(bool on)
{
	/* The red zone belongs to the compiler. */
	if (on)
		__asm__ volatile(
			"sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp"
			:
			:
			: "memory", "cc");
	else
		__asm__ volatile(
			"sub $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp"
			:
			:
			: "memory", "cc");
}

static int records_of(uintptr_t pointer)
{
	int n = 0;

	for (uint32_t i = 1; i < cio_threads_end; i++)
		n += cio_thread_is_claimed(cio_threads[i].claim) &&
		     (cio_threads[i].pointer & ~(uintptr_t)1) == pointer;
	return n;
}

static void *stepped(void *unused)
{
	trap_flag(true);
	cio_read_lock();
	cio_read_lock();
	cio_read_unlock();
	cio_read_unlock();
	cio_synchronize();
	trap_flag(false);
	if (cio_read_ongoing() || records_of(cio_thread_pointer()) != 1)
		wrong++;
	return unused;
}

/* Keys are told of a thread's end in their order: this one before the library's, the other after. */
static pthread_key_t key_before, key_after;

static void step_on(void *unused)
{
	(void)unused;
	trap_flag(true);
}

static void step_off(void *unused)
{
	(void)unused;
	trap_flag(false);
}

__attribute__((constructor(101))) static void make_key_before(void)
{
	pthread_key_create(&key_before, step_on);
}

static void *stepped_at_its_end(void *unused)
{
	pthread_setspecific(key_before, &key_before);
	pthread_setspecific(key_after, &key_after);
	cio_read_lock();
	cio_read_unlock();
	return unused;
}

static long each_turn(void *(*run)(void *))
{
	long turns = 0;

	for (turn = 0;; turn++, turns++) {
		traps = 0;
		in_thread(run);
		if (traps <= turn)
			break;
	}
	return turns;
}

static void handlers_may_interrupt_anything(void **state)
{
	struct sigaction action = { .sa_handler = trapped }, old;
	uint32_t end = cio_threads_end;

	(void)state;
	sigaction(SIGTRAP, &action, &old);
	pthread_key_create(&key_after, step_off);
	assert_true(each_turn(stepped) > 200);
	assert_int_equal(wrong, 0);
	assert_true(each_turn(stepped_at_its_end) > 20);
	assert_int_equal(wrong, 0);
	/* No record was lost by any of that. */
	assert_true(cio_threads_end <= end + 2);
	for (uint32_t i = 1; i < cio_threads_end; i++)
		assert_true(cio_thread_is_claimed(cio_threads[i].claim) ||
			    (uint32_t)cio_threads[i].claim == CIO_THREAD_HALF);
	pthread_key_delete(key_after);
	sigaction(SIGTRAP, &old, NULL);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_keeps_its_record),
		cmocka_unit_test(a_thread_that_only_asks_gets_none),
		cmocka_unit_test(a_new_life_starts_with_nothing),
#ifdef CAN_STEP
		cmocka_unit_test(handlers_may_interrupt_anything),
#endif
		cmocka_unit_test(threads_one_after_the_other_leave_few_records),
		cmocka_unit_test(the_child_of_fork_has_one_thread),
		cmocka_unit_test(the_child_of_vfork_is_its_parent),
		cmocka_unit_test(errno_is_left_alone),
		cmocka_unit_test(destructors_of_a_thread_may_use_it),
		cmocka_unit_test(many_at_once_have_one_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
