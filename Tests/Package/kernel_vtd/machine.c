// SPDX-License-Identifier: MIT
// The VT-d model behind machine.h.

#include <assert.h>
#include <linux/err.h>
#include <linux/ioasid-vtd.h>
#include "machine.h"

static struct vtd_machine *machine;
static struct intel_iommu *iommu;
static struct device *dev;
static u64 own_pages;

void machine_begin(bool has_tlb)
{
	struct vtd_unit_config config = { VTD_CAP_DEFAULT | VTD_CAP_SRS, 20, NULL, NULL };

	machine = vtd_machine_create(64 << 20);
	iommu = vtd_unit_create(machine, &config);
	dev = vtd_device_create(iommu, MACHINE_SOURCE_ID, has_tlb ? VTD_DEV_ATS : 0);
	assert(!IS_ERR(dev));
	own_pages = vtd_pages_used(machine);
}

void machine_end(void)
{
	assert(vtd_pages_used(machine) == own_pages);
	assert(vtd_device_destroy(dev) == 0);
	assert(vtd_unit_destroy(iommu) == 0);
	assert(vtd_machine_destroy(machine) == 0);
	assert(vtd_blocks_used() == 0);
}

void *machine_take(unsigned int pages)
{
	return machine_virtual(vtd_page_alloc(machine, pages));
}

void machine_give(void *start, unsigned int pages)
{
	if (start)
		vtd_page_free(machine, machine_physical(start), pages);
}

uint64_t machine_physical(const void *at)
{
	return (uint64_t)((const char *)at - (const char *)vtd_memory_map(machine));
}

void *machine_virtual(uint64_t address)
{
	return (char *)vtd_memory_map(machine) + address;
}

uint64_t machine_read(uint32_t offset, unsigned int size)
{
	return vtd_register_read(iommu, offset, size);
}

void machine_write(uint32_t offset, unsigned int size, uint64_t value)
{
	assert(vtd_register_write(iommu, offset, size, value) == 0);
}

uint64_t machine_dma(uint32_t pasid, uint64_t address)
{
	u64 physical;

	return vtd_dma(dev, pasid, address, VTD_DMA_READ, &physical) ? MACHINE_REFUSED : physical;
}

uint64_t machine_stale(void)
{
	struct vtd_stats stats;

	vtd_get_stats(iommu, &stats);
	return stats.stale_hits;
}

unsigned int machine_faults(void)
{
	struct vtd_fault fault;
	unsigned int count = 0;

	while (vtd_fault_read(iommu, &fault))
		count++;
	return count;
}
