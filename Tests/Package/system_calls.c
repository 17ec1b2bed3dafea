/* SPDX-License-Identifier: MIT */
/* system_calls WORK CALL...: does what has this name where only these system calls may be made. */
#define _GNU_SOURCE
#include "filter.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>

#include <linux/ioasid.h>
#include <linux/ioasid-debug.h>
#include <linux/ioasid-log.h>
#include <linux/ioasid-rcu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#define must(truth) \
	do { \
		if (!(truth)) { \
			fprintf(stderr, "not so: %s\n", #truth); \
			_exit(2); \
		} \
	} while (0)

/* What runs in other threads ends before the work does, if not said otherwise. */
static void in_threads(int nr, void *(*body)(void *))
{
	pthread_t threads[128];

	for (int i = 0; i < nr; i++)
		must(pthread_create(&threads[i], NULL, body, (void *)(intptr_t)nr) == 0);
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

static void *doing(void *work)
{
	((void (*)(void))work)();
	return NULL;
}

static void in_a_thread(void (*work)(void))
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, doing, (void *)work) == 0);
	pthread_join(thread, NULL);
}

/* ---- ids, sets, events ---- */

#define MANY 100000
static ioasid_t ids[MANY];

static void visit(ioasid_t id, void *count)
{
	(void)id;
	++*(long *)count;
}

static void walk_over(long nr)
{
	long seen = 0;

	for (long i = 0; i < nr; i++)
		must(ioasid_alloc(NULL, 0, 0xfffff, NULL) != INVALID_IOASID);
	must(ioasid_set_for_each_ioasid(NULL, visit, &seen) == 0 && seen == nr);
	ioasid_free_all_in_set(NULL);
}

static void few(void)
{
	walk_over(3);
}

static void walk(void)
{
	walk_over(MANY);
}

static void all_ids(void)
{
	walk_over(1 << 20);
}

static void sets(void)
{
	static struct ioasid_set *all[4000];

	for (int i = 0; i < 4000; i++) {
		all[i] = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
		must(ioasid_set_name(all[i], "one of many") == 0);
		must(ioasid_alloc(all[i], 0, 0xfffff, all) != INVALID_IOASID);
	}
	for (int i = 0; i < 4000; i++)
		ioasid_set_put(all[i]);
}

static int told(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	return NOTIFY_OK;
}

static struct notifier_block subscriber = { .notifier_call = told };

static void spids(void)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);

	for (ioasid_t i = 0; i < MANY; i++) {
		ids[i] = ioasid_alloc(set, 0, 0xfffff, &ids[i]);
		must(ioasid_attach_spid(ids[i], i) == 0);
	}
	must(ioasid_register_notifier_replay(set, &subscriber) == 0);
	ioasid_unregister_notifier(set, &subscriber);
	ioasid_set_put(set);
}

static void capacity(void)
{
	ioasid_install_capacity(0x7fffffff);
	for (ioasid_t i = 0; i < 100; i++)
		must(ioasid_alloc(NULL, i * 10000000, 0x7ffffffe, NULL) != INVALID_IOASID);
}

static void attach_data(void)
{
	ioasid_t id = ioasid_alloc(NULL, 0, 10, ids);

	must(ioasid_attach_data(id, ids + 1) == 0);
}

static void walk_in_a_thread(void)
{
	in_a_thread(walk);
}

static atomic_int here;
static void *volatile blocks[128];

/* malloc() has a pool for each thread, and looks how many processors there are when there are nine. */
static void *alloc_beside_others(void *nr)
{
	for (int i = 0; i < 2000; i++)
		ioasid_free(NULL, ioasid_alloc(NULL, 0, 0xfffff, NULL));
	ioasid_set_put(ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL));
	blocks[here++] = malloc(100);
	while (here < (intptr_t)nr)
		sched_yield();
	return NULL;
}

static void many_threads(void)
{
	in_threads(24, alloc_beside_others);
}

/* ---- threads, readers, waits ---- */

static void *first_call(void *nr)
{
	here++;
	ioasid_rcu_read_lock();
	ioasid_rcu_read_unlock();
	while (here < (intptr_t)nr)
		sched_yield();
	return NULL;
}

