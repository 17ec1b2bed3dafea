/* SPDX-License-Identifier: MIT */
/* Arrays: what is stored, marked, allocated and found; no memory; readers beside writers. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <linux/ioasid-kernel.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "support.h"

/* Indices at the edges of levels, and the last of all. */
static const unsigned long edges[] = {
	0,	   1,	      63,	 64,	    65,	       4095,	      4096,
	1UL << 18, 1UL << 31, 1UL << 32, 1UL << 59, 1UL << 60, ULONG_MAX - 1, ULONG_MAX,
};

static void what_is_stored_is_there(void **state)
{
	DEFINE_XARRAY(xa);
	unsigned long i;

	(void)state;
	assert_true(xa_empty(&xa));
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		assert_null(xa_load(&xa, edges[i]));
		assert_null(xa_store(&xa, edges[i], xa_mk_value(i), GFP_KERNEL));
	}
	for (i = 0; i < ARRAY_SIZE(edges); i++)
		assert_ptr_equal(xa_load(&xa, edges[i]), xa_mk_value(i));
	assert_null(xa_load(&xa, 66));
	assert_null(xa_load(&xa, 1UL << 58));
	assert_ptr_equal(xa_store(&xa, 64, &xa, GFP_KERNEL), xa_mk_value(3));
	assert_ptr_equal(xa_erase(&xa, 64), &xa);
	assert_null(xa_erase(&xa, 64));
	for (i = 0; i < ARRAY_SIZE(edges); i++)
		xa_erase(&xa, edges[i]);
	assert_true(xa_empty(&xa));
}

static void walks_go_up_and_stay_in_their_range(void **state)
{
	DEFINE_XARRAY(xa);
	unsigned long index, i = 0;
	void *entry, *found[3];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(edges); i++)
		xa_store(&xa, edges[i], xa_mk_value(i), GFP_KERNEL);
	i = 0;
	xa_for_each(&xa, index, entry)
	{
		assert_int_equal(index, edges[i]);
		assert_ptr_equal(entry, xa_mk_value(i));
		i++;
	}
	assert_int_equal(i, ARRAY_SIZE(edges));
	i = 0;
	xa_for_each_range(&xa, index, entry, 64, 4096) i++;
	assert_int_equal(i, 4);
	/* Erasing on the way is allowed. */
	xa_for_each(&xa, index, entry) xa_erase(&xa, index);
	assert_true(xa_empty(&xa));

	for (i = 10; i < 20; i++)
		xa_store(&xa, i, xa_mk_value(i), GFP_KERNEL);
	assert_int_equal(xa_extract(&xa, found, 12, ULONG_MAX, 3, XA_PRESENT), 3);
	assert_ptr_equal(found[2], xa_mk_value(14));
	index = 19;
	assert_null(xa_find_after(&xa, &index, ULONG_MAX, XA_PRESENT));
	assert_int_equal(index, 19);
	index = ULONG_MAX;
	assert_null(xa_find_after(&xa, &index, ULONG_MAX, XA_PRESENT));
	xa_destroy(&xa);
	xa_destroy(&xa);
	assert_true(xa_empty(&xa));
}

static void marks_go_with_their_entries(void **state)
{
	DEFINE_XARRAY(xa);
	unsigned long index, count = 0;
	void *entry;

	(void)state;
	xa_set_mark(&xa, 5, XA_MARK_0);
	assert_false(xa_marked(&xa, XA_MARK_0));
	for (index = 0; index < 1000; index++)
		xa_store(&xa, index * 7, xa_mk_value(index), GFP_KERNEL);
	xa_set_mark(&xa, 7, XA_MARK_1);
	xa_set_mark(&xa, 6993, XA_MARK_1);
	xa_set_mark(&xa, 6, XA_MARK_1);
	assert_true(xa_get_mark(&xa, 7, XA_MARK_1));
	assert_false(xa_get_mark(&xa, 7, XA_MARK_0));
	assert_false(xa_get_mark(&xa, 6, XA_MARK_1));
	xa_for_each_marked(&xa, index, entry, XA_MARK_1) count++;
	assert_int_equal(count, 2);
	/* The tree grows a head, which is marked as what it stands for. */
	xa_store(&xa, 1UL << 40, &xa, GFP_KERNEL);
	index = 8;
	assert_ptr_equal(xa_find(&xa, &index, ULONG_MAX, XA_MARK_1), xa_mk_value(999));
	xa_erase(&xa, 6993);
	assert_true(xa_marked(&xa, XA_MARK_1));
	xa_clear_mark(&xa, 7, XA_MARK_1);
	assert_false(xa_marked(&xa, XA_MARK_1));
	/* No such mark: never set, and no crash. */
	xa_set_mark(&xa, 7, 3);
	assert_false(xa_get_mark(&xa, 7, 3));
	index = 0;
	assert_null(xa_find(&xa, &index, ULONG_MAX, 3));
	xa_destroy(&xa);
}

