// SPDX-License-Identifier: MIT
/* The short way of requests that a cache answers: it must give what the long way would, in every respect. */
#include "vtd_bench.h"

#include <stdatomic.h>

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT);
}

static int setup_ats(void **state)
{
	return bench_setup(state, VTD_DEV_ATS, VTD_CAP_DEFAULT);
}

/* Until what answers is a cache, and the answer has been compared with the tables. */
static void warm(struct bench *b)
{
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
}

static void test_every_request_is_counted(void **state)
{
	struct bench *b = *state;
	struct vtd_stats stats;
	int i;

	for (i = 0; i < 100; i++)
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	stats = stats_of(b->iommu);
	assert_int_equal(stats.dma, 100);
	assert_int_equal(stats.pasid_cache_hits, 99);
	assert_int_equal(stats.iotlb_hits, 99);
	assert_int_equal(stats.devtlb_hits, 0);
	assert_int_equal(stats.stale_hits, 0);
	/* Looking twice counts nothing twice. */
	assert_int_equal(stats_of(b->iommu).dma, 100);
}

static void test_every_request_of_a_device_with_a_tlb_is_counted(void **state)
{
	struct bench *b = *state;
	struct vtd_stats stats;
	int i;

	for (i = 0; i < 100; i++)
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	stats = stats_of(b->iommu);
	assert_int_equal(stats.dma, 100);
	assert_int_equal(stats.devtlb_hits, 99);
	assert_int_equal(stats.iotlb_hits, 0);
}

/* Each word that leads to the page, changed and not invalidated: the cache answers, and it is stale. */
static void test_a_change_of_any_table_is_noticed(void **state)
{
	struct bench *b = *state;
	u64 words[8] = { b->root + (SID >> 8) * 16, b->context + (SID & 0x7f) * 32,
			 b->directory + PASID / 64 * 8, b->entry };
	unsigned int i;

	for (i = 0; i < 4; i++)
		words[4 + i] = b->pages[1 + i] + index_at(VIRTUAL, 1 + i);
	for (i = 0; i < 8; i++) {
		u64 old = load(b->machine, words[i]), stale = stats_of(b->iommu).stale_hits;

		warm(b);
		store(b->machine, words[i], 0);
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
		assert_int_equal(stats_of(b->iommu).stale_hits, stale + 1);
		/* And right again as soon as the tables are. */
		store(b->machine, words[i], old | (i >= 4 ? PT_A | PT_D : 0));
		warm(b);
		assert_int_equal(stats_of(b->iommu).stale_hits, stale + 1);
	}
}

/* The same by the program's own hand, which the library cannot see. */
static void test_a_change_in_mapped_memory_is_noticed(void **state)
{
	struct bench *b = *state;
	u64 at = b->pages[1] + index_at(VIRTUAL, 1);
	char *memory;

	warm(b);
	memory = vtd_memory_map(b->machine);
	warm(b);
	*(volatile u64 *)(memory + at) = 0;
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 1);
	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_FL_NOT_PRESENT);
}

/* And by DMA of a device, which has the short way itself. */
static void test_a_change_by_a_device_is_noticed(void **state)
{
	struct bench *b = *state;
	u64 zero = 0, table = VIRTUAL + VTD_PAGE_SIZE;

	/* The page after it is the page's own table. */
	store(b->machine, b->pages[1] + index_at(table, 1), b->pages[1] | PT_P | PT_W | PT_U);
	warm(b);
	assert_int_equal(vtd_dma_write(b->dev, PASID, table + 8 * 256, &zero, 8), 0);
	assert_int_equal(vtd_dma_write(b->dev, PASID, table + 8 * 256, &zero, 8), 0);
	warm(b);
	assert_int_equal(stats_of(b->iommu).stale_hits, 0);
	assert_int_equal(vtd_dma_write(b->dev, PASID, table + index_at(VIRTUAL, 1), &zero, 8), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 1);
}

static void test_what_is_invalidated_is_gone(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);
	struct vtd_inv_desc descs[] = {
		vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0),
		vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID),
		vtd_inv_piotlb(DID, PASID),
		vtd_inv_piotlb_pages(DID, PASID, VIRTUAL, 0),
	};
	unsigned int i;

	for (i = 0; i < 4; i++) {
		u64 old = load(b->machine, leaf);

		warm(b);
		store(b->machine, leaf, 0);
		submit(b->iommu, descs[i]);
		expect_refused(b, VTD_DMA_READ, VTD_FAULT_FL_NOT_PRESENT);
		store(b->machine, leaf, old);
	}
	assert_int_equal(stats_of(b->iommu).stale_hits, 0);
}

