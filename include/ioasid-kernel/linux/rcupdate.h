/* SPDX-License-Identifier: MIT */
/* Compat: read-copy-update: the readers that the library itself waits for. */
#ifndef IOASID_LINUX_RCUPDATE_H
#define IOASID_LINUX_RCUPDATE_H

#include <stdbool.h>
#include <stdlib.h>

#include <linux/types.h>

#include "../../ioasid/linux/ioasid-rcu.h"

typedef struct rcu_head ioasid_rcu_head;
typedef void (*rcu_callback_t)(struct rcu_head *head);

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_call_rcu() - have a function called after a grace period
 * @head: a struct rcu_head, the library's until @func is called; NULL does nothing
 * @func: what to call, with @head; NULL does nothing
 *
 * Functions are called one after another, in the order of the calls, by a thread of the library that
 * the first use starts; it blocks all signals and has no address space. They may defer more. A function
 * must come back: longjmp(), pthread_exit() and exceptions that leave it are not supported.
 *
 * At exit() what is left goes with the process. The child of fork() has its own copy of what waits,
 * memory and functions, and deals with it when it next uses one of these functions; so a function
 * that does something outside of its process does it in both. The one that was being called is not
 * called again.
 *
 * Context: any thread, also a reader, an item, a handler or a log sink; not a signal handler. Does
 *	not wait.
 */
void ioasid_call_rcu(struct rcu_head *head, rcu_callback_t func);

/**
 * ioasid_free_rcu() - give a block back when no reader can use it any more
 * @head: a struct rcu_head inside the block, to remember it by
 * @block: what malloc() or kmalloc() returned; NULL does nothing
 *
 * Not before 20 ms have passed, either: the kernel gathers such blocks, and some of its code looks
 * at a block that it has just given away. Everything else as for ioasid_call_rcu().
 *
 * Context: as ioasid_call_rcu().
 */
void ioasid_free_rcu(struct rcu_head *head, void *block);

/**
 * ioasid_rcu_barrier() - wait until everything deferred before is freed or called
 *
 * Blocks are then freed after a grace period, at once. In a read-side section, or in a function
 * that ioasid_call_rcu() calls, it says so on the log and does not wait.
 *
 * Context: waits for readers, as ioasid_rcu_synchronize(), and for the functions.
 */
void ioasid_rcu_barrier(void);

/* Where glibc has a thread's id; the library makes sure that it is there. */
#if defined(__x86_64__) && !defined(__ILP32__) && defined(__has_include)
#if __has_include(<gnu/libc-version.h>)
#define IOASID_RCU_IN_LINE
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#undef IOASID_RCU_IN_LINE
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef IOASID_RCU_IN_LINE
#endif
#endif

#ifdef IOASID_RCU_IN_LINE
static const struct ioasid_rcu_words *ioasid_rcu_known_view __attribute__((__unused__));

static inline const struct ioasid_rcu_words *ioasid_rcu_look(void)
{
	const struct ioasid_rcu_words *view =
		__atomic_load_n(&ioasid_rcu_known_view, __ATOMIC_RELAXED);

	if (__builtin_expect(!view, 0)) {
		view = ioasid_rcu_view();
		__atomic_store_n(&ioasid_rcu_known_view, view, __ATOMIC_RELAXED);
	}
	return view;
}

/*
 * The caller's record, or NULL where it takes longer to find. A thread that has had a record knows
 * it by its id; the first time the thread pointer is compared as well.
 */
static inline struct ioasid_rcu_reader *ioasid_rcu_self(const struct ioasid_rcu_words *view,
							bool is_known)
{
	struct ioasid_rcu_reader *reader;
	unsigned long pointer;
	unsigned int id;

	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	__asm__ volatile("movl %%fs:0x2d0, %0" : "=r"(id)); /* volatile: fork() changes it */
	reader = __atomic_load_n(&view->readers[id % IOASID_RCU_READERS], __ATOMIC_RELAXED);
	if (__builtin_expect(reader && __atomic_load_n(&reader->id, __ATOMIC_RELAXED) == id &&
				     (is_known || __atomic_load_n(&reader->pointer,
								  __ATOMIC_RELAXED) == pointer),
			     1))
		return reader;
	return (struct ioasid_rcu_reader *)0;
}
#endif

