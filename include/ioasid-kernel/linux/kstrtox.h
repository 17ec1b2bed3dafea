/* SPDX-License-Identifier: MIT */
/* Compat: numbers out of text, strictly. */
#ifndef IOASID_LINUX_KSTRTOX_H
#define IOASID_LINUX_KSTRTOX_H

#include <stdbool.h>

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/ioasid-casts.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The longest numbers have two names. */
__extension__ typedef long long ioasid_longest;
__extension__ typedef unsigned long long ioasid_ulongest;

/**
 * ioasid_kstrtoull() - read a number without sign from a text
 * @text: digits, perhaps with a plus before and one newline behind; no spaces
 * @base: 2 to 16; 0: 16 after 0x, 8 after 0, else 10. With 16 there may be a 0x
 * @result: where it goes; unchanged on error
 *
 * Return: 0; -EINVAL if @text is no such number, or an argument is NULL; -ERANGE if it does not fit.
 * Context: any.
 */
int ioasid_kstrtoull(const char *text, unsigned int base, ioasid_ulongest *result);

/**
 * ioasid_kstrtoll() - read a number that may have a minus from a text
 * @text: as for ioasid_kstrtoull()
 * @base: as there
 * @result: as there
 *
 * Return: as there.
 * Context: any.
 */
int ioasid_kstrtoll(const char *text, unsigned int base, ioasid_longest *result);

/**
 * ioasid_kstrtobool() - read yes or no from a text
 * @text: begins with y, Y, t, T, 1 or "on"; n, N, f, F, 0 or "off"
 * @result: where it goes; unchanged on error
 *
 * Return: 0; -EINVAL for anything else, NULL too.
 * Context: any.
 */
int ioasid_kstrtobool(const char *text, bool *result);

#ifdef __cplusplus
}
#endif

static inline int __must_check kstrtoull(const char *s, unsigned int base, ioasid_ulongest *res)
{
	return ioasid_kstrtoull(s, base, res);
}

static inline int __must_check kstrtoll(const char *s, unsigned int base, ioasid_longest *res)
{
	return ioasid_kstrtoll(s, base, res);
}

static inline int __must_check kstrtobool(const char *s, bool *res)
{
	return ioasid_kstrtobool(s, res);
}

#define IOASID_KSTRTO(name, type, wide, parse) \
	static inline int __must_check name(const char *s, unsigned int base, type *res) \
	{ \
		wide value; \
		int err = parse(s, base, &value); \
		if (err) \
			return err; \
		if (IOASID_NUMBER(wide, IOASID_NUMBER(type, value)) != value) \
			return -ERANGE; \
		if (!res) \
			return -EINVAL; \
		*res = IOASID_NUMBER(type, value); \
		return 0; \
	}

IOASID_KSTRTO(kstrtoul, unsigned long, ioasid_ulongest, ioasid_kstrtoull)
IOASID_KSTRTO(kstrtol, long, ioasid_longest, ioasid_kstrtoll)
IOASID_KSTRTO(kstrtouint, unsigned int, ioasid_ulongest, ioasid_kstrtoull)
IOASID_KSTRTO(kstrtoint, int, ioasid_longest, ioasid_kstrtoll)
IOASID_KSTRTO(kstrtou64, u64, ioasid_ulongest, ioasid_kstrtoull)
IOASID_KSTRTO(kstrtos64, s64, ioasid_longest, ioasid_kstrtoll)
IOASID_KSTRTO(kstrtou32, u32, ioasid_ulongest, ioasid_kstrtoull)
IOASID_KSTRTO(kstrtos32, s32, ioasid_longest, ioasid_kstrtoll)
IOASID_KSTRTO(kstrtou16, u16, ioasid_ulongest, ioasid_kstrtoull)
IOASID_KSTRTO(kstrtos16, s16, ioasid_longest, ioasid_kstrtoll)
IOASID_KSTRTO(kstrtou8, u8, ioasid_ulongest, ioasid_kstrtoull)
IOASID_KSTRTO(kstrtos8, s8, ioasid_longest, ioasid_kstrtoll)

#undef IOASID_KSTRTO

#endif
