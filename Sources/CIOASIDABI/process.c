// SPDX-License-Identifier: MIT
// The library in its process: what happens when it is loaded, and around fork().
#define _GNU_SOURCE
#include <core.h>

/*
 * In the order in which they nest, so that the child finds nothing half done. The log and the read
 * side have no locks to take.
 */
static void before_fork(void)
{
	cio_core_before_fork();
	if (cio_hooks)
		cio_hooks->before_fork();
}

static void in_parent(void)
{
	if (cio_hooks)
		cio_hooks->after_fork(false);
	cio_core_after_fork_parent();
}

static void in_child(void)
{
	cio_loader_is_alone = true;
	cio_read_child_after_fork();
	cio_log_after_fork_child();
	if (cio_hooks)
		cio_hooks->after_fork(true);
	cio_core_after_fork(cio_core_after_fork_child());
}

/* The library is never unloaded: this is exit(). It says what is left over, if asked for, and ends nothing. */
__attribute__((destructor)) static void leave(void)
{
	cio_report_at_exit();
}

__attribute__((constructor)) static void enter(void)
{
	cio_report_begin();
	cio_core_begin();
	pthread_atfork(before_fork, in_parent, in_child);
}
