// SPDX-License-Identifier: MIT
// Structures in memory: reserved bits, capabilities, fault processing by level, marks, intervals.

#include "vtd_bench.h"

#define EXTENDED (VTD_CAP_DEFAULT | VTD_CAP_SRS | VTD_CAP_EAFS | VTD_CAP_MTS | VTD_CAP_SL5LP | \
		  VTD_CAP_SLADS)

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT);
}

static int setup_extended(void **state)
{
	return bench_setup(state, 0, EXTENDED);
}

static u64 context_of(const struct bench *b)
{
	return b->context + (SID & 0x7f) * 32;
}

/* Each of @bits, alone, makes the structure at @address refused for @reason. */
static void expect_each_refused(struct bench *b, u64 address, u64 bits, int reason)
{
	u64 word = load(b->machine, address);
	int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(bits >> bit & 1))
			continue;
		store(b->machine, address, word | 1ULL << bit);
		expect_refused(b, VTD_DMA_READ, reason);
	}
	store(b->machine, address, word);
}

/* And without them the entry is a good one. */
static void expect_reserved(struct bench *b, u64 address, u64 bits, int reason)
{
	expect_each_refused(b, address, bits, reason);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	forget(b);
}

static void test_reserved_bits_on_the_way(void **state)
{
	struct bench *b = *state;

	expect_reserved(b, b->root + (SID >> 8) * 16, 0xfff0000000000ffe, VTD_FAULT_ROOT_RESERVED);
	expect_reserved(b, context_of(b), 0xfff00000000001e0, VTD_FAULT_CONTEXT_RESERVED);
	expect_reserved(b, context_of(b) + 8, ~0x1fffffULL, VTD_FAULT_CONTEXT_RESERVED);
	expect_reserved(b, context_of(b) + 16, 0x8000000000000001, VTD_FAULT_CONTEXT_RESERVED);
	expect_reserved(b, context_of(b) + 24, 0x8000000000000001, VTD_FAULT_CONTEXT_RESERVED);
	expect_reserved(b, b->directory + PASID / 64 * 8, 0xfff0000000000ffc,
			VTD_FAULT_DIR_RESERVED);
}

/* SLADE, SRE, EAFE and memory types are reserved in a unit that has not the capability; PGSNP in each. */
static void test_reserved_bits_of_the_entry(void **state)
{
	struct bench *b = *state;

	expect_reserved(b, b->entry, 0xfff0000000000c00 | VTD_PE_SLADE, VTD_FAULT_PASID_RESERVED);
	expect_reserved(b, b->entry + 8, ~0ULL << 24 | 0x7f0000, VTD_FAULT_PASID_RESERVED);
	expect_reserved(b, b->entry + 16, 0xfff0000000000f40 | VTD_PE_SRE | VTD_PE_EAFE,
			VTD_FAULT_PASID_RESERVED);
	expect_reserved(b, b->entry + 24, ~0ULL, VTD_FAULT_PASID_RESERVED);
}

static void test_capable_units_accept_more(void **state)
{
	struct bench *b = *state;
	u64 root = b->pages[4];

	store(b->machine, b->entry, load(b->machine, b->entry) | VTD_PE_SLADE);
	store(b->machine, b->entry + 16, root | VTD_PE_SRE | VTD_PE_EAFE);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry + 8, DID | ~0ULL << 25 | VTD_PE_PWSNP);
	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	forget(b);
	expect_reserved(b, b->entry + 8, VTD_PE_PGSNP, VTD_FAULT_PASID_RESERVED);
}

static void use_five_second_levels(struct bench *b)
{
	u64 four = make_chain(b, VIRTUAL, 3), five = page_of(b->machine);

	store(b->machine, five, four | 3);
	write_entry(b, VTD_PGTT_SECOND_LEVEL, five, 0);
	store(b->machine, b->entry,
	      (load(b->machine, b->entry) & ~(7ULL << VTD_PE_AW_SHIFT)) |
		      (u64)VTD_AW_57 << VTD_PE_AW_SHIFT);
}

static void test_five_second_levels_are_refused(void **state)
{
	struct bench *b = *state;

	use_five_second_levels(b);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_INVALID);
}