/*
 * The kernel's names are functions, so that they are back when liburcu's headers, coming later, have
 * borrowed and cleared them. Whoever included <urcu.h> before has some as macros.
 */
#undef rcu_read_lock
#undef rcu_read_unlock
#undef synchronize_rcu
#undef call_rcu
#undef rcu_barrier
#undef rcu_dereference
#undef rcu_assign_pointer

static inline void rcu_read_lock(void)
{
#ifdef IOASID_RCU_IN_LINE
	const struct ioasid_rcu_words *view = ioasid_rcu_look();
	struct ioasid_rcu_reader *reader = ioasid_rcu_self(view, false);

	if (__builtin_expect(reader && !__atomic_load_n(&reader->section, __ATOMIC_RELAXED), 1)) {
		__atomic_store_n(&reader->section, __atomic_load_n(&view->phase, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
		__asm__ volatile("" : : : "memory");
		if (__builtin_expect(__atomic_load_n(&view->fences, __ATOMIC_RELAXED), 0))
			__asm__ volatile("lock; orl $0, (%%rsp)" : : : "memory", "cc");
		return;
	}
#endif
	ioasid_rcu_read_lock();
}

static inline void rcu_read_unlock(void)
{
#ifdef IOASID_RCU_IN_LINE
	struct ioasid_rcu_reader *reader = ioasid_rcu_self(ioasid_rcu_look(), true);

	if (__builtin_expect(reader && (__atomic_load_n(&reader->section, __ATOMIC_RELAXED) &
					IOASID_RCU_DEPTH) == 1,
			     1)) {
		__atomic_store_n(&reader->section, 0ul, __ATOMIC_RELEASE);
		return;
	}
#endif
	ioasid_rcu_read_unlock();
}

static inline bool rcu_read_lock_held(void)
{
	return ioasid_rcu_read_lock_held();
}

static inline void synchronize_rcu(void)
{
	ioasid_rcu_synchronize();
}

static inline void kvfree_rcu_barrier(void)
{
	ioasid_rcu_barrier();
}

#ifdef IOASID_RCU_HEAD
static inline void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	ioasid_call_rcu(head, func);
}

static inline void rcu_barrier(void)
{
	ioasid_rcu_barrier();
}
#else
/* liburcu came first and has declared functions of these names. */
#define call_rcu(head, func) ioasid_call_rcu(head, func)
#define rcu_barrier() ioasid_rcu_barrier()
#endif

#ifdef __cplusplus
}
#endif

#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_dereference_raw(p) rcu_dereference(p)
#define rcu_dereference_check(p, condition) ((void)(condition), rcu_dereference(p))
#define rcu_dereference_protected(p, condition) ((void)(condition), (p))
#define rcu_access_pointer(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define rcu_assign_pointer(p, value) __atomic_store_n(&(p), value, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, value) __atomic_store_n(&(p), value, __ATOMIC_RELAXED)
#define rcu_replace_pointer(p, value, condition) \
	((void)(condition), __atomic_exchange_n(&(p), value, __ATOMIC_ACQ_REL))

/*
 * kfree_rcu(ptr, member) lends @member to the library, and does not wait. kfree_rcu(ptr) has nothing to lend: it
 * waits for a grace period itself, so the caller must be one who may.
 */
#define kfree_rcu(...) IOASID_KFREE_RCU(__VA_ARGS__, ioasid_kfree_rcu, ioasid_kfree_rcu_wait, 0)(__VA_ARGS__)
#define IOASID_KFREE_RCU(ptr, member, which, ...) which
#define ioasid_kfree_rcu_wait(ptr) \
	__extension__({ \
		void *ioasid_ptr = (void *)(ptr); \
		if (ioasid_ptr) { \
			synchronize_rcu(); \
			free(ioasid_ptr); \
		} \
	})
#define ioasid_kfree_rcu(ptr, member) \
	__extension__({ \
		__typeof__(ptr) ioasid_ptr = (ptr); \
		if (ioasid_ptr) \
			ioasid_free_rcu((ioasid_rcu_head *)&ioasid_ptr->member, (void *)ioasid_ptr); \
	})

/* Names that the kernel has for the same. */
#define kvfree_rcu(...) kfree_rcu(__VA_ARGS__)
#define init_rcu_head(head) ((void)(head))
#define destroy_rcu_head(head) ((void)(head))

#endif
