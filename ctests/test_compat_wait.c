/* SPDX-License-Identifier: MIT */
/* Wait queues, completions, clocks and sleeps: nothing missed, nothing too early, fork() too. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>

#include "support.h"

static pthread_t start(void *(*body)(void *), void *data)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, body, data), 0);
	return thread;
}

/* ---- Completions ---- */

static void *complete_later(void *x)
{
	msleep(5);
	complete(x);
	return NULL;
}

static void one_completion_is_for_one_waiter(void **state)
{
	DECLARE_COMPLETION_ONSTACK(done);
	pthread_t thread = start(complete_later, &done);

	(void)state;
	wait_for_completion(&done);
	assert_false(completion_done(&done));
	assert_false(try_wait_for_completion(&done));
	pthread_join(thread, NULL);
	complete(&done);
	complete(&done);
	assert_true(try_wait_for_completion(&done));
	assert_int_equal(wait_for_completion_interruptible(&done), 0);
	assert_false(completion_done(&done));
	complete_all(&done);
	wait_for_completion(&done);
	assert_true(try_wait_for_completion(&done));
	complete(&done);
	assert_true(completion_done(&done));
	reinit_completion(&done);
	assert_false(try_wait_for_completion(&done));
}

static void a_wait_ends_with_its_time(void **state)
{
	DECLARE_COMPLETION(done);
	ktime_t before = ktime_get();

	(void)state;
	assert_int_equal(wait_for_completion_timeout(&done, msecs_to_jiffies(20)), 0);
	assert_true(ktime_ms_delta(ktime_get(), before) >= 20);
	assert_int_equal(wait_for_completion_timeout(&done, 0), 0);
	complete(&done);
	/* Even with no time left, it is not 0. */
	assert_int_equal(wait_for_completion_timeout(&done, 0), 1);
	complete(&done);
	assert_true(wait_for_completion_timeout(&done, 10000) > 9000);
	complete(&done);
	assert_true(wait_for_completion_timeout(&done, ULONG_MAX) > 0);
}

struct exchange {
	struct completion there, back;
};

static void *answer(void *data)
{
	struct exchange *exchange = data;
	unsigned int i;

	for (i = 0; i < loops(5000); i++) {
		wait_for_completion(&exchange->there);
		complete(&exchange->back);
	}
	return NULL;
}

static void no_completion_is_missed(void **state)
{
	struct exchange exchange = { COMPLETION_INITIALIZER(there), COMPLETION_INITIALIZER(back) };
	pthread_t thread = start(answer, &exchange);
	unsigned int i;

	(void)state;
	for (i = 0; i < loops(5000); i++) {
		complete(&exchange.there);
		wait_for_completion(&exchange.back);
	}
	pthread_join(thread, NULL);
}

/* ---- Wait queues ---- */

static DECLARE_WAIT_QUEUE_HEAD(queue);
static DEFINE_SPINLOCK(queue_lock);
static unsigned int turn;

static void *take_turns(void *data)
{
	unsigned int mine = (unsigned int)(uintptr_t)data, i;

	for (i = 0; i < loops(3000); i++) {
		wait_event(queue, READ_ONCE(turn) % 3 == mine);
		WRITE_ONCE(turn, READ_ONCE(turn) + 1);
		wake_up(&queue);
	}
	return NULL;
}

static void no_wake_up_is_missed(void **state)
{
	pthread_t threads[3];
	uintptr_t i;

	(void)state;
	turn = 0;
	for (i = 0; i < 3; i++)
		threads[i] = start(take_turns, (void *)i);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(turn, 3 * loops(3000));
	assert_false(waitqueue_active(&queue));
}

static void conditions_and_times(void **state)
{
	unsigned int looked = 0;

	(void)state;
	wait_event(queue, ++looked);
	assert_int_equal(looked, 1);
	assert_int_equal(wait_event_interruptible(queue, true), 0);
	assert_int_equal(wait_event_timeout(queue, false, 0), 0);
	assert_int_equal(wait_event_timeout(queue, true, 0), 1);
	assert_int_equal(wait_event_timeout(queue, false, 5), 0);
	assert_true(wait_event_interruptible_timeout(queue, true, 1000) > 900);
	assert_int_equal(wait_event_timeout(queue, true, MAX_SCHEDULE_TIMEOUT),
			 MAX_SCHEDULE_TIMEOUT);
	wake_up_all(&queue);
	assert_false(wq_has_sleeper(&queue));
}

