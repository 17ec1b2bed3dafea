/* SPDX-License-Identifier: MIT */
/* Custom allocators: who is asked, who gets ids back, and what nonsense they may return. */
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* What an allocator is told to do, and what it did. */
struct source {
	ioasid_t next; /* the id it hands out next; INVALID_IOASID: has none */
	bool stays; /* hands out the same again */
	unsigned int allocs, frees;
	ioasid_t min, max, freed;
};

static ioasid_t source_alloc(ioasid_t min, ioasid_t max, void *data)
{
	struct source *source = data;

	source->allocs++;
	source->min = min;
	source->max = max;
	if (source->stays || source->next == INVALID_IOASID)
		return source->next;
	return source->next++;
}

static void source_free(ioasid_t id, void *data)
{
	struct source *source = data;

	source->frees++;
	source->freed = id;
}

/* Other functions: another space of ids. */
static ioasid_t second_alloc(ioasid_t min, ioasid_t max, void *data)
{
	return source_alloc(min, max, data);
}

static void second_free(ioasid_t id, void *data)
{
	source_free(id, data);
}

#define SOURCE_OPS(source) { .alloc = source_alloc, .free = source_free, .pdata = (source) }
#define SECOND_OPS(source) { .alloc = second_alloc, .free = second_free, .pdata = (source) }

static void custom_allocator_precedes_the_default_one(void **state)
{
	struct source source = { .next = 500 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	id = ioasid_alloc(NULL, 100, 1000, NULL);
	assert_int_equal(id, 500);
	assert_int_equal(source.min, 100);
	assert_int_equal(source.max, 1000);
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(source.frees, 0);
	assert_true(ioasid_put(NULL, id));
	assert_int_equal(source.frees, 1);
	assert_int_equal(source.freed, id);
	ioasid_unregister_allocator(&ops);
	id = ioasid_alloc(NULL, 100, 1000, NULL);
	assert_int_equal(id, 100);
	free_id(id);
	assert_int_equal(source.allocs, 1);
}

static void any_number_but_invalid_can_be_an_id(void **state)
{
	static const ioasid_t numbers[] = {
		0, 0xfffff, 0x100000, 0x7fffffff, 0x80000000, 0xfffffffe
	};
	struct source source = { .stays = true };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	set = new_set(10);
	for (unsigned int i = 0; i < 6; i++) {
		source.next = numbers[i];
		assert_int_equal(ioasid_alloc(set, ANY, &source), numbers[i]);
		assert_int_equal(ioasid_attach_spid(numbers[i], i), 0);
	}
	assert_int_equal(set->nr_ioasids, 6);
	for (unsigned int i = 0; i < 6; i++) {
		assert_ptr_equal(ioasid_find(set, numbers[i], NULL), &source);
		assert_int_equal(ioasid_find_by_spid(set, i), numbers[i]);
		assert_false(ioasid_put(set, numbers[i]));
		assert_ptr_equal(ioasid_find_set(numbers[i]), set);
	}
	ioasid_set_put(set);
	assert_int_equal(source.frees, 6);
	ioasid_unregister_allocator(&ops);
}

static void refuse(struct ioasid_set *set, ioasid_t min, ioasid_t max)
{
	struct ioasid_stats before = read_stats(), after;

	assert_int_equal(ioasid_alloc(set, min, max, NULL), INVALID_IOASID);
	after = read_stats();
	assert_true(same_state(&before, &after));
	assert_int_equal(after.refused[IOASID_REFUSED_ALLOCATOR],
			 before.refused[IOASID_REFUSED_ALLOCATOR] + 1);
}

/* D12: the rewritten code returned what the failed allocator had left there as if it were an id. */
static void an_allocator_without_ids_is_a_refusal(void **state)
{
	struct source source = { .next = INVALID_IOASID };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	struct ioasid_set *set = new_set(2);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	refuse(set, ANY);
	refuse(set, ANY);
	refuse(NULL, 7, 7);
	assert_int_equal(set->nr_ioasids, 0);
	assert_int_equal(source.frees, 0);
	ioasid_unregister_allocator(&ops);
	ioasid_set_put(set);
}

/* D70: an id outside the range was believed. */
static void an_id_outside_the_range_is_handed_back(void **state)
{
	struct source source = { .next = 50, .stays = true };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	refuse(NULL, 51, 100);
	assert_int_equal(source.freed, 50);
	refuse(NULL, 0, 49);
	assert_int_equal(source.frees, 2);
	assert_int_equal(PTR_ERR(ioasid_find(NULL, 50, NULL)), -ENOENT);
	ioasid_unregister_allocator(&ops);
}

/* A reversed range is nobody's fault but the caller's: the allocator is not asked. */
static void a_reversed_range_does_not_reach_the_allocator(void **state)
{
	struct source source = { .next = 50 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_alloc(NULL, 2, 1, NULL), INVALID_IOASID);
	assert_int_equal(source.allocs, 0);
	ioasid_unregister_allocator(&ops);
}

static void a_live_id_handed_out_again_stays_what_it_is(void **state)
{
	struct source source = { .next = 50, .stays = true };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	char data;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_alloc(NULL, ANY, &data), 50);
	refuse(NULL, ANY);
	refuse(NULL, 60, 70);
	assert_int_equal(source.frees, 0);
	assert_ptr_equal(ioasid_find(NULL, 50, NULL), &data);
	assert_int_equal(ioasid_get(NULL, 50), 0);
	ioasid_free(NULL, 50);
	refuse(NULL, ANY);
	assert_int_equal(source.frees, 0);
	assert_true(ioasid_put(NULL, 50));
	assert_int_equal(source.frees, 1);
	ioasid_unregister_allocator(&ops);
}

