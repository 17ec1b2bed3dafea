/* SPDX-License-Identifier: MIT */
/* Compat: a warning where a lock should be held and is not. There is no lock dependency checker. */
#ifndef IOASID_LINUX_LOCKDEP_H
#define IOASID_LINUX_LOCKDEP_H

#include <linux/bug.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

/*
 * For mutexes and spinlocks, which are the same here, and semaphores of readers and writers. They do not know
 * their holder: a lock that another thread holds passes.
 */
#ifdef __cplusplus
static inline bool lockdep_is_held(struct mutex *lock)
{
	return mutex_is_locked(lock);
}

static inline bool lockdep_is_held(struct rw_semaphore *lock)
{
	return rwsem_is_locked(lock);
}
#else
#define lockdep_is_held(lock) \
	__extension__ _Generic((lock), \
		struct rw_semaphore *: rwsem_is_locked((struct rw_semaphore *)(void *)(lock)), \
		struct mutex *: mutex_is_locked((struct mutex *)(void *)(lock)))
#endif
#define lockdep_assert_held(lock) ((void)WARN_ON(!lockdep_is_held(lock)))
#define lockdep_assert_held_once(lock) ((void)WARN_ON_ONCE(!lockdep_is_held(lock)))

#endif
