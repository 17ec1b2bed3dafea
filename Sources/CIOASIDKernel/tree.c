// SPDX-License-Identifier: MIT
// Of the tree behind <linux/xarray.h>: what has an address.
#define _GNU_SOURCE
#include "kernel.h"

const long cio_tree_zero;

static void free_node(struct rcu_head *head)
{
	cio_tree_free(container_of(head, struct cio_tree_node, rcu));
}

/*
 * struct change - of an array, whose lock the library took for it: one at a time in a process
 * @thread: whose it is; 0 if there is none
 * @retired: nodes taken out, linked by @parent
 * @remark: what is to be said
 *
 * The lock around it is fork()'s as well, so a child finds each array between two changes, and no lock of
 * one taken by a thread that it does not have; but for those that programs took with xa_lock(). Nobody
 * waits with it, and nothing of a program runs in it: an array's own lock is only tried, and what wants
 * another lock or says something is left until the end.
 */
static struct {
	unsigned long thread;
	struct cio_tree_node *retired;
	const char *remark;
} change;

static unsigned long self(void)
{
	return (unsigned long)pthread_self();
}

static bool is_inside(void)
{
	return __atomic_load_n(&change.thread, __ATOMIC_RELAXED) == self();
}

void ioasid_xa_enter(struct xarray *xa)
{
	u64 pause = 1000;

	if (!xa)
		return;
	pthread_mutex_lock(&cio_tree_mutex);
	while (!xa_trylock(xa)) {
		/* Only a program holds it so that we can see it: in the kernel, for a short time. */
		pthread_mutex_unlock(&cio_tree_mutex);
		ioasid_sleep_ns(pause);
		if (pause < 1000000)
			pause *= 2;
		pthread_mutex_lock(&cio_tree_mutex);
	}
	__atomic_store_n(&change.thread, self(), __ATOMIC_RELAXED);
}

void ioasid_xa_leave(struct xarray *xa)
{
	struct cio_tree_node *retired, *node;
	const char *remark;

	if (!xa)
		return;
	retired = change.retired;
	remark = change.remark;
	change.retired = NULL;
	change.remark = NULL;
	__atomic_store_n(&change.thread, 0, __ATOMIC_RELAXED);
	xa_unlock(xa);
	pthread_mutex_unlock(&cio_tree_mutex);
	while ((node = retired)) {
		retired = node->parent;
		ioasid_call_rcu(&node->rcu, free_node);
	}
	if (remark)
		cio_warn(remark);
}

void cio_tree_retire(struct cio_tree_node *node)
{
	if (!is_inside()) {
		ioasid_call_rcu(&node->rcu, free_node);
		return;
	}
	node->parent = change.retired;
	change.retired = node;
}

void cio_tree_warn(const char *text)
{
	if (is_inside())
		change.remark = text;
	else
		cio_warn(text);
}