static void default_ids_must_be_gone_before_the_first_allocator(void **state)
{
	struct source source = { .next = 50 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), -EAGAIN);
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	assert_int_equal(ioasid_register_allocator(&ops), -EAGAIN);
	assert_true(ioasid_put(NULL, id));
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	ioasid_unregister_allocator(&ops);
}

static void incomplete_allocators_are_refused(void **state)
{
	struct ioasid_allocator_ops no_alloc = { .free = source_free };
	struct ioasid_allocator_ops no_free = { .alloc = source_alloc };

	(void)state;
	assert_int_equal(ioasid_register_allocator(NULL), -EINVAL);
	assert_int_equal(ioasid_register_allocator(&no_alloc), -EINVAL);
	assert_int_equal(ioasid_register_allocator(&no_free), -EINVAL);
	ioasid_unregister_allocator(NULL);
	ioasid_unregister_allocator(&no_alloc);
}

/* D69: registering again linked a node twice, freed it, or made a loop. */
static void the_same_ops_twice_are_refused_wherever_they_are(void **state)
{
	struct source source = { .next = 50 };
	struct ioasid_allocator_ops ops[4] = {
		SOURCE_OPS(&source),
		SOURCE_OPS(&source),
		SOURCE_OPS(&source),
		SECOND_OPS(&source),
	};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(ioasid_register_allocator(&ops[i]), 0);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 4; i++)
			assert_int_equal(ioasid_register_allocator(&ops[i]), -EEXIST);
	for (int i = 3; i >= 0; i--) {
		ioasid_unregister_allocator(&ops[i]);
		ioasid_unregister_allocator(&ops[i]);
	}
	assert_int_equal(ioasid_register_allocator(&ops[1]), 0);
	ioasid_unregister_allocator(&ops[1]);
}

