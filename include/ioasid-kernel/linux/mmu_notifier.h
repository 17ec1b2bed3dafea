/* SPDX-License-Identifier: MIT */
/* Compat: who wants to know when addresses of an address space go, or all of it. */
#ifndef IOASID_LINUX_MMU_NOTIFIER_H
#define IOASID_LINUX_MMU_NOTIFIER_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/mmap_lock.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

/*
 * Told by what this library does with its address spaces: ioasid_mm_unmap() of <linux/mm.h> and the
 * mmput() of the last user; and by code that calls the functions at the end of this page. The page
 * tables of the process itself are not watched. Interval notifiers, and the questions about pages
 * that were used, are not here.
 */

struct mmu_notifier;
struct mmu_notifier_range;

enum mmu_notifier_event {
	MMU_NOTIFY_UNMAP = 0,
	MMU_NOTIFY_CLEAR,
	MMU_NOTIFY_PROTECTION_VMA,
	MMU_NOTIFY_PROTECTION_PAGE,
	MMU_NOTIFY_SOFT_DIRTY,
	MMU_NOTIFY_RELEASE,
	MMU_NOTIFY_MIGRATE,
	MMU_NOTIFY_EXCLUSIVE,
};

#define MMU_NOTIFIER_RANGE_BLOCKABLE (1 << 0)

/**
 * struct mmu_notifier_ops - what a notifier wants to know
 * @release: the address space goes, or the notifier does; once
 * @invalidate_range_start: addresses are about to go; 0
 * @invalidate_range_end: they have gone
 * @invalidate_range: they have gone; before @invalidate_range_end
 * @alloc_notifier: for mmu_notifier_get(): one with this address space, or ERR_PTR()
 * @free_notifier: for mmu_notifier_put(): nobody knows it any more
 *
 * Each may be NULL but for the last two where they are asked for. They run in the thread of the cause,
 * without a lock of the library, perhaps in several threads at once, and may sleep. They must return:
 * no longjmp(), pthread_exit() or C++ exception.
 */
struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *subscription, struct mm_struct *mm);
	int (*invalidate_range_start)(struct mmu_notifier *subscription,
				      const struct mmu_notifier_range *range);
	void (*invalidate_range_end)(struct mmu_notifier *subscription,
				     const struct mmu_notifier_range *range);
	void (*invalidate_range)(struct mmu_notifier *subscription, struct mm_struct *mm,
				 unsigned long start, unsigned long end);
	struct mmu_notifier *(*alloc_notifier)(struct mm_struct *mm);
	void (*free_notifier)(struct mmu_notifier *subscription);
};

/**
 * struct mmu_notifier - a notifier, part of somebody's structure
 * @next: of the same address space (library's own)
 * @ops: what it wants to know; set by its owner
 * @mm: its address space, while it is registered
 * @rcu: for mmu_notifier_put() (library's own)
 * @users: of mmu_notifier_get() (library's own)
 * @listed: known by its value as one that is registered (library's own)
 */
struct mmu_notifier {
	struct mmu_notifier *next;
	const struct mmu_notifier_ops *ops;
	struct mm_struct *mm;
	struct rcu_head rcu;
	unsigned int users;
	unsigned long listed;
};

