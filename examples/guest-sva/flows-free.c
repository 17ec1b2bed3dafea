// SPDX-License-Identifier: MIT
// Flows in which an id is freed while in use: by the guest, in either order, or by its death.

#include "flows.h"

/* Begins with four references and DMA running. */
/* clang-format off */
static const struct flow_row free_first_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ FREE_IS_TOLD, 1, 4, PASSES, 0 },
	{ KVM_HEARS_FREE, 1, 3, PASSES, 0 },
	{ IOMMU_QUEUES, 1, 3, PASSES, 0 },
	{ VDCM_QUEUES, 1, 3, PASSES, 0 },
	{ FREE_RETURNS, 1, 2, PASSES, 0 },
	{ GET_IS_TRIED, 1, 2, PASSES, -EBUSY },
	{ SPID_IS_LOOKED_UP, 1, 2, PASSES, -ENOENT },
	{ NUMBER_IS_WANTED, 1, 2, PASSES, -ENOSPC },
	{ VDCM_WORKS, 1, 1, PASSES, 0 },
	{ IOMMU_WORKS, 1, 0, BLOCKED, 0 },
	{ UNBIND_IS_LATE, 1, NO_ID, BLOCKED, -EINVAL },
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
};
/* clang-format on */

/* What must not work between FREE and the last put. */
static void try_pending(struct vm *vm, ioasid_t host, ioasid_t guest)
{
	ioasid_t found;

	flow_note(GET_IS_TRIED, vm, host, ioasid_get(vm->set, host));
	found = ioasid_find_by_spid(vm->set, guest);
	flow_note(SPID_IS_LOOKED_UP, vm, host, pasid_valid(found) ? 0 : -ENOENT);
	found = ioasid_alloc(vm->set, host, host, NULL);
	flow_note(NUMBER_IS_WANTED, vm, host, pasid_valid(found) ? 0 : -ENOSPC);
}

static void run_free_first(void)
{
	struct host host;
	ioasid_t pasid, id;
	struct vm *vm;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	pasid = bound_process(vm, 0);
	id = vfio_host_pasid(vm, pasid);
	flow_record(true);
	guest_do(vm, GUEST_START, 0, 0);
	flow_hold(true);
	guest_do(vm, GUEST_FREE, pasid, 0);
	flow_picture();
	try_pending(vm, id, pasid);
	flow_let_vdcm_work();
	flow_let_iommu_work();
	guest_do(vm, GUEST_UNBIND, pasid, 0);
	pasid = guest_do(vm, GUEST_ALLOC, 0, 0);
	flow_check(vfio_host_pasid(vm, pasid) == id, "the same host PASID is used again");
	end_flow(&host, vm, NULL);
}

const struct flow flow_free_first = {
	.name = "free-first",
	.title = "free before unbind, DMA running",
	.shows = "Freeing always succeeds, and the number waits for its last user.",
	FLOW_ROWS(free_first_rows),
	.run = run_free_first,
};

/*
 * The unbind overtakes the driver's work, which then finds nothing to do; who heard FREE hears no
 * UNBIND. On the one ordered queue the IOMMU's work comes before VDCM's.
 */
/* clang-format off */
static const struct flow_row any_order_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ FREE_IS_TOLD, 1, 4, PASSES, 0 },
	{ KVM_HEARS_FREE, 1, 3, PASSES, 0 },
	{ IOMMU_QUEUES, 1, 3, PASSES, 0 },
	{ VDCM_QUEUES, 1, 3, PASSES, 0 },
	{ FREE_RETURNS, 1, 2, PASSES, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ IOMMU_WORKS, 1, 1, BLOCKED, 0 },
	{ VDCM_WORKS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void run_any_order(void)
{
	struct host host;
	struct vm *vm;
	ioasid_t pasid;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	pasid = bound_process(vm, 0);
	flow_record(true);
	guest_do(vm, GUEST_START, 0, 0);
	flow_hold(false);
	guest_do(vm, GUEST_FREE, pasid, 0);
	guest_do(vm, GUEST_UNBIND, pasid, 0);
	flow_picture();
	flow_let_iommu_work();
	end_flow(&host, vm, NULL);
}

const struct flow flow_any_order = {
	.name = "any-order",
	.title = "free, then unbind before anybody's work has run",
	.shows = "After FREE the steps may come in any order; the outcome is the same.",
	FLOW_ROWS(any_order_rows),
	.run = run_any_order,
};

/* clang-format off */
static const struct flow_row crash_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ GUEST_DIES, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_SWEEPS, 1, NO_ID, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 4, PASSES, 0 },
	{ KVM_HEARS_FREE, 1, 3, PASSES, 0 },
	{ IOMMU_QUEUES, 1, 3, PASSES, 0 },
	{ VDCM_QUEUES, 1, 3, PASSES, 0 },
	{ FREE_RETURNS, 1, 2, PASSES, 0 },
	{ IOMMU_WORKS, 1, 1, BLOCKED, 0 },
	{ VDCM_WORKS, 1, 0, BLOCKED, 0 },
	/* the next guest gets the same number, and reaches its own memory */
	{ KVM_LISTENS, 2, NO_ID, BLOCKED, 0 },
	{ VDCM_LISTENS, 2, NO_ID, BLOCKED, 0 },
	{ GUEST_ASKS, 2, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 2, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 2, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 2, 2, PASSES, 0 },
	{ KVM_ENTERS, 2, 3, PASSES, 0 },
	{ VDCM_PROGRAMS, 2, 4, PASSES, 0 },
};
/* clang-format on */

/* What the machine itself says when the guest is gone. */
static void check_crash(struct host *host, struct mdev *mdev)
{
	struct vtd_stats stats;
	struct vtd_fault fault;

	pthread_mutex_lock(&mdev->lock);
	flow_check(mdev->passed && !mdev->running, "the device did DMA, and does no more");
	pthread_mutex_unlock(&mdev->lock);
	vtd_get_stats(host->iommu[0], &stats);
	flow_check(stats.stale_hits == 0, "no cache let a request through that the tables did not");
	flow_check(!vtd_fault_read(host->iommu[0], &fault), "the fault log was not flooded");
}

static void run_crash(void)
{
	struct host host;
	struct vm *vm, *next;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	bound_process(vm, 0);
	flow_record(true);
	guest_do(vm, GUEST_START, 0, 0);
	guest_kill(vm);
	flow_hold(false);
	vfio_sweep(vm);
	flow_picture();
	flow_let_iommu_work();
	check_crash(&host, &vm->mdevs[0]);
	next = running_guest(&host, 2, 8);
	flow_check(bound_process(next, 0) == 101, "the next guest calls its PASID 101");
	end_flow(&host, vm, next);
}

const struct flow flow_crash = {
	.name = "crash",
	.title = "the guest is killed while its device does DMA",
	.shows = "Nobody told anything; the owner's sweep is enough.",
	FLOW_ROWS(crash_rows),
	.run = run_crash,
};
