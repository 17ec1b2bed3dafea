// SPDX-License-Identifier: MIT
// The log's formatting, and the allowances of the core's messages.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

pthread_rwlock_t cio_log_lock = PTHREAD_RWLOCK_INITIALIZER;

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

void cio_log_stderr(const char *line)
{
	fprintf(stderr, "ioasid: %s\n", line);
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
