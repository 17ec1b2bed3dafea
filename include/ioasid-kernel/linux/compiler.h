/* SPDX-License-Identifier: MIT */
/* Compat: annotations for the compiler, and single accesses to shared variables. */
#ifndef IOASID_LINUX_COMPILER_H
#define IOASID_LINUX_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#define __must_check __attribute__((__warn_unused_result__))
#define __maybe_unused __attribute__((__unused__))
#define __always_unused __attribute__((__unused__))
#define __printf(fmt, args) __attribute__((__format__(__printf__, fmt, args)))
#define __aligned(n) __attribute__((__aligned__(n)))
#define __packed __attribute__((__packed__))
#define __weak __attribute__((__weak__))
/* Words without underscores would break headers and [[attributes]] of C++. */
#ifndef __cplusplus
#define noinline __attribute__((__noinline__))
#define fallthrough __attribute__((__fallthrough__))
#endif

/* For the kernel's static checkers; they say nothing to a compiler. */
#define __user
#define __iomem
#define __force
#ifndef __rcu
#define __rcu
#endif
#define __must_hold(lock)
#define __acquires(lock)
#define __releases(lock)

#define barrier() __asm__ __volatile__("" : : : "memory")

/* Relaxed atomic accesses rather than volatile ones: thread sanitizers understand them. */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val) __atomic_store_n(&(x), (val), __ATOMIC_RELAXED)

/*
 * After operations that the kernel orders fully. C's seq_cst orders those among each other only: that a
 * plain access before one also stays before a plain access after it takes a barrier, where the
 * processor's instruction is none by itself.
 */
static inline void ioasid_fully_ordered(int order)
{
#if defined(__aarch64__)
	if (order == __ATOMIC_SEQ_CST)
		__asm__ volatile("dmb ish" : : : "memory");
#elif !defined(__x86_64__)
	if (order == __ATOMIC_SEQ_CST)
		__atomic_thread_fence(order);
#else
	(void)order;
#endif
}

#endif
