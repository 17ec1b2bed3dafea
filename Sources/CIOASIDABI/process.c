// SPDX-License-Identifier: MIT
// The library in its process: what happens when it is loaded, and around fork().
#define _GNU_SOURCE
#include <core.h>
#include <kernel.h>

/*
 * In the order in which they nest, so that the child finds nothing half done. Not the log's lock:
 * a sink runs with it and may wait for the core lock, or fork.
 */
static void before_fork(void)
{
	cio_core_lock();
	cio_kernel_before_fork();
	cio_trace_before_fork();
}

static void in_parent(void)
{
	cio_trace_after_fork();
	cio_kernel_after_fork(false);
	cio_core_unlock();
}

/*
 * Readers of the log's lock are threads that the child does not have, so it gets a new one; but a
 * sink that forked returns in the child as well, and lets go of it.
 */
static void in_child(void)
{
	cio_read_child_after_fork();
	cio_log_lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
	if (cio_log_in_sink())
		pthread_rwlock_rdlock(&cio_log_lock);
	cio_trace_after_fork();
	cio_kernel_after_fork(true);
	cio_core_unlock();
}

__attribute__((constructor)) static void enter(void)
{
	cio_kernel_begin();
	pthread_atfork(before_fork, in_parent, in_child);
}
