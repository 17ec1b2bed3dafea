/* SPDX-License-Identifier: MIT */
/* Calls every exported function once, as its documentation says; package.called checks that none is left out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <linux/ioasid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#define ANY 0, INVALID_IOASID - 1

static bool refuse(void *data)
{
	(void)data;
	return false;
}

static void ids(void **state)
{
	char data[2];
	ioasid_t id = ioasid_alloc(NULL, 100, 200, data);

	(void)state;
	assert_int_equal(id, 100);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), data);
	assert_null(ioasid_find(NULL, id, refuse));
	assert_true(ioasid_is_active(id));
	assert_true(ioasid_is_in_set(NULL, id));
	assert_null(ioasid_find_set(id));

	assert_int_equal(ioasid_get(NULL, id), 0);
	assert_int_equal(ioasid_get_locked(NULL, id), 0);
	assert_int_equal(ioasid_get_if_owned(id), -EINVAL);
	assert_false(ioasid_put(NULL, id));
	assert_false(ioasid_put_locked(NULL, id));

	assert_int_equal(ioasid_attach_data(id, data + 1), 0);
	assert_ptr_equal(ioasid_find(NULL, id, NULL), data + 1);
	assert_int_equal(ioasid_detach_data(id), 0);
	assert_null(ioasid_find(NULL, id, NULL));

	ioasid_free(NULL, id);
	assert_false(ioasid_is_active(id));
	assert_int_equal(PTR_ERR(ioasid_find(NULL, id, NULL)), -ENOENT);
}

/* The argument counts of mainline and of V4. */
static void overloads(void **state)
{
	ioasid_t id = ioasid_alloc(NULL, 7, 7, NULL);

	(void)state;
	assert_int_equal(id, 7);
	assert_int_equal(ioasid_set_data(id, NULL), 0);
	assert_int_equal(ioasid_attach_spid(id, 70), 0);
	assert_int_equal(ioasid_find_by_spid(NULL, 70, false), id);
	assert_int_equal(ioasid_get(id), 0);
	assert_false(ioasid_put(id));
	ioasid_free(id);
	assert_false(ioasid_is_active(id));
}

static void spids(void **state)
{
	ioasid_t id = ioasid_alloc(NULL, ANY, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 5), 0);
	assert_int_equal(ioasid_find_spid(id), 5);
	assert_int_equal(ioasid_find_by_spid(NULL, 5), id);
	assert_false(ioasid_put(NULL, id));
	assert_int_equal(ioasid_find_by_spid_ref(NULL, 5, false), id);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_find_spid(id), INVALID_IOASID);
	ioasid_free(NULL, id);
}

static void count(ioasid_t id, void *data)
{
	(void)id;
	++*(int *)data;
}

static void sets(void **state)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 4, IOASID_SET_TYPE_NULL);
	int visited = 0;
	ioasid_t id;

	(void)state;
	assert_false(IS_ERR_OR_NULL(set));
	assert_int_equal(ioasid_adjust_set(set, 2), 0);
	id = ioasid_alloc(set, ANY, NULL);
	assert_ptr_equal(ioasid_find_set(id), set);
	assert_int_equal(ioasid_set_for_each_ioasid(set, count, &visited), 0);
	assert_int_equal(visited, 1);
	assert_int_equal(ioasid_set_free(set), -EBUSY);
	ioasid_free_all_in_set(set);
	assert_false(ioasid_is_active(id));

	ioasid_set_get(set);
	ioasid_set_get_locked(set);
	ioasid_set_put(set);
	ioasid_set_put_locked(set);
	assert_int_equal(ioasid_set_free(set), 0);
	assert_int_equal(ioasid_set_free(set), -EINVAL);
}

static void capacity(void **state)
{
	ioasid_t total = ioasid_get_capacity();
	int left = ioasid_reserve_capacity(0);

	(void)state;
	assert_int_equal(ioasid_reserve_capacity(10), 10);
	assert_int_equal(ioasid_cancel_capacity(10), left);
	assert_int_equal(ioasid_reserve_range(1, 5), 0);
	/* Refused: something is reserved. */
	ioasid_install_capacity(total / 2);
	assert_int_equal(ioasid_get_capacity(), total);
	assert_true(ioasid_next_range(0, NULL, NULL));
	assert_int_equal(ioasid_cancel_range(1, 5), 0);
}

