/* SPDX-License-Identifier: MIT */
/* pthread_cancel() of a thread that waits in the library: it finishes there, and leaves nothing locked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/atomic.h>
#include <linux/ioasid-log.h>
#include <linux/ioasid.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* A hang is a failure: SIGALRM ends the program. */
#define WATCHDOG_SECONDS 60

static struct workqueue_struct *wq;
static struct work_struct held, behind;
static atomic_t running, may_go, runs;

static void wait_for(atomic_t *flag, int value)
{
	while (atomic_read_acquire(flag) < value)
		usleep(100);
}

static void run_held(struct work_struct *work)
{
	(void)work;
	atomic_inc_return(&running);
	wait_for(&may_go, 1);
	atomic_inc_return(&runs);
}

static void run_behind(struct work_struct *work)
{
	(void)work;
	atomic_inc_return(&runs);
}

static void flush_an_item(void)
{
	flush_work(&behind);
}

static void flush_the_queue(void)
{
	flush_workqueue(wq);
}

static void cancel_an_item(void)
{
	cancel_work_sync(&held);
}

static void destroy_the_queue(void)
{
	destroy_workqueue(wq);
	wq = NULL;
}

static void wait_for_readers(void)
{
	synchronize_rcu();
}

static void wait_for_deferred(void)
{
	rcu_barrier();
}

static ioasid_t id;

static void attach_data(void)
{
	static int data;

	ioasid_attach_data(id, &data);
}

/* So many are gone that the next one waits for readers. */
static void make_an_mm(void)
{
	mmput(mm_alloc());
}

static void retire_mms(void)
{
	struct mm_struct *gone[100];

	for (int i = 0; i < 100; i++)
		gone[i] = mm_alloc();
	for (int i = 0; i < 100; i++)
		mmput(gone[i]);
}

static const struct wait {
	const char *name;
	void (*call)(void);
} waits[] = {
	{ "flush_work", flush_an_item },	 { "flush_workqueue", flush_the_queue },
	{ "cancel_work_sync", cancel_an_item },	 { "destroy_workqueue", destroy_the_queue },
	{ "synchronize_rcu", wait_for_readers }, { "rcu_barrier", wait_for_deferred },
	{ "ioasid_attach_data", attach_data },	 { "mm_alloc", make_an_mm },
};

static atomic_t is_there, is_through;

static void *wait_and_die(void *call)
{
	atomic_inc_return(&is_there);
	(*(void (*const *)(void))call)();
	atomic_inc_return(&is_through);
	pthread_testcancel();
	return NULL;
}

static void *sleep_in_a_section(void *unused)
{
	rcu_read_lock();
	atomic_inc_return(&running);
	wait_for(&may_go, 1);
	rcu_read_unlock();
	return unused;
}

/* An item and a reader that both are in the way until they may go. */
static void begin(pthread_t *reader)
{
	void *block = kmalloc(sizeof(struct rcu_head), GFP_KERNEL);

	atomic_set(&running, 0);
	atomic_set(&may_go, 0);
	atomic_set(&runs, 0);
	atomic_set(&is_there, 0);
	atomic_set(&is_through, 0);
	wq = alloc_ordered_workqueue("cancel", 0);
	INIT_WORK(&held, run_held);
	INIT_WORK(&behind, run_behind);
	queue_work(wq, &held);
	queue_work(wq, &behind);
	retire_mms();
	assert_int_equal(pthread_create(reader, NULL, sleep_in_a_section, NULL), 0);
	wait_for(&running, 2);
	ioasid_free_rcu(block, block);
}

static void a_cancelled_thread_finishes_its_wait(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		pthread_t reader, waiter;
		void *result;

		begin(&reader);
		assert_int_equal(pthread_create(&waiter, NULL, wait_and_die,
						(void *)&waits[i].call),
				 0);
		wait_for(&is_there, 1);
		usleep(5000);
		assert_int_equal(pthread_cancel(waiter), 0);
		usleep(5000);
		if (atomic_read(&is_through))
			fail_msg("%s did not wait", waits[i].name);

		/* Nothing is locked: neither now nor afterwards. */
		assert_false(queue_work(wq, &behind));
		assert_int_equal(ioasid_detach_data(INVALID_IOASID), -ENOENT);
		atomic_set_release(&may_go, 1);
		pthread_join(waiter, &result);
		pthread_join(reader, NULL);
		assert_int_equal(atomic_read(&is_through), 1);
		assert_ptr_equal(result, PTHREAD_CANCELED);

		/* And no count is wrong. */
		if (wq) {
			flush_workqueue(wq);
			assert_int_equal(atomic_read(&runs), 2);
			assert_true(queue_work(wq, &held));
			flush_work(&held);
			assert_int_equal(atomic_read(&runs), 3);
			destroy_workqueue(wq);
		}
		synchronize_rcu();
		rcu_barrier();
	}
}

static void cancel_yourself(struct work_struct *work)
{
	(void)work;
	pthread_cancel(pthread_self());
	pthread_testcancel();
	usleep(1000);
	atomic_inc_return(&runs);
}

/* It would be against the rules, and yet the thread lives on. */
static void an_item_cannot_cancel_its_thread(void **state)
{
	(void)state;
	atomic_set(&runs, 0);
	wq = alloc_ordered_workqueue("cancel", 0);
	INIT_WORK(&held, cancel_yourself);
	for (int i = 1; i <= 2; i++) {
		assert_true(queue_work(wq, &held));
		flush_work(&held);
		assert_int_equal(atomic_read(&runs), i);
	}
	destroy_workqueue(wq);
}

static int begin_group(void **state)
{
	(void)state;
	alarm(WATCHDOG_SECONDS);
	ioasid_set_log_level(-1);
	id = ioasid_alloc(NULL, 0, INVALID_IOASID, &id);
	return pasid_valid(id) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cancelled_thread_finishes_its_wait),
		cmocka_unit_test(an_item_cannot_cancel_its_thread),
	};

	return cmocka_run_group_tests(tests, begin_group, NULL);
}
