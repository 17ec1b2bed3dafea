/* SPDX-License-Identifier: MIT */
/* References and the states of an id: ACTIVE, FREE_PENDING, reclaimed. */
#include "support.h"

static void id_lives_until_the_last_reference(void **state)
{
	struct ioasid_set *set = new_set(1);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_int_equal(read_stats().pending, 1);
	assert_false(ioasid_put(set, id));
	assert_int_equal(read_stats().live, 1);
	/* The number is not in the pool meanwhile, nor does the quota have room. */
	assert_int_equal(ioasid_alloc(NULL, id, id, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_true(ioasid_put(set, id));
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(ioasid_alloc(set, id, id, NULL), id);
	free_id(id);
	ioasid_set_put(set);
}

/* D26: each further ioasid_free() dropped a reference that was somebody else's, and told FREE again. */
static void double_free_does_not_drop_other_peoples_references(void **state)
{
	struct recorder all = RECORDER(0);
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &all.nb), 0);
	assert_int_equal(ioasid_get(NULL, id), 0);
	for (int i = 0; i < 10; i++)
		ioasid_free(NULL, id);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.records[0].event, IOASID_NOTIFY_FREE);
	assert_int_equal(read_stats().live, 1);
	assert_true(ioasid_put(NULL, id));
	ioasid_free(NULL, id);
	assert_int_equal(all.count, 1);
	ioasid_unregister_notifier(NULL, &all.nb);
}

/* D31: the put of the last reference reclaimed an ACTIVE id behind its subscribers' backs. */
static void last_put_of_an_active_id_tells_subscribers(void **state)
{
	struct recorder one = RECORDER(0);
	struct ioasid_set *set = new_set(0);
	char data;
	ioasid_t id = new_id(set, &data);

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &one.nb), 0);
	assert_true(ioasid_put(set, id));
	assert_int_equal(one.count, 1);
	assert_int_equal(one.records[0].event, IOASID_NOTIFY_FREE);
	assert_int_equal(one.records[0].args.id, id);
	assert_ptr_equal(one.records[0].args.pdata, &data);
	assert_int_equal(read_stats().live, 0);
	ioasid_unregister_notifier(set, &one.nb);
	ioasid_set_put(set);
}

static int take_one_more(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_FREE)
		assert_int_equal(ioasid_get(NULL, args->id), -EBUSY);
	return NOTIFY_OK;
}

/* D20, D31: FREE_PENDING from before the first handler is told, also when a put is the cause. */
static void nobody_gets_a_reference_once_free_is_told(void **state)
{
	struct notifier_block nb = { .notifier_call = take_one_more };
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	assert_true(ioasid_put(NULL, id));
	id = new_id(NULL, NULL);
	ioasid_free(NULL, id);
	assert_int_equal(read_stats().live, 0);
	ioasid_unregister_notifier(NULL, &nb);
}

static int put_twice(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_FREE) {
		ioasid_put(NULL, args->id);
		ioasid_put(NULL, args->id);
		ioasid_put(NULL, args->id);
	}
	return NOTIFY_OK;
}

/* A handler that puts what it never had must not break the count, nor the next life of the id. */
static void puts_too_many_in_a_handler_reclaim_once(void **state)
{
	struct notifier_block nb = { .notifier_call = put_twice };
	uint64_t reclaims = read_stats().reclaims;
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(read_stats().reclaims, reclaims + 1);
	ioasid_unregister_notifier(NULL, &nb);
}

/* D33: one answer for each cause. Contract section 3. */
static void get_says_why_not(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get(other, id), -EACCES);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_int_equal(ioasid_get(set, id), -EBUSY);
	assert_int_equal(ioasid_get_locked(set, id), -EBUSY);
	assert_int_equal(ioasid_get(NULL, id), -EBUSY);
	assert_true(ioasid_put_locked(set, id));
	assert_int_equal(ioasid_get(set, id), -EINVAL);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

static void put_refuses_unknown_ids_and_other_sets(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);
	uint64_t owner = refused(IOASID_REFUSED_OWNER), unknown = refused(IOASID_REFUSED_UNKNOWN);

	(void)state;
	assert_int_equal(ioasid_get(set, id), 0);
	assert_false(ioasid_put(other, id));
	assert_false(ioasid_put(other, id));
	assert_false(ioasid_put(other, id));
	assert_true(ioasid_is_active(id));
	assert_int_equal(refused(IOASID_REFUSED_OWNER), owner + 3);
	assert_false(ioasid_put(set, id));
	free_id(id);
	assert_false(ioasid_put(set, id));
	assert_false(ioasid_put(NULL, INVALID_IOASID));
	/* free_id() looks for it once more. */
	assert_int_equal(refused(IOASID_REFUSED_UNKNOWN), unknown + 3);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

static void free_refuses_other_sets(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	ioasid_free(other, id);
	assert_true(ioasid_is_active(id));
	ioasid_free(set, id);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

/* D30: "NULL skips the check", the comment said; the code refused. */
static void free_without_a_set_works_on_any_id(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	ioasid_free(NULL, id);
	assert_int_equal(read_stats().live, 0);
	id = new_id(NULL, NULL);
	ioasid_free(NULL, id);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(set);
}

/* D62: declared in v2, never implemented. D59: no version ever set ACTIVE. */
static void is_active_follows_the_state(void **state)
{
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_true(ioasid_is_active(id));
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_true(ioasid_is_active(id));
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_false(ioasid_is_active(id));
	assert_true(ioasid_put(NULL, id));
	assert_false(ioasid_is_active(id));
	assert_false(ioasid_is_active(INVALID_IOASID));
}

static void count_stops_at_its_limit(void **state)
{
	enum { LIMIT = 4194303 };
	ioasid_t id = new_id(NULL, NULL);
	struct ioasid_stats before, after;

	(void)state;
	if (loops(LIMIT) != LIMIT) {
		free_id(id);
		skip();
	}
	for (int references = 1; references < LIMIT; references++)
		if (ioasid_get(NULL, id))
			fail_msg("refused with %d references", references);
	before = read_stats();
	assert_int_equal(ioasid_get(NULL, id), -EOVERFLOW);
	assert_int_equal(ioasid_get(NULL, id), -EOVERFLOW);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_find_by_spid(NULL, 1), INVALID_IOASID);
	after = read_stats();
	assert_true(same_state(&before, &after));
	assert_true(ioasid_is_active(id));
	/* As many puts as gets, then the own one: the count was never wrong. */
	for (int references = LIMIT; references > 1; references--)
		if (ioasid_put(NULL, id))
			fail_msg("reclaimed with %d references", references);
	assert_true(ioasid_put(NULL, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(id_lives_until_the_last_reference),
		CLEAN_TEST(double_free_does_not_drop_other_peoples_references),
		CLEAN_TEST(last_put_of_an_active_id_tells_subscribers),
		CLEAN_TEST(nobody_gets_a_reference_once_free_is_told),
		CLEAN_TEST(puts_too_many_in_a_handler_reclaim_once),
		CLEAN_TEST(get_says_why_not),
		CLEAN_TEST(put_refuses_unknown_ids_and_other_sets),
		CLEAN_TEST(free_refuses_other_sets),
		CLEAN_TEST(free_without_a_set_works_on_any_id),
		CLEAN_TEST(is_active_follows_the_state),
		CLEAN_TEST(count_stops_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