struct mmu_notifier_range {
	struct vm_area_struct *vma;
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	unsigned int flags;
	enum mmu_notifier_event event;
	void *owner;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_mmu_register() - begin to tell an mmu notifier
 * @mn: the notifier, with its ops
 * @mm: the address space, with a user that the caller holds; gets a reference
 *
 * Return: 0; -EINVAL for NULL, no ops or no users; -EEXIST if it is registered already, with this address
 *	space or another one: it stays as it is. Each is a warning.
 * Context: any thread, also in a notifier.
 */
int ioasid_mmu_register(struct mmu_notifier *mn, struct mm_struct *mm);

/**
 * ioasid_mmu_unregister() - tell an mmu notifier no more
 * @mn: the notifier
 * @mm: its address space; loses the reference
 *
 * Calls ops->release, unless the end of the address space has. When this returns, nothing of @mn is
 * running in another thread, and it may go. One that is not registered, or twice, is a warning.
 *
 * Context: waits for its functions in other threads, so not with a lock that they take. In one of
 *	them it does not wait for itself.
 */
void ioasid_mmu_unregister(struct mmu_notifier *mn, struct mm_struct *mm);

/**
 * ioasid_mmu_get() - find the mmu notifier with these ops, or make one
 * @ops: the ops, with alloc_notifier and free_notifier
 * @mm: the address space, with a user that the caller holds
 *
 * Return: it, with a user more; ERR_PTR(-EINVAL), ERR_PTR(-ENOMEM), or what alloc_notifier gave. If that gave
 *	one that is registered already, ERR_PTR(-EEXIST): it stays as it is.
 * Context: with the lock of the address space for writing.
 */
struct mmu_notifier *ioasid_mmu_get(const struct mmu_notifier_ops *ops, struct mm_struct *mm);

/**
 * ioasid_mmu_put() - drop a user of an mmu notifier
 * @mn: the notifier; NULL, and one put too often, are a warning
 *
 * With the last one it is told no more, and ops->free_notifier is called when nothing of it runs,
 * by the thread of call_rcu(). ops->release is not called.
 *
 * Context: any thread, also in a notifier. Does not wait.
 */
void ioasid_mmu_put(struct mmu_notifier *mn);

/**
 * ioasid_mmu_synchronize() - wait until all mmu notifiers that were put are freed
 *
 * Context: waits for notifiers and readers, as ioasid_rcu_barrier(). In a notifier it does not wait
 *	for that one.
 */
void ioasid_mmu_synchronize(void);

/**
 * ioasid_mmu_start() - tell the notifiers of an address space that addresses are about to go
 * @range: which
 *
 * An error of a notifier is a warning: it may wait.
 *
 * Context: as the notifiers need.
 */
void ioasid_mmu_start(const struct mmu_notifier_range *range);

/**
 * ioasid_mmu_end() - tell the notifiers of an address space that addresses have gone
 * @range: which
 * @invalidate: call ops->invalidate_range
 * @end: call ops->invalidate_range_end
 *
 * Context: as the notifiers need.
 */
void ioasid_mmu_end(const struct mmu_notifier_range *range, bool invalidate, bool end);

#ifdef __cplusplus
}
#endif

static inline int mm_has_notifiers(struct mm_struct *mm)
{
	return !WARN_ON_ONCE(!mm) && __atomic_load_n(&mm->notifiers, __ATOMIC_RELAXED) != NULL;
}

static inline int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm)
{
	return ioasid_mmu_register(mn, mm);
}

/* With the lock of the address space, as in the kernel; it is all the same here. */
static inline int __mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm)
{
	return ioasid_mmu_register(mn, mm);
}

static inline void mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm)
{
	ioasid_mmu_unregister(mn, mm);
}

static inline struct mmu_notifier *mmu_notifier_get_locked(const struct mmu_notifier_ops *ops,
							   struct mm_struct *mm)
{
	return ioasid_mmu_get(ops, mm);
}

static inline struct mmu_notifier *mmu_notifier_get(const struct mmu_notifier_ops *ops,
						    struct mm_struct *mm)
{
	struct mmu_notifier *mn;

	if (!mm)
		return ioasid_mmu_get(ops, mm);
	mmap_write_lock(mm);
	mn = ioasid_mmu_get(ops, mm);
	mmap_write_unlock(mm);
	return mn;
}

static inline void mmu_notifier_put(struct mmu_notifier *mn)
{
	ioasid_mmu_put(mn);
}

static inline void mmu_notifier_synchronize(void)
{
	ioasid_mmu_synchronize();
}

static inline bool mmu_notifier_range_blockable(const struct mmu_notifier_range *range)
{
	return !WARN_ON_ONCE(!range) && (range->flags & MMU_NOTIFIER_RANGE_BLOCKABLE);
}

static inline void mmu_notifier_range_init(struct mmu_notifier_range *range,
					   enum mmu_notifier_event event, unsigned int flags,
					   struct vm_area_struct *vma, struct mm_struct *mm,
					   unsigned long start, unsigned long end)
{
	range->owner = NULL;
	range->event = event;
	range->vma = vma;
	range->flags = flags;
	range->mm = mm;
	range->end = end;
	range->start = start;
}

static inline void mmu_notifier_invalidate_range_start(struct mmu_notifier_range *range)
{
	if (range)
		range->flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
	ioasid_mmu_start(range);
}

static inline void mmu_notifier_invalidate_range_end(struct mmu_notifier_range *range)
{
	ioasid_mmu_end(range, true, true);
}

static inline void mmu_notifier_invalidate_range_only_end(struct mmu_notifier_range *range)
{
	ioasid_mmu_end(range, false, true);
}

static inline void mmu_notifier_invalidate_range(struct mm_struct *mm, unsigned long start,
						 unsigned long end)
{
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, NULL, mm, start, end);
	ioasid_mmu_end(&range, true, false);
}

#endif
