/* SPDX-License-Identifier: MIT */
/* What the kernel's ioasid.c, xarray.c and IDA need from a kernel, said in user space; included before every file. */
/*
 * The kernel tree has user-space stand-ins for most of its headers (tools/include and
 * tools/testing/radix-tree). They are made for testing: locks are mutexes, bit searches are
 * loops, every node allocation takes a lock and is counted. Replaced here is what would make the
 * kernel look slower than it is. build-kernel.sh puts an empty file in the place of each header
 * that this one replaces.
 */
#ifndef BENCH_KERNEL_SHIM_H
#define BENCH_KERNEL_SHIM_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <urcu-bp.h>

/* asm/bitops.h: one instruction each, as on the real x86 */
static __always_inline unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

static __always_inline unsigned long __fls(unsigned long word)
{
	return 63 - __builtin_clzl(word);
}

static __always_inline int fls(unsigned int word)
{
	return word ? 32 - __builtin_clz(word) : 0;
}

static __always_inline int fls64(__u64 word)
{
	return word ? 64 - __builtin_clzll(word) : 0;
}

#define ffz(word)	__ffs(~(word))

/* linux/kernel.h, then silence: a console nobody reads */
#include <linux/kernel.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/list.h>
#undef pr_err
#undef pr_info
#undef pr_debug
#define pr_err(...)	do { } while (0)
#define pr_warn(...)	do { } while (0)
#define pr_info(...)	do { } while (0)
#define pr_debug(...)	do { } while (0)

/* linux/module.h, linux/preempt.h */
#define MODULE_AUTHOR(name)
#define MODULE_LICENSE(name)
#define MODULE_DESCRIPTION(name)
#define module_init(fn)
#define module_exit(fn)
#define preempt_disable()	do { } while (0)
#define preempt_enable()	do { } while (0)
static inline int in_interrupt(void)
{
	return 0;
}

/* linux/spinlock.h: one exchange to take, one store to leave */
typedef struct {
	int taken;
} spinlock_t;

#define DEFINE_SPINLOCK(name)		spinlock_t name = { 0 }
#define __SPIN_LOCK_UNLOCKED(name)	((spinlock_t){ 0 })
#define spin_lock_init(lock)		((lock)->taken = 0)

static __always_inline void spin_lock(spinlock_t *lock)
{
	unsigned int spins = 0;

	while (unlikely(__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))) {
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED)) {
			__builtin_ia32_pause();
			if (++spins % 1024 == 0) /* the holder may have been preempted */
				sched_yield();
		}
	}
}

static __always_inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

#define spin_lock_bh(lock)			spin_lock(lock)
#define spin_unlock_bh(lock)			spin_unlock(lock)
#define spin_lock_irq(lock)			spin_lock(lock)
#define spin_unlock_irq(lock)			spin_unlock(lock)
#define spin_lock_irqsave(lock, flags)		do { (void)(flags); spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags)	do { (void)(flags); spin_unlock(lock); } while (0)

/* linux/rcupdate.h: readers are liburcu's; callbacks wait on a list of their thread */
#define rcu_dereference_raw(p)			rcu_dereference(p)
#define rcu_dereference_check(p, cond)		rcu_dereference(p)
#define rcu_dereference_protected(p, cond)	rcu_dereference(p)
#define RCU_INIT_POINTER(p, value)		((p) = (value))
#undef rcu_assign_pointer /* liburcu's has a fence that the kernel's has not on x86 */
#define rcu_assign_pointer(p, value)		__atomic_store_n(&(p), (value), __ATOMIC_RELEASE)

#undef synchronize_rcu /* the tools' headers define it away */
#define synchronize_rcu()			urcu_bp_synchronize_rcu()

typedef void (*shim_rcu_fn)(struct rcu_head *head);
void shim_call_rcu(struct rcu_head *head, shim_rcu_fn fn);
void shim_run_ready(unsigned int most);
extern __thread struct rcu_head *shim_ready;

#undef call_rcu
#define call_rcu(head, fn)	shim_call_rcu(head, fn)
/* like the kernel: a "function" below one page is the offset of the head in what to free */
#define SHIM_OFFSET_END		4096
#define kfree_rcu(ptr, field) \
	shim_call_rcu(&(ptr)->field, (shim_rcu_fn)offsetof(typeof(*(ptr)), field))

/* linux/slab.h: malloc, which also pays off two callbacks whose grace period is over */
#define SLAB_PANIC		0
#define SLAB_RECLAIM_ACCOUNT	0

static __always_inline void *kmalloc(size_t size, gfp_t gfp)
{
	if (shim_ready)
		shim_run_ready(2);
	return malloc(size);
}

static __always_inline void *kzalloc(size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp);

	return p ? memset(p, 0, size) : NULL;
}

static inline void kfree(const void *p)
{
	free((void *)p);
}

struct list_lru;
struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *));
void *kmem_cache_alloc_lru(struct kmem_cache *cache, struct list_lru *lru, int gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);

static inline void *kmem_cache_alloc(struct kmem_cache *cache, int gfp)
{
	return kmem_cache_alloc_lru(cache, NULL, gfp);
}

#endif
