/* SPDX-License-Identifier: MIT */
/* The child of fork() beside threads that are inside the helpers: no lock of the library's is left to them. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/completion.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "support.h"

#define PAGE(n) ((unsigned long)(n) << PAGE_SHIFT)

/* A child that hangs is killed, and then its end is not 0. */
static int end_of_child(bool (*child)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		alarm(30);
		_exit(child() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ---- Arrays ---- */

static DEFINE_IDA(ida);
static DEFINE_XARRAY_ALLOC(array);
static DEFINE_XARRAY(held);
static bool stop;

/* Nodes come and go now and then only: those that went wait for a grace period, and fork() copies them. */
static void *change_arrays(void *unused)
{
	u32 at;

	for (unsigned int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		int id = ida_alloc(&ida, GFP_KERNEL);

		if (xa_alloc(&array, &at, &at, xa_limit_32b, GFP_KERNEL) == 0)
			xa_erase(&array, at);
		if (i % 64 == 0) {
			xa_store(&array, 1u << 30, &at, GFP_KERNEL);
			xa_erase(&array, 1u << 30);
			/* Or, under valgrind, more nodes go than are freed, and a child looks at them all. */
			usleep(1000);
		}
		ida_free(&ida, (unsigned int)id);
	}
	return unused;
}

static bool changes_arrays(void)
{
	int id = ida_alloc(&ida, GFP_KERNEL);
	unsigned long index;
	unsigned int count = 0;
	void *entry;
	u32 at;

	if (id < 0 || xa_alloc(&array, &at, &at, xa_limit_32b, GFP_KERNEL))
		return false;
	ida_free(&ida, (unsigned int)id);
	/* Nothing of the others is half done: what is found is one of theirs, or ours. */
	xa_for_each(&array, index, entry) count++;
	xa_destroy(&array);
	ida_destroy(&ida);
	return count >= 1 && count <= 5 && xa_empty(&array) && ida_is_empty(&ida);
}

static void a_child_changes_the_arrays_that_others_were_in(void **state)
{
	pthread_t threads[2];

	const char *why = no_threads_after_fork();

	(void)state;
	if (why) /* freeing starts one */
		skip_because(why);
	stop = false;
	assert_int_equal(ida_alloc(&ida, GFP_KERNEL), 0);
	assert_null(xa_store(&array, 0, &ida, GFP_KERNEL));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, change_arrays, NULL), 0);
	for (unsigned int i = 0; i < loops(100); i++)
		assert_int_equal(end_of_child(changes_arrays), 0);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	xa_destroy(&array);
	ida_destroy(&ida);
}

/* What a program has taken with xa_lock() keeps the others out, and they get in when it is given back. */
static void *store_one(void *entry)
{
	assert_null(xa_store(&held, 7, entry, GFP_KERNEL));
	return NULL;
}

static bool has_nothing_at_seven(void)
{
	return !xa_load(&held, 7);
}

static void a_lock_of_the_programs_keeps_changes_out(void **state)
{
	pthread_t thread;
	int entry;

	(void)state;
	xa_lock(&held);
	assert_int_equal(pthread_create(&thread, NULL, store_one, &entry), 0);
	usleep(20000);
	assert_null(xa_load(&held, 7));
	assert_null(__xa_store(&held, 8, &entry, GFP_KERNEL));
	/* Nobody waits inside. */
	assert_int_equal(end_of_child(has_nothing_at_seven), 0);
	xa_unlock(&held);
	pthread_join(thread, NULL);
	assert_ptr_equal(xa_load(&held, 7), &entry);
	xa_destroy(&held);
}

/* A warning comes when the lock is given back: a sink may use arrays itself. */
static unsigned int lines;

static void store_in_the_sink(void *data, int level, const char *line)
{
	(void)level;
	(void)line;
	assert_null(xa_store(data, ++lines, data, GFP_KERNEL));
}

static void a_sink_may_change_the_array_that_is_complained_of(void **state)
{
	u32 at;

	(void)state;
	lines = 0;
	ioasid_set_log(store_in_the_sink, &held);
	assert_int_equal(xa_alloc(&held, &at, &at, xa_limit_32b, GFP_KERNEL), -EINVAL);
	assert_int_equal(xa_err(xa_store(&held, 0, (void *)2, GFP_KERNEL)), -EINVAL);
	ioasid_set_log(NULL, NULL);
	assert_int_equal(lines, 2);
	assert_ptr_equal(xa_load(&held, 2), &held);
	xa_destroy(&held);
}

/* ---- Address spaces ---- */

static struct mm_struct *mm;
static struct completion is_in, may_go;

static bool changes_areas(void)
{
	struct mmu_notifier_range range;
	bool found;

	if (ioasid_mm_map(mm, PAGE(100), PAGE(101), VM_READ, NULL, NULL) ||
	    ioasid_mm_unmap(mm, PAGE(100), PAGE(101)))
		return false;
	mmap_write_lock(mm);
	mmap_write_downgrade(mm);
	found = vma_lookup(mm, PAGE(1)) != NULL;
	mmap_read_unlock(mm);
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, NULL, mm, PAGE(1), PAGE(2));
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
	return found;
}

static void *write_lock(void *unused)
{
	mmap_write_lock(mm);
	complete(&is_in);
	wait_for_completion(&may_go);
	mmap_write_unlock(mm);
	return unused;
}

