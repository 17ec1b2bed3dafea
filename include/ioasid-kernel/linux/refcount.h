/* SPDX-License-Identifier: MIT */
/* Compat: reference counts that saturate instead of wrapping, and say so once a place. */
#ifndef IOASID_LINUX_REFCOUNT_H
#define IOASID_LINUX_REFCOUNT_H

#include <limits.h>

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n) { ATOMIC_INIT(n) }
#define REFCOUNT_MAX INT_MAX
/* Halfway down: as far as can be from both ends, so that racing updates cannot leave it. */
#define REFCOUNT_SATURATED (INT_MIN / 2)

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return IOASID_NUMBER(unsigned int, atomic_read(&r->refs));
}

/* A macro, so that each cause speaks once; a count that is saturated already has had its line. */
#define ioasid_refcount_saturate(r, old, why) \
	do { \
		refcount_set(r, REFCOUNT_SATURATED); \
		if ((old) >= 0 && ioasid_once()) \
			printk(KERN_WARNING "WARNING at %s:%d: refcount: " why \
			       "; saturated, its object leaks\n", __FILE__, __LINE__); \
	} while (0)

/* Past the end, whether it started there or crossed it by this very step. */
static inline bool ioasid_refcount_past(int old, int step)
{
	return old < 0 || IOASID_NUMBER(int, IOASID_NUMBER(unsigned int, old) +
						     IOASID_NUMBER(unsigned int, step)) < 0;
}

static inline void refcount_add(int i, refcount_t *r)
{
	int old = __atomic_fetch_add(&r->refs.counter, i, __ATOMIC_RELAXED);

	if (unlikely(!old))
		ioasid_refcount_saturate(r, old, "addition on 0, use after free");
	else if (unlikely(ioasid_refcount_past(old, i)))
		ioasid_refcount_saturate(r, old, "overflow");
}

static inline void refcount_inc(refcount_t *r)
{
	refcount_add(1, r);
}

static inline __must_check bool refcount_add_not_zero(int i, refcount_t *r)
{
	int old = atomic_read(&r->refs);

	do {
		if (!old)
			return false;
	} while (!__atomic_compare_exchange_n(&r->refs.counter, &old,
					      IOASID_NUMBER(int,
							    IOASID_NUMBER(unsigned int, old) +
								    IOASID_NUMBER(unsigned int, i)),
					      false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (unlikely(ioasid_refcount_past(old, i)))
		ioasid_refcount_saturate(r, old, "overflow");
	return true;
}

static inline __must_check bool refcount_inc_not_zero(refcount_t *r)
{
	return refcount_add_not_zero(1, r);
}

/* Release before, acquire after the last: what was done to the object is done before it goes. */
static inline __must_check bool refcount_sub_and_test(int i, refcount_t *r)
{
	int old = __atomic_fetch_sub(&r->refs.counter, i, __ATOMIC_ACQ_REL);

	if (old > 0 && old == i)
		return true;
	/* Nothing is left to take from, whatever is to be taken: also 0 from 0. */
	if (unlikely(
		    !old ||
		    ioasid_refcount_past(old, IOASID_NUMBER(int, -IOASID_NUMBER(unsigned int, i)))))
		ioasid_refcount_saturate(r, old, "underflow, use after free");
	return false;
}

static inline __must_check bool refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

static inline void refcount_dec(refcount_t *r)
{
	int old = __atomic_fetch_sub(&r->refs.counter, 1, __ATOMIC_RELEASE);

	if (unlikely(old <= 1))
		ioasid_refcount_saturate(r, old, "decrement hit 0, leaking memory");
}

static inline __must_check bool refcount_dec_if_one(refcount_t *r)
{
	return atomic_cmpxchg(&r->refs, 1, 0) == 1;
}

/* False if it was 1, and then nothing is changed. A saturated count stays, and so does 0, with a warning. */
static inline __must_check bool refcount_dec_not_one(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	do {
		if (old < 0)
			return true;
		if (old == 1)
			return false;
		if (WARN_ONCE(!old, "refcount: underflow, use after free\n"))
			return true;
	} while (!atomic_try_cmpxchg(&r->refs, &old, old - 1));
	return true;
}

/* True, and with the lock held, if the count went to 0. From 0 it does not go: no lock is taken. */
static inline __must_check bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	mutex_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	mutex_unlock(lock);
	return false;
}

static inline __must_check bool refcount_dec_and_lock(refcount_t *r, spinlock_t *lock)
{
	return refcount_dec_and_mutex_lock(r, lock);
}

#endif
