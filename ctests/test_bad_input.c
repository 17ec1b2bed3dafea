/* SPDX-License-Identifier: MIT */
/* Nonsense from callers: a defined answer, nothing changed, and a log that cannot be flooded. */
#include <stdlib.h>

#include <linux/kernel.h>

#include "support.h"

/* Pointers that are no sets; none may be followed. The last two are live memory. */
static struct ioasid_set *no_sets[] = {
	(void *)1, (void *)8, (void *)0x1000, (void *)0xdeadbeefdeadbee8, (void *)-1, (void *)-8,
	NULL,	   NULL,      NULL,
};

static ioasid_t sum;

static void add(ioasid_t id, void *data)
{
	(void)data;
	sum += id;
}

static void call_with(struct ioasid_set *set, ioasid_t id)
{
	struct notifier_block nb = { .notifier_call = record_event };

	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_get(set, id), -EACCES);
	assert_int_equal(ioasid_get_locked(set, id), -EACCES);
	assert_false(ioasid_put(set, id));
	assert_false(ioasid_put_locked(set, id));
	assert_int_equal(PTR_ERR(ioasid_find(set, id, NULL)), -EACCES);
	ioasid_free(set, id);
	assert_true(ioasid_is_active(id));
	assert_false(ioasid_is_in_set(set, id));
	assert_int_equal(ioasid_find_by_spid(set, 1), INVALID_IOASID);
	assert_int_equal(ioasid_find_by_spid(set, 1, false), INVALID_IOASID);
	assert_int_equal(ioasid_adjust_set(set, 10), -EINVAL);
	ioasid_set_get(set);
	ioasid_set_put(set);
	assert_int_equal(ioasid_set_free(set), -EINVAL);
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_set_for_each_ioasid(set, add, NULL), -EINVAL);
	assert_int_equal(ioasid_register_notifier(set, &nb), -EINVAL);
	assert_int_equal(ioasid_register_notifier_replay(set, &nb), -EINVAL);
	ioasid_unregister_notifier(set, &nb);
	assert_null(ioasid_find_mm_set((struct mm_struct *)set));
}

/* D21: a set was "checked" by following the pointer first. */
static void garbage_set_pointers_are_never_followed(void **state)
{
	struct ioasid_set *local = calloc(1, sizeof(*local)), *real = new_set(0);
	ioasid_t id = new_id(NULL, NULL);
	struct ioasid_stats before, after;

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	no_sets[6] = local;
	/* The record of the system set, which is NULL and nothing else. */
	no_sets[8] = real - 4 * real->id;
	/* The middle of a real one. */
	no_sets[7] = (struct ioasid_set *)((char *)real + 8);
	before = read_stats();
	for (size_t i = 0; i < ARRAY_SIZE(no_sets); i++)
		call_with(no_sets[i], id);
	after = read_stats();
	assert_true(same_state(&before, &after));
	assert_int_equal(sum, 0);
	free(local);
	ioasid_set_put(real);
	free_id(id);
}

static void the_pointer_of_a_freed_set_is_no_set_for_long(void **state)
{
	struct ioasid_set *dead = new_set(0);

	(void)state;
	ioasid_set_put(dead);
	/* Its memory is used again as late as possible, not for the next set. */
	for (int i = 0; i < 100; i++) {
		struct ioasid_set *set = new_set(0);

		assert_ptr_not_equal(set, dead);
		ioasid_set_put(set);
	}
	assert_int_equal(ioasid_alloc(dead, ANY, NULL), INVALID_IOASID);
}

static void unknown_ids_change_nothing(void **state)
{
	static const ioasid_t ids[] = {
		0, 1, 0xfffff, 0x100000, 0x7fffffff, 0x80000000, INVALID_IOASID - 1, INVALID_IOASID
	};
	struct ioasid_stats before = read_stats(), after;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		ioasid_t id = ids[i];

		assert_int_equal(PTR_ERR(ioasid_find(NULL, id, NULL)), -ENOENT);
		assert_int_equal(PTR_ERR(ioasid_find_set(id)), -ENOENT);
		assert_int_equal(ioasid_get(NULL, id), -EINVAL);
		assert_int_equal(ioasid_get_if_owned(id), -ENOENT);
		assert_false(ioasid_put(NULL, id));
		ioasid_free(NULL, id);
		assert_false(ioasid_is_active(id));
		assert_false(ioasid_is_in_set(NULL, id));
		assert_int_equal(ioasid_attach_data(id, &sum), -ENOENT);
		assert_int_equal(ioasid_detach_data(id), -ENOENT);
		assert_int_equal(ioasid_attach_spid(id, 1), -ENOENT);
		assert_int_equal(ioasid_detach_spid(id), -ENOENT);
		assert_int_equal(ioasid_find_spid(id), INVALID_IOASID);
		assert_int_equal(ioasid_notify(id, IOASID_NOTIFY_BIND, IOASID_NOTIFY_FLAG_SET),
				 -EINVAL);
	}
	after = read_stats();
	assert_true(same_state(&before, &after));
	assert_int_equal(after.events, before.events);
}

