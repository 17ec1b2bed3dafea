/* SPDX-License-Identifier: MIT */
/* fork() while other threads are in the kernel helpers, and from where the library calls out: each
 * of these with each thing that the child may do. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <signal.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#include <linux/atomic.h>
#include <linux/ioasid-log.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* What the parent's other threads had in hand is nobody's in a child, and no leak of the library. */
int __lsan_is_turned_off(void);
static bool is_child;
int __lsan_is_turned_off(void)
{
	return is_child;
}
#define begin_child() (is_child = true)
#endif
#endif
#ifndef begin_child
#define begin_child() ((void)0)
#endif

#define CHILD_SECONDS 30

static void skip_threads_after_fork(void)
{
	const char *why = no_threads_after_fork();

	if (why)
		skip_because(why);
}

static pid_t parent;

/* Where the library refuses to wait: for readers, with its lock; for sinks, in one. */
static bool has_the_lock, in_sink;

static bool is_parent(void)
{
	return getpid() == parent;
}

static void wait_for(atomic_t *flag, int value)
{
	while (atomic_read_acquire(flag) < value)
		usleep(100);
}

/* An item that is held up in the parent, and runs through in a child. */
struct step {
	struct work_struct work;
	atomic_t runs;
	atomic_t running;
};

/* What the scenes play with. */
static struct {
	struct workqueue_struct *wq;
	struct step held, behind, other;
	atomic_t ready, may_go, stop;
} stage;

static void run_step(struct work_struct *work)
{
	struct step *step = container_of(work, struct step, work);

	atomic_inc_return(&step->running);
	if (is_parent())
		wait_for(&stage.may_go, 1);
	atomic_inc_return(&step->runs);
}

static void make_step(struct step *step)
{
	INIT_WORK(&step->work, run_step);
	atomic_set(&step->runs, 0);
	atomic_set(&step->running, 0);
}

static void is_ready(void)
{
	atomic_inc_return(&stage.ready);
}

/* What other threads are in. The first kind waits until it may go, the second goes on and on. */

static void sleep_in_a_section(void)
{
	rcu_read_lock();
	is_ready();
	wait_for(&stage.may_go, 1);
	rcu_read_unlock();
}

static void wait_for_readers(void)
{
	is_ready();
	synchronize_rcu();
}

static void wait_for_deferred(void)
{
	void *block = kmalloc(sizeof(struct rcu_head), GFP_KERNEL);

	ioasid_free_rcu(block, block);
	is_ready();
	rcu_barrier();
}

static void flush_an_item(void)
{
	is_ready();
	flush_work(&stage.behind.work);
}

static void flush_the_queue(void)
{
	is_ready();
	flush_workqueue(stage.wq);
}

static void cancel_an_item(void)
{
	is_ready();
	cancel_work_sync(&stage.held.work);
}

static void destroy_the_queue(void)
{
	is_ready();
	destroy_workqueue(stage.wq);
}

static void wait_in_a_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	is_ready();
	wait_for(&stage.may_go, 1);
}

static void write_a_line(void)
{
	ioasid_set_log(wait_in_a_sink, NULL);
	ioasid_set_log_level(4);
	destroy_workqueue(system_wq);
}

static struct rcu_head held_call;

static void be_called(struct rcu_head *head)
{
	(void)head;
	is_ready();
	if (is_parent())
		wait_for(&stage.may_go, 1);
}

static void have_a_call(void)
{
	call_rcu(&held_call, be_called);
}

static bool sleep_in_a_getter(void *data)
{
	(void)data;
	is_ready();
	wait_for(&stage.may_go, 1);
	return true;
}

static ioasid_t found_id;

static void find_an_id(void)
{
	ioasid_find(NULL, found_id, sleep_in_a_getter);
}

static void queue_on_and_on(void)
{
	struct step step;

	make_step(&step);
	atomic_set(&stage.may_go, 1);
	is_ready();
	while (!atomic_read(&stage.stop)) {
		schedule_work(&step.work);
		cancel_work(&step.work);
		queue_work(stage.wq, &step.work);
		flush_work(&step.work);
	}
	cancel_work_sync(&step.work);
}

static void make_queues_on_and_on(void)
{
	atomic_set(&stage.may_go, 1);
	is_ready();
	while (!atomic_read(&stage.stop)) {
		struct workqueue_struct *wq = alloc_workqueue("on and on", WQ_MEM_RECLAIM, 2);
		struct step step;

		make_step(&step);
		queue_work(wq, &step.work);
		destroy_workqueue(wq);
	}
}

