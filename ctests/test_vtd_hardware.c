// SPDX-License-Identifier: MIT
// The hardware alone: tables written by hand, every fault on the way, caches until invalidated.

#include "vtd_bench.h"

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT | VTD_CAP_SRS);
}

static int setup_ats(void **state)
{
	return bench_setup(state, VTD_DEV_ATS, VTD_CAP_DEFAULT);
}

static int setup_plain(void **state)
{
	return bench_setup(state, 0, 0);
}

static void test_first_level_reads_and_writes_memory(void **state)
{
	struct bench *b = *state;
	char text[] = "through the page table", back[sizeof(text)] = "";
	u64 physical;

	assert_int_equal(vtd_dma_write(b->dev, PASID, VIRTUAL + 8, text, sizeof(text)), 0);
	assert_int_equal(vtd_memory_read(b->machine, b->pages[0] + 8, back, sizeof(back)), 0);
	assert_string_equal(back, text);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL + 8, VTD_DMA_READ, &physical), 0);
	assert_true(physical == b->pages[0] + 8);
	assert_int_equal(stats_of(b->iommu).stale_hits, 0);
}

static void test_faults_on_the_way_to_the_entry(void **state)
{
	struct bench *b = *state;
	u64 context = b->context + (SID & 0x7f) * 32;
	u64 word = load(b->machine, context);

	store(b->machine, b->directory + PASID / 64 * 8, b->table);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_DIR_NOT_PRESENT);
	store(b->machine, b->directory + PASID / 64 * 8, MEMORY | 1);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_ACCESS);
	store(b->machine, context, (word & 0xfff) | MEMORY);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_DIR_ACCESS);
	store(b->machine, context, word & ~(u64)CTX_PASIDE);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASIDE_CLEAR);
	store(b->machine, context, word & ~(u64)CTX_P);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_CONTEXT_NOT_PRESENT);
	store(b->machine, b->root + (SID >> 8) * 16, MEMORY | 1);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_CONTEXT_ACCESS);
	store(b->machine, b->root + (SID >> 8) * 16, 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_ROOT_NOT_PRESENT);
	assert_int_equal(vtd_unit_set_root(b->iommu, MEMORY), 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_ROOT_ACCESS);
	assert_int_equal(vtd_unit_set_root(b->iommu, 0), 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_ROOT_NOT_PRESENT);
	assert_int_equal(vtd_unit_set_root(b->iommu, 1), -EINVAL);
}

static void test_pasid_beyond_the_directory(void **state)
{
	struct bench *b = *state;
	u64 context = b->context + (SID & 0x7f) * 32;

	store(b->machine, context, load(b->machine, context) & ~(7ULL << 9));
	assert_int_equal(read_dma(b->dev, 8191, VIRTUAL), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(read_dma(b->dev, 8192, VIRTUAL), VTD_FAULT_PASID_TOO_LARGE);
	assert_int_equal(read_dma(b->dev, 1u << 20, VIRTUAL), VTD_FAULT_PASID_TOO_LARGE);
}

static void test_faults_of_the_entry(void **state)
{
	struct bench *b = *state;
	u64 word0 = load(b->machine, b->entry);
	u64 word2 = load(b->machine, b->entry + 16);

	expect_refused(b, VTD_DMA_READ | VTD_DMA_PRIV, VTD_FAULT_SRE_CLEAR);
	expect_refused(b, VTD_DMA_EXEC, VTD_FAULT_ERE_CLEAR);
	store(b->machine, b->entry, word0 | 1 << 10);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_RESERVED);
	store(b->machine, b->entry, word0);
	store(b->machine, b->entry + 56, 1);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_RESERVED);
	store(b->machine, b->entry + 56, 0);
	store(b->machine, b->entry, word0 | 7ULL << VTD_PE_PGTT_SHIFT);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_INVALID);
	store(b->machine, b->entry, word0);
	store(b->machine, b->entry + 16, word2 | 1 << VTD_PE_FLPM_SHIFT);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_INVALID);
	store(b->machine, b->entry + 16, word2);
	store(b->machine, b->entry, 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_NOT_PRESENT);
	/* Faults are not recorded on request, present or not. */
	store(b->machine, b->entry, VTD_PE_FPD);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	store(b->machine, b->entry, word0 | VTD_PE_FPD);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_FL_NOT_PRESENT);
	assert_false(vtd_fault_read(b->iommu, &(struct vtd_fault){ 0 }));
}

