// SPDX-License-Identifier: MIT
// The core lock: recursion, exclusion, who sleeps for it is woken, and what a child of fork() finds.
#define _GNU_SOURCE
#include "runtime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

static long count;

static void *add(void *unused)
{
	for (int i = 0; i < 20000; i++) {
		cio_core_lock();
		cio_core_lock();
		count++;
		cio_core_unlock();
		cio_core_unlock();
	}
	return unused;
}

static void one_at_a_time(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(count, 80000);
}

static void it_counts_how_often_its_owner_took_it(void **state)
{
	(void)state;
	assert_false(cio_core_is_mine());
	cio_core_lock();
	assert_true(cio_core_is_mine());
	assert_false(cio_core_is_nested());
	cio_core_lock();
	assert_true(cio_core_is_nested());
	cio_core_unlock();
	assert_false(cio_core_is_nested());
	cio_core_unlock();
	assert_false(cio_core_is_mine());
}

enum { SLEEPERS = 8 };
static int sleeping, had_it;

static void *sleep_for_it(void *unused)
{
	__atomic_add_fetch(&sleeping, 1, __ATOMIC_RELAXED);
	cio_core_lock();
	had_it++;
	usleep(1000); /* the next one sleeps, too, if it does not yet */
	cio_core_unlock();
	return unused;
}

/* Each unlock wakes one: that one has to wake the next, although it did not see others go to sleep. */
static void who_sleeps_is_woken(void **state)
{
	pthread_t threads[SLEEPERS];

	(void)state;
	alarm(60);
	for (int round = 1; round <= 20; round++) {
		cio_core_lock();
		sleeping = 0;
		for (int i = 0; i < SLEEPERS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, sleep_for_it, NULL), 0);
		while (__atomic_load_n(&sleeping, __ATOMIC_RELAXED) < SLEEPERS)
			usleep(100);
		usleep(2000); /* longer than they try without sleeping */
		cio_core_unlock();
		for (int i = 0; i < SLEEPERS; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(had_it, round * SLEEPERS);
	}
	assert_int_equal(cio_core_word, 0);
	alarm(0);
}

static int child_of(bool held)
{
	int status;
	pid_t child;

	cio_core_before_fork();
	child = fork();
	if (!child) {
		alarm(10);
		cio_core_after_fork_child();
		if (cio_core_is_mine() != held)
			_exit(1);
		cio_core_lock();
		if (cio_core_is_nested() != held)
			_exit(2);
		cio_core_unlock();
		if (held)
			cio_core_unlock();
		_exit(cio_core_is_mine());
	}
	cio_core_after_fork_parent();
	waitpid(child, &status, 0);
	return status;
}

static int holds, let_go;

static void *hold(void *unused)
{
	unsigned int before;

	cio_core_lock();
	before = cio_core_leave();
	__atomic_store_n(&holds, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&let_go, __ATOMIC_ACQUIRE))
		usleep(1000);
	cio_core_enter(before);
	cio_core_unlock();
	return unused;
}

static void a_child_can_use_it(void **state)
{
	pthread_t other, waiter;

	(void)state;
	assert_int_equal(child_of(false), 0);
	/* Held by the thread that forks, while another waits. */
	cio_core_lock();
	assert_int_equal(pthread_create(&waiter, NULL, add, NULL), 0);
	usleep(20000);
	assert_int_equal(child_of(true), 0);
	cio_core_unlock();
	pthread_join(waiter, NULL);
	/* Held by another, in users' code. */
	assert_int_equal(pthread_create(&other, NULL, hold, NULL), 0);
	while (!__atomic_load_n(&holds, __ATOMIC_ACQUIRE))
		usleep(1000);
	assert_int_equal(child_of(false), 0);
	assert_false(cio_core_is_mine());
	__atomic_store_n(&let_go, 1, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_how_often_its_owner_took_it),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(who_sleeps_is_woken),
		cmocka_unit_test(a_child_can_use_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
