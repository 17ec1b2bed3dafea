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
