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

/* Write functions may take their time, so fork() does not wait for them: see lock.h. */
static unsigned int begin_writing(int *cancellation)
{
	is_writing = true;
	*cancellation = cio_hold_cancellation();
	return cio_core_leave();
}

static void end_writing(unsigned int before, int cancellation)
{
	cio_core_enter(before);
	cio_restore_cancellation(cancellation);
	is_writing = false;
}

void cio_trace_flush(void)
{
	unsigned int before;
	int cancellation;

	if (!length || is_writing)
		return;
	before = begin_writing(&cancellation);
	if (trace_file)
		fwrite(lines, 1, length, trace_file);
	length = 0;
	end_writing(before, cancellation);
}

/* In the child of fork(): who was writing is not there, and writes its lines in the parent. */
void cio_trace_forget(void)
{
	is_writing = false;
	length = 0;
}

/* With the core lock. */
void cio_watch(unsigned char who, bool is_on)
{
	unsigned char others = cio_tracing & (unsigned char)~who;

	__atomic_store_n(&cio_tracing, is_on ? others | who : others, __ATOMIC_RELAXED);
}

int cio_trace_start(FILE *out)
{
	int err = 0;

	cio_core_lock();
	if (trace_file) {
		err = -EBUSY;
	} else {
		trace_file = out;
		cio_watch(CIO_WATCH_TRACE, true);
	}
	cio_core_unlock();
	return err;
}

void cio_trace_stop(void)
{
	FILE *file;

	cio_core_lock();
	cio_watch(CIO_WATCH_TRACE, false);
	cio_trace_flush();
	file = trace_file;
	trace_file = NULL;
	if (file && !is_writing) {
		unsigned int before;
		int cancellation;

		before = begin_writing(&cancellation);
		fflush(file);
		end_writing(before, cancellation);
	}
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
	case IOASID_NOTIFY_RECLAIM:
		return "RECLAIM";
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
	/* Is the caller no part of the core's, or users' code that the core has called? */
	bool is_consistent = !cio_core_is_mine() || cio_core_is_outside();

	clock_gettime(CLOCK_MONOTONIC, &now);
	cio_core_lock();
	/* There is room: each change has a few lines, and is followed by a flush. */
	if (trace_file && !is_writing && sizeof(lines) - length >= LINE_MAX_BYTES) {
		int written;

		if (subscriber)
			snprintf(to, sizeof(to), " to %p priority %d", subscriber, priority);
		written =
			snprintf(lines + length, LINE_MAX_BYTES,
				 "%lld.%06ld thread %ld id %s spid %s set %u %s%s references %u\n",
				 (long long)now.tv_sec, now.tv_nsec / 1000, syscall(SYS_gettid),
				 number(id_text, sizeof(id_text), id),
				 number(spid_text, sizeof(spid_text), spid), set, what, to,
				 references);
		length += (size_t)written;
		if (is_consistent)
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
