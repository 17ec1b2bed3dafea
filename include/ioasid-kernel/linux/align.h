/* SPDX-License-Identifier: MIT */
/* Compat: rounding to powers of two. */
#ifndef IOASID_LINUX_ALIGN_H
#define IOASID_LINUX_ALIGN_H

/* To a power of two only, as in the kernel. */
#define ALIGN(x, to) (((x) + ((__typeof__(x))(to) - 1)) & ~((__typeof__(x))(to) - 1))
#define ALIGN_DOWN(x, to) ((x) & ~((__typeof__(x))(to) - 1))
#define IS_ALIGNED(x, to) (((x) & ((__typeof__(x))(to) - 1)) == 0)
#define PTR_ALIGN(p, to) ((__typeof__(p))ALIGN((unsigned long)(p), (to)))
#define PTR_ALIGN_DOWN(p, to) ((__typeof__(p))ALIGN_DOWN((unsigned long)(p), (to)))

#endif
