/* SPDX-License-Identifier: MIT */
/* Compat: read-copy-update, over liburcu-bp: the readers that the library itself waits for. */
#ifndef IOASID_LINUX_RCUPDATE_H
#define IOASID_LINUX_RCUPDATE_H

#include <stdbool.h>

#include <urcu/urcu-bp.h>

/* Whoever included <urcu-bp.h> before has some of the names; these mean the same. */
#undef rcu_read_lock
#undef rcu_read_unlock
#undef synchronize_rcu
#undef call_rcu
#undef rcu_barrier
#undef rcu_dereference
#undef rcu_assign_pointer

/*
 * Thread sanitizers do not see into liburcu, and are told what a grace period means: whatever
 * readers did in their sections happens before what follows the wait.
 */
#if defined(__SANITIZE_THREAD__)
#define IOASID_RCU_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IOASID_RCU_TSAN
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef IOASID_RCU_TSAN
/* liburcu declares it only to those who inline its readers. */
extern struct urcu_bp_gp urcu_bp_gp;
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define rcu_read_unlock() (__tsan_release(&urcu_bp_gp), urcu_bp_read_unlock())
#define synchronize_rcu() (urcu_bp_synchronize_rcu(), __tsan_acquire(&urcu_bp_gp))
#else
#define rcu_read_unlock() urcu_bp_read_unlock()
#define synchronize_rcu() urcu_bp_synchronize_rcu()
#endif
#define rcu_read_lock() urcu_bp_read_lock()
#define rcu_read_lock_held() (urcu_bp_read_ongoing() != 0)

#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_dereference_raw(p) rcu_dereference(p)
#define rcu_dereference_check(p, condition) ((void)(condition), rcu_dereference(p))
#define rcu_dereference_protected(p, condition) ((void)(condition), (p))
#define rcu_access_pointer(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define rcu_assign_pointer(p, value) __atomic_store_n(&(p), value, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, value) __atomic_store_n(&(p), value, __ATOMIC_RELAXED)
#define rcu_replace_pointer(p, value, condition) \
	((void)(condition), __atomic_exchange_n(&(p), value, __ATOMIC_ACQ_REL))

/* liburcu runs these in a helper thread that its first use starts. */
#define call_rcu(head, fn) urcu_bp_call_rcu(head, fn)

/**
 * ioasid_free_rcu() - free() a block when no reader can use it any more
 * @head: a struct rcu_head inside the block, to remember it by
 * @block: what malloc() or kmalloc() returned; NULL does nothing
 *
 * Context: any, also inside a read-side section; does not wait. A thread of the library frees, it
 * is started by the first call. What is left at exit() or dlclose() is freed then.
 */
void ioasid_free_rcu(struct rcu_head *head, void *block);

/**
 * ioasid_free_rcu_barrier() - wait until all that was given to ioasid_free_rcu() is free
 *
 * Context: waits for a grace period: not in a read-side section.
 */
void ioasid_free_rcu_barrier(void);

#define kfree_rcu(ptr, member) \
	__extension__({ \
		__typeof__(ptr) ioasid_ptr = (ptr); \
		if (ioasid_ptr) \
			ioasid_free_rcu(&ioasid_ptr->member, (void *)ioasid_ptr); \
	})

#define rcu_barrier() (ioasid_free_rcu_barrier(), urcu_bp_barrier())

#ifdef __cplusplus
}
#endif

#endif
