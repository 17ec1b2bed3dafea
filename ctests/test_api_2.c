/* SPDX-License-Identifier: MIT */
/* A client of v2 of the series: sets with quotas, put returns nothing, -EINVAL where later ones say more. */
#define IOASID_API 2
#include <linux/ioasid.h>

#include "api.h"

static void every_name_is_as_published(void **state)
{
	(void)state;
	check_what_the_series_has();
	CHECK_TYPE(ioasid_put, void (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_put_locked, void (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_find_by_spid, ioasid_t(*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_alloc_set, struct ioasid_set * (*)(void *, ioasid_t, int));
	CHECK_TYPE(ioasid_adjust_set, int (*)(struct ioasid_set *, int));
	CHECK_TYPE(ioasid_set_get, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_get_locked, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_put, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_put_locked, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_for_each_ioasid,
		   int (*)(struct ioasid_set *, void (*)(ioasid_t, void *), void *));
	CHECK_TYPE(ioasid_get_capacity, ioasid_t(*)(void));
	CHECK_TYPE(ioasid_notify, int (*)(ioasid_t, enum ioasid_notify_val, unsigned int));
	CHECK_TYPE(ioasid_is_active, bool (*)(ioasid_t));
	CHECK_TYPE(ioasid_is_in_set, bool (*)(struct ioasid_set *, ioasid_t));
	assert_int_equal(IOASID_ALLOC, 1);
	assert_int_equal(IOASID_FREE, 2);
	assert_int_equal(IOASID_BIND, 3);
	assert_int_equal(IOASID_UNBIND, 4);
	assert_int_equal(IOASID_SET_ALLOC, 5);
	assert_int_equal(IOASID_SET_FREE, 6);
	assert_int_equal(IOASID_NOTIFY_ALL, 1);
	assert_int_equal(IOASID_NOTIFY_SET, 2);
}

static void walk(ioasid_t id, void *sum)
{
	*(ioasid_t *)sum += id;
}

static void a_set_lives_as_in_v2(void **state)
{
	struct ioasid_set *set;
	int token;
	ioasid_t a, b, sum = 0;

	(void)state;
	assert_int_equal(PTR_ERR(ioasid_alloc_set(NULL, 0, IOASID_SET_TYPE_NULL)), -EINVAL);
	assert_int_equal(PTR_ERR(ioasid_alloc_set(&token, 5, IOASID_SET_TYPE_NULL)), -EINVAL);
	assert_int_equal(PTR_ERR(ioasid_alloc_set(&token, 0, IOASID_SET_TYPE_MM)), -EINVAL);
	set = ioasid_alloc_set(NULL, 2, IOASID_SET_TYPE_NULL);
	assert_false(IS_ERR(set));
	assert_int_equal(set->quota, 2);
	assert_true(set->sid >= 0);
	a = ioasid_alloc(set, 1, 10, NULL);
	b = ioasid_alloc(set, 1, 10, NULL);
	assert_int_equal(ioasid_alloc(set, 1, 10, NULL), INVALID_IOASID);
	assert_int_equal(set->nr_ioasids, 2);
	assert_int_equal(ioasid_set_for_each_ioasid(set, walk, &sum), 0);
	assert_int_equal(sum, a + b);
	assert_int_equal(ioasid_attach_spid(a, 40), 0);
	assert_int_equal(ioasid_attach_spid(a, 40), 0);
	assert_int_equal(ioasid_find_by_spid(set, 40), a);
	ioasid_put(set, a);
	assert_int_equal(ioasid_attach_spid(a, INVALID_IOASID), 0);
	assert_int_equal(ioasid_find_by_spid(set, 40), INVALID_IOASID);
	ioasid_free(set, a);
	ioasid_put(set, a);
	ioasid_set_put(set);
	assert_false(ioasid_is_active(b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_as_published),
		cmocka_unit_test(a_set_lives_as_in_v2),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
