// SPDX-License-Identifier: MIT
// The running thread, as <linux/sched.h> sees it.
#define _GNU_SOURCE
#include "cioasid.h"

static __thread struct task_struct task;

static void identify(void)
{
	task.pid = gettid();
	task.tgid = getpid();
}

struct task_struct *ioasid_current(void)
{
	if (!task.pid) {
		identify();
		task.mm = cio_process_mm();
	}
	return &task;
}

void cio_current_is_worker(void)
{
	identify();
	task.mm = NULL;
}

void cio_current_after_fork(void)
{
	if (task.pid)
		identify();
}
