// SPDX-License-Identifier: MIT
// The read side: what sections protect, what a wait waits for, and what it does not.
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
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef REFUSED
int refuse_membarrier = !REFUSED;
#endif

#ifdef IOASID_TSAN
#define UNDER_TSAN 1
#else
#define UNDER_TSAN 0
#endif

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void start(pthread_t *thread, void *(*run)(void *), void *with)
{
	assert_int_equal(pthread_create(thread, NULL, run, with), 0);
}

static void set(int *flag, int value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static bool is_set(int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void await(int *flag)
{
	while (!is_set(flag))
		usleep(200);
}

/* A thread in sections, until it is told to leave. */
struct sleeper {
	pthread_t thread;
	int depth, inside, leave, left;
};

static void *sleep_inside(void *with)
{
	struct sleeper *sleeper = with;

	for (int i = 0; i < sleeper->depth; i++)
		cio_read_lock();
	set(&sleeper->inside, 1);
	await(&sleeper->leave);
	for (int i = 1; i < sleeper->depth; i++)
		cio_read_unlock();
	usleep(20000);
	set(&sleeper->left, 1);
	cio_read_unlock();
	return NULL;
}

static void begin_sleeper(struct sleeper *sleeper, int depth)
{
	memset(sleeper, 0, sizeof(*sleeper));
	sleeper->depth = depth;
	start(&sleeper->thread, sleep_inside, sleeper);
	await(&sleeper->inside);
}

static void end_sleeper(struct sleeper *sleeper)
{
	set(&sleeper->leave, 1);
	pthread_join(sleeper->thread, NULL);
}

/* Poisoned objects: a reader that sees poison was not protected. */
#define READERS 3
#define WRITERS 2
static int *object;
static int stop_reading;
static long bad;

static void *read_all_the_time(void *unused)
{
	unsigned n = 0;

	while (!is_set(&stop_reading)) {
		const int *p;
		int depth = n++ % 3 + 1;

		for (int i = 0; i < depth; i++)
			cio_read_lock();
		p = __atomic_load_n(&object, __ATOMIC_ACQUIRE);
		for (int i = 0; i < 20; i++)
			if (*p != 1)
				__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		if (n % 512 == 0)
			sched_yield();
		for (int i = 0; i < depth; i++)
			cio_read_unlock();
	}
	return unused;
}

static void *replace_all_the_time(void *unused)
{
	for (int i = 0; i < (UNDER_TSAN ? 300 : 3000); i++) {
		int *p = malloc(sizeof(*p)), *old;

		*p = 1;
		old = __atomic_exchange_n(&object, p, __ATOMIC_ACQ_REL);
		cio_synchronize();
		*old = 2;
		free(old);
	}
	return unused;
}

static void sections_protect(void **state)
{
	pthread_t readers[READERS], writers[WRITERS];

	(void)state;
	object = malloc(sizeof(*object));
	*object = 1;
	stop_reading = 0;
	for (int i = 0; i < READERS; i++)
		start(&readers[i], read_all_the_time, NULL);
	for (int i = 0; i < WRITERS; i++)
		start(&writers[i], replace_all_the_time, NULL);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	set(&stop_reading, 1);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	free(object);
	assert_int_equal(bad, 0);
}

static void *leave_later(void *with)
{
	usleep(100000);
	set(&((struct sleeper *)with)->leave, 1);
	return NULL;
}

static void waits_for_depth(int depth)
{
	struct sleeper sleeper;
	pthread_t thread;

	begin_sleeper(&sleeper, depth);
	start(&thread, leave_later, &sleeper);
	cio_synchronize();
	assert_true(is_set(&sleeper.left));
	pthread_join(thread, NULL);
	end_sleeper(&sleeper);
}

static void a_wait_is_for_sleeping_and_nested_readers(void **state)
{
	(void)state;
	waits_for_depth(1);
	waits_for_depth(2);
	waits_for_depth(50);
	/* More than a section word can count. */
	waits_for_depth(65534);
	waits_for_depth(65535);
	waits_for_depth(65536);
	waits_for_depth(70000);
}

static void a_wait_is_not_for_later_sections(void **state)
{
	pthread_t reader;

	(void)state;
	object = malloc(sizeof(*object));
	*object = 1;
	stop_reading = 0;
	start(&reader, read_all_the_time, NULL);
	for (int i = 0; i < 1000; i++)
		cio_synchronize();
	set(&stop_reading, 1);
	pthread_join(reader, NULL);
	free(object);
}

static void ongoing_says_where_the_thread_is(void **state)
{
	(void)state;
	assert_false(cio_read_ongoing());
	cio_read_lock();
	cio_read_lock();
	assert_true(cio_read_ongoing());
	cio_read_unlock();
	assert_true(cio_read_ongoing());
	cio_read_unlock();
	assert_false(cio_read_ongoing());
	/* One too many changes nothing. */
	cio_read_unlock();
	assert_false(cio_read_ongoing());
}

static void a_section_of_its_own_does_not_hang_a_wait(void **state)
{
	(void)state;
	cio_read_lock();
	cio_synchronize();
	assert_true(cio_read_ongoing());
	cio_read_unlock();
}

/* Readers that follow each other so that there is always one, each in for 200 ms. */
#define HOLD_US 200000

static void *hold_again_and_again(void *offset)
{
	usleep((useconds_t)(uintptr_t)offset);
	while (!is_set(&stop_reading)) {
		cio_read_lock();
		usleep(HOLD_US);
		cio_read_unlock();
	}
	return NULL;
}

static void *wait_once(void *unused)
{
	cio_synchronize();
	return unused;
}

static void waiters_share(void **state)
{
	pthread_t readers[2], waiters[4];
	double began, took;

	(void)state;
	stop_reading = 0;
	start(&readers[0], hold_again_and_again, (void *)0);
	start(&readers[1], hold_again_and_again, (void *)(HOLD_US / 2));
	usleep(HOLD_US);
	began = now();
	for (int i = 0; i < 4; i++)
		start(&waiters[i], wait_once, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(waiters[i], NULL);
	took = now() - began;
	set(&stop_reading, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	/* One after the other they would take at least two times what a reader holds it. */
	assert_true(took < 1.9 * HOLD_US / 1e6);
}

static void *wait_and_say(void *done)
{
	cio_synchronize();
	set(done, 1);
	return NULL;
}

static void waiters_do_not_wait_for_each_other(void **state)
{
	struct sleeper sleeper;
	pthread_t waiter;
	int done = 0;

	(void)state;
	/* The first waits for a section that the second began after: only the first is held up. */
	begin_sleeper(&sleeper, 1);
	start(&waiter, wait_and_say, &done);
	usleep(50000);
	assert_false(is_set(&done));
	cio_read_lock();
	cio_read_unlock();
	end_sleeper(&sleeper);
	pthread_join(waiter, NULL);
	assert_true(is_set(&done));
}

/* In the child all that the parent's threads were in is over. */
static void check_child(bool inside)
{
	int status;
	pid_t child = fork();

	if (!child) {
		pthread_t thread;

		alarm(10);
		if (inside) {
			if (!cio_read_ongoing())
				_exit(1);
			cio_read_unlock();
		}
		if (cio_read_ongoing())
			_exit(2);
		cio_synchronize();
		cio_read_lock();
		cio_read_lock();
		cio_read_unlock();
		cio_read_unlock();
		if (!UNDER_TSAN) {
			struct sleeper sleeper;

			begin_sleeper(&sleeper, 2);
			start(&thread, leave_later, &sleeper);
			cio_synchronize();
			if (!is_set(&sleeper.left))
				_exit(3);
			end_sleeper(&sleeper);
			pthread_join(thread, NULL);
		}
		cio_synchronize();
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void fork_goes_on_whatever_others_are_in(void **state)
{
	struct sleeper sleeper;
	pthread_t waiter;
	int done = 0;

	(void)state;
	check_child(false);
	begin_sleeper(&sleeper, 3);
	check_child(false);
	start(&waiter, wait_and_say, &done);
	usleep(20000);
	check_child(false);
	cio_read_lock();
	check_child(true);
	cio_read_unlock();
	end_sleeper(&sleeper);
	pthread_join(waiter, NULL);
	assert_true(is_set(&done));
	cio_synchronize();
}

static void *fork_inside(void *unused)
{
	cio_read_lock();
	check_child(true);
	cio_read_unlock();
	return unused;
}

static void any_thread_may_fork_inside_a_section(void **state)
{
	pthread_t thread;

	(void)state;
	start(&thread, fork_inside, NULL);
	pthread_join(thread, NULL);
	/* And the child of a child. */
	if (!UNDER_TSAN) {
		int status;
		pid_t child = fork();

		if (!child) {
			start(&thread, fork_inside, NULL);
			pthread_join(thread, NULL);
			_exit(0);
		}
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
	}
}

static void *end_inside(void *unused)
{
	cio_read_lock();
	cio_read_lock();
	pthread_exit(unused);
}

static void a_thread_that_ends_inside_hangs_nobody(void **state)
{
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 5; i++) {
		start(&thread, end_inside, NULL);
		pthread_join(thread, NULL);
		cio_synchronize();
	}
	/* The next thread on that stack is outside. */
	start(&thread, wait_once, NULL);
	pthread_join(thread, NULL);
	cio_synchronize();
}

static void a_wait_is_no_cancellation_point(void **state)
{
	struct sleeper sleeper;
	pthread_t waiter;
	void *result;
	int done = 0;

	(void)state;
	begin_sleeper(&sleeper, 1);
	start(&waiter, wait_and_say, &done);
	usleep(20000);
	pthread_cancel(waiter);
	end_sleeper(&sleeper);
	pthread_join(waiter, &result);
	assert_true(is_set(&done));
	assert_ptr_not_equal(result, PTHREAD_CANCELED);
}

/* Handlers at random places of threads that read and wait. */
static void in_handler(int signal)
{
	(void)signal;
	cio_read_lock();
	cio_synchronize();
	cio_read_unlock();
}

static void handlers_may_wait(void **state)
{
	struct sigaction action = { .sa_handler = in_handler, .sa_flags = SA_RESTART };
	pthread_t reader;

	(void)state;
	object = malloc(sizeof(*object));
	*object = 1;
	stop_reading = 0;
	sigaction(SIGUSR1, &action, NULL);
	start(&reader, read_all_the_time, NULL);
	for (int i = 0; i < 200; i++) {
		pthread_kill(reader, SIGUSR1);
		usleep(200);
		cio_synchronize();
	}
	set(&stop_reading, 1);
	pthread_join(reader, NULL);
	free(object);
}

#ifdef REFUSED
static void refused_later_it_still_protects(void **state)
{
	refuse_membarrier = 1;
	cio_synchronize();
	assert_int_equal(cio_read_fences, 1);
	sections_protect(state);
	a_wait_is_for_sleeping_and_nested_readers(state);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_protect),
		cmocka_unit_test(a_wait_is_for_sleeping_and_nested_readers),
		cmocka_unit_test(a_wait_is_not_for_later_sections),
		cmocka_unit_test(ongoing_says_where_the_thread_is),
		cmocka_unit_test(a_section_of_its_own_does_not_hang_a_wait),
		cmocka_unit_test(waiters_share),
		cmocka_unit_test(waiters_do_not_wait_for_each_other),
		cmocka_unit_test(fork_goes_on_whatever_others_are_in),
		cmocka_unit_test(any_thread_may_fork_inside_a_section),
		cmocka_unit_test(a_thread_that_ends_inside_hangs_nobody),
		cmocka_unit_test(a_wait_is_no_cancellation_point),
		cmocka_unit_test(handlers_may_wait),
#ifdef REFUSED
		cmocka_unit_test(refused_later_it_still_protects),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
