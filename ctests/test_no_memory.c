/* SPDX-License-Identifier: MIT */
/* Every allocation of every request fails once: -ENOMEM, nothing changed, and it works the next time. */
#include <stdio.h>

#include <linux/ioasid-kernel.h>
#include <linux/sched/mm.h>

#include "support.h"

/*
 * A request, tried in a process of its own for each allocation, so that first uses, which make
 * tables that stay, fail too. The functions answer false where something is wrong.
 */
struct request {
	const char *name;
	bool (*prepare)(void);
	/* 0, or a negative error; what else must hold afterwards is checked inside. */
	int (*run)(void);
	void (*undo)(void);
};

static struct ioasid_set *set;
static ioasid_t id, warm;
static struct recorder subscriber = RECORDER(0);
static struct mm_struct *mm, token_mm;

static DECLARE_IOASID_SET(declared);

/* ---- ids ---- */

static int alloc_from(struct ioasid_set *from, ioasid_t min)
{
	id = ioasid_alloc(from, min, INVALID_IOASID, &id);
	if (!pasid_valid(id))
		return -ENOMEM;
	/* A failure before has used no number up. */
	return min && id != min ? -EIO : 0;
}

static int alloc_system(void)
{
	return alloc_from(NULL, 0);
}

static int alloc_declared(void)
{
	return alloc_from(&declared, 0);
}

static int alloc_in_set(void)
{
	int err = alloc_from(set, 0);

	return set->nr_ioasids == (err ? 0 : 1) ? err : -EIO;
}

static int alloc_far_away(void)
{
	return alloc_from(NULL, 500000);
}

static void free_it(void)
{
	ioasid_free(NULL, id);
}

static bool make_warm(void)
{
	warm = ioasid_alloc(NULL, ANY, NULL);
	return pasid_valid(warm);
}

static void free_both(void)
{
	free_it();
	ioasid_free(NULL, warm);
}

static int install(void)
{
	ioasid_install_capacity(5000);
	return ioasid_get_capacity() == 5000 ? 0 : -ENOMEM;
}

static void nothing(void)
{
}

/* Larger than what there was: the table is made anew. The old one works on if that fails. */
static int install_larger(void)
{
	ioasid_install_capacity(3 << 20);
	if (ioasid_get_capacity() == 3 << 20)
		return 0;
	warm = ioasid_alloc(NULL, 500000, 500000, NULL);
	if (warm != 500000 || ioasid_alloc(NULL, 1 << 20, 1 << 20, NULL) != INVALID_IOASID)
		return -EIO;
	ioasid_free(NULL, warm);
	return -ENOMEM;
}

static bool use_and_leave(void)
{
	if (!pasid_valid(ioasid_alloc(NULL, 500000, 500000, NULL)))
		return false;
	ioasid_free(NULL, 500000);
	return true;
}

static int reserve_range(void)
{
	return ioasid_reserve_range(10, 19);
}

static void cancel_range(void)
{
	ioasid_cancel_range(10, 19);
}

/* ---- sets ---- */

static int set_alloc(void)
{
	set = ioasid_set_alloc(&set, 10, IOASID_SET_TYPE_NULL);
	return IS_ERR(set) ? PTR_ERR(set) : 0;
}

static bool make_set(void)
{
	return !set_alloc();
}

static void put_set(void)
{
	ioasid_set_put(set);
}

static bool make_mm(void)
{
	mm = mm_alloc();
	return mm && !ioasid_register_notifier_mm(mm, &subscriber.nb);
}

/* The mm is pinned only by a set that exists; the waiting subscriber pins it as well. */
static int set_alloc_mm(void)
{
	int pins = atomic_read(&mm->mm_count);

	set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);
	if (!IS_ERR(set))
		return 0;
	return atomic_read(&mm->mm_count) == pins && !ioasid_find_mm_set(mm) ? PTR_ERR(set) : -EIO;
}

static void put_set_and_mm(void)
{
	put_set();
	ioasid_unregister_notifier_mm(mm, &subscriber.nb);
	mmput(mm);
}

/* ---- SPIDs ---- */

static bool make_id(void)
{
	return !alloc_system();
}

static int attach_spid(void)
{
	int err = ioasid_attach_spid(id, 5);

	return ioasid_find_spid(id) == (err ? INVALID_IOASID : 5) ? err : -EIO;
}

/* ---- walks and dumps ---- */

static bool make_set_of_ten(void)
{
	if (!make_set())
		return false;
	for (int i = 0; i < 10; i++)
		if (alloc_from(set, 0))
			return false;
	return true;
}

