// SPDX-License-Identifier: MIT
// Invalidation: each descriptor drops what it says and nothing else, and is refused if it cannot be.

#include "vtd_bench.h"

#define OTHER_DID 6
#define OTHER 102	/* a second PASID, in the same table */

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT);
}

static int setup_ats(void **state)
{
	return bench_setup(state, VTD_DEV_ATS, VTD_CAP_DEFAULT);
}

static int setup_without_requests(void **state)
{
	return bench_setup(state, 0, VTD_CAP_NEST | VTD_CAP_PT);
}

static struct vtd_inv_desc raw(u64 low, u64 high)
{
	return (struct vtd_inv_desc){ { low, high, 0, 0 } };
}

static int try(struct bench *b, struct vtd_inv_desc desc)
{
	return vtd_inv_submit(b->iommu, &desc, 1);
}

/* How many requests of @pasid a cache let through although the table now says no. */
static u64 stale(struct bench *b, ioasid_t pasid, u64 address)
{
	u64 before = stats_of(b->iommu).stale_hits;

	read_dma(b->dev, pasid, address);
	return stats_of(b->iommu).stale_hits - before;
}

/* The same entry for OTHER as for PASID, but for the domain id. */
static void copy_entry(struct bench *b, u64 did)
{
	u64 at = b->entry + 64;

	store(b->machine, at + 16, load(b->machine, b->entry + 16));
	store(b->machine, at + 8, did);
	store(b->machine, at, load(b->machine, b->entry));
}

/* ---- descriptors that cannot be ---- */

static void expect_reserved(struct bench *b, struct vtd_inv_desc good, u64 low, u64 high)
{
	struct vtd_inv_desc bad;
	int word, bit;

	assert_int_equal(try(b, good), 0);
	for (word = 0; word < 4; word++)
		for (bit = 0; bit < 64; bit++) {
			u64 mask = word == 0 ? low : word == 1 ? high : ~0ULL;

			bad = good;
			bad.qw[word] |= 1ULL << bit;
			if ((mask >> bit & 1) && try(b, bad) != -EINVAL)
				fail_msg("type %llu: bit %d of word %d is accepted",
					 (unsigned long long)(good.qw[0] & 15), bit, word);
		}
	assert_int_equal(try(b, good), 0);
}

static void test_reserved_bits(void **state)
{
	struct bench *b = *state;

	expect_reserved(b, vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID), 0xfffc00000000ffc0, ~0ULL);
	expect_reserved(b, vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID), 0xffffffff0000ff00, 0xf80);
	expect_reserved(b, vtd_inv_dev_tlb(SID), 0x000f0000ffe00ff0, 0xffe);
	expect_reserved(b, vtd_inv_piotlb(DID, PASID), 0xfff000000000ffc0, 0xf80);
	expect_reserved(b, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID), 0xfff000000000ffc0,
			~0ULL);
	expect_reserved(b, vtd_inv_dev_ptlb(SID, PASID), 0xe00, 0x7fe);
	expect_reserved(b, raw(VTD_INV_WAIT | VTD_INV_WAIT_FN, 0), 0xffffff00, 3);
	expect_reserved(b, vtd_inv_page_response(SID, PASID, 1, 0), 0xfff0000000000fc0,
			0xfffffffffffff003);
}

static void test_granularities(void **state)
{
	struct bench *b = *state;

	assert_int_equal(try(b, vtd_inv_context(0, SID)), -EINVAL);
	assert_int_equal(try(b, vtd_inv_iotlb(0, DID)), -EINVAL);
	assert_int_equal(try(b, vtd_inv_pasid_cache(2, DID, PASID)), -EINVAL);
	assert_int_equal(try(b, raw(VTD_INV_PIOTLB, 0)), -EINVAL);
	assert_int_equal(try(b, raw(VTD_INV_PIOTLB | 1 << VTD_INV_GRAN_SHIFT, 0)), -EINVAL);
	assert_int_equal(try(b, raw(0, 0)), -EINVAL);
	assert_int_equal(try(b, raw(10, 0)), -EINVAL);
}

