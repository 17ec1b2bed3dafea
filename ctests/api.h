/* SPDX-License-Identifier: MIT */
/* For test_api_*.c: a client of one published version, which sees nothing but its headers. */
#ifndef IOASID_TESTS_API_H
#define IOASID_TESTS_API_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/err.h>
#include <linux/ioasid-log.h>

static char last_line[256];

static inline void keep_line(void *data, int level, const char *line)
{
	(void)data;
	(void)level;
	strncpy(last_line, line, sizeof(last_line) - 1);
}

/* Names of the API as members and parameters: real functions do not mind. */
#define CHECK_TYPE(function, type) ((void)_Generic(&(function), type: 0))

#endif
