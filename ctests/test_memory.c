/* SPDX-License-Identifier: MIT */
/* What was used and is not any more goes back to the system, but for a few pages. */
#include <stdio.h>
#include <unistd.h>

#include "support.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

enum { COUNT = 200000, KIB = 1024 };

/* In KiB. */
static long resident(void)
{
	long size, pages;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &size, &pages), 2);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / KIB);
}

/* It is the size of what others have, too, where others watch every byte. */
static bool is_watched(void)
{
	return IS_SANITIZED || loops(COUNT) != COUNT;
}

static void ids_go_back(void **state)
{
	long before, full, after;

	(void)state;
	if (is_watched())
		skip();
	free_id(new_id(NULL, NULL));
	before = resident();
	for (ioasid_t id = 0; id < COUNT; id++) {
		assert_int_equal(new_id(NULL, NULL), id);
		assert_int_equal(ioasid_attach_spid(id, id), 0);
	}
	full = resident();
	for (ioasid_t id = 0; id < COUNT; id++)
		ioasid_free(NULL, id);
	after = resident();
	assert_true(full - before > 30L * COUNT / KIB);
	assert_true(after - before < 1024);
}

static ioasid_t pick_lowest(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	return min;
}

static void take_back(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
}

static void ids_of_custom_allocators_go_back(void **state)
{
	struct ioasid_allocator_ops ops = { .alloc = pick_lowest, .free = take_back };
	const ioasid_t first = 0x80000000;
	long before, full, after;

	(void)state;
	if (is_watched())
		skip();
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_alloc(NULL, first, first, NULL), first);
	free_id(first);
	before = resident();
	for (ioasid_t id = first; id < first + COUNT; id++)
		assert_int_equal(ioasid_alloc(NULL, id, id, NULL), id);
	full = resident();
	for (ioasid_t id = first; id < first + COUNT; id++)
		ioasid_free(NULL, id);
	after = resident();
	assert_true(full - before > 60L * COUNT / KIB);
	assert_true(after - before < 1024);
	ioasid_unregister_allocator(&ops);
}

static void sets_go_back(void **state)
{
	static struct ioasid_set *sets[COUNT];
	long before, full, after;

	(void)state;
	if (is_watched())
		skip();
	ioasid_set_put(new_set(0));
	for (int i = 0; i < COUNT; i++)
		sets[i] = (void *)&sets[i];
	before = resident();
	for (int i = 0; i < COUNT; i++)
		sets[i] = new_set(0);
	full = resident();
	for (int i = 0; i < COUNT; i++)
		ioasid_set_put(sets[i]);
	after = resident();
	assert_true(full - before > 120L * COUNT / KIB);
	assert_true(after - before < 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(ids_go_back),
		CLEAN_TEST(ids_of_custom_allocators_go_back),
		CLEAN_TEST(sets_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
