/* SPDX-License-Identifier: MIT */
/* A device whose page requests go through the kernel's own io-pgfault.c to address spaces of ours. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include <linux/completion.h>
#include <linux/iommu.h>
#include <linux/sched/mm.h>

#include "iommu-sva-lib.h"

#define ADDRESS 0x10000UL
#define LAST IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE
#define PASID IOMMU_FAULT_PAGE_REQUEST_PASID_VALID

static struct dev_iommu iommu;
static struct device device = { .init_name = "tester", .iommu = &iommu };
static struct iommu_page_response answer;
static unsigned int answers, faults, fault_flags;

int iommu_page_response(struct device *dev, struct iommu_page_response *msg)
{
	assert(dev == &device);
	answer = *msg;
	answers++;
	return 0;
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	faults++;
	fault_flags = vmf->flags;
	assert(vmf->vma->vm_private_data == &faults);
	return vmf->address == ADDRESS ? 0 : VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct area_ops = { .fault = fault };

/* The answer, if the group is complete; -1 if it is not. */
static int request(u32 pasid, u32 group, u32 flags, u32 perm, u64 addr)
{
	struct iommu_fault request = {
		.type = IOMMU_FAULT_PAGE_REQ,
		.prm = { .flags = flags,
			 .pasid = pasid,
			 .grpid = group,
			 .perm = perm,
			 .addr = addr },
	};
	unsigned int before = answers;

	mutex_lock(&iommu.lock);
	assert(iommu_queue_iopf(&request, &device) == 0);
	mutex_unlock(&iommu.lock);
	assert(iopf_queue_flush_dev(&device) == 0);
	if (answers == before)
		return -1;
	assert(answer.grpid == group);
	return (int)answer.code;
}

#define READ IOMMU_FAULT_PERM_READ
#define WRITE IOMMU_FAULT_PERM_WRITE

static void answers_as_the_areas_say(u32 pasid)
{
	assert(request(pasid, 1, PASID | LAST, READ, ADDRESS) == IOMMU_PAGE_RESP_SUCCESS);
	assert(faults == 1 && fault_flags == (FAULT_FLAG_REMOTE | FAULT_FLAG_USER));
	/* No write to what can be read only; no page; no area; no PASID; another PASID. */
	assert(request(pasid, 2, PASID | LAST, WRITE, ADDRESS) == IOMMU_PAGE_RESP_INVALID);
	assert(faults == 1);
	assert(request(pasid, 3, PASID | LAST, READ, ADDRESS + PAGE_SIZE) ==
	       IOMMU_PAGE_RESP_INVALID);
	assert(faults == 2);
	assert(request(pasid, 4, PASID | LAST, READ, ADDRESS - 1) == IOMMU_PAGE_RESP_INVALID);
	assert(request(pasid, 5, LAST, READ, ADDRESS) == IOMMU_PAGE_RESP_INVALID);
	assert(request(pasid + 1, 6, PASID | LAST, READ, ADDRESS) == IOMMU_PAGE_RESP_INVALID);
	assert(faults == 2);
}

static void answers_a_group_at_once(struct iopf_queue *queue, u32 pasid)
{
	faults = 0;
	assert(request(pasid, 7, PASID, READ, ADDRESS) == -1);
	assert(request(pasid, 7, PASID, READ, ADDRESS) == -1);
	assert(request(pasid, 8, PASID, READ, ADDRESS) == -1);
	assert(request(pasid, 7, PASID | LAST, READ, ADDRESS) == IOMMU_PAGE_RESP_SUCCESS);
	assert(faults == 3);
	assert(iopf_queue_discard_partial(queue) == 0);
}

int main(void)
{
	struct iopf_queue *queue = iopf_queue_alloc("test");
	struct mm_struct *mm = mm_alloc();
	u32 pasid;

	mutex_init(&iommu.lock);
	assert(queue && mm);
	assert(iopf_queue_add_device(queue, &device) == 0);
	assert(iopf_queue_add_device(queue, &device) == -EBUSY);
	assert(iommu_sva_alloc_pasid(mm, 1, 100) == 0);
	pasid = mm->pasid;
	assert(ioasid_mm_map(mm, ADDRESS, ADDRESS + 2 * PAGE_SIZE, VM_READ, &area_ops, &faults) ==
	       0);
	answers_as_the_areas_say(pasid);
	answers_a_group_at_once(queue, pasid);
	assert(ioasid_mm_unmap(mm, ADDRESS, ADDRESS + PAGE_SIZE) == 0);
	assert(request(pasid, 9, PASID | LAST, READ, ADDRESS) == IOMMU_PAGE_RESP_INVALID);
	mmput(mm);
	assert(request(pasid, 10, PASID | LAST, READ, ADDRESS + PAGE_SIZE) ==
	       IOMMU_PAGE_RESP_INVALID);
	iopf_queue_free(queue);
	dev_info(&device, "%u answers\n", answers);
	puts("page requests: passed");
	return 0;
}
