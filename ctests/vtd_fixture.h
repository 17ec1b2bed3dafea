/* SPDX-License-Identifier: MIT */
/* What the VT-d suites share: a machine with a unit, and tables written by hand or by the driver. */
#ifndef VTD_FIXTURE_H
#define VTD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>

#define MEMORY (256u << 20)

static inline u64 page_of(struct vtd_machine *machine)
{
	u64 page = vtd_page_alloc(machine, 1);

	assert_true(page != VTD_NO_ADDRESS);
	return page;
}

static inline void store(struct vtd_machine *machine, u64 address, u64 value)
{
	assert_int_equal(vtd_memory_write(machine, address, &value, sizeof(value)), 0);
}

static inline u64 load(struct vtd_machine *machine, u64 address)
{
	u64 value;

	assert_int_equal(vtd_memory_read(machine, address, &value, sizeof(value)), 0);
	return value;
}

static inline struct vtd_stats stats_of(struct intel_iommu *iommu)
{
	struct vtd_stats stats;

	vtd_get_stats(iommu, &stats);
	return stats;
}

static inline int read_dma(struct device *dev, ioasid_t pasid, u64 address)
{
	return vtd_dma(dev, pasid, address, VTD_DMA_READ, NULL);
}

static inline void submit(struct intel_iommu *iommu, struct vtd_inv_desc desc)
{
	assert_int_equal(vtd_inv_submit(iommu, &desc, 1), 0);
}

/* The fault that must have been recorded, and no other. */
static inline void expect_fault(struct intel_iommu *iommu, u32 reason, ioasid_t pasid, u64 address)
{
	struct vtd_fault fault;

	assert_true(vtd_fault_read(iommu, &fault));
	assert_int_equal(fault.reason, reason);
	assert_int_equal(fault.pasid, pasid);
	assert_true(fault.address == (address & ~(u64)(VTD_PAGE_SIZE - 1)));
	assert_false(vtd_fault_read(iommu, &fault));
}

#endif
