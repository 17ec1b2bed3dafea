/* SPDX-License-Identifier: MIT */
/* <linux/workqueue.h>: order, flush and cancel to the letter, items that free themselves. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#include <linux/atomic.h>
#include <linux/ioasid.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

/* A hang is a failure: SIGALRM ends the program. */
#define WATCHDOG_SECONDS 60

/* An item that says when it runs and may be held up. */
struct step {
	struct work_struct work;
	atomic_t runs;
	atomic_t running;
	atomic_t may_go;
	int number;
};

static atomic_t order[4];
static atomic_t steps_done;

static void wait_for(atomic_t *flag, int value)
{
	while (atomic_read_acquire(flag) < value)
		usleep(100);
}

static void run_step(struct work_struct *work)
{
	struct step *step = container_of(work, struct step, work);

	atomic_inc_return(&step->running);
	wait_for(&step->may_go, 1);
	atomic_set(&order[atomic_fetch_inc(&steps_done) % 4], step->number);
	atomic_inc_return(&step->runs);
}

static void make_step(struct step *step, int number, bool may_go)
{
	INIT_WORK(&step->work, run_step);
	atomic_set(&step->runs, 0);
	atomic_set(&step->running, 0);
	atomic_set(&step->may_go, may_go);
	step->number = number;
	atomic_set(&steps_done, 0);
}

static void fault(struct work_struct *work)
{
	(void)work;
	__builtin_trap();
}

static void end_of_fault(int signal)
{
	_exit(signal == SIGILL || signal == SIGTRAP ? 7 : 1);
}

/* What a thread does wrong itself is told to the program's handler, as elsewhere; it is also how sanitizers report. */
static void a_fault_in_an_item_is_the_programs(void **state)
{
	static struct work_struct work;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		signal(SIGILL, end_of_fault);
		signal(SIGTRAP, end_of_fault);
		INIT_WORK(&work, fault);
		schedule_work(&work);
		flush_work(&work);
		_exit(2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void runs_what_is_scheduled(void **state)
{
	struct step step;

	(void)state;
	make_step(&step, 1, true);
	assert_false(flush_work(&step.work));
	assert_true(schedule_work(&step.work));
	flush_work(&step.work);
	assert_int_equal(atomic_read(&step.runs), 1);
	assert_true(schedule_work(&step.work));
	flush_scheduled_work();
	assert_int_equal(atomic_read(&step.runs), 2);
}

static void a_pending_item_is_not_queued_twice(void **state)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("ordered", 0);
	struct step first, second;

	(void)state;
	assert_non_null(wq);
	make_step(&first, 1, false);
	make_step(&second, 2, true);
	assert_true(queue_work(wq, &first.work));
	assert_true(queue_work(wq, &second.work));
	assert_false(queue_work(wq, &second.work));
	assert_false(schedule_work(&second.work));
	atomic_set_release(&first.may_go, 1);
	flush_workqueue(wq);
	assert_int_equal(atomic_read(&second.runs), 1);
	destroy_workqueue(wq);
}

static void an_ordered_queue_keeps_the_order(void **state)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("ordered-%d", 0, 1);
	struct step steps[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		make_step(&steps[i], i, i > 0);
	for (int i = 0; i < 4; i++)
		assert_true(queue_work(wq, &steps[i].work));
	wait_for(&steps[0].running, 1);
	assert_int_equal(atomic_read(&steps[1].running), 0);
	atomic_set_release(&steps[0].may_go, 1);
	assert_true(flush_work(&steps[3].work));
	for (int i = 0; i < 4; i++)
		assert_int_equal(atomic_read(&order[i]), i);
	destroy_workqueue(wq);
}

static void items_of_other_queues_run_side_by_side(void **state)
{
	struct workqueue_struct *wq = alloc_workqueue("two", WQ_UNBOUND, 2);
	struct step steps[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		make_step(&steps[i], i, false);
		assert_true(queue_work(wq, &steps[i].work));
	}
	wait_for(&steps[0].running, 1);
	wait_for(&steps[1].running, 1);
	assert_int_equal(atomic_read(&steps[2].running), 0);
	for (int i = 2; i >= 0; i--)
		atomic_set_release(&steps[i].may_go, 1);
	destroy_workqueue(wq);
	assert_int_equal(atomic_read(&steps[2].runs), 1);
}

static void a_running_item_is_queued_again_but_not_run_twice_at_once(void **state)
{
	struct step step;

	(void)state;
	make_step(&step, 1, false);
	assert_true(schedule_work(&step.work));
	wait_for(&step.running, 1);
	assert_true(schedule_work(&step.work));
	assert_false(schedule_work(&step.work));
	usleep(20000);
	assert_int_equal(atomic_read(&step.running), 1);
	atomic_set_release(&step.may_go, 1);
	assert_true(flush_work(&step.work));
	assert_int_equal(atomic_read(&step.runs), 2);
}

static void *release_later(void *step)
{
	usleep(20000);
	atomic_set_release(&((struct step *)step)->may_go, 1);
	return NULL;
}

static void cancel_waits_for_a_running_item(void **state)
{
	pthread_t helper;
	struct step step;

	(void)state;
	make_step(&step, 1, false);
	assert_true(schedule_work(&step.work));
	wait_for(&step.running, 1);
	assert_int_equal(pthread_create(&helper, NULL, release_later, &step), 0);
	assert_false(cancel_work_sync(&step.work));
	assert_int_equal(atomic_read(&step.runs), 1);
	pthread_join(helper, NULL);
}

static void cancel_takes_a_pending_item_off(void **state)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("ordered", 0);
	struct step first, second;

	(void)state;
	make_step(&first, 1, false);
	make_step(&second, 2, true);
	queue_work(wq, &first.work);
	queue_work(wq, &second.work);
	assert_true(cancel_work(&second.work));
	assert_false(cancel_work_sync(&second.work));
	assert_false(flush_work(&second.work));
	atomic_set_release(&first.may_go, 1);
	destroy_workqueue(wq);
	assert_int_equal(atomic_read(&second.runs), 0);
}

