// SPDX-License-Identifier: MIT
// Domains: what unmapping costs and gives back, many of them, and handles of those that are gone.

#include "vtd_fixture.h"

#define TOP (1UL << 48)

static struct iommu_domain *new_domain(struct host *h)
{
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);

	assert_false(IS_ERR(domain));
	return domain;
}

/* Page by page, the address space of a domain would take minutes. */
static void test_unmapping_costs_what_is_mapped(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = new_domain(h);
	u64 page = page_of(h->machine), used = vtd_pages_used(h->machine);
	static const unsigned long places[] = { 0,	   1UL << 20, (1UL << 30) - 4096,
						1UL << 30, 1UL << 39, (1UL << 47) + 8192,
						TOP - 4096 };
	unsigned int i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 7; i++)
			assert_int_equal(iommu_map(domain, places[i], page, 4096, IOMMU_READ), 0);
		assert_int_equal(iommu_unmap(domain, 0, TOP), 7 * 4096);
		for (i = 0; i < 7; i++)
			assert_true(iommu_iova_to_phys(domain, places[i]) == 0);
		assert_int_equal(iommu_unmap(domain, 0, TOP), 0);
		/* Tables of a gigabyte and below go back; of those above there are four. */
		assert_true(vtd_pages_used(h->machine) == used + 4);
	}
	iommu_domain_free(domain);
	vtd_page_free(h->machine, page, 1);
}

/* What is beside the range stays, whatever the range begins and ends with. */
static void test_unmapping_ends_where_it_should(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = new_domain(h);
	u64 page = page_of(h->machine);
	static const unsigned long edges[] = { 1UL << 21, 1UL << 30, 1UL << 39 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		unsigned long edge = edges[i];

		assert_int_equal(iommu_map(domain, edge - 8192, page, 4096, IOMMU_READ), 0);
		assert_int_equal(iommu_map(domain, edge - 4096, page, 4096, IOMMU_READ), 0);
		assert_int_equal(iommu_map(domain, edge, page, 4096, IOMMU_READ), 0);
		assert_int_equal(iommu_map(domain, edge + 4096, page, 4096, IOMMU_READ), 0);
		assert_int_equal(iommu_unmap(domain, edge - 4096, 8192), 8192);
		assert_true(iommu_iova_to_phys(domain, edge - 8192) == page);
		assert_true(iommu_iova_to_phys(domain, edge - 4096) == 0);
		assert_true(iommu_iova_to_phys(domain, edge) == 0);
		assert_true(iommu_iova_to_phys(domain, edge + 4096) == page);
	}
	assert_int_equal(iommu_unmap(domain, 0, TOP), 6 * 4096);
	iommu_domain_free(domain);
	vtd_page_free(h->machine, page, 1);
}

/* A table that went back may be anybody's: no DMA may still go through it. */
static void test_tables_go_back_after_the_caches(void **state)
{
	struct host *h = *state;
	u64 page = page_of(h->machine), physical;

	assert_int_equal(iommu_map(h->domain, 1UL << 40, page, 4096, IOMMU_READ), 0);
	assert_int_equal(vtd_dma(h->dev, INVALID_IOASID, 1UL << 40, VTD_DMA_READ, &physical), 0);
	assert_int_equal(iommu_unmap(h->domain, 1UL << 40, 1UL << 30), 4096);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, 1UL << 40), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	vtd_page_free(h->machine, page, 1);
}

