/* SPDX-License-Identifier: MIT */
/* A driver on top of the kernel's own iommu-sva-lib.c: one PASID per address space, found by it. */
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include <linux/err.h>
#include <linux/sched/mm.h>

#include "iommu-sva-lib.h"

#define LOW 1
#define HIGH 100

static void refuses_bad_ranges(struct mm_struct *mm)
{
	assert(iommu_sva_alloc_pasid(mm, 0, HIGH) == -EINVAL);
	assert(iommu_sva_alloc_pasid(mm, HIGH, LOW) == -EINVAL);
	assert(iommu_sva_alloc_pasid(mm, LOW, INVALID_IOASID) == -EINVAL);
	assert(!pasid_valid(mm->pasid));
}

static void gives_one_pasid_per_mm(struct mm_struct *mm, struct mm_struct *other)
{
	struct mm_struct *late = mm_alloc();
	ioasid_t pasid;

	assert(iommu_sva_alloc_pasid(mm, LOW, HIGH) == 0);
	pasid = mm->pasid;
	assert(pasid >= LOW && pasid <= HIGH);
	assert(iommu_sva_alloc_pasid(mm, LOW, HIGH) == 0);
	assert(mm->pasid == pasid);
	assert(iommu_sva_alloc_pasid(mm, pasid + 1, HIGH) == -EOVERFLOW);
	assert(iommu_sva_alloc_pasid(late, pasid, pasid) == -ENOMEM);
	mmput(late);
	assert(iommu_sva_alloc_pasid(other, LOW, HIGH) == 0);
	assert(other->pasid != pasid);
}

static void finds_what_lives(struct mm_struct *mm)
{
	ioasid_t pasid = mm->pasid;

	assert(iommu_sva_find(pasid) == mm);
	assert(atomic_read(&mm->mm_users) == 2);
	mmput(mm);
	assert(iommu_sva_find(pasid) == mm);
	mmput(mm);
	assert(IS_ERR(iommu_sva_find(HIGH)));
}

/* A page fault handler: looks for the mm of a PASID until it is gone. */
static void *handle_faults(void *pasid)
{
	struct mm_struct *mm;

	for (;;) {
		mm = iommu_sva_find(*(ioasid_t *)pasid);
		if (IS_ERR_OR_NULL(mm))
			return NULL;
		assert(mm->pasid == *(ioasid_t *)pasid);
		mmput(mm);
	}
}

static void ends_with_the_last_user(struct mm_struct *mm)
{
	ioasid_t pasid = mm->pasid;
	pthread_t handler;

	assert(pthread_create(&handler, NULL, handle_faults, &pasid) == 0);
	mmput(mm);
	pthread_join(handler, NULL);
	assert(IS_ERR(iommu_sva_find(pasid)));
	assert(!ioasid_is_active(pasid));
}

int main(void)
{
	struct mm_struct *other = mm_alloc();

	for (int round = 0; round < 200; round++) {
		struct mm_struct *mm = mm_alloc();

		refuses_bad_ranges(mm);
		gives_one_pasid_per_mm(mm, other);
		finds_what_lives(mm);
		ends_with_the_last_user(mm);
	}
	ends_with_the_last_user(other);
	puts("one PASID per address space, found until its end");
	return 0;
}
