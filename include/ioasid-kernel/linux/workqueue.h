/* SPDX-License-Identifier: MIT */
/* Compat: work queues, run by threads of the library. */
#ifndef IOASID_LINUX_WORKQUEUE_H
#define IOASID_LINUX_WORKQUEUE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>

/* Sources that use this header count on what comes with the kernel's. */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

struct work_struct;
struct workqueue_struct;

typedef void (*work_func_t)(struct work_struct *work);

/**
 * struct work_struct - something to be done by another thread
 * @entry: place in a queue (library's own)
 * @func: what to do; may free the structure around the item, or queue it again
 * @wq: queue it was put on last (library's own)
 * @ticket: number of its latest queueing; 0 when not pending (library's own)
 */
struct work_struct {
	struct list_head entry;
	work_func_t func;
	struct workqueue_struct *wq;
	u64 ticket;
};

#define DECLARE_WORK(name, fn) \
	struct work_struct name = { { &(name).entry, &(name).entry }, fn, NULL, 0 }

static inline void INIT_WORK(struct work_struct *work, work_func_t func)
{
	work->entry.next = &work->entry;
	work->entry.prev = &work->entry;
	work->func = func;
	work->wq = NULL;
	work->ticket = 0;
}

#define INIT_WORK_ONSTACK(work, func) INIT_WORK(work, func)
#define destroy_work_on_stack(work) ((void)(work))

/*
 * Threads start when there is work, block all signals, and stay until the queue is destroyed. At
 * exit() nothing is waited for: they end with the process, in the middle of an item if need be.
 * After fork() the child has the same queues, all empty, and may queue any item; what was pending
 * or running is for the parent to do, whom the fork does not disturb. docs/process.md has more.
 *
 * None of these functions but ioasid_wq_system() may be called in a signal handler. Those that wait
 * are no cancellation points: a thread that is cancelled meanwhile ends at its next one. An item must
 * come back from its function: longjmp(), pthread_exit() and exceptions that leave it are not
 * supported.
 */

/* Queues are bound to no CPU. */
#define WQ_UNBOUND (1U << 0)
/* The first thread is started with the queue, so that work goes on when there is no memory left. */
#define WQ_MEM_RECLAIM (1U << 1)

#define WQ_MAX_ACTIVE 512
#define WQ_DFL_ACTIVE 256

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_wq_alloc() - make a work queue
 * @name: names its threads, the first 15 bytes
 * @flags: WQ_UNBOUND, WQ_MEM_RECLAIM
 * @max_active: how many of its items may run at the same time; 0 is WQ_DFL_ACTIVE, more than WQ_MAX_ACTIVE
 *	is that
 *
 * Return: the queue; NULL for want of memory or threads, unknown flags, or a negative @max_active.
 * Context: any thread, also an item, a handler, a log sink or a reader. Does not wait.
 */
struct workqueue_struct *ioasid_wq_alloc(const char *name, unsigned int flags, int max_active);

/**
 * ioasid_wq_destroy() - finish what is on a work queue, end its threads, free it
 * @wq: the queue; only its own items may still queue on it. NULL does nothing
 *
 * Context: waits for the items, so not with a lock that they take, and not in a handler or a
 *	read-side section that they wait for. From an item of @wq it does nothing but log.
 */
void ioasid_wq_destroy(struct workqueue_struct *wq);

/**
 * ioasid_wq_system() - the common work queue
 *
 * Return: the queue that schedule_work() uses; cannot be destroyed.
 * Context: any, also a signal handler.
 */
struct workqueue_struct *ioasid_wq_system(void);

/**
 * ioasid_wq_queue() - put an item on a work queue
 * @wq: the queue
 * @work: the item; once its function has begun it may be queued again
 *
 * An item never runs in two threads at once: while it runs, its next run is put on the same queue
 * and waits for the end of this one.
 *
 * Return: true; false if it is pending already, is being cancelled, or @wq takes no more.
 * Context: any thread, also an item, a handler, a log sink or a reader. Does not wait. What was done
 *	before happens before the function runs.
 */
bool ioasid_wq_queue(struct workqueue_struct *wq, struct work_struct *work);

/**
 * ioasid_wq_flush() - wait until everything on a work queue now is done
 * @wq: the queue
 *
 * Context: waits, as ioasid_wq_destroy() does. An item of @wq that calls it does not wait.
 */
void ioasid_wq_flush(struct workqueue_struct *wq);

/**
 * ioasid_wq_flush_work() - wait until the latest queueing of a work item is done
 * @work: the item; it may queue itself again, and free itself
 *
 * Return: true if there was something to wait for.
 * Context: waits, as ioasid_wq_destroy() does. From the item itself, or from another one of a
 *	queue that runs one at a time, it does not.
 */
bool ioasid_wq_flush_work(struct work_struct *work);

/**
 * ioasid_wq_cancel() - take an item off its work queue
 * @work: the item
 * @sync: also wait until it is not running, and refuse to queue it meanwhile
 *
 * Return: true if it was pending.
 * Context: with @sync it waits for the item, not from the item itself. Without it never waits.
 */
bool ioasid_wq_cancel(struct work_struct *work, bool sync);

#ifdef __cplusplus
}
#endif

#define system_wq ioasid_wq_system()
#define system_unbound_wq ioasid_wq_system()

/* clang-format off */
__attribute__((__format__(__printf__, 1, 4)))
static inline struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags,
						       int max_active, ...)
/* clang-format on */
{
	char name[16];
	va_list args;

	va_start(args, max_active);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	return ioasid_wq_alloc(name, flags, max_active);
}

static inline void destroy_workqueue(struct workqueue_struct *wq)
{
	ioasid_wq_destroy(wq);
}

static inline bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	return ioasid_wq_queue(wq, work);
}

static inline bool schedule_work(struct work_struct *work)
{
	return ioasid_wq_queue(system_wq, work);
}

static inline void flush_workqueue(struct workqueue_struct *wq)
{
	ioasid_wq_flush(wq);
}

static inline void flush_scheduled_work(void)
{
	ioasid_wq_flush(system_wq);
}

static inline bool flush_work(struct work_struct *work)
{
	return ioasid_wq_flush_work(work);
}

static inline bool cancel_work(struct work_struct *work)
{
	return ioasid_wq_cancel(work, false);
}

static inline bool cancel_work_sync(struct work_struct *work)
{
	return ioasid_wq_cancel(work, true);
}

/* The format may have no arguments, where ISO C wants at least one. */
#pragma GCC system_header

/* One item at a time, in the order of queueing. */
#define alloc_ordered_workqueue(fmt, flags, ...) alloc_workqueue(fmt, flags, 1, ##__VA_ARGS__)
#define create_workqueue(name) alloc_workqueue("%s", WQ_MEM_RECLAIM, 1, name)
#define create_singlethread_workqueue(name) alloc_ordered_workqueue("%s", WQ_MEM_RECLAIM, name)

#endif
