// SPDX-License-Identifier: MIT
// Every function with handles that are none: NULL, error pointers, garbage, of another kind, destroyed, of another machine.

#include <errno.h>
#include <linux/sched/mm.h>
#include "vtd_fixture.h"

enum kind { MACHINE, UNIT, DEVICE, DOMAIN, GUEST, SVA, KINDS };

/* What has been destroyed, by kind, and pointers that were never anything. */
struct strange {
	void *gone[KINDS];
	char garbage[256];
	const void *list[16];
	unsigned int count, at;
};

static void make_and_destroy(struct strange *s)
{
	struct vtd_machine *machine = vtd_machine_create(1 << 20);
	struct intel_iommu *iommu = vtd_unit_create(machine, NULL);
	struct device *dev = vtd_device_create(iommu, 0x1000, VTD_DEV_ATS | VTD_DEV_PRI);
	struct iommu_domain *domain = vtd_domain_alloc(machine, IOMMU_DOMAIN_UNMANAGED);
	struct vtd_guest *guest = vtd_guest_create(domain, 4);
	struct mm_struct *mm = mm_alloc();
	struct iommu_sva *sva;

	assert_int_equal(intel_iommu_enable(iommu), 0);
	assert_int_equal(iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF), 0);
	assert_int_equal(iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA), 0);
	sva = iommu_sva_bind_device(dev, mm, NULL);
	assert_false(IS_ERR(sva));
	iommu_sva_unbind_device(sva);
	mmput(mm);
	vtd_guest_destroy(guest);
	iommu_domain_free(domain);
	assert_int_equal(intel_iommu_disable(iommu), 0);
	assert_int_equal(vtd_device_destroy(dev), 0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
	s->gone[MACHINE] = machine;
	s->gone[UNIT] = iommu;
	s->gone[DEVICE] = dev;
	s->gone[DOMAIN] = domain;
	s->gone[GUEST] = guest;
	s->gone[SVA] = sva;
}

/* All that is not of a kind. What was destroyed may be there again by now: then it is left out. */
static void list(struct strange *s, struct host *h, enum kind kind)
{
	void *here[KINDS] = { h->machine, h->iommu, h->dev, h->domain, h->guest, NULL };
	struct intel_iommu *other = h->other;
	int i;

	s->count = 0;
	s->list[s->count++] = NULL;
	s->list[s->count++] = ERR_PTR(-EINVAL);
	s->list[s->count++] = ERR_PTR(-MAX_ERRNO);
	s->list[s->count++] = (void *)1;
	s->list[s->count++] = (void *)0x00007ffffffff000;
	s->list[s->count++] = (void *)~0xfffULL;
	s->list[s->count++] = s->garbage;
	s->list[s->count++] = s->garbage + 3;
	for (i = 0; i < KINDS; i++)
		if (i != (int)kind && here[i])
			s->list[s->count++] = here[i];
	for (i = 0; i < KINDS; i++)
		if (s->gone[kind] == here[i])
			return;
	if (s->gone[kind] != other && s->gone[kind] != h->second && s->gone[kind] != h->far)
		s->list[s->count++] = s->gone[kind];
}

#define EACH(s, h, kind) \
	list(s, h, kind); \
	for ((s)->at = 0; (s)->at < (s)->count; (s)->at++)

static void *strange_one(struct strange *s)
{
	return (void *)(uintptr_t)s->list[s->at];
}

static int some_handler(struct iommu_fault *fault, void *data)
{
	(void)fault, (void)data;
	return 0;
}

static void try_machines(struct strange *s, struct host *h)
{
	char byte = 0;

	EACH(s, h, MACHINE)
	{
		struct vtd_machine *bad = strange_one(s);

		assert_int_equal(vtd_machine_destroy(bad), -EINVAL);
		assert_true(vtd_page_alloc(bad, 1) == VTD_NO_ADDRESS);
		vtd_page_free(bad, 0, 1);
		assert_int_equal(vtd_pages_used(bad), 0);
		assert_int_equal(vtd_memory_read(bad, 0, &byte, 1), -EINVAL);
		assert_int_equal(vtd_memory_write(bad, 0, &byte, 1), -EINVAL);
		assert_null(vtd_memory_map(bad));
		assert_int_equal(PTR_ERR(vtd_unit_create(bad, NULL)), -EINVAL);
		assert_int_equal(PTR_ERR(vtd_domain_alloc(bad, IOMMU_DOMAIN_UNMANAGED)), -EINVAL);
		assert_int_equal(PTR_ERR(vtd_domain_alloc(bad, IOMMU_DOMAIN_IDENTITY)), -EINVAL);
	}
}

