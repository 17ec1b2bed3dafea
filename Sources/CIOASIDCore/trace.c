/* SPDX-License-Identifier: MIT */
/* The trace file: one line a call, whole lines only, none after the trace was stopped. */
#define _GNU_SOURCE
#include <stdarg.h>
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

#define LINE_MAX_BYTES 512

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

const char *cio_event_name(enum ioasid_notify_val event)
{
	static const char *const names[] = {
		"?", "ALLOC", "FREE", "BIND", "UNBIND", "SET_ALLOC", "SET_FREE", "RECLAIM",
	};

	return (unsigned int)event <= IOASID_NOTIFY_RECLAIM ? names[event] : "?";
}

/* One more line, as far as it is written: a line that is too long is cut. */
struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3), cold, noinline)) static void put(struct text *to,
								      const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(to->at, to->left, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if ((size_t)length >= to->left)
		length = (int)to->left - 1;
	to->at += length;
	to->left -= (size_t)length;
}

/* "-" stands for no id. */
static void put_id(struct text *to, const char *name, ioasid_t id)
{
	if (id == INVALID_IOASID)
		put(to, " %s -", name);
	else
		put(to, " %s %u", name, id);
}

static void put_symbol(struct text *to, const char *name, const void *address)
{
	char symbol[96];

	if (address)
		put(to, " %s %s", name, cio_symbol(address, symbol, sizeof(symbol)));
}

__attribute__((cold)) void cio_trace(const struct cio_trace_entry *entry)
{
	struct timespec now;
	/* Is the caller no part of the core's, or users' code that the core has called? */
	bool is_consistent = !cio_core_is_mine() || cio_core_is_outside();
	const void *caller = entry->subscriber ? NULL : cio_history_caller();

	clock_gettime(CLOCK_MONOTONIC, &now);
	cio_core_lock();
	/* There is room: each change has a few lines, and is followed by a flush. */
	if (trace_file && !is_writing && sizeof(lines) - length >= LINE_MAX_BYTES) {
		struct text to = { lines + length, LINE_MAX_BYTES - 1 };
		const char *name = cio_set_name(entry->set);

		put(&to, "%lld.%09ld thread %ld", (long long)now.tv_sec, now.tv_nsec,
		    syscall(SYS_gettid));
		put_id(&to, "id", entry->id);
		put_id(&to, "spid", entry->spid);
		put(&to, " set %u %s", entry->set, entry->what);
		if (entry->subscriber)
			put(&to, " to %p priority %d", entry->subscriber, entry->priority);
		put(&to, " references %u", entry->references);
		if (name)
			put(&to, " name \"%s\"", name);
		put_symbol(&to, "function", entry->function);
		put_symbol(&to, "by", caller);
		if (caller)
			put_symbol(&to, "tag", cio_history_next_tag());
		*to.at++ = '\n';
		length = (size_t)(to.at - lines);
		if (is_consistent)
			cio_trace_flush();
	}
	cio_core_unlock();
}
