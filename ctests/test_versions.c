/* SPDX-License-Identifier: MIT */
/* Code as it was written against each published version, compiled and run against this header. */
#include <linux/mm_types.h>

#include "support.h"

/* One scope a version, so that each is seen to need nothing of the others. */

static DECLARE_IOASID_SET(private_set);

static bool not_null(void *data)
{
	return data;
}

static void v5_5(void **state)
{
	char data[2];
	ioasid_t id = ioasid_alloc(&private_set, 1, 100, data);

	(void)state;
	assert_int_not_equal(id, INVALID_IOASID);
	assert_ptr_equal(ioasid_find(&private_set, id, NULL), data);
	assert_ptr_equal(ioasid_find(NULL, id, not_null), data);
	assert_int_equal(ioasid_set_data(id, data + 1), 0);
	assert_int_equal(ioasid_set_data(id, NULL), 0);
	assert_null(ioasid_find(NULL, id, not_null));
	ioasid_free(id);
	assert_true(IS_ERR(ioasid_find(NULL, id, NULL)));
}

static ioasid_t hand_out(ioasid_t min, ioasid_t max, void *data)
{
	*(ioasid_t *)data = max;
	return min;
}

static void take_back(ioasid_t ioasid, void *data)
{
	*(ioasid_t *)data = ioasid;
}

static void v5_5_allocator(void **state)
{
	ioasid_t last = 0, id;
	struct ioasid_allocator_ops ops = {
		.alloc = hand_out,
		.free = take_back,
		.pdata = &last,
	};

	(void)state;
	INIT_LIST_HEAD(&ops.list);
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	id = ioasid_alloc(NULL, 40, 50, NULL);
	assert_int_equal(id, 40);
	assert_int_equal(last, 50);
	ioasid_free(id);
	assert_int_equal(last, 40);
	ioasid_unregister_allocator(&ops);
}

/* There is no ioasid_free(): the put of the last reference ends the id. */
static void v5_11(void **state)
{
	ioasid_t id = ioasid_alloc(&private_set, 1, (1U << 31), NULL);

	(void)state;
	ioasid_get(id);
	assert_false(ioasid_put(id));
	assert_true(ioasid_put(id));
	assert_false(ioasid_put(id));
}

static void v5_18(void **state)
{
	struct mm_struct mm = { .pasid = INVALID_IOASID };
	ioasid_t id = ioasid_alloc(&private_set, 1, 2, &mm);

	(void)state;
	assert_false(pasid_valid(mm.pasid));
	mm.pasid = id;
	assert_true(pasid_valid(mm.pasid));
	assert_ptr_equal(ioasid_find(&private_set, mm.pasid, not_null), &mm);
	ioasid_free(mm.pasid);
}

static int v2_handler(struct notifier_block *nb, unsigned long cmd, void *data)
{
	struct ioasid_nb_args *args = (struct ioasid_nb_args *)data;
	struct recorder *recorder = (struct recorder *)nb;

	switch (cmd) {
	case IOASID_ALLOC:
	case IOASID_BIND:
	case IOASID_UNBIND:
		return record_event(nb, cmd, data);
	case IOASID_FREE:
		ioasid_put_locked(args->set, args->id);
		recorder->count++;
		return NOTIFY_OK;
	case IOASID_SET_ALLOC:
	case IOASID_SET_FREE:
	default:
		return NOTIFY_DONE;
	}
}

static void add(ioasid_t id, void *data)
{
	*(ioasid_t *)data += id;
}

static void v2(void **state)
{
	struct recorder one = { .nb = { .notifier_call = v2_handler,
					.priority = IOASID_PRIO_CPU } };
	struct ioasid_set *set = ioasid_alloc_set(NULL, 10, IOASID_SET_TYPE_NULL);
	ioasid_t id, sum = 0;

	(void)state;
	assert_int_equal(set->sid, set->id);
	assert_int_equal(ioasid_register_notifier(set, &one.nb), 0);
	id = ioasid_alloc(set, 5, 9, &one);
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_attach_data(id, NULL), 0);
	assert_int_equal(ioasid_attach_spid(id, 200), 0);
	assert_int_equal(ioasid_find_by_spid(set, 200), id);
	ioasid_put(set, id);
	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_ALL | IOASID_NOTIFY_SET), 0);
	assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
	assert_int_equal(ioasid_attach_spid(id, INVALID_IOASID), 0);
	assert_int_equal(ioasid_set_for_each_ioasid(set, add, &sum), 0);
	assert_int_equal(sum, id);
	assert_int_equal(ioasid_adjust_set(set, 20), 0);
	assert_int_equal(ioasid_get_capacity(), 0x100000);
	ioasid_free(set, id);
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(one.count, 4); /* ALLOC, BIND, UNBIND, FREE */
	ioasid_unregister_notifier(set, &one.nb);
	ioasid_set_get(set);
	ioasid_set_put(set);
	ioasid_set_put(set);
}

