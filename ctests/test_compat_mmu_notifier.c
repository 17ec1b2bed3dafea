/* SPDX-License-Identifier: MIT */
/* Notifiers of address spaces, areas, faults: who is told what, once, and by whom it may go. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ioasid-kernel.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>

#include "support.h"

#define PAGE(n) ((unsigned long)(n) << PAGE_SHIFT)

struct watcher {
	struct mmu_notifier mn;
	unsigned int starts, ranges, ends, releases, frees;
	unsigned long start, end;
};

static struct watcher *watcher(struct mmu_notifier *mn)
{
	return container_of(mn, struct watcher, mn);
}

static int on_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct watcher *w = watcher(mn);

	assert_int_equal(w->starts, w->ends);
	assert_true(mmu_notifier_range_blockable(range));
	w->starts++;
	w->start = range->start;
	w->end = range->end;
	return 0;
}

static void on_range(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
		     unsigned long end_)
{
	struct watcher *w = watcher(mn);

	assert_ptr_equal(mn->mm, mm);
	w->ranges++;
	w->start = start;
	w->end = end_;
}

static void on_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	(void)range;
	watcher(mn)->ends++;
}

static void on_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	assert_ptr_equal(mn->mm, mm);
	watcher(mn)->releases++;
}

static const struct mmu_notifier_ops all_ops = {
	.release = on_release,
	.invalidate_range_start = on_start,
	.invalidate_range_end = on_end,
	.invalidate_range = on_range,
};

static void unmapping_is_told_before_and_after(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct watcher w = { .mn = { .ops = &all_ops } }, late = { .mn = { .ops = &all_ops } };

	(void)state;
	assert_false(mm_has_notifiers(mm));
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	assert_true(mm_has_notifiers(mm));
	assert_int_equal(atomic_read(&mm->mm_count), 2);
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(3), PAGE(5)), 0);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.ranges, 1);
	assert_int_equal(w.ends, 1);
	assert_int_equal(w.start, PAGE(3));
	assert_int_equal(w.end, PAGE(5));
	mmu_notifier_invalidate_range(mm, PAGE(7), PAGE(8));
	assert_int_equal(w.ranges, 2);
	assert_int_equal(w.ends, 1);
	/* The last user: once, and not for what has come to its own end. */
	assert_int_equal(mmu_notifier_register(&late.mn, mm), 0);
	mmu_notifier_unregister(&late.mn, mm);
	assert_int_equal(late.releases, 1);
	mmput(mm);
	assert_int_equal(w.releases, 1);
	assert_int_equal(late.releases, 1);
	mmu_notifier_unregister(&w.mn, mm);
	assert_int_equal(w.releases, 1);
	assert_int_equal(warnings, 0);
}

static void bad_arguments_have_results(void **state)
{
	struct mm_struct *mm = mm_alloc(), *gone = mm_alloc();
	struct watcher w = { .mn = { .ops = &all_ops } }, bare = { .mn = { .ops = NULL } };

	(void)state;
	mmgrab(gone);
	mmput(gone);
	assert_int_equal(mmu_notifier_register(NULL, mm), -EINVAL);
	assert_int_equal(mmu_notifier_register(&w.mn, NULL), -EINVAL);
	assert_int_equal(mmu_notifier_register(&bare.mn, mm), -EINVAL);
	assert_int_equal(mmu_notifier_register(&w.mn, gone), -EINVAL);
	mmdrop(gone);
	assert_int_equal(PTR_ERR(mmu_notifier_get(&all_ops, mm)), -EINVAL);
	assert_int_equal(PTR_ERR(mmu_notifier_get(NULL, mm)), -EINVAL);
	assert_int_equal(PTR_ERR(mmu_notifier_get(&all_ops, NULL)), -EINVAL);
	mmu_notifier_put(NULL);
	mmu_notifier_unregister(NULL, mm);
	mmu_notifier_unregister(&w.mn, mm);
	assert_true(warnings >= 9);
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	assert_int_equal(mmu_notifier_register(&w.mn, mm), -EEXIST);
	mmu_notifier_put(&w.mn);
	mmu_notifier_unregister(&w.mn, mm);
	mmu_notifier_unregister(&w.mn, mm);
	assert_int_equal(w.releases, 1);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	ioasid_mmu_start(NULL);
	mmu_notifier_invalidate_range_start(NULL);
	mmu_notifier_invalidate_range_end(NULL);
	mmu_notifier_invalidate_range(NULL, 0, PAGE(1));
	assert_false(mm_has_notifiers((struct mm_struct *)NULL));
	assert_false(mmu_notifier_range_blockable((struct mmu_notifier_range *)NULL));
	ioasid_mmu_end(NULL, true, true);
	mmput(mm);
}

