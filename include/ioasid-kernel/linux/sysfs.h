/* SPDX-License-Identifier: MIT */
/* Compat: what a show function writes into its page. There is no file system behind it. */
#ifndef IOASID_LINUX_SYSFS_H
#define IOASID_LINUX_SYSFS_H

#include <stdarg.h>
#include <stdio.h>

#include <asm/page.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>

/*
 * @buf is a page, and nothing is written beyond it: what does not fit is cut. NULL, a buffer that
 * does not begin a page, and a place outside of it are a warning and 0, as in the kernel.
 */

static inline int ioasid_sysfs_emit(char *buf, int at, const char *fmt, va_list args)
{
	int room = (int)PAGE_SIZE - at, length;

	if (WARN(!buf || ((unsigned long)buf & (PAGE_SIZE - 1)) || at < 0 || room <= 0,
		 "sysfs_emit: buf:%p at:%d is no place in a page\n", (void *)buf, at))
		return 0;
	length = vsnprintf(buf + at, (size_t)room, fmt, args);
	if (length < 0)
		return 0;
	return length < room ? length : room - 1;
}

__printf(2, 3) static inline int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = ioasid_sysfs_emit(buf, 0, fmt, args);
	va_end(args);
	return length;
}

__printf(3, 4) static inline int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = ioasid_sysfs_emit(buf, at, fmt, args);
	va_end(args);
	return length;
}

#endif
