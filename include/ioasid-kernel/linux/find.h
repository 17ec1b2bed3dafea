/* SPDX-License-Identifier: MIT */
/* Compat: the next bit of an array of words. */
#ifndef IOASID_LINUX_FIND_H
#define IOASID_LINUX_FIND_H

#include <linux/bits.h>

/* Each answers @size where there is none, and where @offset is at the end or beyond. */

/* Of the words of @a with those of @b, if there is one, both turned over by @flip. */
static inline unsigned long ioasid_find_next(const unsigned long *a, const unsigned long *b,
					     unsigned long flip, unsigned long size,
					     unsigned long offset)
{
	unsigned long word = offset / BITS_PER_LONG;
	unsigned long from = ~0UL << (offset % BITS_PER_LONG);

	for (; word * BITS_PER_LONG < size; word++, from = ~0UL) {
		unsigned long bits = ((b ? a[word] & b[word] : a[word]) ^ flip) & from;

		if (bits) {
			unsigned long found =
				word * BITS_PER_LONG + (unsigned long)__builtin_ctzl(bits);

			return found < size ? found : size;
		}
	}
	return size;
}

static inline unsigned long find_next_bit(const unsigned long *addr, unsigned long size,
					  unsigned long offset)
{
	return ioasid_find_next(addr, (const unsigned long *)0, 0, size, offset);
}

static inline unsigned long find_next_and_bit(const unsigned long *a, const unsigned long *b,
					      unsigned long size, unsigned long offset)
{
	return ioasid_find_next(a, b, 0, size, offset);
}

static inline unsigned long find_next_zero_bit(const unsigned long *addr, unsigned long size,
					       unsigned long offset)
{
	return ioasid_find_next(addr, (const unsigned long *)0, ~0UL, size, offset);
}

static inline unsigned long find_first_bit(const unsigned long *addr, unsigned long size)
{
	return find_next_bit(addr, size, 0);
}

static inline unsigned long find_first_zero_bit(const unsigned long *addr, unsigned long size)
{
	return find_next_zero_bit(addr, size, 0);
}

static inline unsigned long find_last_bit(const unsigned long *addr, unsigned long size)
{
	unsigned long nr = size;

	while (nr--) {
		if (addr[nr / BITS_PER_LONG] & (1UL << (nr % BITS_PER_LONG)))
			return nr;
		/* A word without any at a time. */
		if (nr % BITS_PER_LONG == BITS_PER_LONG - 1 && !addr[nr / BITS_PER_LONG])
			nr -= BITS_PER_LONG - 1;
	}
	return size;
}

#define for_each_set_bit(bit, addr, size) \
	for ((bit) = find_first_bit(addr, size); (bit) < (size); \
	     (bit) = find_next_bit(addr, size, (bit) + 1))
#define for_each_set_bit_from(bit, addr, size) \
	for ((bit) = find_next_bit(addr, size, bit); (bit) < (size); \
	     (bit) = find_next_bit(addr, size, (bit) + 1))
#define for_each_clear_bit(bit, addr, size) \
	for ((bit) = find_first_zero_bit(addr, size); (bit) < (size); \
	     (bit) = find_next_zero_bit(addr, size, (bit) + 1))

#endif
