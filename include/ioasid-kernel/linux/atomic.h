/* SPDX-License-Identifier: MIT */
/* Compat: atomic counters, and the barriers that go with them. */
#ifndef IOASID_LINUX_ATOMIC_H
#define IOASID_LINUX_ATOMIC_H

#include <stdbool.h>

#include <linux/compiler.h>
#include <linux/ioasid-casts.h>
#include <linux/types.h>

/* The kernel's rule: operations that return a value are fully ordered, the others are not. */

#define ATOMIC_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }

/* gcc says that its ThreadSanitizer does not know fences. They are there all the same. */
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static inline void smp_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void smp_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void smp_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#define smp_mb__before_atomic() smp_mb()
#define smp_mb__after_atomic() smp_mb()
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

#define xchg(ptr, value) \
	__extension__({ \
		__typeof__(__atomic_load_n(ptr, __ATOMIC_RELAXED)) ioasid_was = /* not volatile */ \
			__atomic_exchange_n(ptr, value, __ATOMIC_SEQ_CST); \
		ioasid_fully_ordered(__ATOMIC_SEQ_CST); \
		ioasid_was; \
	})
#define cmpxchg(ptr, old, value) \
	__extension__({ \
		__typeof__(__atomic_load_n(ptr, __ATOMIC_RELAXED)) ioasid_old = (old); \
		__atomic_compare_exchange_n(ptr, &ioasid_old, value, false, __ATOMIC_SEQ_CST, \
					    __ATOMIC_SEQ_CST); \
		ioasid_fully_ordered(__ATOMIC_SEQ_CST); \
		ioasid_old; \
	})

