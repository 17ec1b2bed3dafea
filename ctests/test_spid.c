/* SPDX-License-Identifier: MIT */
/* Set-private ids: attached, detached, found in both directions, and told about. */
#include <pthread.h>

#include "support.h"

static void count_line(void *data, int level, const char *line)
{
	(void)level;
	print_message("%s\n", line);
	++*(unsigned int *)data;
}

/* The system set, and sets that are declared, are there from the start: nobody does wrong. */
static void searches_before_first_use_find_nothing_in_silence(void **state)
{
	static DECLARE_IOASID_SET(declared);
	unsigned int lines = 0;

	(void)state;
	assert_int_equal(ioasid_set_log(count_line, &lines), 0);
	ioasid_set_log_level(IOASID_LOG_DEBUG);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ioasid_find_by_spid(NULL, 1), INVALID_IOASID);
		assert_int_equal(ioasid_find_by_spid(&declared, 1), INVALID_IOASID);
		assert_int_equal(ioasid_find_by_spid_ref(&declared, 1, false), INVALID_IOASID);
		/* The second time, the library is in use, and the declared set still is not. */
		free_id(new_id(NULL, NULL));
	}
	ioasid_set_log_level(-1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(lines, 0);
}

static void spid_is_found_in_both_directions(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 100), 0);
	assert_int_equal(ioasid_find_spid(id), 100);
	assert_int_equal(ioasid_find_by_spid_ref(set, 100, false), id);
	assert_int_equal(ioasid_find_by_spid_ref(set, 101, false), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid_ref(NULL, 100, false), INVALID_IOASID);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_find_spid(id), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid_ref(set, 100, false), INVALID_IOASID);
	ioasid_set_put(set);
}

static void only_the_forms_that_say_so_take_a_reference(void **state)
{
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_find_by_spid(NULL, 1, false), id);
	assert_int_equal(ioasid_find_by_spid(NULL, 1), id);
	assert_int_equal(ioasid_find_by_spid(NULL, 1, true), id);
	ioasid_free(NULL, id);
	assert_false(ioasid_put(NULL, id));
	assert_true(ioasid_put(NULL, id));
}

/* D19: ids without an SPID were found as SPID 0, or as INVALID_IOASID with a reference on each. */
static void ids_without_spid_are_not_found(void **state)
{
	ioasid_t id = new_id(NULL, NULL), other = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_find_spid(id), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid(NULL, 0), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid(NULL, INVALID_IOASID), INVALID_IOASID);
	/* 0 is an SPID as any other. */
	assert_int_equal(ioasid_attach_spid(other, 0), 0);
	assert_int_equal(ioasid_find_by_spid(NULL, 0), other);
	assert_false(ioasid_put(NULL, other));
	/* No reference was left behind by the searches. */
	free_id(id);
	free_id(other);
}

/* D20: ids on their way out still gave references to those who came by SPID. */
static void pending_ids_are_not_found(void **state)
{
	ioasid_t id = new_id(NULL, NULL), heir = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(ioasid_find_by_spid(NULL, 1), INVALID_IOASID);
	assert_int_equal(ioasid_find_spid(id), 1);
	assert_int_equal(ioasid_attach_spid(id, 2), -EBUSY);
	/* The SPID is free for another id at once, and stays that one's. */
	assert_int_equal(ioasid_attach_spid(heir, 1), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_find_spid(id), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid_ref(NULL, 1, false), heir);
	assert_true(ioasid_put(NULL, id));
	assert_int_equal(ioasid_find_by_spid_ref(NULL, 1, false), heir);
	free_id(heir);
}

/* D22: v3 left a reference on the id that had the SPID already. D23: v2 did not even look. */
static void a_conflict_changes_nothing_and_leaks_no_reference(void **state)
{
	struct recorder one = RECORDER(0);
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL), second = new_id(set, NULL),
		 elsewhere = new_id(other, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 5), 0);
	assert_int_equal(ioasid_attach_spid(second, 6), 0);
	assert_int_equal(ioasid_register_notifier(set, &one.nb), 0);
	assert_int_equal(ioasid_attach_spid(second, 5), -EINVAL);
	assert_int_equal(one.count, 0);
	assert_int_equal(ioasid_find_spid(second), 6);
	assert_int_equal(ioasid_find_by_spid_ref(set, 6, false), second);
	/* Another set is another space. */
	assert_int_equal(ioasid_attach_spid(elsewhere, 5), 0);
	ioasid_unregister_notifier(set, &one.nb);
	free_id(id);
	free_id(second);
	free_id(elsewhere);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

static void expect(const struct recorder *recorder, unsigned int index,
		   enum ioasid_notify_val event, ioasid_t spid)
{
	assert_true(index < recorder->count);
	assert_int_equal(recorder->records[index].event, event);
	assert_int_equal(recorder->records[index].args.spid, spid);
}