static void exchange_insert_and_reserve(void **state)
{
	DEFINE_XARRAY(xa);
	int a, b;
	unsigned long index = 0;

	(void)state;
	assert_null(xa_cmpxchg(&xa, 3, NULL, &a, GFP_KERNEL));
	assert_ptr_equal(xa_cmpxchg(&xa, 3, NULL, &b, GFP_KERNEL), &a);
	assert_ptr_equal(xa_cmpxchg(&xa, 3, &a, &b, GFP_KERNEL), &a);
	assert_ptr_equal(xa_load(&xa, 3), &b);
	assert_int_equal(xa_insert(&xa, 3, &a, GFP_KERNEL), -EBUSY);
	assert_int_equal(xa_insert(&xa, 4, &a, GFP_KERNEL), 0);
	xa_destroy(&xa);

	/* Reserved: nothing for readers, taken for insert, free again for release. */
	assert_int_equal(xa_reserve(&xa, 9, GFP_KERNEL), 0);
	assert_int_equal(xa_reserve(&xa, 9, GFP_KERNEL), 0);
	assert_null(xa_load(&xa, 9));
	assert_null(xa_find(&xa, &index, ULONG_MAX, XA_PRESENT));
	assert_false(xa_empty(&xa));
	assert_int_equal(xa_insert(&xa, 9, &a, GFP_KERNEL), -EBUSY);
	xa_release(&xa, 9);
	assert_true(xa_empty(&xa));
	assert_int_equal(xa_reserve(&xa, 9, GFP_KERNEL), 0);
	assert_null(xa_store(&xa, 9, &a, GFP_KERNEL));
	xa_release(&xa, 9);
	assert_ptr_equal(xa_load(&xa, 9), &a);
	xa_destroy(&xa);
}

static void the_lowest_free_index_is_given(void **state)
{
	DEFINE_XARRAY_ALLOC(xa);
	DEFINE_XARRAY_ALLOC1(one);
	DEFINE_XARRAY(none);
	u32 id = 77, i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		assert_int_equal(xa_alloc(&xa, &id, xa_mk_value(i), xa_limit_32b, GFP_KERNEL), 0);
		assert_int_equal(id, i);
	}
	xa_erase(&xa, 4000);
	/* To exchange something for NULL empties, where to store NULL reserves. */
	assert_ptr_equal(xa_cmpxchg(&xa, 130, xa_mk_value(130), NULL, GFP_KERNEL),
			 xa_mk_value(130));
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(131, 9999), GFP_KERNEL), 0);
	assert_int_equal(id, 4000);
	assert_int_equal(xa_alloc(&xa, &id, &xa, xa_limit_31b, GFP_KERNEL), 0);
	assert_int_equal(id, 130);
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(10, 20), GFP_KERNEL), -EBUSY);
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(20, 10), GFP_KERNEL), -EBUSY);
	assert_int_equal(id, 130);
	/* NULL keeps its place, stored or allocated. */
	xa_store(&xa, 10, NULL, GFP_KERNEL);
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(10, 20), GFP_KERNEL), -EBUSY);
	xa_erase(&xa, 10);
	assert_int_equal(xa_alloc(&xa, &id, NULL, XA_LIMIT(10, 20), GFP_KERNEL), 0);
	assert_int_equal(id, 10);
	assert_null(xa_load(&xa, 10));
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(UINT_MAX, UINT_MAX), GFP_KERNEL), 0);
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(UINT_MAX, UINT_MAX), GFP_KERNEL), -EBUSY);
	xa_destroy(&xa);

	assert_int_equal(xa_alloc(&one, &id, &xa, xa_limit_16b, GFP_KERNEL), 0);
	assert_int_equal(id, 1);
	xa_destroy(&one);
	assert_int_equal(xa_alloc(&none, &id, &xa, xa_limit_16b, GFP_KERNEL), -EINVAL);
}

static void cyclic_goes_on_and_says_when_it_begins_anew(void **state)
{
	DEFINE_XARRAY_ALLOC(xa);
	u32 id, next = 0, i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(xa_alloc_cyclic(&xa, &id, &xa, XA_LIMIT(5, 7), &next, GFP_KERNEL),
				 0);
		assert_int_equal(id, 5 + i);
	}
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &xa, XA_LIMIT(5, 7), &next, GFP_KERNEL), -EBUSY);
	xa_erase(&xa, 6);
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &xa, XA_LIMIT(5, 7), &next, GFP_KERNEL), 1);
	assert_int_equal(id, 6);
	xa_destroy(&xa);
	next = UINT_MAX;
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &xa, xa_limit_32b, &next, GFP_KERNEL), 0);
	assert_int_equal(id, UINT_MAX);
	assert_int_equal(next, 0);
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &xa, xa_limit_32b, &next, GFP_KERNEL), 1);
	assert_int_equal(id, 0);
	xa_destroy(&xa);
}