static void try_units(struct strange *s, struct host *h)
{
	struct vtd_inv_desc desc = vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0);
	struct vtd_fault fault;
	struct vtd_stats stats;

	EACH(s, h, UNIT)
	{
		struct intel_iommu *bad = strange_one(s);

		assert_int_equal(vtd_unit_destroy(bad), -EINVAL);
		assert_int_equal(vtd_unit_set_root(bad, 0), -EINVAL);
		assert_true(vtd_register_read(bad, VTD_REG_CAP, 8) == ~0ULL);
		assert_int_equal(vtd_register_write(bad, VTD_REG_GCMD, 4, 0), -EINVAL);
		assert_int_equal(vtd_unit_set_interrupt(bad, VTD_INTERRUPT_FAULT, NULL, NULL),
				 -EINVAL);
		assert_int_equal(vtd_unit_mask_page_requests(bad, true), -EINVAL);
		assert_int_equal(PTR_ERR(vtd_device_create(bad, 0x2000, 0)), -EINVAL);
		assert_int_equal(vtd_inv_submit(bad, &desc, 1), -EINVAL);
		assert_false(vtd_fault_read(bad, &fault));
		memset(&stats, 0xff, sizeof(stats));
		vtd_get_stats(bad, &stats);
		assert_int_equal(intel_iommu_enable(bad), -EINVAL);
		assert_int_equal(intel_iommu_disable(bad), -EINVAL);
		assert_int_equal(intel_vcmd_ioasid_alloc(1, 100, bad), INVALID_IOASID);
		intel_vcmd_ioasid_free(100, bad);
	}
}

static void try_devices_as_hardware(struct strange *s, struct host *h)
{
	u64 entry[VTD_PASID_ENTRY_WORDS], physical;
	char byte = 0;

	EACH(s, h, DEVICE)
	{
		struct device *bad = strange_one(s);

		assert_int_equal(vtd_device_destroy(bad), -EINVAL);
		assert_int_equal(vtd_dma(bad, h->pasid, 0, VTD_DMA_READ, &physical), -EINVAL);
		assert_int_equal(vtd_page_request(bad, h->pasid, 0, VTD_DMA_READ, 1, true),
				 -EINVAL);
		assert_int_equal(vtd_page_answer(bad, h->pasid, 1), -EINVAL);
		assert_int_equal(vtd_ats_translate(bad, h->pasid, 0, VTD_DMA_READ, &physical),
				 -EINVAL);
		assert_int_equal(vtd_dma_read(bad, h->pasid, 0, &byte, 1), -EINVAL);
		assert_int_equal(vtd_dma_write(bad, h->pasid, 0, &byte, 1), -EINVAL);
		assert_int_equal(vtd_pasid_entry(bad, h->pasid, entry), -EINVAL);
		assert_true(vtd_pasid_entry_address(bad, h->pasid) == VTD_NO_ADDRESS);
	}
}

static void try_devices_of_the_driver(struct strange *s, struct host *h)
{
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct iommu_cache_invalidate_info info = { .argsz = sizeof(info),
						    .version = 1,
						    .cache = 1,
						    .granularity = IOMMU_INV_GRANU_DOMAIN };
	struct iommu_fault_event event;
	struct iommu_page_response msg = {
		sizeof(msg), IOMMU_PAGE_RESP_VERSION_1, IOMMU_PAGE_RESP_PASID_VALID, h->pasid, 1, 0
	};
	int pasid;

	memset(&event, 0, sizeof(event));
	event.fault.type = IOMMU_FAULT_DMA_UNRECOV;
	EACH(s, h, DEVICE)
	{
		struct device *bad = strange_one(s);

		assert_int_equal(intel_svm_bind_gpasid(h->domain, bad, &data), -ENODEV);
		assert_int_equal(intel_svm_unbind_gpasid(bad, h->pasid), -ENODEV);
		assert_int_equal(intel_iommu_sva_invalidate(h->domain, bad, &info), -ENODEV);
		assert_int_not_equal(iommu_uapi_sva_bind_gpasid(h->domain, bad, &data), 0);
		assert_int_not_equal(iommu_uapi_sva_unbind_gpasid(h->domain, bad, &data), 0);
		assert_int_not_equal(iommu_uapi_cache_invalidate(h->domain, bad, &info), 0);
		assert_int_equal(intel_svm_bind_mm(bad, &pasid, 0, NULL), -ENODEV);
		assert_int_equal(intel_svm_unbind_mm(bad, (int)h->pasid), -ENODEV);
		assert_int_equal(intel_svm_is_pasid_valid(bad, (int)h->pasid), -ENODEV);
		assert_int_equal(iommu_attach_device(h->domain, bad), -ENODEV);
		iommu_detach_device(h->domain, bad);
		assert_int_equal(iommu_aux_attach_device(h->domain, bad), -ENODEV);
		iommu_aux_detach_device(h->domain, bad);
		assert_int_equal(iommu_aux_get_pasid(h->domain, bad), -ENODEV);
		assert_null(iommu_get_domain_for_dev(bad));
		assert_false(iommu_dev_has_feature(bad, IOMMU_DEV_FEAT_AUX));
		assert_false(iommu_dev_feature_enabled(bad, IOMMU_DEV_FEAT_AUX));
		assert_int_equal(iommu_dev_enable_feature(bad, IOMMU_DEV_FEAT_AUX), -ENODEV);
		assert_int_equal(iommu_dev_disable_feature(bad, IOMMU_DEV_FEAT_AUX), -ENODEV);
		assert_int_equal(PTR_ERR(iommu_sva_bind_device(bad, current->mm, NULL)), -ENODEV);
		assert_int_equal(iommu_register_device_fault_handler(bad, some_handler, NULL),
				 -EINVAL);
		assert_int_equal(iommu_unregister_device_fault_handler(bad), -EINVAL);
		assert_int_equal(iommu_report_device_fault(bad, &event), -EINVAL);
		assert_int_equal(iommu_page_response(bad, &msg), -EINVAL);
	}
}

