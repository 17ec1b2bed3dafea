/* SPDX-License-Identifier: MIT */
/* A reset ends everything that is left, calls nobody, and leaves a library that works as a new one. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/sched/mm.h>

#include "support.h"

#include <linux/ioasid-rcu.h>

static int called;

static int count_call(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	called++;
	return NOTIFY_OK;
}

static ioasid_t picked = 5000000;

static ioasid_t pick(ioasid_t min, ioasid_t max, void *data)
{
	(void)min, (void)max, (void)data;
	return picked++;
}

static void take_back(ioasid_t id, void *data)
{
	(void)id, (void)data;
	called++;
}

static void nothing_left_is_nothing_to_end(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(ioasid_reset(NULL), 0);
	assert_int_equal(ioasid_reset(out), 0);
	fclose(out);
	assert_int_equal(size, 0);
	free(text);
	free_id(new_id(NULL, NULL));
}

static void everything_ends_and_nobody_is_called(void **state)
{
	static DECLARE_IOASID_SET(declared);
	struct notifier_block *nb = calloc(1, sizeof(*nb));
	struct ioasid_allocator_ops *ops = calloc(1, sizeof(*ops));
	struct mm_struct *mm = mm_alloc(), *other = mm_alloc();
	struct ioasid_set *set = new_set(7), *dead = new_set(3), *of_mm;
	int pins = atomic_read(&mm->mm_count), other_pins = atomic_read(&other->mm_count);
	ioasid_t id = new_id(set, nb), held, in_declared = new_id(&declared, NULL), custom;
	char *text;
	size_t size;
	FILE *out;

	(void)state;
	nb->notifier_call = count_call;
	ops->alloc = pick;
	ops->free = take_back;
	of_mm = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);
	assert_int_equal(ioasid_register_notifier(NULL, nb), 0);
	assert_int_equal(ioasid_register_notifier(set, nb), 0);
	assert_int_equal(ioasid_register_notifier(&declared, nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(mm, nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(other, nb), 0);
	assert_int_equal(ioasid_register_reclaim(nb), 0);
	held = new_id(dead, NULL);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ioasid_get(set, id), 0);
		assert_int_equal(ioasid_get(dead, held), 0);
	}
	assert_int_equal(ioasid_attach_spid(id, 42), 0);
	ioasid_set_put(dead);
	ioasid_set_get(set);
	ioasid_set_name(set, "vm3");
	ioasid_set_name(&declared, "host");
	ioasid_set_name(NULL, "system");
	ioasid_reserve_capacity(100);
	assert_int_equal(ioasid_reserve_range(500, 599), 0);
	ioasid_free(NULL, in_declared);
	ioasid_free(NULL, id);
	ioasid_put(NULL, held);
	assert_int_equal(ioasid_alloc(set, 1, 1, NULL), 1);
	called = 0;

	out = open_memstream(&text, &size);
	/* id, held and 1; set, dead and the mm's; six subscriptions. */
	assert_int_equal(ioasid_reset(out), 12);
	fclose(out);
	assert_int_equal(called, 0);
	assert_non_null(strstr(text, "left over: ids 3, sets 3, subscribers 6, allocators 0"));
	assert_non_null(strstr(text, "\"vm3\""));
	free(text);
	assert_true(nothing_is_left());
	assert_int_equal(atomic_read(&mm->mm_count), pins);
	assert_int_equal(atomic_read(&other->mm_count), other_pins);
	assert_null(ioasid_find_mm_set(mm));
	assert_false(ioasid_next_range(0, NULL, NULL));
	assert_false(ioasid_is_active(1));

	/* Custom allocators and their ids. */
	assert_int_equal(ioasid_register_allocator(ops), 0);
	custom = new_id(NULL, NULL);
	assert_true(custom >= 5000000);
	assert_int_equal(ioasid_get(NULL, custom), 0);
	assert_int_equal(ioasid_reset(NULL), 2);
	assert_int_equal(called, 0);
	assert_false(ioasid_is_active(custom));
	assert_int_equal(new_id(NULL, NULL), 0);
	free_id(0);
	free(nb);
	free(ops);
	/* What the reset took is nobody's. */
	ioasid_set_put(set);
	ioasid_set_put(of_mm);
	assert_int_equal(read_stats().sets, 0);
	/* Declared sets go on. */
	free_id(new_id(&declared, NULL));
	mmput(mm);
	mmput(other);
}

static void it_starts_over_with_the_usual_capacity(void **state)
{
	(void)state;
	ioasid_install_capacity(1000);
	assert_int_equal(ioasid_alloc(NULL, 999, 999, NULL), 999);
	assert_int_equal(ioasid_reset(NULL), 1);
	assert_int_equal(ioasid_get_capacity(), 0x100000);
	assert_false(ioasid_is_active(999));
	assert_int_equal(ioasid_alloc(NULL, 0xfffff, 0xfffff, NULL), 0xfffff);
	assert_int_equal(ioasid_reset(NULL), 1);
	for (int i = 0; i < 10; i++) {
		ioasid_install_capacity(50);
		assert_int_equal(new_id(new_set(50), NULL), 0);
		assert_int_equal(ioasid_reset(NULL), 2);
	}
}