static void *set_with_lock(void *unused)
{
	msleep(5);
	spin_lock_irq(&queue_lock);
	turn = 1;
	wake_up_locked(&queue);
	spin_unlock_irq(&queue_lock);
	return unused;
}

static void the_lock_is_given_up_for_the_sleep(void **state)
{
	pthread_t thread;

	(void)state;
	turn = 0;
	spin_lock_irq(&queue_lock);
	thread = start(set_with_lock, NULL);
	wait_event_lock_irq(queue, turn == 1, queue_lock);
	assert_true(spin_is_locked(&queue_lock));
	spin_unlock_irq(&queue_lock);
	pthread_join(thread, NULL);
}

static void bad_arguments_have_results(void **state)
{
	(void)state;
	assert_false(ioasid_wait_word(NULL, 0, IOASID_FOREVER));
	ioasid_wake_word(NULL, 1);
	complete(NULL);
	complete_all(NULL);
	wait_for_completion(NULL);
	assert_int_equal(wait_for_completion_timeout(NULL, 1), 0);
	wake_up((struct wait_queue_head *)NULL);
	assert_true(warnings >= 4);
}

/* Each warns, once a place, and comes back: nobody could end a wait. */
static void without_a_queue_or_a_completion_nothing_waits(void **state)
{
	struct completion *done = NULL;
	struct wait_queue_head *none = NULL;

	(void)state;
	init_completion(done);
	reinit_completion(done);
	assert_false(try_wait_for_completion(done));
	assert_false(completion_done(done));
	assert_int_equal(warnings, 3);
	init_waitqueue_head(none);
	assert_int_equal(waitqueue_active(none), 0);
	assert_false(wq_has_sleeper(none));
	assert_int_equal(warnings, 5);
	wait_event(*none, false);
	assert_int_equal(wait_event_timeout(*none, true, 1000), 0);
	assert_int_equal(wait_event_interruptible(*none, false), 0);
	assert_int_equal(warnings, 8);
}

static void a_reader_that_waits_is_told(void **state)
{
	(void)state;
	rcu_read_lock();
	assert_int_equal(wait_event_timeout(queue, false, 1), 0);
	rcu_read_unlock();
	assert_true(warnings > 0);
	warnings = 0;
	might_sleep();
	assert_int_equal(warnings, 0);
	rcu_read_lock();
	might_sleep();
	rcu_read_unlock();
	assert_int_equal(warnings, 1);
}

/* ---- Cancellation and fork() ---- */

static struct completion finished;

static void *wait_to_be_cancelled(void *unused)
{
	wait_for_completion(&finished);
	pthread_testcancel();
	return unused;
}

