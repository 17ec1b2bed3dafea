/* SPDX-License-Identifier: MIT */
/* Compat: divisions that round, and rounding to multiples. */
#ifndef IOASID_LINUX_MATH_H
#define IOASID_LINUX_MATH_H

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d) \
	__extension__(((unsigned long long)(n) + (d) - 1) / (unsigned long long)(d))

/* Halves go away from 0. Both numbers are unsigned, or both signed. */
#define DIV_ROUND_CLOSEST(n, d) \
	__extension__({ \
		const __typeof__(n) ioasid_n = (n); \
		const __typeof__(d) ioasid_d = (d); \
		ioasid_n == 0 || (ioasid_n > 0) == (ioasid_d > 0) ? \
			(ioasid_n + ioasid_d / 2) / ioasid_d : (ioasid_n - ioasid_d / 2) / ioasid_d; \
	})

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