static void test_capabilities_limit_the_types(void **state)
{
	struct bench *b = *state;
	u64 root = make_chain(b, VIRTUAL, PT_P | PT_W);

	write_entry(b, VTD_PGTT_NESTED, root, root);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_INVALID);
	write_entry(b, VTD_PGTT_PASS_THROUGH, 0, 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_INVALID);
}

static void test_faults_of_the_first_level(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);
	u64 root = b->pages[4] + index_at(VIRTUAL, 4);
	u64 present = b->pages[0] | PT_P;

	assert_int_equal(read_dma(b->dev, PASID, 1ULL << 47), VTD_FAULT_NOT_CANONICAL);
	expect_fault(b->iommu, VTD_FAULT_NOT_CANONICAL, PASID, 1ULL << 47);
	forget(b);
	store(b->machine, leaf, 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_FL_NOT_PRESENT);
	store(b->machine, leaf, present | PT_W);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_USER);
	store(b->machine, leaf, present | PT_U);
	expect_refused(b, VTD_DMA_WRITE, VTD_FAULT_NO_WRITE);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	forget(b);
	store(b->machine, leaf, MEMORY | PT_P | PT_U);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_BEYOND);
	store(b->machine, root, MEMORY | PT_P | PT_U);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_FL_ACCESS);
	store(b->machine, root, b->pages[3] | PT_P | PT_U | PT_PS);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_FL_RESERVED);
	store(b->machine, b->entry + 16, MEMORY);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_FL_ROOT_ACCESS);
}

static void test_supervisor_and_execute(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);
	u64 word2 = b->pages[4] | VTD_PE_SRE | VTD_PE_ERE | VTD_PE_NXE;

	store(b->machine, b->entry + 16, word2);
	store(b->machine, leaf, b->pages[0] | PT_P | PT_XD);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE | VTD_DMA_PRIV, NULL), 0);
	/* What a supervisor's request left in a cache is not for users. */
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_USER);
	expect_refused(b, VTD_DMA_EXEC | VTD_DMA_PRIV, VTD_FAULT_NO_EXECUTE);
	store(b->machine, b->entry + 16, word2 | VTD_PE_WPE);
	expect_refused(b, VTD_DMA_WRITE | VTD_DMA_PRIV, VTD_FAULT_NO_WRITE);
}

static void test_large_pages(void **state)
{
	struct bench *b = *state;
	u64 large = 4ULL << 20, physical;

	store(b->machine, b->pages[2] + index_at(VIRTUAL, 2), large | PT_P | PT_U | PT_PS);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
	assert_true(physical == large + (VIRTUAL & 0x1fffff));
	forget(b);
	store(b->machine, b->pages[2] + index_at(VIRTUAL, 2), large | 0x4000 | PT_P | PT_U | PT_PS);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_FL_RESERVED);
}

static void test_second_level_and_pass_through(void **state)
{
	struct bench *b = *state;
	u64 physical;

	write_entry(b, VTD_PGTT_SECOND_LEVEL, make_chain(b, VIRTUAL, PT_P), 0);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
	assert_true(physical == b->pages[0]);
	expect_refused(b, VTD_DMA_WRITE, VTD_FAULT_NO_WRITE);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(read_dma(b->dev, PASID, 1ULL << 48), VTD_FAULT_BEYOND);
	write_entry(b, VTD_PGTT_SECOND_LEVEL, MEMORY, 0);
	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_SL_POINTER);
	write_entry(b, VTD_PGTT_PASS_THROUGH, 0, 0);
	forget(b);
	assert_int_equal(vtd_dma(b->dev, PASID, 0x1234, VTD_DMA_WRITE, &physical), 0);
	assert_true(physical == 0x1234);
	assert_int_equal(read_dma(b->dev, PASID, MEMORY), VTD_FAULT_BEYOND);
}

