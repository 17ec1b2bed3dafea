/* SPDX-License-Identifier: MIT */
/* Compat: divisions that round, and rounding to multiples. */
#ifndef IOASID_LINUX_MATH_H
#define IOASID_LINUX_MATH_H

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d) \
	__extension__(((unsigned long long)(n) + (d) - 1) / (unsigned long long)(d))

/* For unsigned numbers and for signed ones that are not negative. */
#define DIV_ROUND_CLOSEST(n, d) (((n) + (d) / 2) / (d))

/* To a power of two. */
#define round_up(x, to) ((((x) - 1) | ((__typeof__(x))((to) - 1))) + 1)
#define round_down(x, to) ((x) & ~((__typeof__(x))((to) - 1)))

/* To any number. */
#define roundup(x, to) \
	__extension__({ \
		const __typeof__(to) ioasid_to = (to); \
		(((x) + (ioasid_to - 1)) / ioasid_to) * ioasid_to; \
	})
#define rounddown(x, to) \
	__extension__({ \
		const __typeof__(x) ioasid_x = (x); \
		ioasid_x - (ioasid_x % (to)); \
	})

#endif
