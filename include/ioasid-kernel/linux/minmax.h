/* SPDX-License-Identifier: MIT */
/* Compat: min, max, clamp and swap, each argument evaluated once. */
#ifndef IOASID_LINUX_MINMAX_H
#define IOASID_LINUX_MINMAX_H

/* C++ has its own, and macros of these names would break its headers. */
#ifndef __cplusplus

/* Is it a constant? Then the null pointer that it makes takes the type of the other. */
#define ioasid_is_constant(x) (sizeof(int) == sizeof(*(8 ? (void *)((long)(x) * 0L) : (int *)8)))

/* Constants give a constant. The pointer comparison draws a warning when the two types differ. */
#define ioasid_pick(a, op, b) \
	__extension__ __builtin_choose_expr( \
		ioasid_is_constant(a) && ioasid_is_constant(b) && \
			sizeof((__typeof__(a) *)1 == (__typeof__(b) *)1), \
		(a) op (b) ? (a) : (b), __extension__({ \
			__typeof__(a) ioasid_a = (a); \
			__typeof__(b) ioasid_b = (b); \
			ioasid_a op ioasid_b ? ioasid_a : ioasid_b; \
		}))

#define min(a, b) ioasid_pick(a, <, b)
#define max(a, b) ioasid_pick(a, >, b)

#define min_t(type, a, b) \
	__extension__({ \
		type ioasid_ta = (a); \
		type ioasid_tb = (b); \
		ioasid_ta < ioasid_tb ? ioasid_ta : ioasid_tb; \
	})
#define max_t(type, a, b) \
	__extension__({ \
		type ioasid_ta = (a); \
		type ioasid_tb = (b); \
		ioasid_ta > ioasid_tb ? ioasid_ta : ioasid_tb; \
	})

#define clamp_t(type, val, lo, hi) min_t(type, max_t(type, val, lo), hi)
#define clamp(val, lo, hi) clamp_t(__typeof__(val), val, lo, hi)

#define swap(a, b) \
	do { \
		__typeof__(a) *ioasid_pa = &(a); \
		__typeof__(b) *ioasid_pb = &(b); \
		__typeof__(a) ioasid_old = *ioasid_pa; \
		*ioasid_pa = *ioasid_pb; \
		*ioasid_pb = ioasid_old; \
	} while (0)

#endif

#endif
