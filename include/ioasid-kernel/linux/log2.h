/* SPDX-License-Identifier: MIT */
/* Compat: logarithms and powers of two. */
#ifndef IOASID_LINUX_LOG2_H
#define IOASID_LINUX_LOG2_H

#include <stdbool.h>

#include <linux/bitops.h>

/* What has no logarithm, 0, gives -1, where the kernel says that it is undefined. */
#define ioasid_ilog2(n) ((n) ? 63 - __builtin_clzll(n) : -1)

static inline int ioasid_ilog2_once(unsigned long long n)
{
	return ioasid_ilog2(n);
}

/* Constant where the argument is; evaluated once where it is not. */
#define ilog2(n) \
	(__builtin_constant_p(n) ? ioasid_ilog2((unsigned long long)(n)) : ioasid_ilog2_once(n))
#define const_ilog2(n) ioasid_ilog2((unsigned long long)(n))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* The smallest order with 2^order >= n: 0 for 0 and 1. */
#define ioasid_order_base_2(n) ((n) > 1 ? const_ilog2((n) - 1) + 1 : 0)
#define ioasid_bits_per(n) ((n) > 1 ? const_ilog2(n) + 1 : 1)

static inline int ioasid_order_base_2_once(unsigned long n)
{
	return ioasid_order_base_2(n);
}

static inline int ioasid_bits_per_once(unsigned long n)
{
	return ioasid_bits_per(n);
}

#define order_base_2(n) \
	(__builtin_constant_p(n) ? ioasid_order_base_2((unsigned long)(n)) : ioasid_order_base_2_once(n))
#define bits_per(n) \
	(__builtin_constant_p(n) ? ioasid_bits_per((unsigned long)(n)) : ioasid_bits_per_once(n))

/* 2^order; 0 where it does not fit. */
#define ioasid_power(order) \
	((order) < BITS_PER_LONG ? 1UL << ((order) & (BITS_PER_LONG - 1)) : 0UL)

/* 1 for 0; 0 where the power does not fit. */
static inline unsigned long ioasid_roundup_pow_of_two(unsigned long n)
{
	return ioasid_power(order_base_2(n));
}

/* 0 for 0. */
static inline unsigned long ioasid_rounddown_pow_of_two(unsigned long n)
{
	return n ? 1UL << ilog2(n) : 0;
}

/* A constant gives a constant, at file scope too. */
#define roundup_pow_of_two(n) \
	(__builtin_constant_p(n) ? ioasid_power(order_base_2((unsigned long)(n))) : \
				   ioasid_roundup_pow_of_two(n))
#define rounddown_pow_of_two(n) \
	(__builtin_constant_p(n) ? ((n) ? ioasid_power(ilog2(n)) : 0UL) : ioasid_rounddown_pow_of_two(n))

#endif
