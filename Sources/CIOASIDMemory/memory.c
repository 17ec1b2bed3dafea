/* SPDX-License-Identifier: MIT */
/* Reserving, committing and giving back address space. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "memory.h"

void *cio_reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool cio_commit(void *start, size_t bytes)
{
	return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

void cio_decommit(void *start, size_t bytes)
{
	madvise(start, bytes, MADV_DONTNEED);
}
