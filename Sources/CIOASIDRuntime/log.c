// SPDX-License-Identifier: MIT
// The log's formatting, and the allowances of the core's messages.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <unistd.h>

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
void cio_log_stderr(const char *line)
{
	struct iovec parts[] = {
		{ (void *)"ioasid: ", 8 },
		{ (void *)line, strlen(line) },
		{ (void *)"\n", 1 },
	};
	int saved = errno;

	if (writev(STDERR_FILENO, parts, 3) < 0)
		errno = saved;
}

/*
 * Sinks are replaced while they run, in any number of threads. Two slots would do if nobody waited;
 * whoever replaces one keeps its slot until a grace period is over, so there are some more. Slots
 * are taken and given back, and the current one is exchanged, by single instructions: no lock is
 * held while somebody waits.
 */
#define SINKS 64
static struct cio_log_sink sinks[SINKS];
static uint8_t sink_is_taken[SINKS] = { 1 };
static struct cio_log_sink *current_sink = &sinks[0];

const struct cio_log_sink *cio_log_current_sink(void)
{
	const struct cio_log_sink *sink = __atomic_load_n(&current_sink, __ATOMIC_ACQUIRE);

	return sink->fn ? sink : NULL;
}

static struct cio_log_sink *take_slot(void)
{
	for (;;) {
		for (int i = 0; i < SINKS; i++)
			if (!__atomic_exchange_n(&sink_is_taken[i], 1, __ATOMIC_ACQUIRE))
				return &sinks[i];
		/* As many as there are slots wait. */
		cio_synchronize();
	}
}

int cio_log_set_sink(ioasid_log_fn fn, void *data)
{
	struct cio_log_sink *slot, *old;

	if (cio_read_ongoing() || cio_core_is_mine())
		return -EDEADLK;
	slot = take_slot();
	*slot = (struct cio_log_sink){ fn, data };
	old = __atomic_exchange_n(&current_sink, slot, __ATOMIC_ACQ_REL);
	cio_synchronize();
	__atomic_store_n(&sink_is_taken[old - sinks], 0, __ATOMIC_RELEASE);
	return 0;
}

void cio_log_after_fork_child(void)
{
	for (int i = 0; i < SINKS; i++)
		sink_is_taken[i] = &sinks[i] == current_sink;
}

void cio_log_missed(uint32_t count)
{
	char line[64];

	snprintf(line, sizeof(line), "%u lines suppressed", count);
	if (cio_log_passes(IOASID_LOG_WARNING))
		cio_log_deliver(IOASID_LOG_WARNING, line);
}

struct ratelimit_state *cio_log_limit(uintptr_t address)
{
#define ONE { CORE_INTERVAL_MS, CORE_BURST, 0, 0, 0 }
#define FOUR ONE, ONE, ONE, ONE
	static struct ratelimit_state limits[16] = { FOUR, FOUR, FOUR, FOUR };

	/* Messages lie end to end: fold the bits that differ between neighbours. */
	return &limits[(address ^ (address >> 4) ^ (address >> 8)) % 16];
#undef FOUR
#undef ONE
}

int cio_log_level_from_environment(void)
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

	if (!wanted)
		return IOASID_LOG_WARNING;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(wanted, names[i].name))
			return names[i].level;
	if (wanted[0] >= '0' && wanted[0] <= '7' && !wanted[1])
		return wanted[0] - '0';
	return IOASID_LOG_WARNING;
}
