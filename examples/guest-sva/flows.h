/* SPDX-License-Identifier: MIT */
/* All flows, and what several of them begin and end with. */
#ifndef GUEST_SVA_FLOWS_H
#define GUEST_SVA_FLOWS_H

#include "flow.h"
#include "guest.h"

extern const struct flow flow_normal, flow_kvm_first, flow_two_devices;
extern const struct flow flow_free_first, flow_any_order, flow_crash;
extern const struct flow flow_quota, flow_same_number, flow_malicious;
extern const struct flow flow_unmap, flow_page_request, flow_process_ends;
extern const struct flow flow_migration_source, flow_migration_target;

struct vm *running_guest(struct host *host, int number, ioasid_t quota);
ioasid_t bound_process(struct vm *vm, int process);
void end_process(struct vm *vm, ioasid_t pasid);
void end_flow(struct host *host, struct vm *vm, struct vm *other);

#endif