static void test_five_second_levels_are_walked(void **state)
{
	struct bench *b = *state;
	u64 physical;

	use_five_second_levels(b);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, &physical), 0);
	assert_true(physical == b->pages[0]);
	assert_int_equal(read_dma(b->dev, PASID, 1ULL << 57), VTD_FAULT_BEYOND);
}

static void test_reserved_bits_of_page_tables(void **state)
{
	struct bench *b = *state;
	u64 leaf;

	leaf = b->pages[1] + index_at(VIRTUAL, 1);
	/* Without NXE a set XD is no permission but a mistake. */
	expect_reserved(b, leaf, PT_XD, VTD_FAULT_FL_RESERVED);
	expect_reserved(b, b->pages[4] + index_at(VIRTUAL, 4), PT_XD | PT_PS,
			VTD_FAULT_FL_RESERVED);
	store(b->machine, b->entry + 16, b->pages[4] | VTD_PE_NXE);
	store(b->machine, leaf, b->pages[0] | PT_P | PT_U | PT_XD);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);

	write_entry(b, VTD_PGTT_SECOND_LEVEL, make_chain(b, VIRTUAL, 3), 0);
	forget(b);
	leaf = b->pages[1] + index_at(VIRTUAL, 1);
	expect_reserved(b, leaf, 1ULL << 11 | 1ULL << 62, VTD_FAULT_SL_RESERVED);
	expect_reserved(b, b->pages[3] + index_at(VIRTUAL, 3), 1ULL << 11, VTD_FAULT_SL_RESERVED);
	expect_reserved(b, b->pages[4] + index_at(VIRTUAL, 4), 1ULL << 7, VTD_FAULT_SL_RESERVED);
	/* Nothing there: then nothing is looked at. */
	store(b->machine, leaf, 1ULL << 11);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_SL_PERMISSION);
}

/*
 * The bits between the flags and the frame of a large page; on the first level bit 12 is one of the memory type's.
 * VIRTUAL in the first page of 1 GiB is beyond the machine's memory, which is found out later.
 */
static void test_reserved_bits_of_large_pages(void **state)
{
	struct bench *b = *state;
	const u64 medium = (1ULL << 21) - 0x1000, large = (1ULL << 30) - 0x1000;
	u64 at2 = b->pages[2] + index_at(VIRTUAL, 2), at3 = b->pages[3] + index_at(VIRTUAL, 3);

	store(b->machine, at2, PT_P | PT_U | PT_PS);
	expect_reserved(b, at2, medium & ~0x1000ULL, VTD_FAULT_FL_RESERVED);
	store(b->machine, at3, PT_P | PT_U | PT_PS);
	expect_each_refused(b, at3, large & ~0x1000ULL, VTD_FAULT_FL_RESERVED);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_BEYOND);

	write_entry(b, VTD_PGTT_SECOND_LEVEL, make_chain(b, VIRTUAL, 3), 0);
	forget(b);
	at2 = b->pages[2] + index_at(VIRTUAL, 2);
	at3 = b->pages[3] + index_at(VIRTUAL, 3);
	store(b->machine, at2, 3 | PT_PS);
	expect_reserved(b, at2, medium, VTD_FAULT_SL_RESERVED);
	store(b->machine, at3, 3 | PT_PS);
	expect_each_refused(b, at3, large, VTD_FAULT_SL_RESERVED);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_BEYOND);
}

