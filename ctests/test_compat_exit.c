/* SPDX-License-Identifier: MIT */
/* exit() from and beside everything that waits: it waits for nobody and touches nothing that is gone. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
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

/* TSan would sleep for a second in each exit(), and miss who was about to join a thread. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "atexit_sleep_ms=10:report_thread_leaks=0";
}

#define CHILD_SECONDS 20
#define EXIT_STATUS 7

/* Each scene is played in a process of its own, by other threads; nothing in it ever may go. */
static struct workqueue_struct *wq;
static struct work_struct held, behind, leaves;
static struct rcu_head call;
static atomic_t ready;

static void is_ready(void)
{
	atomic_inc_return(&ready);
}

static void wait_until_ready(int count)
{
	while (atomic_read_acquire(&ready) < count)
		usleep(100);
}

static void sleep_for_ever(struct work_struct *work)
{
	(void)work;
	is_ready();
	for (;;)
		pause();
}

static void do_nothing(struct work_struct *work)
{
	(void)work;
}

static void *in_a_section(void *unused)
{
	rcu_read_lock();
	is_ready();
	for (;;)
		pause();
	return unused;
}

static void *play(void *part)
{
	is_ready();
	(*(void (*const *)(void))part)();
	return NULL;
}

static void flush_an_item(void)
{
	flush_work(&behind);
}

static void cancel_an_item(void)
{
	cancel_work_sync(&held);
}

static void destroy_the_queue(void)
{
	destroy_workqueue(wq);
}

static void wait_for_readers(void)
{
	synchronize_rcu();
}

static void wait_for_deferred(void)
{
	rcu_barrier();
}

/* A queue that is destroyed while exit() runs, and its memory used for something else. */
static void destroy_queues(void)
{
	for (;;) {
		struct workqueue_struct *other = alloc_workqueue("exit", 0, 2);
		struct work_struct work;
		char *reused;

		INIT_WORK(&work, do_nothing);
		queue_work(other, &work);
		destroy_workqueue(other);
		reused = malloc(200);
		memset(reused, 0x5a, 200);
		free(reused);
	}
}

static void defer(void)
{
	for (;;) {
		struct {
			long bulk[8];
			struct rcu_head rcu;
		} *block = kmalloc(sizeof(*block), 0);

		kfree_rcu(block, rcu);
		usleep(1);
	}
}

static void make_mms(void)
{
	for (;;)
		mmput(mm_alloc());
}

#define PARTS(...) (void (*const[]) (void)){ __VA_ARGS__ NULL }

static const struct scene {
	const char *name;
	bool has_items, has_reader;
	void (*const *parts)(void);
} scenes[] = {
	{ "nothing", false, false, PARTS() },
	{ "an item", true, false, PARTS() },
	{ "a reader", false, true, PARTS() },
	{ "flush_work", true, false, PARTS(flush_an_item, ) },
	{ "cancel_work_sync", true, false, PARTS(cancel_an_item, ) },
	{ "destroy_workqueue", true, false, PARTS(destroy_the_queue, ) },
	{ "synchronize_rcu", false, true, PARTS(wait_for_readers, ) },
	{ "rcu_barrier", false, true, PARTS(wait_for_deferred, ) },
	{ "destroying", false, false, PARTS(destroy_queues, ) },
	{ "deferring", false, false, PARTS(defer, ) },
	{ "everything", true, true, PARTS(destroy_queues, defer, make_mms, wait_for_readers, ) },
};

/* Which never end, so their memory may be anywhere. */
static pthread_t threads[8];

static void leave(void)
{
	exit(EXIT_STATUS);
}

static void leave_in_the_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	leave();
}

static void enter(const struct scene *scene)
{
	void *block = kmalloc(sizeof(struct rcu_head), GFP_KERNEL);
	int expected = 0, count = 0;

	/* Before there are readers that it would wait for. */
	ioasid_set_log(leave_in_the_sink, NULL);
	wq = alloc_ordered_workqueue("exit", 0);
	INIT_WORK(&held, sleep_for_ever);
	INIT_WORK(&behind, do_nothing);
	if (scene->has_items) {
		queue_work(wq, &held);
		queue_work(wq, &behind);
		wait_until_ready(++expected);
	}
	if (scene->has_reader) {
		pthread_create(&threads[count++], NULL, in_a_section, NULL);
		wait_until_ready(++expected);
	}
	/* Waits at exit, reachable: no leak. */
	ioasid_free_rcu(block, block);
	for (void (*const *part)(void) = scene->parts; *part; part++) {
		pthread_create(&threads[count++], NULL, play, (void *)part);
		wait_until_ready(++expected);
	}
	usleep(2000);
}

/* Where exit() is called. */

static void leave_in_an_item(struct work_struct *work)
{
	(void)work;
	leave();
}

static void in_an_item(void)
{
	INIT_WORK(&leaves, leave_in_an_item);
	schedule_work(&leaves);
	for (;;)
		pause();
}

static void leave_in_a_call(struct rcu_head *head)
{
	(void)head;
	leave();
}

/* The reader of a scene would keep it from being called: then somebody else leaves. */
static void in_a_call(void)
{
	call_rcu(&call, leave_in_a_call);
	usleep(50000);
	leave();
}

static void in_a_reader(void)
{
	rcu_read_lock();
	leave();
}

static int leave_on_event(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb, (void)event, (void)args;
	leave();
	return 0;
}

static void in_a_handler(void)
{
	static struct notifier_block nb = { .notifier_call = leave_on_event };

	ioasid_register_notifier(NULL, &nb);
	ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
}

static bool leave_in_a_getter(void *data)
{
	(void)data;
	leave();
	return true;
}

static void in_a_getter(void)
{
	ioasid_find(NULL, ioasid_alloc(NULL, 0, INVALID_IOASID, &ready), leave_in_a_getter);
}

static void in_a_sink(void)
{
	ioasid_set_log_level(4);
	destroy_workqueue(system_wq);
}

/* What exit() calls may still use everything. */
static void clean_up(void)
{
	struct workqueue_struct *other = alloc_workqueue("late", 0, 0);
	struct work_struct work;

	INIT_WORK(&work, do_nothing);
	queue_work(other, &work);
	destroy_workqueue(other);
	mmput(mm_alloc());
	ioasid_free(NULL, ioasid_alloc(NULL, 0, INVALID_IOASID, NULL));
}

static void with_a_handler_of_exit(void)
{
	atexit(clean_up);
	leave();
}

#define PLACE(what) { #what, what }
static const struct place {
	const char *name;
	void (*leave)(void);
} places[] = {
	PLACE(leave),	     PLACE(in_an_item),	 PLACE(in_a_call), PLACE(in_a_reader),
	PLACE(in_a_handler), PLACE(in_a_getter), PLACE(in_a_sink), PLACE(with_a_handler_of_exit),
};

static int in_a_process(const struct scene *scene, const struct place *place)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		alarm(CHILD_SECONDS);
		enter(scene);
		place->leave();
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

static void exit_waits_for_nobody(void **state)
{
	int wrong = 0;

	(void)state;
	ioasid_set_log_level(-1);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
			int status = in_a_process(&scenes[i], &places[j]);

			if (status == EXIT_STATUS << 8)
				continue;
			print_error("%s, beside %s: status %x\n", places[j].name, scenes[i].name,
				    status);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
