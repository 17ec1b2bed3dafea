// SPDX-License-Identifier: MIT
// What each thread was refused last, and a sentence of it.
#include <stdarg.h>
#include <string.h>

#include "runtime.h"

/*
 * Written by its thread alone, and by signal handlers that interrupt it: those find "writing" set and leave
 * it, or are over before it goes on. Pages come as threads are refused something.
 */
static struct cio_refusal {
	uint32_t life; /* of the thread whose it is; 0 is nobody's */
	uint32_t writing;
	uint32_t changes; /* one more with each refusal: a reader that was interrupted reads again */
	uint32_t ticket; /* of what is kept; 0 for nothing */
	struct ioasid_refused kept;
	struct ioasid_refused last;
	bool has_last;
} refusals[CIO_THREADS];

/* Small rather than fast: nothing of this is on the way of a request that succeeds. */
#define COLD __attribute__((cold, noinline))
#define COMPILER_BARRIER() __asm__ volatile("" : : : "memory")

/* The caller's, empty in a new life. NULL for a thread that shares its record. */
COLD static struct cio_refusal *mine(void)
{
	const struct cio_thread *thread = cio_thread_self();
	struct cio_refusal *own;

	if (!thread)
		return NULL;
	own = &refusals[cio_thread_index(thread)];
	if (own->life != cio_thread_life(thread)) {
		own->writing = 0;
		own->ticket = 0;
		own->has_last = false;
		COMPILER_BARRIER();
		own->life = cio_thread_life(thread);
	}
	return own;
}

/* False in a signal handler that has interrupted the writer. */
static bool begin_writing(struct cio_refusal *own)
{
	if (!own || own->writing)
		return false;
	own->writing = 1;
	COMPILER_BARRIER();
	return true;
}

static void end_writing(struct cio_refusal *own)
{
	COMPILER_BARRIER();
	own->writing = 0;
}

COLD void cio_refusal_clear(struct ioasid_refused *details)
{
	memset(details, 0, sizeof(*details));
	details->set = -1;
	details->id = details->min = details->max = UINT32_MAX;
	details->spid = details->owner = UINT32_MAX;
	details->asked = details->available = details->limit = -1;
}

COLD void cio_copy_name(char *name, const char *text)
{
	size_t length = strnlen(text, IOASID_SET_NAME_BYTES - 1);

	/* Not in the middle of a character of UTF-8. */
	if (text[length])
		while (length && (text[length] & 0xc0) == 0x80)
			length--;
	/* What would break a line, or the quotes around it, is not shown. */
	for (size_t i = 0; i < length; i++)
		name[i] = text[i] == '"' || text[i] == '\\' || (unsigned char)text[i] < ' ' ||
					  text[i] == 0x7f
				  ? '?'
				  : text[i];
	name[length] = '\0';
}

void cio_refusal_name_set(struct ioasid_refused *details, const char *name)
{
	memcpy(details->set_name, name, IOASID_SET_NAME_BYTES);
}

COLD uint32_t cio_refusal_keep(const struct ioasid_refused *details)
{
	static uint32_t tickets;
	struct cio_refusal *own = mine();
	uint32_t ticket;

	if (!begin_writing(own))
		return 0;
	own->kept = *details;
	ticket = __atomic_add_fetch(&tickets, 1, __ATOMIC_RELAXED) & CIO_TICKETS;
	own->ticket = ticket;
	end_writing(own);
	return ticket;
}

COLD void cio_refusal_note(struct ioasid_refused *why, uint32_t ticket, enum ioasid_refusal reason,
			   int error, const char *cause, const char *caller, ioasid_t id)
{
	struct cio_refusal *own = mine();
	/* Swift's name of a function goes on with its labels: "ioasid_get(_:_:)". */
	size_t name = strcspn(caller, "(");

	/* Also while what is kept is read: a handler must not keep anything else there meanwhile. */
	bool is_writing = begin_writing(own);

	if (is_writing && ticket && own->ticket == ticket)
		*why = own->kept;
	else
		cio_refusal_clear(why);
	why->reason = reason;
	why->error = error;
	if (!why->cause)
		why->cause = cause;
	if (why->id == UINT32_MAX)
		why->id = id;
	if (name >= sizeof(why->function))
		name = sizeof(why->function) - 1;
	memcpy(why->function, caller, name);
	why->function[name] = '\0';
	if (!is_writing)
		return;
	own->last = *why;
	own->has_last = true;
	own->changes++;
	end_writing(own);
}