/* It is on one list: on a second one it would take the others of the first along. */
static void one_notifier_has_one_address_space(void **state)
{
	struct mm_struct *mm = mm_alloc(), *second = mm_alloc();
	struct watcher w = { .mn.ops = &all_ops }, behind = { .mn.ops = &all_ops };
	struct mmu_notifier_range range;

	(void)state;
	assert_int_equal(mmu_notifier_register(&behind.mn, mm), 0);
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	assert_int_equal(mmu_notifier_register(&w.mn, second), -EEXIST);
	assert_int_equal(warnings, 1);
	assert_ptr_equal(w.mn.mm, mm);
	assert_false(mm_has_notifiers(second));
	assert_int_equal(atomic_read(&second->mm_count), 1);

	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, NULL, mm, PAGE(1), PAGE(2));
	mmu_notifier_invalidate_range_start(&range);
	mmu_notifier_invalidate_range_end(&range);
	assert_int_equal(w.starts, 1);
	assert_int_equal(behind.starts, 1);

	/* One that was told of the end, or unregistered, may be registered anew. */
	mmu_notifier_unregister(&w.mn, mm);
	assert_int_equal(mmu_notifier_register(&w.mn, second), 0);
	mmput(mm);
	mmu_notifier_unregister(&behind.mn, mm);
	assert_int_equal(mmu_notifier_register(&behind.mn, second), 0);
	mmu_notifier_unregister(&w.mn, second);
	mmu_notifier_unregister(&behind.mn, second);
	mmput(second);
	assert_int_equal(warnings, 1);
}

static struct watcher *only;

static struct mmu_notifier *give_only(struct mm_struct *mm)
{
	(void)mm;
	return &only->mn;
}

static void free_never(struct mmu_notifier *mn)
{
	watcher(mn)->frees++;
}

/* One that is in use is neither freed nor given other ops. */
static void a_notifier_that_is_registered_is_not_got_again(void **state)
{
	static const struct mmu_notifier_ops giving = { .alloc_notifier = give_only,
							.free_notifier = free_never };
	struct mm_struct *mm = mm_alloc();
	struct watcher w = { .mn.ops = &all_ops };

	(void)state;
	only = &w;
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	assert_int_equal(PTR_ERR(mmu_notifier_get(&giving, mm)), -EEXIST);
	assert_int_equal(w.frees, 0);
	assert_ptr_equal(w.mn.ops, &all_ops);
	mmu_notifier_unregister(&w.mn, mm);
	assert_int_equal(w.releases, 1);
	mmput(mm);
}

/* ---- Those that are got and put ---- */

static struct watcher *made;
static unsigned int frees;
static int alloc_error;

static struct mmu_notifier *alloc_watcher(struct mm_struct *mm)
{
	(void)mm;
	if (alloc_error)
		return alloc_error == 1 ? NULL : ERR_PTR(-EBUSY);
	made = kzalloc(sizeof(*made), GFP_KERNEL);
	return &made->mn;
}

static void free_watcher(struct mmu_notifier *mn)
{
	kfree(watcher(mn));
	__atomic_add_fetch(&frees, 1, __ATOMIC_SEQ_CST);
}

static const struct mmu_notifier_ops got_ops = {
	.release = on_release,
	.invalidate_range = on_range,
	.alloc_notifier = alloc_watcher,
	.free_notifier = free_watcher,
};

static void the_last_put_frees(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct mmu_notifier *mn;

	(void)state;
	frees = 0;
	alloc_error = 1;
	assert_int_equal(PTR_ERR(mmu_notifier_get(&got_ops, mm)), -ENOMEM);
	alloc_error = 2;
	assert_int_equal(PTR_ERR(mmu_notifier_get(&got_ops, mm)), -EBUSY);
	alloc_error = 0;
	mn = mmu_notifier_get(&got_ops, mm);
	assert_ptr_equal(mn, &made->mn);
	assert_ptr_equal(mmu_notifier_get(&got_ops, mm), mn);
	mmu_notifier_put(mn);
	ioasid_mm_unmap(mm, 0, PAGE(1));
	assert_int_equal(made->ranges, 1);
	mmu_notifier_put(mn);
	assert_false(mm_has_notifiers(mm));
	mmu_notifier_synchronize();
	assert_int_equal(frees, 1);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	/* The address space ends first: put all the same. */
	mn = mmu_notifier_get(&got_ops, mm);
	mmput(mm);
	assert_int_equal(made->releases, 1);
	mmu_notifier_put(mn);
	mmu_notifier_synchronize();
	assert_int_equal(frees, 2);
	assert_int_equal(warnings, 0);
}

