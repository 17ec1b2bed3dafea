/* SPDX-License-Identifier: MIT */
/* A client of Linux 5.11 to 5.17: an id has users, and the last put ends it. */
#define IOASID_API 511
#include <linux/ioasid-kernel.h>
#include <linux/ioasid.h>
#include <linux/sched/mm.h>

#include "api.h"

static DECLARE_IOASID_SET(declared);
static struct ioasid_set plain;

static void every_name_is_as_published(void **state)
{
	struct {
		void (*ioasid_get)(ioasid_t);
		bool (*ioasid_put)(ioasid_t);
	} members = { ioasid_get, ioasid_put };

	(void)state;
	check_what_all_have();
	CHECK_TYPE(ioasid_get, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_put, bool (*)(ioasid_t));
	CHECK_TYPE(ioasid_set_data, int (*)(ioasid_t, void *));
	assert_ptr_equal(members.ioasid_get, ioasid_get);
	assert_ptr_equal(members.ioasid_put, ioasid_put);
}

static void the_last_put_ends_an_id(void **state)
{
	ioasid_t id = ioasid_alloc(&plain, 1, 10, NULL);

	(void)state;
	ioasid_get(id);
	ioasid_get(id);
	assert_false(ioasid_put(id));
	assert_false(ioasid_put(id));
	assert_true(ioasid_put(id));
	assert_int_equal(PTR_ERR(ioasid_find(&plain, id, NULL)), -ENOENT);
	assert_false(ioasid_put(id));
	ioasid_get(id);
}

/* As iommu-sva-lib.c of these versions has it: 0 is none, the driver's put frees, mmput() does not. */
static void a_pasid_outlives_its_mm(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(&declared, 1, 100, mm);

	(void)state;
	assert_int_equal(mm->pasid, 0);
	mm->pasid = id;
	ioasid_get(id);
	mmput(mm);
	assert_false(IS_ERR(ioasid_find(&declared, id, NULL)));
	assert_false(ioasid_put(id));
	assert_true(ioasid_put(id));
}

/* Later code's mm_pasid_set() in such a client: the library frees, not the client's ioasid_free(). */
static void the_last_user_frees_what_was_stored(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(&declared, 5, 5, mm);

	(void)state;
	mm_pasid_set(mm, id);
	mmput(mm);
	assert_int_equal(PTR_ERR(ioasid_find(NULL, id, NULL)), -ENOENT);
}

/* Units that say no version, and one of 5.18, come late: 0 stays, and the log says so. */
static void what_was_said_first_stays_and_is_told(void **state)
{
	struct mm_struct *mm;

	(void)state;
	ioasid_set_log(keep_line, NULL);
	ioasid_mm_no_pasid(IOASID_NO_PASID_DEFAULT);
	ioasid_mm_no_pasid(INVALID_IOASID);
	ioasid_set_log(NULL, NULL);
	assert_non_null(strstr(last_line, "has 0 for all of them"));
	mm = mm_alloc();
	assert_int_equal(mm->pasid, 0);
	mmput(mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_as_published),
		cmocka_unit_test(the_last_put_ends_an_id),
		cmocka_unit_test(a_pasid_outlives_its_mm),
		cmocka_unit_test(the_last_user_frees_what_was_stored),
		cmocka_unit_test(what_was_said_first_stays_and_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
