/* SPDX-License-Identifier: MIT */
/* A client of v3 of the series. */
#define IOASID_API 3
#include <linux/ioasid.h>

#include "api.h"

static void every_name_is_as_published(void **state)
{
	(void)state;
	check_what_the_series_has();
	CHECK_TYPE(ioasid_put, bool (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_put_locked, bool (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_detach_data, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_detach_spid, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_find_by_spid, ioasid_t(*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_set_alloc, struct ioasid_set * (*)(void *, ioasid_t, int));
	CHECK_TYPE(ioasid_adjust_set, int (*)(struct ioasid_set *, int));
	CHECK_TYPE(ioasid_set_get, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_put, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_for_each_ioasid,
		   void (*)(struct ioasid_set *, void (*)(ioasid_t, void *), void *));
	CHECK_TYPE(ioasid_get_capacity, ioasid_t(*)(void));
	assert_int_equal(IOASID_NOTIFY_ALLOC, 1);
	assert_int_equal(IOASID_NOTIFY_UNBIND, 4);
	assert_int_equal(IOASID_NOTIFY_FLAG_ALL, 1);
	assert_int_equal(IOASID_NOTIFY_FLAG_SET, 2);
}

static void add(ioasid_t id, void *sum)
{
	*(ioasid_t *)sum += id;
}

static void spids_and_tokens_as_in_v3(void **state)
{
	struct ioasid_set *set;
	int token, data;
	ioasid_t id, sum = 0;

	(void)state;
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL)), -EINVAL);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(&token, 5, IOASID_SET_TYPE_NULL)), -EINVAL);
	set = ioasid_set_alloc(NULL, 5, IOASID_SET_TYPE_NULL);
	assert_true(set->id >= 0);
	id = ioasid_alloc(set, 1, 10, NULL);
	assert_int_equal(ioasid_attach_spid(id, INVALID_IOASID), -EINVAL);
	assert_int_equal(ioasid_attach_spid(id, 7), 0);
	assert_int_equal(ioasid_find_by_spid(set, 7), id);
	assert_false(ioasid_put(set, id));
	ioasid_detach_spid(id);
	assert_int_equal(ioasid_find_by_spid(set, 7), INVALID_IOASID);
	assert_int_equal(ioasid_attach_data(id, &data), 0);
	assert_int_equal(ioasid_attach_data(id, &token), 0);
	ioasid_detach_data(id);
	assert_null(ioasid_find(set, id, NULL));
	ioasid_set_for_each_ioasid(set, add, &sum);
	assert_int_equal(sum, id);
	ioasid_free(set, id);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_as_published),
		cmocka_unit_test(spids_and_tokens_as_in_v3),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