/* ---- In its own functions, and in other threads ---- */

static void put_itself(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
		       unsigned long end_)
{
	(void)mm;
	(void)start;
	(void)end_;
	mmu_notifier_put(mn);
	/* Still here until this returns. */
	watcher(mn)->ranges++;
}

static const struct mmu_notifier_ops put_ops = {
	.invalidate_range = put_itself,
	.alloc_notifier = alloc_watcher,
	.free_notifier = free_watcher,
};

static void unregister_itself(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
			      unsigned long end_)
{
	struct watcher *w = watcher(mn);

	(void)start;
	(void)end_;
	mmu_notifier_unregister(mn, mm);
	/* It may go at once. */
	kfree(w);
	__atomic_add_fetch(&frees, 1, __ATOMIC_SEQ_CST);
}

static const struct mmu_notifier_ops leaving_ops = { .invalidate_range = unregister_itself };

static void one_may_go_in_its_own_function(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct watcher first = { .mn = { .ops = &all_ops } }, last = { .mn = { .ops = &all_ops } };
	struct watcher *leaving = kzalloc(sizeof(*leaving), GFP_KERNEL);

	(void)state;
	frees = 0;
	leaving->mn.ops = &leaving_ops;
	assert_int_equal(mmu_notifier_register(&first.mn, mm), 0);
	assert_int_equal(mmu_notifier_register(&leaving->mn, mm), 0);
	assert_false(IS_ERR(mmu_notifier_get(&put_ops, mm)));
	assert_int_equal(mmu_notifier_register(&last.mn, mm), 0);
	ioasid_mm_unmap(mm, 0, PAGE(1));
	/* Those around them are told all the same. */
	assert_int_equal(first.ranges, 1);
	assert_int_equal(last.ranges, 1);
	mmu_notifier_synchronize();
	assert_int_equal(frees, 2);
	mmu_notifier_unregister(&first.mn, mm);
	mmu_notifier_unregister(&last.mn, mm);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	mmput(mm);
	assert_int_equal(warnings, 0);
}

static struct completion entered, may_leave;
static bool has_left;

static void take_long(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
		      unsigned long end_)
{
	(void)mn;
	(void)mm;
	(void)start;
	(void)end_;
	complete(&entered);
	wait_for_completion(&may_leave);
	msleep(5);
	WRITE_ONCE(has_left, true);
}

static const struct mmu_notifier_ops slow_ops = { .invalidate_range = take_long };

static void *unmap_page(void *mm)
{
	ioasid_mm_unmap(mm, 0, PAGE(1));
	return NULL;
}

static void unregister_waits_for_what_runs(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct watcher w = { .mn = { .ops = &slow_ops } };
	pthread_t thread;

	(void)state;
	init_completion(&entered);
	init_completion(&may_leave);
	has_left = false;
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	assert_int_equal(pthread_create(&thread, NULL, unmap_page, mm), 0);
	wait_for_completion(&entered);
	complete(&may_leave);
	mmu_notifier_unregister(&w.mn, mm);
	assert_true(READ_ONCE(has_left));
	pthread_join(thread, NULL);
	mmput(mm);
}

static int uses_notifiers(const void *mn)
{
	struct mm_struct *mm = mm_alloc(), *theirs = ((const struct mmu_notifier *)mn)->mm;
	struct watcher w = { .mn = { .ops = &all_ops } };

	/* The one that is running is the parent's; nobody waits for it here. */
	mmu_notifier_unregister((struct mmu_notifier *)mn, theirs);
	child_assert(mmu_notifier_register(&w.mn, mm) == 0);
	child_assert(ioasid_mm_unmap(mm, 0, PAGE(1)) == 0);
	child_assert(w.ranges == 1);
	mmu_notifier_unregister(&w.mn, mm);
	mmput(mm);
	mmu_notifier_synchronize();
	return 0;
}

