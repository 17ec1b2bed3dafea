/* SPDX-License-Identifier: MIT */
/* The trace file: one line a call, whole lines only, none after the trace was stopped. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"

static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *trace_file;
unsigned char cio_tracing;

int cio_trace_start(FILE *out)
{
	int err = 0;

	pthread_mutex_lock(&trace_lock);
	if (trace_file) {
		err = -EBUSY;
	} else {
		trace_file = out;
		__atomic_store_n(&cio_tracing, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&trace_lock);
	return err;
}

void cio_trace_stop(void)
{
	pthread_mutex_lock(&trace_lock);
	__atomic_store_n(&cio_tracing, 0, __ATOMIC_RELAXED);
	if (trace_file)
		fflush(trace_file);
	trace_file = NULL;
	pthread_mutex_unlock(&trace_lock);
}

void cio_trace_before_fork(void)
{
	pthread_mutex_lock(&trace_lock);
}

void cio_trace_after_fork(void)
{
	pthread_mutex_unlock(&trace_lock);
}

static const char *event_name(enum ioasid_notify_val event)
{
	switch (event) {
	case IOASID_NOTIFY_ALLOC:
		return "ALLOC";
	case IOASID_NOTIFY_FREE:
		return "FREE";
	case IOASID_NOTIFY_BIND:
		return "BIND";
	case IOASID_NOTIFY_UNBIND:
		return "UNBIND";
	case IOASID_NOTIFY_SET_ALLOC:
		return "SET_ALLOC";
	case IOASID_NOTIFY_SET_FREE:
		return "SET_FREE";
	}
	return "?";
}

/* "-" stands for no id. */
static const char *number(char *buffer, size_t size, ioasid_t id)
{
	if (id == INVALID_IOASID)
		return "-";
	snprintf(buffer, size, "%u", id);
	return buffer;
}

static void line(const char *what, ioasid_t id, ioasid_t spid, uint32_t set, uint32_t references,
		 const void *subscriber, int priority)
{
	struct timespec now;
	char id_text[16], spid_text[16];

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&trace_lock);
	if (trace_file) {
		fprintf(trace_file, "%lld.%06ld thread %ld id %s spid %s set %u %s", (long long)now.tv_sec,
			now.tv_nsec / 1000, syscall(SYS_gettid), number(id_text, sizeof(id_text), id),
			number(spid_text, sizeof(spid_text), spid), set, what);
		if (subscriber)
			fprintf(trace_file, " to %p priority %d", subscriber, priority);
		fprintf(trace_file, " references %u\n", references);
	}
	pthread_mutex_unlock(&trace_lock);
}

void cio_trace_event(enum ioasid_notify_val event, ioasid_t id, ioasid_t spid, uint32_t set,
		     uint32_t references, const void *subscriber, int priority)
{
	line(event_name(event), id, spid, set, references, subscriber, priority);
}

void cio_trace_reference(const char *what, ioasid_t id, ioasid_t spid, uint32_t set,
			 uint32_t references)
{
	line(what, id, spid, set, references, NULL, 0);
}
