// SPDX-License-Identifier: MIT
// Flows of two guests: quota, one number used by both, one of them malicious.

#include "flows.h"

/* clang-format off */
static const struct flow_row quota_rows[] = {
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_REFUSES, 1, NO_ID, BLOCKED, -ENOSPC },
	{ GUEST_ASKS, 2, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 2, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
};
/* clang-format on */

static void run_quota(void)
{
	struct host host;
	struct vm *small, *other;

	host_create(&host);
	small = running_guest(&host, 1, 2);
	other = running_guest(&host, 2, 2);
	flow_record(true);
	flow_check(guest_do(small, GUEST_ALLOC, 0, 0) == 101, "the guest's first is 101");
	flow_check(guest_do(small, GUEST_ALLOC, 0, 0) == 102, "its second is 102");
	flow_check((ioasid_t)guest_do(small, GUEST_ALLOC, 0, 0) == INVALID_IOASID,
		   "its own ioasid_alloc says INVALID_IOASID");
	flow_check(guest_do(other, GUEST_ALLOC, 0, 0) == 101, "the other guest has its own quota");
	flow_picture();
	guest_do(small, GUEST_FREE, 101, 0);
	flow_check(guest_do(small, GUEST_ALLOC, 0, 0) == 101, "what is freed can be had again");
	end_flow(&host, small, other);
}

const struct flow flow_quota = {
	.name = "quota",
	.title = "a guest uses up its quota",
	.shows =
		"The refusal reaches the guest's own ioasid_alloc; the other guest notices nothing.",
	FLOW_ROWS(quota_rows),
	.run = run_quota,
};

/* clang-format off */
static const struct flow_row same_number_rows[] = {
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 1, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 1, 2, PASSES, 0 },
	{ KVM_ENTERS, 1, 3, PASSES, 0 },
	{ VDCM_PROGRAMS, 1, 4, PASSES, 0 },
	{ GUEST_ASKS, 2, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 2, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 2, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 2, 2, PASSES, 0 },
	{ KVM_ENTERS, 2, 3, PASSES, 0 },
	{ VDCM_PROGRAMS, 2, 4, PASSES, 0 },
	{ GUEST_ENQCMDS, 1, 4, PASSES, 0 },
	{ GUEST_ENQCMDS, 2, 4, PASSES, 0 },
	{ GUEST_STARTS, 2, 4, PASSES, 0 },
	{ VDCM_CLEARS, 1, 3, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 3, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
	{ GUEST_ENQCMDS, 2, 4, PASSES, 0 },
};
/* clang-format on */

static void run_same_number(void)
{
	struct host host;
	struct vm *first, *second;

	host_create(&host);
	first = running_guest(&host, 1, 8);
	second = running_guest(&host, 2, 8);
	flow_record(true);
	flow_check(bound_process(first, 0) == 101, "the first guest calls its PASID 101");
	flow_check(bound_process(second, 0) == 101, "so does the second");
	flow_check(vfio_host_pasid(first, 101) == 201 && vfio_host_pasid(second, 101) == 202,
		   "the host calls them 201 and 202");
	flow_picture();
	guest_do(first, GUEST_ENQCMD, 0, 101);
	guest_do(second, GUEST_ENQCMD, 0, 101);
	guest_do(second, GUEST_START, 0, 0);
	end_process(first, 101);
	guest_do(second, GUEST_ENQCMD, 0, 101);
	end_flow(&host, first, second);
}

const struct flow flow_same_number = {
	.name = "same-number",
	.title = "two guests use guest PASID 101 on one device",
	.shows = "Each reaches its own memory; when one goes, the other stays as it was.",
	FLOW_ROWS(same_number_rows),
	.run = run_same_number,
};