static void a_child_does_not_wait_for_the_parents(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct watcher w = { .mn = { .ops = &slow_ops } };
	pthread_t thread;

	(void)state;
	/* The child has a copy of memory that the other thread was using: lost, for valgrind. */
	if (under_valgrind())
		skip();
	init_completion(&entered);
	init_completion(&may_leave);
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	assert_int_equal(pthread_create(&thread, NULL, unmap_page, mm), 0);
	wait_for_completion(&entered);
	assert_int_equal(in_child(uses_notifiers, &w.mn), 0);
	complete(&may_leave);
	pthread_join(thread, NULL);
	mmu_notifier_unregister(&w.mn, mm);
	mmput(mm);
}

static bool over;

static void *unmap_often(void *mm)
{
	while (!READ_ONCE(over)) {
		mmu_notifier_invalidate_range(mm, 0, PAGE(1));
		/* Others want the lock too, and valgrind runs one thread at a time. */
		udelay(20);
	}
	return NULL;
}

static void quiet_range(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
			unsigned long end_)
{
	(void)mm;
	(void)start;
	(void)end_;
	__atomic_add_fetch(&watcher(mn)->ranges, 1, __ATOMIC_RELAXED);
}

static const struct mmu_notifier_ops quiet_ops = { .invalidate_range = quiet_range };

static void coming_and_going_beside_who_tells(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct watcher stays = { .mn = { .ops = &quiet_ops } };
	pthread_t threads[2];
	unsigned int i;

	(void)state;
	WRITE_ONCE(over, false);
	assert_int_equal(mmu_notifier_register(&stays.mn, mm), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, unmap_often, mm), 0);
	for (i = 0; i < loops(2000); i++) {
		struct watcher *w = kzalloc(sizeof(*w), GFP_KERNEL);

		w->mn.ops = &quiet_ops;
		assert_int_equal(mmu_notifier_register(&w->mn, mm), 0);
		mmu_notifier_unregister(&w->mn, mm);
		kfree(w);
	}
	WRITE_ONCE(over, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	mmu_notifier_unregister(&stays.mn, mm);
	mmput(mm);
}

/* ---- Areas ---- */

static unsigned int opened, closed;

static void on_open(struct vm_area_struct *area)
{
	(void)area;
	opened++;
}

static void on_close(struct vm_area_struct *area)
{
	(void)area;
	closed++;
}

static vm_fault_t on_fault(struct vm_fault *vmf)
{
	*(unsigned long *)vmf->vma->vm_private_data = vmf->pgoff;
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct area_ops = {
	.open = on_open,
	.close = on_close,
	.fault = on_fault,
};

static void areas_are_found_and_cut(void **state)
{
	struct mm_struct *mm = mm_alloc();
	unsigned long offset = 0;
	struct vm_area_struct *area;

	(void)state;
	opened = closed = 0;
	assert_int_equal(ioasid_mm_map(mm, PAGE(10), PAGE(20), VM_READ, &area_ops, &offset), 0);
	assert_int_equal(ioasid_mm_map(mm, PAGE(20), PAGE(21), VM_WRITE, NULL, NULL), 0);
	assert_int_equal(ioasid_mm_map(mm, PAGE(5), PAGE(11), VM_READ, NULL, NULL), -EEXIST);
	assert_int_equal(ioasid_mm_map(mm, PAGE(5), PAGE(5), VM_READ, NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_mm_map(mm, 1, PAGE(5), VM_READ, NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_mm_map(NULL, 0, PAGE(5), VM_READ, NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(6), PAGE(5)), -EINVAL);
	assert_int_equal(ioasid_mm_unmap(NULL, PAGE(5), PAGE(6)), -EINVAL);

	/* A hole in the middle, and the offsets stay right. */
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(12), PAGE(14)), 0);
	assert_int_equal(opened, 1);
	mmap_read_lock(mm);
	assert_null(vma_lookup(mm, PAGE(12)));
	assert_null(vma_lookup(mm, PAGE(9)));
	assert_null(vma_lookup(mm, PAGE(21)));
	assert_int_equal(find_vma(mm, 0)->vm_start, PAGE(10));
	assert_int_equal(find_vma(mm, PAGE(12))->vm_start, PAGE(14));
	assert_null(find_vma(mm, PAGE(21)));
	assert_null(find_vma_intersection(mm, PAGE(12), PAGE(14)));
	area = vma_lookup(mm, PAGE(15) + 5);
	assert_int_equal(vma_pages(area), 6);
	assert_int_equal(handle_mm_fault(area, PAGE(15) + 5, 0, NULL), VM_FAULT_NOPAGE);
	assert_int_equal(offset, 15);
	assert_int_equal(handle_mm_fault(area, PAGE(15), FAULT_FLAG_WRITE, NULL), VM_FAULT_SIGSEGV);
	assert_int_equal(handle_mm_fault(area, PAGE(15), FAULT_FLAG_INSTRUCTION, NULL),
			 VM_FAULT_SIGSEGV);
	assert_int_equal(handle_mm_fault(area, PAGE(10), 0, NULL), VM_FAULT_SIGSEGV);
	assert_int_equal(handle_mm_fault(NULL, PAGE(10), 0, NULL), VM_FAULT_SIGSEGV);
	assert_int_equal(handle_mm_fault(vma_lookup(mm, PAGE(20)), PAGE(20), FAULT_FLAG_WRITE,
					 NULL),
			 0);
	mmap_read_unlock(mm);
	assert_int_equal(warnings, 0);
	find_vma(mm, 0);
	assert_int_equal(warnings, 1);
	assert_null(find_vma(NULL, 0));

	/* From before the first to within the last of them. */
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(0), PAGE(16)), 0);
	assert_int_equal(closed, 1);
	mmap_write_lock(mm);
	assert_int_equal(find_vma(mm, 0)->vm_pgoff, 16);
	mmap_write_downgrade(mm);
	assert_true(mmap_read_trylock(mm));
	mmap_read_unlock(mm);
	mmap_read_unlock(mm);
	mmput(mm);
	assert_int_equal(closed, 2);
}

