// SPDX-License-Identifier: MIT
// Notifiers of address spaces: <linux/mmu_notifier.h>.
#define _GNU_SOURCE
#include "kernel.h"

#include <linux/mmu_notifier.h>

/*
 * struct walk - somebody who tells notifiers; lies on that thread's stack
 * @at: the one whose function runs, or NULL
 * @to: the next one. It is read before the function runs, and whoever takes that one out puts its next here:
 *	so nothing of a notifier is looked at after its function, which may have freed it
 */
struct walk {
	struct walk *next;
	pthread_t thread;
	struct mmu_notifier *at;
	struct mmu_notifier *to;
};

/* All guarded by the lock, and the lists of all address spaces too. */
static struct walk *walks;
/* Put while something of theirs ran. */
static struct mmu_notifier *dying;

static void lock(void)
{
	pthread_mutex_lock(&cio_notifier_mutex);
}

static bool is_own(const struct walk *walk)
{
	return pthread_equal(walk->thread, pthread_self());
}

static bool runs(const struct mmu_notifier *mn, bool in_others_only)
{
	struct walk *walk;

	for (walk = walks; walk; walk = walk->next) {
		if (walk->at == mn && !(in_others_only && is_own(walk)))
			return true;
	}
	return false;
}

static void free_notifier(struct rcu_head *head)
{
	struct mmu_notifier *mn = container_of(head, struct mmu_notifier, rcu);
	struct mm_struct *mm = mn->mm;

	mn->ops->free_notifier(mn);
	ioasid_mm_drop(mm);
}

/* Gives the lock back, and frees what was put and runs no more: the lock is not held for that. */
static void unlock(void)
{
	struct mmu_notifier **link = &dying, *dead, *all = NULL;

	while ((dead = *link)) {
		if (runs(dead, false)) {
			link = &dead->next;
			continue;
		}
		*link = dead->next;
		dead->next = all;
		all = dead;
	}
	pthread_mutex_unlock(&cio_notifier_mutex);
	while ((dead = all)) {
		all = dead->next;
		ioasid_call_rcu(&dead->rcu, free_notifier);
	}
}

static void enter(struct walk *walk)
{
	walk->thread = pthread_self();
	walk->at = NULL;
	walk->to = NULL;
	walk->next = walks;
	walks = walk;
}

static void leave(const struct walk *walk)
{
	struct walk **link = &walks;

	while (*link && *link != walk)
		link = &(*link)->next;
	if (*link)
		*link = walk->next;
}

static void ran(struct walk *walk)
{
	walk->at = NULL;
	pthread_cond_broadcast(&cio_notifier_done);
}

/*
 * What @listed is in a notifier that is on the list of its address space. Owners need not zero theirs, and
 * nothing that one of them has there is followed: it is this number or it is not.
 */
static unsigned long mark(const struct mmu_notifier *mn)
{
	return ~((unsigned long)mn ^ (unsigned long)mn->mm << 1);
}

static bool is_known(const struct mmu_notifier *mn)
{
	const struct mmu_notifier *other = dying;

	while (other && other != mn)
		other = other->next;
	return other || mn->listed == mark(mn);
}

static bool take_out(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct mmu_notifier **link = &mm->notifiers;
	struct walk *walk;

	while (*link && *link != mn)
		link = &(*link)->next;
	if (!*link)
		return false;
	mn->listed = 0;
	__atomic_store_n(link, mn->next, __ATOMIC_RELAXED);
	for (walk = walks; walk; walk = walk->next) {
		if (walk->to == mn)
			walk->to = mn->next;
	}
	return true;
}

/* With the lock, which is given up meanwhile. */
static void release(struct walk *walk, struct mmu_notifier *mn, struct mm_struct *mm)
{
	walk->at = mn;
	unlock();
	if (mn->ops->release)
		mn->ops->release(mn, mm);
	lock();
	ran(walk);
}

/* In the child of fork(), with the lock: nobody is told. They may be registered anew. */
void cio_notifiers_forget(struct mm_struct *mm)
{
	struct mmu_notifier *mn;

	for (mn = mm->notifiers; mn; mn = mn->next)
		mn->listed = 0;
	mm->notifiers = NULL;
}

void cio_notifiers_release(struct mm_struct *mm)
{
	struct mmu_notifier *mn;
	struct walk walk;

	if (!__atomic_load_n(&mm->notifiers, __ATOMIC_RELAXED))
		return;
	lock();
	enter(&walk);
	while ((mn = mm->notifiers)) {
		take_out(mn, mm);
		release(&walk, mn, mm);
	}
	leave(&walk);
	unlock();
}

/* @ops: what it is to have; NULL keeps its own. */
static int add(struct mmu_notifier *mn, struct mm_struct *mm, const struct mmu_notifier_ops *ops)
{
	bool is_new;

	if (!mn || !mm || (!ops && !mn->ops) || atomic_read(&mm->mm_users) <= 0) {
		cio_warn("mmu_notifier_register without ops, or on what has no users");
		return -EINVAL;
	}
	lock();
	is_new = !is_known(mn);
	if (is_new) {
		mn->mm = mm;
		mn->users = 1;
		mn->next = mm->notifiers;
		if (ops)
			mn->ops = ops;
		mn->listed = mark(mn);
		mmgrab(mm);
		__atomic_store_n(&mm->notifiers, mn, __ATOMIC_RELAXED);
	}
	unlock();
	if (is_new)
		return 0;
	cio_warn("mmu_notifier_register of one that is registered, here or elsewhere");
	return -EEXIST;
}