static void defer_on_and_on(void)
{
	is_ready();
	while (!atomic_read(&stage.stop)) {
		struct {
			long bulk[16];
			struct rcu_head rcu;
		} *block = kmalloc(sizeof(*block), 0);

		kfree_rcu(block, rcu);
		usleep(10);
	}
}

static void drop_block(struct rcu_head *head)
{
	kfree(head);
}

static void call_on_and_on(void)
{
	is_ready();
	while (!atomic_read(&stage.stop)) {
		call_rcu(kmalloc(sizeof(struct rcu_head), GFP_KERNEL), drop_block);
		usleep(10);
	}
}

static void read_on_and_on(void)
{
	is_ready();
	while (!atomic_read(&stage.stop)) {
		rcu_read_lock();
		rcu_read_unlock();
		synchronize_rcu();
	}
}

static void make_mms_on_and_on(void)
{
	is_ready();
	while (!atomic_read(&stage.stop)) {
		struct mm_struct *mm = mm_alloc();

		mmput(mm);
	}
}

static void *look_at_current(void *unused)
{
	rcu_read_lock();
	rcu_read_unlock();
	return current->mm ? unused : NULL;
}

static void make_threads_on_and_on(void)
{
	is_ready();
	while (!atomic_read(&stage.stop)) {
		pthread_t thread;

		pthread_create(&thread, NULL, look_at_current, NULL);
		pthread_join(thread, NULL);
	}
}

static const struct scene {
	const char *name;
	bool holds_items; /* one runs and one is behind it, on an ordered queue */
	void (*others[2])(void);
	bool goes_on;
} scenes[] = {
	{ .name = "nothing" },
	{ .name = "an item", .holds_items = true },
	{ .name = "flush_work", .holds_items = true, .others = { flush_an_item } },
	{ .name = "flush_workqueue", .holds_items = true, .others = { flush_the_queue } },
	{ .name = "cancel_work_sync", .holds_items = true, .others = { cancel_an_item } },
	{ .name = "destroy_workqueue", .holds_items = true, .others = { destroy_the_queue } },
	{ .name = "a section", .others = { sleep_in_a_section } },
	{ .name = "synchronize_rcu", .others = { sleep_in_a_section, wait_for_readers } },
	{ .name = "rcu_barrier", .others = { sleep_in_a_section, wait_for_deferred } },
	{ .name = "a getter", .others = { find_an_id } },
	{ .name = "a function of call_rcu", .others = { have_a_call } },
	{ .name = "a sink", .others = { write_a_line } },
	{ .name = "queueing", .others = { queue_on_and_on }, .goes_on = true },
	{ .name = "making queues",
	  .others = { make_queues_on_and_on, queue_on_and_on },
	  .goes_on = true },
	{ .name = "kfree_rcu", .others = { defer_on_and_on }, .goes_on = true },
	{ .name = "call_rcu", .others = { call_on_and_on }, .goes_on = true },
	{ .name = "sections and grace periods", .others = { read_on_and_on }, .goes_on = true },
	{ .name = "mm_alloc", .others = { make_mms_on_and_on }, .goes_on = true },
	{ .name = "beginning and ending", .others = { make_threads_on_and_on }, .goes_on = true },
};

static void *play(void *part)
{
	(*(void (*const *)(void))part)();
	return NULL;
}

static void enter(const struct scene *scene, pthread_t *threads)
{
	int parts = 0;

	memset(&stage, 0, sizeof(stage));
	stage.wq = alloc_ordered_workqueue("stage", 0);
	make_step(&stage.held);
	make_step(&stage.behind);
	make_step(&stage.other);
	if (scene->holds_items) {
		queue_work(stage.wq, &stage.held.work);
		queue_work(stage.wq, &stage.behind.work);
		wait_for(&stage.held.running, 1);
	}
	for (; parts < 2 && scene->others[parts]; parts++) {
		assert_int_equal(pthread_create(&threads[parts], NULL, play,
						(void *)&scene->others[parts]),
				 0);
		wait_for(&stage.ready, parts + 1);
	}
	/* Those that said they are ready before they wait get there. */
	usleep(2000);
}