/* Sizes are those of what is pointed to; this one says which is meant. */
#define cmpxchg64(ptr, old, value) cmpxchg(ptr, old, value)
#define try_cmpxchg(ptr, oldp, value) \
	__extension__({ \
		bool ioasid_done = __atomic_compare_exchange_n( \
			ptr, oldp, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		ioasid_fully_ordered(__ATOMIC_SEQ_CST); \
		ioasid_done; \
	})

/*
 * <stdatomic.h> has macros named atomic_fetch_add, _sub, _and, _or and _xor. Who includes it too,
 * before or after, gets those by the plain name, and these as (atomic_fetch_add)(1, &v).
 */

/* What returns a value comes in four orders: full without a suffix, _acquire, _release, _relaxed. */
#define IOASID_ATOMIC_FETCH(name, type, op, suffix, order) \
	static inline type (name##_fetch_##op##suffix)(type i, name##_t *v) \
	{ \
		i = __atomic_fetch_##op(&v->counter, i, order); \
		ioasid_fully_ordered(order); \
		return i; \
	}

#define IOASID_ATOMIC_ARITHMETIC(name, type, op, step, suffix, order) \
	IOASID_ATOMIC_FETCH(name, type, op, suffix, order) \
	static inline type name##_##op##_return##suffix(type i, name##_t *v) \
	{ \
		i = __atomic_##op##_fetch(&v->counter, i, order); \
		ioasid_fully_ordered(order); \
		return i; \
	} \
	static inline type name##_fetch_##step##suffix(name##_t *v) \
	{ \
		return (name##_fetch_##op##suffix)(1, v); \
	} \
	static inline type name##_##step##_return##suffix(name##_t *v) \
	{ \
		return name##_##op##_return##suffix(1, v); \
	}

#define IOASID_ATOMIC_ORDERED(name, type, suffix, order) \
	IOASID_ATOMIC_ARITHMETIC(name, type, add, inc, suffix, order) \
	IOASID_ATOMIC_ARITHMETIC(name, type, sub, dec, suffix, order) \
	IOASID_ATOMIC_FETCH(name, type, and, suffix, order) \
	IOASID_ATOMIC_FETCH(name, type, or, suffix, order) \
	IOASID_ATOMIC_FETCH(name, type, xor, suffix, order) \
	static inline type name##_fetch_andnot##suffix(type i, name##_t *v) \
	{ \
		return (name##_fetch_and##suffix)(~i, v); \
	} \
	static inline type name##_xchg##suffix(name##_t *v, type i) \
	{ \
		i = __atomic_exchange_n(&v->counter, i, order); \
		ioasid_fully_ordered(order); \
		return i; \
	} \
	static inline bool name##_try_cmpxchg##suffix(name##_t *v, type *old, type i) \
	{ \
		bool done = __atomic_compare_exchange_n(&v->counter, old, i, false, order, \
							__ATOMIC_RELAXED); \
		ioasid_fully_ordered(order); \
		return done; \
	} \
	static inline type name##_cmpxchg##suffix(name##_t *v, type old, type i) \
	{ \
		name##_try_cmpxchg##suffix(v, &old, i); \
		return old; \
	}

#define IOASID_ATOMIC_VOID(name, type, op) \
	static inline void name##_##op(type i, name##_t *v) \
	{ \
		name##_fetch_##op##_relaxed(i, v); \
	}

#define IOASID_ATOMIC(name, type) \
	static inline type name##_read(const name##_t *v) \
	{ \
		return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); \
	} \
	static inline type name##_read_acquire(const name##_t *v) \
	{ \
		return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE); \
	} \
	static inline void name##_set(name##_t *v, type i) \
	{ \
		__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED); \
	} \
	static inline void name##_set_release(name##_t *v, type i) \
	{ \
		__atomic_store_n(&v->counter, i, __ATOMIC_RELEASE); \
	} \
	IOASID_ATOMIC_ORDERED(name, type, , __ATOMIC_SEQ_CST) \
	IOASID_ATOMIC_ORDERED(name, type, _acquire, __ATOMIC_ACQUIRE) \
	IOASID_ATOMIC_ORDERED(name, type, _release, __ATOMIC_RELEASE) \
	IOASID_ATOMIC_ORDERED(name, type, _relaxed, __ATOMIC_RELAXED) \
	IOASID_ATOMIC_VOID(name, type, add) \
	IOASID_ATOMIC_VOID(name, type, sub) \
	IOASID_ATOMIC_VOID(name, type, and) \
	IOASID_ATOMIC_VOID(name, type, or) \
	IOASID_ATOMIC_VOID(name, type, xor) \
	IOASID_ATOMIC_VOID(name, type, andnot) \
	static inline void name##_inc(name##_t *v) \
	{ \
		name##_add(1, v); \
	} \
	static inline void name##_dec(name##_t *v) \
	{ \
		name##_sub(1, v); \
	} \
	static inline bool name##_inc_and_test(name##_t *v) \
	{ \
		return name##_inc_return(v) == 0; \
	} \
	static inline bool name##_dec_and_test(name##_t *v) \
	{ \
		return name##_dec_return(v) == 0; \
	} \
	static inline bool name##_sub_and_test(type i, name##_t *v) \
	{ \
		return name##_sub_return(i, v) == 0; \
	} \
	static inline bool name##_add_negative(type i, name##_t *v) \
	{ \
		return name##_add_return(i, v) < 0; \
	} \
	static inline type name##_fetch_add_unless(name##_t *v, type i, type unless) \
	{ \
		type old = name##_read(v); \
		while (old != unless && \
		       !name##_try_cmpxchg(v, &old, \
					   IOASID_NUMBER(type, IOASID_NUMBER(unsigned type, old) + \
						 IOASID_NUMBER(unsigned type, i)))) \
			; \
		return old; \
	} \
	static inline bool name##_add_unless(name##_t *v, type i, type unless) \
	{ \
		return name##_fetch_add_unless(v, i, unless) != unless; \
	} \
	static inline bool name##_inc_not_zero(name##_t *v) \
	{ \
		return name##_add_unless(v, 1, 0); \
	} \
	static inline bool name##_inc_unless_negative(name##_t *v) \
	{ \
		type old = name##_read(v); \
		while (old >= 0 && \
		       !name##_try_cmpxchg(v, &old, \
					   IOASID_NUMBER(type, IOASID_NUMBER(unsigned type, old) + 1))) \
			; \
		return old >= 0; \
	} \
	static inline bool name##_dec_unless_positive(name##_t *v) \
	{ \
		type old = name##_read(v); \
		while (old <= 0 && \
		       !name##_try_cmpxchg(v, &old, \
					   IOASID_NUMBER(type, IOASID_NUMBER(unsigned type, old) - 1))) \
			; \
		return old <= 0; \
	} \
	static inline type name##_dec_if_positive(name##_t *v) \
	{ \
		type old = name##_read(v); \
		while (old > 0 && !name##_try_cmpxchg(v, &old, old - 1)) \
			; \
		return IOASID_NUMBER(type, IOASID_NUMBER(unsigned type, old) - 1); \
	}

typedef struct {
	long counter;
} atomic_long_t;

IOASID_ATOMIC(atomic, int)
IOASID_ATOMIC(atomic64, long long)
IOASID_ATOMIC(atomic_long, long)

#undef IOASID_ATOMIC
#undef IOASID_ATOMIC_VOID
#undef IOASID_ATOMIC_ORDERED
#undef IOASID_ATOMIC_ARITHMETIC
#undef IOASID_ATOMIC_FETCH

#endif
