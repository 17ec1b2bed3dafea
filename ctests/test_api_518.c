/* SPDX-License-Identifier: MIT */
/* A client of Linux 5.18 to 6.3: free is back, pasid_valid() is new, and a PASID lives as long as its mm. */
#define IOASID_API 518
#include <linux/ioasid.h>
#include <linux/sched/mm.h>

#include "api.h"

static struct ioasid_set plain;
static DECLARE_IOASID_SET(declared);

static void every_name_is_as_published(void **state)
{
	(void)state;
	check_what_all_have();
	CHECK_TYPE(ioasid_free, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_set_data, int (*)(ioasid_t, void *));
	CHECK_TYPE(pasid_valid, bool (*)(ioasid_t));
	assert_false(pasid_valid(INVALID_IOASID));
	assert_true(pasid_valid(0));
}

static void a_set_is_its_address(void **state)
{
	ioasid_t id = ioasid_alloc(&plain, 3, 3, &id);
	ioasid_t other = ioasid_alloc(&declared, 4, 4, &other);

	(void)state;
	assert_ptr_equal(ioasid_find(&plain, id, NULL), &id);
	assert_int_equal(PTR_ERR(ioasid_find(&plain, other, NULL)), -EACCES);
	ioasid_free(id);
	ioasid_free(other);
	ioasid_free(id);
}

static ioasid_t mine_alloc(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(*(int *)data)++;
	return min;
}

static void mine_free(ioasid_t ioasid, void *data)
{
	(void)ioasid;
	(*(int *)data)--;
}

static void a_custom_allocator_serves_addresses_as_well(void **state)
{
	int out = 0;
	struct ioasid_allocator_ops ops = { .alloc = mine_alloc, .free = mine_free, .pdata = &out };
	ioasid_t id;

	(void)state;
	INIT_LIST_HEAD(&ops.list);
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	id = ioasid_alloc(&plain, 77, 99, NULL);
	assert_int_equal(id, 77);
	assert_int_equal(out, 1);
	/* A live id again: refused, and the live one is not given back. */
	assert_int_equal(ioasid_alloc(&plain, 77, 99, NULL), INVALID_IOASID);
	ioasid_free(id);
	assert_int_equal(out, 1); /* the refused one was counted too */
	ioasid_unregister_allocator(&ops);
}

static void the_mm_takes_its_pasid_along(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(&plain, 1, 10, mm);

	(void)state;
	assert_int_equal(mm->pasid, INVALID_IOASID);
	mm_pasid_set(mm, id);
	mmput(mm);
	assert_true(IS_ERR(ioasid_find(NULL, id, NULL)));
	mm = mm_alloc();
	mm_pasid_set(mm, ioasid_alloc(&plain, 1, 10, mm));
	mm_pasid_drop(mm);
	assert_false(pasid_valid(mm->pasid));
	mmput(mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_as_published),
		cmocka_unit_test(a_set_is_its_address),
		cmocka_unit_test(a_custom_allocator_serves_addresses_as_well),
		cmocka_unit_test(the_mm_takes_its_pasid_along),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
