/* SPDX-License-Identifier: MIT */
/* A program with LeakSanitizer and the libraries that ship: what waits in a queue of theirs is no leak. */
#include "lsan.h"

#include <linux/ioasid.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <pthread.h>
#include <sanitizer/lsan_interface.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 100

struct block {
	char before[24];
	struct work_struct work;
	struct rcu_head rcu;
};

static sem_t go_on, began;
static int done;

static void wait_in_work(struct work_struct *work)
{
	(void)work;
	sem_post(&began);
	sem_wait(&go_on);
}

static void end_block(struct work_struct *work)
{
	done++;
	kfree(container_of(work, struct block, work));
}

static int ignore(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	return NOTIFY_OK;
}

static noinline void queue_blocks(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		struct block *worked = kzalloc(sizeof(*worked), GFP_KERNEL),
			     *freed = kzalloc(sizeof(*freed), GFP_KERNEL);

		INIT_WORK(&worked->work, end_block);
		ioasid_queue_work(&worked->work);
		kfree_rcu(freed, rcu);
	}
}

/* A token and a subscriber that nobody else knows. */
static noinline void make_set(void)
{
	struct ioasid_set *set = ioasid_set_alloc(malloc(50), 0, IOASID_SET_TYPE_NULL);
	struct notifier_block *nb = calloc(1, sizeof(*nb));

	nb->notifier_call = ignore;
	if (ioasid_is_err(set) || ioasid_register_notifier(set, nb))
		_exit(2);
}

int main(void)
{
	struct work_struct first;

	sem_init(&go_on, 0, 0);
	sem_init(&began, 0, 0);
	INIT_WORK_ONSTACK(&first, wait_in_work);
	ioasid_queue_work(&first);
	sem_wait(&began);
	rcu_read_lock();
	make_set();
	queue_blocks();
	wipe();
	check(!__lsan_do_recoverable_leak_check(), "what is queued, or of a set, counts as leaked");
	rcu_read_unlock();
	sem_post(&go_on);
	flush_work(&first);
	puts("what is queued is reachable");
	fflush(stdout);
	_exit(0);
}