/* The guest's tables at guest addresses 1-4 MiB, its page at 5 MiB; none where memory has it. */
static void test_nested_translates_the_guests_tables_too(void **state)
{
	struct bench *b = *state;
	u64 second = page_of(b->machine), physical;
	int level;

	for (level = 0; level <= 4; level++) {
		u64 host = level ? page_of(b->machine) : page_of(b->machine);

		map_guest(b, second, (u64)(5 - level) << 20, host, level ? 1 : 3);
		b->pages[level] = host;
		if (level)
			store(b->machine, host + index_at(VIRTUAL, level),
			      (u64)(6 - level) << 20 | PT_P | PT_W | PT_U | PT_A | PT_D);
	}
	write_entry(b, VTD_PGTT_NESTED, second, 1 << 20);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, &physical), 0);
	assert_true(physical == b->pages[0]);

	forget(b);
	map_guest(b, second, 5 << 20, b->pages[0], 1);
	expect_refused(b, VTD_DMA_WRITE, VTD_FAULT_NO_WRITE);
	map_guest(b, second, 3 << 20, b->pages[2], 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_NESTED_TABLE_READ);
	map_guest(b, second, 1 << 20, b->pages[4], 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_NESTED_ROOT_READ);
	map_guest(b, second, 1 << 20, b->pages[4], 1);
	store(b->machine, b->pages[4] + index_at(VIRTUAL, 4), 1ULL << 50 | PT_P | PT_U | PT_A);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_NESTED_BEYOND);
}

static void test_caches_answer_until_they_are_invalidated(void **state)
{
	struct bench *b = *state;
	u64 word0 = load(b->machine, b->entry);

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry, 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 1);

	/* Another domain or PASID is another matter. */
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID + 1));
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_DOMAIN, DID + 1, 0));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID));
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_NOT_PRESENT);
	(void)word0;
}

static void test_iotlb_survives_the_pasid_cache(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1), other = page_of(b->machine), physical;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, leaf, other | PT_P | PT_U);
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID));
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, VIRTUAL + 4096, 0));
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
	assert_true(physical == b->pages[0]);
	assert_int_equal(stats_of(b->iommu).stale_hits, 1);
	submit(b->iommu, vtd_inv_piotlb_pages(DID, PASID, VIRTUAL & ~0x3fffULL, 2));
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
	assert_true(physical == other);
	assert_int_equal(stats_of(b->iommu).stale_hits, 1);
}

static void test_device_tlb_survives_the_unit(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc page;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry, 0);
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0));
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
	submit(b->iommu, vtd_inv_dev_tlb(SID));
	submit(b->iommu, vtd_inv_dev_ptlb(SID, PASID + 1));
	submit(b->iommu, vtd_inv_dev_ptlb(SID + 1, PASID));
	page = vtd_inv_dev_ptlb(SID, PASID);
	page.qw[1] = VIRTUAL + 4096;
	submit(b->iommu, page);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 1);
	/* 8 KiB from VIRTUAL - 4096 on: bit 12 clear would be 8 KiB, set and 13 clear 16 KiB. */
	page.qw[1] = (VIRTUAL & ~0x3fffULL) | 0x1000 | VTD_INV_DEV_PSIZE;
	submit(b->iommu, page);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
}

/* How a driver cuts a device off: what its TLB has passes only as far as the context entry allows it. */
static void test_translated_requests_need_a_context(void **state)
{
	struct bench *b = *state;
	u64 root = b->root + (SID >> 8) * 16, context = b->context + (SID & 0x7f) * 32;
	u64 word = load(b->machine, context);
	const struct {
		u64 where, value;
		int reason;
	} rows[] = {
		{ context, word & ~(u64)CTX_DTE, VTD_FAULT_DTE_CLEAR },
		{ context, word & ~(u64)CTX_P, VTD_FAULT_CONTEXT_NOT_PRESENT },
		{ context, word | 1 << 5, VTD_FAULT_CONTEXT_RESERVED },
		{ root, b->context, VTD_FAULT_ROOT_NOT_PRESENT },
	};
	struct vtd_fault fault;
	size_t i;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u64 old = load(b->machine, rows[i].where);

		/* Until the context cache is told. */
		store(b->machine, rows[i].where, rows[i].value);
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
		submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0));
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), rows[i].reason);
		expect_fault(b->iommu, (u32)rows[i].reason, PASID, VIRTUAL);
		store(b->machine, rows[i].where, old);
		submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0));
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	}
	/* FPD is the context entry's word. */
	store(b->machine, context, (word & ~(u64)CTX_DTE) | CTX_FPD);
	submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_DTE_CLEAR);
	assert_false(vtd_fault_read(b->iommu, &fault));
	/* Below the context entry nothing is looked at. */
	store(b->machine, context, word & ~(u64)CTX_PASIDE);
	store(b->machine, b->directory + PASID / 64 * 8, 0);
	submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
}

