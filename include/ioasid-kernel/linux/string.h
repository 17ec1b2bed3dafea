/* SPDX-License-Identifier: MIT */
/* Compat: memory and strings, as the C library has them, and the kernel's own few. */
#ifndef IOASID_LINUX_STRING_H
#define IOASID_LINUX_STRING_H

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/types.h>

/* Spaces of the C locale, whatever the program's locale is. */
static inline bool ioasid_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline char *skip_spaces(const char *text)
{
	while (ioasid_is_space(*text))
		text++;
	return (char *)text;
}

/* Cuts the spaces at the end off, in place, and skips those at the beginning. NULL gives NULL. */
static inline char *strim(char *text)
{
	size_t length;

	if (!text)
		return text;
	for (length = strlen(text); length && ioasid_is_space(text[length - 1]); length--)
		;
	text[length] = '\0';
	return skip_spaces(text);
}

static inline char *strstrip(char *text)
{
	return strim(text);
}

/*
 * How much was copied, without the zero that always ends it; -E2BIG if it was cut. Nothing is written, and the
 * result is -E2BIG, if @size is 0 or, as a difference that went below 0 is, larger than INT_MAX.
 */
static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t length = 0;

	if (WARN_ON_ONCE(size > INT_MAX))
		return -E2BIG;
	while (length < size && from[length])
		length++;
	if (length == size) {
		if (size) {
			memcpy(to, from, size - 1);
			to[size - 1] = '\0';
		}
		return -E2BIG;
	}
	memcpy(to, from, length + 1);
	return (ssize_t)length;
}

/* A newline at the end of either does not count. */
static inline bool sysfs_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (!*a && !*b) || (!*a && *b == '\n' && !b[1]) || (*a == '\n' && !a[1] && !*b);
}

/* The place of @text in an array of @n strings that may end before, with NULL; or -EINVAL. */
static inline int match_string(const char *const *array, size_t n, const char *text)
{
	size_t i;

	for (i = 0; i < n && array[i]; i++) {
		if (!strcmp(array[i], text))
			return (int)i;
	}
	return -EINVAL;
}

static inline bool strstarts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/string.h>
