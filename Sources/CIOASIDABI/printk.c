// SPDX-License-Identifier: MIT
// ioasid_printk(): Swift cannot be variadic.
#define _GNU_SOURCE
#include <stdarg.h>

#include <runtime.h>

#define LINE_MAX_BYTES 256

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
