/* SPDX-License-Identifier: MIT */
/* What 6.1's drivers/iommu/intel/pasid.c asks of the kernel, over libioasid's headers. */
#ifndef KERNEL_VTD_KERNEL_H
#define KERNEL_VTD_KERNEL_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <asm/page.h>
#include <linux/bitfield.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/ioasid.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm_types.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "machine.h"

/* Ends a program that finds something wrong. */
#define check(truth) \
	do { \
		if (!(truth)) { \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
			exit(1); \
		} \
	} while (0)

/* Sources say it themselves, after their headers. */
#undef pr_fmt

#define CONFIG_64BIT 1
#define CONFIG_INTEL_IOMMU 1

#undef BIT
#undef BIT_ULL
#undef GENMASK_ULL
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(h, l) (((~0ULL) << (l)) & (~0ULL >> (63 - (h))))
#undef __GFP_ZERO
#define __GFP_ZERO 0

typedef unsigned long cycles_t;
typedef spinlock_t raw_spinlock_t;
static inline cycles_t get_cycles(void)
{
	return 0;
}
#define cpu_relax() ((void)0)
#define panic(...) abort()
#define dma_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define dev_err(dev, ...) ((void)(dev), pr_err(__VA_ARGS__))
#define DMAR_OPERATION_TIMEOUT 1000

/* Memory is the machine's, and coherent. */
#define virt_to_phys(p) machine_physical(p)
#define __pa(p) machine_physical(p)
#define phys_to_virt(a) machine_virtual(a)
#define clflush_cache_range(start, size) ((void)(start))
static inline int get_order(unsigned long size)
{
	int order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}
struct page;
static inline struct page *alloc_pages_node(int node, gfp_t flags, int order)
{
	(void)node, (void)flags;
	return machine_take(1u << order);
}
#define page_address(page) ((void *)(page))
static inline void free_pages(unsigned long start, int order)
{
	machine_give((void *)start, 1u << order);
}

/* Registers. */
#define readl(at) ((u32)machine_read((u32)(uintptr_t)(at), 4))
#define readq(at) machine_read((u32)(uintptr_t)(at), 8)
#define writel(value, at) machine_write((u32)(uintptr_t)(at), 4, value)
#define writeq(value, at) machine_write((u32)(uintptr_t)(at), 8, value)

/* Devices. */
struct device {
	void *iommu_data;
	u16 source_id;
};
struct pci_dev {
	struct device dev;
};
#define to_pci_dev(d) container_of(d, struct pci_dev, dev)
#define dev_is_pci(d) true
#define dev_iommu_priv_get(d) ((struct device_domain_info *)(d)->iommu_data)
static inline int pci_max_pasids(struct pci_dev *dev)
{
	(void)dev;
	return 1 << 20;
}
static inline bool pci_device_is_present(struct pci_dev *dev)
{
	(void)dev;
	return true;
}

struct intel_iommu;
struct iommu_domain {
	int unused;
};
struct iommu_device {
	int unused;
};
struct dmar_drhd_unit {
	int unused;
};
struct completion {
	int done;
};
struct iopf_queue;
struct iommu_ops;
struct attribute_group;
struct iommu_fault_event;
struct iommu_page_response;

/* One entry is all that a domain on one unit needs. */
struct xarray {
	void *entry;
};
static inline void *xa_load(struct xarray *array, unsigned long index)
{
	(void)index;
	return array->entry;
}

#endif
