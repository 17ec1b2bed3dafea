// SPDX-License-Identifier: MIT
/* Caching mode: what is not there is cached as well, so that making it present needs an invalidation. */
#include "vtd_bench.h"

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT | VTD_CAP_CM);
}

static int setup_without(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT);
}

static int setup_host(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS, VTD_CAP_DEFAULT | VTD_CAP_CM);
}

static void expect(struct bench *b, int reason)
{
	struct vtd_fault fault;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), reason);
	while (vtd_fault_read(b->iommu, &fault))
		;
}

static void test_capability_is_shown(void **state)
{
	struct bench *b = *state;

	assert_int_equal(vtd_register_read(b->iommu, VTD_REG_CAP, 8) >> 7 & 1, 1);
}

static void test_capability_is_not_shown(void **state)
{
	struct bench *b = *state;

	assert_int_equal(vtd_register_read(b->iommu, VTD_REG_CAP, 8) >> 7 & 1, 0);
}

/* Cleared, missed, written again: @forgotten makes it be seen, @others do not. */
static void come_and_go(struct bench *b, u64 word, int reason, const struct vtd_inv_desc *others,
			unsigned int count, struct vtd_inv_desc forgotten)
{
	u64 old = load(b->machine, word);
	unsigned int i;

	store(b->machine, word, 0);
	forget(b);
	expect(b, reason);
	store(b->machine, word, old);
	expect(b, reason);
	for (i = 0; i < count; i++) {
		submit(b->iommu, others[i]);
		expect(b, reason);
	}
	submit(b->iommu, forgotten);
	expect(b, 0);
}

static void test_context_entry(void **state)
{
	struct bench *b = *state;
	const struct vtd_inv_desc others[] = {
		vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID + 1),
		vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0),
		vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0),
	};

	come_and_go(b, b->context + (SID & 0x7f) * 32, VTD_FAULT_CONTEXT_NOT_PRESENT, others, 3,
		    vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID));
	come_and_go(b, b->root + (SID >> 8) * 16, VTD_FAULT_ROOT_NOT_PRESENT, others, 3,
		    vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0));
}

static void test_pasid_entry(void **state)
{
	struct bench *b = *state;
	const struct vtd_inv_desc others[] = {
		vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0),
		vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0),
		vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID + 1),
		vtd_inv_pasid_cache(VTD_INV_PASID_DOMAIN, DID, 0),
		vtd_inv_pasid_cache(VTD_INV_PASID_DOMAIN, 0, 0),
	};

	come_and_go(b, b->entry, VTD_FAULT_PASID_NOT_PRESENT, others, 5,
		    vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID));
	come_and_go(b, b->directory + PASID / 64 * 8, VTD_FAULT_DIR_NOT_PRESENT, others, 5,
		    vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0));
}

/* A first level's missing pages are never cached, as a processor's are not. */
static void test_first_level(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1), old = load(b->machine, leaf);

	store(b->machine, leaf, 0);
	expect(b, VTD_FAULT_FL_NOT_PRESENT);
	store(b->machine, leaf, old);
	expect(b, 0);
}

static void test_second_level(void **state)
{
	struct bench *b = *state;
	const struct vtd_inv_desc others[] = {
		vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0),
		vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0),
		vtd_inv_piotlb(DID, PASID),
		vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID + 1),
	};
	u64 root = b->pages[4];

	write_entry(b, VTD_PGTT_SECOND_LEVEL, root, 0);
	forget(b);
	expect(b, 0);
	come_and_go(b, b->pages[1] + index_at(VIRTUAL, 1), VTD_FAULT_SL_PERMISSION, others, 4,
		    vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID));
	come_and_go(b, b->pages[3] + index_at(VIRTUAL, 3), VTD_FAULT_SL_PERMISSION, others, 4,
		    vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
}

