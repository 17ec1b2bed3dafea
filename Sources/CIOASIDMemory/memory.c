/* SPDX-License-Identifier: MIT */
/* Reserving, committing and giving back address space. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "memory.h"

void *cio_reserve(size_t bytes)
{
	/* Where a reservation is large, huge pages shall fit into it. */
	size_t slack = bytes >= 2 * (size_t)CIO_HUGE_PAGE ? CIO_HUGE_PAGE : 0;
	char *p = mmap(NULL, bytes + slack, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	return p + (slack ? -(uintptr_t)p % CIO_HUGE_PAGE : 0);
}

/*
 * LeakSanitizer does not look into memory of mmap() by itself. In a program that is built with it, the
 * private data of live ids is what such memory leads to; freed ones are cleared.
 */
extern void __lsan_register_root_region(const void *start, size_t bytes) __attribute__((weak));

bool cio_commit(void *start, size_t bytes)
{
	if (mprotect(start, bytes, PROT_READ | PROT_WRITE) != 0)
		return false;
	if (__lsan_register_root_region)
		__lsan_register_root_region(start, bytes);
	return true;
}

void cio_decommit(void *start, size_t bytes)
{
	madvise(start, bytes, MADV_DONTNEED);
}

void cio_want_huge_pages(void *start, size_t bytes, bool wanted)
{
	madvise(start, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}