/* FPD of an entry is for everything below it too. */
static void test_fault_processing_is_disabled_by_level(void **state)
{
	struct bench *b = *state;
	u64 context = load(b->machine, context_of(b));
	u64 directory = b->directory + PASID / 64 * 8;
	u64 table = load(b->machine, directory), entry = load(b->machine, b->entry);
	struct vtd_fault fault;
	int level;

	for (level = 0; level < 3; level++) {
		store(b->machine, context_of(b), context | (level == 0 ? CTX_FPD : 0));
		store(b->machine, directory, table | (level == 1 ? 2 : 0));
		store(b->machine, b->entry, entry | (level == 2 ? VTD_PE_FPD : 0));
		/* Twice: what is read, and what is cached. */
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_FL_NOT_PRESENT);
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_FL_NOT_PRESENT);
		store(b->machine, b->entry, (entry & ~VTD_PE_P) | (level == 2 ? VTD_PE_FPD : 0));
		forget(b);
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
		store(b->machine, b->entry, entry | 1 << 10 | (level == 2 ? VTD_PE_FPD : 0));
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_RESERVED);
		if (level < 2) {
			store(b->machine, directory, level == 1 ? 2 : 0);
			assert_int_equal(read_dma(b->dev, PASID, VIRTUAL),
					 VTD_FAULT_DIR_NOT_PRESENT);
		}
		assert_false(vtd_fault_read(b->iommu, &fault));
		store(b->machine, b->entry, entry);
		forget(b);
	}
	store(b->machine, directory, table);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_FL_NOT_PRESENT);
	assert_true(vtd_fault_read(b->iommu, &fault));
}

/* But tables that cannot be read are told of whatever FPD says. */
static void test_unreadable_tables_are_always_recorded(void **state)
{
	struct bench *b = *state;
	u64 context = load(b->machine, context_of(b)), beyond = 1ULL << 40;
	u64 directory = b->directory + PASID / 64 * 8;

	store(b->machine, context_of(b), (context & 0xfff) | CTX_FPD | beyond);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_DIR_ACCESS);
	store(b->machine, context_of(b), context | CTX_FPD);
	store(b->machine, directory, beyond | 1);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_ACCESS);
	store(b->machine, context_of(b), context);
	store(b->machine, directory, beyond | 3);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_PASID_ACCESS);
}

static void test_first_level_is_marked(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(load(b->machine, leaf) & (PT_A | PT_D), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(load(b->machine, leaf) & (PT_A | PT_D), PT_A);
	assert_int_equal(load(b->machine, b->pages[4] + index_at(VIRTUAL, 4)) & (PT_A | PT_D),
			 PT_A);
	/* What was cached by the read must not let the write pass unmarked. */
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	assert_int_equal(load(b->machine, leaf) & (PT_A | PT_D), PT_A | PT_D);
	/* A write that is refused marks nothing dirty. */
	store(b->machine, leaf, b->pages[0] | PT_P | PT_U);
	forget(b);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), VTD_FAULT_NO_WRITE);
	assert_int_equal(load(b->machine, leaf) & PT_D, 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 0);
}

static void test_second_level_is_marked_where_asked(void **state)
{
	struct bench *b = *state;
	u64 root = make_chain(b, VIRTUAL, 3);
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1);

	write_entry(b, VTD_PGTT_SECOND_LEVEL, root, 0);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	assert_true(load(b->machine, leaf) == (b->pages[0] | 3));
	store(b->machine, b->entry, load(b->machine, b->entry) | VTD_PE_SLADE);
	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_true(load(b->machine, leaf) == (b->pages[0] | 3 | 1 << 8));
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	assert_true(load(b->machine, leaf) == (b->pages[0] | 3 | 1 << 8 | 1 << 9));
	/* Dirty tracking: cleared, invalidated, and marked by the next write. */
	store(b->machine, leaf, b->pages[0] | 3);
	submit(b->iommu, vtd_inv_iotlb(VTD_INV_IOTLB_DOMAIN, DID));
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	assert_true(load(b->machine, leaf) == (b->pages[0] | 3 | 1 << 8 | 1 << 9));
}

/* A guest's tables at guest addresses 1-4 MiB, its page at 5 MiB. Returns the second level. */
static u64 make_nested(struct bench *b, u64 table_bits)
{
	u64 second = page_of(b->machine);
	int level;

	for (level = 0; level <= 4; level++) {
		b->pages[level] = page_of(b->machine);
		map_guest(b, second, (u64)(5 - level) << 20, b->pages[level],
			  level ? table_bits : 3);
		if (level)
			store(b->machine, b->pages[level] + index_at(VIRTUAL, level),
			      (u64)(6 - level) << 20 | PT_P | PT_W | PT_U);
	}
	write_entry(b, VTD_PGTT_NESTED, second, 1 << 20);
	return second;
}

