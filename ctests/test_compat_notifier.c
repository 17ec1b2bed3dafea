/* SPDX-License-Identifier: MIT */
/* <linux/notifier.h>: order, stops, and removal while a chain is walked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <linux/kernel.h>
#include <linux/notifier.h>

struct subscriber {
	struct notifier_block nb;
	int number;
	int answer;
};

static RAW_NOTIFIER_HEAD(raw);
static ATOMIC_NOTIFIER_HEAD(atomic);
static BLOCKING_NOTIFIER_HEAD(blocking);

/* @data collects the numbers of those who were told, as one decimal number. */
static int tell(struct notifier_block *nb, unsigned long action, void *data)
{
	struct subscriber *me = container_of(nb, struct subscriber, nb);

	assert_int_equal(action, 5);
	*(int *)data = *(int *)data * 10 + me->number;
	return me->answer;
}

static struct subscriber make(int number, int priority, int answer)
{
	return (struct subscriber){ { tell, NULL, priority }, number, answer };
}

static void errors_survive_the_packing(void **state)
{
	(void)state;
	assert_int_equal(notifier_from_errno(0), NOTIFY_OK);
	assert_true(notifier_from_errno(-EBUSY) & NOTIFY_STOP_MASK);
	for (int err = 0; err > -600; err--)
		assert_int_equal(notifier_to_errno(notifier_from_errno(err)), err);
	assert_int_equal(notifier_to_errno(NOTIFY_DONE), 0);
	assert_int_equal(notifier_to_errno(NOTIFY_STOP), 0);
	assert_int_equal(notifier_to_errno(NOTIFY_BAD), -EPERM);
}

static void priority_then_order_of_registration(void **state)
{
	struct subscriber a = make(1, 0, NOTIFY_OK), b = make(2, 5, NOTIFY_DONE);
	struct subscriber c = make(3, 0, NOTIFY_OK), d = make(4, 5, NOTIFY_OK);
	int told = 0;

	(void)state;
	assert_int_equal(raw_notifier_chain_register(&raw, &a.nb), 0);
	assert_int_equal(raw_notifier_chain_register(&raw, &b.nb), 0);
	assert_int_equal(raw_notifier_chain_register(&raw, &c.nb), 0);
	assert_int_equal(raw_notifier_chain_register(&raw, &d.nb), 0);
	assert_int_equal(raw_notifier_call_chain(&raw, 5, &told), NOTIFY_OK);
	assert_int_equal(told, 2413);
	raw_notifier_chain_unregister(&raw, &b.nb);
	raw_notifier_chain_unregister(&raw, &c.nb);
	told = 0;
	raw_notifier_call_chain(&raw, 5, &told);
	assert_int_equal(told, 41);
	RAW_INIT_NOTIFIER_HEAD(&raw);
	assert_int_equal(raw_notifier_call_chain(&raw, 5, &told), NOTIFY_DONE);
}

static void a_stop_ends_the_walk(void **state)
{
	struct subscriber a = make(1, 2, NOTIFY_OK), b = make(2, 1, NOTIFY_BAD);
	struct subscriber c = make(3, 0, NOTIFY_OK);
	int told = 0;

	(void)state;
	blocking_notifier_chain_register(&blocking, &c.nb);
	blocking_notifier_chain_register(&blocking, &b.nb);
	blocking_notifier_chain_register(&blocking, &a.nb);
	assert_int_equal(blocking_notifier_call_chain(&blocking, 5, &told), NOTIFY_BAD);
	assert_int_equal(told, 12);
	blocking_notifier_chain_unregister(&blocking, &b.nb);
	told = 0;
	assert_int_equal(blocking_notifier_call_chain(&blocking, 5, &told), NOTIFY_OK);
	assert_int_equal(told, 13);
	blocking_notifier_chain_unregister(&blocking, &a.nb);
	blocking_notifier_chain_unregister(&blocking, &c.nb);
}

