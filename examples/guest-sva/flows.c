// SPDX-License-Identifier: MIT
// The list of flows, in the order of telling.

#include "flows.h"

const struct flow *const flows[] = {
	&flow_normal, &flow_free_first, &flow_any_order, &flow_crash, &flow_kvm_first,
	&flow_two_devices, &flow_quota, &flow_same_number, &flow_malicious,
	&flow_migration_source, &flow_migration_target,
	NULL,
};
