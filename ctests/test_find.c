/* SPDX-License-Identifier: MIT */
/* Look-ups: what each answers, and that none waits for the lock. */
#include <pthread.h>
#include <semaphore.h>

#include <linux/rcupdate.h>

#include "support.h"

static void *given;
static bool answer;

static bool look_at(void *data)
{
	given = data;
	assert_true(rcu_read_lock_held());
	return answer;
}

static void getter_decides_within_a_read_side_section(void **state)
{
	char data;
	ioasid_t id = new_id(NULL, &data);

	(void)state;
	answer = true;
	assert_ptr_equal(ioasid_find(NULL, id, look_at), &data);
	assert_ptr_equal(given, &data);
	answer = false;
	assert_null(ioasid_find(NULL, id, look_at));
	assert_false(rcu_read_lock_held());
	free_id(id);
}

static void getter_is_not_asked_about_ids_that_are_not_there(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	given = &given;
	assert_int_equal(PTR_ERR(ioasid_find(NULL, id + 1, look_at)), -ENOENT);
	assert_int_equal(PTR_ERR(ioasid_find(set, id, look_at)), -EACCES);
	assert_ptr_equal(given, &given);
	assert_false(rcu_read_lock_held());
	free_id(id);
	ioasid_set_put(set);
}

static void find_checks_the_set_if_there_is_one(void **state)
{
	char data;
	struct ioasid_set *mine = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(mine, &data);

	(void)state;
	assert_ptr_equal(ioasid_find(mine, id, NULL), &data);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), &data);
	assert_int_equal(PTR_ERR(ioasid_find(other, id, NULL)), -EACCES);
	assert_true(ioasid_is_in_set(mine, id));
	assert_false(ioasid_is_in_set(other, id));
	assert_false(ioasid_is_in_set(NULL, id));
	assert_ptr_equal(ioasid_find_set(id), mine);
	free_id(id);
	assert_false(ioasid_is_in_set(mine, id));
	assert_int_equal(PTR_ERR(ioasid_find_set(id)), -ENOENT);
	ioasid_set_put(mine);
	ioasid_set_put(other);
}

static void no_data_is_null_and_no_error(void **state)
{
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_null(ioasid_find(NULL, id, NULL));
	free_id(id);
}

/* D33, contract section 3: data stays readable until the last holder is done with it. */
static void find_still_answers_while_free_pending(void **state)
{
	char data;
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, &data);

	(void)state;
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_false(ioasid_is_active(id));
	assert_ptr_equal(ioasid_find(set, id, NULL), &data);
	assert_true(ioasid_is_in_set(set, id));
	assert_ptr_equal(ioasid_find_set(id), set);
	assert_true(ioasid_put(set, id));
	assert_int_equal(PTR_ERR(ioasid_find(set, id, NULL)), -ENOENT);
	ioasid_set_put(set);
}

static void a_used_number_forgets_its_former_life(void **state)
{
	char old, new;
	struct ioasid_set *set = new_set(0);

	(void)state;
	assert_int_equal(ioasid_alloc(set, 3, 3, &old), 3);
	assert_int_equal(ioasid_attach_spid(3, 30), 0);
	free_id(3);
	assert_int_equal(ioasid_alloc(NULL, 3, 3, NULL), 3);
	assert_null(ioasid_find(NULL, 3, NULL));
	assert_int_equal(ioasid_find_spid(3), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid(set, 30), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid(NULL, 30), INVALID_IOASID);
	assert_int_equal(ioasid_attach_data(3, &new), 0);
	assert_ptr_equal(ioasid_find(NULL, 3, NULL), &new);
	free_id(3);
	ioasid_set_put(set);
}

/* A handler that waits until look-ups were done by another thread: they must not need its lock. */
static sem_t in_handler, looked;

static int wait_for_look_ups(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	sem_post(&in_handler);
	sem_wait(&looked);
	return NOTIFY_OK;
}

static void *bind(void *set)
{
	return ERR_PTR(ioasid_attach_spid(ioasid_alloc(set, 7, 7, NULL), 70));
}

static void look_ups_do_not_wait_for_the_lock(void **state)
{
	struct notifier_block nb = { .notifier_call = wait_for_look_ups };
	struct ioasid_set *set = new_set(0), *busy = new_set(0);
	char data;
	ioasid_t id = new_id(set, &data);
	pthread_t thread;
	void *result;

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	sem_init(&in_handler, 0, 0);
	sem_init(&looked, 0, 0);
	assert_int_equal(ioasid_register_notifier(busy, &nb), 0);
	assert_int_equal(pthread_create(&thread, NULL, bind, busy), 0);
	for (int event = 0; event < 2; event++) { /* ALLOC, then BIND */
		sem_wait(&in_handler);
		assert_ptr_equal(ioasid_find(set, id, NULL), &data);
		assert_int_equal(ioasid_get(set, id), 0);
		assert_false(ioasid_put(set, id));
		assert_int_equal(ioasid_find_by_spid(set, 1), id);
		assert_false(ioasid_put(set, id));
		assert_int_equal(ioasid_find_spid(id), 1);
		assert_true(ioasid_is_active(id));
		assert_true(ioasid_is_in_set(set, id));
		assert_ptr_equal(ioasid_find_set(id), set);
		assert_int_equal(ioasid_get_capacity(), 0x100000);
		sem_post(&looked);
	}
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
	ioasid_unregister_notifier(busy, &nb);
	ioasid_set_put(set);
	ioasid_set_put(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(getter_decides_within_a_read_side_section),
		CLEAN_TEST(getter_is_not_asked_about_ids_that_are_not_there),
		CLEAN_TEST(find_checks_the_set_if_there_is_one),
		CLEAN_TEST(no_data_is_null_and_no_error),
		CLEAN_TEST(find_still_answers_while_free_pending),
		CLEAN_TEST(a_used_number_forgets_its_former_life),
		CLEAN_TEST(look_ups_do_not_wait_for_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