static void twice_and_never_are_errors(void **state)
{
	struct subscriber a = make(1, 0, NOTIFY_OK), b = make(2, 9, NOTIFY_OK);
	int told = 0;

	(void)state;
	assert_int_equal(atomic_notifier_chain_unregister(&atomic, &a.nb), -ENOENT);
	assert_int_equal(atomic_notifier_chain_register(&atomic, &a.nb), 0);
	assert_int_equal(atomic_notifier_chain_register(&atomic, &b.nb), 0);
	a.nb.priority = 20;
	assert_int_equal(atomic_notifier_chain_register(&atomic, &a.nb), -EEXIST);
	atomic_notifier_call_chain(&atomic, 5, &told);
	assert_int_equal(told, 21);
	assert_int_equal(atomic_notifier_chain_unregister(&atomic, &a.nb), 0);
	assert_int_equal(atomic_notifier_chain_unregister(&atomic, &b.nb), 0);
}

static int leave_raw(struct notifier_block *nb, unsigned long action, void *data)
{
	raw_notifier_chain_unregister(&raw, nb);
	return tell(nb, action, data);
}

static void a_handler_may_leave_a_raw_chain(void **state)
{
	struct subscriber a = make(1, 1, NOTIFY_OK), b = make(2, 0, NOTIFY_OK);
	int told = 0;

	(void)state;
	a.nb.notifier_call = leave_raw;
	raw_notifier_chain_register(&raw, &a.nb);
	raw_notifier_chain_register(&raw, &b.nb);
	raw_notifier_call_chain(&raw, 5, &told);
	raw_notifier_call_chain(&raw, 5, &told);
	assert_int_equal(told, 122);
	raw_notifier_chain_unregister(&raw, &b.nb);
}

static int leave_atomic(struct notifier_block *nb, unsigned long action, void *data)
{
	assert_int_equal(atomic_notifier_chain_unregister(&atomic, nb), -EDEADLK);
	return tell(nb, action, data);
}

static void a_handler_that_leaves_an_atomic_chain_does_not_hang(void **state)
{
	struct subscriber a = make(1, 1, NOTIFY_OK);
	int told = 0;

	(void)state;
	a.nb.notifier_call = leave_atomic;
	atomic_notifier_chain_register(&atomic, &a.nb);
	atomic_notifier_call_chain(&atomic, 5, &told);
	assert_int_equal(told, 1);
	assert_int_equal(atomic_notifier_chain_unregister(&atomic, &a.nb), 0);
}

static bool stop_calling;

static int touch(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)action;
	(void)data;
	container_of(nb, struct subscriber, nb)->number++;
	return NOTIFY_OK;
}

static void *call_for_ever(void *unused)
{
	(void)unused;
	while (!READ_ONCE(stop_calling))
		atomic_notifier_call_chain(&atomic, 5, NULL);
	return NULL;
}

/* TSan and ASan are the judges: the block's memory is reused at once. */
static void a_block_that_left_an_atomic_chain_is_not_running(void **state)
{
	pthread_t caller;

	(void)state;
	assert_int_equal(pthread_create(&caller, NULL, call_for_ever, NULL), 0);
	for (int i = 0; i < 200; i++) {
		struct subscriber a = make(0, i % 3, NOTIFY_OK);
		int seen;

		a.nb.notifier_call = touch;
		assert_int_equal(atomic_notifier_chain_register(&atomic, &a.nb), 0);
		assert_int_equal(atomic_notifier_chain_unregister(&atomic, &a.nb), 0);
		seen = a.number;
		a.number = 0;
		assert_true(seen >= 0);
	}
	WRITE_ONCE(stop_calling, true);
	pthread_join(caller, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_survive_the_packing),
		cmocka_unit_test(priority_then_order_of_registration),
		cmocka_unit_test(a_stop_ends_the_walk),
		cmocka_unit_test(twice_and_never_are_errors),
		cmocka_unit_test(a_handler_may_leave_a_raw_chain),
		cmocka_unit_test(a_handler_that_leaves_an_atomic_chain_does_not_hang),
		cmocka_unit_test(a_block_that_left_an_atomic_chain_is_not_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