static void leave(const struct scene *scene, const pthread_t *threads)
{
	bool is_destroyed = scene->others[0] == destroy_the_queue;

	atomic_set_release(&stage.may_go, 1);
	atomic_set_release(&stage.stop, 1);
	for (int i = 0; i < 2 && scene->others[i]; i++)
		pthread_join(threads[i], NULL);
	if (scene->holds_items && scene->others[0] != cancel_an_item && !is_destroyed)
		flush_work(&stage.behind.work);
	if (!is_destroyed)
		destroy_workqueue(stage.wq);
	ioasid_set_log(NULL, NULL);
	ioasid_set_log_level(-1);
	rcu_barrier();
	if (scene->holds_items) {
		assert_int_equal(atomic_read(&stage.held.runs), 1);
		assert_int_equal(atomic_read(&stage.behind.runs), 1);
	}
}

/* What the child does. Each returns 0. */

static int runs_in_child(struct workqueue_struct *wq, struct step *step)
{
	int runs = atomic_read(&step->runs);

	child_assert(queue_work(wq, &step->work));
	flush_work(&step->work);
	child_assert(atomic_read(&step->runs) == runs + 1);
	child_assert(!flush_work(&step->work));
	return 0;
}

static int queue_its_items(void)
{
	return runs_in_child(stage.wq, &stage.held) || runs_in_child(stage.wq, &stage.behind) ||
	       runs_in_child(system_wq, &stage.held) || runs_in_child(stage.wq, &stage.held);
}

static int cancel_its_items(void)
{
	child_assert(!cancel_work(&stage.behind.work));
	child_assert(!cancel_work_sync(&stage.behind.work));
	child_assert(!cancel_work_sync(&stage.held.work));
	return queue_its_items();
}

static int flush_its_items(void)
{
	child_assert(!flush_work(&stage.held.work));
	child_assert(!flush_work(&stage.behind.work));
	return queue_its_items();
}

static int flush_its_queue(void)
{
	int runs = atomic_read(&stage.other.runs);

	flush_workqueue(stage.wq);
	child_assert(queue_work(stage.wq, &stage.other.work));
	flush_workqueue(stage.wq);
	child_assert(atomic_read(&stage.other.runs) == runs + 1);
	return 0;
}

static int destroy_its_queue(void)
{
	child_assert(queue_work(stage.wq, &stage.other.work));
	destroy_workqueue(stage.wq);
	child_assert(atomic_read(&stage.other.runs) == 1);
	return 0;
}

static int make_a_queue(void)
{
	struct workqueue_struct *wq = alloc_workqueue("child", WQ_MEM_RECLAIM, 3);

	child_assert(wq);
	child_assert(!runs_in_child(wq, &stage.other));
	destroy_workqueue(wq);
	return 0;
}

static int use_the_common_queues(void)
{
	struct step step;

	make_step(&step);
	child_assert(schedule_work(&step.work));
	flush_scheduled_work();
	child_assert(ioasid_queue_work(&step.work));
	flush_work(&step.work);
	child_assert(atomic_read(&step.runs) == 2);
	return 0;
}

static int defer_a_free(void)
{
	for (int i = 0; i < 3; i++) {
		struct {
			long bulk;
			struct rcu_head rcu;
		} *block = kmalloc(sizeof(*block), 0);

		child_assert(block);
		kfree_rcu(block, rcu);
	}
	rcu_barrier();
	return 0;
}

static atomic_t calls;

static void count_call(struct rcu_head *head)
{
	(void)head;
	atomic_inc_return(&calls);
}

static int defer_a_call(void)
{
	static struct rcu_head head;

	atomic_set(&calls, 0);
	call_rcu(&head, count_call);
	rcu_barrier();
	child_assert(atomic_read(&calls) == 1);
	return 0;
}

static int wait_for_a_grace_period(void)
{
	static int old, new;

	child_assert(!rcu_read_lock_held());
	synchronize_rcu();
	child_assert(ioasid_attach_data(found_id, &new) == (has_the_lock ? -EDEADLK : 0));
	child_assert(ioasid_attach_data(found_id, &old) == (has_the_lock ? -EDEADLK : 0));
	return 0;
}

static int make_mms(void)
{
	for (int i = 0; i < 200; i++) {
		struct mm_struct *mm = mm_alloc();

		child_assert(mm);
		mmput(mm);
	}
	return 0;
}

static int look_at_itself(void)
{
	pthread_t thread;

	child_assert(current->pid == getpid() && current->tgid == getpid());
	child_assert(current->mm && current->mm->pasid == INVALID_IOASID);
	if (has_the_lock)
		return 0;
	child_assert(!pthread_create(&thread, NULL, look_at_current, NULL));
	child_assert(!pthread_join(thread, NULL));
	return 0;
}

