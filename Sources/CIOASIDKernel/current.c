// SPDX-License-Identifier: MIT
// The running thread, as <linux/sched.h> sees it.
#define _GNU_SOURCE
#include <unistd.h>

#include "kernel.h"

/*
 * struct cio_task - what a thread keeps at its number
 * @life: whose it is, see ioasid_thread(); a thread that finds another life here is new and begins anew
 * @settled: it got its address space, or is to have none; from then on users may change it
 */
struct cio_task {
	struct task_struct task;
	uint32_t life;
	bool settled;
};

/* Zeroes until used. Number 0 is for all threads that are too many to have one of their own. */
static struct cio_task tasks[IOASID_THREADS];

static void identify(struct task_struct *task)
{
	task->pid = gettid();
	task->tgid = getpid();
}

static struct cio_task *own(void)
{
	unsigned int life;
	unsigned int number = ioasid_thread(&life);
	struct cio_task *own = &tasks[number];

	if (own->life != life) {
		own->task.mm = NULL;
		identify(&own->task);
		own->settled = false;
		own->life = life;
	} else if (!number) {
		identify(&own->task);
	}
	return own;
}

struct task_struct *ioasid_current(void)
{
	struct cio_task *me = own();

	if (!me->settled) {
		if (!me->task.mm)
			me->task.mm = cio_process_mm();
		/* It may fail without memory: the next call asks again. */
		me->settled = me->task.mm != NULL;
	}
	return &me->task;
}

void cio_current_is_worker(void)
{
	struct cio_task *me = own();

	/* Those that share are not all workers. */
	if (me != &tasks[0])
		me->settled = true;
}

void cio_current_after_fork_child(void)
{
	identify(&own()->task);
}
