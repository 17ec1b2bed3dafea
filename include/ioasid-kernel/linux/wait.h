/* SPDX-License-Identifier: MIT */
/* Compat: wait queues: sleep until a condition holds, looked at whenever somebody wakes the queue. */
#ifndef IOASID_LINUX_WAIT_H
#define IOASID_LINUX_WAIT_H

#include <linux/bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/*
 * A number that every wake-up changes. It needs no memory and no lock, a queue of zeroes is ready,
 * and after fork() the child finds nobody waiting. Whoever waits is no cancellation point; signals
 * end no wait, so that the interruptible and killable forms always end with their condition.
 */
typedef struct wait_queue_head {
	unsigned int ioasid_wakeups;
	/* How many, below; in which process, counted in forks, above: those of a parent are not here. */
	u64 ioasid_waiters;
} wait_queue_head_t;

#define __WAIT_QUEUE_HEAD_INITIALIZER(name) { 0, 0 }
#define DECLARE_WAIT_QUEUE_HEAD(name) wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAIT_QUEUE_HEAD_ONSTACK(name) DECLARE_WAIT_QUEUE_HEAD(name)

#ifdef __cplusplus
extern "C" {
#endif

/** IOASID_FOREVER: no limit of ioasid_wait_word() */
#define IOASID_FOREVER (~(u64)0)

/**
 * ioasid_wait_word() - sleep while a number is what it was
 * @word: the number
 * @value: what it was
 * @ns: no longer than that, or IOASID_FOREVER
 *
 * May return early: look again.
 *
 * Return: false if the time is over, or @word is NULL.
 * Context: any thread. Warns in a read-side section, or in a callback that the library makes with its
 *	core lock held: whom it waits for may wait for that. No cancellation point.
 */
bool ioasid_wait_word(const unsigned int *word, unsigned int value, u64 ns);

/**
 * ioasid_wake_word() - wake those who sleep on a number
 * @word: the number; the memory may be gone already. NULL does nothing
 * @count: how many, at most
 *
 * Context: any, also a signal handler.
 */
void ioasid_wake_word(const unsigned int *word, int count);

/**
 * ioasid_forks() - say how many forks lie between this process and the one that loaded the library
 *
 * What is marked with another number was left here by a thread of a parent.
 *
 * Return: the number; it is 0 at first.
 * Context: any, also a signal handler.
 */
unsigned int ioasid_forks(void);

#ifdef __cplusplus
}
#endif

static inline void init_waitqueue_head(struct wait_queue_head *wq)
{
	if (WARN_ON_ONCE(!wq))
		return;
	wq->ioasid_wakeups = 0;
	wq->ioasid_waiters = 0;
}

/* With no queue nobody waits. */
static inline unsigned int ioasid_wait_count(const struct wait_queue_head *wq)
{
	u64 waiters;

	if (WARN_ON_ONCE(!wq))
		return 0;
	waiters = __atomic_load_n(&wq->ioasid_waiters, __ATOMIC_SEQ_CST);
	return waiters >> 32 == ioasid_forks() ? (unsigned int)waiters : 0;
}

/* All are woken, however many were asked for: each looks at its condition itself. */
static inline void ioasid_wake_queue(struct wait_queue_head *wq)
{
	if (WARN_ON_ONCE(!wq))
		return;
	/* After what the waker changed; before it looks whether anybody may have seen the old. */
	__atomic_fetch_add(&wq->ioasid_wakeups, 1, __ATOMIC_SEQ_CST);
	if (ioasid_wait_count(wq))
		ioasid_wake_word(&wq->ioasid_wakeups, 0x7fffffff);
}

#define wake_up(wq) ioasid_wake_queue(wq)
#define wake_up_nr(wq, nr) ioasid_wake_queue(wq)
#define wake_up_all(wq) ioasid_wake_queue(wq)
#define wake_up_interruptible(wq) ioasid_wake_queue(wq)
#define wake_up_interruptible_nr(wq, nr) ioasid_wake_queue(wq)
#define wake_up_interruptible_all(wq) ioasid_wake_queue(wq)
#define wake_up_interruptible_sync(wq) ioasid_wake_queue(wq)
#define wake_up_locked(wq) ioasid_wake_queue(wq)

static inline int waitqueue_active(struct wait_queue_head *wq)
{
	return ioasid_wait_count(wq) != 0;
}

static inline bool wq_has_sleeper(struct wait_queue_head *wq)
{
	return waitqueue_active(wq) != 0;
}