static void count_line(void *lines, int level, const char *line)
{
	(void)level, (void)line;
	atomic_inc_return((atomic_t *)lines);
}

static int write_lines(void)
{
	static atomic_t lines;

	if (in_sink) {
		child_assert(ioasid_set_log(NULL, NULL) == -EDEADLK);
		return 0;
	}
	child_assert(ioasid_set_log(count_line, &lines) == 0);
	ioasid_set_log_level(4);
	destroy_workqueue(system_wq);
	flush_work(&stage.other.work);
	child_assert(atomic_read(&lines) == 1);
	ioasid_set_log_level(-1);
	return 0;
}

static int leave_by_exit(void)
{
	struct step step;

	make_step(&step);
	schedule_work(&step.work);
	flush_work(&step.work);
	exit(0);
}

static int forks_again(void);

#define ACT(what) { #what, what }
static const struct act {
	const char *name;
	int (*run)(void);
} acts[] = {
	ACT(queue_its_items),	ACT(cancel_its_items), ACT(flush_its_items),
	ACT(flush_its_queue),	ACT(make_a_queue),     ACT(use_the_common_queues),
	ACT(defer_a_free),	ACT(defer_a_call),     ACT(wait_for_a_grace_period),
	ACT(make_mms),		ACT(look_at_itself),   ACT(write_lines),
	ACT(destroy_its_queue), ACT(forks_again),      ACT(leave_by_exit),
};
#undef ACT
#define ACTS (sizeof(acts) / sizeof(acts[0]))

