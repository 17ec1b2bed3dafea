/* SPDX-License-Identifier: MIT */
/* IDR and IDA: what the kernel's own tests do not ask: bad arguments, no memory, threads. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <linux/idr.h>
#include <linux/ioasid-kernel.h>

#include "support.h"

static void numbers_for_pointers(void **state)
{
	DEFINE_IDR(idr);
	int a, b, id;
	void *entry;
	unsigned int count = 0;

	(void)state;
	assert_int_equal(idr_alloc(&idr, &a, 10, 0, GFP_KERNEL), 10);
	assert_int_equal(idr_alloc(&idr, &b, 10, 12, GFP_KERNEL), 11);
	assert_int_equal(idr_alloc(&idr, &b, 10, 12, GFP_KERNEL), -ENOSPC);
	/* Taken for NULL: found as nothing, passed over, and not given again. */
	assert_int_equal(idr_alloc(&idr, NULL, 12, 13, GFP_KERNEL), 12);
	assert_int_equal(idr_alloc(&idr, &a, 12, 13, GFP_KERNEL), -ENOSPC);
	assert_null(idr_find(&idr, 12));
	idr_for_each_entry(&idr, entry, id) count++;
	assert_int_equal(count, 2);
	assert_ptr_equal(idr_replace(&idr, &b, 10), &a);
	assert_null(idr_replace(&idr, &a, 12));
	assert_ptr_equal(idr_find(&idr, 12), &a);
	assert_ptr_equal(idr_remove(&idr, 10), &b);
	assert_null(idr_remove(&idr, 10));
	assert_int_equal(PTR_ERR(idr_replace(&idr, &b, 10)), -ENOENT);
	idr_destroy(&idr);
	assert_true(idr_is_empty(&idr));
	/* It may be used again. */
	assert_int_equal(idr_alloc(&idr, &a, 0, 0, GFP_KERNEL), 0);
	idr_destroy(&idr);
	assert_int_equal(warnings, 0);
}

static void cyclic_numbers_go_on(void **state)
{
	DEFINE_IDR(idr);
	int a;

	(void)state;
	assert_int_equal(idr_alloc_cyclic(&idr, &a, 1, 4, GFP_KERNEL), 1);
	idr_remove(&idr, 1);
	assert_int_equal(idr_alloc_cyclic(&idr, &a, 1, 4, GFP_KERNEL), 2);
	assert_int_equal(idr_alloc_cyclic(&idr, &a, 1, 4, GFP_KERNEL), 3);
	assert_int_equal(idr_alloc_cyclic(&idr, &a, 1, 4, GFP_KERNEL), 1);
	assert_int_equal(idr_alloc_cyclic(&idr, &a, 1, 4, GFP_KERNEL), -ENOSPC);
	idr_destroy(&idr);
}

static int count_it(int id, void *p, void *data)
{
	(void)id;
	(void)p;
	++*(int *)data;
	return 0;
}

/* Each is a line on the log, once a place, and a result. */
static void null_is_told_and_has_a_result(void **state)
{
	struct idr *none = NULL;
	struct ida *no_ida = NULL;
	unsigned long next = 0;
	unsigned int seen = 0;
	int count = 0, id;
	void *entry;

	(void)state;
#define TOLD(statement) \
	do { \
		statement; \
		assert_true(warnings > seen); \
		seen = warnings; \
	} while (0)
	TOLD(idr_init_base(none, 1));
	TOLD(assert_true(idr_is_empty(none)));
	TOLD(assert_int_equal(idr_get_cursor(none), 0));
	TOLD(idr_set_cursor(none, 1));
	TOLD(assert_int_equal(idr_alloc(none, &id, 0, 0, GFP_KERNEL), -EINVAL));
	TOLD(assert_int_equal(idr_alloc_cyclic(none, &id, 0, 0, GFP_KERNEL), -EINVAL));
	TOLD(assert_null(idr_find(none, 0)));
	TOLD(assert_null(idr_remove(none, 0)));
	TOLD(assert_null(idr_get_next_ul(none, &next)));
	TOLD(assert_int_equal(idr_for_each(none, count_it, &count), 0));
	TOLD(idr_destroy(none));
	idr_for_each_entry(none, entry, id) count++;
	TOLD(ida_init(no_ida));
	TOLD(assert_true(ida_is_empty(no_ida)));
#undef TOLD
	assert_int_equal(count, 0);
}

/* A negative start would be one of the highest numbers, or 0. */
static void a_negative_start_is_refused(void **state)
{
	DEFINE_IDR(idr);
	int a;

	(void)state;
	assert_int_equal(idr_alloc_cyclic(&idr, &a, -1, 0, GFP_KERNEL), -EINVAL);
	assert_int_equal(warnings, 1);
	assert_int_equal(idr_alloc_cyclic(&idr, &a, INT_MIN, 5, GFP_KERNEL), -EINVAL);
	assert_true(idr_is_empty(&idr));
	idr_init_base(&idr, -1);
	assert_int_equal(warnings, 2);
	assert_int_equal(idr_alloc_cyclic(&idr, &a, 0, 0, GFP_KERNEL), 0);
	idr_destroy(&idr);
}