/* D23: another SPID went in silently, without UNBIND of the old one. */
static void another_spid_is_unbind_then_bind(void **state)
{
	struct recorder one = RECORDER(0);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &one.nb), 0);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(one.count, 1);
	assert_int_equal(ioasid_attach_spid(id, 2), 0);
	assert_int_equal(one.count, 3);
	expect(&one, 0, IOASID_NOTIFY_BIND, 1);
	expect(&one, 1, IOASID_NOTIFY_UNBIND, 1);
	expect(&one, 2, IOASID_NOTIFY_BIND, 2);
	assert_int_equal(ioasid_find_by_spid_ref(set, 1, false), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid_ref(set, 2, false), id);
	/* INVALID_IOASID is the word for none. */
	assert_int_equal(ioasid_attach_spid(id, INVALID_IOASID), 0);
	expect(&one, 3, IOASID_NOTIFY_UNBIND, 2);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_attach_spid(id, INVALID_IOASID), 0);
	assert_int_equal(one.count, 4);
	ioasid_unregister_notifier(set, &one.nb);
	ioasid_set_put(set);
}

static void unknown_ids_are_refused(void **state)
{
	(void)state;
	assert_int_equal(ioasid_attach_spid(4, 1), -ENOENT);
	assert_int_equal(ioasid_attach_spid(INVALID_IOASID, 1), -ENOENT);
	assert_int_equal(ioasid_detach_spid(4), -ENOENT);
	assert_int_equal(ioasid_find_spid(4), INVALID_IOASID);
	assert_int_equal(ioasid_find_spid(INVALID_IOASID), INVALID_IOASID);
}

/* D24: SPIDs were found by walking the set; here that would take a million steps each time. */
static void every_spid_of_a_large_set_is_found(void **state)
{
	ioasid_t count = loops(100000);
	struct ioasid_set *set = new_set(count), *other = new_set(count);

	(void)state;
	for (ioasid_t i = 0; i < count; i++) {
		/* Scattered, and the same ones in both sets. */
		if (ioasid_attach_spid(new_id(set, NULL), i * 7919) ||
		    ioasid_attach_spid(new_id(other, NULL), i * 7919))
			fail_msg("SPID %u is refused", i * 7919);
	}
	for (ioasid_t i = 0; i < count; i++) {
		ioasid_t id = ioasid_find_by_spid_ref(set, i * 7919, false);

		if (ioasid_find_spid(id) != i * 7919 || ioasid_find_set(id) != set)
			fail_msg("SPID %u is not found", i * 7919);
		if (i % 2 && ioasid_detach_spid(id))
			fail_msg("SPID %u cannot be detached", i * 7919);
	}
	for (ioasid_t i = 0; i < count; i++)
		if (pasid_valid(ioasid_find_by_spid_ref(set, i * 7919, false)) != !(i % 2))
			fail_msg("SPID %u is found when it should not, or the reverse", i * 7919);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

static struct ioasid_set *shared;
static bool stop;

static void *come_and_go(void *nothing)
{
	for (unsigned int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		ioasid_t id = ioasid_alloc(shared, ANY, NULL);

		ioasid_attach_spid(id, 9);
		if (i % 2)
			ioasid_detach_spid(id);
		ioasid_free(shared, id);
	}
	return nothing;
}

/* D18: v2 searched without a lock: it found dying entries, and left references on reused ids. */
static void searches_race_with_free_without_losing_references(void **state)
{
	unsigned int found = 0, wanted = loops(20000);
	pthread_t thread;

	(void)state;
	shared = new_set(0);
	assert_int_equal(pthread_create(&thread, NULL, come_and_go, NULL), 0);
	while (found < wanted) {
		ioasid_t id = ioasid_find_by_spid(shared, 9);

		if (!pasid_valid(id))
			continue;
		found++;
		/* The reference keeps it in this set, whatever the other thread does. */
		if (!ioasid_is_in_set(shared, id))
			fail_msg("id %u is gone although it is held", id);
		ioasid_put(shared, id);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(shared->nr_ioasids, 0);
	ioasid_set_put(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the library must not have been used. */
		CLEAN_TEST(searches_before_first_use_find_nothing_in_silence),
		CLEAN_TEST(spid_is_found_in_both_directions),
		CLEAN_TEST(only_the_forms_that_say_so_take_a_reference),
		CLEAN_TEST(ids_without_spid_are_not_found),
		CLEAN_TEST(pending_ids_are_not_found),
		CLEAN_TEST(a_conflict_changes_nothing_and_leaks_no_reference),
		CLEAN_TEST(another_spid_is_unbind_then_bind),
		CLEAN_TEST(unknown_ids_are_refused),
		CLEAN_TEST(every_spid_of_a_large_set_is_found),
		CLEAN_TEST(searches_race_with_free_without_losing_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