/* 0, or what went wrong. */
static int in_a_child(int (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		begin_child();
		signal(SIGALRM, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		alarm(CHILD_SECONDS);
		_exit(run());
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

/*
 * AddressSanitizer's own runtime fails now and then in such a child ("CHECK failed: asan_thread.cpp"): a
 * thread that was just ending leaves its key in a stack that the child's next thread gets. With it each
 * cell has two attempts; what is wrong with the library is wrong in the second one, too.
 */
#ifdef __SANITIZE_ADDRESS__
#define ATTEMPTS 2
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ATTEMPTS 2
#endif
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 1
#endif

static int try_in_a_child(int (*run)(void))
{
	int status = -1;

	for (int i = 0; i < ATTEMPTS && status; i++)
		status = in_a_child(run);
	return status;
}

/* All but the last three in one go: they leave nothing to the others. */
static int do_all(void)
{
	for (size_t i = 0; i < ACTS - 3; i++)
		if (acts[i].run())
			return (int)i + 1;
	return 0;
}

static int forks_again(void)
{
	child_assert(schedule_work(&stage.other.work));
	child_assert(in_a_child(do_all) == 0);
	flush_work(&stage.other.work);
	return do_all();
}

/* Where the others go on and on, each fork may find them in another place. */
static void go_through_the_table(int repeats)
{
	int wrong = 0;

	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		pthread_t threads[2];

		enter(&scenes[i], threads);
		for (size_t j = 0; j < ACTS; j++) {
			for (int k = 0; k < (scenes[i].goes_on ? repeats : 1); k++) {
				int status = try_in_a_child(acts[j].run);

				if (status)
					print_error("in %s, the child: %s: status %x\n",
						    scenes[i].name, acts[j].name, status);
				wrong += status != 0;
			}
		}
		leave(&scenes[i], threads);
	}
	assert_int_equal(wrong, 0);
}

static void the_child_may_do_everything(void **state)
{
	(void)state;
	skip_threads_after_fork();
	go_through_the_table(loops(3) > 2 ? 3 : 1);
}

/* Where the thread that forks may be. */

static int status_of_fork;

static int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = -2; /* "." and ".." */

	while (tasks && readdir(tasks))
		count++;
	if (tasks)
		closedir(tasks);
	return count;
}

/* In the child the worker goes on with its queue when the item is over: it needs no other. */
static void *use_the_queue_of_the_worker(void *unused)
{
	/* While it is busy: another thread would be one too many. */
	if (!queue_work(stage.wq, &stage.other.work))
		_exit(2);
	is_ready();
	flush_work(&stage.other.work);
	if (count_threads() != 2)
		_exit(4);
	/* Its end is awaited as that of any other. */
	destroy_workqueue(stage.wq);
	_exit(atomic_read(&stage.other.runs) == 1 ? 0 : 3);
	return unused;
}

static int go_on_as_a_worker(void)
{
	pthread_t thread;

	atomic_set(&stage.ready, 0);
	child_assert(!pthread_create(&thread, NULL, use_the_queue_of_the_worker, NULL));
	wait_for(&stage.ready, 1);
	return 0;
}

/* A child that returns from here instead of ending. */
static void fork_and_return(int (*run)(void))
{
	pid_t child = fork();

	if (child == 0) {
		begin_child();
		alarm(CHILD_SECONDS);
		if (run())
			_exit(1);
		return;
	}
	waitpid(child, &status_of_fork, 0);
}

static void fork_in_an_item(struct work_struct *work)
{
	(void)work;
	fork_and_return(go_on_as_a_worker);
}

static int do_all_but_its_own_queue(void)
{
	struct workqueue_struct *own = stage.wq;
	int wrong;

	stage.wq = alloc_ordered_workqueue("other", 0);
	/* It is a worker here as well, and as such has no address space. */
	current->mm = mm_alloc();
	for (size_t i = 0; i < ACTS - 3; i++) {
		if (acts[i].run == look_at_itself)
			continue;
		wrong = acts[i].run();
		child_assert(!wrong);
	}
	destroy_workqueue(stage.wq);
	stage.wq = own;
	flush_workqueue(own);
	destroy_workqueue(own);
	return 0;
}

static void do_all_in_an_item(struct work_struct *work)
{
	(void)work;
	status_of_fork = in_a_child(do_all_but_its_own_queue);
}

static void an_item_may_fork(void **state)
{
	static struct work_struct forks;

	(void)state;
	skip_threads_after_fork();
	enter(&scenes[0], NULL);
	atomic_set(&stage.may_go, 1);
	INIT_WORK(&forks, fork_in_an_item);
	status_of_fork = -1;
	queue_work(stage.wq, &forks);
	flush_work(&forks);
	assert_int_equal(status_of_fork, 0);

	INIT_WORK(&forks, do_all_in_an_item);
	status_of_fork = -1;
	queue_work(stage.wq, &forks);
	flush_work(&forks);
	assert_int_equal(status_of_fork, 0);
	leave(&scenes[0], NULL);
}

static struct rcu_head later_call;

static void *wait_for_the_calls(void *unused)
{
	rcu_barrier();
	_exit(atomic_read(&calls) == 1 ? 0 : 2);
	return unused;
}

static int go_on_calling(void)
{
	pthread_t thread;

	atomic_set(&calls, 0);
	child_assert(!pthread_create(&thread, NULL, wait_for_the_calls, NULL));
	return 0;
}

/* A barrier that counts wrong would be through before. */
static void count_call_slowly(struct rcu_head *head)
{
	usleep(20000);
	count_call(head);
}

/* The one that is behind this one is called in the child too; this one is not called again. */
static void fork_in_a_call(struct rcu_head *head)
{
	(void)head;
	fork_and_return(go_on_calling);
}

static void a_function_of_call_rcu_may_fork(void **state)
{
	static struct rcu_head first;

	(void)state;
	skip_threads_after_fork();
	status_of_fork = -1;
	rcu_read_lock();
	call_rcu(&first, fork_in_a_call);
	call_rcu(&later_call, count_call_slowly);
	rcu_read_unlock();
	rcu_barrier();
	assert_int_equal(status_of_fork, 0);
}

static void fork_in_a_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	in_sink = true;
	status_of_fork = in_a_child(do_all);
	in_sink = false;
}

static void a_sink_may_fork(void **state)
{
	(void)state;
	skip_threads_after_fork();
	enter(&scenes[0], NULL);
	status_of_fork = -1;
	ioasid_set_log(fork_in_a_sink, NULL);
	ioasid_set_log_level(4);
	destroy_workqueue(system_wq);
	assert_int_equal(status_of_fork, 0);
	leave(&scenes[0], NULL);
}

static int read_on(void)
{
	child_assert(rcu_read_lock_held());
	synchronize_rcu(); /* not for itself */
	child_assert(ioasid_attach_data(found_id, NULL) == -EDEADLK);
	rcu_read_unlock();
	child_assert(rcu_read_lock_held());
	rcu_read_unlock();
	child_assert(!rcu_read_lock_held());
	return do_all();
}

static void a_reader_may_fork(void **state)
{
	int status;

	(void)state;
	skip_threads_after_fork();
	enter(&scenes[0], NULL);
	rcu_read_lock();
	rcu_read_lock();
	status = in_a_child(read_on);
	rcu_read_unlock();
	rcu_read_unlock();
	assert_int_equal(status, 0);
	leave(&scenes[0], NULL);
}

