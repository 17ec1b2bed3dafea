// SPDX-License-Identifier: MIT
// The lock of the VT-d hardware, which the loader initialises, and the memory of machines.

#include <sys/mman.h>

#include "vtd_hardware.h"

pthread_mutex_t civtd_hardware_mutex = PTHREAD_MUTEX_INITIALIZER;

void *civtd_reserve(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

void civtd_unreserve(void *start, size_t bytes)
{
	munmap(start, bytes);
}
