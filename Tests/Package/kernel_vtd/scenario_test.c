// SPDX-License-Identifier: MIT
// 6.1's svm.c and this library's driver go through the same scenarios, step by step.

#include "scenario.h"
#include "svm_kernel.h"

#define PROCESSES 2

static struct {
	struct process process;
	struct iommu_sva *sva[MACHINE_UNITS];
	u32 pasid;
} all[PROCESSES];

static const struct scenario_driver kernel;

/* ---- page requests ---- */

static struct {
	struct iommu_fault_event event;
	struct device *by;
} kept;

static void respond(struct device *dev, struct iommu_fault_event *event, u32 code)
{
	struct iommu_page_response msg = { code };

	check(intel_svm_page_response(dev, event, &msg) == 0);
}

int iommu_report_device_fault(struct device *dev, struct iommu_fault_event *event)
{
	bool is_last = event->fault.prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;

	switch (scenario_told(&kernel, event->fault.prm.pasid, event->fault.prm.addr)) {
	case SCENARIO_REFUSE:
		return -ENODEV;
	case SCENARIO_KEEP:
		if (is_last) {
			kept.event = *event;
			kept.by = dev;
		}
		return 0;
	case SCENARIO_GRANT:
		break;
	}
	if (is_last)
		respond(dev, event, 0);
	return 0;
}

int iopf_queue_flush_dev(struct device *dev)
{
	if (kept.by == dev) {
		kept.by = NULL;
		respond(dev, &kept.event, 1);
	}
	return 0;
}

/* ---- 6.1 as scenario.h wants it ---- */

static void start(int process)
{
	memset(&all[process], 0, sizeof(all[process]));
	process_start(&all[process].process);
}

static void finish(int process)
{
	process_end(&all[process].process);
}

static void map(int process, int page)
{
	process_map(&all[process].process, page);
}

static void unmap(int process, int page, int count)
{
	process_unmap(&all[process].process, page, count);
}

static int bind(unsigned int unit, int process)
{
	struct iommu_sva *sva =
		intel_svm_bind(&units[unit].pci.dev, &all[process].process.mm, NULL);

	if (IS_ERR(sva))
		return PTR_ERR(sva);
	all[process].sva[unit] = sva;
	all[process].pasid = intel_svm_get_pasid(sva);
	return 0;
}

static void unbind(unsigned int unit, int process)
{
	intel_svm_unbind(all[process].sva[unit]);
}

static void exit_mm(int process)
{
	process_exit(&all[process].process);
}

static uint32_t pasid(int process)
{
	return all[process].pasid;
}

static uint64_t physical(int process, int page)
{
	return machine_physical(all[process].process.pages[page]);
}

static const struct scenario_driver kernel = { "6.1",  units_begin, units_end, start,
					       finish, map,	    unmap,     bind,
					       unbind, exit_mm,	    pasid,     physical };

int main(void)
{
	setbuf(stdout, NULL);
	check(SCENARIO_ADDRESS == ADDRESS && SCENARIO_PAGES == PAGES);
	scenario_compare(&kernel, &scenario_ours);
	puts("svm.c and the library's driver do the same");
	return 0;
}