static void first_calls(void)
{
	in_threads(100, first_call);
}

static void *read_long(void *unused)
{
	ioasid_rcu_read_lock();
	here = 1;
	usleep(50000);
	ioasid_rcu_read_unlock();
	return unused;
}

static void *end_in_a_section(void *unused)
{
	ioasid_rcu_read_lock();
	return unused;
}

static void grace_period(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, read_long, NULL) == 0);
	while (!here)
		;
	ioasid_rcu_synchronize();
	pthread_join(thread, NULL);
	in_threads(1, end_in_a_section);
	ioasid_rcu_synchronize();
}

static ioasid_t waited_for;

static void *put_late(void *unused)
{
	usleep(30000);
	must(ioasid_put(NULL, waited_for));
	return unused;
}

static void free_wait(void)
{
	pthread_t thread;

	waited_for = ioasid_alloc(NULL, 0, 10, NULL);
	must(ioasid_get(NULL, waited_for) == 0);
	must(pthread_create(&thread, NULL, put_late, NULL) == 0);
	must(ioasid_free_wait(NULL, waited_for, 10000) == 0);
	pthread_join(thread, NULL);
	waited_for = ioasid_alloc(NULL, 0, 10, NULL);
	must(ioasid_get(NULL, waited_for) == 0);
	must(ioasid_free_wait(NULL, waited_for, 20) == -ETIMEDOUT);
}

static atomic_int stop;

static void *alloc_until_told(void *unused)
{
	while (!stop) {
		ioasid_free(NULL, ioasid_alloc(NULL, 0, 10, NULL));
		here = 1;
	}
	return unused;
}

static void fork_often(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, alloc_until_told, NULL) == 0);
	while (!here)
		;
	for (int i = 0; i < 50; i++) {
		int status;
		pid_t child = fork();

		must(child >= 0);
		if (!child) {
			ioasid_free(NULL, ioasid_alloc(NULL, 0, 10, NULL));
			_exit(0);
		}
		must(waitpid(child, &status, 0) == child);
		if (status)
			_exit(1);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* ---- the log, traces, histories, the end ---- */

static void be_refused(void)
{
	for (int i = 0; i < 30; i++)
		must(ioasid_get(NULL, 12345) == -EINVAL);
}

static void slow_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	here = 1;
	usleep(50000);
}

static void *refused_once(void *unused)
{
	ioasid_get(NULL, 12345);
	return unused;
}

static void replace_sink(void)
{
	pthread_t thread;

	must(ioasid_set_log(slow_sink, NULL) == 0);
	must(pthread_create(&thread, NULL, refused_once, NULL) == 0);
	while (!here)
		;
	must(ioasid_set_log(NULL, NULL) == 0);
	pthread_join(thread, NULL);
}

static FILE *out;

static void open_out(void)
{
	static char buffer[4096];

	out = fopen("/dev/null", "w");
	must(out);
	setvbuf(out, buffer, _IOFBF, sizeof(buffer));
}

static void trace(void)
{
	must(ioasid_trace_start(out) == 0);
	few();
	ioasid_trace_stop();
}

static void history(void)
{
	must(ioasid_history_start() == 0);
	for (int i = 0; i < 3000; i++)
		must(ioasid_get(NULL, ioasid_alloc(NULL, 0, 0xfffff, NULL)) == 0);
	ioasid_history_stop();
}

static void write_history(void)
{
	must(ioasid_history_start() == 0);
	for (int i = 0; i < 3000; i++)
		must(ioasid_get(NULL, ioasid_alloc(NULL, 0, 0xfffff, NULL)) == 0);
	in_threads(2, alloc_beside_others);
	must(ioasid_dump(out) == 0 && ioasid_dump_dot(out) == 0 && ioasid_report_leaks(out) > 0);
}

/* Kept when the program ends. */
static void leave_some(void)
{
	for (int i = 0; i < 1000; i++)
		must(ioasid_alloc(NULL, 0, 0xfffff, NULL) != INVALID_IOASID);
}

