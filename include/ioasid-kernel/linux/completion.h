/* SPDX-License-Identifier: MIT */
/* Compat: completions: somebody waits until somebody else has done something. */
#ifndef IOASID_LINUX_COMPLETION_H
#define IOASID_LINUX_COMPLETION_H

#include <linux/wait.h>

/*
 * A count, on which waiters sleep; see <linux/wait.h>. It is not touched after the waiter may have
 * seen it, so a completion may lie on the waiter's stack.
 */
struct completion {
	unsigned int done;
};

/* complete_all() was called: for everybody, for ever. */
#define IOASID_COMPLETE_ALL 0xffffffffu

#define COMPLETION_INITIALIZER(work) { 0 }
#define DECLARE_COMPLETION(work) struct completion work = COMPLETION_INITIALIZER(work)
#define DECLARE_COMPLETION_ONSTACK(work) DECLARE_COMPLETION(work)
#define COMPLETION_INITIALIZER_ONSTACK(work) COMPLETION_INITIALIZER(work)

/* NULL is a warning everywhere, and nothing, false or 0. */
static inline void init_completion(struct completion *x)
{
	if (WARN_ON_ONCE(!x))
		return;
	__atomic_store_n(&x->done, 0, __ATOMIC_RELEASE);
}

static inline void reinit_completion(struct completion *x)
{
	init_completion(x);
}

/* For one waiter. More than 2^32 - 2 of them are not counted. */
static inline void complete(struct completion *x)
{
	unsigned int done;

	if (WARN_ON_ONCE(!x))
		return;
	done = __atomic_load_n(&x->done, __ATOMIC_RELAXED);
	do {
		if (done >= IOASID_COMPLETE_ALL - 1)
			return;
	} while (!__atomic_compare_exchange_n(&x->done, &done, done + 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	ioasid_wake_word(&x->done, 1);
}

static inline void complete_all(struct completion *x)
{
	if (WARN_ON_ONCE(!x))
		return;
	__atomic_store_n(&x->done, IOASID_COMPLETE_ALL, __ATOMIC_RELEASE);
	ioasid_wake_word(&x->done, 0x7fffffff);
}

/* False if it would have to wait. */
static inline bool try_wait_for_completion(struct completion *x)
{
	unsigned int done;

	if (WARN_ON_ONCE(!x))
		return false;
	done = __atomic_load_n(&x->done, __ATOMIC_ACQUIRE);
	while (done && done != IOASID_COMPLETE_ALL) {
		if (__atomic_compare_exchange_n(&x->done, &done, done - 1, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			return true;
	}
	return done != 0;
}

static inline bool completion_done(struct completion *x)
{
	return !WARN_ON_ONCE(!x) && __atomic_load_n(&x->done, __ATOMIC_ACQUIRE) != 0;
}

/* What is left of the time, at least 1; 0 if it is over. */
static inline unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout)
{
	long ticks = timeout > (unsigned long)MAX_SCHEDULE_TIMEOUT ? MAX_SCHEDULE_TIMEOUT
								   : (long)timeout;
	u64 limit = ioasid_wait_limit(ticks), since = ioasid_time_ns(), left = limit;

	if (WARN_ON_ONCE(!x))
		return 0;
	while (!try_wait_for_completion(x)) {
		left = ioasid_wait_left(limit, since);
		if (!left)
			return 0;
		ioasid_wait_word(&x->done, 0, left);
	}
	left = ioasid_wait_left(limit, since);
	return (unsigned long)ioasid_wait_ticks(left ? left : 1);
}

/* A warning, and back at once, for NULL. */
static inline void wait_for_completion(struct completion *x)
{
	wait_for_completion_timeout(x, (unsigned long)MAX_SCHEDULE_TIMEOUT);
}

/* No signal interrupts it: always 0. */
static inline int wait_for_completion_interruptible(struct completion *x)
{
	wait_for_completion(x);
	return 0;
}

static inline int wait_for_completion_killable(struct completion *x)
{
	wait_for_completion(x);
	return 0;
}

static inline long wait_for_completion_interruptible_timeout(struct completion *x,
							     unsigned long timeout)
{
	return (long)wait_for_completion_timeout(x, timeout);
}

static inline long wait_for_completion_killable_timeout(struct completion *x, unsigned long timeout)
{
	return (long)wait_for_completion_timeout(x, timeout);
}

#endif