/* @forks is what ioasid_forks() says. */
static inline unsigned int ioasid_wait_begin(struct wait_queue_head *wq, unsigned int forks)
{
	u64 old = __atomic_load_n(&wq->ioasid_waiters, __ATOMIC_RELAXED), others;

	do {
		others = old >> 32 == forks ? old : (u64)forks << 32;
	} while (!__atomic_compare_exchange_n(&wq->ioasid_waiters, &old, others + 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return __atomic_load_n(&wq->ioasid_wakeups, __ATOMIC_SEQ_CST);
}

/* Who has become another process meanwhile, in its condition, is not counted here. */
static inline void ioasid_wait_end(struct wait_queue_head *wq, unsigned int forks)
{
	if (forks == ioasid_forks())
		__atomic_fetch_sub(&wq->ioasid_waiters, 1, __ATOMIC_SEQ_CST);
}

static inline u64 ioasid_wait_limit(long ticks)
{
	return ticks == MAX_SCHEDULE_TIMEOUT
		       ? IOASID_FOREVER
		       : jiffies_to_nsecs(ticks > 0 ? (unsigned long)ticks : 0);
}

/* What is left of @limit nanoseconds since @since. */
static inline u64 ioasid_wait_left(u64 limit, u64 since)
{
	u64 gone;

	if (limit == IOASID_FOREVER)
		return limit;
	gone = ioasid_time_ns() - since;
	return gone < limit ? limit - gone : 0;
}

/*
 * The wake-ups are counted before the condition is looked at, so that one in between is not missed.
 * @before and @after: what to do around the sleep. The result is what is left of the time. Without a
 * queue there is a warning, and no wait: nobody could end it.
 */
#define ioasid_wait_until(wq, condition, limit, before, after) \
	__extension__({ \
		struct wait_queue_head *ioasid_wq = &(wq); \
		u64 ioasid_limit = (limit), ioasid_since = ioasid_time_ns(), ioasid_left = 0; \
		while (!WARN_ON_ONCE(!ioasid_wq)) { \
			unsigned int ioasid_now = ioasid_forks(); \
			unsigned int ioasid_seen = ioasid_wait_begin(ioasid_wq, ioasid_now); \
			bool ioasid_true = !!(condition); \
			ioasid_left = ioasid_wait_left(ioasid_limit, ioasid_since); \
			if (ioasid_true) \
				ioasid_left += !ioasid_left; \
			if (!ioasid_true && ioasid_left && ioasid_now == ioasid_forks()) { \
				before; \
				ioasid_wait_word(&ioasid_wq->ioasid_wakeups, ioasid_seen, \
						 ioasid_left); \
				after; \
			} \
			ioasid_wait_end(ioasid_wq, ioasid_now); \
			if (ioasid_true || !ioasid_left) \
				break; \
		} \
		ioasid_left; \
	})

/* Ticks that are left, at least 1, if the condition holds; else 0. */
static inline long ioasid_wait_ticks(u64 left_ns)
{
	if (left_ns == IOASID_FOREVER)
		return MAX_SCHEDULE_TIMEOUT;
	return (long)(left_ns / (u64)NSEC_PER_MSEC + (left_ns % (u64)NSEC_PER_MSEC != 0));
}

#define wait_event(wq, condition) \
	((void)ioasid_wait_until(wq, condition, IOASID_FOREVER, (void)0, (void)0))
#define wait_event_timeout(wq, condition, timeout) \
	ioasid_wait_ticks(ioasid_wait_until(wq, condition, ioasid_wait_limit(timeout), (void)0, \
					    (void)0))
#define wait_event_interruptible(wq, condition) \
	((void)ioasid_wait_until(wq, condition, IOASID_FOREVER, (void)0, (void)0), 0)
#define wait_event_killable(wq, condition) wait_event_interruptible(wq, condition)
#define wait_event_freezable(wq, condition) wait_event_interruptible(wq, condition)
#define wait_event_interruptible_timeout(wq, condition, timeout) \
	wait_event_timeout(wq, condition, timeout)
#define wait_event_killable_timeout(wq, condition, timeout) \
	wait_event_timeout(wq, condition, timeout)

/* The condition is looked at with the lock, which is given up for the sleep. */
#define wait_event_lock_irq(wq, condition, lock) \
	((void)ioasid_wait_until(wq, condition, IOASID_FOREVER, spin_unlock_irq(&(lock)), \
				 spin_lock_irq(&(lock))))
#define wait_event_interruptible_lock_irq(wq, condition, lock) \
	(wait_event_lock_irq(wq, condition, lock), 0)

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/wait.h>

/* <sys/wait.h> has these as enumerators, before this or behind it. */
#undef P_ALL
#undef P_PID
#undef P_PGID
#undef P_PIDFD
