/* SPDX-License-Identifier: MIT */
/* Internal: what waits for a grace period: blocks to free, and functions to call. */
#ifndef CIOASID_DEFERRED_H
#define CIOASID_DEFERRED_H

#include "work.h"

#include <linux/rcupdate.h>

/*
 * The queues need no memory: each block lends its rcu_head, which is two words to us, whoever
 * declared it. Everything stays in these static structures until it is freed or called: leak
 * checkers find it, and so does the child of a fork.
 */
struct cio_rcu_node {
	struct cio_rcu_node *_Nullable next;
	uintptr_t what; /* the block, or the function */
};

_Static_assert(sizeof(struct rcu_head) == sizeof(struct cio_rcu_node), "lent as it is");

/* In the order of the calls. @last is only good while @first is not NULL. */
struct cio_rcu_list {
	struct cio_rcu_node *_Nullable first;
	struct cio_rcu_node *_Nullable last;
};

/*
 * struct cio_deferred - one kind of what is deferred, guarded by the lock of the queues
 * @fresh: what was added since the last batch was closed
 * @batch: closed; no more is added, and a grace period begins when it is due
 * @due_ns: when that is, by the monotonic clock
 * @added: how many there were in all
 * @done: how many of them are dealt with
 */
struct cio_deferred {
	struct cio_rcu_list fresh;
	struct cio_rcu_list batch;
	uint64_t due_ns;
	uint64_t added;
	uint64_t done;
};

extern struct cio_deferred cio_blocks;
extern struct cio_deferred cio_calls;

/* Where the thread waits for a batch to become due; rings when it need not wait any longer. */
extern pthread_cond_t cio_rcu_wake;

/* The item of cio_rcu_wq that deals with both. */
extern struct work_struct cio_rcu_work;
void cio_rcu_work_run(struct work_struct *_Nonnull work);

static inline void cio_rcu_append(struct cio_rcu_list *_Nonnull list,
				  struct rcu_head *_Nonnull head, uintptr_t what)
{
	struct cio_rcu_node *node = (struct cio_rcu_node *)head;

	node->next = NULL;
	node->what = what;
	if (list->first)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
}

/* Moves all of @from behind @to. */
static inline void cio_rcu_move(struct cio_rcu_list *_Nonnull from,
				struct cio_rcu_list *_Nonnull to)
{
	if (!from->first)
		return;
	if (to->first)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	from->first = NULL;
}

static inline struct cio_rcu_node *_Nullable cio_rcu_pop(struct cio_rcu_list *_Nonnull list)
{
	struct cio_rcu_node *node = list->first;

	if (node)
		list->first = node->next;
	return node;
}

static inline void cio_rcu_free(struct cio_rcu_node *_Nonnull node)
{
	free((void *)node->what);
}

static inline void cio_rcu_call(struct cio_rcu_node *_Nonnull node)
{
	((void (*)(struct rcu_head *))node->what)((struct rcu_head *)node);
}

static inline uint64_t cio_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif /* CIOASID_DEFERRED_H */
