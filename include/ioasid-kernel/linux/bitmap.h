/* SPDX-License-Identifier: MIT */
/* Compat: arrays of bits. */
#ifndef IOASID_LINUX_BITMAP_H
#define IOASID_LINUX_BITMAP_H

#include <string.h>

#include <linux/bitops.h>
#include <linux/slab.h>

/* Bits of the last word beyond the end may be anything, and are not looked at. */

#define BITMAP_LAST_WORD_MASK(nbits) (~0UL >> (-(nbits) & (BITS_PER_LONG - 1)))

static inline size_t ioasid_bitmap_bytes(unsigned int nbits)
{
	return ((size_t)nbits + BITS_PER_LONG - 1) / BITS_PER_LONG * sizeof(long);
}

/* NULL for want of memory. */
static inline unsigned long *bitmap_alloc(unsigned int nbits, gfp_t flags)
{
	return (unsigned long *)kmalloc(ioasid_bitmap_bytes(nbits), flags);
}

static inline unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t flags)
{
	return (unsigned long *)kzalloc(ioasid_bitmap_bytes(nbits), flags);
}

static inline void bitmap_free(const unsigned long *bitmap)
{
	kfree(bitmap);
}

static inline void bitmap_zero(unsigned long *dst, unsigned int nbits)
{
	memset(dst, 0, ioasid_bitmap_bytes(nbits));
}

static inline void bitmap_fill(unsigned long *dst, unsigned int nbits)
{
	memset(dst, 0xff, ioasid_bitmap_bytes(nbits));
}

static inline void bitmap_copy(unsigned long *dst, const unsigned long *src, unsigned int nbits)
{
	memmove(dst, src, ioasid_bitmap_bytes(nbits));
}

static inline void bitmap_set(unsigned long *map, unsigned int start, unsigned int nbits)
{
	for (; nbits; start++, nbits--)
		__set_bit((long)start, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int start, unsigned int nbits)
{
	for (; nbits; start++, nbits--)
		__clear_bit((long)start, map);
}

static inline bool bitmap_empty(const unsigned long *src, unsigned int nbits)
{
	return find_first_bit(src, nbits) == nbits;
}

static inline bool bitmap_full(const unsigned long *src, unsigned int nbits)
{
	return find_first_zero_bit(src, nbits) == nbits;
}

static inline unsigned int bitmap_weight(const unsigned long *src, unsigned int nbits)
{
	unsigned int word, weight = 0;

	for (word = 0; word < nbits / BITS_PER_LONG; word++)
		weight += (unsigned int)hweight_long(src[word]);
	if (nbits % BITS_PER_LONG)
		weight += (unsigned int)hweight_long(src[word] & BITMAP_LAST_WORD_MASK(nbits));
	return weight;
}

static inline bool bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int nbits)
{
	unsigned int whole = nbits / BITS_PER_LONG;

	return !memcmp(a, b, whole * sizeof(long)) &&
	       (!(nbits % BITS_PER_LONG) ||
		!((a[whole] ^ b[whole]) & BITMAP_LAST_WORD_MASK(nbits)));
}

static inline void bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			     unsigned int nbits)
{
	unsigned int word;

	for (word = 0; word < BITS_TO_LONGS(nbits); word++)
		dst[word] = a[word] | b[word];
}

static inline void bitmap_xor(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			      unsigned int nbits)
{
	unsigned int word;

	for (word = 0; word < BITS_TO_LONGS(nbits); word++)
		dst[word] = a[word] ^ b[word];
}

/* True if anything is left. */
static inline bool bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			      unsigned int nbits)
{
	unsigned int word;

	for (word = 0; word < BITS_TO_LONGS(nbits); word++)
		dst[word] = a[word] & b[word];
	return !bitmap_empty(dst, nbits);
}

static inline bool bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b,
				 unsigned int nbits)
{
	unsigned int word;

	for (word = 0; word < BITS_TO_LONGS(nbits); word++)
		dst[word] = a[word] & ~b[word];
	return !bitmap_empty(dst, nbits);
}

static inline bool bitmap_intersects(const unsigned long *a, const unsigned long *b,
				     unsigned int nbits)
{
	return find_next_and_bit(a, b, nbits, 0) < nbits;
}

static inline bool bitmap_subset(const unsigned long *a, const unsigned long *b, unsigned int nbits)
{
	unsigned int bit;

	for_each_set_bit(bit, a, nbits)
	{
		if (!test_bit((long)bit, b))
			return false;
	}
	return true;
}

/* The first of @nr zeroes at a multiple of @mask + 1; beyond @size if there are none. */
static inline unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
						       unsigned long start, unsigned int nr,
						       unsigned long mask)
{
	for (;;) {
		unsigned long first = (find_next_zero_bit(map, size, start) + mask) & ~mask;
		unsigned long taken;

		if (first + nr > size)
			return first + nr;
		taken = find_next_bit(map, first + nr, first);
		if (taken >= first + nr)
			return first;
		start = taken + 1;
	}
}

#endif