static int sleep_in_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	here = 1;
	pause();
	return NOTIFY_OK;
}

static void *keep_the_lock(void *unused)
{
	subscriber.notifier_call = sleep_in_handler;
	must(ioasid_register_notifier(NULL, &subscriber) == 0);
	ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	return unused;
}

static void leave_while_locked(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, keep_the_lock, NULL) == 0);
	while (!here)
		;
}

/* ---- kernel code ---- */

struct block {
	struct rcu_head rcu;
	char text[100];
};

static void item(struct work_struct *work)
{
	(void)work;
	usleep(1000);
}

static struct work_struct items[20];

static void queues(void)
{
	struct workqueue_struct *queue = alloc_workqueue("queue", WQ_MEM_RECLAIM, 4);

	must(queue);
	for (int i = 0; i < 20; i++) {
		INIT_WORK(&items[i], item);
		queue_work(queue, &items[i]);
	}
	flush_workqueue(queue);
	destroy_workqueue(queue);
	for (int i = 0; i < 20; i++)
		schedule_work(&items[i]);
	for (int i = 0; i < 20; i++)
		if (i % 2)
			flush_work(&items[i]);
		else
			cancel_work_sync(&items[i]);
	must(ioasid_queue_work(&items[0]));
	flush_work(&items[0]);
}

static void free_later(void)
{
	for (int i = 0; i < 1000; i++) {
		struct block *block = kmalloc(sizeof(*block), GFP_KERNEL);

		kfree_rcu(block, rcu);
	}
	rcu_barrier();
}

static void free_it(struct rcu_head *head)
{
	kfree(container_of(head, struct block, rcu));
}

static void call_later(void)
{
	for (int i = 0; i < 1000; i++)
		call_rcu(&((struct block *)kmalloc(sizeof(struct block), GFP_KERNEL))->rcu,
			 free_it);
	rcu_barrier();
}

static void *who_am_i(void *unused)
{
	must(current && current->pid && current->tgid);
	return unused;
}

static void tasks(void)
{
	who_am_i(NULL);
	in_threads(3, who_am_i);
}

static void address_spaces(void)
{
	static struct mm_struct *all[3000];

	for (int i = 0; i < 3000; i++)
		must((all[i] = mm_alloc()) != NULL);
	for (int i = 0; i < 3000; i++) {
		struct ioasid_set *set = ioasid_set_alloc(all[i], 10, IOASID_SET_TYPE_MM);

		must(!IS_ERR(set));
		ioasid_set_put(set);
		mmput(all[i]);
	}
}

/* @prepare: without the filter */
static const struct {
	const char *name;
	void (*work)(void);
	void (*prepare)(void);
} works[] = {
	{ "few", few, NULL },
	{ "walk", walk, NULL },
	{ "all_ids", all_ids, NULL },
	{ "sets", sets, NULL },
	{ "spids", spids, NULL },
	{ "capacity", capacity, NULL },
	{ "attach_data", attach_data, NULL },
	{ "walk_in_a_thread", walk_in_a_thread, NULL },
	{ "many_threads", many_threads, NULL },
	{ "first_calls", first_calls, NULL },
	{ "grace_period", grace_period, NULL },
	{ "free_wait", free_wait, NULL },
	{ "fork", fork_often, NULL },
	{ "be_refused", be_refused, NULL },
	{ "replace_sink", replace_sink, NULL },
	{ "trace", trace, open_out },
	{ "history", history, NULL },
	{ "write_history", write_history, open_out },
	{ "leave_some", leave_some, NULL },
	{ "leave_while_locked", leave_while_locked, NULL },
	{ "queues", queues, NULL },
	{ "free_later", free_later, NULL },
	{ "call_later", call_later, NULL },
	{ "tasks", tasks, NULL },
	{ "address_spaces", address_spaces, NULL },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		if (argc < 2 || strcmp(argv[1], works[i].name))
			continue;
		if (works[i].prepare)
			works[i].prepare();
		allow_only(argv + 2);
		works[i].work();
		if (out)
			fflush(out);
		exit(0);
	}
	fprintf(stderr, "no such work\n");
	return 2;
}
