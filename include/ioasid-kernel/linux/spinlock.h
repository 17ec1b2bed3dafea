/* SPDX-License-Identifier: MIT */
/* Compat: spinlocks, over <linux/mutex.h>. */
#ifndef IOASID_LINUX_SPINLOCK_H
#define IOASID_LINUX_SPINLOCK_H

#include <linux/bug.h>
#include <linux/mutex.h>

/*
 * The holder may lose its CPU here, so that spinning would be waste: waiters sleep. There are no
 * interrupts and no softirqs to keep out; the forms that disable them lock, and that is all.
 */
typedef struct mutex spinlock_t;
typedef struct mutex raw_spinlock_t;

#define DEFINE_SPINLOCK(name) DEFINE_MUTEX(name)
#define DEFINE_RAW_SPINLOCK(name) DEFINE_MUTEX(name)

#define spin_lock_init(lock) mutex_init(lock)
#define spin_lock(lock) mutex_lock(lock)
#define spin_trylock(lock) mutex_trylock(lock)
#define spin_unlock(lock) mutex_unlock(lock)
#define spin_is_locked(lock) mutex_is_locked(lock)
/* A warning, where the kernel stops. */
#define assert_spin_locked(lock) ((void)WARN_ON(!mutex_is_locked(lock)))

#define spin_lock_irq(lock) mutex_lock(lock)
#define spin_unlock_irq(lock) mutex_unlock(lock)
#define spin_lock_bh(lock) mutex_lock(lock)
#define spin_unlock_bh(lock) mutex_unlock(lock)
#define spin_trylock_irq(lock) mutex_trylock(lock)
#define spin_trylock_bh(lock) mutex_trylock(lock)
#define spin_trylock_irqsave(lock, flags) ((flags) = 0UL, mutex_trylock(lock))
#define spin_lock_irqsave(lock, flags) ((flags) = 0UL, mutex_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), mutex_unlock(lock))

#define raw_spin_lock_init(lock) mutex_init(lock)
#define raw_spin_lock(lock) mutex_lock(lock)
#define raw_spin_trylock(lock) mutex_trylock(lock)
#define raw_spin_unlock(lock) mutex_unlock(lock)
#define raw_spin_lock_irqsave(lock, flags) spin_lock_irqsave(lock, flags)
#define raw_spin_unlock_irqrestore(lock, flags) spin_unlock_irqrestore(lock, flags)

#endif