/* A device that is told to forget asks its unit again, though the tables are as they were. */
static void test_forgotten_translations_are_asked_for_again(void **state)
{
	struct bench *b = *state;
	struct vtd_stats before;

	warm(b);
	before = stats_of(b->iommu);
	submit(b->iommu, vtd_inv_dev_ptlb(SID, PASID));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_true(stats_of(b->iommu).devtlb_hits == before.devtlb_hits);
	assert_true(stats_of(b->iommu).iotlb_hits == before.iotlb_hits + 1);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_true(stats_of(b->iommu).devtlb_hits == before.devtlb_hits + 1);
}

/* A PASID cache that is told to forget: the next request is no hit of it. */
static void test_forgotten_entries_are_read_again(void **state)
{
	struct bench *b = *state;
	u64 hits;

	warm(b);
	hits = stats_of(b->iommu).pasid_cache_hits;
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID));
	warm(b);
	assert_int_equal(stats_of(b->iommu).pasid_cache_hits, hits + 3);
	store(b->machine, b->context + (SID & 0x7f) * 32, 0);
	submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_CONTEXT_NOT_PRESENT);
}

static void test_rights_are_asked_for_each_time(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);

	store(b->machine, leaf, b->pages[0] | PT_P | PT_U);
	warm(b);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), VTD_FAULT_NO_WRITE);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ | VTD_DMA_PRIV, NULL),
			 VTD_FAULT_SRE_CLEAR);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ | VTD_DMA_EXEC, NULL),
			 VTD_FAULT_ERE_CLEAR);
	assert_int_equal(read_dma(b->dev, PASID + 1, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(read_dma(b->dev, INVALID_IOASID, VIRTUAL), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL ^ 1ull << 22), VTD_FAULT_FL_NOT_PRESENT);
}

/* The first write of a clean page walks, and marks it, however often it was read. */
static void test_first_write_marks_the_page(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);

	warm(b);
	assert_true(!(load(b->machine, leaf) & PT_D));
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	assert_true(load(b->machine, leaf) & PT_D);
}

static void test_unit_that_is_switched_off_lets_nothing_pass(void **state)
{
	struct bench *b = *state;

	warm(b);
	assert_int_equal(vtd_register_write(b->iommu, VTD_REG_GCMD, 4, 0), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_ROOT_NOT_PRESENT);
	assert_int_equal(vtd_register_write(b->iommu, VTD_REG_GCMD, 4, 1u << 31), 0);
	warm(b);
	assert_int_equal(vtd_unit_set_root(b->iommu, 0), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_ROOT_NOT_PRESENT);
}

static void test_destroyed_device_has_no_way(void **state)
{
	struct bench *b = *state;
	struct device *other = vtd_device_create(b->iommu, SID + 1, 0);
	u64 count;

	store(b->machine, b->context + ((SID + 1) & 0x7f) * 32,
	      CTX_P | CTX_PASIDE | 7 << 9 | b->directory);
	assert_int_equal(read_dma(other, PASID, VIRTUAL), 0);
	assert_int_equal(read_dma(other, PASID, VIRTUAL), 0);
	assert_int_equal(read_dma(other, PASID, VIRTUAL), 0);
	count = stats_of(b->iommu).dma;
	assert_int_equal(vtd_device_destroy(other), 0);
	assert_int_equal(read_dma(other, PASID, VIRTUAL), -EINVAL);
	/* What it did stays counted. */
	assert_int_equal(stats_of(b->iommu).dma, count);
}

/* More devices than there is room for near one place: some go the long way, and none goes wrong. */
static void test_many_devices(void **state)
{
	enum { DEVICES = 2048 };
	struct bench *b = *state;
	static struct device *devices[DEVICES];
	u64 context = page_of(b->machine), high = page_of(b->machine);
	int i, round;

	for (i = 0; i < DEVICES; i++) {
		u16 source = 0x1000 + i;
		u64 half = b->root + (source >> 8) * 16 + (source & 0x80 ? 8 : 0);

		store(b->machine, half, (source & 0x80 ? high : context) | 1);
		store(b->machine, (source & 0x80 ? high : context) + (source & 0x7f) * 32,
		      CTX_P | CTX_PASIDE | 7 << 9 | b->directory);
		devices[i] = vtd_device_create(b->iommu, source, 0);
		assert_false(IS_ERR(devices[i]));
	}
	for (round = 0; round < 4; round++)
		for (i = 0; i < DEVICES; i++)
			assert_int_equal(read_dma(devices[i], PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).dma, 4 * DEVICES);
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), 0);
	for (i = 0; i < DEVICES; i++) {
		assert_int_equal(read_dma(devices[i], PASID, VIRTUAL), VTD_FAULT_FL_NOT_PRESENT);
		assert_int_equal(vtd_device_destroy(devices[i]), 0);
	}
}

