// SPDX-License-Identifier: MIT
// The words for every step of a flow: who does it, to whom, and what it is.

#include "flow.h"

const char *const flow_actors[NR_FLOW_ACTORS] = {
	[GUEST] = "Guest", [VFIO] = "VFIO", [IOMMU] = "IOMMU",
	[KVM] = "KVM",	   [VDCM] = "VDCM", [CORE] = "core",
};

const struct flow_words flow_words[NR_FLOW_STEPS] = {
	[IOMMU_LISTENS] = { IOMMU, CORE, "listens to FREE of all ids" },
	[KVM_LISTENS] = { KVM, CORE, "listens to the guest's set, first of all" },
	[VDCM_LISTENS] = { VDCM, CORE, "listens to the guest's set, after the others" },
	[GUEST_ASKS] = { GUEST, VFIO, "ioasid_alloc: virtual command" },
	[VFIO_ALLOCATES] = { VFIO, CORE, "ioasid_alloc" },
	[VFIO_REFUSES] = { VFIO, GUEST, "no PASID left for this guest" },
	[IOMMU_BINDS] = { VFIO, IOMMU, "bind guest PASID: takes its reference" },
	[BIND_IS_TOLD] = { IOMMU, CORE, "attaches the SPID: BIND event" },
	[VFIO_REFUSES_BIND] = { VFIO, GUEST, "bind refused" },
	[KVM_ENTERS] = { CORE, KVM, "BIND: takes a reference, fills the table" },
	[VDCM_PROGRAMS] = { GUEST, VDCM, "programs its PASID: host PASID looked up" },
	[VDCM_REFUSES] = { GUEST, VDCM, "programs a PASID that is not its own" },
	[GUEST_ENQCMDS] = { GUEST, KVM, "ENQCMD: PASID translated, one DMA" },
	[GUEST_STARTS] = { GUEST, VDCM, "starts DMA" },
	[GUEST_STOPS] = { GUEST, VDCM, "stops DMA" },
	[VDCM_CLEARS] = { GUEST, VDCM, "clears its PASID: device cleared, put" },
	[UNBIND_IS_TOLD] = { VFIO, IOMMU, "unbind: entry torn down, UNBIND event" },
	[KVM_CLEARS] = { CORE, KVM, "UNBIND: clears the table, put" },
	[IOMMU_PUTS] = { IOMMU, CORE, "put, unbind returns" },
	[VFIO_REFUSES_UNBIND] = { VFIO, GUEST, "unbind refused: nothing is bound" },
	[UNBIND_IS_LATE] = { VFIO, GUEST, "late unbind: finds nothing and says so" },
	[KVM_LEAVES] = { KVM, CORE, "leaves: clears the table, put" },
	[GUEST_DIES] = { GUEST, VFIO, "killed by SIGKILL" },
	[VFIO_SWEEPS] = { VFIO, CORE, "the socket is closed: ioasid_free_all_in_set" },
	[FREE_IS_TOLD] = { VFIO, CORE, "ioasid_free: FREE_PENDING, FREE event" },
	[KVM_HEARS_FREE] = { CORE, KVM, "FREE: clears the table, put" },
	[IOMMU_QUEUES] = { CORE, IOMMU, "FREE: schedules work" },
	[VDCM_QUEUES] = { CORE, VDCM, "FREE: schedules work" },
	[FREE_RETURNS] = { CORE, VFIO, "ioasid_free returns, own reference dropped" },
	[VFIO_REFUSES_FREE] = { VFIO, GUEST, "free refused: not this guest's" },
	[GET_IS_TRIED] = { VDCM, CORE, "ioasid_get" },
	[SPID_IS_LOOKED_UP] = { VDCM, CORE, "ioasid_find_by_spid" },
	[NUMBER_IS_WANTED] = { VFIO, CORE, "ioasid_alloc of this very number" },
	[VDCM_WORKS] = { VDCM, CORE, "work: clears the device, put" },
	[IOMMU_WORKS] = { IOMMU, CORE, "work done: no entry, nothing cached, no reference" },
	[VFIO_SAVES] = { VFIO, VFIO, "saves memory and guest PASIDs" },
	[VFIO_RESTORES] = { VFIO, VFIO, "loads memory and guest PASIDs" },
};