static void try_domains(struct strange *s, struct host *h)
{
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct iommu_cache_invalidate_info info = { .argsz = sizeof(info),
						    .version = 1,
						    .cache = 1,
						    .granularity = IOMMU_INV_GRANU_DOMAIN };
	int nesting = 1;

	EACH(s, h, DOMAIN)
	{
		struct iommu_domain *bad = strange_one(s);

		iommu_domain_free(bad);
		assert_int_equal(iommu_map(bad, 0, 0, VTD_PAGE_SIZE, IOMMU_READ), -EINVAL);
		assert_int_equal(iommu_unmap(bad, 0, VTD_PAGE_SIZE), 0);
		assert_true(iommu_iova_to_phys(bad, 0) == 0);
		assert_int_equal(iommu_attach_device(bad, h->dev), -EINVAL);
		iommu_detach_device(bad, h->dev);
		assert_int_equal(iommu_aux_attach_device(bad, h->dev), -EINVAL);
		iommu_aux_detach_device(bad, h->dev);
		assert_int_equal(iommu_aux_get_pasid(bad, h->dev), -EINVAL);
		assert_int_equal(iommu_domain_set_attr(bad, DOMAIN_ATTR_NESTING, &nesting),
				 -EINVAL);
		assert_int_equal(iommu_domain_get_attr(bad, DOMAIN_ATTR_NESTING, &nesting),
				 -EINVAL);
		assert_int_equal(intel_svm_bind_gpasid(bad, h->dev, &data), -EINVAL);
		assert_int_equal(intel_iommu_sva_invalidate(bad, h->dev, &info), -EINVAL);
		assert_int_not_equal(iommu_uapi_sva_bind_gpasid(bad, h->dev, &data), 0);
		assert_int_not_equal(iommu_uapi_cache_invalidate(bad, h->dev, &info), 0);
		assert_true(IS_ERR(vtd_guest_create(bad, 4)));
	}
}

static void try_the_rest(struct strange *s, struct host *h)
{
	char byte = 0;

	EACH(s, h, GUEST)
	{
		struct vtd_guest *bad = strange_one(s);

		vtd_guest_destroy(bad);
		assert_true(vtd_guest_page(bad) == VTD_NO_ADDRESS);
		assert_int_equal(vtd_guest_map(bad, VTD_PAGE_SIZE, 0, 0, VTD_DMA_READ), -EINVAL);
		assert_int_equal(vtd_guest_unmap(bad, VTD_PAGE_SIZE, 0), -EINVAL);
		assert_int_equal(vtd_guest_read(bad, 0, &byte, 1), -EINVAL);
		assert_int_equal(vtd_guest_write(bad, 0, &byte, 1), -EINVAL);
	}
	EACH(s, h, SVA)
	{
		struct iommu_sva *bad = strange_one(s);

		iommu_sva_unbind_device(bad);
		assert_true(iommu_sva_get_pasid(bad) == IOMMU_PASID_INVALID);
	}
	EACH(s, h, KINDS)
	{
		struct mm_struct *bad = strange_one(s);
		int error = bad ? -ENOENT : -EINVAL;

		assert_int_equal(vtd_mm_map(bad, 0, 0, VTD_DMA_READ), error);
		assert_int_equal(vtd_mm_unmap(bad, 0), error);
	}
}