/* Queues itself for ever, unless it is cancelled. */
static void run_again(struct work_struct *work)
{
	struct step *step = container_of(work, struct step, work);

	atomic_inc_return(&step->runs);
	schedule_work(work);
}

static void cancel_stops_an_item_that_queues_itself(void **state)
{
	struct step step;
	int runs;

	(void)state;
	make_step(&step, 1, true);
	INIT_WORK(&step.work, run_again);
	schedule_work(&step.work);
	wait_for(&step.runs, 3);
	flush_work(&step.work);
	cancel_work_sync(&step.work);
	runs = atomic_read(&step.runs);
	usleep(10000);
	assert_int_equal(atomic_read(&step.runs), runs);
	assert_true(schedule_work(&step.work));
	cancel_work_sync(&step.work);
}

static atomic_t freed;

static void free_yourself(struct work_struct *work)
{
	free(work);
	usleep(1000);
	atomic_inc_return(&freed);
}

static void an_item_may_free_itself(void **state)
{
	struct workqueue_struct *wq = alloc_workqueue("free", 0, 0);

	(void)state;
	atomic_set(&freed, 0);
	for (int i = 0; i < 200; i++) {
		struct work_struct *work = malloc(sizeof(*work));

		assert_non_null(work);
		INIT_WORK(work, free_yourself);
		assert_true(queue_work(wq, work));
	}
	flush_workqueue(wq);
	assert_int_equal(atomic_read(&freed), 200);
	destroy_workqueue(wq);
}

static void *cancel_step(void *data)
{
	return cancel_work_sync(data) ? data : NULL;
}

/* Who waits leaves in any order, and only its own item is refused meanwhile. */
static void several_wait_for_items_to_be_cancelled(void **state)
{
	struct workqueue_struct *wq = alloc_workqueue("cancelled", WQ_UNBOUND, 4);
	struct step steps[3];
	pthread_t threads[3];
	void *was_pending;

	(void)state;
	for (int i = 0; i < 3; i++) {
		make_step(&steps[i], i, false);
		assert_true(queue_work(wq, &steps[i].work));
		wait_for(&steps[i].running, 1);
		assert_int_equal(pthread_create(&threads[i], NULL, cancel_step, &steps[i].work), 0);
		/* Until it is marked, it may be queued again. */
		while (queue_work(wq, &steps[i].work))
			cancel_work(&steps[i].work);
	}
	/* The first who came, one in the middle, the last. */
	for (int i = 0; i < 3; i++) {
		atomic_set_release(&steps[i].may_go, 1);
		pthread_join(threads[i], &was_pending);
		assert_int_equal(atomic_read(&steps[i].runs), 1);
		for (int left = i + 1; left < 3; left++)
			assert_false(queue_work(wq, &steps[left].work));
		assert_true(queue_work(wq, &steps[i].work));
		flush_work(&steps[i].work);
		assert_int_equal(atomic_read(&steps[i].runs), 2);
	}
	destroy_workqueue(wq);
}