static void test_marking_a_read_only_guest_table(void **state)
{
	struct bench *b = *state;
	u64 second = make_nested(b, 1);
	int level;

	expect_refused(b, VTD_DMA_READ, VTD_FAULT_NESTED_TABLE_WRITE);
	/* What is marked already needs no write. */
	for (level = 1; level <= 4; level++)
		store(b->machine, b->pages[level] + index_at(VIRTUAL, level),
		      (u64)(6 - level) << 20 | PT_P | PT_W | PT_U | PT_A);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	expect_refused(b, VTD_DMA_WRITE, VTD_FAULT_NESTED_TABLE_WRITE);
	map_guest(b, second, 4 << 20, b->pages[1], 3);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	assert_int_equal(load(b->machine, b->pages[1] + index_at(VIRTUAL, 1)) & PT_D, PT_D);
}

static void test_guest_page_beyond_the_domain(void **state)
{
	struct bench *b = *state;

	make_nested(b, 3);
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), 1ULL << 48 | PT_P | PT_W | PT_U);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_NESTED_ADDRESS);
}

static void test_page_for_writing_only(void **state)
{
	struct bench *b = *state;
	u64 root = make_chain(b, VIRTUAL, 3);

	write_entry(b, VTD_PGTT_SECOND_LEVEL, root, 0);
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), b->pages[0] | 2);
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL), 0);
	expect_refused(b, VTD_DMA_READ, VTD_FAULT_NO_READ);
	expect_refused(b, VTD_DMA_READ | VTD_DMA_WRITE, VTD_FAULT_NO_READ);
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), b->pages[0] | 1);
	expect_refused(b, VTD_DMA_READ | VTD_DMA_WRITE, VTD_FAULT_NO_WRITE);
	/* 79h is for a page with neither. */
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), b->pages[0]);
	expect_refused(b, VTD_DMA_WRITE, VTD_FAULT_SL_PERMISSION);
}

static void test_interrupt_addresses_are_no_memory(void **state)
{
	struct bench *b = *state;
	struct vtd_fault fault;
	u64 address;

	/* Requests without PASID are interrupt messages there; the table is not asked. */
	for (address = 0xfee00000; address < 0xfef00000; address += 0xff000) {
		assert_int_equal(vtd_dma(b->dev, INVALID_IOASID, address, VTD_DMA_WRITE, NULL),
				 VTD_FAULT_INTERRUPT);
		assert_true(vtd_fault_read(b->iommu, &fault));
	}
	assert_int_equal(read_dma(b->dev, INVALID_IOASID, 0xfef00000), VTD_FAULT_DIR_NOT_PRESENT);
	/* With a PASID it is an address as any other; but where it leads must not be there. */
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), 0xfee00000 | PT_P | PT_W | PT_U);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_INTERRUPT);
	write_entry(b, VTD_PGTT_PASS_THROUGH, 0, 0);
	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, 0xfee00000), VTD_FAULT_INTERRUPT);
	assert_int_equal(read_dma(b->dev, PASID, 0xfef00000), VTD_FAULT_BEYOND);
}

static void test_pasid_of_requests_without_one(void **state)
{
	struct bench *b = *state;

	store(b->machine, context_of(b) + 8, PASID);
	assert_int_equal(read_dma(b->dev, INVALID_IOASID, VIRTUAL), 0);
	store(b->machine, context_of(b) + 8, 0xfffff);
	store(b->machine, context_of(b), load(b->machine, context_of(b)) & ~(7ULL << 9));
	forget(b);
	assert_int_equal(read_dma(b->dev, INVALID_IOASID, VIRTUAL), VTD_FAULT_REQUEST_PASID);
}