/* D67: after the first sharer had gone, its freed ops were used for every alloc and free. */
static void unregistering_the_first_sharer_moves_to_the_next(void **state)
{
	struct source first = { .next = 10 }, second = { .next = 20 };
	struct ioasid_allocator_ops *gone = malloc(sizeof(*gone));
	struct ioasid_allocator_ops stays = SOURCE_OPS(&second);
	ioasid_t before, after;

	(void)state;
	*gone = (struct ioasid_allocator_ops)SOURCE_OPS(&first);
	assert_int_equal(ioasid_register_allocator(gone), 0);
	assert_int_equal(ioasid_register_allocator(&stays), 0);
	before = new_id(NULL, NULL);
	assert_int_equal(before, 10);
	ioasid_unregister_allocator(gone);
	memset(gone, 0x5a, sizeof(*gone));
	free(gone);
	after = new_id(NULL, NULL);
	assert_int_equal(after, 20);
	/* One space: the id of the one that left goes to the one that stays. */
	free_id(before);
	assert_int_equal(first.frees, 0);
	assert_int_equal(second.freed, before);
	free_id(after);
	assert_int_equal(second.frees, 2);
	ioasid_unregister_allocator(&stays);
}

/* D68: ids of the last sharer could not be freed any more, and leaked. */
static void ids_outlive_their_last_allocator(void **state)
{
	struct source source = { .next = 10 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	ioasid_t orphan, other;
	char data;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	orphan = new_id(NULL, &data);
	assert_int_equal(orphan, 10);
	ioasid_unregister_allocator(&ops);
	assert_ptr_equal(ioasid_find(NULL, orphan, NULL), &data);
	/* The default allocator must not hand the number out as well. */
	assert_int_equal(ioasid_alloc(NULL, 10, 10, NULL), INVALID_IOASID);
	other = ioasid_alloc(NULL, 10, 20, NULL);
	assert_int_equal(other, 11);
	free_id(orphan);
	assert_int_equal(source.frees, 0);
	assert_int_equal(ioasid_alloc(NULL, 10, 10, NULL), 10);
	free_id(10);
	free_id(other);
}

/* Who has the same alloc function and another free function gets no id that it did not hand out. */
static void one_function_alone_makes_no_sharer(void **state)
{
	struct source first = { .next = 10 }, second = { .next = 20 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&first);
	struct ioasid_allocator_ops other = { .alloc = source_alloc,
					      .free = second_free,
					      .pdata = &second };
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_register_allocator(&other), 0);
	id = new_id(NULL, NULL);
	assert_int_equal(id, 10);
	ioasid_unregister_allocator(&ops);
	free_id(id);
	assert_int_equal(second.frees, 0);
	id = new_id(NULL, NULL);
	assert_int_equal(id, 20);
	free_id(id);
	assert_int_equal(second.frees, 1);
	assert_int_equal(first.frees, 0);
	ioasid_unregister_allocator(&other);
}

static void orphans_go_home_if_a_sharer_comes_back(void **state)
{
	struct source source = { .next = 10 }, heir = { .next = 20 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source), later = SOURCE_OPS(&heir);
	ioasid_t orphan;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	orphan = new_id(NULL, NULL);
	ioasid_unregister_allocator(&ops);
	assert_int_equal(ioasid_register_allocator(&later), 0);
	free_id(orphan);
	assert_int_equal(heir.freed, orphan);
	ioasid_unregister_allocator(&later);
}

static void other_functions_wait_their_turn(void **state)
{
	struct source first = { .next = 10 }, waits = { .next = 20 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&first), second = SECOND_OPS(&waits);
	ioasid_t old, new;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_register_allocator(&second), 0);
	old = new_id(NULL, NULL);
	assert_int_equal(old, 10);
	assert_int_equal(waits.allocs, 0);
	ioasid_unregister_allocator(&ops);
	new = new_id(NULL, NULL);
	assert_int_equal(new, 20);
	/* Ids go back to whom they came from, or to nobody. */
	free_id(old);
	assert_int_equal(waits.frees, 0);
	free_id(new);
	assert_int_equal(waits.freed, new);
	assert_int_equal(first.frees, 0);
	ioasid_unregister_allocator(&second);
}