static unsigned int visits;

static void visit(ioasid_t visited, void *data)
{
	(void)visited;
	(void)data;
	visits++;
}

static int walk(void)
{
	int err;

	visits = 0;
	err = ioasid_set_for_each_ioasid(set, visit, NULL);
	return visits == (err ? 0 : 10) ? err : -EIO;
}

static int dump_with(int (*dump)(FILE *out))
{
	FILE *out = tmpfile();
	int err = dump(out);
	bool is_empty = ftell(out) == 0;

	fclose(out);
	return is_empty == (err != 0) ? err : -EIO;
}

static int dump(void)
{
	return dump_with(ioasid_dump);
}

static int dump_dot(void)
{
	return dump_with(ioasid_dump_dot);
}

/* ---- subscribers ---- */

static int subscribe(void)
{
	return ioasid_register_notifier(NULL, &subscriber.nb);
}

static void unsubscribe(void)
{
	ioasid_unregister_notifier(NULL, &subscriber.nb);
}

static int subscribe_replay(void)
{
	int err;

	subscriber.count = 0;
	err = ioasid_register_notifier_replay(set, &subscriber.nb);
	return subscriber.count == (err ? 0 : 10) ? err : -EIO;
}

/* SET_ALLOC of the set, and ALLOC of its ten ids. */
static int subscribe_replay_all(void)
{
	int err;

	subscriber.count = 0;
	err = ioasid_register_notifier_replay(NULL, &subscriber.nb);
	return subscriber.count == (err ? 0 : 11) ? err : -EIO;
}

static void unsubscribe_all(void)
{
	unsubscribe();
	put_set();
}

static void unsubscribe_set(void)
{
	ioasid_unregister_notifier(set, &subscriber.nb);
	put_set();
}

static int subscribe_mm(void)
{
	return ioasid_register_notifier_mm(&token_mm, &subscriber.nb);
}

static void unsubscribe_mm(void)
{
	ioasid_unregister_notifier_mm(&token_mm, &subscriber.nb);
}

/* ---- allocators ---- */

static int handed_out;

static ioasid_t hand_out(ioasid_t min, ioasid_t max, void *data)
{
	(void)min;
	(void)max;
	(void)data;
	return 0xf0000000 + handed_out++;
}

static void take_back(ioasid_t freed, void *data)
{
	(void)freed;
	(void)data;
	handed_out--;
}

static struct ioasid_allocator_ops ops = { .alloc = hand_out, .free = take_back };

static int register_allocator(void)
{
	return ioasid_register_allocator(&ops);
}

static void unregister(void)
{
	ioasid_unregister_allocator(&ops);
}

static bool make_allocator(void)
{
	return !register_allocator() && make_set();
}

/* D11: what an allocator gave for nothing goes back to it, once. */
static int alloc_custom(void)
{
	int err = alloc_in_set();

	return handed_out == (err ? 0 : 1) ? err : -EIO;
}

static void put_set_and_unregister(void)
{
	put_set();
	unregister();
}

/* ---- address spaces ---- */

static int make_address_space(void)
{
	mm = mm_alloc();
	return mm ? 0 : -ENOMEM;
}

static void put_mm(void)
{
	mmput(mm);
}

static const struct request requests[] = {
	{ "first id", NULL, alloc_system, free_it },
	{ "first id of a declared set", NULL, alloc_declared, free_it },
	{ "first id of a set", make_set, alloc_in_set, put_set },
	{ "id in another stretch", make_warm, alloc_far_away, free_both },
	{ "capacity", NULL, install, nothing },
	{ "larger capacity", use_and_leave, install_larger, nothing },
	{ "range", NULL, reserve_range, cancel_range },
	{ "first set", NULL, set_alloc, put_set },
	{ "set of an mm", make_mm, set_alloc_mm, put_set_and_mm },
	{ "first SPID", make_id, attach_spid, free_it },
	{ "walk", make_set_of_ten, walk, put_set },
	{ "dump", make_set_of_ten, dump, put_set },
	{ "graph", make_set_of_ten, dump_dot, put_set },
	{ "subscriber", NULL, subscribe, unsubscribe },
	{ "subscriber with replay", make_set_of_ten, subscribe_replay, unsubscribe_set },
	{ "subscriber to all with replay", make_set_of_ten, subscribe_replay_all, unsubscribe_all },
	{ "subscriber of an mm", NULL, subscribe_mm, unsubscribe_mm },
	{ "allocator", NULL, register_allocator, unregister },
	{ "first id of an allocator", make_allocator, alloc_custom, put_set_and_unregister },
	{ "address space", NULL, make_address_space, put_mm },
};

