// SPDX-License-Identifier: MIT
// The log's formatting, and the allowances of the core's messages.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "raw.h"
#include "runtime.h"

#define LINE_MAX_BYTES 256

#define CORE_INTERVAL_MS 5000
#define CORE_BURST 10

void cio_log_line(int level, const char *caller, const char *msg, uint32_t id)
{
	char line[LINE_MAX_BYTES], about[16] = "";
	/* Swift's name of a function goes on with its labels: "ioasid_get(_:_:)". */
	int name = (int)strcspn(caller, "(");

	if (id != UINT32_MAX)
		snprintf(about, sizeof(about), ": id %u", id);
	snprintf(line, sizeof(line), "%.*s%s%s%s", name, caller, name ? ": " : "", msg, about);
	cio_log_deliver(level, line);
}

/*
 * One system call and no stream: a stream's lock may be held by whoever was stopped in it, and a
 * look-up that is refused in a signal handler must not wait for that.
 */
static void write_parts(const struct iovec *parts, int count)
{
	int saved = errno;

	if (writev(STDERR_FILENO, parts, count) < 0)
		errno = saved;
}

static void write_line(const char *line)
{
	const struct iovec parts[] = {
		{ (void *)"ioasid: ", 8 },
		{ (void *)line, strlen(line) },
		{ (void *)"\n", 1 },
	};

	write_parts(parts, 3);
}

static bool is_child;

/* Not a line of the log: it must come also where the variable should have said how much is logged. */
void cio_refuse_variable(const char *name, const char *value, const char *accepted)
{
	const struct iovec parts[] = {
		{ (void *)"ioasid: ", 8 },
		{ (void *)name, strlen(name) },
		{ (void *)"=", 1 },
		{ (void *)value, strnlen(value, 64) },
		{ (void *)" is ignored, it may be ", 23 },
		{ (void *)accepted, strlen(accepted) },
		{ (void *)"\n", 1 },
	};
	int cancellation;

	if (is_child)
		return;
	cancellation = cio_hold_cancellation();
	write_parts(parts, sizeof(parts) / sizeof(parts[0]));
	cio_restore_cancellation(cancellation);
}

/*
 * Sinks are replaced while they run, in any number of threads. The current one and how many threads
 * are in it are one word, so that a thread enters exactly the sink that it counts itself in:
 *
 *     current   | slot 32 | threads in it 32 |
 *
 * Whoever replaces it takes the count over into the slot, waits until those threads have left, and
 * keeps the slot so long. Lines that begin meanwhile go to the new sink, so that the wait ends
 * however much is logged. No lock is held while somebody waits.
 */
#define SINKS 64
static struct sink {
	ioasid_log_fn fn;
	void *data;
	int32_t running; /* of those who were in it when it was replaced */
	uint8_t is_taken;
} sinks[SINKS] = { { .is_taken = 1 } };
static uint64_t current;

static uint32_t enter_sink(void)
{
	return (uint32_t)(__atomic_fetch_add(&current, 1, __ATOMIC_ACQ_REL) >> 32);
}

