/* SPDX-License-Identifier: MIT */
/* ioasid_alloc() and ioasid_free() with the default allocator: which id, and when none. */
#include <pthread.h>
#include <stdlib.h>

#include <linux/kernel.h>

#include "support.h"

static void lowest_free_id_of_the_range_is_handed_out(void **state)
{
	ioasid_t first = ioasid_alloc(NULL, 10, 20, NULL), second, third;

	(void)state;
	assert_int_equal(first, 10);
	second = ioasid_alloc(NULL, 10, 20, NULL);
	assert_int_equal(second, 11);
	third = ioasid_alloc(NULL, 0, 20, NULL);
	assert_int_equal(third, 0);
	free_id(first);
	assert_int_equal(ioasid_alloc(NULL, 10, 20, NULL), 10);
	free_id(first);
	free_id(second);
	free_id(third);
}

static void one_number_as_a_range_asks_for_that_id(void **state)
{
	static const ioasid_t wanted[] = { 0, 1, 63, 64, 65, 4095, 4096, 0xfffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(ioasid_alloc(NULL, wanted[i], wanted[i], NULL), wanted[i]);
		assert_int_equal(ioasid_alloc(NULL, wanted[i], wanted[i], NULL), INVALID_IOASID);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		free_id(wanted[i]);
}

/* D15: the extended versions follow a NULL set; mainline's callers pass one. */
static void null_set_is_the_system_set(void **state)
{
	char data;
	ioasid_t id = ioasid_alloc(NULL, 5, 9, &data);

	(void)state;
	assert_int_equal(id, 5);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), &data);
	assert_null(ioasid_find_set(id));
	assert_true(ioasid_is_in_set(NULL, id));
	free_id(id);
}

static void refuse(ioasid_t min, ioasid_t max)
{
	struct ioasid_stats before = read_stats(), after;

	assert_int_equal(ioasid_alloc(NULL, min, max, NULL), INVALID_IOASID);
	after = read_stats();
	assert_true(same_state(&before, &after));
	assert_int_equal(after.refused[IOASID_REFUSED_RANGE],
			 before.refused[IOASID_REFUSED_RANGE] + 1);
}

/* D16: min > max and ids beyond the capacity went unnoticed. */
static void ranges_without_an_id_are_refused(void **state)
{
	ioasid_t capacity = ioasid_get_capacity(), id;

	(void)state;
	refuse(1, 0);
	refuse(INVALID_IOASID, 0);
	refuse(capacity, INVALID_IOASID);
	refuse(0x80000000, 0x80000000);
	id = ioasid_alloc(NULL, capacity - 1, INVALID_IOASID, NULL);
	assert_int_equal(id, capacity - 1);
	refuse(capacity - 1, INVALID_IOASID);
	free_id(id);
}

static void invalid_ioasid_is_never_handed_out(void **state)
{
	(void)state;
	refuse(INVALID_IOASID, INVALID_IOASID);
	refuse(INVALID_IOASID - 1, INVALID_IOASID);
	assert_int_equal(PTR_ERR(ioasid_find(NULL, INVALID_IOASID, NULL)), -ENOENT);
}

static void a_full_range_is_refused_until_one_is_freed(void **state)
{
	(void)state;
	for (ioasid_t id = 60; id <= 130; id++)
		assert_int_equal(ioasid_alloc(NULL, 60, 130, NULL), id);
	refuse(60, 130);
	free_id(64);
	assert_int_equal(ioasid_alloc(NULL, 60, 130, NULL), 64);
	for (ioasid_t id = 60; id <= 130; id++)
		free_id(id);
}

