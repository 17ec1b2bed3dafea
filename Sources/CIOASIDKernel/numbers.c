// SPDX-License-Identifier: MIT
// Numbers out of text: <linux/kstrtox.h>.
#define _GNU_SOURCE
#include "kernel.h"

#include <linux/kernel.h>

/* The digit, or a number that is no digit of any base. */
static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 16;
}

/* strtoull() takes more: spaces, signs, and what comes after. */
static int parse(const char *text, unsigned int base, unsigned long long *result)
{
	unsigned long long value = 0;
	bool too_large = false;
	const char *first;

	if (base > 16 || base == 1)
		return -EINVAL;
	if ((base == 0 || base == 16) && text[0] == '0' && (text[1] | 0x20) == 'x' &&
	    digit(text[2]) < 16) {
		text += 2;
		base = 16;
	}
	if (base == 0)
		base = text[0] == '0' ? 8 : 10;
	for (first = text; digit(*text) < base; text++) {
		if (__builtin_mul_overflow(value, (unsigned long long)base, &value) ||
		    __builtin_add_overflow(value, (unsigned long long)digit(*text), &value))
			too_large = true;
	}
	if (text == first)
		return -EINVAL;
	if (too_large)
		return -ERANGE; // whatever stands behind the digits
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	*result = value;
	return 0;
}

int ioasid_kstrtoull(const char *text, unsigned int base, unsigned long long *result)
{
	if (!text || !result)
		return -EINVAL;
	return parse(*text == '+' ? text + 1 : text, base, result);
}

int ioasid_kstrtoll(const char *text, unsigned int base, long long *result)
{
	unsigned long long value;
	bool minus;
	int err;

	if (!text || !result)
		return -EINVAL;
	minus = *text == '-';
	err = parse(minus || *text == '+' ? text + 1 : text, base, &value);
	if (err)
		return err;
	if (value > (unsigned long long)LLONG_MAX + minus)
		return -ERANGE;
	*result = minus ? (long long)(0 - value) : (long long)value;
	return 0;
}

int ioasid_kstrtobool(const char *text, bool *result)
{
	if (!text || !result)
		return -EINVAL;
	switch (text[0] | 0x20) {
	case 'y':
	case 't':
	case '1':
		*result = true;
		return 0;
	case 'n':
	case 'f':
	case '0':
		*result = false;
		return 0;
	case 'o':
		if ((text[1] | 0x20) != 'n' && (text[1] | 0x20) != 'f')
			return -EINVAL;
		*result = (text[1] | 0x20) == 'n';
		return 0;
	default:
		return -EINVAL;
	}
}