int ioasid_mmu_register(struct mmu_notifier *mn, struct mm_struct *mm)
{
	return add(mn, mm, NULL);
}

void ioasid_mmu_unregister(struct mmu_notifier *mn, struct mm_struct *mm)
{
	int before = cio_hold_cancellation();
	struct walk walk;

	lock();
	if (!mn || !mm || mn->mm != mm) {
		unlock();
		cio_restore_cancellation(before);
		cio_warn("mmu_notifier_unregister of one that is not registered there");
		return;
	}
	enter(&walk);
	if (take_out(mn, mm))
		release(&walk, mn, mm);
	leave(&walk);
	mn->mm = NULL;
	while (runs(mn, true))
		pthread_cond_wait(&cio_notifier_done, &cio_notifier_mutex);
	unlock();
	cio_restore_cancellation(before);
	ioasid_mm_drop(mm);
}

struct mmu_notifier *ioasid_mmu_get(const struct mmu_notifier_ops *ops, struct mm_struct *mm)
{
	struct mmu_notifier *mn;
	int err;

	if (!mm || !ops || !ops->alloc_notifier || !ops->free_notifier ||
	    atomic_read(&mm->mm_users) <= 0) {
		cio_warn("mmu_notifier_get without alloc and free, or on what has no users");
		return ERR_PTR(-EINVAL);
	}
	lock();
	for (mn = mm->notifiers; mn && mn->ops != ops; mn = mn->next)
		;
	if (mn)
		mn->users++;
	unlock();
	if (mn)
		return mn;
	mn = ops->alloc_notifier(mm);
	if (!mn)
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(mn))
		return mn;
	err = add(mn, mm, ops);
	if (!err)
		return mn;
	/* One that is registered is in use. */
	if (err != -EEXIST)
		ops->free_notifier(mn);
	return ERR_PTR(err);
}

void ioasid_mmu_put(struct mmu_notifier *mn)
{
	bool bad;

	lock();
	bad = !mn || !mn->users || !mn->mm || !mn->ops->free_notifier;
	if (!bad && --mn->users == 0) {
		take_out(mn, mn->mm);
		mn->next = dying;
		dying = mn;
	}
	unlock();
	if (bad)
		cio_warn("mmu_notifier_put of one that has no users");
}

void ioasid_mmu_synchronize(void)
{
	int before = cio_hold_cancellation();
	struct mmu_notifier *mn;

	lock();
	for (mn = dying; mn;) {
		if (!runs(mn, true)) {
			mn = mn->next;
			continue;
		}
		pthread_cond_wait(&cio_notifier_done, &cio_notifier_mutex);
		mn = dying;
	}
	unlock();
	cio_restore_cancellation(before);
	ioasid_rcu_barrier();
}

/* What to tell. */
enum what { START, INVALIDATE = 2, END = 4 };

static void tell(struct mmu_notifier *mn, const struct mmu_notifier_range *range, unsigned int what)
{
	const struct mmu_notifier_ops *ops = mn->ops;

	if (!what && ops->invalidate_range_start && ops->invalidate_range_start(mn, range))
		cio_warn("invalidate_range_start: an error where it may wait");
	if ((what & INVALIDATE) && ops->invalidate_range)
		ops->invalidate_range(mn, range->mm, range->start, range->end);
	if ((what & END) && ops->invalidate_range_end)
		ops->invalidate_range_end(mn, range);
}

static void tell_all(const struct mmu_notifier_range *range, unsigned int what)
{
	struct mmu_notifier *mn;
	struct walk walk;

	if (!range || !range->mm) {
		cio_warn("mmu_notifier: no range of an address space");
		return;
	}
	if (!mm_has_notifiers(range->mm))
		return;
	lock();
	enter(&walk);
	walk.to = range->mm->notifiers;
	while ((mn = walk.to)) {
		walk.to = mn->next;
		walk.at = mn;
		unlock();
		tell(mn, range, what);
		lock();
		ran(&walk);
	}
	leave(&walk);
	unlock();
}

void ioasid_mmu_start(const struct mmu_notifier_range *range)
{
	tell_all(range, START);
}

void ioasid_mmu_end(const struct mmu_notifier_range *range, bool invalidate, bool end)
{
	tell_all(range, (invalidate ? INVALIDATE : 0u) | (end ? END : 0u));
}

/* The child has one thread: what others were telling ends here. */
void cio_notifiers_after_fork_child(void)
{
	struct walk **link = &walks;

	pthread_cond_init(&cio_notifier_done, NULL);
	while (*link) {
		if (is_own(*link))
			link = &(*link)->next;
		else
			*link = (*link)->next;
	}
}