static void bad_arguments_have_results(void **state)
{
	DEFINE_IDR(idr);
	DEFINE_IDA(ida);
	unsigned long next = 0;
	u32 id = 5;
	int a, small = 0;

	(void)state;
	assert_int_equal(idr_alloc(&idr, &a, -1, 0, GFP_KERNEL), -EINVAL);
	assert_int_equal(idr_alloc(NULL, &a, 0, 0, GFP_KERNEL), -EINVAL);
	assert_int_equal(idr_alloc_u32(&idr, &a, NULL, 1, GFP_KERNEL), -EINVAL);
	assert_int_equal(idr_alloc_u32(&idr, &a, &id, 4, GFP_KERNEL), -ENOSPC);
	assert_int_equal(id, 5);
	assert_int_equal(idr_alloc_cyclic(NULL, &a, 0, 0, GFP_KERNEL), -EINVAL);
	assert_int_equal(PTR_ERR(idr_replace(NULL, &a, 0)), -EINVAL);
	assert_null(idr_find(NULL, 0));
	assert_null(idr_remove(NULL, 0));
	assert_null(idr_get_next_ul(NULL, &next));
	assert_null(idr_get_next(&idr, NULL));
	idr_destroy(NULL);

	assert_int_equal(ida_alloc(NULL, GFP_KERNEL), -EINVAL);
	ida_free(NULL, 0);
	ida_destroy(NULL);
	assert_int_equal(ida_alloc_min(&ida, 1U << 31, GFP_KERNEL), -ENOSPC);
	assert_int_equal(ida_alloc_range(&ida, 6, 5, GFP_KERNEL), -ENOSPC);
	warnings = 0;
	ida_free(&ida, 7);
	assert_int_equal(warnings, 1);
	assert_true(ida_is_empty(&ida));

	/* Beyond INT_MAX: a warning, and the walk is over. */
	id = 1U << 31;
	assert_int_equal(idr_alloc_u32(&idr, &a, &id, UINT_MAX, GFP_KERNEL), 0);
	assert_null(idr_get_next(&idr, &small));
	assert_int_equal(small, 0);
	assert_ptr_equal(idr_get_next_ul(&idr, &next), &a);
	assert_int_equal(next, 1UL << 31);
	idr_destroy(&idr);
}

static void without_memory_nothing_changes(void **state)
{
	DEFINE_IDR(idr);
	DEFINE_IDA(ida);
	unsigned int i;
	int a;

	(void)state;
	ioasid_kernel_fail_nth(1);
	assert_int_equal(idr_alloc(&idr, &a, 0, 0, GFP_KERNEL), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_true(idr_is_empty(&idr));
	for (i = 0; i < 63; i++)
		assert_int_equal(ida_alloc(&ida, GFP_KERNEL), (int)i);
	/* The bits no longer fit into the entry. */
	ioasid_kernel_fail_nth(1);
	assert_int_equal(ida_alloc(&ida, GFP_KERNEL), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_int_equal(ida_alloc(&ida, GFP_KERNEL), 63);
	ida_free(&ida, 5);
	assert_int_equal(ida_alloc(&ida, GFP_KERNEL), 5);
	ida_free(&ida, 5);
	ida_free(&ida, 5);
	ida_destroy(&ida);
	assert_true(ida_is_empty(&ida));
}

/* Full chunks are passed over, whatever is in the middle of the range. */
static void ranges_across_chunks(void **state)
{
	DEFINE_IDA(ida);
	int i;

	(void)state;
	for (i = 0; i < 3 * IDA_BITMAP_BITS; i++)
		assert_int_equal(ida_alloc(&ida, GFP_KERNEL), i);
	ida_free(&ida, 1500);
	assert_int_equal(ida_alloc_range(&ida, 1501, 2999, GFP_KERNEL), -ENOSPC);
	assert_int_equal(ida_alloc_range(&ida, 1400, 1499, GFP_KERNEL), -ENOSPC);
	assert_int_equal(ida_alloc_range(&ida, 100, 2999, GFP_KERNEL), 1500);
	assert_int_equal(ida_alloc_max(&ida, 3000, GFP_KERNEL), -ENOSPC);
	assert_int_equal(ida_simple_get(&ida, 0, 0, GFP_KERNEL), 3 * IDA_BITMAP_BITS);
	ida_destroy(&ida);
}

static DEFINE_IDA(shared);
static unsigned char owners[4096];

static void *take_and_give(void *unused)
{
	unsigned int round;

	for (round = 0; round < loops(20000); round++) {
		int id = ida_alloc_max(&shared, 4095, GFP_KERNEL);

		if (id < 0 || __atomic_exchange_n(&owners[id], 1, __ATOMIC_SEQ_CST))
			return &shared;
		__atomic_store_n(&owners[id], 0, __ATOMIC_SEQ_CST);
		ida_free(&shared, (unsigned int)id);
	}
	return unused;
}

static void no_number_has_two_owners(void **state)
{
	pthread_t threads[3];
	unsigned int i;
	void *bad;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_true(ida_is_empty(&shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(numbers_for_pointers),		 LOG_TEST(cyclic_numbers_go_on),
		LOG_TEST(null_is_told_and_has_a_result), LOG_TEST(a_negative_start_is_refused),
		LOG_TEST(bad_arguments_have_results),	 LOG_TEST(without_memory_nothing_changes),
		LOG_TEST(ranges_across_chunks),		 LOG_TEST(no_number_has_two_owners),
	};

	return cmocka_run_group_tests_name("idr", tests, NULL, NULL);
}