/* At most 2^18 pages of a domain at a time: MAMV. Of a PASID, as many as there are. */
static void test_address_mask_has_a_limit(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc desc = vtd_inv_iotlb(VTD_INV_IOTLB_PAGE, DID);
	u32 order;

	for (order = 0; order < 64; order++) {
		desc.qw[1] = order;
		assert_int_equal(try(b, desc), order <= 18 ? 0 : -EINVAL);
		assert_int_equal(try(b, vtd_inv_piotlb_pages(DID, PASID, 0, order)),
				 order <= 52 ? 0 : -EINVAL);
	}
}

/* Large masks forget what is in them, and nothing beside. */
static void test_any_address_mask_of_a_pasid(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1), page = load(b->machine, leaf);
	u32 order;

	for (order = 19; order <= 52; order++) {
		u64 size = 1ULL << order << 12, start = order < 52 ? VIRTUAL & ~(size - 1) : 0;

		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
		store(b->machine, leaf, 0);
		if (order < 52) {
			submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, start ^ size, order));
			assert_int_equal(stale(b, PASID, VIRTUAL), 1);
		}
		submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, start, order));
		assert_int_equal(stale(b, PASID, VIRTUAL), 0);
		store(b->machine, leaf, page);
	}
}

/* The kernel sends it, if only because interrupts are remapped too. */
static void test_interrupt_entries_are_accepted(void **state)
{
	struct bench *b = *state;

	assert_int_equal(try(b, raw(VTD_INV_IEC, 0)), 0);
	assert_int_equal(try(b, raw(VTD_INV_IEC | 1 << 4 | 3ULL << 27 | 7ULL << 32, 0)), 0);
	expect_reserved(b, raw(VTD_INV_IEC, 0), 0xffff000007ffffe0, ~0ULL);
}

/* An entry of the PASID cache is of a domain: another's number does not reach it. */
static void test_entries_are_of_a_domain(void **state)
{
	struct bench *b = *state;
	u64 old = load(b->machine, b->entry);

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry, 0);
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID + 1, PASID));
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_DOMAIN, DID + 1, 0));
	assert_int_equal(stale(b, PASID, VIRTUAL), 1);
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID));
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_NOT_PRESENT);
	store(b->machine, b->entry, old);
}

/* ---- the wait ---- */

static u64 wait_for(u32 data)
{
	return VTD_INV_WAIT | VTD_INV_WAIT_SW | (u64)data << 32;
}

static void test_wait_writes_four_bytes(void **state)
{
	struct bench *b = *state;
	u64 page = page_of(b->machine);

	store(b->machine, page, ~0ULL);
	store(b->machine, page + 8, ~0ULL);
	assert_int_equal(try(b, raw(wait_for(7), page + 4)), 0);
	assert_true(load(b->machine, page) == (7ULL << 32 | 0xffffffff));
	assert_int_equal(try(b, raw(wait_for(9), page + 8)), 0);
	assert_true(load(b->machine, page + 8) == (0xffffffffULL << 32 | 9));
	assert_int_equal(try(b, raw(wait_for(9), MEMORY - 4)), 0);
	assert_int_equal(try(b, raw(wait_for(9), page + 2)), -EINVAL);
	assert_int_equal(try(b, raw(wait_for(9), MEMORY)), -EINVAL);
	assert_int_equal(try(b, raw(wait_for(9), -4ULL)), -EINVAL);
	/* Without status write there is no address. */
	assert_int_equal(try(b, raw(VTD_INV_WAIT | VTD_INV_WAIT_FN, 0)), 0);
}

static void test_drain_needs_page_requests(void **state)
{
	struct bench *b = *state;

	assert_int_equal(try(b, raw(VTD_INV_WAIT | VTD_INV_WAIT_PD, 0)), -EINVAL);
}

static void test_drain_is_accepted_with_page_requests(void **state)
{
	struct bench *b = *state;

	assert_int_equal(try(b, raw(VTD_INV_WAIT | VTD_INV_WAIT_PD, 0)), 0);
}

/* ---- what is dropped ---- */

/* Is the context of SID forgotten by this descriptor? */
static bool forgets_context(struct bench *b, struct vtd_inv_desc desc)
{
	u64 context = b->context + (SID & 0x7f) * 32, word = load(b->machine, context);
	int result;

	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, context, 0);
	submit(b->iommu, desc);
	result = read_dma(b->dev, PASID, VIRTUAL);
	store(b->machine, context, word);
	return result == VTD_FAULT_CONTEXT_NOT_PRESENT;
}

