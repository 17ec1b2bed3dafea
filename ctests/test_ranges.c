/* SPDX-License-Identifier: MIT */
/* Numbers that are set aside: nobody gets them, they can be listed, and given back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static uint64_t available(void)
{
	return read_stats().available;
}

/* The ranges as text: "0-3 100-100". */
static const char *ranges(void)
{
	static char text[256];
	ioasid_t min, max;

	text[0] = '\0';
	for (ioasid_t from = 0; ioasid_next_range(from, &min, &max); from = max + 1)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u-%u",
			 from ? " " : "", min, max);
	return text;
}

static void nobody_gets_what_is_set_aside(void **state)
{
	uint64_t before = available();

	(void)state;
	assert_int_equal(ioasid_reserve_range(0, 3), 0);
	assert_int_equal(ioasid_reserve_range(100, 100), 0);
	assert_int_equal(available(), before - 5);
	assert_int_equal(ioasid_alloc(NULL, 100, 100, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(NULL, 0, 3, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), 4);
	assert_int_equal(ioasid_alloc(NULL, 99, 105, NULL), 99);
	assert_int_equal(ioasid_alloc(NULL, 99, 105, NULL), 101);
	free_id(4);
	free_id(99);
	free_id(101);
	assert_string_equal(ranges(), "0-3 100-100");
	/* They are no ids. */
	assert_false(ioasid_is_active(100));
	assert_int_equal(ioasid_get(NULL, 100), -EINVAL);
	assert_false(ioasid_put(NULL, 100));
	ioasid_free(NULL, 100);
	assert_int_equal(ioasid_free_wait(NULL, 100, 0), -EINVAL);
	assert_int_equal(ioasid_attach_spid(100, 1), -ENOENT);
	assert_string_equal(ranges(), "0-3 100-100");
	assert_int_equal(ioasid_cancel_range(0, 3), 0);
	assert_int_equal(ioasid_cancel_range(100, 100), 0);
	assert_int_equal(available(), before);
	assert_int_equal(ioasid_alloc(NULL, 100, 100, NULL), 100);
	free_id(100);
}

static void any_part_is_given_back(void **state)
{
	(void)state;
	assert_int_equal(ioasid_reserve_range(60, 130), 0);
	assert_int_equal(ioasid_reserve_range(131, 140), 0);
	assert_string_equal(ranges(), "60-140");
	assert_int_equal(ioasid_cancel_range(64, 127), 0);
	assert_string_equal(ranges(), "60-63 128-140");
	assert_int_equal(ioasid_alloc(NULL, 60, INVALID_IOASID, NULL), 64);
	assert_int_equal(ioasid_cancel_range(60, 128), -EINVAL);
	assert_int_equal(ioasid_cancel_range(62, 64), -EINVAL);
	assert_string_equal(ranges(), "60-63 128-140");
	assert_int_equal(ioasid_cancel_range(60, 63), 0);
	assert_int_equal(ioasid_cancel_range(128, 140), 0);
	assert_string_equal(ranges(), "");
	/* Its number is somebody's now. */
	assert_int_equal(ioasid_cancel_range(64, 64), -EINVAL);
	free_id(64);
}

static void what_cannot_be_set_aside_changes_nothing(void **state)
{
	ioasid_t capacity = ioasid_get_capacity(), id;
	uint64_t before;
	struct ioasid_refused why;

	(void)state;
	id = ioasid_alloc(NULL, 70, 70, NULL);
	assert_int_equal(id, 70);
	before = available();
	assert_int_equal(ioasid_reserve_range(5, 4), -EINVAL);
	assert_int_equal(ioasid_reserve_range(0, capacity), -EINVAL);
	assert_int_equal(ioasid_reserve_range(capacity, capacity), -EINVAL);
	assert_int_equal(ioasid_reserve_range(ANY), -EINVAL);
	assert_int_equal(ioasid_reserve_range(INVALID_IOASID, INVALID_IOASID), -EINVAL);
	assert_true(ioasid_last_refusal(&why));
	assert_int_equal(why.reason, IOASID_REFUSED_RANGE);
	assert_int_equal(why.limit, capacity);
	assert_int_equal(ioasid_reserve_range(60, 80), -EBUSY);
	assert_true(ioasid_last_refusal(&why));
	assert_int_equal(why.id, 70);
	assert_int_equal(why.min, 60);
	assert_int_equal(why.max, 80);
	assert_int_equal(ioasid_reserve_range(80, 90), 0);
	assert_int_equal(ioasid_reserve_range(85, 100), -EEXIST);
	assert_int_equal(ioasid_cancel_range(90, 80), -EINVAL);
	assert_int_equal(ioasid_cancel_range(ANY), -EINVAL);
	assert_int_equal(ioasid_cancel_range(80, INVALID_IOASID), -EINVAL);
	assert_int_equal(ioasid_cancel_range(70, 70), -EINVAL);
	assert_string_equal(ranges(), "80-90");
	assert_int_equal(ioasid_cancel_range(80, 90), 0);
	assert_int_equal(available(), before);
	free_id(70);
	/* Others have reserved it all. */
	assert_int_equal(ioasid_reserve_capacity(capacity - 3), capacity - 3);
	assert_int_equal(ioasid_reserve_range(0, 3), -ENOSPC);
	assert_int_equal(ioasid_reserve_range(0, 2), 0);
	assert_int_equal(available(), 0);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_cancel_capacity(capacity - 3), capacity - 3);
	assert_int_equal(ioasid_cancel_range(0, 2), 0);
}

