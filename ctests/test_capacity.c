/* SPDX-License-Identifier: MIT */
/* The capacity: installed while nothing is in use, held back and given back. Order matters here. */
#include <pthread.h>

#include "support.h"

#define CAPACITY 1000

static uint64_t available(void)
{
	return read_stats().available;
}

static int install_after_refusals(const void *data)
{
	struct ioasid_set bogus = { 0 };

	(void)data;
	child_assert(ioasid_alloc(NULL, 5, 3, NULL) == INVALID_IOASID);
	child_assert(ioasid_alloc(&bogus, ANY, NULL) == INVALID_IOASID);
	child_assert(ioasid_alloc(ERR_PTR(-ENOMEM), ANY, NULL) == INVALID_IOASID);
	ioasid_install_capacity(CAPACITY);
	child_assert(ioasid_get_capacity() == CAPACITY);
	child_assert(ioasid_alloc(NULL, CAPACITY, CAPACITY, NULL) == INVALID_IOASID);
	child_assert(ioasid_alloc(NULL, CAPACITY - 1, CAPACITY, NULL) == CAPACITY - 1);
	return 0;
}

/* Checked too late, a request for nothing had made the table of ids, of the default size. */
static void a_refused_allocation_is_no_use_of_the_library(void **state)
{
	(void)state;
	assert_int_equal(in_child(install_after_refusals, NULL), 0);
}

static int install_beside_reservations(const void *data)
{
	const bool *by_hand = data;
	struct ioasid_set *set = NULL;

	if (*by_hand)
		child_assert(ioasid_reserve_capacity(3) == 3);
	else
		set = ioasid_set_alloc(NULL, 3, IOASID_SET_TYPE_NULL);
	ioasid_install_capacity(CAPACITY);
	child_assert(ioasid_get_capacity() == 0x100000);
	child_assert(refused(IOASID_REFUSED_BUSY) == 1);
	child_assert(available() == 0x100000 - 3);
	/* With the last of it given back, nothing was used. */
	if (set)
		ioasid_set_put(set);
	else
		ioasid_cancel_capacity(3);
	ioasid_install_capacity(CAPACITY);
	child_assert(ioasid_get_capacity() == CAPACITY);
	return 0;
}

static void what_was_reserved_of_a_capacity_keeps_it(void **state)
{
	(void)state;
	for (int by_hand = 0; by_hand < 2; by_hand++)
		assert_int_equal(in_child(install_beside_reservations, &(bool){ by_hand }), 0);
}

/* First of all, in a process that has not used the library. */
static void capacity_is_installed_before_use(void **state)
{
	(void)state;
	assert_int_equal(ioasid_get_capacity(), 0x100000);
	ioasid_install_capacity(0);
	assert_int_equal(ioasid_get_capacity(), 0x100000);
	ioasid_install_capacity(CAPACITY);
	assert_int_equal(ioasid_get_capacity(), CAPACITY);
	assert_int_equal(available(), CAPACITY);
}

/* D55: v2 took a second capacity at any time, without a lock. */
static void capacity_is_not_changed_in_use(void **state)
{
	uint64_t refusals = refused(IOASID_REFUSED_BUSY);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	ioasid_install_capacity(CAPACITY * 2);
	ioasid_install_capacity(CAPACITY);
	assert_int_equal(ioasid_get_capacity(), CAPACITY);
	assert_int_equal(refused(IOASID_REFUSED_BUSY), refusals + 2);
	/* Nor while somebody still holds one. */
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_set_put(set);
	ioasid_install_capacity(CAPACITY * 2);
	assert_int_equal(ioasid_get_capacity(), CAPACITY);
	assert_true(ioasid_put(NULL, id));
}