/* SID is function 0: masks cover functions that differ in bit 2, in 2 and 1, in all three. */
static void test_context_of_functions(void **state)
{
	struct bench *b = *state;
	static const u32 covered[] = { 0x01, 0x11, 0x55, 0xff };
	u32 mask, function;

	for (mask = 0; mask < 4; mask++)
		for (function = 0; function < 8; function++) {
			struct vtd_inv_desc desc =
				vtd_inv_context(VTD_INV_CONTEXT_DEVICE, (u16)(SID | function));

			desc.qw[0] |= (u64)mask << 48;
			assert_int_equal(forgets_context(b, desc), covered[mask] >> function & 1);
		}
	assert_false(forgets_context(b, vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID + 8)));
	/* No domain in context entries of scalable mode: that granularity is all of them. */
	assert_true(forgets_context(
		b,
		raw(VTD_INV_CONTEXT | VTD_INV_CONTEXT_DOMAIN << VTD_INV_GRAN_SHIFT | 77 << 16, 0)));
}

/* First level: by domain and PASID, or by pages of them. */
static void test_first_level_translations(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1), page = b->pages[0] | PT_P | PT_W | PT_U;
	struct vtd_inv_desc pages = vtd_inv_iotlb(VTD_INV_IOTLB_PAGE, DID);

	copy_entry(b, OTHER_DID);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(read_dma(b->dev, OTHER, VIRTUAL), 0);
	store(b->machine, leaf, 0);
	submit(b->iommu, vtd_inv_piotlb(DID, OTHER));
	submit(b->iommu, vtd_inv_piotlb(OTHER_DID, PASID));
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, VIRTUAL + 4096, 0));
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID + 7));
	assert_int_equal(stale(b, PASID, VIRTUAL), 1);
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, VIRTUAL, 0));
	assert_int_equal(stale(b, PASID, VIRTUAL), 0);
	assert_int_equal(stale(b, OTHER, VIRTUAL), 1);
	submit(b->iommu, vtd_inv_piotlb(OTHER_DID, OTHER));
	assert_int_equal(stale(b, OTHER, VIRTUAL), 0);

	/* By a page of the domain: its first-level translations have no such page, so all go. */
	store(b->machine, leaf, page);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, leaf, 0);
	submit(b->iommu, pages);
	assert_int_equal(stale(b, PASID, VIRTUAL), 0);
}

/* The second level alone: by domain, whatever the PASID. */
static void test_second_level_translations(void **state)
{
	struct bench *b = *state;
	u64 root = make_chain(b, VIRTUAL, 3), leaf = b->pages[1] + index_at(VIRTUAL, 1);
	u64 next = page_of(b->machine), hits;
	struct vtd_inv_desc pages = vtd_inv_iotlb(VTD_INV_IOTLB_PAGE, DID);

	write_entry(b, VTD_PGTT_SECOND_LEVEL, root, 0);
	copy_entry(b, DID);
	store(b->machine, leaf + 8, next | 3);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), 0);
	hits = stats_of(b->iommu).iotlb_hits;
	assert_int_equal(read_dma(b->dev, OTHER, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).iotlb_hits, hits + 1);

	store(b->machine, leaf, 0);
	store(b->machine, leaf + 8, 0);
	/* Not by PASID, not by another domain, not by another page. */
	submit(b->iommu, vtd_inv_piotlb(DID, PASID));
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, VIRTUAL, 0));
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, OTHER_DID));
	pages.qw[1] = VIRTUAL + 4096;
	submit(b->iommu, pages);
	assert_int_equal(stale(b, PASID, VIRTUAL), 1);
	assert_int_equal(stale(b, OTHER, VIRTUAL), 1);
	assert_int_equal(stale(b, PASID, VIRTUAL + 4096), 0);
	pages.qw[1] = VIRTUAL;
	submit(b->iommu, pages);
	assert_int_equal(stale(b, PASID, VIRTUAL), 0);
	assert_int_equal(stale(b, OTHER, VIRTUAL), 0);
}

/* One page of a large mapping stands for all of it. */
static void test_large_mapping_goes_as_a_whole(void **state)
{
	struct bench *b = *state;
	u64 entry = b->pages[2] + index_at(VIRTUAL, 2), start = VIRTUAL & ~0x1fffffULL;

	store(b->machine, entry, 4 << 20 | PT_P | PT_W | PT_U | PT_PS);
	assert_int_equal(read_dma(b->dev, PASID, start), 0);
	assert_int_equal(read_dma(b->dev, PASID, start + 0x1ff000), 0);
	store(b->machine, entry, 0);
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, start + 0x200000, 0));
	assert_int_equal(stale(b, PASID, start), 1);
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, start + 0x10000, 0));
	assert_int_equal(stale(b, PASID, start), 0);
	assert_int_equal(stale(b, PASID, start + 0x1ff000), 0);
}

