/* SPDX-License-Identifier: MIT */
/* What is around 6.1's svm.c: two units with a device each, as iommu.c sets them up, and processes. */
#ifndef KERNEL_VTD_SVM_KERNEL_H
#define KERNEL_VTD_SVM_KERNEL_H

#include "iommu.h"
#include "pasid.h"
#include "queue.h"

#define DID 5 /* of the device's own domain */
#define PAGES 8
#define ADDRESS 0x400000ULL
#define ADDRESS_OF(page) (ADDRESS + (page) * PAGE_SIZE)

struct unit {
	struct intel_iommu iommu;
	struct pci_dev pci;
	struct device_domain_info info;
	struct iommu_domain_info domain_info;
	struct dmar_domain domain;
	u64 *root, *context;
};
extern struct unit units[MACHINE_UNITS];

/* The machine is there already. */
void units_begin(bool has_tlb, bool has_requests);
void units_end(void);

struct process {
	struct svm_mm mm;
	u64 *tables[4], *pages[PAGES];
};

void process_start(struct process *p);
/* Gives the memory back, and the PASID, if it has one that bind() took. */
void process_end(struct process *p);
void process_map(struct process *p, int page);
/* As munmap() does, and mmu_notifiers hear of it. */
void process_unmap(struct process *p, int page, int count);
/* As mmput() of the last user: first the notifiers, then the memory. */
void process_exit(struct process *p);
struct iommu_sva *process_bind(int unit, struct process *p);

/* What the queue of recoverable faults does with a request; a test has one. */
int iopf_queue_flush_dev(struct device *dev);

#endif
