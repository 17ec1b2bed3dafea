// SPDX-License-Identifier: MIT
// Threads of work queues: how they start and wait, where C structures say it best.
#define _GNU_SOURCE
#include <signal.h>

#include "kernel.h"

/* The thread is ours, so nobody may cancel it; an item that does is held off for good. */
static void *enter(void *wq)
{
	cio_hold_cancellation();
	pthread_setname_np(pthread_self(), ((struct workqueue_struct *)wq)->name);
	cio_current_is_worker();
	cio_worker_main(wq);
	return NULL;
}

/*
 * The host's signals are for the host's threads; but for those that say what the thread itself did, which the
 * kernel would make deadly if they were blocked.
 */
int cio_worker_start(struct workqueue_struct *wq)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, enter, wq);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void cio_work_wait_ns(pthread_cond_t *cond, uint64_t ns)
{
	uint64_t until_ns = cio_now_ns() + ns;
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000),
		.tv_nsec = (long)(until_ns % 1000000000),
	};

	pthread_cond_clockwait(cond, &cio_work_mutex, CLOCK_MONOTONIC, &until);
}