static void all_of_them_may_be_set_aside(void **state)
{
	ioasid_t last = ioasid_get_capacity() - 1, max = 7;

	(void)state;
	assert_int_equal(ioasid_reserve_range(0, last), 0);
	assert_int_equal(available(), 0);
	assert_true(ioasid_next_range(0, NULL, &max));
	assert_int_equal(max, last);
	assert_true(ioasid_next_range(last, NULL, NULL));
	assert_false(ioasid_next_range(last + 1, NULL, &max));
	assert_false(ioasid_next_range(INVALID_IOASID, NULL, &max));
	assert_int_equal(ioasid_cancel_range(0, last), 0);
	max = 7;
	assert_false(ioasid_next_range(0, &max, &max));
	assert_int_equal(max, 7);
}

static void a_dump_lists_them(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(ioasid_reserve_range(1, 3), 0);
	assert_int_equal(ioasid_reserve_range(8, 8), 0);
	assert_int_equal(ioasid_dump(out), 0);
	fclose(out);
	assert_non_null(strstr(text, "\nset aside: 1-3\nset aside: 8-8\nset 0 "));
	free(text);
	assert_int_equal(ioasid_cancel_range(1, 3), 0);
	assert_int_equal(ioasid_cancel_range(8, 8), 0);
}

static ioasid_t picked, given_back;
static bool sets_aside;

static ioasid_t pick(ioasid_t min, ioasid_t max, void *data)
{
	(void)min, (void)max, (void)data;
	if (sets_aside)
		assert_int_equal(ioasid_reserve_range(picked, picked), 0);
	return picked;
}

static void take_back(ioasid_t id, void *data)
{
	(void)data;
	given_back = id;
}

static void a_custom_allocator_cannot_give_them(void **state)
{
	struct ioasid_allocator_ops ops = { .alloc = pick, .free = take_back };
	struct ioasid_refused why;
	DECLARE_IOASID_SET(host);

	(void)state;
	assert_int_equal(ioasid_reserve_range(50, 59), 0);
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	picked = 55;
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	assert_int_equal(given_back, 55);
	assert_true(ioasid_last_refusal(&why));
	assert_string_equal(why.cause, "the custom allocator gave an id that is set aside");
	picked = 60;
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), 60);
	assert_int_equal(ioasid_reserve_range(60, 61), -EBUSY);
	assert_string_equal(ranges(), "50-59");
	free_id(60);
	/* Set aside while it is on its way. */
	sets_aside = true;
	picked = 61;
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	assert_int_equal(given_back, 61);
	sets_aside = false;
	assert_string_equal(ranges(), "50-59 61-61");
	/* Beyond the capacity there is nothing to set aside. */
	picked = ioasid_get_capacity() + 5;
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), picked);
	assert_int_equal(ioasid_reserve_range(picked, picked), -EINVAL);
	free_id(picked);
	ioasid_unregister_allocator(&ops);
	assert_int_equal(ioasid_cancel_range(61, 61), 0);
	assert_int_equal(ioasid_cancel_range(50, 59), 0);
}