/*
 * Nested: what the unit has of the domain's table under a guest's stays when only the PASID is
 * forgotten, and leads the next user of the domain id to the former's memory.
 */
static void test_nested_translations_stand_on_the_domain(void **state)
{
	struct bench *b = *state;
	u64 second = page_of(b->machine), page;
	int level;

	for (level = 0; level <= 4; level++) {
		b->pages[level] = page_of(b->machine);
		map_guest(b, second, (u64)(5 - level) << 20, b->pages[level], 3);
		if (level)
			store(b->machine, b->pages[level] + index_at(VIRTUAL, level),
			      (u64)(6 - level) << 20 | PT_P | PT_W | PT_U);
	}
	write_entry(b, VTD_PGTT_NESTED, second, 1 << 20);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	page = page_of(b->machine);
	map_guest(b, second, 5 << 20, page, 3);
	submit(b->iommu, vtd_inv_piotlb(DID, PASID));
	assert_int_equal(stale(b, PASID, VIRTUAL), 1);
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, OTHER_DID));
	assert_int_equal(stale(b, PASID, VIRTUAL), 1);
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID));
	assert_int_equal(stale(b, PASID, VIRTUAL), 0);
	/* By pages of the domain as well. */
	map_guest(b, second, 5 << 20, b->pages[0], 3);
	submit(b->iommu,
	       raw(VTD_INV_IOTLB | VTD_INV_IOTLB_PAGE << VTD_INV_GRAN_SHIFT | DID << 16, 5 << 20));
	assert_int_equal(stale(b, PASID, VIRTUAL), 0);
}

static void test_pass_through_is_not_cached(void **state)
{
	struct bench *b = *state;

	write_entry(b, VTD_PGTT_PASS_THROUGH, 0, 0);
	assert_int_equal(read_dma(b->dev, PASID, 0x3000), 0);
	assert_int_equal(read_dma(b->dev, PASID, 0x3000), 0);
	assert_int_equal(stats_of(b->iommu).iotlb_hits, 0);
}

/* ---- the device's own ---- */

static void test_device_translations(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc every = vtd_inv_dev_ptlb(SID, 0);
	struct vtd_inv_desc page = vtd_inv_dev_ptlb(SID, PASID);

	every.qw[1] |= VTD_INV_DEV_GLOBAL;
	page.qw[1] = VIRTUAL;
	copy_entry(b, DID);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(read_dma(b->dev, OTHER, VIRTUAL), 0);
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), 0);
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
	submit(b->iommu, vtd_inv_dev_ptlb(SID + 1, PASID));
	assert_int_equal(stale(b, PASID, VIRTUAL), 1);
	submit(b->iommu, page);
	assert_int_equal(stale(b, PASID, VIRTUAL), 0);
	assert_int_equal(stale(b, OTHER, VIRTUAL), 1);
	submit(b->iommu, every);
	assert_int_equal(stale(b, OTHER, VIRTUAL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
#define TEST_ATS(name) cmocka_unit_test_setup_teardown(name, setup_ats, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reserved_bits),
		TEST(test_granularities),
		TEST(test_address_mask_has_a_limit),
		TEST(test_any_address_mask_of_a_pasid),
		TEST(test_interrupt_entries_are_accepted),
		TEST(test_wait_writes_four_bytes),
		cmocka_unit_test_setup_teardown(test_drain_needs_page_requests,
						setup_without_requests, bench_teardown),
		TEST(test_drain_is_accepted_with_page_requests),
		TEST(test_context_of_functions),
		TEST(test_entries_are_of_a_domain),
		TEST(test_first_level_translations),
		TEST(test_second_level_translations),
		TEST(test_large_mapping_goes_as_a_whole),
		TEST(test_nested_translations_stand_on_the_domain),
		TEST(test_pass_through_is_not_cached),
		TEST_ATS(test_device_translations),
	};

	return cmocka_run_group_tests_name("vtd invalidation", tests, NULL, NULL);
}
