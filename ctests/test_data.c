/* SPDX-License-Identifier: MIT */
/* Private data: replaced and taken away while others read it. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include <linux/rcupdate.h>

#include "support.h"

static char first, second;

static void data_is_attached_replaced_and_detached(void **state)
{
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_data(id, &first), 0);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), &first);
	assert_int_equal(ioasid_set_data(id, &second), 0);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), &second);
	assert_int_equal(ioasid_detach_data(id), 0);
	assert_null(ioasid_find(NULL, id, NULL));
	assert_int_equal(ioasid_detach_data(id), 0);
	free_id(id);
}

/* D33, D40: unknown ids are -ENOENT here, and the data of others stays as it was. */
static void unknown_ids_are_refused(void **state)
{
	ioasid_t id = new_id(NULL, &first);

	(void)state;
	assert_int_equal(ioasid_attach_data(id + 1, &second), -ENOENT);
	assert_int_equal(ioasid_detach_data(INVALID_IOASID), -ENOENT);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), &first);
	free_id(id);
	assert_int_equal(ioasid_attach_data(id, &second), -ENOENT);
}

static void pending_ids_can_lose_their_data(void **state)
{
	ioasid_t id = new_id(NULL, &first);

	(void)state;
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(ioasid_detach_data(id), 0);
	assert_null(ioasid_find(NULL, id, NULL));
	assert_true(ioasid_put(NULL, id));
}

static ioasid_t known;
static int from_getter;

static bool attach_in_getter(void *data)
{
	(void)data;
	from_getter = ioasid_attach_data(known, &second);
	return true;
}

static void waiting_for_oneself_is_refused_in_a_getter(void **state)
{
	(void)state;
	known = new_id(NULL, &first);
	assert_ptr_equal(ioasid_find(NULL, known, attach_in_getter), &first);
	assert_int_equal(from_getter, -EDEADLK);
	assert_ptr_equal(ioasid_find(NULL, known, NULL), &first);
	free_id(known);
}

static void waiting_for_oneself_is_refused_in_a_read_side_section(void **state)
{
	ioasid_t id = new_id(NULL, &first);
	uint64_t busy = refused(IOASID_REFUSED_BUSY);

	(void)state;
	rcu_read_lock();
	assert_int_equal(ioasid_attach_data(id, &second), -EDEADLK);
	assert_int_equal(ioasid_detach_data(id), -EDEADLK);
	/* No change, no wait. */
	assert_int_equal(ioasid_attach_data(id, &first), 0);
	rcu_read_unlock();
	assert_int_equal(refused(IOASID_REFUSED_BUSY), busy + 2);
	assert_int_equal(ioasid_attach_data(id, &second), 0);
	free_id(id);
}

static void first_data_needs_no_wait_and_is_never_refused(void **state)
{
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	rcu_read_lock();
	assert_int_equal(ioasid_attach_data(id, &first), 0);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), &first);
	rcu_read_unlock();
	free_id(id);
}

static int attach_in_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_ALLOC)
		from_getter = ioasid_attach_data(args->id, &second);
	return NOTIFY_OK;
}

/* A handler holds the lock, with which no grace period may be awaited. */
static void waiting_in_a_handler_is_refused(void **state)
{
	struct notifier_block nb = { .notifier_call = attach_in_handler };
	struct ioasid_set *set = new_set(0);
	ioasid_t with, without;

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	with = new_id(set, &first);
	assert_int_equal(from_getter, -EDEADLK);
	assert_ptr_equal(ioasid_find(set, with, NULL), &first);
	without = new_id(set, NULL);
	assert_int_equal(from_getter, 0);
	assert_ptr_equal(ioasid_find(set, without, NULL), &second);
	ioasid_unregister_notifier(set, &nb);
	ioasid_set_put(set);
}

static sem_t reading, may_end;
static bool replaced;

static bool read_slowly(void *data)
{
	(void)data;
	sem_post(&reading);
	sem_wait(&may_end);
	return true;
}

static void *find_slowly(void *nothing)
{
	(void)nothing;
	return ioasid_find(NULL, known, read_slowly);
}

static void *replace(void *nothing)
{
	int err = ioasid_attach_data(known, &second);

	__atomic_store_n(&replaced, true, __ATOMIC_RELEASE);
	(void)nothing;
	return ERR_PTR(err);
}

/* A reader is inside while the writer waits; all others go on: the wait is without the lock. */
static void the_wait_is_for_readers_and_without_the_lock(void **state)
{
	pthread_t reader, writer;
	void *found, *err;

	(void)state;
	known = new_id(NULL, &first);
	sem_init(&reading, 0, 0);
	sem_init(&may_end, 0, 0);
	assert_int_equal(pthread_create(&reader, NULL, find_slowly, NULL), 0);
	sem_wait(&reading);
	assert_int_equal(pthread_create(&writer, NULL, replace, NULL), 0);
	while (ioasid_find(NULL, known, NULL) != &second)
		sched_yield();
	for (int i = 0; i < 1000; i++)
		free_id(new_id(NULL, NULL));
	assert_false(__atomic_load_n(&replaced, __ATOMIC_ACQUIRE));
	sem_post(&may_end);
	assert_int_equal(pthread_join(writer, &err), 0);
	assert_int_equal(pthread_join(reader, &found), 0);
	assert_null(err);
	assert_ptr_equal(found, &first);
	free_id(known);
}

#define GOOD 0x600dda7a

static bool stop;
static unsigned int looks;

static bool data_is_good(void *data)
{
	__atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
	return !data || *(unsigned int *)data == GOOD;
}

static void *keep_reading(void *nothing)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		void *data = ioasid_find(NULL, known, data_is_good);

		if (IS_ERR(data))
			return data;
		rcu_read_lock();
		data = ioasid_find(NULL, known, NULL);
		if (!data_is_good(data)) {
			rcu_read_unlock();
			return data;
		}
		rcu_read_unlock();
	}
	return nothing;
}

/* The contract's promise, as memory checkers see it: freed after the return, never read again. */
static void old_data_may_be_freed_after_the_return(void **state)
{
	pthread_t reader;
	unsigned int *old = NULL;
	void *bad;

	(void)state;
	known = new_id(NULL, NULL);
	assert_int_equal(pthread_create(&reader, NULL, keep_reading, NULL), 0);
	for (unsigned int i = 0, seen = 0; i < loops(2000) || seen < 1000; i++) {
		unsigned int *data = i % 3 ? malloc(sizeof(*data)) : NULL;

		if (data)
			*data = GOOD;
		assert_int_equal(ioasid_attach_data(known, data), 0);
		if (old)
			*old = 0xdead;
		free(old);
		old = data;
		seen = __atomic_load_n(&looks, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(reader, &bad), 0);
	assert_null(bad);
	assert_int_equal(ioasid_detach_data(known), 0);
	free(old);
	free_id(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(data_is_attached_replaced_and_detached),
		CLEAN_TEST(unknown_ids_are_refused),
		CLEAN_TEST(pending_ids_can_lose_their_data),
		CLEAN_TEST(waiting_for_oneself_is_refused_in_a_getter),
		CLEAN_TEST(waiting_for_oneself_is_refused_in_a_read_side_section),
		CLEAN_TEST(first_data_needs_no_wait_and_is_never_refused),
		CLEAN_TEST(waiting_in_a_handler_is_refused),
		CLEAN_TEST(the_wait_is_for_readers_and_without_the_lock),
		CLEAN_TEST(old_data_may_be_freed_after_the_return),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
