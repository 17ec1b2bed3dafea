/* SPDX-License-Identifier: MIT */
/* ioasid_set_for_each_ioasid(): what is visited, in which order, and what a visitor may do. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "support.h"

#define ROOM 64

static struct ioasid_set *walked;
static ioasid_t visited[ROOM];
static unsigned int count;

static void note(ioasid_t id, void *data)
{
	assert_ptr_equal(data, visited);
	if (count < ROOM)
		visited[count] = id;
	count++;
}

static int walk(void (*fn)(ioasid_t id, void *data))
{
	count = 0;
	return ioasid_set_for_each_ioasid(walked, fn, visited);
}

static int begin_walk(void **state)
{
	begin_test(state);
	walked = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	return IS_ERR(walked) ? -1 : 0;
}

static int end_walk(void **state)
{
	ioasid_set_put(walked);
	return end_test(state);
}

static ioasid_t numbers[8] = { 900, 0xfffffffe, 3, 256, 0x10001, 255, 0x80000000, 0 };

static ioasid_t any_order(ioasid_t min, ioasid_t max, void *data)
{
	unsigned int *next = data;

	(void)min;
	(void)max;
	return numbers[(*next)++];
}

static void drop_it(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
}

static int ascending(const void *one, const void *other)
{
	ioasid_t a = *(const ioasid_t *)one, b = *(const ioasid_t *)other;

	return a < b ? -1 : a > b;
}

static void ids_are_visited_in_ascending_order(void **state)
{
	unsigned int next = 0;
	struct ioasid_allocator_ops ops = { .alloc = any_order, .free = drop_it, .pdata = &next };

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	for (int i = 0; i < 8; i++)
		new_id(walked, NULL);
	assert_int_equal(walk(note), 0);
	assert_int_equal(count, 8);
	qsort(numbers, 8, sizeof(numbers[0]), ascending);
	assert_memory_equal(visited, numbers, sizeof(numbers));
	ioasid_free_all_in_set(walked);
	ioasid_unregister_allocator(&ops);
}

static void only_ids_of_the_set_are_visited_pending_ones_too(void **state)
{
	ioasid_t mine = new_id(walked, NULL), system = new_id(NULL, NULL);
	ioasid_t pending = new_id(walked, NULL);

	(void)state;
	assert_int_equal(ioasid_get(NULL, pending), 0);
	ioasid_free(walked, pending);
	assert_int_equal(walk(note), 0);
	assert_int_equal(count, 2);
	assert_int_equal(visited[0], mine);
	assert_int_equal(visited[1], pending);
	count = 0;
	assert_int_equal(ioasid_set_for_each_ioasid(NULL, note, visited), 0);
	assert_int_equal(count, 1);
	assert_int_equal(visited[0], system);
	assert_true(ioasid_put(walked, pending));
	free_id(system);
}

static void count_line(void *lines, int level, const char *line)
{
	(void)level;
	(void)line;
	++*(int *)lines;
}

/* D52: v2 warned about every empty set, which is nothing to warn of. */
static void an_empty_set_is_said_so_without_a_warning(void **state)
{
	int lines = 0;

	(void)state;
	ioasid_set_log_level(IOASID_LOG_WARNING);
	assert_int_equal(ioasid_set_log(count_line, &lines), 0);
	assert_int_equal(walk(note), -ENOENT);
	assert_int_equal(count, 0);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(lines, 0);
}

static void no_set_and_no_function_are_refused(void **state)
{
	struct ioasid_set *dead = new_set(0);

	(void)state;
	new_id(walked, NULL);
	assert_int_equal(walk(NULL), -EINVAL);
	ioasid_set_put(dead);
	count = 0;
	assert_int_equal(ioasid_set_for_each_ioasid(dead, note, visited), -EINVAL);
	assert_int_equal(count, 0);
}

static void free_all_above(ioasid_t id, void *data)
{
	note(id, data);
	for (ioasid_t other = id + 1; other < 40; other++)
		ioasid_free(walked, other);
	ioasid_free(walked, id);
}

/* D52: v2 walked without a lock, and lived on the tolerance of its tree. */
static void a_visitor_may_free_this_id_and_those_to_come(void **state)
{
	(void)state;
	for (ioasid_t id = 30; id < 40; id++)
		assert_int_equal(ioasid_alloc(walked, id, id, NULL), id);
	assert_int_equal(walk(free_all_above), 0);
	assert_int_equal(count, 1);
	assert_int_equal(visited[0], 30);
	assert_int_equal(walked->nr_ioasids, 0);
}

