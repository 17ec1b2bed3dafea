/* SPDX-License-Identifier: MIT */
/* A client of Linux 5.5 to 5.10: sets are addresses, free takes the id alone. */
#define IOASID_API 505
#include <linux/ioasid.h>
#include <linux/sched/mm.h>

#include "api.h"

/* More than there are numbers of sets, where there is time for that. */
static int rounds(void)
{
	return getenv("IOASID_TEST_SLOW") ? 3000 : 300000;
}

struct state {
	int before;
	struct ioasid_set pasids;
};

static struct ioasid_set plain;
static DECLARE_IOASID_SET(declared);

static void every_name_is_as_published(void **state)
{
	struct {
		int ioasid_free, ioasid_alloc, ioasid_get, ioasid_put, ioasid_set_data;
	} members = { 1, 2, 3, 4, 5 };

	(void)state;
	check_what_all_have();
	CHECK_TYPE(ioasid_free, void (*)(ioasid_t));
	CHECK_TYPE(ioasid_set_data, int (*)(ioasid_t, void *));
	assert_int_equal(members.ioasid_free + members.ioasid_put, 5);
}

static void a_set_is_its_address_wherever_it_lies(void **state)
{
	struct state *one = calloc(1, sizeof(*one)), *other = calloc(1, sizeof(*other));
	int data;
	ioasid_t a = ioasid_alloc(&plain, 10, 20, &data);
	ioasid_t b = ioasid_alloc(&one->pasids, 10, 20, &data);
	ioasid_t c = ioasid_alloc(&declared, 10, 20, &data);
	ioasid_t d = ioasid_alloc(NULL, 10, 20, &data);

	(void)state;
	assert_int_equal(a, 10);
	assert_int_equal(b, 11);
	assert_int_equal(c, 12);
	assert_int_equal(d, 13);
	assert_ptr_equal(ioasid_find(&plain, a, NULL), &data);
	assert_ptr_equal(ioasid_find(&one->pasids, b, NULL), &data);
	assert_ptr_equal(ioasid_find(NULL, b, NULL), &data);
	assert_int_equal(PTR_ERR(ioasid_find(&other->pasids, b, NULL)), -EACCES);
	assert_int_equal(PTR_ERR(ioasid_find(&plain, d, NULL)), -EACCES);
	ioasid_free(b);
	/* The address is not known any more: its memory may be anything. */
	memset(one, 0xff, sizeof(*one));
	free(one);
	free(other);
	ioasid_free(a);
	ioasid_free(c);
	ioasid_free(d);
	assert_int_equal(PTR_ERR(ioasid_find(&plain, a, NULL)), -ENOENT);
}

/* An address comes and goes more often than there are numbers of sets: none is used up. */
static void addresses_leave_nothing(void **state)
{
	(void)state;
	for (int i = 0, n = rounds(); i < n; i++) {
		ioasid_t id =
			ioasid_alloc((struct ioasid_set *)(uintptr_t)(4096 + 64 * i), 5, 5, NULL);

		assert_int_equal(id, 5);
		ioasid_free(id);
	}
}

/* Nor does one that gets no id: there are 262,143 numbers of sets. */
static void a_refusal_lends_nothing(void **state)
{
	(void)state;
	ioasid_set_log_level(-1);
	for (int i = 0, n = rounds(); i < n; i++)
		assert_int_equal(ioasid_alloc((struct ioasid_set *)(uintptr_t)(4096 + 64 * i), 20,
					      10, NULL),
				 INVALID_IOASID);
	ioasid_set_log_level(IOASID_LOG_WARNING);
	assert_int_equal(ioasid_alloc(&plain, 20, 20, NULL), 20);
	ioasid_free(20);
}

static void data_is_set_and_replaced(void **state)
{
	int first, second;
	ioasid_t id = ioasid_alloc(&plain, 1, 9, &first);

	(void)state;
	assert_int_equal(ioasid_set_data(id, &second), 0);
	assert_ptr_equal(ioasid_find(&plain, id, NULL), &second);
	ioasid_free(id);
	assert_int_equal(ioasid_set_data(id, &first), -ENOENT);
}

static void an_mm_without_pasid_has_zero(void **state)
{
	struct mm_struct *mm = mm_alloc();

	(void)state;
	assert_int_equal(mm->pasid, 0);
	mmput(mm);
	assert_int_equal(current->mm->pasid, 0);
}

/* The client has an ioasid_put(), an ioasid_free_all_in_set() and so on: what frees here is the library's. */
static void the_last_user_frees_what_was_stored(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(&plain, 5, 5, mm);

	(void)state;
	mm_pasid_set(mm, id);
	mmput(mm);
	assert_int_equal(PTR_ERR(ioasid_find(NULL, id, NULL)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_as_published),
		cmocka_unit_test(a_set_is_its_address_wherever_it_lies),
		cmocka_unit_test(addresses_leave_nothing),
		cmocka_unit_test(a_refusal_lends_nothing),
		cmocka_unit_test(data_is_set_and_replaced),
		cmocka_unit_test(an_mm_without_pasid_has_zero),
		cmocka_unit_test(the_last_user_frees_what_was_stored),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
