// SPDX-License-Identifier: MIT
// The kernel helpers around fork(): their lock, and what the child has to put right.
#define _GNU_SOURCE
#include "kernel.h"

void cio_kernel_before_fork(void)
{
	pthread_mutex_lock(&cio_work_mutex);
}

void cio_kernel_after_fork(bool in_child)
{
	if (in_child)
		cio_work_after_fork_child();
	pthread_mutex_unlock(&cio_work_mutex);
	if (in_child) {
		cio_current_after_fork_child();
		cio_mm_after_fork_child();
	}
}