/* An item that does to its own queue what would wait for itself. */
struct selfish {
	struct work_struct work;
	struct workqueue_struct *wq;
	bool flushed;
	bool cancelled;
};

static void wait_for_yourself(struct work_struct *work)
{
	struct selfish *me = container_of(work, struct selfish, work);

	me->flushed = flush_work(work);
	me->cancelled = cancel_work_sync(work);
	flush_workqueue(me->wq);
	destroy_workqueue(me->wq);
}

static void an_item_that_waits_for_itself_does_not_hang(void **state)
{
	struct selfish me = { .flushed = true, .cancelled = true };

	(void)state;
	ioasid_set_log_level(-1);
	me.wq = alloc_ordered_workqueue("selfish", 0);
	INIT_WORK(&me.work, wait_for_yourself);
	queue_work(me.wq, &me.work);
	destroy_workqueue(me.wq);
	assert_false(me.flushed);
	assert_false(me.cancelled);
	ioasid_set_log_level(4);
}

static void queue_the_next(struct work_struct *work)
{
	struct selfish *me = container_of(work, struct selfish, work);

	if (me[1].wq)
		me->flushed = queue_work(me->wq, &me[1].work);
}

static void destroying_finishes_what_items_queue(void **state)
{
	struct selfish chain[3] = { 0 };

	(void)state;
	chain[0].wq = chain[1].wq = alloc_workqueue("chain", 0, 1);
	INIT_WORK(&chain[0].work, queue_the_next);
	INIT_WORK(&chain[1].work, queue_the_next);
	queue_work(chain[0].wq, &chain[0].work);
	destroy_workqueue(chain[0].wq);
	assert_true(chain[0].flushed);
}

static void the_library_queue_is_ordered(void **state)
{
	struct step steps[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		make_step(&steps[i], i, true);
	for (int i = 0; i < 4; i++)
		assert_true(ioasid_queue_work(&steps[i].work));
	assert_false(ioasid_queue_work(NULL));
	flush_work(&steps[3].work);
	for (int i = 0; i < 4; i++)
		assert_int_equal(atomic_read(&order[i]), i);
}

static void look_around(struct work_struct *work)
{
	struct step *step = container_of(work, struct step, work);

	step->number = !current->mm && current->pid != current->tgid;
}

static void items_run_without_an_address_space(void **state)
{
	struct step step;

	(void)state;
	make_step(&step, 0, true);
	INIT_WORK(&step.work, look_around);
	schedule_work(&step.work);
	flush_work(&step.work);
	assert_int_equal(step.number, 1);
}

static void bad_arguments_are_refused(void **state)
{
	struct step step;

	(void)state;
	ioasid_set_log_level(-1);
	assert_null(alloc_workqueue("flags", 1U << 31, 0));
	assert_null(alloc_workqueue("active", 0, -1));
	make_step(&step, 0, true);
	INIT_WORK(&step.work, NULL);
	assert_false(schedule_work(&step.work));
	assert_false(queue_work(NULL, &step.work));
	destroy_workqueue(NULL);
	destroy_workqueue(system_wq);
	make_step(&step, 0, true);
	assert_true(schedule_work(&step.work));
	flush_work(&step.work);
	ioasid_set_log_level(4);
}

static struct step of_the_sink;
static atomic_t lines;

/* As a sink would that hands its lines to a thread: queues, asks, and waits. */
static void queue_the_line(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	atomic_inc(&lines);
	schedule_work(&of_the_sink.work);
	flush_work(&of_the_sink.work);
}

static void count_lines(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	atomic_inc(&lines);
}

static void cause_a_line(void (*cause)(struct workqueue_struct *), struct workqueue_struct *wq)
{
	int before = atomic_read(&of_the_sink.runs), said = atomic_read(&lines);

	cause(wq);
	flush_scheduled_work();
	assert_true(atomic_read(&lines) > said);
	assert_true(atomic_read(&of_the_sink.runs) > before);
}

static void queue_without_a_function(struct workqueue_struct *wq)
{
	struct work_struct none = { .func = NULL };

	assert_false(queue_work(wq, &none));
}

static void flush_in_an_item(struct workqueue_struct *wq)
{
	struct selfish me = { .wq = wq };

	INIT_WORK(&me.work, wait_for_yourself);
	queue_work(wq, &me.work);
	flush_work(&me.work);
}

/* Every line of a work queue is written without its lock. */
static void a_sink_may_queue_work(void **state)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("lines", 0);

	(void)state;
	make_step(&of_the_sink, 0, true);
	ioasid_set_log(queue_the_line, NULL);
	cause_a_line(queue_without_a_function, wq);
	cause_a_line(flush_in_an_item, wq);
	cause_a_line(destroy_workqueue, system_wq);
	ioasid_set_log(NULL, NULL);
	destroy_workqueue(wq);
}

