/* SPDX-License-Identifier: MIT */
/* A program of its own kind: own address spaces, own names, nothing of the kernel's helpers. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/ioasid-hooks.h>
#include <linux/ioasid-rcu.h>
#include <linux/ioasid.h>

/* Names that kernel headers would have taken. */
struct list_head {
	int of_ours;
};
typedef unsigned short u64;
struct mm_struct {
	int pins;
};

static struct mm_struct spaces[2], *current;
static int before, after_parent, after_child;

static bool pin(struct mm_struct *mm)
{
	if (mm != &spaces[0] && mm != &spaces[1])
		return false;
	mm->pins++;
	return true;
}

static void unpin(struct mm_struct *mm)
{
	mm->pins--;
}

static const struct mm_struct *current_mm(void)
{
	return current;
}

static void before_fork(void)
{
	before++;
}

static void after_fork(bool in_child)
{
	if (in_child)
		after_child++;
	else
		after_parent++;
}

static const struct ioasid_hooks hooks = { pin, unpin, current_mm, before_fork, after_fork };

static void only_whole_hooks_are_installed_and_once(void **state)
{
	(void)state;
	assert_int_equal(ioasid_install_hooks(NULL), -EINVAL);
	for (size_t missing = 0; missing < sizeof(hooks) / sizeof(void *); missing++) {
		struct ioasid_hooks part = hooks;

		memset((void **)&part + missing, 0, sizeof(void *));
		assert_int_equal(ioasid_install_hooks(&part), -EINVAL);
	}
	assert_int_equal(ioasid_install_hooks(&hooks), 0);
	assert_int_equal(ioasid_install_hooks(&hooks), -EBUSY);
}

static void a_set_pins_its_space_and_a_thread_owns_what_is_current(void **state)
{
	struct ioasid_set *set = ioasid_set_alloc(&spaces[0], 0, IOASID_SET_TYPE_MM);
	int foreign;
	struct ioasid_set *other = ioasid_set_alloc(&foreign, 0, IOASID_SET_TYPE_MM);
	ioasid_t id;

	(void)state;
	assert_false(ioasid_is_err(set));
	assert_false(ioasid_is_err(other));
	assert_int_equal(spaces[0].pins, 1);
	assert_ptr_equal(ioasid_find_mm_set(&spaces[0]), set);
	id = ioasid_alloc(set, 1, 10, NULL);
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	current = &spaces[1];
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	current = &spaces[0];
	assert_int_equal(ioasid_get_if_owned(id), 0);
	assert_false(ioasid_put(set, id));
	ioasid_free(set, id);
	ioasid_set_put(set);
	ioasid_set_put(other);
	assert_int_equal(spaces[0].pins, 0);
}

static void fork_asks_before_and_after(void **state)
{
	int was = before, status;
	pid_t child = fork();

	(void)state;
	if (!child)
		_exit(after_child == 1 && before == was + 1 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(before, was + 1);
	assert_int_equal(after_parent, 1);
	assert_int_equal(after_child, 0);
}

static void *number(void *life)
{
	return (void *)(uintptr_t)ioasid_thread(life);
}

static void a_number_has_another_life_for_each_thread(void **state)
{
	unsigned int mine, theirs, next;
	unsigned int me = ioasid_thread(&mine);
	void *one, *other;
	pthread_t thread;

	(void)state;
	assert_in_range(me, 1, IOASID_THREADS - 1);
	assert_int_equal(ioasid_thread(NULL), me);
	assert_int_equal(pthread_create(&thread, NULL, number, &theirs), 0);
	pthread_join(thread, &one);
	assert_int_not_equal((uintptr_t)one, me);
	assert_int_equal(pthread_create(&thread, NULL, number, &next), 0);
	pthread_join(thread, &other);
	assert_true(one != other || theirs != next);
}

static bool could_wait;

static int note(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	(void)data;
	could_wait = ioasid_may_wait();
	return NOTIFY_OK;
}

static void nobody_may_wait_in_sections_and_handlers(void **state)
{
	struct notifier_block nb = { note, NULL, 0 };
	ioasid_t id;

	(void)state;
	assert_true(ioasid_may_wait());
	ioasid_rcu_read_lock();
	assert_false(ioasid_may_wait());
	ioasid_rcu_read_unlock();
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	id = ioasid_alloc(NULL, 1, 10, NULL);
	could_wait = true;
	ioasid_free(NULL, id);
	assert_false(could_wait);
	assert_true(ioasid_may_wait());
	ioasid_unregister_notifier(NULL, &nb);
}

static void pointers_that_stand_for_errors_are_told(void **state)
{
	int here = 0;

	(void)state;
	assert_true(ioasid_is_err(ioasid_find(NULL, 77, NULL)));
	assert_int_equal(ioasid_err(ioasid_find(NULL, 77, NULL)), -ENOENT);
	assert_int_equal(ioasid_err(ioasid_set_alloc(NULL, 0, 99)), -EINVAL);
	assert_false(ioasid_is_err(&here));
	assert_int_equal(ioasid_err(&here), 0);
	assert_false(ioasid_is_err(NULL));
	assert_true(ioasid_is_err((void *)(intptr_t)-4095));
	assert_false(ioasid_is_err((void *)(intptr_t)-4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_hooks_are_installed_and_once),
		cmocka_unit_test(a_set_pins_its_space_and_a_thread_owns_what_is_current),
		cmocka_unit_test(fork_asks_before_and_after),
		cmocka_unit_test(a_number_has_another_life_for_each_thread),
		cmocka_unit_test(nobody_may_wait_in_sections_and_handlers),
		cmocka_unit_test(pointers_that_stand_for_errors_are_told),
	};

	(void)sizeof(u64);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