static int fork_on_event(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb, (void)event, (void)args;
	has_the_lock = true;
	status_of_fork = in_a_child(do_all);
	has_the_lock = false;
	return NOTIFY_OK;
}

static void a_handler_may_fork(void **state)
{
	static struct notifier_block nb = { .notifier_call = fork_on_event };
	struct ioasid_set *set;

	(void)state;
	skip_threads_after_fork();
	enter(&scenes[0], NULL);
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	status_of_fork = -1;
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	assert_int_equal(status_of_fork, 0);
	ioasid_unregister_notifier(NULL, &nb);
	ioasid_set_put(set);
	leave(&scenes[0], NULL);
}

/* What waits for a grace period is in both processes: as memory is, so is who frees it. */
static int count_calls_of_the_parent(void)
{
	rcu_barrier();
	child_assert(atomic_read(&calls) == 2);
	return 0;
}

static void what_is_deferred_is_done_on_both_sides(void **state)
{
	static struct rcu_head heads[2];
	pthread_t reader;

	(void)state;
	skip_threads_after_fork();
	memset(&stage, 0, sizeof(stage));
	atomic_set(&calls, 0);
	assert_int_equal(pthread_create(&reader, NULL, play,
					(void *)&(void (*[])(void)){ sleep_in_a_section }),
			 0);
	wait_for(&stage.ready, 1);
	call_rcu(&heads[0], count_call);
	usleep(1000);
	call_rcu(&heads[1], count_call);
	assert_int_equal(in_a_child(count_calls_of_the_parent), 0);
	assert_int_equal(atomic_read(&calls), 0);
	atomic_set_release(&stage.may_go, 1);
	pthread_join(reader, NULL);
	rcu_barrier();
	assert_int_equal(atomic_read(&calls), 2);
}

/* In the kernel the child's address space is another, too. */
static int has_no_pasid(void)
{
	child_assert(!pasid_valid(current->mm->pasid));
	mm_pasid_set(current->mm, ioasid_alloc(NULL, ANY, NULL));
	child_assert(pasid_valid(current->mm->pasid));
	return 0;
}

static void the_child_has_no_pasid(void **state)
{
	ioasid_t id = ioasid_alloc(NULL, ANY, NULL);

	(void)state;
	skip_threads_after_fork();
	mm_pasid_set(current->mm, id);
	assert_int_equal(in_a_child(has_no_pasid), 0);
	assert_int_equal(current->mm->pasid, id);
	mm_pasid_drop(current->mm);
}

/* A host that uses liburcu-bp and forks as its header advises. The hooks stay: the last test. */
static void a_host_may_have_hooks_of_liburcu(void **state)
{
	void *library = dlopen("liburcu-bp.so.8", RTLD_NOW | RTLD_LOCAL);
	void (*hooks[3])(void), (*synchronize)(void);

	(void)state;
	skip_threads_after_fork();
	if (!library || loops(3) < 3)
		skip();
	*(void **)&hooks[0] = dlsym(library, "urcu_bp_before_fork");
	*(void **)&hooks[1] = dlsym(library, "urcu_bp_after_fork_parent");
	*(void **)&hooks[2] = dlsym(library, "urcu_bp_after_fork_child");
	*(void **)&synchronize = dlsym(library, "urcu_bp_synchronize_rcu");
	assert_true(hooks[0] && hooks[1] && hooks[2] && synchronize);
	synchronize();
	assert_int_equal(pthread_atfork(hooks[0], hooks[1], hooks[2]), 0);
	go_through_the_table(1);
}

static int begin_group(void **state)
{
	(void)state;
	parent = getpid();
	ioasid_set_log_level(-1);
	found_id = ioasid_alloc(NULL, ANY, &found_id);
	/* Whoever asked before the fork is to get another answer after it. */
	return pasid_valid(found_id) && current->pid == parent ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_child_may_do_everything),
		cmocka_unit_test(an_item_may_fork),
		cmocka_unit_test(a_function_of_call_rcu_may_fork),
		cmocka_unit_test(a_sink_may_fork),
		cmocka_unit_test(a_reader_may_fork),
		cmocka_unit_test(a_handler_may_fork),
		cmocka_unit_test(what_is_deferred_is_done_on_both_sides),
		cmocka_unit_test(the_child_has_no_pasid),
		cmocka_unit_test(a_host_may_have_hooks_of_liburcu),
	};

	return cmocka_run_group_tests(tests, begin_group, NULL);
}
