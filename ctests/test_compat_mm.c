/* SPDX-License-Identifier: MIT */
/* Address spaces: users and references, the PASID that goes with the last user, pins, current. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/ioasid.h>
#include <linux/rcupdate.h>
#include <linux/ioasid-kernel.h>
#include <linux/sched/mm.h>

#define ANY 1, INVALID_IOASID - 1

static bool get_user_of(void *mm)
{
	return mmget_not_zero(mm);
}

static void a_new_one_has_one_user_and_no_pasid(void **state)
{
	struct mm_struct *mm = mm_alloc();

	(void)state;
	assert_non_null(mm);
	assert_int_equal(atomic_read(&mm->mm_users), 1);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	assert_false(pasid_valid(mm->pasid));
	mmget(mm);
	mmput(mm);
	assert_true(mmget_not_zero(mm));
	mmput(mm);
	mmput(mm);
	assert_false(mmget_not_zero(mm));
}

static void the_last_user_takes_the_pasid_along(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(NULL, ANY, mm);

	(void)state;
	mm_pasid_set(mm, id);
	mmgrab(mm);
	assert_ptr_equal(ioasid_find(NULL, id, get_user_of), mm);
	mmput(mm);
	assert_true(ioasid_is_active(id));
	mmput(mm);
	assert_false(ioasid_is_active(id));
	assert_int_equal(PTR_ERR(ioasid_find(NULL, id, get_user_of)), -ENOENT);
	assert_false(pasid_valid(mm->pasid));
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	mmdrop(mm);
}

static void a_pasid_that_others_hold_is_found_no_more(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(NULL, ANY, mm);

	(void)state;
	mm_pasid_set(mm, id);
	assert_int_equal(ioasid_get(id), 0);
	mmput(mm);
	assert_null(ioasid_find(NULL, id, get_user_of));
	assert_true(ioasid_put(id));
}

/* Code of 5.11 to 5.17 takes 0 for none, stores and frees PASIDs itself. */
static void a_number_that_others_wrote_is_theirs(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t zero = ioasid_alloc(NULL, 0, 0, NULL), other = ioasid_alloc(NULL, ANY, NULL);

	(void)state;
	assert_int_equal(zero, 0);
	mm->pasid = zero;
	mmput(mm);
	assert_true(ioasid_is_active(zero));

	mm = mm_alloc();
	mm->pasid = other;
	mmput(mm);
	assert_true(ioasid_is_active(other));

	/* Stored, and written over: each is its own. */
	mm = mm_alloc();
	mm_pasid_set(mm, zero);
	mm->pasid = other;
	mmput(mm);
	assert_false(ioasid_is_active(zero));
	assert_true(ioasid_is_active(other));

	/* Stored, and taken back by who stored it: the number may be somebody else's by now. */
	mm = mm_alloc();
	mm_pasid_set(mm, other);
	mm->pasid = INVALID_IOASID;
	mmput(mm);
	assert_true(ioasid_is_active(other));
	mm = mm_alloc();
	mm_pasid_set(mm, other);
	mm_pasid_drop(mm);
	other = ioasid_alloc(NULL, other, other, NULL);
	assert_true(pasid_valid(other));
	mmput(mm);
	assert_true(ioasid_is_active(other));
	ioasid_free(other);
}

static void a_pasid_of_zero_goes_as_well(void **state)
{
	struct mm_struct *mm = mm_alloc();

	(void)state;
	mm_pasid_set(mm, ioasid_alloc(NULL, 0, 0, NULL));
	assert_int_equal(mm->pasid, 0);
	mmput(mm);
	assert_false(ioasid_is_active(0));
}

static void a_set_pins_its_mm(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);

	(void)state;
	assert_false(IS_ERR(set));
	assert_int_equal(atomic_read(&mm->mm_count), 2);
	mmput(mm);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	assert_ptr_equal(ioasid_find_mm_set(mm), set);
	ioasid_set_put(set);
	assert_int_equal(atomic_read(&mm->mm_count), 0);
}

/* Tokens that only look like an address space: inside the table but not live, or nowhere at all. */
static void foreign_tokens_are_never_followed(void **state)
{
	struct mm_struct *mm = mm_alloc();
	void *tokens[] = { (void *)16, (char *)mm + 4, mm, (void *)-16L };

	(void)state;
	mmput(mm);
	for (int i = 0; i < 4; i++) {
		struct ioasid_set *set = ioasid_set_alloc(tokens[i], 0, IOASID_SET_TYPE_MM);

		assert_false(IS_ERR(set));
		ioasid_set_put(set);
	}
	assert_int_equal(atomic_read(&mm->mm_count), 0);
}

static void a_structure_of_ones_own_works(void **state)
{
	struct mm_struct mm = {
		.mm_users = ATOMIC_INIT(1),
		.mm_count = ATOMIC_INIT(1),
		.pasid = INVALID_IOASID,
	};
	ioasid_t id = ioasid_alloc(NULL, ANY, &mm);

	(void)state;
	mm_pasid_set(&mm, id);
	mmput(&mm);
	assert_false(ioasid_is_active(id));
	assert_int_equal(atomic_read(&mm.mm_count), 0);
}

static void a_put_too_many_does_nothing(void **state)
{
	struct mm_struct *mm = mm_alloc();

	(void)state;
	ioasid_set_log_level(-1);
	mmput(mm);
	mmput(mm);
	mmdrop(mm);
	mmput(NULL);
	mmdrop(NULL);
	ioasid_set_log_level(4);
	assert_int_equal(atomic_read(&mm->mm_users), 0);
	assert_int_equal(atomic_read(&mm->mm_count), 0);
}

