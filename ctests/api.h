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

/* Each name is a function: it has the type that was published, and an address. */
static void (*volatile api_function)(void);
#define CHECK_TYPE(function, type) \
	(api_function = _Generic(&(function), type: (void (*)(void))(function)))

static inline void check_what_all_have(void)
{
	CHECK_TYPE(ioasid_alloc, ioasid_t(*)(struct ioasid_set *, ioasid_t, ioasid_t, void *));
	CHECK_TYPE(ioasid_find, void *(*)(struct ioasid_set *, ioasid_t, bool (*)(void *)));
	CHECK_TYPE(ioasid_register_allocator, int (*)(struct ioasid_allocator_ops *));
	CHECK_TYPE(ioasid_unregister_allocator, void (*)(struct ioasid_allocator_ops *));
	(void)_Generic((ioasid_alloc_fn_t)0, ioasid_t(*)(ioasid_t, ioasid_t, void *) : 0);
	(void)_Generic((ioasid_free_fn_t)0, void (*)(ioasid_t, void *) : 0);
	assert_int_equal(INVALID_IOASID, UINT_MAX);
}

#if IOASID_API < 5
static inline void check_what_the_series_has(void)
{
	check_what_all_have();
	CHECK_TYPE(ioasid_free, void (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_get, int (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_get_locked, int (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_attach_data, int (*)(ioasid_t, void *));
	CHECK_TYPE(ioasid_attach_spid, int (*)(ioasid_t, ioasid_t));
	CHECK_TYPE(ioasid_install_capacity, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_register_notifier, int (*)(struct ioasid_set *, struct notifier_block *));
	CHECK_TYPE(ioasid_unregister_notifier,
		   void (*)(struct ioasid_set *, struct notifier_block *));
	CHECK_TYPE(ioasid_register_notifier_mm,
		   int (*)(struct mm_struct *, struct notifier_block *));
	CHECK_TYPE(ioasid_unregister_notifier_mm,
		   void (*)(struct mm_struct *, struct notifier_block *));
	assert_int_equal(IOASID_SET_TYPE_NULL, 1);
	assert_int_equal(IOASID_SET_TYPE_MM, 2);
	assert_int_equal(IOASID_PRIO_LAST, 0);
	assert_int_equal(IOASID_PRIO_CPU, 3);
}
#endif

#include "own_names.h"

#endif