static ioasid_t custom_alloc(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	return min;
}

static void custom_free(ioasid_t id, void *data)
{
	*(ioasid_t *)data = id;
}

static void allocators(void **state)
{
	ioasid_t freed = INVALID_IOASID, id;
	struct ioasid_allocator_ops ops = {
		.alloc = custom_alloc,
		.free = custom_free,
		.pdata = &freed,
	};

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	id = ioasid_alloc(NULL, 0x80000000, INVALID_IOASID - 1, NULL);
	assert_int_equal(id, 0x80000000);
	ioasid_free(NULL, id);
	assert_int_equal(freed, id);
	ioasid_unregister_allocator(&ops);
	assert_int_equal(ioasid_alloc(NULL, id, id, NULL), INVALID_IOASID);
}

static int heard(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)data;
	function_called();
	check_expected(event);
	return NOTIFY_OK;
}

static void expect_event(enum ioasid_notify_val event)
{
	expect_function_call(heard);
	expect_value(heard, event, event);
}

static void events(void **state)
{
	struct notifier_block all = { .notifier_call = heard };
	struct notifier_block one = { .notifier_call = heard };
	struct mm_struct *mm = (struct mm_struct *)&all; /* a token, never followed */
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &one), 0);
	set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);
	assert_ptr_equal(ioasid_find_mm_set(mm), set);
	expect_event(IOASID_NOTIFY_ALLOC);
	id = ioasid_alloc(set, ANY, NULL);
	ioasid_unregister_notifier_mm(mm, &one);

	expect_event(IOASID_NOTIFY_ALLOC);
	assert_int_equal(ioasid_register_notifier_replay(set, &one), 0);
	assert_int_equal(ioasid_register_notifier(NULL, &all), 0);
	expect_event(IOASID_NOTIFY_BIND);
	assert_int_equal(ioasid_notify(id, IOASID_NOTIFY_BIND, IOASID_NOTIFY_FLAG_SET), 0);
	ioasid_unregister_notifier(set, &one);
	expect_event(IOASID_NOTIFY_FREE);
	ioasid_free(set, id);
	ioasid_unregister_notifier(NULL, &all);
	ioasid_set_put(set);
	assert_null(ioasid_find_mm_set(mm));
}

static void log_line(void *data, int level, const char *line)
{
	assert_int_equal(level, IOASID_LOG_WARNING);
	assert_string_equal(line, "seven 7");
	++*(int *)data;
}

static void logging(void **state)
{
	struct ioasid_ratelimit_state limit = { .interval_ms = 60000, .burst = 1 };
	int lines = 0, level = ioasid_set_log_level(IOASID_LOG_WARNING);

	(void)state;
	assert_int_equal(ioasid_set_log(log_line, &lines), 0);
	assert_int_equal(ioasid_printk("seven %d\n", 7), 7);
	assert_int_equal(lines, 1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(ioasid_set_log_level(level), IOASID_LOG_WARNING);
	assert_true(ioasid_ratelimit(&limit));
	assert_false(ioasid_ratelimit(&limit));
}

static void looking_inside(void **state)
{
	FILE *out = tmpfile();
	struct ioasid_stats stats;
	ioasid_t id = ioasid_alloc(NULL, ANY, NULL);
	struct ioasid_refused why;

	(void)state;
	assert_non_null(out);
	ioasid_get_stats(&stats);
	assert_int_equal(stats.live, 1);
	assert_string_equal(ioasid_refusal_name(IOASID_REFUSED_NR), "unknown");
	ioasid_get(NULL, INVALID_IOASID);
	assert_true(ioasid_last_refusal(&why));
	assert_true(ioasid_strrefusal(&why, NULL, 0) > 0);
	assert_int_equal(ioasid_set_name(NULL, "host"), 0);
	assert_int_equal(ioasid_history_start(), 0);
	assert_int_equal(ioasid_get_tagged(NULL, id, &id), 0);
	assert_false(ioasid_put_tagged(NULL, id, &id));
	assert_int_equal(ioasid_report_leaks(out), 1);
	ioasid_history_stop();
	assert_int_equal(ioasid_set_name(NULL, NULL), 0);

	assert_int_equal(ioasid_dump(out), 0);
	assert_int_equal(ioasid_dump_dot(out), 0);
	assert_int_equal(ioasid_trace_start(out), 0);
	assert_int_equal(ioasid_trace_start(out), -EBUSY);
	ioasid_free(NULL, id);
	ioasid_trace_stop();
	assert_true(ftell(out) > 0);
	fclose(out);
	ioasid_fail_nth(0);
	assert_int_equal(ioasid_reset(NULL), 0);
}

static void address_spaces(void **state)
{
	struct mm_struct *process = current->mm, *mm = mm_alloc();
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	assert_non_null(mm);
	set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);
	assert_false(IS_ERR(set));
	id = ioasid_alloc(set, ANY, NULL);
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	current->mm = mm;
	assert_int_equal(ioasid_get_if_owned(id), 0);
	current->mm = process;
	assert_false(ioasid_put(set, id));
	ioasid_set_put(set);

	mm_pasid_set(mm, ioasid_alloc(NULL, ANY, NULL));
	id = mm->pasid;
	mmgrab(mm);
	mmput(mm);
	assert_false(ioasid_is_active(id));
	mmdrop(mm);
}

