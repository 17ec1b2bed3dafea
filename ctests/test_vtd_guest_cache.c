// SPDX-License-Identifier: MIT
// Cache invalidation on a guest's behalf: by each granularity, translated, and never beyond what is bound.

#include <linux/sched/mm.h>
#include "vtd_fixture.h"

/* The user interface of Linux 5.10. */
_Static_assert(offsetof(struct iommu_cache_invalidate_info, granularity) == 9, "layout");
_Static_assert(offsetof(struct iommu_cache_invalidate_info, granu) == 16, "layout");
_Static_assert(offsetof(struct iommu_inv_addr_info, granule_size) == 24, "layout");
_Static_assert(sizeof(struct iommu_cache_invalidate_info) == 56, "layout");

#define PAGES 8

static struct iommu_cache_invalidate_info request(u8 cache, u8 granularity)
{
	struct iommu_cache_invalidate_info info;

	memset(&info, 0, sizeof(info));
	info.argsz = sizeof(info);
	info.version = IOMMU_CACHE_INVALIDATE_INFO_VERSION_1;
	info.cache = cache;
	info.granularity = granularity;
	return info;
}

static struct iommu_cache_invalidate_info of_pasid(u8 cache, u64 pasid)
{
	struct iommu_cache_invalidate_info info = request(cache, IOMMU_INV_GRANU_PASID);

	info.granu.pasid_info.flags = IOMMU_INV_PASID_FLAGS_PASID;
	info.granu.pasid_info.pasid = pasid;
	return info;
}

static struct iommu_cache_invalidate_info of_pages(u8 cache, u64 pasid, u64 address, u64 count)
{
	struct iommu_cache_invalidate_info info = request(cache, IOMMU_INV_GRANU_ADDR);

	info.granu.addr_info.flags = IOMMU_INV_ADDR_FLAGS_PASID;
	info.granu.addr_info.pasid = pasid;
	info.granu.addr_info.addr = address;
	info.granu.addr_info.granule_size = VTD_PAGE_SIZE;
	info.granu.addr_info.nb_granules = count;
	return info;
}

static int forget(struct host *h, struct device *dev, struct iommu_cache_invalidate_info info)
{
	return intel_iommu_sva_invalidate(h->domain, dev, &info);
}

/* Which of the PAGES pages of @pasid a cache still lets through, a bit each. */
static u32 stale_pages(struct device *dev, ioasid_t pasid)
{
	u32 pages = 0, i;

	for (i = 0; i < PAGES; i++)
		if (read_dma(dev, pasid, GUEST_ADDRESS + i * VTD_PAGE_SIZE) == 0)
			pages |= 1 << i;
	return pages;
}

static void map_pages(struct host *h)
{
	u32 i;

	for (i = 0; i < PAGES; i++)
		assert_int_equal(vtd_guest_map(h->guest, h->gpgd, GUEST_ADDRESS + i * VTD_PAGE_SIZE,
					       h->gpgd + VTD_PAGE_SIZE, VTD_DMA_READ),
				 0);
}

/* All pages in the caches of @dev, and none in the guest's table. */
static void make_stale(struct host *h, struct device *dev, ioasid_t pasid)
{
	u32 i;

	map_pages(h);
	assert_int_equal(stale_pages(dev, pasid), (1 << PAGES) - 1);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(vtd_guest_unmap(h->guest, h->gpgd,
						 GUEST_ADDRESS + i * VTD_PAGE_SIZE),
				 0);
	assert_int_equal(stale_pages(dev, pasid), (1 << PAGES) - 1);
}

