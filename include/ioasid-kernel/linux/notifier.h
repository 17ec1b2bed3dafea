/* SPDX-License-Identifier: MIT */
/* Compat: notifier chains, atomic, blocking and raw. */
#ifndef IOASID_LINUX_NOTIFIER_H
#define IOASID_LINUX_NOTIFIER_H

#include <linux/errno.h>
#include "../../ioasid/linux/ioasid-notifier.h"
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

/* Must return: no longjmp(), pthread_exit() or C++ exception. */
typedef int (*notifier_fn_t)(struct notifier_block *nb, unsigned long action, void *data);

struct raw_notifier_head {
	struct notifier_block *head;
};

struct atomic_notifier_head {
	spinlock_t lock;
	struct notifier_block *head;
};

struct blocking_notifier_head {
	struct rw_semaphore rwsem;
	struct notifier_block *head;
};

#define RAW_NOTIFIER_INIT(name) { NULL }
#define ATOMIC_NOTIFIER_INIT(name) { { PTHREAD_MUTEX_INITIALIZER, false }, NULL }
#define BLOCKING_NOTIFIER_INIT(name) { IOASID_RWSEM_INIT, NULL }

#define RAW_NOTIFIER_HEAD(name) struct raw_notifier_head name = RAW_NOTIFIER_INIT(name)
#define ATOMIC_NOTIFIER_HEAD(name) struct atomic_notifier_head name = ATOMIC_NOTIFIER_INIT(name)
#define BLOCKING_NOTIFIER_HEAD(name) \
	struct blocking_notifier_head name = BLOCKING_NOTIFIER_INIT(name)

#define RAW_INIT_NOTIFIER_HEAD(nh) ((nh)->head = NULL)
#define ATOMIC_INIT_NOTIFIER_HEAD(nh) (spin_lock_init(&(nh)->lock), (nh)->head = NULL)
#define BLOCKING_INIT_NOTIFIER_HEAD(nh) (init_rwsem(&(nh)->rwsem), (nh)->head = NULL)

/* Highest priority first, then as registered. */
static inline int ioasid_chain_register(struct notifier_block **link, struct notifier_block *nb)
{
	struct notifier_block **place = NULL;

	for (; *link; link = &(*link)->next) {
		if (*link == nb)
			return -EEXIST;
		if (!place && nb->priority > (*link)->priority)
			place = link;
	}
	if (!place)
		place = link;
	nb->next = *place;
	rcu_assign_pointer(*place, nb);
	return 0;
}

/* The block keeps its next, for a walk that stands on it. */
static inline int ioasid_chain_unregister(struct notifier_block **link, struct notifier_block *nb)
{
	for (; *link; link = &(*link)->next) {
		if (*link == nb) {
			rcu_assign_pointer(*link, nb->next);
			return 0;
		}
	}
	return -ENOENT;
}

/* The next one is read before the call: a handler may unregister itself where its chain allows. */
static inline int ioasid_chain_call(struct notifier_block **head, unsigned long action, void *data)
{
	struct notifier_block *nb = rcu_dereference(*head);
	int ret = NOTIFY_DONE;

	while (nb && !(ret & NOTIFY_STOP_MASK)) {
		struct notifier_block *next = rcu_dereference(nb->next);

		ret = nb->notifier_call(nb, action, data);
		nb = next;
	}
	return ret;
}

/* Raw chains: locking is the caller's. */

static inline int raw_notifier_chain_register(struct raw_notifier_head *nh,
					      struct notifier_block *nb)
{
	return ioasid_chain_register(&nh->head, nb);
}

static inline int raw_notifier_chain_unregister(struct raw_notifier_head *nh,
						struct notifier_block *nb)
{
	return ioasid_chain_unregister(&nh->head, nb);
}

static inline int raw_notifier_call_chain(struct raw_notifier_head *nh, unsigned long action,
					  void *data)
{
	return ioasid_chain_call(&nh->head, action, data);
}

/* Atomic chains: handlers run in a read-side section, so they must not unregister from it. */

static inline int atomic_notifier_chain_register(struct atomic_notifier_head *nh,
						 struct notifier_block *nb)
{
	int err;

	spin_lock(&nh->lock);
	err = ioasid_chain_register(&nh->head, nb);
	spin_unlock(&nh->lock);
	return err;
}

/* Once it has returned, the block is not running and may go. -EDEADLK where the wait for that
 * could not end, inside a read-side section; nothing has changed then. */
static inline int atomic_notifier_chain_unregister(struct atomic_notifier_head *nh,
						   struct notifier_block *nb)
{
	int err;

	if (rcu_read_lock_held())
		return -EDEADLK;
	spin_lock(&nh->lock);
	err = ioasid_chain_unregister(&nh->head, nb);
	spin_unlock(&nh->lock);
	synchronize_rcu();
	return err;
}

static inline int atomic_notifier_call_chain(struct atomic_notifier_head *nh, unsigned long action,
					     void *data)
{
	int ret;

	rcu_read_lock();
	ret = ioasid_chain_call(&nh->head, action, data);
	rcu_read_unlock();
	return ret;
}

/* Blocking chains: handlers may sleep; they must neither register nor unregister in their own. */

static inline int blocking_notifier_chain_register(struct blocking_notifier_head *nh,
						   struct notifier_block *nb)
{
	int err;

	down_write(&nh->rwsem);
	err = ioasid_chain_register(&nh->head, nb);
	up_write(&nh->rwsem);
	return err;
}

static inline int blocking_notifier_chain_unregister(struct blocking_notifier_head *nh,
						     struct notifier_block *nb)
{
	int err;

	down_write(&nh->rwsem);
	err = ioasid_chain_unregister(&nh->head, nb);
	up_write(&nh->rwsem);
	return err;
}

static inline int blocking_notifier_call_chain(struct blocking_notifier_head *nh,
					       unsigned long action, void *data)
{
	int ret;

	down_read(&nh->rwsem);
	ret = ioasid_chain_call(&nh->head, action, data);
	up_read(&nh->rwsem);
	return ret;
}

#endif
