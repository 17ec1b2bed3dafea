/* SPDX-License-Identifier: MIT */
/* Quotas: what a set reserves, when it is given back, and what is left for the others. */
#include <limits.h>

#include "support.h"

#define CAPACITY 0x100000

static uint64_t available(void)
{
	return read_stats().available;
}

static void quota_is_reserved_and_limits_the_set(void **state)
{
	struct ioasid_set *set = new_set(2);
	uint64_t refusals = refused(IOASID_REFUSED_QUOTA);

	(void)state;
	assert_int_equal(available(), CAPACITY - 2);
	new_id(set, NULL);
	new_id(set, NULL);
	assert_int_equal(available(), CAPACITY - 2);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_int_equal(refused(IOASID_REFUSED_QUOTA), refusals + 1);
	assert_int_equal(set->nr_ioasids, 2);
	/* Others are not bound by it. */
	free_id(new_id(NULL, NULL));
	ioasid_set_put(set);
}

/* D48: V4's quota of 0 took all that was left, so that the next set got nothing. */
static void quota_zero_draws_on_what_nobody_reserved(void **state)
{
	struct ioasid_set *open = new_set(0), *rest;

	(void)state;
	assert_int_equal(available(), CAPACITY);
	new_id(open, NULL);
	assert_int_equal(available(), CAPACITY - 1);
	rest = new_set(CAPACITY - 1);
	assert_int_equal(available(), 0);
	assert_int_equal(ioasid_alloc(open, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	free_id(new_id(rest, NULL));
	ioasid_free_all_in_set(open);
	new_id(open, NULL);
	ioasid_set_put(open);
	ioasid_set_put(rest);
}

/* D46, D47: the last of the capacity could never be granted, to no new set and no old one. */
static void all_that_is_left_can_be_granted(void **state)
{
	struct ioasid_set *set = new_set(CAPACITY), *half;

	(void)state;
	assert_int_equal(available(), 0);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL)), -ENOSPC);
	/* Shrinking a big set works, whatever is left. */
	assert_int_equal(ioasid_adjust_set(set, 100), 0);
	half = new_set(CAPACITY / 2);
	assert_int_equal(ioasid_adjust_set(set, CAPACITY / 2 + 1), -ENOSPC);
	assert_int_equal(set->quota, 100);
	assert_int_equal(ioasid_adjust_set(set, CAPACITY / 2), 0);
	assert_int_equal(available(), 0);
	ioasid_set_put(set);
	ioasid_set_put(half);
}

static void quota_beyond_the_capacity_is_refused(void **state)
{
	static const ioasid_t quotas[] = { CAPACITY + 1, 0x7fffffff, 0x80000000, INVALID_IOASID };

	(void)state;
	for (size_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
		struct ioasid_stats before = read_stats(), after;

		assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, quotas[i], IOASID_SET_TYPE_NULL)),
				 -ENOSPC);
		after = read_stats();
		assert_true(same_state(&before, &after));
	}
}

#define NO_ADDRESS_SPACE 42

static int use_all_numbers(const void *data)
{
	struct ioasid_set *set;

	(void)data;
	ioasid_install_capacity(INVALID_IOASID);
	if (ioasid_get_capacity() != INVALID_IOASID)
		return NO_ADDRESS_SPACE;
	set = ioasid_set_alloc(NULL, (ioasid_t)INT_MAX + 1, IOASID_SET_TYPE_NULL);
	child_assert(PTR_ERR(set) == -ENOSPC);
	set = ioasid_set_alloc(NULL, INVALID_IOASID, IOASID_SET_TYPE_NULL);
	child_assert(PTR_ERR(set) == -ENOSPC);
	child_assert(available() == INVALID_IOASID);
	set = ioasid_set_alloc(NULL, INT_MAX, IOASID_SET_TYPE_NULL);
	child_assert(!IS_ERR(set) && set->quota == INT_MAX);
	child_assert(ioasid_adjust_set(set, 10) == 0 && set->quota == 10);
	child_assert(ioasid_adjust_set(set, INT_MAX) == 0 && set->quota == INT_MAX);
	child_assert(ioasid_adjust_set(set, INT_MIN) == -EINVAL && set->quota == INT_MAX);
	child_assert(available() == INVALID_IOASID - INT_MAX);
	ioasid_set_put(set);
	child_assert(available() == INVALID_IOASID);
	return 0;
}