/* With ids left, it kept its place, so that its next sharer came before who had waited longer. */
static void who_comes_back_waits_behind_the_others(void **state)
{
	struct source first = { .next = 10 }, waits = { .next = 20 }, back = { .next = 30 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&first), second = SECOND_OPS(&waits);
	struct ioasid_allocator_ops again = SOURCE_OPS(&back);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(new_id(NULL, NULL), 10);
	ioasid_unregister_allocator(&ops);
	assert_int_equal(ioasid_register_allocator(&second), 0);
	assert_int_equal(new_id(NULL, NULL), 20);
	assert_int_equal(ioasid_register_allocator(&again), 0);
	assert_int_equal(new_id(NULL, NULL), 21);
	assert_int_equal(back.allocs, 0);
	/* Its ids are its own nevertheless. */
	free_id(10);
	assert_int_equal(back.freed, 10);
	free_id(20);
	free_id(21);
	ioasid_unregister_allocator(&second);
	assert_int_equal(new_id(NULL, NULL), 30);
	free_id(30);
	ioasid_unregister_allocator(&again);
}

static void free_from_sink(void *data, int level, const char *line)
{
	ioasid_t *id = data;

	(void)level;
	(void)line;
	ioasid_free(NULL, *id);
	*id = INVALID_IOASID;
}

/* The warning of ids in use came in the middle: a sink that freed them freed the rest as well. */
static void a_log_sink_may_free_the_ids_it_is_warned_of(void **state)
{
	struct source source = { .next = 10 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	ioasid_t orphan;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	orphan = new_id(NULL, NULL);
	assert_int_equal(ioasid_set_log(free_from_sink, &orphan), 0);
	ioasid_set_log_level(IOASID_LOG_DEBUG);
	ioasid_unregister_allocator(&ops);
	ioasid_set_log_level(-1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(orphan, INVALID_IOASID);
	assert_false(ioasid_is_active(10));
	assert_int_equal(source.frees, 0);
}

static void *found_in_free;

static void look_up_in_free(ioasid_t id, void *data)
{
	(void)data;
	found_in_free = ioasid_find(NULL, id, NULL);
	assert_false(ioasid_is_active(id));
	assert_int_equal(ioasid_get(NULL, id), -EBUSY);
	assert_false(ioasid_put(NULL, id));
	ioasid_free(NULL, id);
}

/*
 * D83: while its allocator gets it back an id is there, with its private data, and nobody's: drivers
 * decide by the data. It has left when the allocator returns.
 */
static void an_id_is_pending_while_its_allocator_gets_it(void **state)
{
	struct source source = { .next = 10 };
	struct ioasid_allocator_ops ops = {
		.alloc = source_alloc,
		.free = look_up_in_free,
		.pdata = &source,
	};

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	free_id(new_id(NULL, &source));
	assert_ptr_equal(found_in_free, &source);
	assert_int_equal(PTR_ERR(ioasid_find(NULL, 10, NULL)), -ENOENT);
	ioasid_unregister_allocator(&ops);
}

static struct ioasid_set *doomed;
static struct ioasid_allocator_ops *leaving;

static ioasid_t end_the_set(ioasid_t min, ioasid_t max, void *data)
{
	ioasid_set_put(doomed);
	return source_alloc(min, max, data);
}

static void the_set_may_die_while_its_allocator_thinks(void **state)
{
	struct source source = { .next = 10 };
	struct ioasid_allocator_ops ops = {
		.alloc = end_the_set,
		.free = source_free,
		.pdata = &source,
	};

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	doomed = new_set(5);
	assert_int_equal(ioasid_alloc(doomed, ANY, NULL), INVALID_IOASID);
	assert_int_equal(source.freed, 10);
	ioasid_unregister_allocator(&ops);
}

static ioasid_t leave(ioasid_t min, ioasid_t max, void *data)
{
	ioasid_unregister_allocator(leaving);
	return source_alloc(min, max, data);
}

static void an_allocator_may_unregister_itself_while_it_is_asked(void **state)
{
	struct source source = { .next = 10 };
	struct ioasid_allocator_ops ops = {
		.alloc = leave,
		.free = source_free,
		.pdata = &source,
	};
	ioasid_t id;

	(void)state;
	leaving = &ops;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	id = ioasid_alloc(NULL, ANY, NULL);
	assert_int_equal(id, 10);
	free_id(id);
	assert_int_equal(source.frees, 0);
}

/* Its free was called after it had been told that it is unregistered. */
static void an_allocator_that_left_while_asked_gets_nothing_back(void **state)
{
	struct source source = { .next = 50, .stays = true }, heir_source = { .next = 60 };
	struct ioasid_allocator_ops ops = {
		.alloc = leave,
		.free = source_free,
		.pdata = &source,
	};
	struct ioasid_allocator_ops heir = {
		.alloc = leave,
		.free = source_free,
		.pdata = &heir_source,
	};

	(void)state;
	leaving = &ops;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_alloc(NULL, 51, 100, NULL), INVALID_IOASID);
	assert_int_equal(source.allocs, 1);
	assert_int_equal(source.frees, 0);
	/* Whoever shares its space does. */
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_register_allocator(&heir), 0);
	assert_int_equal(ioasid_alloc(NULL, 51, 100, NULL), INVALID_IOASID);
	assert_int_equal(source.frees, 0);
	assert_int_equal(heir_source.freed, 50);
	ioasid_unregister_allocator(&heir);
}

