/* SPDX-License-Identifier: MIT */
/* Internal: what the kernel helpers are made of: work queues and their threads, address spaces, current. */
#ifndef CIOASID_KERNEL_H
#define CIOASID_KERNEL_H

#include <cioasid.h>
#include <runtime.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <linux/container_of.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

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
};

/* One lock for all queues, threads and items; what waits for the end of items waits at done. */
extern pthread_mutex_t cio_work_mutex;
extern pthread_cond_t cio_work_done;

/* Guarded by the lock. */
extern struct workqueue_struct *_Nullable cio_workqueues;
extern struct cio_worker *_Nullable cio_workers;
extern struct rcu_head *_Nullable cio_rcu_blocks;

/* The queues that are always there: schedule_work()'s, and ioasid_queue_work()'s. */
extern struct workqueue_struct cio_system_wq;
extern struct workqueue_struct cio_ordered_wq;

/* Frees what is in cio_rcu_blocks. */
extern struct work_struct cio_rcu_work;
void cio_rcu_work_run(struct work_struct *_Nonnull work);

/* Called once before anything else, around fork(), and when the library goes. */
void cio_kernel_begin(void);
void cio_work_before_fork(void);
void cio_work_after_fork(bool in_child);
void cio_work_end(void);

/* worker.c: starts a thread in cio_worker_main(), all signals blocked; 0 or an error number. */
int cio_worker_start(struct workqueue_struct *_Nonnull wq);
void cio_worker_main(struct workqueue_struct *_Nonnull wq);

/* worker.c: waits at done, but no longer than @ms. */
void cio_work_wait_ms(uint32_t ms);

static inline struct work_struct *_Nullable cio_work_first(struct list_head *_Nonnull pending)
{
	return list_empty(pending) ? NULL : list_first_entry(pending, struct work_struct, entry);
}

static inline struct work_struct *_Nullable cio_work_next(struct list_head *_Nonnull pending,
							  struct work_struct *_Nonnull work)
{
	return list_is_last(&work->entry, pending) ? NULL : list_next_entry(work, entry);
}

static inline void cio_work_init(struct list_head *_Nonnull pending)
{
	INIT_LIST_HEAD(pending);
}

static inline void cio_copy_name(char (*_Nonnull to)[16], const char *_Nullable name)
{
	strncpy(*to, name ? name : "", sizeof(*to) - 1);
}

/* A block that waits for a grace period keeps the list and itself in its rcu_head. */
static inline void cio_rcu_push(struct rcu_head *_Nonnull head, void *_Nonnull block)
{
	head->next.next = (struct cds_wfcq_node *)cio_rcu_blocks;
	head->func = (void (*)(struct rcu_head *))block;
	cio_rcu_blocks = head;
}

static inline void cio_rcu_free(struct rcu_head *_Nullable head)
{
	while (head) {
		struct rcu_head *next = (struct rcu_head *)head->next.next;

		free((void *)(uintptr_t)head->func);
		head = next;
	}
}

/* A record of the table of address spaces: @next links the unused ones. */
struct cio_mm {
	struct mm_struct mm;
	uint32_t next;
};

/* AddressSpaces.swift: the address space of the process, made at the first call. */
struct mm_struct *_Nullable cio_process_mm(void);

/* current.c */
void cio_current_is_worker(void);
void cio_current_after_fork(void);

/* The address space that the calling thread stands for, or NULL. */
static inline void *_Nullable cio_current_mm(void)
{
	return current->mm;
}

#endif /* CIOASID_KERNEL_H */