/* Whatever the caches have. */
static void test_nothing_passes_without_a_root(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(vtd_unit_set_root(b->iommu, 0), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_ROOT_NOT_PRESENT);
	assert_int_equal(vtd_unit_set_root(b->iommu, b->root), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
}

static void test_transfers_end_at_the_highest_address(void **state)
{
	struct bench *b = *state;
	u64 last = -(u64)VTD_PAGE_SIZE;
	char buffer[2 * VTD_PAGE_SIZE] = "";

	write_entry(b, VTD_PGTT_FIRST_LEVEL, 0, make_chain(b, last, PT_P | PT_W | PT_U));
	store(b->machine, b->pages[0] + 4088, 0x1234);
	assert_int_equal(vtd_dma_read(b->dev, PASID, last, buffer, VTD_PAGE_SIZE), 0);
	assert_int_equal(*(u64 *)(buffer + 4088), 0x1234);
	assert_int_equal(vtd_dma_read(b->dev, PASID, last, buffer, VTD_PAGE_SIZE + 1), -EINVAL);
	assert_int_equal(vtd_dma_write(b->dev, PASID, last, buffer, 2 * VTD_PAGE_SIZE), -EINVAL);
	assert_int_equal(vtd_dma_write(b->dev, PASID, ~0ULL, buffer, 1), 0);
	assert_int_equal(vtd_dma_write(b->dev, PASID, ~0ULL, buffer, 0), 0);
}

static int setup_ats(void **state)
{
	return bench_setup(state, VTD_DEV_ATS, VTD_CAP_DEFAULT);
}

/* What the page tables do not allow is an answer; what stands above them is a fault. */
static void test_translation_request_alone(void **state)
{
	struct bench *b = *state;
	struct vtd_fault fault;
	u64 physical = 0;

	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL + 4096, VTD_DMA_READ, &physical),
			 VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, &physical), 0);
	assert_true(physical == b->pages[0]);
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), b->pages[0] | PT_P | PT_U);
	forget(b);
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL),
			 VTD_FAULT_NO_WRITE);
	assert_false(vtd_fault_read(b->iommu, &fault));
	/* The access itself is: the device has no other way. */
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL + 4096), VTD_FAULT_FL_NOT_PRESENT);
	expect_fault(b->iommu, VTD_FAULT_FL_NOT_PRESENT, PASID, VIRTUAL + 4096);
	/* It keeps what it was told. */
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_READ, NULL), 0);
	store(b->machine, b->entry, 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).devtlb_hits, 1);
	forget(b);
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_READ, NULL),
			 VTD_FAULT_PASID_NOT_PRESENT);
	assert_false(vtd_fault_read(b->iommu, &fault));
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, 0, NULL), -EINVAL);
	assert_int_equal(vtd_ats_translate(NULL, PASID, VIRTUAL, VTD_DMA_READ, NULL), -EINVAL);
}

/*
 * Which conditions are faults of a translation request, and which an answer without rights, as the table of
 * section 7.1.3 has them. Of the request itself all are recorded.
 */
static void test_answers_without_rights(void **state)
{
	struct bench *b = *state;
	u64 leaf = b->pages[1] + index_at(VIRTUAL, 1), at = context_of(b);
	u64 page = b->pages[0] | PT_P | PT_W | PT_U;
	const struct {
		u64 where, value;
		int reason;
		bool is_fault;
	} rows[] = {
		{ b->root + (SID >> 8) * 16, 0, VTD_FAULT_ROOT_NOT_PRESENT, true },
		{ at, load(b->machine, at) & ~1ULL, VTD_FAULT_CONTEXT_NOT_PRESENT, true },
		{ at, load(b->machine, at) | 1 << 5, VTD_FAULT_CONTEXT_RESERVED, true },
		{ at, load(b->machine, at) & ~(u64)CTX_DTE, VTD_FAULT_DTE_CLEAR, true },
		{ b->directory + PASID / 64 * 8, 0, VTD_FAULT_DIR_NOT_PRESENT, false },
		{ b->directory + PASID / 64 * 8, b->table | 5, VTD_FAULT_DIR_RESERVED, true },
		{ b->directory + PASID / 64 * 8, 1ULL << 50 | 1, VTD_FAULT_PASID_ACCESS, true },
		{ b->entry, load(b->machine, b->entry) & ~VTD_PE_P, VTD_FAULT_PASID_NOT_PRESENT,
		  false },
		{ b->entry, load(b->machine, b->entry) | 1 << 10, VTD_FAULT_PASID_RESERVED, true },
		{ b->entry, VTD_PE_P, VTD_FAULT_PASID_INVALID, true },
		{ b->entry + 16, 1ULL << 50, VTD_FAULT_FL_ROOT_ACCESS, false },
		{ leaf, 0, VTD_FAULT_FL_NOT_PRESENT, false },
		{ leaf, page | 1ULL << 63, VTD_FAULT_FL_RESERVED, false },
		{ leaf, page & ~(u64)PT_U, VTD_FAULT_USER, false },
		{ leaf, page & ~(u64)PT_W, VTD_FAULT_NO_WRITE, false },
		{ leaf, 1ULL << 50 | PT_P | PT_W | PT_U, VTD_FAULT_BEYOND, false },
	};
	struct vtd_fault fault;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u64 old = load(b->machine, rows[i].where);

		store(b->machine, rows[i].where, rows[i].value);
		forget(b);
		assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL),
				 rows[i].reason);
		if (rows[i].is_fault)
			expect_fault(b->iommu, (u32)rows[i].reason, PASID, VIRTUAL);
		else
			assert_false(vtd_fault_read(b->iommu, &fault));
		assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_WRITE, NULL),
				 rows[i].reason);
		expect_fault(b->iommu, (u32)rows[i].reason, PASID, VIRTUAL);
		store(b->machine, rows[i].where, old);
		forget(b);
	}
	/* Of the request: supervisor without SRE, an address that cannot be. */
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_READ | VTD_DMA_PRIV,
					   NULL),
			 VTD_FAULT_SRE_CLEAR);
	assert_int_equal(vtd_ats_translate(b->dev, PASID, 1ULL << 60, VTD_DMA_READ, NULL),
			 VTD_FAULT_NOT_CANONICAL);
	assert_false(vtd_fault_read(b->iommu, &fault));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
}