static void without_memory_nothing_changes(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct watcher w = { .mn = { .ops = &all_ops } };

	(void)state;
	ioasid_kernel_fail_nth(1);
	assert_int_equal(ioasid_mm_map(mm, 0, PAGE(5), VM_READ, NULL, NULL), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_int_equal(ioasid_mm_map(mm, 0, PAGE(5), VM_READ, NULL, NULL), 0);
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	ioasid_kernel_fail_nth(1);
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(1), PAGE(2)), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_int_equal(w.starts, 0);
	/* What cuts nothing in two needs none. */
	ioasid_kernel_fail_nth(1);
	assert_int_equal(ioasid_mm_unmap(mm, PAGE(1), PAGE(9)), 0);
	ioasid_kernel_fail_nth(0);
	mmu_notifier_unregister(&w.mn, mm);
	mmput(mm);
}

static void the_end_may_be_left_to_another_thread(void **state)
{
	struct mm_struct *mm = mm_alloc();
	ioasid_t id = ioasid_alloc(NULL, 1, 1000, mm);
	struct watcher w = { .mn = { .ops = &all_ops } };

	(void)state;
	mm_pasid_set(mm, id);
	assert_int_equal(mmu_notifier_register(&w.mn, mm), 0);
	mmget(mm);
	mmput_async(mm);
	assert_true(ioasid_is_active(id));
	rcu_read_lock();
	mmput_async(mm);
	rcu_read_unlock();
	flush_scheduled_work();
	assert_false(ioasid_is_active(id));
	assert_int_equal(w.releases, 1);
	mmu_notifier_unregister(&w.mn, mm);
	mmput_async(NULL);
	assert_int_equal(PASID_DISABLED, 0);
	assert_int_equal(warnings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(unmapping_is_told_before_and_after),
		LOG_TEST(bad_arguments_have_results),
		LOG_TEST(one_notifier_has_one_address_space),
		LOG_TEST(a_notifier_that_is_registered_is_not_got_again),
		LOG_TEST(the_last_put_frees),
		LOG_TEST(one_may_go_in_its_own_function),
		LOG_TEST(unregister_waits_for_what_runs),
		LOG_TEST(a_child_does_not_wait_for_the_parents),
		LOG_TEST(coming_and_going_beside_who_tells),
		LOG_TEST(areas_are_found_and_cut),
		LOG_TEST(without_memory_nothing_changes),
		LOG_TEST(the_end_may_be_left_to_another_thread),
	};

	return cmocka_run_group_tests_name("mmu_notifier", tests, NULL, NULL);
}
