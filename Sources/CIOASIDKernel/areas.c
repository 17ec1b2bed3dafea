// SPDX-License-Identifier: MIT
// Areas of address spaces, and their end: <linux/mm.h>.
#define _GNU_SOURCE
#include "kernel.h"

#include <linux/mm.h>
#include <linux/mmu_notifier.h>

static bool is_range(const struct mm_struct *mm, unsigned long start, unsigned long end)
{
	return mm && start < end && !((start | end) & (PAGE_SIZE - 1));
}

/*
 * Who changes areas has the lock of the address space. This one is fork()'s as well, so that a child finds
 * them between two changes.
 */
static void begin_change(void)
{
	pthread_mutex_lock(&cio_mm_mutex);
}

static void end_change(void)
{
	pthread_mutex_unlock(&cio_mm_mutex);
}

/* The link to the first area that ends behind @addr. */
static struct vm_area_struct **place(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct **link = &mm->mmap;

	while (*link && (*link)->vm_end <= addr)
		link = &(*link)->vm_next;
	return link;
}

int ioasid_mm_map(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned long flags,
		  const struct vm_operations_struct *ops, void *data)
{
	struct vm_area_struct *area, **link;
	int err = 0;

	if (!is_range(mm, start, end) || atomic_read(&mm->mm_users) <= 0)
		return -EINVAL;
	area = cio_allocate(sizeof(*area));
	if (!area)
		return -ENOMEM;
	area->vm_start = start;
	area->vm_end = end;
	area->vm_mm = mm;
	area->vm_flags = flags;
	area->vm_pgoff = start >> PAGE_SHIFT;
	area->vm_ops = ops;
	area->vm_private_data = data;
	mmap_write_lock(mm);
	link = place(mm, start);
	if (*link && (*link)->vm_start < end) {
		err = -EEXIST;
	} else {
		begin_change();
		area->vm_next = *link;
		*link = area;
		end_change();
	}
	mmap_write_unlock(mm);
	if (err)
		cio_free(area);
	return err;
}

/* Takes @area, whose link this is, out. */
static void take_out(struct vm_area_struct **link)
{
	struct vm_area_struct *area = *link;

	begin_change();
	*link = area->vm_next;
	end_change();
	if (area->vm_ops && area->vm_ops->close)
		area->vm_ops->close(area);
	cio_free(area);
}

/* From @addr on it is another area, @rest. */
static void cut(struct vm_area_struct *area, unsigned long addr, struct vm_area_struct *rest)
{
	begin_change();
	/* The caller made it for the one area that is cut, which the analyzer does not see. */
	*rest = *area; /* NOLINT(clang-analyzer-*) */
	rest->vm_start = addr;
	rest->vm_pgoff += (addr - area->vm_start) >> PAGE_SHIFT;
	area->vm_end = addr;
	area->vm_next = rest;
	end_change();
	if (rest->vm_ops && rest->vm_ops->open)
		rest->vm_ops->open(rest);
}

static void unmap(struct mm_struct *mm, unsigned long start, unsigned long end,
		  struct vm_area_struct **spare)
{
	struct vm_area_struct **link = place(mm, start), *area;

	while ((area = *link) && area->vm_start < end) {
		if (area->vm_start < start && area->vm_end > end) {
			cut(area, end, *spare);
			*spare = NULL;
			area->vm_end = start;
		}
		if (area->vm_start >= start && area->vm_end <= end) {
			take_out(link);
			continue;
		}
		begin_change();
		if (area->vm_start < start) {
			area->vm_end = start;
		} else {
			area->vm_pgoff += (end - area->vm_start) >> PAGE_SHIFT;
			area->vm_start = end;
		}
		end_change();
		link = &area->vm_next;
	}
}

int ioasid_mm_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *spare, *area;
	struct mmu_notifier_range range;
	bool cuts;

	if (!is_range(mm, start, end))
		return -EINVAL;
	/* Whether it is needed is known with the lock only. */
	spare = cio_allocate(sizeof(*spare));
	mmap_write_lock(mm);
	area = *place(mm, start);
	cuts = area && area->vm_start < start && area->vm_end > end;
	if (cuts && !spare) {
		mmap_write_unlock(mm);
		return -ENOMEM;
	}
	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, NULL, mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	unmap(mm, start, end, &spare);
	mmu_notifier_invalidate_range_end(&range);
	mmap_write_unlock(mm);
	cio_free(spare);
	return 0;
}

struct vm_area_struct *ioasid_find_vma(struct mm_struct *mm, unsigned long addr)
{
	if (!mm)
		return NULL;
	mmap_assert_locked(mm);
	return *place(mm, addr);
}

vm_fault_t ioasid_handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
				  unsigned int flags)
{
	unsigned long wanted = flags & FAULT_FLAG_WRITE		? VM_WRITE
			       : flags & FAULT_FLAG_INSTRUCTION ? VM_EXEC
								: VM_ACCESS_FLAGS;
	struct vm_fault fault = { vma, flags, 0, address & PAGE_MASK, address };

	if (!vma || address < vma->vm_start || address >= vma->vm_end || !(vma->vm_flags & wanted))
		return VM_FAULT_SIGSEGV;
	if (!vma->vm_ops || !vma->vm_ops->fault)
		return 0;
	fault.pgoff = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
	return vma->vm_ops->fault(&fault);
}

void cio_mm_begin(struct mm_struct *mm)
{
	mm->pgd = NULL;
	mm->mmap = NULL;
	mm->notifiers = NULL;
	mmap_init_lock(mm);
}

void cio_mm_unlock_in_child(struct mm_struct *mm)
{
	struct rw_semaphore *sem = &mm->mmap_lock;
	bool is_own = sem->holders < 0 && sem->writer == (unsigned long)pthread_self();

	mmap_init_lock(mm);
	if (is_own)
		ioasid_rwsem_set_writer(sem);
}

/* Nobody is told: it goes on elsewhere. */
void cio_mm_begin_anew(struct mm_struct *mm)
{
	struct vm_area_struct *area, *next;

	for (area = mm->mmap; area; area = next) {
		next = area->vm_next;
		cio_free(area);
	}
	cio_notifiers_forget(mm);
	mm->pgd = NULL;
	mm->mmap = NULL;
}

void cio_mm_exit(struct mm_struct *mm)
{
	cio_notifiers_release(mm);
	/* Only users add to it. Somebody with a reference may still look. */
	if (!mm->mmap)
		return;
	mmap_write_lock(mm);
	while (mm->mmap)
		take_out(&mm->mmap);
	mmap_write_unlock(mm);
}

static void finish(struct work_struct *work)
{
	cio_mm_finish(container_of(work, struct mm_struct, async_put_work));
}

void cio_mm_finish_later(struct mm_struct *mm)
{
	INIT_WORK(&mm->async_put_work, finish);
	if (!schedule_work(&mm->async_put_work))
		cio_mm_finish(mm);
}
