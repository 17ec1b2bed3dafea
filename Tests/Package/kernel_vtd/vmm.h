/* SPDX-License-Identifier: MIT */
/* A host under the machine's units, which are a guest's then: it traps their queues and drives units of its own. */
#ifndef KERNEL_VTD_VMM_H
#define KERNEL_VTD_VMM_H

#include <stdbool.h>
#include <stdint.h>

/* What there is to do for a guest's descriptor, each of which a test can leave out. */
enum vmm_step {
	VMM_NOTHING,
	VMM_PASID, /* the number is the guest's; left out: the host's, once more translated */
	VMM_DID, /* a guest's domain id says which PASIDs are meant */
	VMM_GRANULARITY, /* a PASID, a range, one page; left out: always one page */
	VMM_ADDRESS, /* where the pages begin */
	VMM_CACHE, /* IOTLB, device TLB, PASID cache; left out: always the PASID cache */
	VMM_DOMAIN, /* the domain of the device behind the unit; left out: always the first's */
	VMM_OWNER, /* the process that asks; left out: another guest's */
	VMM_BIND, /* an entry that became present */
	VMM_UNBIND, /* an entry that went */
	VMM_ANSWER, /* page group responses */
	VMM_STEPS
};
extern const char *const vmm_step_names[VMM_STEPS];

/* What is refused on purpose is not logged. */
void vmm_be_quiet(void);
/* A unit of the host, with a device that is the guest's, for each of the machine's, and memory. */
void vmm_begin(bool has_tlb, bool has_requests);
void vmm_end(void);
void vmm_leave_out(enum vmm_step step);

/* Host PASID of a guest's; 0 if it is not bound on the unit. */
uint32_t vmm_host_pasid(unsigned int unit, uint32_t guest);
/* As machine_dma_by(), by the host's device and with a PASID of the host's. */
uint64_t vmm_dma(unsigned int unit, uint32_t host, uint64_t address);
/* Requests that a cache answered, and those of them that the tables would not have. */
uint64_t vmm_cached(void);
uint64_t vmm_stale(void);
/* Calls that the host refused, since the last time. */
unsigned int vmm_refused(void);

/*
 * What another guest can try with PASIDs of this one: how many of the attempts succeed. @is_trusted: as if
 * the host did not ask whose they are.
 */
unsigned int vmm_attack(uint32_t guest, bool is_trusted);

#endif