static void *read_lock(void *unused)
{
	mmap_read_lock(mm);
	complete(&is_in);
	wait_for_completion(&may_go);
	mmap_read_unlock(mm);
	return unused;
}

static void wait_in_close(struct vm_area_struct *area)
{
	(void)area;
	complete(&is_in);
	wait_for_completion(&may_go);
}

static const struct vm_operations_struct closing = { .close = wait_in_close };

static void *unmap(void *unused)
{
	assert_int_equal(ioasid_mm_map(mm, PAGE(50), PAGE(51), VM_READ, &closing, NULL), 0);
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(50), PAGE(51)), 0);
	return unused;
}

static struct mmu_notifier got;

static struct mmu_notifier *alloc_slowly(struct mm_struct *its_mm)
{
	(void)its_mm;
	complete(&is_in);
	wait_for_completion(&may_go);
	return &got;
}

static void free_got(struct mmu_notifier *mn)
{
	(void)mn;
}

static const struct mmu_notifier_ops slow_ops = { .alloc_notifier = alloc_slowly,
						  .free_notifier = free_got };

static void *get_notifier(void *unused)
{
	struct mmu_notifier *mn = mmu_notifier_get(&slow_ops, mm);

	assert_ptr_equal(mn, &got);
	mmu_notifier_put(mn);
	mmu_notifier_synchronize();
	return unused;
}

static void a_child_has_the_locks_of_address_spaces_for_itself(void **state)
{
	void *(*const others[])(void *) = { write_lock, read_lock, unmap, get_notifier };

	(void)state;
	mm = mm_alloc();
	assert_int_equal(ioasid_mm_map(mm, PAGE(1), PAGE(3), VM_READ, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		pthread_t thread;

		init_completion(&is_in);
		init_completion(&may_go);
		assert_int_equal(pthread_create(&thread, NULL, others[i], NULL), 0);
		wait_for_completion(&is_in);
		assert_int_equal(end_of_child(changes_areas), 0);
		complete(&may_go);
		pthread_join(thread, NULL);
	}
	mmput(mm);
}

static bool still_has_the_lock(void)
{
	bool has = rwsem_is_write_locked(&mm->mmap_lock) && !mmap_write_trylock(mm);

	mmap_write_unlock(mm);
	return has && changes_areas();
}

static bool gives_back_what_it_read(void)
{
	mmap_read_unlock(mm);
	return !rwsem_is_locked(&mm->mmap_lock) && changes_areas();
}

static void the_thread_that_forks_keeps_its_own_lock(void **state)
{
	(void)state;
	ioasid_set_log_level(-1);
	mm = current->mm;
	for (int i = 0; i < 2; i++) {
		if (i)
			mm = mm_alloc();
		mmap_write_lock(mm);
		assert_int_equal(ioasid_mm_map(mm, PAGE(1), PAGE(1), 0, NULL, NULL), -EINVAL);
		mmap_write_unlock(mm);
	}
	assert_int_equal(ioasid_mm_map(mm, PAGE(1), PAGE(3), VM_READ, NULL, NULL), 0);
	mmap_write_lock(mm);
	assert_int_equal(end_of_child(still_has_the_lock), 0);
	mmap_write_unlock(mm);
	mmap_read_lock(mm);
	assert_int_equal(end_of_child(gives_back_what_it_read), 0);
	mmap_read_unlock(mm);
	mmput(mm);
	ioasid_set_log_level(IOASID_LOG_WARNING);
}

/* Given back by nobody, it is still there for the next. */
static void a_semaphore_is_given_back_once(void **state)
{
	DECLARE_RWSEM(sem);

	(void)state;
	ioasid_set_log_level(-1);
	up_read(&sem);
	up_write(&sem);
	downgrade_write(&sem);
	assert_false(rwsem_is_locked(&sem));
	down_read(&sem);
	up_write(&sem);
	assert_true(rwsem_is_locked(&sem));
	up_read(&sem);
	assert_true(down_write_trylock(&sem));
	up_read(&sem);
	assert_true(rwsem_is_write_locked(&sem));
	up_write(&sem);
	ioasid_set_log_level(IOASID_LOG_WARNING);
}

static struct mmu_notifier of_the_process;
static const struct mmu_notifier_ops no_functions;

static bool registers_anew(void)
{
	bool ok = !mm_has_notifiers(current->mm) &&
		  mmu_notifier_register(&of_the_process, current->mm) == 0;

	mmu_notifier_unregister(&of_the_process, current->mm);
	return ok;
}

static void a_child_registers_its_notifiers_anew(void **state)
{
	(void)state;
	of_the_process.ops = &no_functions;
	assert_int_equal(mmu_notifier_register(&of_the_process, current->mm), 0);
	assert_int_equal(end_of_child(registers_anew), 0);
	mmu_notifier_unregister(&of_the_process, current->mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_changes_the_arrays_that_others_were_in),
		cmocka_unit_test(a_lock_of_the_programs_keeps_changes_out),
		cmocka_unit_test(a_sink_may_change_the_array_that_is_complained_of),
		cmocka_unit_test(a_child_has_the_locks_of_address_spaces_for_itself),
		cmocka_unit_test(the_thread_that_forks_keeps_its_own_lock),
		cmocka_unit_test(a_semaphore_is_given_back_once),
		cmocka_unit_test(a_child_registers_its_notifiers_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
