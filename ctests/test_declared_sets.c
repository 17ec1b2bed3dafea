/* SPDX-License-Identifier: MIT */
/* Sets that are only declared, as mainline's users do: names for ids, without quota or life cycle. */
#include "support.h"

static DECLARE_IOASID_SET(one);
static DECLARE_IOASID_SET(two);
DECLARE_IOASID_SET(visible);

static void a_declared_set_is_adopted_at_first_use(void **state)
{
	char data;
	ioasid_t id;

	(void)state;
	/* Nobody has heard of it, so nothing is in it. */
	assert_int_equal(ioasid_find_by_spid(&one, 1), INVALID_IOASID);
	id = new_id(&one, &data);
	assert_ptr_equal(ioasid_find(&one, id, NULL), &data);
	assert_ptr_equal(ioasid_find_set(id), &one);
	assert_true(ioasid_is_in_set(&one, id));
	assert_int_equal(PTR_ERR(ioasid_find(&two, id, NULL)), -EACCES);
	assert_int_equal(ioasid_get(&two, id), -EACCES);
	ioasid_free(&two, id);
	assert_true(ioasid_is_active(id));
	ioasid_free(&one, id);
	assert_false(ioasid_is_active(id));
}

static void declared_sets_are_separate_spaces_for_spids(void **state)
{
	ioasid_t first = new_id(&one, NULL), second = new_id(&two, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(first, 1), 0);
	assert_int_equal(ioasid_attach_spid(second, 1), 0);
	assert_int_equal(ioasid_find_by_spid_ref(&one, 1, false), first);
	assert_int_equal(ioasid_find_by_spid_ref(&two, 1, false), second);
	ioasid_free_all_in_set(&one);
	assert_int_equal(ioasid_find_by_spid_ref(&one, 1, false), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid_ref(&two, 1, false), second);
	ioasid_free_all_in_set(&two);
}

static void events_say_the_declared_set(void **state)
{
	struct recorder recorder = RECORDER(0);
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(&visible, &recorder.nb), 0);
	id = new_id(&visible, NULL);
	ioasid_free(&visible, id);
	assert_int_equal(recorder.count, 2);
	assert_ptr_equal(recorder.records[0].args.set, &visible);
	assert_ptr_equal(recorder.records[1].args.set, &visible);
	ioasid_unregister_notifier(&visible, &recorder.nb);
}

static void set_one(ioasid_t id, void *data)
{
	*(ioasid_t *)data = id;
}

static void a_declared_set_can_be_walked(void **state)
{
	ioasid_t seen = INVALID_IOASID, id;

	(void)state;
	assert_int_equal(ioasid_set_for_each_ioasid(&two, set_one, &seen), -ENOENT);
	id = new_id(&two, NULL);
	assert_int_equal(ioasid_set_for_each_ioasid(&two, set_one, &seen), 0);
	assert_int_equal(seen, id);
	ioasid_free_all_in_set(&two);
}

/* Nobody created it, so nobody can end it, and it has nothing to adjust. */
static void a_declared_set_has_no_references_and_no_quota(void **state)
{
	ioasid_t id = new_id(&one, NULL);

	(void)state;
	ioasid_set_put(&one);
	ioasid_set_put(&one);
	assert_true(ioasid_is_active(id));
	assert_int_equal(ioasid_adjust_set(&one, 5), -EINVAL);
	assert_int_equal(ioasid_set_free(&one), -EINVAL);
	ioasid_free(&one, id);
	assert_int_equal(ioasid_set_free(&one), -EINVAL);
	free_id(new_id(&one, NULL));
}

/* Ids of declared sets are no reservation; each takes one of what is left. */
static void ids_are_counted_against_the_capacity(void **state)
{
	uint64_t available = read_stats().available;
	ioasid_t id = new_id(&one, NULL);

	(void)state;
	assert_int_equal(read_stats().available, available - 1);
	free_id(id);
	assert_int_equal(read_stats().available, available);
}

/* Under TSan it takes minutes, and there is one thread only. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TOO_SLOW true
#endif
#endif
#ifndef TOO_SLOW
#define TOO_SLOW false
#endif

/* As many as there are numbers, so that the next one is of a set that is gone. */
#define SET_NUMBERS (1 << 18)