static void null_where_there_must_be_something(void **state)
{
	struct notifier_block no_call = { .priority = 1 };
	struct ioasid_stats before = read_stats(), after;

	(void)state;
	assert_int_equal(ioasid_adjust_set(NULL, 10), -EINVAL);
	assert_int_equal(ioasid_set_free(NULL), -EINVAL);
	ioasid_set_get(NULL);
	ioasid_set_put(NULL);
	assert_null(ioasid_find_mm_set(NULL));
	assert_int_equal(ioasid_register_notifier(NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_register_notifier(NULL, &no_call), -EINVAL);
	assert_int_equal(ioasid_register_notifier_replay(NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_register_notifier_mm(NULL, &no_call), -EINVAL);
	ioasid_unregister_notifier(NULL, NULL);
	ioasid_unregister_notifier_mm(NULL, NULL);
	assert_int_equal(ioasid_set_for_each_ioasid(NULL, NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_register_allocator(NULL), -EINVAL);
	ioasid_unregister_allocator(NULL);
	assert_int_equal(ioasid_dump(NULL), -EINVAL);
	assert_int_equal(ioasid_dump_dot(NULL), -EINVAL);
	assert_int_equal(ioasid_trace_start(NULL), -EINVAL);
	ioasid_get_stats(NULL);
	after = read_stats();
	assert_true(same_state(&before, &after));
}

struct lines {
	unsigned int count;
	int worst;
};

static void count_line(void *data, int level, const char *line)
{
	struct lines *lines = data;

	(void)line;
	lines->count++;
	if (level < lines->worst)
		lines->worst = level;
}

/* D17: a guest could fill the host's log by asking for what it must not have. */
static void refusals_cannot_flood_the_log(void **state)
{
	struct lines lines = { .worst = 7 };
	unsigned int wanted = UNDER_TSAN ? 2000 : 10000, before = refused(IOASID_REFUSED_UNKNOWN);

	(void)state;
	assert_int_equal(ioasid_set_log(count_line, &lines), 0);
	ioasid_set_log_level(IOASID_LOG_DEBUG);
	for (unsigned int i = 0; i < wanted; i++) {
		ioasid_free(NULL, i);
		ioasid_put(NULL, i);
		ioasid_get(NULL, i);
		ioasid_alloc(NULL, 2, 1, NULL);
		ioasid_attach_spid(i, i);
	}
	ioasid_set_log_level(-1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	/* All are counted, some are told, none as an error of the host. */
	assert_int_equal(refused(IOASID_REFUSED_UNKNOWN), before + 4 * wanted);
	assert_true(lines.count > 0);
	assert_in_range(lines.count, 1, wanted / 10);
	assert_int_equal(lines.worst, IOASID_LOG_WARNING);
}

/* What a well-behaved user may meet in a race is not worth a line. */
static void pending_ids_are_refused_in_silence(void **state)
{
	struct lines lines = { 0 };
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(ioasid_set_log(count_line, &lines), 0);
	ioasid_set_log_level(IOASID_LOG_DEBUG);
	assert_int_equal(ioasid_get(NULL, id), -EBUSY);
	ioasid_free(NULL, id);
	assert_ptr_equal(ioasid_find(NULL, id + 1, NULL), ERR_PTR(-ENOENT));
	ioasid_set_log_level(-1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(lines.count, 0);
	assert_true(ioasid_put(NULL, id));
}

static void call_back(void *data, int level, const char *line)
{
	(void)level;
	(void)line;
	++*(unsigned int *)data;
	ioasid_free(NULL, ioasid_alloc(NULL, ANY, data));
	ioasid_free(NULL, INVALID_IOASID);
}

/* Also with a refusal of its own inside, which would log, which would... */
static void a_log_sink_may_call_the_library(void **state)
{
	unsigned int lines = 0;

	(void)state;
	assert_int_equal(ioasid_set_log(call_back, &lines), 0);
	ioasid_set_log_level(IOASID_LOG_DEBUG);
	ioasid_adjust_set(NULL, 1);
	ioasid_set_log_level(-1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(lines, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_log_sink_may_call_the_library),
		CLEAN_TEST(garbage_set_pointers_are_never_followed),
		CLEAN_TEST(the_pointer_of_a_freed_set_is_no_set_for_long),
		CLEAN_TEST(unknown_ids_change_nothing),
		CLEAN_TEST(null_where_there_must_be_something),
		CLEAN_TEST(refusals_cannot_flood_the_log),
		CLEAN_TEST(pending_ids_are_refused_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
