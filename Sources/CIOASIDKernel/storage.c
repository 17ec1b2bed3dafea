// SPDX-License-Identifier: MIT
// What must be ready before any code runs: locks, conditions, queues. Used from Swift.
#define _GNU_SOURCE
#include "kernel.h"

#define QUEUE(queue, next_, max, name_) \
	struct workqueue_struct queue = { \
		.next = (next_), \
		.pending = LIST_HEAD_INIT(queue.pending), \
		.max_active = (max), \
		.wake = PTHREAD_COND_INITIALIZER, \
		.name = (name_), \
	}

QUEUE(cio_rcu_wq, NULL, 1, "ioasid_rcu");
QUEUE(cio_ordered_wq, &cio_rcu_wq, 1, "ioasid_wq");
QUEUE(cio_system_wq, &cio_ordered_wq, WQ_DFL_ACTIVE, "ioasid_system");

pthread_mutex_t cio_work_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t cio_mm_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t cio_tree_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t cio_param_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t cio_notifier_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t cio_notifier_done = PTHREAD_COND_INITIALIZER;
pthread_cond_t cio_work_done = PTHREAD_COND_INITIALIZER;
pthread_cond_t cio_rcu_wake = PTHREAD_COND_INITIALIZER;

struct workqueue_struct *cio_workqueues = &cio_system_wq;
struct cio_worker *cio_workers;
struct cio_canceller *cio_cancellers;

struct cio_deferred cio_blocks, cio_calls;
DECLARE_WORK(cio_rcu_work, cio_rcu_work_run);
