/* SPDX-License-Identifier: MIT */
/* Looking inside: counters, dumps, the event trace, and the failing allocator for tests. */
#ifndef IOASID_LINUX_IOASID_DEBUG_H
#define IOASID_LINUX_IOASID_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What libc calls FILE, without its header: feature macros may still be defined after this one. */
struct _IO_FILE;
struct ioasid_set;

/**
 * enum ioasid_refusal - why a request was refused, index into ioasid_stats.refused
 * @IOASID_REFUSED_SET: not a live set
 * @IOASID_REFUSED_QUOTA: the set has all the ids it may have
 * @IOASID_REFUSED_CAPACITY: nothing left that is not reserved
 * @IOASID_REFUSED_RANGE: the range is reversed, beyond the capacity, or has no free id
 * @IOASID_REFUSED_ALLOCATOR: the custom allocator had none, or returned nonsense
 * @IOASID_REFUSED_MEMORY: not enough memory
 * @IOASID_REFUSED_UNKNOWN: unknown id, subscriber or allocator
 * @IOASID_REFUSED_PENDING: the id is FREE_PENDING
 * @IOASID_REFUSED_OWNER: the id is of another set or owner
 * @IOASID_REFUSED_EXISTS: token, SPID, subscriber or allocator already there
 * @IOASID_REFUSED_BUSY: in use, or would wait for itself
 * @IOASID_REFUSED_OVERFLOW: the reference count is at its limit
 * @IOASID_REFUSED_ARGUMENT: an argument makes no sense
 * @IOASID_REFUSED_NR: how many reasons there are
 */
enum ioasid_refusal {
	IOASID_REFUSED_SET,
	IOASID_REFUSED_QUOTA,
	IOASID_REFUSED_CAPACITY,
	IOASID_REFUSED_RANGE,
	IOASID_REFUSED_ALLOCATOR,
	IOASID_REFUSED_MEMORY,
	IOASID_REFUSED_UNKNOWN,
	IOASID_REFUSED_PENDING,
	IOASID_REFUSED_OWNER,
	IOASID_REFUSED_EXISTS,
	IOASID_REFUSED_BUSY,
	IOASID_REFUSED_OVERFLOW,
	IOASID_REFUSED_ARGUMENT,
	IOASID_REFUSED_NR,
};

#define IOASID_FUNCTION_BYTES 48
#define IOASID_SET_NAME_BYTES 32

/**
 * struct ioasid_refused - one refusal, with what it was about
 * @reason: why
 * @error: the error number, positive, whatever the function returned for it
 * @cause: the reason more exactly, in words; a constant string
 * @function: the function that refused
 * @set_name: the name of the set, see ioasid_set_name(); empty if it has none or is not known
 * @set: the number of the set; -1 if none is known
 * @id: the id; INVALID_IOASID if it was about none
 * @min: lowest id asked for
 * @max: highest id asked for; @min and @max are INVALID_IOASID if it was about no range
 * @spid: the SPID; INVALID_IOASID if it was about none
 * @owner: the id that has @spid; INVALID_IOASID if none has
 * @asked: how many were asked for, or the value that was; -1 if it was about no number
 * @available: how many there were to take, or in the way; -1 if it was about no number
 * @limit: how many there may be: the quota, the capacity, the most references; -1 if it was about none
 * @address: the pointer that was handed in, where that was the trouble; never followed
 */
struct ioasid_refused {
	enum ioasid_refusal reason;
	int error;
	const char *cause;
	char function[IOASID_FUNCTION_BYTES];
	char set_name[IOASID_SET_NAME_BYTES];
	int set;
	unsigned int id;
	unsigned int min;
	unsigned int max;
	unsigned int spid;
	unsigned int owner;
	int64_t asked;
	int64_t available;
	int64_t limit;
	const void *address;
};

/**
 * struct ioasid_stats - counters, since the library was loaded unless said otherwise
 * @capacity: how many ids there are
 * @available: how many are neither reserved nor in use, now
 * @live: ids not reclaimed, now
 * @pending: those of them that are FREE_PENDING, now
 * @sets: live sets, now, without the system set
 * @dying: dead sets whose ids others still hold, now
 * @subscribers: registered notifier blocks, now
 * @allocs: ids allocated
 * @reclaims: ids reclaimed
 * @events: handlers called
 * @memory: blocks of the checked allocator in use, now
 * @refused: requests refused, by enum ioasid_refusal
 */
