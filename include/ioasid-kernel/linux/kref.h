/* SPDX-License-Identifier: MIT */
/* Compat: reference counts that call a function with the last one, over <linux/refcount.h>. */
#ifndef IOASID_LINUX_KREF_H
#define IOASID_LINUX_KREF_H

#include <linux/refcount.h>

struct kref {
	refcount_t refcount;
};

#define KREF_INIT(n) { REFCOUNT_INIT(n) }

static inline void kref_init(struct kref *kref)
{
	refcount_set(&kref->refcount, 1);
}

static inline unsigned int kref_read(const struct kref *kref)
{
	return refcount_read(&kref->refcount);
}

static inline void kref_get(struct kref *kref)
{
	refcount_inc(&kref->refcount);
}

static inline __must_check bool kref_get_unless_zero(struct kref *kref)
{
	return refcount_inc_not_zero(&kref->refcount);
}

/* 1 if it was the last one and @release was called, else 0. No @release is a warning, and nothing. */
static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (WARN_ON_ONCE(!release) || !refcount_dec_and_test(&kref->refcount))
		return 0;
	release(kref);
	return 1;
}

/* The same, with the lock taken before the count goes to 0; @release unlocks it. */
static inline int kref_put_mutex(struct kref *kref, void (*release)(struct kref *kref),
				 struct mutex *lock)
{
	if (WARN_ON_ONCE(!release) || !refcount_dec_and_mutex_lock(&kref->refcount, lock))
		return 0;
	release(kref);
	return 1;
}

static inline int kref_put_lock(struct kref *kref, void (*release)(struct kref *kref),
				spinlock_t *lock)
{
	return kref_put_mutex(kref, release, lock);
}

#endif