static void leave_sink(uint32_t slot)
{
	uint64_t now = __atomic_load_n(&current, __ATOMIC_RELAXED);

	/* After fork() the count began anew: then there is nothing to take off. */
	while (now >> 32 == slot && (uint32_t)now)
		if (__atomic_compare_exchange_n(&current, &now, now - 1, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return;
	if (now >> 32 != slot)
		__atomic_fetch_sub(&sinks[slot].running, 1, __ATOMIC_RELEASE);
}

/*
 * A sink is users' code. Whoever logs with the core lock held does so where what that guards is
 * consistent, so fork() need not wait for the sink (lock.h).
 */
static void call_sink(const struct sink *sink, int level, const char *line)
{
	bool is_owner = cio_core_is_mine();
	unsigned int before = is_owner ? cio_core_leave() : 0;

	sink->fn(sink->data, level, line);
	if (is_owner)
		cio_core_enter(before);
}

/* Threads that share a record have no flag: they get the default sink, which logs nothing itself. */
void cio_log_deliver(int level, const char *line)
{
	struct cio_thread *thread = cio_thread_self();
	uint32_t slot;
	int cancellation;

	if (thread && cio_thread_flags(thread) & CIO_THREAD_IN_SINK)
		return;
	/* The core logs with its lock held: no place to be cancelled. */
	cancellation = cio_hold_cancellation();
	if (thread) {
		cio_thread_set_flags(thread, cio_thread_flags(thread) | CIO_THREAD_IN_SINK);
		slot = enter_sink();
		if (sinks[slot].fn)
			call_sink(&sinks[slot], level, line);
		else
			write_line(line);
		leave_sink(slot);
	} else {
		write_line(line);
	}
	if (thread)
		cio_thread_set_flags(thread, cio_thread_flags(thread) & ~CIO_THREAD_IN_SINK);
	cio_restore_cancellation(cancellation);
}

static uint32_t take_slot(void)
{
	for (;;) {
		for (uint32_t slot = 0; slot < SINKS; slot++)
			if (!__atomic_exchange_n(&sinks[slot].is_taken, 1, __ATOMIC_ACQUIRE))
				return slot;
		/* As many as there are slots wait for sinks. */
		raw_sleep(1000000);
	}
}

/* A sink may wait for the core lock, or for readers: then it is replaced only if nobody is in it. */
static bool must_not_wait(void)
{
	return cio_core_is_mine() || cio_read_ongoing();
}

int cio_log_set_sink(ioasid_log_fn fn, void *data)
{
	struct cio_thread *thread = cio_thread_known();
	uint32_t new, old;
	uint64_t now;

	if (thread && cio_thread_flags(thread) & CIO_THREAD_IN_SINK)
		return -EDEADLK;
	new = take_slot();
	sinks[new].fn = fn;
	sinks[new].data = data;
	sinks[new].running = 0;
	now = __atomic_load_n(&current, __ATOMIC_RELAXED);
	do {
		if ((uint32_t)now && must_not_wait()) {
			__atomic_store_n(&sinks[new].is_taken, 0, __ATOMIC_RELEASE);
			return -EDEADLK;
		}
	} while (!__atomic_compare_exchange_n(&current, &now, (uint64_t) new << 32, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	old = (uint32_t)(now >> 32);
	__atomic_fetch_add(&sinks[old].running, (int32_t)(uint32_t)now, __ATOMIC_RELAXED);
	for (int looks = 0; __atomic_load_n(&sinks[old].running, __ATOMIC_ACQUIRE) > 0; looks++) {
		if (looks < 1000)
			raw_pause();
		else
			raw_sleep(100000);
	}
	__atomic_store_n(&sinks[old].is_taken, 0, __ATOMIC_RELEASE);
	return 0;
}

/* The threads that were in sinks are not there, but for one that forked in a sink. */
void cio_log_after_fork_child(void)
{
	const struct cio_thread *thread = cio_thread_known();
	uint32_t slot = (uint32_t)(current >> 32);

	is_child = true;
	for (uint32_t other = 0; other < SINKS; other++) {
		sinks[other].running = 0;
		sinks[other].is_taken = other == slot;
	}
	current = (uint64_t)slot << 32 | (thread && cio_thread_flags(thread) & CIO_THREAD_IN_SINK);
}

void cio_log_missed(uint32_t count, const char *about)
{
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), "%s%s%u lines suppressed", about ? about : "",
		 about ? ": " : "", count);
	if (cio_log_passes(IOASID_LOG_WARNING))
		cio_log_deliver(IOASID_LOG_WARNING, line);
}

void cio_log_set_limit(struct ioasid_ratelimit_state *state)
{
	cio_store32(&state->interval_ms, CORE_INTERVAL_MS);
	cio_store32(&state->burst, CORE_BURST);
}

struct ioasid_ratelimit_state *cio_log_limit(uintptr_t address)
{
#define ONE { CORE_INTERVAL_MS, CORE_BURST, 0, 0, 0 }
#define FOUR ONE, ONE, ONE, ONE
	static struct ioasid_ratelimit_state limits[16] = { FOUR, FOUR, FOUR, FOUR };

	/* Messages lie end to end: fold the bits that differ between neighbours. */
	return &limits[(address ^ (address >> 4) ^ (address >> 8)) % 16];
#undef FOUR
#undef ONE
}

int cio_log_level_from_environment(const char **refused)
{
	static const struct {
		const char *name;
		int level;
	} names[] = {
		{ "none", -1 },
		{ "err", IOASID_LOG_ERR },
		{ "warning", IOASID_LOG_WARNING },
		{ "info", IOASID_LOG_INFO },
		{ "debug", IOASID_LOG_DEBUG },
	};
	const char *wanted = secure_getenv("IOASID_LOG");

	*refused = NULL;
	if (!wanted || !wanted[0])
		return IOASID_LOG_WARNING;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(wanted, names[i].name))
			return names[i].level;
	if (wanted[0] >= '0' && wanted[0] <= '7' && !wanted[1])
		return wanted[0] - '0';
	*refused = wanted;
	return IOASID_LOG_WARNING;
}
