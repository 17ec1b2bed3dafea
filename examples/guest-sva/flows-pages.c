// SPDX-License-Identifier: MIT
// Flows of a guest's page tables: a page that goes, one that comes on demand, a process that ends.

#include "flows.h"

/* Requests that a cache let through to where the tables no longer lead. */
static u64 stale(const struct host *host)
{
	struct vtd_stats stats;

	vtd_get_stats(host->iommu[0], &stats);
	return stats.stale_hits;
}

/* clang-format off */
static const struct flow_row unmap_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ GUEST_UNMAPS, 1, 4, PASSES, 0 },
	{ VFIO_REFUSES_INVALIDATION, 1, NO_ID, BLOCKED, -EINVAL },
	{ VFIO_REFUSES_INVALIDATION, 2, NO_ID, BLOCKED, -EINVAL },
	{ VFIO_INVALIDATES, 1, 4, BLOCKED, 0 },
	{ GUEST_MAPS, 1, 4, PASSES, 0 },
	{ GUEST_STOPS, 1, 4, PASSES, 0 },
};
/* clang-format on */

static void run_unmap(void)
{
	struct host host;
	struct vm *vm, *other;
	ioasid_t pasid;
	u64 before;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	other = running_guest(&host, 2, 8);
	pasid = bound_process(vm, 0);
	flow_record(true);
	guest_do(vm, GUEST_START, 0, 0);
	guest_do(vm, GUEST_UNMAP, pasid, BUFFER);
	flow_check(stale(&host) > 0, "the hardware still has the page, and lets DMA through");
	flow_picture();
	/* Another number, and another guest, do not reach it. */
	guest_do(vm, GUEST_INVALIDATE, pasid + 1, BUFFER);
	guest_do(other, GUEST_INVALIDATE, pasid, BUFFER);
	guest_do(vm, GUEST_INVALIDATE, pasid, BUFFER);
	before = stale(&host);
	flow_check(vtd_dma(host.dev[0], vfio_host_pasid(vm, pasid), BUFFER, VTD_DMA_READ, NULL) !=
			   0,
		   "its DMA does not pass from now on");
	flow_check(stale(&host) == before, "no cache lets it through");
	guest_do(vm, GUEST_MAP, pasid, BUFFER);
	guest_do(vm, GUEST_STOP, 0, 0);
	end_flow(&host, vm, other);
}

const struct flow flow_unmap = {
	.name = "unmap",
	.title = "a guest unmaps a page while its device works on it",
	.shows =
		"What the guest tells its own unit to forget, the hardware forgets: that, and no more.",
	FLOW_ROWS(unmap_rows),
	.run = run_unmap,
};

/* clang-format off */
static const struct flow_row page_request_rows[] = {
	{ VDCM_TOUCHES, 1, 4, PASSES, -EAGAIN },
	{ GUEST_IS_ASKED, 1, 4, PASSES, 0 },
	{ GUEST_MAPS, 1, 4, PASSES, 0 },
	{ GUEST_ANSWERS, 1, 4, PASSES, 0 },
	{ VDCM_TOUCHES, 1, 4, PASSES, 0 },
	{ GUEST_UNMAPS, 1, 4, PASSES, 0 },
	{ VFIO_INVALIDATES, 1, 4, PASSES, 0 },
	{ VDCM_TOUCHES, 1, 4, PASSES, -EAGAIN },
	{ GUEST_ANSWERS, 1, 4, PASSES, -EINVAL },
	{ VDCM_TOUCHES, 1, 4, PASSES, -EIO },
};
/* clang-format on */

static void run_page_request(void)
{
	struct host host;
	struct vm *vm;
	ioasid_t pasid;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	vfio_page(vm, true);
	pasid = bound_process(vm, 0);
	flow_record(true);
	flow_check(guest_do(vm, GUEST_PAGE, 0, pasid) == 0,
		   "the page came, and the device reached it");
	flow_picture();
	guest_do(vm, GUEST_UNMAP, pasid, ON_DEMAND);
	guest_do(vm, GUEST_INVALIDATE, pasid, ON_DEMAND);
	/* And an answer that is none: the request is still the device's. */
	guest_do(vm, GUEST_TOUCH, 0, pasid);
	guest_do(vm, GUEST_RESPOND, vm->request.group + 1, IOMMU_PAGE_RESP_SUCCESS);
	flow_record(false);
	vfio_respond(vm, vm->request.group, IOMMU_PAGE_RESP_INVALID);
	flow_record(true);
	guest_do(vm, GUEST_TOUCH, 0, pasid);
	end_flow(&host, vm, NULL);
}

const struct flow flow_page_request = {
	.name = "page-request",
	.title = "a device asks for a page of a guest's process",
	.shows =
		"The request travels to the guest by its own PASID, and the answer back by the host's.",
	FLOW_ROWS(page_request_rows),
	.run = run_page_request,
};

/* Nothing is stopped, cleared or unbound by the process. */
/* clang-format off */
static const struct flow_row process_ends_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ PROCESS_ENDS, 1, 4, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 4, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 3, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 2, BLOCKED, 0 },
	{ GUEST_ENQCMDS, 1, NO_ID, BLOCKED, -EINVAL },
	{ VFIO_REFUSES_INVALIDATION, 1, NO_ID, BLOCKED, -EINVAL },
	{ VDCM_CLEARS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void run_process_ends(void)
{
	struct host host;
	struct vm *vm;
	ioasid_t pasid;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	pasid = bound_process(vm, 0);
	flow_record(true);
	guest_do(vm, GUEST_START, 0, 0);
	guest_do(vm, GUEST_PROCESS_EXIT, pasid, 0);
	flow_picture();
	flow_check(stale(&host) == 0, "no request passed by a stale cache");
	guest_do(vm, GUEST_ENQCMD, 0, pasid);
	guest_do(vm, GUEST_PROCESS_EXIT, pasid, 0);
	/* The guest's kernel cleans up when it likes. */
	guest_do(vm, GUEST_PROGRAM, 0, INVALID_IOASID);
	guest_do(vm, GUEST_FREE, pasid, 0);
	end_flow(&host, vm, NULL);
}

const struct flow flow_process_ends = {
	.name = "process-ends",
	.title = "a process of a guest ends without a word, DMA running",
	.shows =
		"Its entry in the guest's PASID table is gone, and with it the host's; the number waits for the device.",
	FLOW_ROWS(process_ends_rows),
	.run = run_process_ends,
};