/* What is bound stays bound, nothing is kept, and the hardware hears nothing. */
static void test_handles_that_are_none(void **state)
{
	struct host *h = *state;
	struct strange *s = calloc(1, sizeof(*s));
	u64 pages, blocks, told;
	struct vtd_fault fault;

	memset(s->garbage, 0xa5, sizeof(s->garbage));
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	make_and_destroy(s);
	blocks = vtd_blocks_used();
	pages = vtd_pages_used(h->machine);
	told = stats_of(h->iommu).invalidations + stats_of(h->other).invalidations;
	try_machines(s, h);
	try_units(s, h);
	try_devices_as_hardware(s, h);
	try_devices_of_the_driver(s, h);
	try_domains(s, h);
	try_the_rest(s, h);
	assert_int_equal(vtd_blocks_used(), blocks);
	assert_int_equal(vtd_pages_used(h->machine), pages);
	assert_true(stats_of(h->iommu).invalidations + stats_of(h->other).invalidations == told);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_false(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	free(s);
}

/* Handles that are some, each of a machine of its own. */
static void test_handles_of_two_machines(void **state)
{
	struct host *h = *state;
	struct vtd_machine *machine = vtd_machine_create(4 << 20);
	struct intel_iommu *iommu = vtd_unit_create(machine, NULL);
	struct device *dev = vtd_device_create(iommu, 0x1000, VTD_DEV_ATS | VTD_DEV_PRI);
	struct iommu_domain *domain = vtd_domain_alloc(machine, IOMMU_DOMAIN_UNMANAGED);
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct iommu_cache_invalidate_info info = { .argsz = sizeof(info),
						    .version = 1,
						    .cache = 1,
						    .granularity = IOMMU_INV_GRANU_DOMAIN };
	u64 entry[VTD_PASID_ENTRY_WORDS];
	u64 pages, blocks;
	int pasid, other;

	assert_int_equal(intel_iommu_enable(iommu), 0);
	assert_int_equal(iommu_attach_device(domain, dev), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	blocks = vtd_blocks_used();
	pages = vtd_pages_used(machine) + vtd_pages_used(h->machine);

	assert_int_equal(iommu_attach_device(h->domain, dev), -EINVAL);
	assert_int_equal(iommu_attach_device(domain, h->second), -EINVAL);
	assert_int_equal(iommu_aux_attach_device(h->domain, dev), -EINVAL);
	iommu_detach_device(h->domain, dev);
	iommu_detach_device(domain, h->dev);
	iommu_aux_detach_device(domain, h->dev);
	assert_int_equal(iommu_aux_get_pasid(domain, h->dev), -EINVAL);
	assert_int_equal(intel_svm_bind_gpasid(h->domain, dev, &data), -EINVAL);
	assert_int_equal(intel_svm_bind_gpasid(domain, h->second, &data), -EINVAL);
	assert_int_equal(intel_svm_unbind_gpasid(dev, h->pasid), -EINVAL);
	assert_int_equal(intel_iommu_sva_invalidate(domain, h->dev, &info), -EINVAL);
	assert_int_equal(intel_iommu_sva_invalidate(h->domain, dev, &info), -EINVAL);
	/* A page of one machine is a number in the other, so what is beyond its end is refused. */
	assert_int_equal(iommu_map(domain, 0, 8 << 20, VTD_PAGE_SIZE, IOMMU_READ), -EINVAL);
	/* A PASID that is bound in one machine has no entry in the other. */
	assert_true(vtd_pasid_entry(dev, h->pasid, entry) == -ENOENT || entry[0] == 0);
	assert_true(read_dma(dev, h->pasid, GUEST_ADDRESS) > 0);
	assert_int_equal(intel_svm_bind_mm(dev, &pasid, 0, NULL), 0);
	assert_int_equal(intel_svm_bind_mm(h->dev, &other, 0, NULL), -EINVAL);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), -EINVAL);
	assert_int_equal(intel_svm_is_pasid_valid(h->dev, pasid), -EINVAL);
	assert_int_equal(intel_svm_unbind_mm(dev, pasid), 0);

	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_true(vtd_blocks_used() <= blocks);
	/* A PASID table that was made for an entry stays with the device. */
	assert_true(vtd_pages_used(machine) + vtd_pages_used(h->machine) <= pages + 1);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	iommu_detach_device(domain, dev);
	iommu_domain_free(domain);
	assert_int_equal(intel_iommu_disable(iommu), 0);
	assert_int_equal(vtd_device_destroy(dev), 0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	assert_int_equal(vtd_pages_used(machine), 0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_handles_that_are_none, host_setup,
						host_teardown),
		cmocka_unit_test_setup_teardown(test_handles_of_two_machines, host_setup,
						host_teardown),
	};

	return cmocka_run_group_tests_name("vtd handles", tests, NULL, NULL);
}
