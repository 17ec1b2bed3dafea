// SPDX-License-Identifier: MIT
// The list of flows, in the order of telling, and what several of them begin and end with.

#include "flows.h"

const struct flow *const flows[] = {
	&flow_normal,
	&flow_free_first,
	&flow_any_order,
	&flow_crash,
	&flow_kvm_first,
	&flow_two_devices,
	&flow_quota,
	&flow_same_number,
	&flow_malicious,
	&flow_unmap,
	&flow_page_request,
	&flow_process_ends,
	&flow_migration_source,
	&flow_migration_target,
	NULL,
};

/* A guest that runs, with one mediated device. */
struct vm *running_guest(struct host *host, int number, ioasid_t quota)
{
	struct vm *vm = vm_create(host, number, quota);

	vm_add_mdev(vm, host->dev[0]);
	guest_start(vm);
	return vm;
}

/* The guest binds a process, and programs its device with it: four references. */
ioasid_t bound_process(struct vm *vm, int process)
{
	ioasid_t pasid = guest_do(vm, GUEST_ALLOC, 0, 0);

	if (guest_do(vm, GUEST_BIND, pasid, vm->processes[process].root) ||
	    guest_do(vm, GUEST_PROGRAM, 0, pasid))
		die("guest %d cannot share a process", vm->number);
	return pasid;
}

/* As a guest that behaves does it. */
void end_process(struct vm *vm, ioasid_t pasid)
{
	guest_do(vm, GUEST_PROGRAM, 0, INVALID_IOASID);
	guest_do(vm, GUEST_UNBIND, pasid, 0);
	guest_do(vm, GUEST_FREE, pasid, 0);
}

/* What follows is no longer part of the table, but must leave nothing. @other may be NULL. */
void end_flow(struct host *host, struct vm *vm, struct vm *other)
{
	flow_record(false);
	vm_destroy(vm);
	if (other)
		vm_destroy(other);
	host_destroy(host);
}
