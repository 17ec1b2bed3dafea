/* SPDX-License-Identifier: MIT */
/* What 6.1's drivers/iommu/intel/svm.c asks of the kernel beyond kernel.h: each part as little as it needs. */
#ifndef KERNEL_VTD_SVM_H
#define KERNEL_VTD_SVM_H

#include <pthread.h>

#include <linux/align.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "kernel.h"

#define CONFIG_INTEL_IOMMU_SVM 1
#undef pr_warn
#define pr_warn(...) ((void)0)

/* ---- processes: those of the test, which have a page table ---- */

#define mm_struct svm_mm
struct mmu_notifier;
struct svm_mm {
	pgd_t *pgd;
	u32 pasid;
	int users; /* of the PASID */
	struct mmu_notifier *notifier;
};
extern struct svm_mm init_mm;

struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *notifier, struct mm_struct *mm);
	void (*invalidate_range)(struct mmu_notifier *notifier, struct mm_struct *mm,
				 unsigned long start, unsigned long end);
};
struct mmu_notifier {
	const struct mmu_notifier_ops *ops;
};
int mmu_notifier_register(struct mmu_notifier *notifier, struct mm_struct *mm);
void mmu_notifier_unregister(struct mmu_notifier *notifier, struct mm_struct *mm);
int iommu_sva_alloc_pasid(struct mm_struct *mm, ioasid_t min, ioasid_t max);

/* ---- constants and small things ---- */

#define SVM_FLAG_SUPERVISOR_MODE BIT(1)
#define PRQ_ORDER 0
#define PRQ_RING_MASK ((PAGE_SIZE << PRQ_ORDER) - 32)
#define DMAR_UNITS_SUPPORTED 1024
#define __VIRTUAL_MASK_SHIFT 47
#define X86_FEATURE_GBPAGES 0
#define X86_FEATURE_LA57 1
#define cpu_feature_enabled(feature) ((feature) == X86_FEATURE_GBPAGES)
#define PCI_DEVID(bus, devfn) ((u16)((bus) << 8 | (devfn)))
#define PCI_BUS_NUM(id) ((id) >> 8 & 0xff)
#define __roundup_pow_of_two(n) roundup_pow_of_two(n)
#define mutex_is_locked(mutex) ((void)(mutex), true)
#undef lockdep_assert_held
#define lockdep_assert_held(lock) ((void)(lock))
#undef pr_info_ratelimited
#define pr_info_ratelimited(...) ((void)0)
#define dmar_latency_enabled(iommu, type) false
#define dmar_latency_update(iommu, type, time) ((void)0)
#define ktime_get() 0
#define ktime_to_ns(time) ((u64)(time))
#define trace_prq_report(...) ((void)0)
/* What is invalid is what the test sends on purpose. */
#undef pr_err
#define pr_err(...) ((void)0)

/* ---- an array by PASID ---- */

struct svm_array {
	void *entries[1024];
};
#define DEFINE_XARRAY_ALLOC(name) struct svm_array name
#define XA_LIMIT(low, high) (high)
#define xa_alloc(array, index, entry, limit, gfp) ((array)->entries[*(index)] = (entry), 0)
#define xa_erase(array, index) ((array)->entries[index] = NULL)
/* kernel.h has the one of a domain. */
static inline void *svm_array_load(struct svm_array *array, unsigned long index)
{
	return array->entries[index];
}
#define xa_load(array, index) \
	_Generic((array), struct svm_array *: svm_array_load, struct xarray *: xa_load)(array, index)

/* ---- completions ---- */

struct svm_completion {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int done;
};
#define completion svm_completion
static inline void init_completion(struct completion *c)
{
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->done = 0;
}
static inline void reinit_completion(struct completion *c)
{
	pthread_mutex_lock(&c->mutex);
	c->done = 0;
	pthread_mutex_unlock(&c->mutex);
}
static inline bool completion_done(struct completion *c)
{
	bool done;

	pthread_mutex_lock(&c->mutex);
	done = c->done;
	pthread_mutex_unlock(&c->mutex);
	return done;
}
static inline void complete(struct completion *c)
{
	pthread_mutex_lock(&c->mutex);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}
static inline void wait_for_completion(struct completion *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!c->done)
		pthread_cond_wait(&c->changed, &c->mutex);
	c->done--;
	pthread_mutex_unlock(&c->mutex);
}

/* ---- interrupts ---- */

typedef int irqreturn_t;
#define IRQ_RETVAL(handled) ((handled) != 0)
#define IRQF_ONESHOT 0
struct intel_iommu;
int dmar_alloc_hwirq(int id, int node, void *arg);
void dmar_free_hwirq(int irq);
int request_threaded_irq(int irq, void *handler, irqreturn_t (*thread)(int irq, void *data),
			 unsigned long flags, const char *name, void *data);
void free_irq(int irq, void *data);

/* ---- devices and faults ---- */

struct iommu_sva {
	struct device *dev;
};
struct pci_dev *pci_get_domain_bus_and_slot(int segment, unsigned int bus, unsigned int devfn);
static inline void pci_dev_put(struct pci_dev *pdev)
{
	(void)pdev;
}
static inline int pci_ats_queue_depth(struct pci_dev *pdev)
{
	(void)pdev;
	return 0;
}

#define IOMMU_FAULT_PAGE_REQ 2
#define IOMMU_FAULT_PERM_READ 1
#define IOMMU_FAULT_PERM_WRITE 2
#define IOMMU_FAULT_PERM_EXEC 4
#define IOMMU_FAULT_PERM_PRIV 8
#define IOMMU_FAULT_PAGE_REQUEST_PASID_VALID 1
#define IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE 2
#define IOMMU_FAULT_PAGE_REQUEST_PRIV_DATA 4
#define IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID 8
struct iommu_fault_page_request {
	u32 flags, pasid, grpid, perm;
	u64 addr, private_data[2];
};
struct iommu_fault_event {
	struct {
		u32 type;
		struct iommu_fault_page_request prm;
	} fault;
};
struct iommu_page_response {
	u32 code;
};
/* Not the library's, which is linked as well. */
#define iommu_report_device_fault svm_report_device_fault
int iommu_report_device_fault(struct device *dev, struct iommu_fault_event *event);

/* The queue of recoverable faults; the test handles them at once. */
struct iopf_queue {
	int unused;
};
struct iopf_queue *iopf_queue_alloc(const char *name);
void iopf_queue_free(struct iopf_queue *queue);
int iopf_queue_flush_dev(struct device *dev);
int iopf_queue_discard_partial(struct iopf_queue *queue);

#endif
