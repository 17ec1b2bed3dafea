/* SPDX-License-Identifier: MIT */
/* The trace file: one line a call, whole lines only, none after the trace was stopped. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"

/*
 * Guarded by the core lock. The stream may have write functions of the user's, which may call the
 * library. So lines are kept until what the lock guards is consistent: before users' code is called,
 * and before the lock is left. What a write function causes itself is not traced.
 */
static FILE *trace_file;
static char lines[1 << 14];
static size_t length;
static bool is_writing;
unsigned char cio_tracing;

#define LINE_MAX_BYTES 256

void cio_trace_flush(void)
{
	int cancellation;

	if (!length || is_writing)
		return;
	is_writing = true;
	cancellation = cio_hold_cancellation();
	if (trace_file)
		fwrite(lines, 1, length, trace_file);
	cio_restore_cancellation(cancellation);
	length = 0;
	is_writing = false;
}

int cio_trace_start(FILE *out)
{
	int err = 0;

	cio_core_lock();
	if (trace_file) {
		err = -EBUSY;
	} else {
		trace_file = out;
		__atomic_store_n(&cio_tracing, 1, __ATOMIC_RELAXED);
	}
	cio_core_unlock();
	return err;
}

void cio_trace_stop(void)
{
	cio_core_lock();
	__atomic_store_n(&cio_tracing, 0, __ATOMIC_RELAXED);
	cio_trace_flush();
	if (trace_file && !is_writing) {
		int cancellation = cio_hold_cancellation();

		is_writing = true;
		fflush(trace_file);
		is_writing = false;
		cio_restore_cancellation(cancellation);
	}
	trace_file = NULL;
	cio_core_unlock();
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
	char id_text[16], spid_text[16], to[64] = "";
	int written;

	clock_gettime(CLOCK_MONOTONIC, &now);
	cio_core_lock();
	if (trace_file && !is_writing) {
		if (sizeof(lines) - length < LINE_MAX_BYTES)
			cio_trace_flush();
		if (subscriber)
			snprintf(to, sizeof(to), " to %p priority %d", subscriber, priority);
		written = snprintf(lines + length, LINE_MAX_BYTES,
				   "%lld.%06ld thread %ld id %s spid %s set %u %s%s references %u\n",
				   (long long)now.tv_sec, now.tv_nsec / 1000, syscall(SYS_gettid),
				   number(id_text, sizeof(id_text), id),
				   number(spid_text, sizeof(spid_text), spid), set, what, to, references);
		length += (size_t)written;
		/* The lock was taken for this line: the caller holds nothing. */
		if (!cio_core_is_nested())
			cio_trace_flush();
	}
	cio_core_unlock();
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
