// SPDX-License-Identifier: MIT
// Threads of work queues: how they start and wait, where C structures say it best.
#define _GNU_SOURCE
#include <signal.h>

#include "kernel.h"

static void *enter(void *wq)
{
	pthread_setname_np(pthread_self(), ((struct workqueue_struct *)wq)->name);
	cio_current_is_worker();
	cio_worker_main(wq);
	return NULL;
}

/* The host's signals are for the host's threads. */
int cio_worker_start(struct workqueue_struct *wq)
{
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, enter, wq);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void cio_work_wait_ms(uint32_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&cio_work_done, &cio_work_mutex, &until);
}