COLD bool ioasid_last_refusal(struct ioasid_refused *last)
{
	struct cio_refusal *own = mine();
	uint32_t seen;

	if (!last || !own || !own->has_last || own->writing)
		return false;
	do {
		seen = own->changes;
		COMPILER_BARRIER();
		*last = own->last;
		COMPILER_BARRIER();
	} while (own->changes != seen);
	return true;
}

/* Appends to a line that may be full; counts on all the same. */
__attribute__((cold, format(printf, 4, 5))) static void add(char *line, size_t size, size_t *length,
							    const char *format, ...)
{
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(*length < size ? line + *length : NULL,
			 *length < size ? size - *length : 0, format, args);
	va_end(args);
	if (more > 0)
		*length += (size_t)more;
}

COLD size_t ioasid_strrefusal(const struct ioasid_refused *why, char *line, size_t size)
{
	const char *next = ": ";
	size_t length = 0;
	bool is_used_up = why && (why->reason == IOASID_REFUSED_QUOTA ||
				  why->reason == IOASID_REFUSED_CAPACITY);

#define ADD(...) add(line, size, &length, __VA_ARGS__)
#define ADD_NEXT(format, ...) (ADD("%s" format, next, __VA_ARGS__), next = ", ")
	if (size)
		line[0] = '\0';
	if (!why)
		return 0;
	ADD("%.*s%s%s", IOASID_FUNCTION_BYTES, why->function, why->function[0] ? ": " : "",
	    why->cause ? why->cause : "");
	if (why->id != UINT32_MAX)
		ADD_NEXT("id %u", why->id);
	if (why->set >= 0) {
		ADD_NEXT("set %d", why->set);
		if (why->set_name[0])
			ADD(" \"%.*s\"", IOASID_SET_NAME_BYTES, why->set_name);
	}
	if (why->min != UINT32_MAX || why->max != UINT32_MAX)
		ADD_NEXT("range %u-%u", why->min, why->max);
	if (why->asked >= 0)
		ADD_NEXT("asked for %lld", (long long)why->asked);
	if (why->available >= 0)
		ADD_NEXT("%s %lld", is_used_up ? "available" : "there are",
			 (long long)why->available);
	if (why->limit >= 0)
		ADD_NEXT("limit %lld", (long long)why->limit);
	if (why->spid != UINT32_MAX)
		ADD_NEXT("SPID %u", why->spid);
	if (why->owner != UINT32_MAX)
		ADD(" of id %u", why->owner);
	if (why->address)
		ADD_NEXT("pointer %p", why->address);
	return length;
}

/*
 * An allowance for each function and reason, so that a noisy cause hides no other. There are fewer of
 * them than places; if there were more, some would share, nothing worse.
 */
#define ALLOWANCES 256
COLD static struct ioasid_ratelimit_state *allowance(const char *caller, enum ioasid_refusal reason)
{
	static struct {
		uintptr_t key;
		struct ioasid_ratelimit_state state;
	} places[ALLOWANCES];
	/* A reason has less than 16 values, and names of functions do not overlap. */
	uintptr_t key = (uintptr_t)caller * 16 + (uintptr_t)reason;
	size_t place = (size_t)((key * 0x9e3779b97f4a7c15) >> 56);

	for (int tries = 0; tries < 16; tries++, place = (place + 1) % ALLOWANCES) {
		uintptr_t there = 0;

		if (__atomic_compare_exchange_n(&places[place].key, &there, key, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
		    there == key)
			break;
	}
	cio_log_set_limit(&places[place].state);
	return &places[place].state;
}

COLD void cio_refusal_log(const struct ioasid_refused *why, const char *caller)
{
	char line[256];

	if (!cio_log_passes(IOASID_LOG_WARNING) ||
	    !cio_log_may_repeat(allowance(caller, why->reason), why->function))
		return;
	ioasid_strrefusal(why, line, sizeof(line));
	cio_log_deliver(IOASID_LOG_WARNING, line);
}