/* The number of an id that is going is free when RECLAIM is told, not before. */
static int in_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	if (event == IOASID_NOTIFY_FREE) {
		ioasid_t id = ((struct ioasid_nb_args *)data)->id;

		assert_int_equal(ioasid_reserve_range(id, id), -EBUSY);
	} else if (event == IOASID_NOTIFY_RECLAIM) {
		ioasid_t id = ((struct ioasid_reclaim_args *)data)->id;

		assert_int_equal(ioasid_reserve_range(id, id), 0);
	}
	return NOTIFY_OK;
}

static void a_handler_may_set_aside(void **state)
{
	struct notifier_block nb = { .notifier_call = in_handler };
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	assert_int_equal(ioasid_register_reclaim(&nb), 0);
	id = ioasid_alloc(NULL, 20, 20, NULL);
	ioasid_free(NULL, id);
	assert_string_equal(ranges(), "20-20");
	assert_int_equal(ioasid_alloc(NULL, 20, 20, NULL), INVALID_IOASID);
	ioasid_unregister_notifier(NULL, &nb);
	ioasid_unregister_reclaim(&nb);
	assert_int_equal(ioasid_cancel_range(20, 20), 0);
}

static int reserve_in_child(const void *data)
{
	(void)data;
	child_assert(!strcmp(ranges(), "30-39"));
	child_assert(ioasid_cancel_range(30, 34) == 0);
	child_assert(ioasid_reserve_range(0, 1) == 0);
	child_assert(!strcmp(ranges(), "0-1 35-39"));
	return 0;
}

static void a_child_has_its_own(void **state)
{
	(void)state;
	assert_int_equal(ioasid_reserve_range(30, 39), 0);
	assert_int_equal(in_child(reserve_in_child, NULL), 0);
	assert_string_equal(ranges(), "30-39");
	assert_int_equal(ioasid_cancel_range(30, 39), 0);
}

static void at_random_it_is_as_an_array_says(void **state)
{
	enum { NUMBERS = 300, FREE = 0, ASIDE, ID };
	unsigned char is[NUMBERS] = { FREE };
	unsigned int seed = 4711;

	(void)state;
	for (unsigned int i = 0; i < loops(5000); i++) {
		unsigned int a = (unsigned int)rand_r(&seed) % NUMBERS,
			     b = a + (unsigned int)rand_r(&seed) % 9;
		int expected = 0, what = rand_r(&seed) % 3;

		if (b >= NUMBERS)
			continue;
		if (what == 0) {
			for (unsigned int n = a; n <= b && !expected; n++)
				expected = is[n] == ID ? -EBUSY : is[n] == ASIDE ? -EEXIST : 0;
			assert_int_equal(ioasid_reserve_range(a, b), expected);
		} else if (what == 1) {
			for (unsigned int n = a; n <= b; n++)
				expected = is[n] != ASIDE ? -EINVAL : expected;
			assert_int_equal(ioasid_cancel_range(a, b), expected);
		} else if (is[a] == ID) {
			free_id(a);
			is[a] = FREE;
		} else {
			assert_int_equal(ioasid_alloc(NULL, a, a, NULL),
					 is[a] == FREE ? a : INVALID_IOASID);
			is[a] = is[a] == FREE ? ID : is[a];
		}
		if (what != 2 && !expected)
			memset(is + a, what == 0 ? ASIDE : FREE, b - a + 1);
	}
	for (ioasid_t n = 0; n < NUMBERS; n++)
		if (is[n] == ID)
			free_id(n);
	for (ioasid_t n = 0, min, max; n < NUMBERS; n++)
		assert_int_equal(ioasid_next_range(n, &min, &max) && min == n, is[n] == ASIDE);
	for (ioasid_t n = 0; n < NUMBERS; n++)
		if (is[n] == ASIDE)
			assert_int_equal(ioasid_cancel_range(n, n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(nobody_gets_what_is_set_aside),
		CLEAN_TEST(any_part_is_given_back),
		CLEAN_TEST(what_cannot_be_set_aside_changes_nothing),
		CLEAN_TEST(all_of_them_may_be_set_aside),
		CLEAN_TEST(a_dump_lists_them),
		CLEAN_TEST(a_custom_allocator_cannot_give_them),
		CLEAN_TEST(a_handler_may_set_aside),
		CLEAN_TEST(a_child_has_its_own),
		CLEAN_TEST(at_random_it_is_as_an_array_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
