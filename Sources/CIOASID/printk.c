// SPDX-License-Identifier: MIT
// The log's variadic front, its formatting, and the allowances of the core's messages.
#define _GNU_SOURCE
#include <stdarg.h>

#include "cioasid.h"

#define LINE_MAX_BYTES 256

#define CORE_INTERVAL_MS 5000
#define CORE_BURST 10

/* KERN_SOH of <linux/printk.h>: a level follows, or 'c' for a continuation, which goes as default. */
#define LEVEL_MARK '\001'

static int take_level(const char **fmt)
{
	const char *text = *fmt;

	if (text[0] != LEVEL_MARK || !text[1])
		return IOASID_LOG_WARNING;
	*fmt += 2;
	return text[1] >= '0' && text[1] <= '7' ? text[1] - '0' : IOASID_LOG_WARNING;
}

int ioasid_printk(const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int level, length;

	if (!fmt)
		return 0;
	level = take_level(&fmt);
	va_start(args, fmt);
	length = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (length < 0)
		return 0;
	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	if (length > 0 && line[length - 1] == '\n')
		line[--length] = '\0';
	if (cio_log_passes(level))
		cio_log_deliver(level, line);
	return length;
}

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
	ioasid_printk("%u lines suppressed", count);
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
