// SPDX-License-Identifier: MIT
// The running thread, as <linux/sched.h> sees it.
#define _GNU_SOURCE
#include <unistd.h>

#include "kernel.h"

static __thread struct task_struct task;

/* The thread got its address space, or is to have none; from then on users may change it. */
static __thread bool settled;

static void identify(void)
{
	task.pid = gettid();
	task.tgid = getpid();
}

struct task_struct *ioasid_current(void)
{
	if (!settled) {
		identify();
		if (!task.mm)
			task.mm = cio_process_mm();
		/* It may fail without memory: the next call asks again. */
		settled = task.mm != NULL;
	}
	return &task;
}

void cio_current_is_worker(void)
{
	identify();
	task.mm = NULL;
	settled = true;
}

void cio_current_after_fork(void)
{
	if (task.pid)
		identify();
}