struct attempt {
	const struct request *request;
	unsigned int nth;
};

/* How an attempt in another process ended. Clear of what memory checkers return. */
enum { REFUSED = 40, BORNE, NOT_REACHED, WRONG };

static int wrong(const struct attempt *attempt, const char *what, int err)
{
	print_error("%s, allocation %u: %s (%d)\n", attempt->request->name, attempt->nth, what,
		    err);
	return WRONG;
}

static int try_request(const void *data)
{
	const struct attempt *attempt = data;
	const struct request *request = attempt->request;
	struct ioasid_stats before, after;
	unsigned long tried, by_helpers;
	int err, again;

	if (request->prepare && !request->prepare())
		return wrong(attempt, "could not be prepared", 0);
	before = read_stats();
	ioasid_fail_nth(attempt->nth);
	ioasid_kernel_fail_nth(attempt->nth);
	err = request->run();
	tried = ioasid_fail_nth(0);
	by_helpers = ioasid_kernel_fail_nth(0);
	after = read_stats();
	if (err) {
		if (err != -ENOMEM || (tried < attempt->nth && by_helpers < attempt->nth))
			return wrong(attempt, "wrong error", err);
		if (!same_state(&before, &after))
			return wrong(attempt, "something has changed", 0);
		/* The core counts its refusals; the kernel helpers say theirs on the log. */
		if (after.refused[IOASID_REFUSED_MEMORY] !=
		    before.refused[IOASID_REFUSED_MEMORY] + (tried >= attempt->nth))
			return wrong(attempt, "the refusal is not counted", 0);
		again = request->run();
		if (again)
			return wrong(attempt, "does not work afterwards", again);
	}
	request->undo();
	if (!nothing_is_left())
		return wrong(attempt, "something is left", 0);
	if (tried < attempt->nth && by_helpers < attempt->nth)
		return NOT_REACHED;
	return err ? REFUSED : BORNE;
}

static void every_failed_allocation_is_an_error_without_effect(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct attempt attempt = { &requests[i], 1 };
		int end;

		for (; (end = in_child(try_request, &attempt)) != NOT_REACHED; attempt.nth++)
			if ((end != REFUSED && end != BORNE) || attempt.nth > 100)
				fail_msg("%s, allocation %u", requests[i].name, attempt.nth);
		/* A request that allocates nothing is no business of this table. */
		assert_true(attempt.nth > 1);
	}
}

/* What gives back must always work. */
static void giving_back_allocates_nothing(void **state)
{
	ioasid_t held;

	(void)state;
	set = new_set(10);
	assert_int_equal(ioasid_register_notifier(set, &subscriber.nb), 0);
	id = new_id(set, &id);
	held = new_id(set, &id);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_attach_spid(held, 2), 0);
	assert_int_equal(ioasid_get(set, held), 0);
	new_id(set, NULL);

	ioasid_fail_nth(0);
	assert_int_equal(ioasid_detach_data(id), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);
	ioasid_free(set, id);
	ioasid_free_all_in_set(set);
	ioasid_set_put(set);
	assert_true(ioasid_put(NULL, held));
	assert_int_equal(ioasid_fail_nth(0), 0);
}

/* So many sets that some need more memory for their records: nothing is lost where that fails. */
static void a_set_without_memory_leaves_its_number(void **state)
{
	static struct ioasid_set *sets[2000];
	const size_t count = sizeof(sets) / sizeof(sets[0]);
	unsigned int failed = 0;

	(void)state;
	/* What is made once is there. */
	ioasid_set_put(new_set(0));
	for (size_t i = 0; i < count; i++) {
		struct ioasid_stats before = read_stats(), after;

		ioasid_fail_nth(1);
		sets[i] = ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL);
		ioasid_fail_nth(0);
		if (!IS_ERR(sets[i]))
			continue;
		assert_int_equal(PTR_ERR(sets[i]), -ENOMEM);
		after = read_stats();
		assert_true(same_state(&before, &after));
		sets[i] = new_set(1);
		/* The number that could not be used is not lost. */
		assert_int_equal(sets[i]->id, sets[i - 1]->id + 1);
		failed++;
	}
	assert_in_range(failed, 2, 10);
	for (size_t i = 0; i < count; i++)
		ioasid_set_put(sets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the processes it makes must not have used the library. */
		cmocka_unit_test(every_failed_allocation_is_an_error_without_effect),
		CLEAN_TEST(giving_back_allocates_nothing),
		CLEAN_TEST(a_set_without_memory_leaves_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