static void test_context_cache_survives_the_table(void **state)
{
	struct bench *b = *state;
	u64 context = b->context + (SID & 0x7f) * 32;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, context, 0);
	submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID + 1));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	submit(b->iommu, vtd_inv_context(VTD_INV_CONTEXT_DEVICE, SID));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_CONTEXT_NOT_PRESENT);
}

static void test_queue_stops_at_nonsense_and_goes_on_after(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc descs[3] = {
		vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0),
		{ { 0xf, 0, 0, 0 } },
		vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0),
	};
	int round;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry, 0);
	assert_int_equal(vtd_inv_submit(b->iommu, descs, 3), -EINVAL);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	descs[1] = vtd_inv_iotlb(0, DID);
	assert_int_equal(vtd_inv_submit(b->iommu, descs, 3), -EINVAL);
	/* Around the ring more than once. */
	for (round = 0; round < 300; round++)
		assert_int_equal(vtd_inv_submit(b->iommu, descs + 2, 1), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(vtd_inv_submit(b->iommu, descs, 255), -EINVAL);
}

static void test_fault_log_overflows(void **state)
{
	struct bench *b = *state;
	struct vtd_fault fault;
	int count;

	for (count = 0; count < 70; count++)
		assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL + 4096 * (u64)(count + 1),
					 VTD_DMA_WRITE, NULL),
				 VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(stats_of(b->iommu).faults_lost, 6);
	for (count = 0; vtd_fault_read(b->iommu, &fault); count++) {
		assert_true(fault.address == VIRTUAL + 4096 * (u64)(count + 1));
		assert_int_equal(fault.access, VTD_DMA_WRITE);
		assert_int_equal(fault.source_id, SID);
	}
	assert_int_equal(count, 64);
	assert_string_equal(vtd_fault_name(VTD_FAULT_FL_NOT_PRESENT),
			    "first-level entry not present");
	assert_string_equal(vtd_fault_name(1), "unknown");
}

static void test_request_without_pasid_uses_pasid_0(void **state)
{
	struct bench *b = *state;
	u64 table = page_of(b->machine), physical;

	assert_int_equal(read_dma(b->dev, INVALID_IOASID, 0x5000), VTD_FAULT_DIR_NOT_PRESENT);
	expect_fault(b->iommu, VTD_FAULT_DIR_NOT_PRESENT, INVALID_IOASID, 0x5000);
	store(b->machine, b->directory, table | 1);
	b->entry = table;
	write_entry(b, VTD_PGTT_PASS_THROUGH, 0, 0);
	assert_int_equal(vtd_dma(b->dev, INVALID_IOASID, 0x5000, VTD_DMA_READ, &physical), 0);
	assert_true(physical == 0x5000);
	/* The device TLB keeps the two kinds apart. */
	store(b->machine, b->entry, 0);
	submit(b->iommu, vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0));
	submit(b->iommu, vtd_inv_dev_ptlb(SID, 0));
	assert_int_equal(read_dma(b->dev, INVALID_IOASID, 0x5000), 0);
	submit(b->iommu, vtd_inv_dev_tlb(SID));
	assert_int_equal(read_dma(b->dev, INVALID_IOASID, 0x5000), VTD_FAULT_PASID_NOT_PRESENT);
}

static void test_devices_with_tlb_need_permission(void **state)
{
	struct bench *b = *state;
	u64 context = b->context + (SID & 0x7f) * 32;

	store(b->machine, context, load(b->machine, context) & ~(u64)CTX_DTE);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_DTE_CLEAR);
}