/* Below a guest's table, which lies where it says in the guest's memory. */
static void test_second_level_below_a_guest(void **state)
{
	struct bench *b = *state;
	u64 second = page_of(b->machine);
	const struct vtd_inv_desc others[] = { vtd_inv_piotlb(DID, PASID) };
	u64 table = second;
	int level;

	for (level = 0; level < 5; level++)
		map_guest(b, second, b->pages[level], b->pages[level], 3);
	write_entry(b, VTD_PGTT_NESTED, second, b->pages[4]);
	forget(b);
	expect(b, 0);
	for (level = 4; level > 1; level--)
		table = load(b->machine, table + index_at(b->pages[0], level)) &
			VTD_PE_ADDRESS_MASK;
	come_and_go(b, table + index_at(b->pages[0], 1), VTD_FAULT_SL_PERMISSION, others, 1,
		    vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID));
}

/* Without the capability nothing of that is cached. */
static void test_without_caching_mode(void **state)
{
	struct bench *b = *state;
	u64 words[3] = { b->context + (SID & 0x7f) * 32, b->entry, b->root + (SID >> 8) * 16 };
	int i;

	for (i = 0; i < 3; i++) {
		u64 old = load(b->machine, words[i]);

		store(b->machine, words[i], 0);
		forget(b);
		assert_true(read_dma(b->dev, PASID, VIRTUAL) > 0);
		store(b->machine, words[i], old);
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	}
}

/* ---- the driver tells such a unit what it made present ---- */

static void test_driver_tells_what_it_binds(void **state)
{
	struct host *h = *state;
	u64 told;

	assert_int_equal(dma(h, h->dev), VTD_FAULT_DIR_NOT_PRESENT);
	told = stats_of(h->iommu).invalidations;
	assert_int_equal(bind(h, h->dev), 0);
	assert_true(stats_of(h->iommu).invalidations > told);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
}

static void test_driver_tells_what_it_maps(void **state)
{
	struct host *h = *state;
	u64 page = page_of(h->machine), iova = 1ull << 32;

	assert_int_equal(read_dma(h->dev, INVALID_IOASID, iova), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(iommu_map(h->domain, iova, page, VTD_PAGE_SIZE, IOMMU_READ), 0);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, iova), 0);
	assert_int_equal(iommu_unmap(h->domain, iova, VTD_PAGE_SIZE), VTD_PAGE_SIZE);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, iova), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(iommu_map(h->domain, iova, page, VTD_PAGE_SIZE, IOMMU_READ), 0);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, iova), 0);
	iommu_unmap(h->domain, iova, VTD_PAGE_SIZE);
	vtd_page_free(h->machine, page, 1);
}

static void test_driver_tells_of_guest_memory(void **state)
{
	struct host *h = *state;

	vtd_guest_destroy(h->guest);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, VTD_PAGE_SIZE), VTD_FAULT_SL_PERMISSION);
	h->guest = vtd_guest_create(h->domain, 64);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, VTD_PAGE_SIZE), 0);
}

static void test_driver_tells_of_devices_and_domains(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_IDENTITY);
	u64 told = stats_of(h->iommu).invalidations;
	struct device *dev = vtd_device_create(h->iommu, 0x1010, VTD_DEV_ATS);

	/* Its context entry, and the wait. */
	assert_int_equal(stats_of(h->iommu).invalidations, told + 2);

	assert_int_equal(read_dma(dev, INVALID_IOASID, 0x1000), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(iommu_attach_device(domain, dev), 0);
	assert_int_equal(read_dma(dev, INVALID_IOASID, 0x1000), 0);
	iommu_detach_device(domain, dev);
	iommu_domain_free(domain);
	assert_int_equal(vtd_device_destroy(dev), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
#define WITHOUT(name) cmocka_unit_test_setup_teardown(name, setup_without, bench_teardown)
#define HOST(name) cmocka_unit_test_setup_teardown(name, setup_host, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_capability_is_shown),
		WITHOUT(test_capability_is_not_shown),
		CASE(test_context_entry),
		CASE(test_pasid_entry),
		CASE(test_first_level),
		CASE(test_second_level),
		CASE(test_second_level_below_a_guest),
		WITHOUT(test_without_caching_mode),
		HOST(test_driver_tells_what_it_binds),
		HOST(test_driver_tells_what_it_maps),
		HOST(test_driver_tells_of_guest_memory),
		HOST(test_driver_tells_of_devices_and_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