static void test_each_granularity(void **state)
{
	struct host *h = *state;
	u8 iotlb = IOMMU_CACHE_INV_TYPE_IOTLB;

	assert_int_equal(bind(h, h->dev), 0);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, of_pages(iotlb, GUEST_PASID, GUEST_ADDRESS, 1)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0xfe);
	/* Pages 1 and 2: the smallest range that has both is that of 0 to 3. */
	assert_int_equal(forget(h, h->dev,
				of_pages(iotlb, GUEST_PASID, GUEST_ADDRESS + VTD_PAGE_SIZE, 2)),
			 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0xf0);
	assert_int_equal(forget(h, h->dev,
				of_pages(iotlb, GUEST_PASID, GUEST_ADDRESS + 4 * VTD_PAGE_SIZE, 2)),
			 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0xc0);
	/* More than a descriptor can name. */
	assert_int_equal(forget(h, h->dev, of_pages(iotlb, GUEST_PASID, 0, 1ULL << 40)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, of_pasid(iotlb, GUEST_PASID)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, request(iotlb, IOMMU_INV_GRANU_DOMAIN)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* The device's TLB alone leaves the unit's caches, which then answer. */
static void test_each_cache(void **state)
{
	struct host *h = *state;
	u64 before;

	assert_int_equal(bind(h, h->dev), 0);
	make_stale(h, h->dev, h->pasid);
	before = stats_of(h->iommu).iotlb_hits;
	assert_int_equal(forget(h, h->dev, of_pasid(IOMMU_CACHE_INV_TYPE_DEV_IOTLB, GUEST_PASID)),
			 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0xff);
	assert_true(stats_of(h->iommu).iotlb_hits == before + PAGES);
	assert_int_equal(forget(h, h->dev,
				of_pages(IOMMU_CACHE_INV_TYPE_DEV_IOTLB, GUEST_PASID, GUEST_ADDRESS,
					 1)),
			 0);
	assert_int_equal(read_dma(h->dev, h->pasid, GUEST_ADDRESS), 0);
	assert_true(stats_of(h->iommu).iotlb_hits == before + PAGES + 1);
	/* The entry of the PASID is the host's: forgetting it changes no translation. */
	before = stats_of(h->iommu).pasid_cache_hits;
	assert_int_equal(forget(h, h->dev, of_pasid(IOMMU_CACHE_INV_TYPE_PASID, GUEST_PASID)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0xff);
	read_dma(h->dev, h->pasid, GUEST_ADDRESS + PAGES * VTD_PAGE_SIZE);
	assert_true(stats_of(h->iommu).pasid_cache_hits == before);
	assert_int_equal(forget(h, h->dev, of_pasid(7, GUEST_PASID)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* Two PASIDs, each with the other's number in the guest: only what the guest means is forgotten. */
static void test_pasid_is_translated(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	ioasid_t crossed = ioasid_alloc(h->set, GUEST_PASID, GUEST_PASID, NULL);

	assert_int_equal(crossed, GUEST_PASID);
	assert_int_equal(bind(h, h->dev), 0);
	data.hpasid = crossed;
	data.gpasid = h->pasid;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	map_pages(h);
	assert_int_equal(stale_pages(h->dev, crossed), 0xff);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, of_pasid(1, GUEST_PASID)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	assert_int_equal(stale_pages(h->dev, crossed), 0xff);
	assert_int_equal(forget(h, h->dev, of_pasid(1, h->pasid)), 0);
	assert_int_equal(stale_pages(h->dev, crossed), 0);
	/* All of the guest's. */
	map_pages(h);
	assert_int_equal(stale_pages(h->dev, crossed), 0xff);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, request(1, IOMMU_INV_GRANU_DOMAIN)), 0);
	assert_int_equal(stale_pages(h->dev, crossed) | stale_pages(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, crossed), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	ioasid_free(h->set, crossed);
}

/* One that was bound without a number of the guest's is called by the host's. */
static void test_pasid_without_a_guests_number(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);

	data.flags = 0;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, of_pasid(1, GUEST_PASID)), -EINVAL);
	assert_int_equal(forget(h, h->dev, of_pasid(1, h->pasid)), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* Another device, another unit, another domain: each is told on its own. */
static void test_only_what_is_bound_is_reached(void **state)
{
	struct host *h = *state;
	struct iommu_domain *other = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	struct iommu_cache_invalidate_info info = of_pasid(1, GUEST_PASID);

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->far), 0);
	map_pages(h);
	assert_int_equal(stale_pages(h->far, h->pasid), 0xff);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(forget(h, h->dev, info), 0);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0);
	assert_int_equal(stale_pages(h->far, h->pasid), 0xff);
	assert_int_equal(forget(h, h->far, info), 0);
	assert_int_equal(stale_pages(h->far, h->pasid), 0);
	/* Attached, but without this PASID; attached as one more; not attached. */
	assert_int_equal(forget(h, h->second, info), -EINVAL);
	assert_int_equal(forget(h, h->second, request(1, IOMMU_INV_GRANU_DOMAIN)), 0);
	assert_int_equal(iommu_aux_attach_device(other, h->dev), 0);
	make_stale(h, h->dev, h->pasid);
	assert_int_equal(intel_iommu_sva_invalidate(other, h->dev, &info), -EINVAL);
	iommu_aux_detach_device(other, h->dev);
	assert_int_equal(intel_iommu_sva_invalidate(other, h->dev, &info), -EINVAL);
	assert_int_equal(stale_pages(h->dev, h->pasid), 0xff);
	assert_int_equal(forget(h, h->dev, info), 0);
	iommu_domain_free(other);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
	assert_int_equal(forget(h, h->dev, info), -EINVAL);
}

static void test_every_field_is_checked(void **state)
{
	struct host *h = *state;
	struct iommu_cache_invalidate_info pages = of_pages(1, GUEST_PASID, GUEST_ADDRESS, 1), bad;
	struct iommu_cache_invalidate_info pasid = of_pasid(1, GUEST_PASID);
	struct {
		u8 bytes[16];
	} header;

	assert_int_equal(bind(h, h->dev), 0);
#define REFUSED(good, change)						\
	do {								\
		bad = good;						\
		change;							\
		assert_int_equal(forget(h, h->dev, bad), -EINVAL);	\
	} while (0)
	REFUSED(pages, bad.argsz = sizeof(bad) - 1);
	REFUSED(pasid, bad.argsz = 16 + sizeof(struct iommu_inv_pasid_info) - 1);
	REFUSED(pages, bad.argsz = 0);
	REFUSED(pages, bad.version = 2);
	REFUSED(pages, bad.cache = 0);
	REFUSED(pages, bad.cache = 8);
	REFUSED(pages, bad.granularity = IOMMU_INV_GRANU_NR);
	REFUSED(pages, bad.padding[5] = 1);
	REFUSED(pages, bad.cache = IOMMU_CACHE_INV_TYPE_PASID);
	REFUSED(request(IOMMU_CACHE_INV_TYPE_DEV_IOTLB, IOMMU_INV_GRANU_DOMAIN), (void)0);
	REFUSED(pages, bad.granu.addr_info.flags = 0);
	REFUSED(pages, bad.granu.addr_info.flags |= 8);
	REFUSED(pages, bad.granu.addr_info.addr++);
	REFUSED(pages, bad.granu.addr_info.granule_size = 512);
	REFUSED(pages, bad.granu.addr_info.nb_granules = 0);
	REFUSED(pages, bad.granu.addr_info.nb_granules = 1ULL << 52);
	REFUSED(pages, bad.granu.addr_info.addr = -(u64)VTD_PAGE_SIZE;
		bad.granu.addr_info.nb_granules = 2);
	REFUSED(pages, bad.granu.addr_info.pasid += 1ULL << 32);
	REFUSED(pasid, bad.granu.pasid_info.flags = 0);
	REFUSED(pasid, bad.granu.pasid_info.flags |= 4);
	REFUSED(pasid, bad.granu.pasid_info.pasid = 150);
#undef REFUSED
	assert_int_equal(intel_iommu_sva_invalidate(NULL, h->dev, &pasid), -EINVAL);
	assert_int_equal(intel_iommu_sva_invalidate(h->domain, NULL, &pasid), -ENODEV);
	assert_int_equal(intel_iommu_sva_invalidate(h->domain, h->dev, NULL), -EINVAL);
	/* The last page of all, and no more is read than there is. */
	assert_int_equal(forget(h, h->dev, of_pages(1, GUEST_PASID, -(u64)VTD_PAGE_SIZE, 1)), 0);
	bad = request(1, IOMMU_INV_GRANU_DOMAIN);
	bad.argsz = sizeof(header);
	memcpy(&header, &bad, sizeof(header));
	assert_int_equal(intel_iommu_sva_invalidate(h->domain, h->dev, (void *)&header), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* A guest's process forgets what is its own. */
static void test_user_space_asks_for_itself(void **state)
{
	struct host *h = *state;
	struct mm_struct *before = current->mm, *mine = mm_alloc(), *other = mm_alloc();
	struct ioasid_set *set = ioasid_set_alloc(mine, 4, IOASID_SET_TYPE_MM);
	struct ioasid_set *others = ioasid_set_alloc(other, 4, IOASID_SET_TYPE_MM);
	struct iommu_cache_invalidate_info info = of_pasid(1, GUEST_PASID);
	struct iommu_gpasid_bind_data data = binding_of(h);
	ioasid_t pasid = ioasid_alloc(set, 1000, 2000, NULL);

	data.hpasid = pasid;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	make_stale(h, h->dev, pasid);
	assert_int_equal(iommu_uapi_cache_invalidate(h->domain, h->dev, &info), -EPERM);
	current->mm = other;
	assert_int_equal(iommu_uapi_cache_invalidate(h->domain, h->dev, &info), -EPERM);
	assert_int_equal(forget(h, h->dev, info), -EPERM);
	info = request(1, IOMMU_INV_GRANU_DOMAIN);
	assert_int_equal(iommu_uapi_cache_invalidate(h->domain, h->dev, &info), -EPERM);
	assert_int_equal(stale_pages(h->dev, pasid), 0xff);
	current->mm = mine;
	assert_int_equal(iommu_uapi_cache_invalidate(h->domain, h->dev, NULL), -EINVAL);
	assert_int_equal(iommu_uapi_cache_invalidate(h->domain, h->dev, &info), 0);
	assert_int_equal(stale_pages(h->dev, pasid), 0);
	current->mm = before;
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, pasid), 0);
	ioasid_free(set, pasid);
	assert_int_equal(ioasid_set_free(set), 0);
	assert_int_equal(ioasid_set_free(others), 0);
	mmput(mine);
	mmput(other);
}

static int setup_without_tlb(void **state)
{
	return host_setup_with(state, 0, VTD_CAP_DEFAULT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
/* The unit's caches alone; a device TLB would answer before them. */
#define TEST_WITHOUT_TLB(name) \
	cmocka_unit_test_setup_teardown(name, setup_without_tlb, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_granularity),
		TEST_WITHOUT_TLB(test_each_granularity),
		TEST(test_each_cache),
		TEST(test_pasid_is_translated),
		TEST_WITHOUT_TLB(test_pasid_is_translated),
		TEST(test_pasid_without_a_guests_number),
		TEST(test_only_what_is_bound_is_reached),
		TEST_WITHOUT_TLB(test_only_what_is_bound_is_reached),
		TEST(test_every_field_is_checked),
		TEST(test_user_space_asks_for_itself),
	};

	return cmocka_run_group_tests_name("vtd guest cache", tests, NULL, NULL);
}
