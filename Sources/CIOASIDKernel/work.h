/* SPDX-License-Identifier: MIT */
/* Internal: work queues and their threads. */
#ifndef CIOASID_WORK_H
#define CIOASID_WORK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/workqueue.h>

/* Swift wants to know which pointers may be NULL; gcc does not know the words. */
#ifndef __clang__
#define _Nonnull
#define _Nullable
#define _Null_unspecified
#endif

/* Somebody who waits with something open must not be cancelled. */
static inline int cio_hold_cancellation(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void cio_restore_cancellation(int before)
{
	pthread_setcancelstate(before, NULL);
}

/*
 * struct workqueue_struct - a queue and the count of its threads
 * @next: all queues are in one list
 * @pending: items to run, their tickets ascending
 * @pending_count: how many
 * @max_active: most threads it may have
 * @threads: those it has
 * @idle: those of them that wait for work
 * @draining: only its own items may queue on it
 * @stopping: threads are to end
 * @wake: where threads wait
 * @has_ended: @last_ended is the thread that ended last, still to be joined; it joins the one
 *	that ended before it, so that whoever joins it has joined all
 */
struct workqueue_struct {
	struct workqueue_struct *_Nullable next;
	struct list_head pending;
	uint32_t pending_count;
	uint32_t max_active;
	uint32_t threads;
	uint32_t idle;
	bool draining;
	bool stopping;
	bool has_ended;
	pthread_t last_ended;
	pthread_cond_t wake;
	char name[16];
};

/* A thread of a queue and what it runs; lies on that thread's stack. */
struct cio_worker {
	struct cio_worker *_Nullable next;
	struct workqueue_struct *_Nonnull wq;
	pthread_t thread;
	struct work_struct *_Nullable work;
	work_func_t _Nullable func;
	uint64_t ticket;
	bool waits; /* no thread of the queue: who waits for items runs one, where there is no thread to be had */
};

/* A thread that cancels an item and waits for it; lies on that thread's stack. */
struct cio_canceller {
	struct cio_canceller *_Nullable next;
	struct work_struct *_Nonnull work;
};

/*
 * One lock for all queues, threads, items and deferred frees. Whatever waits for the end of
 * something waits at done.
 */
extern pthread_mutex_t cio_work_mutex;
extern pthread_cond_t cio_work_done;

/* Guarded by the lock. */
extern struct workqueue_struct *_Nullable cio_workqueues;
extern struct cio_worker *_Nullable cio_workers;
extern struct cio_canceller *_Nullable cio_cancellers;

/* The queues that are always there: schedule_work()'s, ioasid_queue_work()'s, and call_rcu()'s. */
extern struct workqueue_struct cio_system_wq;
extern struct workqueue_struct cio_ordered_wq;
extern struct workqueue_struct cio_rcu_wq;

/* worker.c: starts a thread in cio_worker_main(), all signals blocked; 0 or an error number. */
int cio_worker_start(struct workqueue_struct *_Nonnull wq);
void cio_worker_main(struct workqueue_struct *_Nonnull wq);

/* worker.c: waits with the lock at @cond, but no longer than @ns, whatever happens to the clock. */
void cio_work_wait_ns(pthread_cond_t *_Nonnull cond, uint64_t ns);

/* Fork.swift */
void cio_work_after_fork_child(void);

/* Cannot fail: glibc's have nothing to allocate. */
static inline void cio_cond_init(pthread_cond_t *_Nonnull cond)
{
	pthread_cond_init(cond, NULL);
}

static inline struct work_struct *_Nullable cio_work_first(struct list_head *_Nonnull pending)
{
	return list_empty(pending) ? NULL : list_first_entry(pending, struct work_struct, entry);
}

static inline struct work_struct *_Nullable cio_work_next(struct list_head *_Nonnull pending,
							  struct work_struct *_Nonnull work)
{
	return list_is_last(&work->entry, pending) ? NULL : list_next_entry(work, entry);
}

static inline void cio_pending_init(struct list_head *_Nonnull pending)
{
	INIT_LIST_HEAD(pending);
}

static inline void cio_copy_name(char (*_Nonnull to)[16], const char *_Nullable name)
{
	strncpy(*to, name ? name : "", sizeof(*to) - 1);
}

#endif /* CIOASID_WORK_H */