static void allocate_more(ioasid_t id, void *data)
{
	note(id, data);
	new_id(walked, NULL);
}

static void ids_allocated_meanwhile_are_not_visited(void **state)
{
	(void)state;
	assert_int_equal(ioasid_alloc(walked, 10, 10, NULL), 10);
	assert_int_equal(ioasid_alloc(walked, 20, 20, NULL), 20);
	assert_int_equal(walk(allocate_more), 0);
	assert_int_equal(count, 2);
	assert_int_equal(walked->nr_ioasids, 4);
}

static void replace_next(ioasid_t id, void *data)
{
	note(id, data);
	if (id != 10)
		return;
	ioasid_free(walked, 20);
	assert_int_equal(ioasid_alloc(walked, 20, 20, NULL), 20);
}

static void a_number_in_its_next_life_is_not_visited(void **state)
{
	(void)state;
	for (ioasid_t id = 10; id <= 30; id += 10)
		assert_int_equal(ioasid_alloc(walked, id, id, NULL), id);
	assert_int_equal(walk(replace_next), 0);
	assert_int_equal(count, 2);
	assert_int_equal(visited[0], 10);
	assert_int_equal(visited[1], 30);
}

/* Lives are told apart by 22 bits: so many later a number looks the same, but for its set. */
static struct ioasid_set *another;

static void wrap_generations(ioasid_t id, void *data)
{
	note(id, data);
	if (count > 1)
		return;
	ioasid_free(NULL, 2);
	for (unsigned int i = 0; i < (1u << 22) - 2; i++)
		ioasid_free(another, ioasid_alloc(another, 100, 100, NULL));
	assert_int_equal(ioasid_alloc(another, 2, 2, NULL), 2);
}

static void a_number_of_another_set_is_never_visited(void **state)
{
	clock_t begin;

	(void)state;
	another = new_set(0);
	/* Builds that check and measure would take minutes. */
	begin = clock();
	for (unsigned int i = 0; i < 2000; i++)
		ioasid_free(another, ioasid_alloc(another, 100, 100, NULL));
	if (clock() - begin > CLOCKS_PER_SEC / 200) {
		ioasid_set_put(another);
		skip();
	}
	assert_int_equal(ioasid_alloc(walked, 1, 1, NULL), 1);
	assert_int_equal(ioasid_alloc(walked, 2, 2, NULL), 2);
	assert_int_equal(walk(wrap_generations), 0);
	assert_int_equal(count, 1);
	ioasid_set_put(another);
}

static void end_set(ioasid_t id, void *data)
{
	note(id, data);
	ioasid_set_put(walked);
	walked = new_set(0);
}

static void a_visitor_may_end_the_set(void **state)
{
	(void)state;
	new_id(walked, NULL);
	new_id(walked, NULL);
	assert_int_equal(walk(end_set), 0);
	assert_int_equal(count, 1);
}

static void *allocate(void *nothing)
{
	(void)nothing;
	ioasid_free(NULL, ioasid_alloc(NULL, ANY, NULL));
	return NULL;
}

static void wait_for_another_thread(ioasid_t id, void *data)
{
	pthread_t thread;

	note(id, data);
	assert_int_equal(pthread_create(&thread, NULL, allocate, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void no_lock_is_held_during_a_visit(void **state)
{
	(void)state;
	new_id(walked, NULL);
	assert_int_equal(walk(wait_for_another_thread), 0);
	assert_int_equal(count, 1);
}

#define WALK_TEST(f) cmocka_unit_test_setup_teardown(f, begin_walk, end_walk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WALK_TEST(ids_are_visited_in_ascending_order),
		WALK_TEST(only_ids_of_the_set_are_visited_pending_ones_too),
		WALK_TEST(an_empty_set_is_said_so_without_a_warning),
		WALK_TEST(no_set_and_no_function_are_refused),
		WALK_TEST(a_visitor_may_free_this_id_and_those_to_come),
		WALK_TEST(ids_allocated_meanwhile_are_not_visited),
		WALK_TEST(a_number_in_its_next_life_is_not_visited),
		WALK_TEST(a_number_of_another_set_is_never_visited),
		WALK_TEST(a_visitor_may_end_the_set),
		WALK_TEST(no_lock_is_held_during_a_visit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