/* A page of a guest's memory that the host takes back: what stands on it goes from every cache. */
static void test_unmapping_reaches_nested_translations(void **state)
{
	struct host *h = *state;
	u64 guest = h->gpgd + VTD_PAGE_SIZE, page = iommu_iova_to_phys(h->domain, guest);

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->far), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(dma(h, h->far), 0);
	assert_int_equal(iommu_unmap(h->domain, guest, VTD_PAGE_SIZE), VTD_PAGE_SIZE);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(dma(h, h->far), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(stats_of(h->iommu).stale_hits + stats_of(h->other).stale_hits, 0);
	assert_int_equal(iommu_map(h->domain, guest, page, VTD_PAGE_SIZE, IOMMU_READ | IOMMU_WRITE),
			 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
}

static void test_mapping_that_fails_leaves_nothing(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = new_domain(h);
	u64 memory = vtd_page_alloc(h->machine, 2048);
	unsigned long nth;
	int error = -ENOMEM;

	assert_int_equal(iommu_map(domain, 8UL << 20, memory, 4096, IOMMU_READ), 0);
	assert_int_equal(iommu_map(domain, 4UL << 20, memory, 8UL << 20, IOMMU_READ), -EEXIST);
	assert_int_equal(iommu_unmap(domain, 0, TOP), 4096);
	for (nth = 1; error; nth++) {
		vtd_fail_nth(nth);
		error = iommu_map(domain, 1UL << 40, memory, 8UL << 20, IOMMU_READ);
		vtd_fail_nth(0);
		if (error) {
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(iommu_unmap(domain, 0, TOP), 0);
		}
	}
	assert_true(nth > 4);
	assert_int_equal(iommu_unmap(domain, 1UL << 40, 8UL << 20), 8UL << 20);
	iommu_domain_free(domain);
	vtd_page_free(h->machine, memory, 2048);
}

/* Ids are found without a search among all domains, each once, and used again. */
static void test_many_domains(void **state)
{
	static struct iommu_domain *domains[10000];
	struct host *h = *state;
	u64 entry[VTD_PASID_ENTRY_WORDS], first;
	unsigned long blocks = vtd_blocks_used();
	int i, pasid;

	for (i = 0; i < 10000; i++)
		domains[i] = new_domain(h);
	for (i = 0; i < 2; i++) {
		struct iommu_domain *domain = domains[i * 9999];

		assert_int_equal(iommu_aux_attach_device(domain, h->dev), 0);
		pasid = iommu_aux_get_pasid(domain, h->dev);
		assert_int_equal(vtd_pasid_entry(h->dev, (ioasid_t)pasid, entry), 0);
		if (i == 0)
			first = entry[1] & VTD_PE_DID_MASK;
		else
			assert_true((entry[1] & VTD_PE_DID_MASK) == first + 9999);
		iommu_aux_detach_device(domain, h->dev);
	}
	for (i = 0; i < 10000; i++)
		iommu_domain_free(domains[i]);
	assert_int_equal(vtd_blocks_used(), blocks);
	/* Gone: no handle of them is followed. */
	assert_int_equal(iommu_map(domains[5000], 0, 0, 4096, IOMMU_READ), -EINVAL);
	assert_int_equal(iommu_unmap(domains[5000], 0, 4096), 0);
	assert_true(iommu_iova_to_phys(domains[5000], 0) == 0);
	iommu_domain_free(domains[5000]);
}

static void test_domain_ids_run_out(void **state)
{
	static struct iommu_domain *domains[65536];
	struct host *h = *state;
	int count = 0, i;

	while (!IS_ERR(domains[count] = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_IDENTITY)))
		count++;
	assert_int_equal(PTR_ERR(domains[count]), -ENOSPC);
	/* All but 0, 1 and the fixture's own. */
	assert_int_equal(count, 65536 - 3);
	for (i = 0; i < count; i++)
		iommu_domain_free(domains[i]);
}

static int setup_without_tlb(void **state)
{
	return host_setup_with(state, 0, VTD_CAP_DEFAULT);
}

#define TEST_WITHOUT_TLB(name) \
	cmocka_unit_test_setup_teardown(name, setup_without_tlb, host_teardown)
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unmapping_costs_what_is_mapped),
		TEST(test_unmapping_ends_where_it_should),
		TEST(test_tables_go_back_after_the_caches),
		TEST(test_unmapping_reaches_nested_translations),
		TEST_WITHOUT_TLB(test_unmapping_reaches_nested_translations),
		TEST(test_mapping_that_fails_leaves_nothing),
		TEST(test_many_domains),
		TEST(test_domain_ids_run_out),
	};

	return cmocka_run_group_tests_name("vtd domains", tests, NULL, NULL);
}