static int adopt_with_used_number(const void *data)
{
	int available;

	for (int i = 0; i < SET_NUMBERS; i++) {
		struct ioasid_set *set = ioasid_set_alloc(NULL, 5, IOASID_SET_TYPE_NULL);

		child_assert(!IS_ERR(set));
		ioasid_set_put(set);
	}
	available = ioasid_reserve_capacity(0);
	for (int i = 1; i <= 20; i++) {
		child_assert(pasid_valid(ioasid_alloc((struct ioasid_set *)data, ANY, NULL)));
		child_assert(ioasid_reserve_capacity(0) == available - i);
	}
	ioasid_free_all_in_set((struct ioasid_set *)data);
	child_assert(ioasid_reserve_capacity(0) == available);
	return 0;
}

/* The dead set's quota, already given back, bounded the declared set, whose ids then were free. */
static void a_declared_set_inherits_nothing_from_a_dead_one(void **state)
{
	static DECLARE_IOASID_SET(late);

	(void)state;
	if (TOO_SLOW || loops(SET_NUMBERS) < SET_NUMBERS)
		skip();
	assert_int_equal(in_child(adopt_with_used_number, &late), 0);
}

/* Only static data can be known to be one without following the pointer on trust. */
static void a_copy_is_not_a_declared_set(void **state)
{
	static struct ioasid_set copy;
	struct ioasid_set local = one;

	(void)state;
	copy = one;
	assert_int_equal(ioasid_alloc(&copy, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(&local, ANY, NULL), INVALID_IOASID);
}

/* More than there are chains at first: they share some, and are told apart. */
static void many_declared_sets_are_told_apart(void **state)
{
	static struct ioasid_set many[3000];
	const size_t count = sizeof(many) / sizeof(many[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		many[i] = (struct ioasid_set){ .token = &many[i], .type = one.type };
		assert_int_equal(ioasid_alloc(&many[i], ANY, &many[i]), i);
	}
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(ioasid_find_set((ioasid_t)i), &many[i]);
		assert_ptr_equal(ioasid_find(&many[i], (ioasid_t)i, NULL), &many[i]);
		assert_int_equal(ioasid_get(&many[(i + 1) % count], (ioasid_t)i), -EACCES);
		ioasid_free_all_in_set(&many[i]);
		assert_false(ioasid_is_active((ioasid_t)i));
	}
}

static int hear_nothing(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	return NOTIFY_OK;
}

static void count_one(ioasid_t id, void *count)
{
	(void)id;
	++*(unsigned int *)count;
}

/* An address that is a set while it has ids: used as one, and owned by nobody. */
static void a_lent_set_is_known_but_not_owned(void **state)
{
	struct notifier_block nb = { .notifier_call = hear_nothing };
	int object;
	struct ioasid_set *lent = (struct ioasid_set *)&object;
	ioasid_t id = ioasid_alloc_by_address(lent, ANY, &object);
	unsigned int count = 0;

	(void)state;
	assert_true(ioasid_is_in_set(lent, id));
	assert_ptr_equal(ioasid_find(lent, id, NULL), &object);
	assert_ptr_equal(ioasid_find_set(id), lent);
	assert_int_equal(ioasid_attach_spid(id, 7), 0);
	assert_int_equal(ioasid_find_by_spid_ref(lent, 7, false), id);
	assert_int_equal(ioasid_set_for_each_ioasid(lent, count_one, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(ioasid_register_notifier(lent, &nb), 0);

	assert_int_equal(ioasid_adjust_set(lent, 5), -EINVAL);
	assert_int_equal(ioasid_set_free(lent), -EINVAL);
	assert_int_equal(ioasid_set_put_wait(lent, 0), -EINVAL);
	ioasid_set_get(lent);
	ioasid_set_put(lent);
	assert_true(ioasid_is_active(id));

	/* With the last id the subscriber has left, and may be anywhere else. */
	ioasid_free_all_in_set(lent);
	ioasid_unregister_notifier(lent, &nb);
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	ioasid_unregister_notifier(NULL, &nb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_declared_set_is_adopted_at_first_use),
		CLEAN_TEST(a_lent_set_is_known_but_not_owned),
		CLEAN_TEST(declared_sets_are_separate_spaces_for_spids),
		CLEAN_TEST(events_say_the_declared_set),
		CLEAN_TEST(a_declared_set_can_be_walked),
		CLEAN_TEST(a_declared_set_has_no_references_and_no_quota),
		CLEAN_TEST(ids_are_counted_against_the_capacity),
		CLEAN_TEST(a_declared_set_inherits_nothing_from_a_dead_one),
		CLEAN_TEST(a_copy_is_not_a_declared_set),
		CLEAN_TEST(many_declared_sets_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