static void quotas_hold_for_custom_ids_too(void **state)
{
	struct source source = { .next = 1000 };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);
	struct ioasid_set *set = new_set(1);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	new_id(set, NULL);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	/* Refused before the allocator was bothered. */
	assert_int_equal(source.allocs, 1);
	ioasid_set_put(set);
	ioasid_unregister_allocator(&ops);
}

static void many_ids_beyond_the_capacity(void **state)
{
	ioasid_t first = 0xf0000000, count = loops(100000);
	struct source source = { .next = first };
	struct ioasid_allocator_ops ops = SOURCE_OPS(&source);

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	for (ioasid_t i = 0; i < count; i++)
		if (ioasid_alloc(NULL, ANY, &source) != first + i)
			fail_msg("id %u is refused", first + i);
	for (ioasid_t i = 0; i < count; i++)
		if (ioasid_find(NULL, first + i, NULL) != &source)
			fail_msg("id %u is not found", first + i);
	for (ioasid_t i = 0; i < count; i += 2)
		ioasid_free(NULL, first + i);
	for (ioasid_t i = 0; i < count; i++)
		if (ioasid_is_active(first + i) != i % 2)
			fail_msg("id %u is in the wrong state", first + i);
	for (ioasid_t i = 1; i < count; i += 2)
		ioasid_free(NULL, first + i);
	assert_int_equal(source.frees, count);
	ioasid_unregister_allocator(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(custom_allocator_precedes_the_default_one),
		CLEAN_TEST(any_number_but_invalid_can_be_an_id),
		CLEAN_TEST(an_allocator_without_ids_is_a_refusal),
		CLEAN_TEST(an_id_outside_the_range_is_handed_back),
		CLEAN_TEST(a_reversed_range_does_not_reach_the_allocator),
		CLEAN_TEST(a_live_id_handed_out_again_stays_what_it_is),
		CLEAN_TEST(default_ids_must_be_gone_before_the_first_allocator),
		CLEAN_TEST(incomplete_allocators_are_refused),
		CLEAN_TEST(the_same_ops_twice_are_refused_wherever_they_are),
		CLEAN_TEST(unregistering_the_first_sharer_moves_to_the_next),
		CLEAN_TEST(ids_outlive_their_last_allocator),
		CLEAN_TEST(one_function_alone_makes_no_sharer),
		CLEAN_TEST(orphans_go_home_if_a_sharer_comes_back),
		CLEAN_TEST(other_functions_wait_their_turn),
		CLEAN_TEST(who_comes_back_waits_behind_the_others),
		CLEAN_TEST(a_log_sink_may_free_the_ids_it_is_warned_of),
		CLEAN_TEST(an_id_is_pending_while_its_allocator_gets_it),
		CLEAN_TEST(the_set_may_die_while_its_allocator_thinks),
		CLEAN_TEST(an_allocator_may_unregister_itself_while_it_is_asked),
		CLEAN_TEST(an_allocator_that_left_while_asked_gets_nothing_back),
		CLEAN_TEST(quotas_hold_for_custom_ids_too),
		CLEAN_TEST(many_ids_beyond_the_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