static void a_wait_is_no_cancellation_point(void **state)
{
	pthread_t thread;
	void *result = NULL;

	(void)state;
	init_completion(&finished);
	thread = start(wait_to_be_cancelled, NULL);
	msleep(5);
	pthread_cancel(thread);
	msleep(5);
	complete(&finished);
	pthread_join(thread, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	assert_false(completion_done(&finished));
}

static void *turn_to_five(void *unused)
{
	while (!waitqueue_active(&queue))
		msleep(1);
	msleep(20);
	WRITE_ONCE(turn, 5);
	wake_up(&queue);
	return unused;
}

static int end_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static int waits_itself(const void *unused)
{
	pthread_t thread;

	(void)unused;
	/* Those who wait in the parent are not here. ThreadSanitizer knows no threads of a child. */
	if (UNDER_TSAN)
		complete(&finished);
	else
		child_assert(!pthread_create(&thread, NULL, complete_later, &finished));
	wait_for_completion(&finished);
	if (!UNDER_TSAN)
		pthread_join(thread, NULL);
	WRITE_ONCE(turn, 0);
	wake_up(&queue);
	child_assert(wait_event_timeout(queue, true, 1) == 1);
	child_assert(!waitqueue_active(&queue) && !wq_has_sleeper(&queue));
	return 0;
}

static int has_no_waiters(const void *unused)
{
	(void)unused;
	return waitqueue_active(&queue) || wq_has_sleeper(&queue);
}

/* The child is born in a condition: its thread is counted anew before it sleeps, so that it is woken. */
static bool was_born;

static bool fork_once(int *result)
{
	if (READ_ONCE(turn) == 5)
		return true;
	if (!was_born) {
		pid_t pid = fork();

		was_born = true;
		if (!pid) {
			pthread_t thread;

			alarm(20);
			*result = -1;
			child_assert(!pthread_create(&thread, NULL, turn_to_five, NULL));
			return false;
		}
		*result = end_of(pid);
		WRITE_ONCE(turn, 5);
		return true;
	}
	return false;
}

static void a_child_that_is_born_in_a_condition_is_woken(void **state)
{
	int result = 0;

	(void)state;
	if (UNDER_TSAN) /* it knows no threads of a child */
		return;
	turn = 0;
	was_born = false;
	wait_event(queue, fork_once(&result));
	if (result < 0)
		_exit(waitqueue_active(&queue));
	assert_int_equal(result, 0);
	assert_false(waitqueue_active(&queue));
}

static void *wait_meanwhile(void *unused)
{
	wait_event(queue, READ_ONCE(turn) == 9);
	return unused;
}

static void the_child_waits_for_its_own(void **state)
{
	pthread_t thread;

	(void)state;
	/* ThreadSanitizer is content with the child that starts none (waits_itself()). */
	if (emulator() && no_threads_after_fork())
		skip_because(no_threads_after_fork());
	turn = 0;
	init_completion(&finished);
	thread = start(wait_meanwhile, NULL);
	msleep(5);
	assert_int_equal(waitqueue_active(&queue), 1);
	assert_int_equal(in_child(has_no_waiters, NULL), 0);
	assert_int_equal(in_child(waits_itself, NULL), 0);
	assert_int_equal(waitqueue_active(&queue), 1);
	WRITE_ONCE(turn, 9);
	wake_up(&queue);
	pthread_join(thread, NULL);
}

/* ---- Time ---- */

static void time_passes(void **state)
{
	unsigned long before = jiffies;
	ktime_t start_ns = ktime_get();

	(void)state;
	msleep(3);
	usleep_range(1000, 2000);
	udelay(10);
	ssleep(0);
	assert_true(time_after(jiffies, before));
	assert_true(time_before(before, jiffies));
	assert_true(time_after_eq(jiffies, before + 3));
	assert_false(time_after(before, before));
	assert_true(ktime_to_us(ktime_sub(ktime_get(), start_ns)) >= 4010);
	assert_true(time_after(1UL, ULONG_MAX));
	assert_int_equal(msecs_to_jiffies(0), 0);
	assert_int_equal(msecs_to_jiffies(UINT_MAX), MAX_JIFFY_OFFSET);
	assert_int_equal(usecs_to_jiffies(1), 1);
	assert_int_equal(jiffies_to_msecs(HZ), 1000);
	assert_int_equal(ktime_compare(1, 2), -1);
	assert_int_equal(ktime_add_ms(5, 1), 1000005);
}

static void a_time_that_does_not_fit_is_the_longest(void **state)
{
	DECLARE_COMPLETION(done);
	pthread_t thread = start(complete_later, &done);

	(void)state;
	assert_true(jiffies_to_nsecs(ULONG_MAX) == ~(u64)0);
	assert_true(jiffies_to_nsecs(~(u64)0 / (u64)NSEC_PER_MSEC + 1) == ~(u64)0);
	assert_int_equal(jiffies_to_msecs(1UL << 32), UINT_MAX);
	assert_int_equal(jiffies_to_usecs(UINT_MAX), UINT_MAX);
	assert_int_equal(jiffies_to_usecs(3), 3000);
	assert_int_equal(ms_to_ktime(~(u64)0), KTIME_MAX);
	/* 2^64 / 10^6 and a little: as a number of nanoseconds it was next to nothing. */
	assert_true(wait_for_completion_timeout(&done, 18446744073710) > 0);
	pthread_join(thread, NULL);
	assert_int_equal(wait_event_timeout(queue, false, -1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(one_completion_is_for_one_waiter),
		LOG_TEST(a_wait_ends_with_its_time),
		LOG_TEST(no_completion_is_missed),
		LOG_TEST(no_wake_up_is_missed),
		LOG_TEST(conditions_and_times),
		LOG_TEST(the_lock_is_given_up_for_the_sleep),
		LOG_TEST(bad_arguments_have_results),
		LOG_TEST(without_a_queue_or_a_completion_nothing_waits),
		LOG_TEST(a_reader_that_waits_is_told),
		LOG_TEST(a_wait_is_no_cancellation_point),
		LOG_TEST(the_child_waits_for_its_own),
		LOG_TEST(a_child_that_is_born_in_a_condition_is_woken),
		LOG_TEST(time_passes),
		LOG_TEST(a_time_that_does_not_fit_is_the_longest),
	};

	return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