static void test_bad_arguments(void **state)
{
	struct bench *b = *state;
	struct vtd_unit_config bad = { ~0u, 20, NULL, NULL };
	struct vtd_unit_config wide = { 0, 21, NULL, NULL };
	char byte = 0;

	assert_int_equal(PTR_ERR(vtd_machine_create(0)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_machine_create(4097)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_machine_create(1ULL << 41)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_unit_create(NULL, NULL)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_unit_create(b->machine, &bad)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_unit_create(b->machine, &wide)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_device_create(b->iommu, SID, 0)), -EEXIST);
	assert_int_equal(PTR_ERR(vtd_device_create(b->iommu, 1, VTD_DEV_PRI)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_device_create((struct intel_iommu *)b->dev, 1, 0)), -EINVAL);
	assert_int_equal(read_dma((struct device *)b->iommu, PASID, VIRTUAL), -EINVAL);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, 0, NULL), -EINVAL);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_PRIV, NULL), -EINVAL);
	assert_int_equal(vtd_memory_read(b->machine, MEMORY, &byte, 1), -EINVAL);
	assert_int_equal(vtd_memory_write(b->machine, MEMORY - 1, &byte, 1), 0);
	assert_int_equal(vtd_memory_write(b->machine, ~0ULL, &byte, 2), -EINVAL);
	assert_true(vtd_page_alloc(b->machine, 0) == VTD_NO_ADDRESS);
	assert_true(vtd_page_alloc(b->machine, MEMORY / VTD_PAGE_SIZE) == VTD_NO_ADDRESS);
}

static void test_pages_come_back_zeroed_and_adjacent(void **state)
{
	struct bench *b = *state;
	u64 used = vtd_pages_used(b->machine);
	u64 first = vtd_page_alloc(b->machine, 3), second;

	store(b->machine, first + 4096, 7);
	vtd_page_free(b->machine, first + 4096, 1);
	vtd_page_free(b->machine, first + 4096, 1);
	vtd_page_free(b->machine, MEMORY, 1);
	assert_true(vtd_pages_used(b->machine) == used + 2);
	second = vtd_page_alloc(b->machine, 1);
	assert_true(second == first + 4096);
	assert_true(load(b->machine, second) == 0);
	vtd_page_free(b->machine, first, 3);
	assert_true(vtd_pages_used(b->machine) == used);
}

static void test_creation_without_memory_leaves_nothing(void **state)
{
	struct bench *b = *state;
	unsigned long blocks = vtd_blocks_used(), nth;
	u64 pages = vtd_pages_used(b->machine);
	struct intel_iommu *iommu = ERR_PTR(-ENOMEM);
	struct vtd_machine *machine = ERR_PTR(-ENOMEM);

	for (nth = 1; IS_ERR(machine); nth++) {
		vtd_fail_nth(nth);
		machine = vtd_machine_create(MEMORY);
		if (IS_ERR(machine))
			assert_int_equal(PTR_ERR(machine), -ENOMEM);
	}
	assert_int_equal(nth - 1, 4);
	vtd_fail_nth(0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
	for (nth = 1; IS_ERR(iommu); nth++) {
		vtd_fail_nth(nth);
		iommu = vtd_unit_create(b->machine, NULL);
	}
	vtd_fail_nth(0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	for (nth = 1; nth < 4; nth++) {
		vtd_fail_nth(nth);
		assert_int_equal(PTR_ERR(vtd_device_create(b->iommu, 1, VTD_DEV_ATS)), -ENOMEM);
	}
	vtd_fail_nth(0);
	assert_int_equal(vtd_blocks_used(), blocks);
	assert_true(vtd_pages_used(b->machine) == pages);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
#define TEST_ATS(name) cmocka_unit_test_setup_teardown(name, setup_ats, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_level_reads_and_writes_memory),
		TEST(test_faults_on_the_way_to_the_entry),
		TEST(test_pasid_beyond_the_directory),
		TEST(test_faults_of_the_entry),
		cmocka_unit_test_setup_teardown(test_capabilities_limit_the_types, setup_plain,
						bench_teardown),
		TEST(test_faults_of_the_first_level),
		TEST(test_supervisor_and_execute),
		TEST(test_large_pages),
		TEST(test_second_level_and_pass_through),
		TEST(test_nested_translates_the_guests_tables_too),
		TEST(test_caches_answer_until_they_are_invalidated),
		TEST(test_iotlb_survives_the_pasid_cache),
		TEST_ATS(test_device_tlb_survives_the_unit),
		TEST_ATS(test_translated_requests_need_a_context),
		TEST(test_context_cache_survives_the_table),
		TEST(test_queue_stops_at_nonsense_and_goes_on_after),
		TEST(test_fault_log_overflows),
		TEST_ATS(test_request_without_pasid_uses_pasid_0),
		TEST_ATS(test_devices_with_tlb_need_permission),
		TEST(test_bad_arguments),
		TEST(test_pages_come_back_zeroed_and_adjacent),
		TEST(test_creation_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests_name("vtd hardware", tests, NULL, NULL);
}
