// SPDX-License-Identifier: MIT
// What must be ready before any code runs: locks, conditions, queues. Used from Swift.
#define _GNU_SOURCE
#include "kernel.h"

struct workqueue_struct cio_system_wq = {
	.next = &cio_ordered_wq,
	.pending = LIST_HEAD_INIT(cio_system_wq.pending),
	.max_active = WQ_DFL_ACTIVE,
	.wake = PTHREAD_COND_INITIALIZER,
	.name = "ioasid_system",
};
struct workqueue_struct cio_ordered_wq = {
	.pending = LIST_HEAD_INIT(cio_ordered_wq.pending),
	.max_active = 1,
	.wake = PTHREAD_COND_INITIALIZER,
	.name = "ioasid_wq",
};
pthread_mutex_t cio_work_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t cio_work_done = PTHREAD_COND_INITIALIZER;
struct workqueue_struct *cio_workqueues = &cio_system_wq;
struct cio_worker *cio_workers;
struct rcu_head *cio_rcu_blocks;
DECLARE_WORK(cio_rcu_work, cio_rcu_work_run);
