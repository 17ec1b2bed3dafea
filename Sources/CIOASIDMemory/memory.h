/* SPDX-License-Identifier: MIT */
/* Internal: memory from the C library and from the kernel, with results that can be checked. */
#ifndef CIOASID_MEMORY_H
#define CIOASID_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef __clang__
#define _Nonnull
#define _Nullable
#endif

/* What a huge page is, or a part of one; none of the others (Arm with large pages) is worth having here. */
#define CIO_HUGE_PAGE 0x200000

/*
 * Address space, readable at once: a look-up beyond what is committed finds zeroes. Where two huge pages fit it
 * begins at one.
 */
void *_Nullable cio_reserve(size_t bytes);

/* Makes part of it writable; false if the kernel refuses. */
bool cio_commit(void *_Nonnull start, size_t bytes);

/* Gives its pages back; it stays committed and reads as zero. */
void cio_decommit(void *_Nonnull start, size_t bytes);

/* Of a committed part. Advice: it changes nothing but the speed, and how much comes at a time. */
void cio_want_huge_pages(void *_Nonnull start, size_t bytes, bool wanted);

/* Asks for a line that will be written; harmless for any address. */
static inline void cio_prefetch(uintptr_t address)
{
	__builtin_prefetch((const void *)address, 1);
}

#endif /* CIOASID_MEMORY_H */