/* Sanitizers reserve more than any limit. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_LIMIT_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_LIMIT_MEMORY 0
#endif
#endif
#ifndef CAN_LIMIT_MEMORY
#define CAN_LIMIT_MEMORY 1
#endif

/* An item that waits for another one of its queue, with memory for a thread again. */
static struct rlimit before;
static struct workqueue_struct *nesting;
static struct step inner;
static bool inner_is_done;

static void wait_for_inner(struct work_struct *work)
{
	(void)work;
	queue_work(nesting, &inner.work);
	setrlimit(RLIMIT_AS, &before);
	flush_work(&inner.work);
	inner_is_done = atomic_read(&inner.runs) == 1;
}

/* In a process of its own: 0, or what went wrong. */
static int run_without_threads(void)
{
	struct work_struct outer;
	struct rlimit none;
	struct step step, other;

	make_step(&inner, 3, true);
	INIT_WORK(&outer, wait_for_inner);
	nesting = alloc_workqueue("nesting", 0, 8);
	if (!nesting)
		return 6;

	make_step(&step, 1, true);
	make_step(&other, 2, true);
	ioasid_set_log(count_lines, NULL);
	ioasid_set_log_level(4);
	getrlimit(RLIMIT_AS, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_AS, &none);
	/* Stacks of threads that have ended are used up first. */
	for (int i = 0; alloc_workqueue("reclaim", WQ_MEM_RECLAIM, 1); i++)
		if (i == 100)
			return 1;
	atomic_set(&lines, 0);
	if (!schedule_work(&step.work) || !atomic_read(&lines))
		return 2;
	usleep(20000);
	if (atomic_read(&step.runs))
		return 3;
	/* Who waits runs the item, and that one's waiting starts a thread. */
	queue_work(nesting, &outer);
	flush_work(&outer);
	if (!inner_is_done)
		return 7;
	if (!schedule_work(&other.work))
		return 4;
	flush_work(&step.work);
	flush_work(&other.work);
	return atomic_read(&step.runs) == 1 && atomic_read(&other.runs) == 1 ? 0 : 5;
}

static void items_wait_for_a_thread_that_cannot_start(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (!CAN_LIMIT_MEMORY || under_valgrind())
		skip();
	if (emulator())
		skip_because("an emulator does not limit its own memory");
	child = fork();
	if (!child) {
		alarm(WATCHDOG_SECONDS);
		_exit(run_without_threads());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static int start_watchdog(void **state)
{
	(void)state;
	alarm(WATCHDOG_SECONDS);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_in_an_item_is_the_programs),
		cmocka_unit_test(runs_what_is_scheduled),
		cmocka_unit_test(a_pending_item_is_not_queued_twice),
		cmocka_unit_test(an_ordered_queue_keeps_the_order),
		cmocka_unit_test(items_of_other_queues_run_side_by_side),
		cmocka_unit_test(a_running_item_is_queued_again_but_not_run_twice_at_once),
		cmocka_unit_test(cancel_waits_for_a_running_item),
		cmocka_unit_test(cancel_takes_a_pending_item_off),
		cmocka_unit_test(cancel_stops_an_item_that_queues_itself),
		cmocka_unit_test(an_item_may_free_itself),
		cmocka_unit_test(an_item_that_waits_for_itself_does_not_hang),
		cmocka_unit_test(several_wait_for_items_to_be_cancelled),
		cmocka_unit_test(destroying_finishes_what_items_queue),
		cmocka_unit_test(the_library_queue_is_ordered),
		cmocka_unit_test(items_run_without_an_address_space),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(a_sink_may_queue_work),
		cmocka_unit_test(items_wait_for_a_thread_that_cannot_start),
	};

	return cmocka_run_group_tests(tests, start_watchdog, NULL);
}