/* Two devices of two threads, while a third moves the page to and fro: who has waited for the
 * invalidation finds the page where it is. */
struct mover {
	struct bench *b;
	struct device *dev;
	atomic_bool stop;
	u64 frames[2];
	atomic_ulong requests, elsewhere;
};

static void *use(void *data)
{
	struct mover *mover = data;

	while (!mover->stop) {
		u64 physical = 0;

		if (vtd_dma(mover->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical) ||
		    (physical != mover->frames[0] && physical != mover->frames[1]))
			mover->elsewhere++;
		mover->requests++;
	}
	return NULL;
}

static void test_invalidation_waits_for_what_is_on_its_way(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);
	struct mover mover = { .b = b,
			       .dev = b->dev,
			       .frames = { b->pages[0], page_of(b->machine) } };
	struct device *other = vtd_device_create(b->iommu, SID + 1, 0);
	pthread_t thread;
	int i;

	store(b->machine, b->context + ((SID + 1) & 0x7f) * 32,
	      CTX_P | CTX_PASIDE | 7 << 9 | b->directory);
	assert_int_equal(pthread_create(&thread, NULL, use, &mover), 0);
	for (i = 0; i < 20000 || mover.requests < 1000; i++) {
		u64 physical;

		store(b->machine, leaf, mover.frames[i % 2] | PT_P | PT_W | PT_U | PT_A | PT_D);
		submit(b->iommu, vtd_inv_piotlb(DID, PASID));
		assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
		assert_true(physical == mover.frames[i % 2]);
		assert_int_equal(vtd_dma(other, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
		assert_true(physical == mover.frames[i % 2]);
	}
	mover.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(mover.elsewhere, 0);
	assert_int_equal(vtd_device_destroy(other), 0);
}

/* A device that is destroyed, made anew and used at the same time. */
static void *use_whatever(void *data)
{
	struct mover *mover = data;

	while (!mover->stop) {
		int result = read_dma(mover->dev, PASID, VIRTUAL);

		if (result && result != -EINVAL && result != VTD_FAULT_CONTEXT_NOT_PRESENT)
			mover->elsewhere++;
		mover->requests++;
	}
	return NULL;
}

static void test_destruction_waits_for_what_is_on_its_way(void **state)
{
	struct bench *b = *state;
	struct mover mover = { .b = b };
	struct device *dev;
	pthread_t thread;
	int i;

	store(b->machine, b->context + ((SID + 1) & 0x7f) * 32,
	      CTX_P | CTX_PASIDE | 7 << 9 | b->directory);
	mover.dev = dev = vtd_device_create(b->iommu, SID + 1, 0);
	assert_int_equal(pthread_create(&thread, NULL, use_whatever, &mover), 0);
	for (i = 0; i < 2000 || mover.requests < 1000; i++) {
		assert_int_equal(vtd_device_destroy(dev), 0);
		dev = vtd_device_create(b->iommu, SID + 1, 0);
		assert_false(IS_ERR(dev));
		assert_int_equal(read_dma(dev, PASID, VIRTUAL), 0);
	}
	mover.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(mover.elsewhere, 0);
	assert_int_equal(vtd_device_destroy(dev), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_request_is_counted),
		cmocka_unit_test_setup_teardown(test_forgotten_translations_are_asked_for_again,
						setup_ats, bench_teardown),
		cmocka_unit_test_setup_teardown(test_every_request_of_a_device_with_a_tlb_is_counted,
						setup_ats, bench_teardown),
		CASE(test_a_change_of_any_table_is_noticed),
		CASE(test_a_change_in_mapped_memory_is_noticed),
		CASE(test_a_change_by_a_device_is_noticed),
		CASE(test_what_is_invalidated_is_gone),
		CASE(test_forgotten_entries_are_read_again),
		CASE(test_rights_are_asked_for_each_time),
		CASE(test_first_write_marks_the_page),
		CASE(test_unit_that_is_switched_off_lets_nothing_pass),
		CASE(test_destroyed_device_has_no_way),
		CASE(test_many_devices),
		CASE(test_invalidation_waits_for_what_is_on_its_way),
		CASE(test_destruction_waits_for_what_is_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
