// SPDX-License-Identifier: MIT
// This library's driver for scenario.h.

#include <assert.h>
#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include "machine.h"
#include "scenario.h"

#define PROCESSES 2

static struct process {
	struct mm_struct *mm;
	int pasid, bindings;
	bool has_ended;
	void *pages[SCENARIO_PAGES];
	bool is_mapped[SCENARIO_PAGES];
} processes[PROCESSES];

static u64 address_of(int page)
{
	return SCENARIO_ADDRESS + (u64)page * VTD_PAGE_SIZE;
}

static int handle(struct iommu_fault *fault, void *data)
{
	struct iommu_page_response msg = {
		sizeof(msg),	  IOMMU_PAGE_RESP_VERSION_1, IOMMU_PAGE_RESP_PASID_VALID,
		fault->prm.pasid, fault->prm.grpid,	     IOMMU_PAGE_RESP_SUCCESS
	};

	if (fault->type != IOMMU_FAULT_PAGE_REQ)
		return 0;
	switch (scenario_told(&scenario_ours, fault->prm.pasid, fault->prm.addr)) {
	case SCENARIO_REFUSE:
		return -EINVAL;
	case SCENARIO_KEEP:
		return 0;
	case SCENARIO_GRANT:
		break;
	}
	if (fault->prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		assert(iommu_page_response(data, &msg) == 0);
	return 0;
}

static void begin(bool has_tlb, bool has_requests)
{
	(void)has_tlb;
	for (unsigned int n = 0; n < MACHINE_UNITS; n++) {
		struct device *dev = machine_device(n);

		assert(intel_iommu_enable(machine_unit(n)) == 0);
		if (has_requests)
			assert(iommu_register_device_fault_handler(dev, handle, dev) == 0);
	}
}

static void end(void)
{
	for (unsigned int n = 0; n < MACHINE_UNITS; n++) {
		iommu_unregister_device_fault_handler(machine_device(n));
		assert(intel_iommu_disable(machine_unit(n)) == 0);
	}
}

static void start(int process)
{
	struct process *p = &processes[process];

	*p = (struct process){ .mm = mm_alloc() };
	mmgrab(p->mm);
	for (int i = 0; i < SCENARIO_PAGES; i++)
		p->pages[i] = machine_take(1);
}

static void finish(int process)
{
	struct process *p = &processes[process];

	for (int i = 0; i < SCENARIO_PAGES; i++)
		machine_give(p->pages[i], 1);
	if (!p->has_ended)
		mmput(p->mm);
	mmdrop(p->mm);
}

/* The page table is the driver's, and there while the process is bound. */
static void map_now(struct process *p, int page)
{
	assert(vtd_mm_map(p->mm, address_of(page), machine_physical(p->pages[page]),
			  VTD_DMA_READ | VTD_DMA_WRITE) == 0);
}

static void map(int process, int page)
{
	struct process *p = &processes[process];

	p->is_mapped[page] = true;
	if (p->bindings > 0)
		map_now(p, page);
}

static void unmap(int process, int page, int count)
{
	struct process *p = &processes[process];

	for (int i = page; i < page + count; i++) {
		p->is_mapped[i] = false;
		assert(vtd_mm_unmap(p->mm, address_of(i)) == 0);
	}
}

static int bind(unsigned int unit, int process)
{
	struct process *p = &processes[process];
	struct mm_struct *before = current->mm;
	int error;

	current->mm = p->mm;
	error = intel_svm_bind_mm(machine_device(unit), &p->pasid, 0, NULL);
	current->mm = before;
	if (error != 0 || p->bindings++ > 0)
		return error;
	for (int i = 0; i < SCENARIO_PAGES; i++)
		if (p->is_mapped[i])
			map_now(p, i);
	return 0;
}

static void unbind(unsigned int unit, int process)
{
	struct process *p = &processes[process];

	assert(intel_svm_unbind_mm(machine_device(unit), p->pasid) == 0);
	p->bindings--;
}

static void exit_mm(int process)
{
	struct process *p = &processes[process];

	p->has_ended = true;
	mmput(p->mm);
}

static uint32_t pasid(int process)
{
	return (uint32_t)processes[process].pasid;
}

static uint64_t physical(int process, int page)
{
	return machine_physical(processes[process].pages[page]);
}

const struct scenario_driver scenario_ours = { "this library's driver",
					       begin,
					       end,
					       start,
					       finish,
					       map,
					       unmap,
					       bind,
					       unbind,
					       exit_mm,
					       pasid,
					       physical };
