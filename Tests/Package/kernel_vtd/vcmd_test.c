// SPDX-License-Identifier: MIT
// 6.1's virtual-command functions of iommu.c, unedited, in a guest: PASIDs come from the host, and go back.

#include "iommu.h"
#include "pasid.h"

#define pr_fmt(fmt) fmt

int intel_iommu_sm = 1;

/* Cut out of iommu.c by check-kernel-vtd: intel_vcmd_ioasid_alloc() to register_pasid_allocator(). */
#include "vcmd_part.c"

static DECLARE_IOASID_SET(guest);

static void begin(struct intel_iommu *iommu, unsigned int unit)
{
	memset(iommu, 0, sizeof(*iommu));
	iommu->reg = (void __iomem *)(uintptr_t)(unit << 16);
	iommu->cap = readq(iommu->reg + DMAR_CAP_REG);
	iommu->ecap = readq(iommu->reg + DMAR_ECAP_REG);
	iommu->vccap = readq(iommu->reg + DMAR_VCCAP_REG);
	raw_spin_lock_init(&iommu->register_lock);
}

int main(void)
{
	struct intel_iommu iommu[MACHINE_UNITS];
	ioasid_t id, ids[4];
	int data;

	/* A host's unit has no caching mode: nothing is registered. */
	machine_begin(false);
	begin(&iommu[0], 0);
	register_pasid_allocator(&iommu[0]);
	check(ioasid_alloc(&guest, 1, 5, NULL) == 1);
	ioasid_free(1);
	machine_end();

	machine_begin_guest();
	for (int unit = 0; unit < MACHINE_UNITS; unit++) {
		begin(&iommu[unit], (unsigned int)unit);
		check(cap_caching_mode(iommu[unit].cap));
		check(vccap_pasid(iommu[unit].vccap));
		register_pasid_allocator(&iommu[unit]);
	}
	check(intel_iommu_sm == 1);

	id = ioasid_alloc(&guest, PASID_MIN, intel_pasid_max_id, &data);
	check(id == MACHINE_FIRST_PASID);
	check(machine_host_pasids() == 1);
	check(ioasid_find(&guest, id, NULL) == &data);
	/* While it has private data the driver keeps it from the host: set to NULL first, as its callers do. */
	check(ioasid_set_data(id, NULL) == 0);
	ioasid_free(id);
	check(machine_host_pasids() == 0);
	check(IS_ERR(ioasid_find(&guest, id, NULL)));

	for (int i = 0; i < 4; i++) {
		ids[i] = ioasid_alloc(&guest, PASID_MIN, intel_pasid_max_id, NULL);
		check(ids[i] == MACHINE_FIRST_PASID + (ioasid_t)i);
	}
	/* The host has no more, or the range is none that it takes. */
	check(ioasid_alloc(&guest, PASID_MIN, intel_pasid_max_id, NULL) == INVALID_IOASID);
	check(ioasid_alloc(&guest, 0, intel_pasid_max_id, NULL) == INVALID_IOASID);
	check(machine_host_pasids() == 4);
	for (int i = 0; i < 4; i++)
		ioasid_free(ids[i]);
	check(machine_host_pasids() == 0);
	for (int unit = 0; unit < MACHINE_UNITS; unit++)
		ioasid_unregister_allocator(&iommu[unit].pasid_allocator);
	machine_end();
	printf("vcmd: PASIDs of the host, through two units\n");
	return 0;
}
