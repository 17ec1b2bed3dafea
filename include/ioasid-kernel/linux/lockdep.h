/* SPDX-License-Identifier: MIT */
/* Compat: a warning where a lock should be held and is not. There is no lock dependency checker. */
#ifndef IOASID_LINUX_LOCKDEP_H
#define IOASID_LINUX_LOCKDEP_H

#include <linux/bug.h>
#include <linux/mutex.h>

/*
 * For mutexes and spinlocks, which are the same here. They do not know their holder: a lock that
 * another thread holds passes.
 */
#define lockdep_assert_held(lock) ((void)WARN_ON(!mutex_is_locked(lock)))
#define lockdep_assert_held_once(lock) ((void)WARN_ON_ONCE(!mutex_is_locked(lock)))
#define lockdep_is_held(lock) mutex_is_locked(lock)

#endif
