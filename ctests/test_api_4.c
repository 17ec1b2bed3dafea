/* SPDX-License-Identifier: MIT */
/* A client of V4 of the series: no reference on sets, quota 0 takes all, data is attached once. */
#define IOASID_API 4
#include <linux/ioasid.h>
#include <linux/ioasid-kernel.h>
#include <linux/workqueue.h>

#include "api.h"

static void every_name_is_as_published(void **state)
{
	(void)state;
	check_what_the_series_has();
	CHECK_TYPE(ioasid_get_if_owned, int (*)(ioasid_t));
	CHECK_TYPE(ioasid_put, bool (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_put_locked, bool (*)(struct ioasid_set *, ioasid_t));
	CHECK_TYPE(ioasid_detach_data, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_detach_spid, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_find_by_spid, ioasid_t(*)(struct ioasid_set *, ioasid_t, bool));
	CHECK_TYPE(ioasid_find_set, struct ioasid_set * (*)(ioasid_t));
	CHECK_TYPE(ioasid_find_mm_set, struct ioasid_set * (*)(struct mm_struct *));
	CHECK_TYPE(ioasid_set_alloc, struct ioasid_set * (*)(void *, ioasid_t, int));
	CHECK_TYPE(ioasid_set_free, int (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_free_all_in_set, void (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_set_for_each_ioasid,
		   void (*)(struct ioasid_set *, void (*)(ioasid_t, void *), void *));
	CHECK_TYPE(ioasid_reserve_capacity, int (*)(ioasid_t));
	CHECK_TYPE(ioasid_cancel_capacity, int (*)(ioasid_t));
	CHECK_TYPE(ioasid_queue_work, bool (*)(struct work_struct *));
	CHECK_TYPE(ioasid_cg_charge, int (*)(struct ioasid_set *));
	CHECK_TYPE(ioasid_cg_uncharge, void (*)(struct ioasid_set *));
}

static void a_set_lives_as_in_v4(void **state)
{
	int token, data, other, left;
	struct ioasid_set *set, *small;
	ioasid_t id;

	(void)state;
	assert_int_equal(PTR_ERR(ioasid_set_alloc(&token, 5, IOASID_SET_TYPE_NULL)), -EINVAL);
	small = ioasid_set_alloc(NULL, 5, IOASID_SET_TYPE_NULL);
	left = ioasid_reserve_capacity(0);
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	assert_false(IS_ERR(set));
	assert_int_equal(set->quota, left);
	assert_int_equal(ioasid_reserve_capacity(0), 0);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL)), -ENOSPC);

	id = ioasid_alloc(set, 1, 10, NULL);
	assert_int_equal(atomic_read(&set->nr_ioasids), 1);
	assert_int_equal(ioasid_attach_data(id, &data), 0);
	assert_int_equal(ioasid_attach_data(id, &other), -EBUSY);
	assert_int_equal(ioasid_attach_data(id, &data), -EBUSY);
	assert_ptr_equal(ioasid_find(set, id, NULL), &data);
	ioasid_detach_data(id);
	assert_int_equal(ioasid_attach_data(id, &other), 0);
	assert_int_equal(ioasid_attach_data(77, &other), -ENOENT);

	assert_int_equal(ioasid_attach_spid(id, INVALID_IOASID), -EINVAL);
	assert_int_equal(ioasid_attach_spid(id, 3), 0);
	assert_int_equal(ioasid_attach_spid(id, 3), -EINVAL);
	assert_int_equal(ioasid_attach_spid(77, 3), -ENOENT);
	assert_int_equal(ioasid_find_by_spid(set, 3, false), id);
	assert_ptr_equal(ioasid_find_set(id), set);
	assert_int_equal(ioasid_set_free(set), -EBUSY);
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_set_free(set), 0);
	assert_int_equal(ioasid_set_free(small), 0);
	assert_int_equal(ioasid_reserve_capacity(0), left + 5);
}

static void the_group_counts_what_is_charged(void **state)
{
	(void)state;
	assert_int_equal(ioasid_cg_set_max(-1), -EINVAL);
	assert_int_equal(ioasid_cg_set_max(2), 0);
	assert_int_equal(ioasid_cg_charge(NULL), 0);
	assert_int_equal(ioasid_cg_charge(NULL), 0);
	assert_int_equal(ioasid_cg_charge(NULL), -EBUSY);
	ioasid_cg_uncharge(NULL);
	assert_int_equal(ioasid_cg_charge(NULL), 0);
	ioasid_cg_uncharge(NULL);
	ioasid_cg_uncharge(NULL);
	ioasid_set_log(keep_line, NULL);
	ioasid_cg_uncharge(NULL);
	ioasid_set_log(NULL, NULL);
	assert_non_null(strstr(last_line, "nothing is charged"));
	assert_int_equal(ioasid_cg_set_max(0), 0);
	assert_int_equal(ioasid_cg_charge(NULL), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_as_published),
		cmocka_unit_test(a_set_lives_as_in_v4),
		cmocka_unit_test(the_group_counts_what_is_charged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