static int reset_in_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	assert_int_equal(ioasid_reset(stdout), -EBUSY);
	called++;
	return NOTIFY_OK;
}

static void reset_is_refused(void)
{
	assert_int_equal(ioasid_reset(NULL), -EBUSY);
	called++;
}

static bool reset_in_getter(void *data)
{
	(void)data;
	reset_is_refused();
	return true;
}

static void reset_in_visitor(ioasid_t id, void *data)
{
	(void)id, (void)data;
	reset_is_refused();
	/* Still there behind a walk in a walk. */
	if (!data)
		ioasid_set_for_each_ioasid(ioasid_find_set(id), reset_in_visitor, &called);
	reset_is_refused();
}

static void reset_in_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	reset_is_refused();
}

static ssize_t reset_in_write(void *cookie, const char *text, size_t size)
{
	(void)cookie, (void)text;
	reset_is_refused();
	return (ssize_t)size;
}

static void not_in_a_callback(void **state)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = reset_in_write });
	struct notifier_block nb = { .notifier_call = reset_in_handler };
	struct ioasid_set *set = new_set(0);
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	called = 0;
	id = new_id(set, NULL);
	assert_int_equal(called, 1);
	assert_true(ioasid_is_active(id));
	/* Nor where callbacks run without the lock. */
	ioasid_find(set, id, reset_in_getter);
	ioasid_set_for_each_ioasid(set, reset_in_visitor, NULL);
	ioasid_rcu_read_lock();
	reset_is_refused();
	ioasid_rcu_read_unlock();
	ioasid_set_log(reset_in_sink, NULL);
	ioasid_printk("\0013a line");
	ioasid_set_log(NULL, NULL);
	setvbuf(stream, NULL, _IONBF, 0);
	ioasid_dump(stream);
	fclose(stream);
	assert_true(called >= 6);
	assert_true(ioasid_is_active(id));
	assert_int_equal(ioasid_reset(NULL), 3);
}

static void what_cannot_be_written_ends_nothing(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_reset(full), -EIO);
	assert_true(ioasid_is_active(id));
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_reset(stdout), -ENOMEM);
	ioasid_fail_nth(0);
	assert_true(ioasid_is_active(id));
	/* Without a report it needs no memory. */
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_reset(NULL), 1);
	ioasid_fail_nth(0);
	assert_false(ioasid_is_active(id));
	setvbuf(full, NULL, _IONBF, 0);
	fclose(full);
}

static int reset_in_child(const void *data)
{
	(void)data;
	child_assert(ioasid_reset(NULL) == 2);
	child_assert(nothing_is_left());
	ioasid_install_capacity(10);
	child_assert(ioasid_alloc(NULL, ANY, NULL) == 0);
	return 0;
}

static void a_child_resets_its_own(void **state)
{
	struct ioasid_set *set = new_set(1);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(in_child(reset_in_child, NULL), 0);
	assert_true(ioasid_is_active(id));
	ioasid_set_put(set);
}

/* What a fuzzer does: random calls that leave whatever they leave, again and again. */
static void a_fuzzer_starts_over(void **state)
{
	unsigned int seed = 815;
	struct notifier_block blocks[4] = { { .notifier_call = count_call },
					    { .notifier_call = count_call },
					    { .notifier_call = count_call },
					    { .notifier_call = count_call } };
	struct ioasid_allocator_ops ops = { .alloc = pick, .free = take_back };

	(void)state;
	for (unsigned int input = 0; input < loops(60); input++) {
		struct ioasid_set *sets[4] = { NULL };

		for (int call = 0; call < 60; call++) {
			struct ioasid_set *set = sets[rand_r(&seed) % 4];
			ioasid_t number = (ioasid_t)rand_r(&seed) % 100;

			switch (rand_r(&seed) % 12) {
			case 0:
				sets[number % 4] =
					ioasid_set_alloc(NULL, number % 30, IOASID_SET_TYPE_NULL);
				break;
			case 1:
				ioasid_set_put(set);
				break;
			case 2:
			case 3:
			case 4:
				ioasid_alloc(set, number, 100, NULL);
				break;
			case 5:
				ioasid_get(NULL, number);
				break;
			case 6:
				ioasid_put(NULL, number);
				break;
			case 7:
				ioasid_free(NULL, number);
				break;
			case 8:
				ioasid_attach_spid(number, number / 2);
				break;
			case 9:
				ioasid_register_notifier(number % 2 ? NULL : set,
							 &blocks[number % 4]);
				break;
			case 10:
				ioasid_reserve_range(number, number + 5);
				break;
			case 11:
				if (number < 20)
					ioasid_register_allocator(&ops);
				else
					ioasid_install_capacity(number * 50);
				break;
			}
		}
		assert_true(ioasid_reset(NULL) >= 0);
		assert_true(nothing_is_left());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(nothing_left_is_nothing_to_end),
		CLEAN_TEST(everything_ends_and_nobody_is_called),
		CLEAN_TEST(it_starts_over_with_the_usual_capacity),
		CLEAN_TEST(not_in_a_callback),
		CLEAN_TEST(what_cannot_be_written_ends_nothing),
		CLEAN_TEST(a_child_resets_its_own),
		CLEAN_TEST(a_fuzzer_starts_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
