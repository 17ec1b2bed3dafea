/* SPDX-License-Identifier: MIT */
/* All flows, and what several of them begin with. */
#ifndef GUEST_SVA_FLOWS_H
#define GUEST_SVA_FLOWS_H

#include "flow.h"
#include "guest.h"

extern const struct flow flow_normal, flow_kvm_first, flow_two_devices;
extern const struct flow flow_free_first, flow_any_order, flow_crash;
extern const struct flow flow_quota, flow_same_number, flow_malicious;
extern const struct flow flow_migration_source, flow_migration_target;

/* A guest that runs, with one mediated device. */
static inline struct vm *running_guest(struct host *host, int number, ioasid_t quota)
{
	struct vm *vm = vm_create(host, number, quota);

	vm_add_mdev(vm, host->dev[0]);
	guest_start(vm);
	return vm;
}

/* It binds its process of this number, and programs its device with it: four references. */
static inline ioasid_t bound_process(struct vm *vm, int process)
{
	ioasid_t pasid = guest_do(vm, GUEST_ALLOC, 0, 0);

	if (guest_do(vm, GUEST_BIND, pasid, vm->processes[process].root) ||
	    guest_do(vm, GUEST_PROGRAM, 0, pasid))
		die("guest %d cannot share a process", vm->number);
	return pasid;
}

#endif