static struct work_struct first, second;
static int runs;

static void run(struct work_struct *work)
{
	(void)work;
	runs++;
}

/* The queue's thread writes runs; flushing orders that before the reads here. */
static void work(void **state)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("prototypes", 0);

	(void)state;
	assert_non_null(wq);
	INIT_WORK(&first, run);
	INIT_WORK(&second, run);
	assert_true(queue_work(wq, &first));
	flush_workqueue(wq);
	assert_int_equal(runs, 1);
	assert_false(cancel_work_sync(&first));
	destroy_workqueue(wq);

	assert_true(schedule_work(&first));
	flush_work(&first);
	assert_true(ioasid_queue_work(&second));
	flush_work(&second);
	assert_int_equal(runs, 3);
}

struct record {
	struct rcu_head rcu;
	bool called;
};

static void note_call(struct rcu_head *head)
{
	container_of(head, struct record, rcu)->called = true;
}

static void read_copy_update(void **state)
{
	struct record *record = kmalloc(sizeof(*record), GFP_KERNEL), other = { .called = false };

	(void)state;
	assert_non_null(record);
	rcu_read_lock();
	assert_true(rcu_read_lock_held());
	rcu_read_unlock();
	assert_false(rcu_read_lock_held());
	assert_ptr_equal(ioasid_rcu_view(), ioasid_rcu_view());
	synchronize_rcu();
	kfree_rcu(record, rcu);
	call_rcu(&other.rcu, note_call);
	rcu_barrier();
	assert_true(other.called);
}

/* What libioasid-kernel calls a set's maker by, and no version is bound to: it is the same function. */
struct ioasid_set *ioasid_api_set_alloc(void *token, ioasid_t quota, int type);

static void second_names(void **state)
{
	struct ioasid_set *set = ioasid_api_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL);

	(void)state;
	assert_false(ioasid_is_err(set));
	ioasid_set_put(set);
	assert_ptr_equal(ioasid_api_set_alloc, ioasid_set_alloc);
}

static void a_group(void **state)
{
	int (*charge)(struct ioasid_set * set) = ioasid_cg_charge;
	void (*uncharge)(struct ioasid_set * set) = ioasid_cg_uncharge;

	(void)state;
	assert_int_equal(charge(NULL), 0);
	uncharge(NULL);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(overloads),
		cmocka_unit_test(spids),
		cmocka_unit_test(sets),
		cmocka_unit_test(capacity),
		cmocka_unit_test(allocators),
		cmocka_unit_test(events),
		cmocka_unit_test(logging),
		cmocka_unit_test(looking_inside),
		cmocka_unit_test(address_spaces),
		cmocka_unit_test(work),
		cmocka_unit_test(read_copy_update),
		cmocka_unit_test(second_names),
		cmocka_unit_test(a_group),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