static bool is_one_of(const struct mm_struct *mm, struct mm_struct **made, int count)
{
	for (int i = 0; i < count; i++)
		if (made[i] == mm)
			return true;
	return false;
}

static void memory_comes_back_after_a_grace_period_only(void **state)
{
	static struct mm_struct *made[400];

	(void)state;
	rcu_read_lock();
	for (int i = 0; i < 400; i++) {
		made[i] = mm_alloc();
		assert_false(is_one_of(made[i], made, i));
		mmput(made[i]);
	}
	rcu_read_unlock();
	made[0] = mm_alloc();
	assert_true(is_one_of(made[0], made + 1, 399));
	mmput(made[0]);
}

static void fails_without_memory(void **state)
{
	struct mm_struct *mm = NULL;
	int made = 0;

	(void)state;
	/* Memory is made writable by the stretch: some allocation out of so many needs one. */
	rcu_read_lock();
	while (made++ < 5000) {
		ioasid_kernel_fail_nth(1);
		mm = mm_alloc();
		if (!mm)
			break;
		mmput(mm);
	}
	rcu_read_unlock();
	ioasid_kernel_fail_nth(0);
	assert_null(mm);
	mm = mm_alloc();
	assert_non_null(mm);
	mmput(mm);
}

/* The first test: once the process has its address space, it is not made again. */
static void a_thread_that_found_no_memory_asks_again(void **state)
{
	struct mm_struct *none;

	(void)state;
	ioasid_kernel_fail_nth(1);
	none = current->mm;
	ioasid_kernel_fail_nth(0);
	assert_null(none);
	assert_non_null(current->mm);
}

static void remember(void *line, int level, const char *text)
{
	(void)level;
	snprintf(line, 200, "%s", text);
}

/* This unit says nothing; then comes one of 5.18, and then one of 5.17. */
static void units_that_disagree_are_told(void **state)
{
	char line[200] = "";
	struct mm_struct *mm;

	(void)state;
	ioasid_set_log(remember, line);
	ioasid_mm_no_pasid(INVALID_IOASID);
	assert_string_equal(line, "");
	ioasid_mm_no_pasid(0);
	ioasid_set_log(NULL, NULL);
	assert_non_null(strstr(line, "has -1 for all of them"));
	mm = mm_alloc();
	assert_int_equal(mm->pasid, INVALID_IOASID);
	mmput(mm);
}

static void *look(void *mm)
{
	*(struct mm_struct **)mm = current->mm;
	assert_true(current->pid != current->tgid);
	current->mm = NULL;
	assert_null(current->mm);
	return NULL;
}

static void threads_share_the_mm_of_the_process_and_may_leave_it(void **state)
{
	struct mm_struct *theirs, *mm;
	pthread_t other;

	(void)state;
	assert_non_null(current->mm);
	assert_int_equal(current->pid, current->tgid);
	assert_int_equal(pthread_create(&other, NULL, look, &theirs), 0);
	pthread_join(other, NULL);
	assert_ptr_equal(theirs, current->mm);
	mm = get_task_mm(current);
	assert_ptr_equal(mm, current->mm);
	assert_int_equal(atomic_read(&mm->mm_users), 2);
	mmput(mm);
}

#define MANY_THREADS 200

static void *own_mm(void *mm)
{
	current->mm = mm;
	return current->mm == mm && current->pid == gettid() ? mm : NULL;
}

/* Threads come and go, and find nothing of those who had their place before. */
static void a_new_thread_begins_anew(void **state)
{
	struct mm_struct *mine = current->mm, *mm = mm_alloc(), *theirs;

	(void)state;
	for (int i = 0; i < MANY_THREADS; i++) {
		pthread_t other;
		void *result;

		assert_int_equal(pthread_create(&other, NULL, own_mm, mm), 0);
		pthread_join(other, &result);
		assert_ptr_equal(result, mm);
		assert_int_equal(pthread_create(&other, NULL, look, &theirs), 0);
		pthread_join(other, NULL);
		assert_ptr_equal(theirs, mine);
	}
	mmput(mm);
}

static void ownership_follows_current(void **state)
{
	struct mm_struct *mine = current->mm, *mm = mm_alloc();
	struct ioasid_set *set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);
	ioasid_t id = ioasid_alloc(set, ANY, NULL);

	(void)state;
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	current->mm = mm;
	assert_int_equal(ioasid_get_if_owned(id), 0);
	current->mm = mine;
	assert_false(ioasid_put(set, id));
	ioasid_set_put(set);
	mmput(mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_found_no_memory_asks_again),
		cmocka_unit_test(units_that_disagree_are_told),
		cmocka_unit_test(a_new_one_has_one_user_and_no_pasid),
		cmocka_unit_test(the_last_user_takes_the_pasid_along),
		cmocka_unit_test(a_pasid_that_others_hold_is_found_no_more),
		cmocka_unit_test(a_number_that_others_wrote_is_theirs),
		cmocka_unit_test(a_pasid_of_zero_goes_as_well),
		cmocka_unit_test(a_set_pins_its_mm),
		cmocka_unit_test(foreign_tokens_are_never_followed),
		cmocka_unit_test(a_structure_of_ones_own_works),
		cmocka_unit_test(a_put_too_many_does_nothing),
		cmocka_unit_test(memory_comes_back_after_a_grace_period_only),
		cmocka_unit_test(fails_without_memory),
		cmocka_unit_test(threads_share_the_mm_of_the_process_and_may_leave_it),
		cmocka_unit_test(a_new_thread_begins_anew),
		cmocka_unit_test(ownership_follows_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