static void the_whole_capacity_can_be_used(void **state)
{
	ioasid_t capacity = ioasid_get_capacity();

	(void)state;
	if (loops(capacity) != capacity)
		skip();
	for (ioasid_t id = 0; id < capacity; id++)
		if (ioasid_alloc(NULL, ANY, NULL) != id)
			fail_msg("id %u is not the lowest free one", id);
	assert_int_equal(read_stats().available, 0);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	/* Backwards and forwards, so that stretches empty from both ends. */
	for (ioasid_t id = 0; id < capacity / 2; id++) {
		ioasid_free(NULL, id);
		ioasid_free(NULL, capacity - 1 - id);
	}
	assert_int_equal(read_stats().live, 0);
	/* What was given back to the system reads as unused, and can be used again. */
	assert_int_equal(PTR_ERR(ioasid_find(NULL, capacity / 2, NULL)), -ENOENT);
	assert_int_equal(ioasid_alloc(NULL, capacity / 2, capacity, NULL), capacity / 2);
	free_id(capacity / 2);
}

static void random_ranges_agree_with_a_naive_model(void **state)
{
	enum { IDS = 300 };
	static bool used[IDS];
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < loops(200000); i++) {
		ioasid_t min = rand_r(&seed) % IDS, max = rand_r(&seed) % IDS, want;

		if (rand_r(&seed) % 5 < 2) {
			ioasid_free(NULL, min);
			used[min] = false;
			continue;
		}
		for (want = min; want <= max && used[want]; want++)
			;
		if (want > max)
			want = INVALID_IOASID;
		if (ioasid_alloc(NULL, min, max, NULL) != want)
			fail_msg("step %u: [%u, %u] is not answered with %u", i, min, max, want);
		if (pasid_valid(want))
			used[want] = true;
	}
	for (ioasid_t id = 0; id < IDS; id++)
		ioasid_free(NULL, id);
}

/* D13: the private data in ALLOC was whatever had been on the stack. */
static void alloc_event_carries_the_private_data(void **state)
{
	struct recorder one = RECORDER(0);
	struct ioasid_set *set = new_set(0);
	char data;

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &one.nb), 0);
	new_id(set, &data);
	new_id(set, NULL);
	assert_int_equal(one.count, 2);
	assert_ptr_equal(one.records[0].args.pdata, &data);
	assert_null(one.records[1].args.pdata);
	ioasid_unregister_notifier(set, &one.nb);
	ioasid_set_put(set);
}

static char complete;
static bool done;

/* Until it has met the id often enough. */
static void *watch(void *wrong)
{
	void *data = NULL;

	for (unsigned int seen = 0, wanted = loops(20000); seen < wanted && data != wrong; seen++) {
		do
			data = ioasid_find(NULL, 5, NULL);
		while (data == ERR_PTR(-ENOENT));
		if (data != &complete)
			data = wrong;
		if (!ioasid_get(NULL, 5))
			ioasid_put(NULL, 5);
	}
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	return data;
}

/* D14: ids were published before their fields were set: readers saw counts of zero. */
static void readers_never_see_a_half_made_id(void **state)
{
	pthread_t reader;
	void *seen;

	assert_int_equal(pthread_create(&reader, NULL, watch, state), 0);
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
		if (ioasid_alloc(NULL, 5, 5, &complete) == 5)
			ioasid_free(NULL, 5);
	assert_int_equal(pthread_join(reader, &seen), 0);
	assert_ptr_equal(seen, &complete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(lowest_free_id_of_the_range_is_handed_out),
		CLEAN_TEST(one_number_as_a_range_asks_for_that_id),
		CLEAN_TEST(null_set_is_the_system_set),
		CLEAN_TEST(ranges_without_an_id_are_refused),
		CLEAN_TEST(invalid_ioasid_is_never_handed_out),
		CLEAN_TEST(a_full_range_is_refused_until_one_is_freed),
		CLEAN_TEST(the_whole_capacity_can_be_used),
		CLEAN_TEST(random_ranges_agree_with_a_naive_model),
		CLEAN_TEST(alloc_event_carries_the_private_data),
		CLEAN_TEST(readers_never_see_a_half_made_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