static void bad_arguments_have_results(void **state)
{
	DEFINE_XARRAY_ALLOC(xa);
	unsigned long index = 0;
	u32 id;

	(void)state;
	assert_null(xa_load(NULL, 1));
	assert_int_equal(xa_err(xa_store(NULL, 1, &xa, GFP_KERNEL)), -EINVAL);
	assert_null(xa_erase(NULL, 1));
	assert_int_equal(xa_err(xa_cmpxchg(NULL, 1, NULL, &xa, GFP_KERNEL)), -EINVAL);
	assert_int_equal(xa_insert(NULL, 1, &xa, GFP_KERNEL), -EINVAL);
	assert_int_equal(xa_alloc(NULL, &id, &xa, xa_limit_32b, GFP_KERNEL), -EINVAL);
	assert_int_equal(xa_alloc(&xa, NULL, &xa, xa_limit_32b, GFP_KERNEL), -EINVAL);
	assert_null(xa_find(NULL, &index, 1, XA_PRESENT));
	assert_null(xa_find(&xa, NULL, 1, XA_PRESENT));
	assert_false(xa_get_mark(NULL, 1, XA_MARK_0));
	xa_set_mark(NULL, 1, XA_MARK_0);
	xa_release(NULL, 1);
	xa_destroy(NULL);
	assert_true(xa_empty((struct xarray *)NULL));
	xa_init((struct xarray *)NULL);
	assert_null(xa_find_after(NULL, &index, 1, XA_PRESENT));
	assert_null(xa_find_after(&xa, NULL, 1, XA_PRESENT));
	assert_int_equal(xa_extract(&xa, NULL, 0, 1, 1, XA_PRESENT), 0);
	/* What is no entry: reserved words of the tree, and errors. */
	assert_int_equal(xa_err(xa_store(&xa, 1, (void *)6, GFP_KERNEL)), -EINVAL);
	assert_int_equal(xa_err(xa_cmpxchg(&xa, 1, &id, (void *)6, GFP_KERNEL)), -EINVAL);
	assert_int_equal(xa_insert(&xa, 1, xa_store(NULL, 1, &xa, 0), GFP_KERNEL), -EINVAL);
	assert_true(xa_empty(&xa));
	assert_int_equal(xa_err(NULL), 0);
	assert_int_equal(xa_err(&xa), 0);
}

/* Every allocation on the way fails once; nothing is half done. */
static void without_memory_nothing_changes(void **state)
{
	DEFINE_XARRAY_ALLOC(xa);
	unsigned long nth;
	u32 id = 99;
	int err;

	(void)state;
	xa_store(&xa, 1, &xa, GFP_KERNEL);
	for (nth = 1;; nth++) {
		ioasid_kernel_fail_nth(nth);
		err = xa_err(xa_store(&xa, 1UL << 40, &xa, GFP_KERNEL));
		ioasid_kernel_fail_nth(0);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_null(xa_load(&xa, 1UL << 40));
		assert_ptr_equal(xa_load(&xa, 1), &xa);
	}
	assert_true(nth > 5);
	xa_destroy(&xa);
	ioasid_kernel_fail_nth(1);
	assert_int_equal(xa_alloc(&xa, &id, &xa, xa_limit_32b, GFP_KERNEL), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_int_equal(id, 99);
	/* The second of three nodes: those before it go again. */
	ioasid_kernel_fail_nth(2);
	assert_int_equal(xa_insert(&xa, 5000, &xa, GFP_KERNEL), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_true(xa_empty(&xa));
}

/* ---- Readers beside a writer ---- */

#define ANCHOR 70UL
static DEFINE_XARRAY(shared);
static bool over;

static void *read_all(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		unsigned long index;
		bool anchor = false;
		void *entry;

		rcu_read_lock();
		xa_for_each(&shared, index, entry)
		{
			if (entry != xa_mk_value(index))
				return &over;
			anchor = anchor || index == ANCHOR;
		}
		rcu_read_unlock();
		if (!anchor || xa_load(&shared, ANCHOR) != xa_mk_value(ANCHOR))
			return &over;
	}
	return unused;
}

static void readers_see_what_stays(void **state)
{
	pthread_t readers[2];
	unsigned int i, round;
	void *bad;

	(void)state;
	xa_store(&shared, ANCHOR, xa_mk_value(ANCHOR), GFP_KERNEL);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all, NULL), 0);
	for (round = 0; round < loops(2000); round++) {
		for (i = 0; i < ARRAY_SIZE(edges); i++)
			xa_store(&shared, edges[i], xa_mk_value(edges[i] & LONG_MAX), GFP_KERNEL);
		for (i = 0; i < ARRAY_SIZE(edges); i++)
			xa_erase(&shared, edges[i]);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++) {
		pthread_join(readers[i], &bad);
		assert_null(bad);
	}
	xa_destroy(&shared);
	assert_true(xa_empty(&shared));
	rcu_barrier();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_stored_is_there),
		cmocka_unit_test(walks_go_up_and_stay_in_their_range),
		cmocka_unit_test(marks_go_with_their_entries),
		cmocka_unit_test(exchange_insert_and_reserve),
		cmocka_unit_test(the_lowest_free_index_is_given),
		cmocka_unit_test(cyclic_goes_on_and_says_when_it_begins_anew),
		cmocka_unit_test(bad_arguments_have_results),
		cmocka_unit_test(without_memory_nothing_changes),
		cmocka_unit_test(readers_see_what_stays),
	};

	return cmocka_run_group_tests_name("xarray", tests, NULL, NULL);
}
