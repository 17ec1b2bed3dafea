// SPDX-License-Identifier: MIT
// Flows of one guest: the normal cycle, KVM leaving first, two devices under one PASID.

#include "flows.h"

/* clang-format off */
static const struct flow_row normal_rows[] = {
	{ IOMMU_LISTENS, 0, NO_ID, BLOCKED, 0 },
	{ KVM_LISTENS, 1, NO_ID, BLOCKED, 0 },
	{ VDCM_LISTENS, 1, NO_ID, BLOCKED, 0 },
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 1, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 1, 2, PASSES, 0 },
	{ KVM_ENTERS, 1, 3, PASSES, 0 },
	{ VDCM_PROGRAMS, 1, 4, PASSES, 0 },
	{ GUEST_ENQCMDS, 1, 4, PASSES, 0 },
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ GUEST_STOPS, 1, 4, PASSES, 0 },
	{ VDCM_CLEARS, 1, 3, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 3, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void run_normal(void)
{
	struct host host;
	struct vm *vm;
	long pasid;

	flow_record(true);
	host_create(&host);
	vm = vm_create(&host, 1, 8);
	vm_add_mdev(vm, host.dev[0]);
	guest_start(vm);
	pasid = guest_do(vm, GUEST_ALLOC, 0, 0);
	flow_check(pasid == GUEST_PASID_FIRST, "the guest calls it 101");
	guest_do(vm, GUEST_BIND, pasid, vm->processes[0].root);
	guest_do(vm, GUEST_PROGRAM, 0, pasid);
	flow_picture();
	guest_do(vm, GUEST_ENQCMD, 0, pasid);
	guest_do(vm, GUEST_START, 0, 0);
	guest_do(vm, GUEST_STOP, 0, 0);
	end_process(vm, pasid);
	end_flow(&host, vm, NULL);
}

const struct flow flow_normal = {
	.name = "normal",
	.title = "the normal cycle",
	.shows = "One id from allocation to reclaim; every reference has an owner.",
	FLOW_ROWS(normal_rows),
	.run = run_normal,
};

/* clang-format off */
static const struct flow_row kvm_first_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ KVM_LEAVES, 1, 3, PASSES, 0 },
	{ GUEST_ENQCMDS, 1, NO_ID, BLOCKED, -EINVAL },
	{ GUEST_STOPS, 1, 3, PASSES, 0 },
	{ VDCM_CLEARS, 1, 2, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void run_kvm_first(void)
{
	struct host host;
	struct vm *vm;
	ioasid_t pasid;

	host_create(&host);
	vm = running_guest(&host, 1, 8);
	pasid = bound_process(vm, 0);
	flow_record(true);
	guest_do(vm, GUEST_START, 0, 0);
	kvm_leave(vm);
	flow_picture();
	guest_do(vm, GUEST_ENQCMD, 0, pasid);
	guest_do(vm, GUEST_STOP, 0, 0);
	end_process(vm, pasid);
	end_flow(&host, vm, NULL);
}

const struct flow flow_kvm_first = {
	.name = "kvm-first",
	.title = "KVM leaves first",
	.shows =
		"A subscriber may go at any time; it takes its references along, and nobody else's.",
	FLOW_ROWS(kvm_first_rows),
	.run = run_kvm_first,
};

/* One BIND, one UNBIND, whatever the number of devices. */
/* clang-format off */
static const struct flow_row two_devices_rows[] = {
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 1, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 1, 2, PASSES, 0 },
	{ KVM_ENTERS, 1, 3, PASSES, 0 },
	{ VDCM_PROGRAMS, 1, 4, PASSES, 0 },
	{ VDCM_PROGRAMS, 1, 5, PASSES, 0 },
	{ GUEST_STARTS, 1, 5, PASSES, 0 },
	{ GUEST_STARTS, 1, 5, PASSES, 0 },
	{ VDCM_CLEARS, 1, 4, PASSES, 0 },
	{ VDCM_CLEARS, 1, 3, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 3, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void run_two_devices(void)
{
	struct host host;
	struct vm *vm;
	ioasid_t pasid;

	host_create(&host);
	vm = vm_create(&host, 1, 8);
	vm_add_mdev(vm, host.dev[0]);
	vm_add_mdev(vm, host.dev[1]);
	guest_start(vm);
	flow_record(true);
	pasid = bound_process(vm, 0);
	guest_do(vm, GUEST_PROGRAM, 1, pasid);
	guest_do(vm, GUEST_START, 0, 0);
	guest_do(vm, GUEST_START, 1, 0);
	flow_picture();
	guest_do(vm, GUEST_PROGRAM, 0, INVALID_IOASID);
	guest_do(vm, GUEST_PROGRAM, 1, INVALID_IOASID);
	guest_do(vm, GUEST_UNBIND, pasid, 0);
	guest_do(vm, GUEST_FREE, pasid, 0);
	end_flow(&host, vm, NULL);
}

const struct flow flow_two_devices = {
	.name = "two-devices",
	.title = "two devices behind two units use one PASID",
	.shows = "Only the first bind and the last unbind are told; the driver has one reference.",
	FLOW_ROWS(two_devices_rows),
	.run = run_two_devices,
};