/* The quota is an int: more than INT_MAX was granted, and read as a negative number. */
static void no_quota_is_ever_negative(void **state)
{
	int end;

	(void)state;
	if (UNDER_TSAN)
		skip_because(
			"ThreadSanitizer maps four times as much beside, which takes half a minute");
	end = in_child(use_all_numbers, NULL);
	if (end == NO_ADDRESS_SPACE) {
		print_message("no address space for a capacity of all numbers\n");
		skip();
	}
	assert_int_equal(end, 0);
}

/* D46: v2 accepted 0; an int of its callers became a huge unsigned number. */
static void adjusting_refuses_what_makes_no_sense(void **state)
{
	struct ioasid_set *set = new_set(5);

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	assert_int_equal(ioasid_adjust_set(set, 0), -EINVAL);
	assert_int_equal(ioasid_adjust_set(set, -1), -EINVAL);
	assert_int_equal(ioasid_adjust_set(set, -2147483647 - 1), -EINVAL);
	assert_int_equal(ioasid_adjust_set(set, 1), -EINVAL);
	assert_int_equal(ioasid_adjust_set(set, 2147483647), -ENOSPC);
	assert_int_equal(ioasid_adjust_set(NULL, 5), -EINVAL);
	assert_int_equal(set->quota, 5);
	assert_int_equal(available(), CAPACITY - 5);
	assert_int_equal(ioasid_adjust_set(set, 2), 0);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_int_equal(available(), CAPACITY - 2);
	ioasid_set_put(set);
}

static void a_set_without_quota_can_get_one(void **state)
{
	struct ioasid_set *set = new_set(0);

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	assert_int_equal(ioasid_adjust_set(set, 1), -EINVAL);
	assert_int_equal(ioasid_adjust_set(set, 3), 0);
	assert_int_equal(available(), CAPACITY - 3);
	new_id(set, NULL);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	ioasid_free_all_in_set(set);
	assert_int_equal(available(), CAPACITY - 3);
	ioasid_set_put(set);
	assert_int_equal(available(), CAPACITY);
}

/* D44: V4 never gave a dead set's quota back. */
static void a_dead_sets_quota_returns(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < loops(10000); i++) {
		struct ioasid_set *set = new_set(CAPACITY);

		new_id(set, NULL);
		ioasid_set_put(set);
	}
	assert_int_equal(available(), CAPACITY);
}

/* D45: v2 and v3 promised numbers to others that FREE_PENDING ids still had. */
static void quota_returns_with_the_last_held_id_and_not_before(void **state)
{
	struct ioasid_set *set = new_set(10);
	ioasid_t one = new_id(set, NULL), two = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get(NULL, one), 0);
	assert_int_equal(ioasid_get(NULL, two), 0);
	ioasid_set_put(set);
	assert_int_equal(available(), CAPACITY - 10);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, CAPACITY - 9, IOASID_SET_TYPE_NULL)),
			 -ENOSPC);
	assert_true(ioasid_put(NULL, one));
	assert_int_equal(available(), CAPACITY - 10);
	assert_true(ioasid_put(NULL, two));
	assert_int_equal(available(), CAPACITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the process it makes must not have used the library. */
		CLEAN_TEST(no_quota_is_ever_negative),
		CLEAN_TEST(quota_is_reserved_and_limits_the_set),
		CLEAN_TEST(quota_zero_draws_on_what_nobody_reserved),
		CLEAN_TEST(all_that_is_left_can_be_granted),
		CLEAN_TEST(quota_beyond_the_capacity_is_refused),
		CLEAN_TEST(adjusting_refuses_what_makes_no_sense),
		CLEAN_TEST(a_set_without_quota_can_get_one),
		CLEAN_TEST(a_dead_sets_quota_returns),
		CLEAN_TEST(quota_returns_with_the_last_held_id_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
