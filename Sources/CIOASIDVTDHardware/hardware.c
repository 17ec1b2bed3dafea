// SPDX-License-Identifier: MIT
// The lock of the VT-d hardware, calls of the program's functions, and the memory of machines.

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

static _Thread_local unsigned int calls;

void civtd_begin_call(void)
{
	calls++;
}

void civtd_end_call(void)
{
	calls--;
}

bool civtd_is_in_call(void)
{
	return calls > 0;
}

static pthread_cond_t calls_done = PTHREAD_COND_INITIALIZER;

void civtd_calls_done(void)
{
	pthread_cond_broadcast(&calls_done);
}

void civtd_wait_for_calls(void)
{
	pthread_cond_wait(&calls_done, &civtd_hardware_mutex);
}
