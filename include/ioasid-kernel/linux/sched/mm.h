/* SPDX-License-Identifier: MIT */
/* Compat: life cycle of address spaces, and the PASID each may have. */
#include <linux/ioasid-version.h>
#ifndef IOASID_LINUX_SCHED_MM_H
#define IOASID_LINUX_SCHED_MM_H

#include <linux/atomic.h>
#include <linux/export.h> /* sources that use this header count on it */
#include <linux/gfp.h>
#include <linux/ioasid.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_mm_alloc() - make an address space
 *
 * The memory of one that is gone is used again only after a grace period, so that a getter of
 * ioasid_find() may call mmget_not_zero() on what it is given.
 *
 * Return: it, with one user, and without a PASID; NULL for want of memory.
 * Context: takes a lock of its own. May wait for a grace period, without that lock; not in a callback of
 *	the library or in a read-side section. Not in a signal handler. No cancellation point.
 */
struct mm_struct *ioasid_mm_alloc(void);

/**
 * ioasid_mm_put() - drop a user of an address space
 * @mm: the address space
 *
 * The last one frees the PASID, as 5.18 to 6.3 do, and drops the users' common reference. The PASID
 * is the one that mm_pasid_set() stored: older code writes numbers into the field itself, and frees
 * them itself. If it took that one back as well, and the field says "none" (INVALID_IOASID, or 0),
 * nothing is freed. A put too many does nothing.
 *
 * Context: any thread; not a signal handler. Lock-free but for the last user; then see ioasid_free().
 */
void ioasid_mm_put(struct mm_struct *mm);

/**
 * ioasid_mm_drop() - drop a reference on the structure of an address space
 * @mm: the address space
 *
 * The last one gives memory of ioasid_mm_alloc() back. Any other structure is its owner's to free.
 * A drop too many does nothing.
 *
 * Context: any thread; not a signal handler. Lock-free but for the last reference.
 */
void ioasid_mm_drop(struct mm_struct *mm);

/**
 * ioasid_mm_pasid_drop() - free the PASID of an address space
 * @mm: the address space
 *
 * Whoever stored it; nothing happens if the field says INVALID_IOASID, which it does afterwards.
 *
 * Context: as ioasid_free(). Follows mm_pasid_drop() of 5.18 to 6.3.
 */
void ioasid_mm_pasid_drop(struct mm_struct *mm);

/**
 * ioasid_mm_put_async() - drop a user of an address space, and let another thread do what the last one must
 * @mm: the address space
 *
 * Context: any thread, also a handler or a reader; not a signal handler. Does not wait.
 */
void ioasid_mm_put_async(struct mm_struct *mm);

#ifdef __cplusplus
}
#endif

/* What 5.10 to 5.17 have in an mm that has no PASID. */
#ifndef PASID_DISABLED
#define PASID_DISABLED 0
#endif

static inline struct mm_struct *mm_alloc(void)
{
	return ioasid_mm_alloc();
}

static inline void mmget(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_users);
}

static inline bool mmget_not_zero(struct mm_struct *mm)
{
	return atomic_inc_not_zero(&mm->mm_users);
}

static inline void mmput(struct mm_struct *mm)
{
	ioasid_mm_put(mm);
}

static inline void mmput_async(struct mm_struct *mm)
{
	ioasid_mm_put_async(mm);
}

static inline void mmgrab(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_count);
}

static inline void mmdrop(struct mm_struct *mm)
{
	ioasid_mm_drop(mm);
}

/* With a user added: mmput() it. */
static inline struct mm_struct *get_task_mm(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm && mmget_not_zero(mm) ? mm : NULL;
}

static inline void mm_pasid_init(struct mm_struct *mm)
{
	mm->pasid = INVALID_IOASID;
	mm->stored = 0;
}

static inline void mm_pasid_set(struct mm_struct *mm, u32 pasid)
{
	mm->pasid = pasid;
	mm->stored = pasid + 1;
}

static inline void mm_pasid_drop(struct mm_struct *mm)
{
	ioasid_mm_pasid_drop(mm);
}

#endif
