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

/* Of the list; taken with or without the hardware mutex, and nothing is taken after it. */
static pthread_mutex_t calls_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct civtd_call *calls;

void civtd_begin_call(struct civtd_call *call)
{
	call->thread = pthread_self();
	pthread_mutex_lock(&calls_mutex);
	call->next = calls;
	calls = call;
	pthread_mutex_unlock(&calls_mutex);
}

void civtd_end_call(struct civtd_call *call)
{
	struct civtd_call **link;

	pthread_mutex_lock(&calls_mutex);
	for (link = &calls; *link != call; link = &(*link)->next)
		;
	*link = call->next;
	pthread_mutex_unlock(&calls_mutex);
}

bool civtd_is_in_call(void)
{
	struct civtd_call *call;

	pthread_mutex_lock(&calls_mutex);
	for (call = calls; call && !pthread_equal(call->thread, pthread_self()); call = call->next)
		;
	pthread_mutex_unlock(&calls_mutex);
	return call;
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