struct ioasid_stats {
	uint64_t capacity;
	uint64_t available;
	uint64_t live;
	uint64_t pending;
	uint64_t sets;
	uint64_t dying;
	uint64_t subscribers;
	uint64_t allocs;
	uint64_t reclaims;
	uint64_t events;
	uint64_t memory;
	uint64_t refused[IOASID_REFUSED_NR];
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_get_stats() - read the counters
 * @stats: filled
 *
 * Context: takes the core lock.
 */
void ioasid_get_stats(struct ioasid_stats *stats);

/**
 * ioasid_refusal_name() - a reason in words
 * @why: enum ioasid_refusal
 *
 * Return: a constant string; "unknown" beyond the last reason.
 * Context: lock-free, async-signal-safe.
 */
const char *ioasid_refusal_name(enum ioasid_refusal why);

/**
 * ioasid_last_refusal() - what the calling thread was refused last
 * @last: filled
 *
 * The numbers are those of the moment at which the request was refused. What succeeds leaves it as it is.
 * An answer that is no refusal (an id that ioasid_is_active() does not know) leaves it, too.
 *
 * Return: true; false, and @last is not changed, if the thread was refused nothing yet, if there are more
 * than 16,383 threads and this is one of those beyond, or for a NULL @last.
 * Context: lock-free, async-signal-safe. What is refused in a signal handler is what the thread was refused
 * last, unless the handler has interrupted a refusal or this function.
 */
bool ioasid_last_refusal(struct ioasid_refused *last);

/**
 * ioasid_strrefusal() - a refusal as one sentence
 * @why: what ioasid_last_refusal() gave
 * @line: where to, cut if it is too small; may be NULL if @size is 0
 * @size: bytes at @line
 *
 * It is what the log says, such as "ioasid_alloc: no free id in the range: set 3 "vm3", range 100-200".
 *
 * Return: how long the whole sentence is, without its zero byte; 0 for a NULL @why.
 * Context: lock-free, async-signal-safe.
 */
size_t ioasid_strrefusal(const struct ioasid_refused *why, char *line, size_t size);

/**
 * ioasid_dump() - write sets, quotas, use, and ids with state, references and SPID as text
 * @out: where to
 *
 * Return: 0; -EINVAL no @out; -EIO it could not be written; -ENOMEM nothing was written.
 * Context: takes the core lock while it looks, not while it writes.
 */
int ioasid_dump(struct _IO_FILE *out);

/**
 * ioasid_dump_dot() - write sets and ids as a Graphviz graph
 * @out: where to
 *
 * Return: as ioasid_dump().
 * Context: as ioasid_dump().
 */
int ioasid_dump_dot(struct _IO_FILE *out);

/**
 * ioasid_trace_start() - write a line for each event delivered and each change of a reference
 * @out: where to; must stay open until ioasid_trace_stop()
 *
 * The library takes the stream's lock inside its core lock. So do not call the library with that lock held: not
 * between flockfile() and funlockfile(), and not in a function of your own (fopencookie()) that someone else's
 * fflush(), fprintf() or exit() runs. Where nobody else uses the stream, such functions run with the core lock
 * held and may use the library, which is not traced; they must not wait for a thread that does, and must
 * return. While it is written, nothing that changes references is async-signal-safe.
 *
 * A line has the time in seconds, thread, id, SPID, set, what happened, who was told, and the references after
 * it; then the set's name and the subscriber's function, and while a history is kept, who did it and the tag.
 * scripts/timeline of the sources makes a picture of it.
 *
 * Return: 0; -EINVAL no @out; -EBUSY a trace is running.
 * Context: takes the core lock. The thread that does something writes its own lines.
 */
int ioasid_trace_start(struct _IO_FILE *out);

/**
 * ioasid_trace_stop() - end the trace; nothing is written to the file when it has returned
 *
 * Context: takes the core lock; waits for writers.
 */
void ioasid_trace_stop(void);

/**
 * ioasid_history_start() - remember who takes and puts the references of ids
 *
 * For each id that lives: where it was allocated, where references were taken and put (the caller of the
 * library, by symbol), how often, by which thread last and when. ioasid_dump(), ioasid_dump_dot() and
 * ioasid_report_leaks() show it. IOASID_HISTORY=1 in the environment starts it before main().
 *
 * While it is kept, changes of references take the core lock and are not async-signal-safe. Without memory
 * it goes on with gaps, and says so. Callers are found with libgcc_s, which is loaded at the first start:
 * without it they are shown as (nil).
 *
 * Return: 0; -EBUSY it is kept already; -ENOMEM.
 * Context: takes the core lock.
 */
int ioasid_history_start(void);

/**
 * ioasid_history_stop() - forget it, and remember no more
 *
 * Context: takes the core lock.
 */
void ioasid_history_stop(void);

/**
 * ioasid_get_tagged() - take a reference, and tell the history who takes it
 * @set: as for ioasid_get()
 * @ioasid: the id
 * @tag: who takes it: any address of the caller's, never followed; with NULL it is ioasid_get()
 *
 * Return: as ioasid_get().
 * Context: as ioasid_get(); takes the core lock while a history is kept.
 */
int ioasid_get_tagged(struct ioasid_set *set, unsigned int ioasid, const void *tag);

/**
 * ioasid_put_tagged() - give back the reference that was taken with this tag
 * @set: as for ioasid_put()
 * @ioasid: the id
 * @tag: as it was taken
 *
 * While a history is kept, and knows the id from its allocation on, a tag that has no reference is refused:
 * somebody puts what is not his own.
 *
 * Return: as ioasid_put(): false also means that others hold the id. If @tag has none, false, and nothing is put:
 * then ioasid_last_refusal() has the cause "no reference of the id has this tag".
 * Context: as ioasid_put(); takes the core lock while a history is kept.
 */
bool ioasid_put_tagged(struct ioasid_set *set, unsigned int ioasid, const void *tag);

/**
 * ioasid_report_leaks() - write which ids, sets, subscribers and allocators are left, and who holds them
 * @out: where to; nothing is written if nothing is left
 *
 * IOASID_REPORT_LEAKS=1 in the environment does this to stderr when the process ends by exit(), behind
 * handlers of atexit(); with IOASID_REPORT_LEAKS=fail the exit status is 23 if anything is left, also if that
 * cannot be written; a thread of the library flushes all streams then, and runs the functions of yours. If another thread keeps the core lock for a second it is not known what is left: a line says
 * so, and the status is 23 as well. A child of fork() has copies of its parent's ids, and says nothing.
 *
 * Return: how many there are; -EINVAL no @out; -EIO it could not be written; -ENOMEM.
 * Context: as ioasid_dump().
 */
int ioasid_report_leaks(struct _IO_FILE *out);

/**
 * ioasid_reset() - for tests and fuzzers: end everything that is left, and start over
 * @out: where to write what was left, as ioasid_report_leaks() does; NULL to write nothing
 *
 * Subscribers and custom allocators are unregistered, and not called: their code and data may be gone. Then all
 * ids and sets end, whoever holds them; so do reservations, ranges, and an installed capacity. Nobody else may use
 * the library meanwhile, or anything of it afterwards: a set that somebody still points to is gone.
 *
 * Log, trace, history, hooks, counters and the last refusal stay as they are.
 *
 * Return: how many ids, sets, subscribers and allocators were left; -EBUSY in a callback (handler, getter, visitor,
 * allocator, log sink, write function of a dump or trace) or a read-side section; -EIO or -ENOMEM it
 * could not be written. If it is refused nothing has ended.
 * Context: takes the core lock; not in a callback or a read-side section. A thread beyond 16,383 is not known to be
 * in a visitor, a sink or a dump.
 */
int ioasid_reset(struct _IO_FILE *out);

/**
 * ioasid_fail_nth() - for tests: let an allocation of the library fail
 * @nth: 1 for the next one; 0 for none
 *
 * Return: how many allocations there have been since the last call.
 * Context: lock-free, async-signal-safe.
 */
unsigned long ioasid_fail_nth(unsigned long nth);

#ifdef __cplusplus
}
#endif

#endif