/* Guest 1 is the victim, with four references and DMA running; guest 2 does all it can. */
/* clang-format off */
static const struct flow_row malicious_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	/* frees what is not its own */
	{ VFIO_REFUSES_FREE, 2, NO_ID, BLOCKED, -EINVAL },
	{ VFIO_REFUSES_FREE, 2, NO_ID, BLOCKED, -EINVAL },
	/* programs what is not its own, by the host's number and by the victim's */
	{ VDCM_REFUSES, 2, NO_ID, BLOCKED, -EINVAL },
	{ VDCM_REFUSES, 2, NO_ID, BLOCKED, -EINVAL },
	{ GUEST_ENQCMDS, 2, NO_ID, BLOCKED, -EINVAL },
	{ GUEST_STARTS, 2, NO_ID, BLOCKED, -EINVAL },
	/* unbinds and binds what is not its own */
	{ VFIO_REFUSES_UNBIND, 2, NO_ID, BLOCKED, -EINVAL },
	{ VFIO_REFUSES_BIND, 2, NO_ID, BLOCKED, -EINVAL },
	/* binds a page table outside its memory: only its own DMA suffers */
	{ GUEST_ASKS, 2, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 2, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 2, 2, BLOCKED, 0 },
	{ BIND_IS_TOLD, 2, 2, BLOCKED, 0 },
	{ KVM_ENTERS, 2, 3, BLOCKED, 0 },
	{ GUEST_ENQCMDS, 2, 3, BLOCKED, -EIO },
	/* floods binds: see below; then frees without unbind, and frees again */
	{ FREE_IS_TOLD, 2, 3, BLOCKED, 0 },
	{ KVM_HEARS_FREE, 2, 2, BLOCKED, 0 },
	{ IOMMU_QUEUES, 2, 2, BLOCKED, 0 },
	{ FREE_RETURNS, 2, 1, BLOCKED, 0 },
	{ VFIO_REFUSES_FREE, 2, NO_ID, BLOCKED, -EINVAL },
	{ VFIO_REFUSES_BIND, 2, 1, BLOCKED, -EINVAL },
	{ IOMMU_WORKS, 2, 0, BLOCKED, 0 },
	/* the victim gets that number; a late unbind must not hit it */
	{ GUEST_ASKS, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 1, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 1, 2, PASSES, 0 },
	{ KVM_ENTERS, 1, 3, PASSES, 0 },
	{ UNBIND_IS_LATE, 2, NO_ID, BLOCKED, -EINVAL },
	{ GUEST_ENQCMDS, 1, 3, PASSES, 0 },
	{ GUEST_ENQCMDS, 1, 4, PASSES, 0 },
};
/* clang-format on */

/* A write of the virtual command register, past the guest's own library. */
static void raw_free(struct vm *vm, ioasid_t pasid)
{
	guest_do(vm, GUEST_VCMD, VCMD_CMD_FREE | VCMD_CMD_OPERAND(pasid), 0);
}

static void flood_binds(struct vm *vm, ioasid_t pasid)
{
	int refused = 0;

	flow_record(false);
	for (int i = 0; i < 1000; i++)
		refused += guest_do(vm, GUEST_BIND, pasid, vm->processes[0].root) == -EBUSY;
	flow_record(true);
	flow_check(refused == 1000, "1000 further binds are refused with EBUSY");
}

static void run_malicious(void)
{
	struct host host;
	struct vm *victim, *bad;
	ioasid_t stolen, pasid, freed, next;

	host_create(&host);
	victim = running_guest(&host, 1, 8);
	bad = running_guest(&host, 2, 8);
	stolen = vfio_host_pasid(victim, bound_process(victim, 0));
	flow_record(true);
	guest_do(victim, GUEST_START, 0, 0);
	raw_free(bad, stolen);
	raw_free(bad, 101);
	guest_do(bad, GUEST_PROGRAM, 0, stolen);
	guest_do(bad, GUEST_PROGRAM, 0, 101);
	guest_do(bad, GUEST_ENQCMD, 0, stolen);
	guest_do(bad, GUEST_START, 0, 0);
	guest_do(bad, GUEST_UNBIND, 101, 0);
	guest_do(bad, GUEST_BIND, 101, bad->processes[0].root);

	pasid = guest_do(bad, GUEST_ALLOC, 0, 0);
	guest_do(bad, GUEST_BIND, pasid, 1ULL << 40);
	guest_do(bad, GUEST_ENQCMD, 0, pasid);
	flood_binds(bad, pasid);
	flow_picture();
	freed = vfio_host_pasid(bad, pasid);
	flow_hold(false);
	raw_free(bad, pasid);
	raw_free(bad, pasid);
	guest_do(bad, GUEST_BIND, pasid, bad->processes[0].root);
	flow_let_iommu_work();

	next = guest_do(victim, GUEST_ALLOC, 0, 0);
	flow_check(vfio_host_pasid(victim, next) == freed, "the number that guest 2 freed");
	guest_do(victim, GUEST_BIND, next, victim->processes[1].root);
	guest_do(bad, GUEST_UNBIND, pasid, 0);
	guest_do(victim, GUEST_ENQCMD, 0, next);
	guest_do(victim, GUEST_ENQCMD, 0, 101);
	flow_record(false);
	flow_check(look_at(stolen).references == 4, "the victim's PASID has its four references");
	guest_kill(bad);
	vm_destroy(bad);
	vm_destroy(victim);
	host_destroy(&host);
}

const struct flow flow_malicious = {
	.name = "malicious",
	.title = "a guest frees, binds and programs what is not its own",
	.shows = "Damage from a bad guest stays with that guest.",
	FLOW_ROWS(malicious_rows),
	.run = run_malicious,
};