static void v3(void **state)
{
	struct recorder one = RECORDER(IOASID_PRIO_IOMMU);
	struct mm_struct mm = { .pasid = INVALID_IOASID };
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(&mm, &one.nb), 0);
	set = ioasid_set_alloc(&mm, 10, IOASID_SET_TYPE_MM);
	id = ioasid_alloc(set, 0, 1, NULL);
	assert_int_equal(ioasid_attach_spid(id, 3), 0);
	ioasid_detach_spid(id);
	ioasid_detach_data(id);
	assert_int_equal(ioasid_get_locked(set, id), 0);
	ioasid_free(set, id);
	assert_true(ioasid_put(set, id));
	assert_int_equal(one.records[0].event, IOASID_NOTIFY_ALLOC);
	assert_int_equal(one.records[1].event, IOASID_NOTIFY_BIND);
	assert_int_equal(one.records[2].event, IOASID_NOTIFY_UNBIND);
	assert_int_equal(one.records[3].event, IOASID_NOTIFY_FREE);
	ioasid_unregister_notifier_mm(&mm, &one.nb);
	ioasid_set_put(set);
}

static void v4(void **state)
{
	struct mm_struct mm = { .pasid = INVALID_IOASID };
	int left = ioasid_reserve_capacity(0);
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_reserve_capacity(100), 100);
	set = ioasid_set_alloc(&mm, 0, IOASID_SET_TYPE_MM);
	id = ioasid_alloc(set, 0, 100, NULL);
	assert_ptr_equal(ioasid_find_mm_set(&mm), set);
	assert_ptr_equal(ioasid_find_set(id), set);
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	assert_int_equal(ioasid_attach_spid(id, 7), 0);
	assert_int_equal(ioasid_find_by_spid(set, 7, false), id);
	assert_int_equal(ioasid_find_by_spid(set, 7, true), id);
	assert_false(ioasid_put(set, id));
	assert_int_equal(ioasid_set_free(set), -EBUSY);
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_set_free(set), 0);
	assert_int_equal(ioasid_cancel_capacity(100), left);
}

/* The documents of the series say NONE where the code says NULL. */
static void both_spellings_mean_the_same(void **state)
{
	(void)state;
	assert_int_equal(IOASID_SET_TYPE_NONE, IOASID_SET_TYPE_NULL);
	assert_int_equal(IOASID_ALLOC, IOASID_NOTIFY_ALLOC);
	assert_int_equal(IOASID_FREE, IOASID_NOTIFY_FREE);
	assert_int_equal(IOASID_BIND, IOASID_NOTIFY_BIND);
	assert_int_equal(IOASID_UNBIND, IOASID_NOTIFY_UNBIND);
	assert_int_equal(IOASID_SET_ALLOC, IOASID_NOTIFY_SET_ALLOC);
	assert_int_equal(IOASID_SET_FREE, IOASID_NOTIFY_SET_FREE);
	assert_int_equal(IOASID_NOTIFY_ALL, IOASID_NOTIFY_FLAG_ALL);
	assert_int_equal(IOASID_NOTIFY_SET, IOASID_NOTIFY_FLAG_SET);
}

struct table {
	void (*free)(struct ioasid_set *set, ioasid_t id);
	int (*get)(struct ioasid_set *set, ioasid_t id);
	bool (*put)(struct ioasid_set *set, ioasid_t id);
	ioasid_t (*by_spid)(struct ioasid_set *set, ioasid_t spid);
};

static void the_address_of_a_function_is_the_exported_one(void **state)
{
	static const struct table table = {
		.free = ioasid_free,
		.get = &ioasid_get,
		.put = ioasid_put,
		.by_spid = ioasid_find_by_spid,
	};
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(table.get(other, id), -EACCES);
	assert_int_equal(table.get(set, id), 0);
	assert_int_equal(table.by_spid(set, 1), id);
	assert_false(table.put(set, id));
	assert_false(table.put(set, id));
	table.free(set, id);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

static void arguments_are_evaluated_once(void **state)
{
	struct ioasid_set *sets[2] = { new_set(0), NULL }, **set = sets;
	ioasid_t id = new_id(sets[0], NULL), ids[2] = { id, INVALID_IOASID }, *next = ids;

	(void)state;
	assert_int_equal(ioasid_get(*set++, *next++), 0);
	assert_ptr_equal(set, sets + 1);
	assert_ptr_equal(next, ids + 1);
	next = ids;
	assert_false(ioasid_put(*next++));
	assert_ptr_equal(next, ids + 1);
	next = ids;
	ioasid_free(*next++);
	assert_ptr_equal(next, ids + 1);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(sets[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(v5_5),
		CLEAN_TEST(v5_5_allocator),
		CLEAN_TEST(v5_11),
		CLEAN_TEST(v5_18),
		CLEAN_TEST(v2),
		CLEAN_TEST(v3),
		CLEAN_TEST(v4),
		CLEAN_TEST(both_spellings_mean_the_same),
		CLEAN_TEST(the_address_of_a_function_is_the_exported_one),
		CLEAN_TEST(arguments_are_evaluated_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
