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
static inline bool lockdep_is_held(const struct mutex *lock)
{
	return mutex_is_locked(const_cast<struct mutex *>(lock));
}

static inline bool lockdep_is_held(const struct rw_semaphore *lock)
{
	return rwsem_is_locked(const_cast<struct rw_semaphore *>(lock));
}
#else
#define lockdep_is_held(lock) \
	__extension__ _Generic((lock), \
		struct rw_semaphore *: rwsem_is_locked((struct rw_semaphore *)(unsigned long)(lock)), \
		const struct rw_semaphore *: rwsem_is_locked((struct rw_semaphore *)(unsigned long)(lock)), \
		struct mutex *: mutex_is_locked((struct mutex *)(unsigned long)(lock)), \
		const struct mutex *: mutex_is_locked((struct mutex *)(unsigned long)(lock)))
#endif
#define lockdep_assert_held(lock) ((void)WARN_ON(!lockdep_is_held(lock)))
#define lockdep_assert_held_once(lock) ((void)WARN_ON_ONCE(!lockdep_is_held(lock)))

#endif