/* What was there at the old capacity works at the new one, smaller or larger, and nothing shines through. */
static void capacity_is_installed_anew_when_nothing_is_left(void **state)
{
	static const ioasid_t sizes[] = { 1, 64, 5000, 100, 70000, 1 << 20, 3 << 20, CAPACITY };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ioasid_t last = sizes[i] - 1, id;

		ioasid_install_capacity(sizes[i]);
		assert_int_equal(ioasid_get_capacity(), sizes[i]);
		assert_int_equal(available(), sizes[i]);
		for (size_t other = 0; other < i; other++)
			assert_false(ioasid_is_active(sizes[other] - 1));
		assert_int_equal(ioasid_alloc(NULL, sizes[i], INVALID_IOASID, NULL),
				 INVALID_IOASID);
		id = ioasid_alloc(NULL, last, INVALID_IOASID, &last);
		assert_int_equal(id, last);
		assert_ptr_equal(ioasid_find(NULL, id, NULL), &last);
		assert_int_equal(ioasid_attach_spid(id, 7), 0);
		assert_int_equal(ioasid_find_by_spid_ref(NULL, 7, false), id);
		if (last)
			assert_int_equal(ioasid_alloc(NULL, ANY, NULL), 0);
		if (last)
			free_id(0);
		free_id(id);
		assert_int_equal(ioasid_find_by_spid_ref(NULL, 7, false), INVALID_IOASID);
	}
}

static void *look_everywhere(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED))
		for (ioasid_t id = 0; id < 200; id++) {
			ioasid_find(NULL, id * 1000, NULL);
			if (!ioasid_get(NULL, id * 1000))
				ioasid_put(NULL, id * 1000);
		}
	return NULL;
}

/* Look-ups take no lock: they may come while the table grows, shrinks and moves. */
static void capacity_may_change_under_look_ups(void **state)
{
	bool stop = false;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, look_everywhere, &stop), 0);
	for (unsigned int i = 1; i < loops(40); i++) {
		ioasid_t id, capacity = i % 2 ? 100000 + i * 70000 : i;

		ioasid_install_capacity(capacity);
		assert_int_equal(ioasid_get_capacity(), capacity);
		id = ioasid_alloc(NULL, capacity / 1000 * 1000 - (capacity > 1000 ? 1000 : 0),
				  INVALID_IOASID, NULL);
		assert_int_not_equal(id, INVALID_IOASID);
		ioasid_free_wait(NULL, id, -1);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ioasid_install_capacity(CAPACITY);
}

static void *grow(void *data)
{
	(void)data;
	ioasid_install_capacity(CAPACITY);
	return NULL;
}

static int install_in_child(const void *data)
{
	(void)data;
	child_assert(ioasid_reserve_range(3, 4) == 0);
	ioasid_install_capacity(CAPACITY * 2);
	child_assert(ioasid_get_capacity() == CAPACITY);
	child_assert(ioasid_cancel_range(3, 4) == 0);
	ioasid_install_capacity(CAPACITY * 2);
	child_assert(ioasid_get_capacity() == CAPACITY * 2);
	return 0;
}

static void a_child_changes_its_own(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, grow, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(in_child(install_in_child, NULL), 0);
	assert_int_equal(ioasid_get_capacity(), CAPACITY);
}

/* Told of the last id's end, a subscriber finds nothing in use. */
static int install_when_reclaimed(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	ioasid_install_capacity(1 << 21);
	return NOTIFY_OK;
}

static void a_handler_may_install_it(void **state)
{
	struct notifier_block nb = { .notifier_call = install_when_reclaimed };
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_register_reclaim(&nb), 0);
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(ioasid_get_capacity(), CAPACITY);
	assert_true(ioasid_put(NULL, id));
	assert_int_equal(ioasid_get_capacity(), 1 << 21);
	ioasid_unregister_reclaim(&nb);
	ioasid_install_capacity(CAPACITY);
	assert_int_equal(ioasid_get_capacity(), CAPACITY);
}

/* D16: the capacity bounds the numbers, not only how many there are. */
static void ids_are_below_the_capacity(void **state)
{
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_alloc(NULL, CAPACITY, INVALID_IOASID, NULL), INVALID_IOASID);
	id = ioasid_alloc(NULL, CAPACITY - 1, INVALID_IOASID, NULL);
	assert_int_equal(id, CAPACITY - 1);
	free_id(id);
	for (id = 0; id < CAPACITY; id++)
		assert_int_equal(ioasid_alloc(NULL, ANY, NULL), id);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	while (id--)
		free_id(id);
}

