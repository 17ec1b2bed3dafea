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

/* Address space, readable at once: a look-up beyond what is committed finds zeroes. */
void *_Nullable cio_reserve(size_t bytes);

/* Makes part of it writable; false if the kernel refuses. */
bool cio_commit(void *_Nonnull start, size_t bytes);

/* Gives its pages back; it stays committed and reads as zero. */
void cio_decommit(void *_Nonnull start, size_t bytes);

/* Asks for a line that will be written; harmless for any address. */
static inline void cio_prefetch(uintptr_t address)
{
	__builtin_prefetch((const void *)address, 1);
}

#endif /* CIOASID_MEMORY_H */
