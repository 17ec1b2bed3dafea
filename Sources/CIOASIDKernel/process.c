// SPDX-License-Identifier: MIT
// The kernel helpers in their process: what happens when they are loaded, and around fork().
#define _GNU_SOURCE
#include "kernel.h"

static const struct mm_struct *current_mm(void)
{
	return current->mm;
}

/*
 * The core calls these inside its own, so that locks are taken in one order: its lock, then that of
 * the notifiers, that of the queues, those in which nothing else is locked.
 */
static void before_fork(void)
{
	pthread_mutex_lock(&cio_notifier_mutex);
	pthread_mutex_lock(&cio_work_mutex);
	pthread_mutex_lock(&cio_mm_mutex);
	pthread_mutex_lock(&cio_param_mutex);
	pthread_mutex_lock(&cio_tree_mutex);
}

static void after_fork(bool in_child)
{
	if (in_child) {
		cio_work_after_fork_child();
		cio_mm_after_fork_child();
	}
	pthread_mutex_unlock(&cio_tree_mutex);
	pthread_mutex_unlock(&cio_param_mutex);
	pthread_mutex_unlock(&cio_mm_mutex);
	pthread_mutex_unlock(&cio_work_mutex);
	if (in_child)
		cio_notifiers_after_fork_child();
	pthread_mutex_unlock(&cio_notifier_mutex);
	if (in_child) {
		cio_current_after_fork_child();
		cio_waits_after_fork_child();
	}
}

static const struct ioasid_hooks hooks = {
	.pin = cio_mm_pin,
	.unpin = cio_mm_unpin,
	.current_mm = current_mm,
	.before_fork = before_fork,
	.after_fork = after_fork,
};

/* No destructor: exit() waits for nobody, and the library is never unloaded. */
__attribute__((constructor)) static void enter(void)
{
	if (ioasid_install_hooks(&hooks) != 0)
		cio_warn(
			"somebody else has address spaces: those of mm_alloc() are not pinned by sets");
}