/* D58: the comment promised what is left, the code returned what was reserved. */
static void reserved_capacity_is_kept_from_everybody(void **state)
{
	(void)state;
	assert_int_equal(ioasid_reserve_capacity(0), CAPACITY);
	assert_int_equal(available(), CAPACITY);
	assert_int_equal(ioasid_reserve_capacity(CAPACITY - 1), CAPACITY - 1);
	assert_int_equal(ioasid_reserve_capacity(0), 1);
	assert_int_equal(ioasid_reserve_capacity(2), -ENOSPC);
	free_id(new_id(NULL, NULL));
	assert_int_equal(ioasid_reserve_capacity(1), 1);
	assert_int_equal(ioasid_reserve_capacity(0), 0);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL)), -ENOSPC);
	assert_int_equal(ioasid_cancel_capacity(CAPACITY - 2), CAPACITY - 2);
	assert_int_equal(ioasid_cancel_capacity(2), CAPACITY);
}

/* D58: cancelling what was never reserved made capacity out of nothing. */
static void only_what_was_reserved_can_be_cancelled(void **state)
{
	(void)state;
	assert_int_equal(ioasid_cancel_capacity(1), -EINVAL);
	assert_int_equal(ioasid_reserve_capacity(10), 10);
	assert_int_equal(ioasid_cancel_capacity(11), -EINVAL);
	assert_int_equal(ioasid_cancel_capacity(INVALID_IOASID), -EINVAL);
	assert_int_equal(ioasid_cancel_capacity(0), CAPACITY - 10);
	assert_int_equal(ioasid_cancel_capacity(10), CAPACITY);
	assert_int_equal(ioasid_cancel_capacity(10), -EINVAL);
	assert_int_equal(available(), CAPACITY);
}

static void reservations_beyond_an_int_are_refused(void **state)
{
	(void)state;
	assert_int_equal(ioasid_reserve_capacity(0x80000000), -EINVAL);
	assert_int_equal(ioasid_reserve_capacity(INVALID_IOASID), -EINVAL);
	assert_int_equal(ioasid_reserve_capacity(0x7fffffff), -ENOSPC);
	assert_int_equal(available(), CAPACITY);
}

/* A quota, a reservation and loose ids together: never more than there is. */
static void the_sum_never_exceeds_the_capacity(void **state)
{
	struct ioasid_set *set = new_set(400);
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_reserve_capacity(500), 500);
	assert_int_equal(available(), CAPACITY - 400 - 500 - 1);
	assert_int_equal(ioasid_adjust_set(set, 500), -ENOSPC);
	assert_int_equal(ioasid_adjust_set(set, 499), 0);
	assert_int_equal(available(), 0);
	assert_int_equal(ioasid_alloc(NULL, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_cancel_capacity(500), 500);
	ioasid_set_put(set);
	free_id(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_refused_allocation_is_no_use_of_the_library),
		CLEAN_TEST(what_was_reserved_of_a_capacity_keeps_it),
		CLEAN_TEST(capacity_is_installed_before_use),
		CLEAN_TEST(capacity_is_not_changed_in_use),
		CLEAN_TEST(capacity_is_installed_anew_when_nothing_is_left),
		CLEAN_TEST(capacity_may_change_under_look_ups),
		CLEAN_TEST(a_child_changes_its_own),
		CLEAN_TEST(a_handler_may_install_it),
		CLEAN_TEST(ids_are_below_the_capacity),
		CLEAN_TEST(reserved_capacity_is_kept_from_everybody),
		CLEAN_TEST(only_what_was_reserved_can_be_cancelled),
		CLEAN_TEST(reservations_beyond_an_int_are_refused),
		CLEAN_TEST(the_sum_never_exceeds_the_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