/* An address of interrupts is translated for nobody, and asking is no fault; what leads there is. */
static void test_translation_of_interrupt_addresses(void **state)
{
	struct bench *b = *state;
	struct vtd_fault fault;

	assert_int_equal(vtd_ats_translate(b->dev, INVALID_IOASID, 0xfee01000, VTD_DMA_WRITE, NULL),
			 VTD_FAULT_INTERRUPT);
	assert_false(vtd_fault_read(b->iommu, &fault));
	store(b->machine, b->pages[1] + index_at(VIRTUAL, 1), 0xfee00000 | PT_P | PT_W | PT_U);
	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_READ, NULL),
			 VTD_FAULT_INTERRUPT);
	expect_fault(b->iommu, VTD_FAULT_INTERRUPT, PASID, VIRTUAL);
}

static void test_only_ats_asks_for_translations(void **state)
{
	struct bench *b = *state;

	assert_int_equal(vtd_ats_translate(b->dev, PASID, VIRTUAL, VTD_DMA_READ, NULL), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
#define TEST_EXTENDED(name) cmocka_unit_test_setup_teardown(name, setup_extended, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reserved_bits_on_the_way),
		TEST(test_reserved_bits_of_the_entry),
		TEST_EXTENDED(test_capable_units_accept_more),
		TEST(test_five_second_levels_are_refused),
		TEST_EXTENDED(test_five_second_levels_are_walked),
		TEST(test_reserved_bits_of_page_tables),
		TEST(test_reserved_bits_of_large_pages),
		TEST(test_fault_processing_is_disabled_by_level),
		TEST(test_unreadable_tables_are_always_recorded),
		TEST(test_first_level_is_marked),
		TEST_EXTENDED(test_second_level_is_marked_where_asked),
		TEST(test_marking_a_read_only_guest_table),
		TEST(test_guest_page_beyond_the_domain),
		TEST(test_page_for_writing_only),
		TEST(test_interrupt_addresses_are_no_memory),
		TEST(test_pasid_of_requests_without_one),
		TEST(test_nothing_passes_without_a_root),
		TEST(test_transfers_end_at_the_highest_address),
		cmocka_unit_test_setup_teardown(test_translation_request_alone, setup_ats,
						bench_teardown),
		cmocka_unit_test_setup_teardown(test_answers_without_rights, setup_ats,
						bench_teardown),
		cmocka_unit_test_setup_teardown(test_translation_of_interrupt_addresses, setup_ats,
						bench_teardown),
		TEST(test_only_ats_asks_for_translations),
	};

	return cmocka_run_group_tests_name("vtd structures", tests, NULL, NULL);
}
