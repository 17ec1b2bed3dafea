/* SPDX-License-Identifier: MIT */
/* Pins what compiled programs rely on: sizes, offsets and values of the public headers, 64-bit. */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <linux/ioasid.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

/* Changing a number here means a new soname. */
#define PIN(type, member, offset) assert_int_equal(offsetof(struct type, member), offset)
#define PIN_SIZE(type, size) assert_int_equal(sizeof(struct type), size)

static void sets(void **state)
{
	(void)state;
	PIN_SIZE(ioasid_set, 24);
	PIN(ioasid_set, token, 0);
	PIN(ioasid_set, type, 8);
	PIN(ioasid_set, quota, 12);
	PIN(ioasid_set, nr_ioasids, 16);
	PIN(ioasid_set, sid, 20);
	PIN(ioasid_set, id, 20);
	assert_int_equal(IOASID_SET_TYPE_NULL, 1);
	assert_int_equal(IOASID_SET_TYPE_MM, 2);
}

/* Compiled into programs by DECLARE_IOASID_SET(). */
static void declared_sets(void **state)
{
	static DECLARE_IOASID_SET(declared);

	(void)state;
	assert_ptr_equal(declared.token, &declared);
	assert_int_equal(declared.type, 0x494f4153);
}

static void allocators(void **state)
{
	(void)state;
	assert_int_equal(sizeof(ioasid_t), 4);
	assert_int_equal(INVALID_IOASID, 0xffffffff);
	PIN_SIZE(ioasid_allocator_ops, 40);
	PIN(ioasid_allocator_ops, alloc, 0);
	PIN(ioasid_allocator_ops, free, 8);
	PIN(ioasid_allocator_ops, list, 16);
	PIN(ioasid_allocator_ops, pdata, 32);
}

static void events(void **state)
{
	(void)state;
	PIN_SIZE(notifier_block, 24);
	PIN(notifier_block, notifier_call, 0);
	PIN(notifier_block, next, 8);
	PIN(notifier_block, priority, 16);
	PIN_SIZE(ioasid_nb_args, 24);
	PIN(ioasid_nb_args, id, 0);
	PIN(ioasid_nb_args, spid, 4);
	PIN(ioasid_nb_args, set, 8);
	PIN(ioasid_nb_args, pdata, 16);

	assert_int_equal(IOASID_NOTIFY_ALLOC, 1);
	assert_int_equal(IOASID_NOTIFY_FREE, 2);
	assert_int_equal(IOASID_NOTIFY_BIND, 3);
	assert_int_equal(IOASID_NOTIFY_UNBIND, 4);
	assert_int_equal(IOASID_NOTIFY_SET_ALLOC, 5);
	assert_int_equal(IOASID_NOTIFY_SET_FREE, 6);
	assert_int_equal(IOASID_NOTIFY_FLAG_ALL, 1);
	assert_int_equal(IOASID_NOTIFY_FLAG_SET, 2);
	assert_int_equal(IOASID_PRIO_LAST, 0);
	assert_int_equal(IOASID_PRIO_CPU, 3);
}

static void debugging(void **state)
{
	(void)state;
	assert_int_equal(IOASID_REFUSED_NR, 13);
	PIN_SIZE(ioasid_stats, (11 + 13) * 8);
	PIN_SIZE(ioasid_refused, 152);
	PIN(ioasid_refused, function, 16);
	PIN(ioasid_refused, set_name, 64);
	PIN(ioasid_refused, set, 96);
	PIN(ioasid_refused, asked, 120);
	PIN(ioasid_refused, address, 144);
	PIN(ioasid_stats, capacity, 0);
	PIN(ioasid_stats, memory, 80);
	PIN(ioasid_stats, refused, 88);
	PIN_SIZE(ioasid_ratelimit_state, 20);
}

/* Inlines of the compat headers, compiled into programs, reach into these. */
static void compat(void **state)
{
	(void)state;
	/* The C library's mutex inside has another size on each architecture. */
	PIN_SIZE(mm_struct, 184 - 40 + sizeof(pthread_mutex_t));
	PIN(mm_struct, mm_users, 0);
	PIN(mm_struct, mm_count, 4);
	PIN(mm_struct, pasid, 8);
	PIN(mm_struct, stored, 12);
	PIN(mm_struct, pgd, 16);
	PIN_SIZE(task_struct, 16);
	PIN(task_struct, mm, 0);
	PIN(task_struct, pid, 8);
	PIN_SIZE(work_struct, 40);
	PIN(work_struct, entry, 0);
	PIN(work_struct, func, 16);
	PIN(work_struct, wq, 24);
	PIN(work_struct, ticket, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),	      cmocka_unit_test(declared_sets),
		cmocka_unit_test(allocators), cmocka_unit_test(events),
		cmocka_unit_test(debugging),  cmocka_unit_test(compat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
