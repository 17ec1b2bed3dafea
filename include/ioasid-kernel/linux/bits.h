/* SPDX-License-Identifier: MIT */
/* Compat: single bits and contiguous masks. */
#ifndef IOASID_LINUX_BITS_H
#define IOASID_LINUX_BITS_H

#define BITS_PER_BYTE 8
#define BITS_PER_LONG (__SIZEOF_LONG__ * 8)
#define BITS_PER_LONG_LONG (__SIZEOF_LONG_LONG__ * 8)

#define BIT(nr) (1UL << (nr))
#define BIT_ULL(nr) (__extension__ 1ULL << (nr))
#define BIT_MASK(nr) (1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)

/* From bit @low to bit @high, both inclusive. */
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL(high, low) \
	__extension__((~0ULL << (low)) & (~0ULL >> (BITS_PER_LONG_LONG - 1 - (high))))

#endif
