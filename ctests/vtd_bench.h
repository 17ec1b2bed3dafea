/* SPDX-License-Identifier: MIT */
/* A unit with one device and tables written by hand, for the suites of the hardware alone. */
#ifndef VTD_BENCH_H
#define VTD_BENCH_H

#include "vtd_fixture.h"

#define SID 0x0138	/* bus 1, device 7, function 0 */
#define PASID 101
#define DID 5
#define VIRTUAL 0x7f1234567000ULL

/* Bits of entries that the header leaves to the specification. */
#define CTX_P 0x1
#define CTX_FPD 0x2
#define CTX_DTE 0x4
#define CTX_PASIDE 0x8
#define CTX_PRE 0x10
#define PT_P 0x1
#define PT_W 0x2
#define PT_U 0x4
#define PT_A 0x20
#define PT_D 0x40
#define PT_PS 0x80
#define PT_XD (1ULL << 63)

struct bench {
	struct vtd_machine *machine;
	struct intel_iommu *iommu;
	struct device *dev;
	u64 root, context, directory, table;
	u64 entry;	/* of PASID */
	u64 pages[5];	/* tables of a walk, [level]; [0] is the page */
};

static inline u64 index_at(u64 address, int level)
{
	return (address >> (12 + 9 * (level - 1)) & 511) * 8;
}

/* A chain of 4 levels with one page; @bits in every entry. Returns the root. */
static inline u64 make_chain(struct bench *b, u64 address, u64 bits)
{
	int level;

	b->pages[0] = page_of(b->machine);
	for (level = 1; level <= 4; level++) {
		b->pages[level] = page_of(b->machine);
		store(b->machine, b->pages[level] + index_at(address, level),
		      b->pages[level - 1] | bits);
	}
	return b->pages[4];
}

static inline void write_entry(struct bench *b, enum vtd_pgtt type, u64 second, u64 first)
{
	store(b->machine, b->entry + 16, first);
	store(b->machine, b->entry + 8, DID);
	store(b->machine, b->entry, VTD_PE_P | (u64)type << VTD_PE_PGTT_SHIFT |
	      (u64)VTD_AW_48 << VTD_PE_AW_SHIFT | second);
}

static inline int bench_setup(void **state, unsigned int features, u32 capabilities)
{
	struct vtd_unit_config config = { capabilities, 20, NULL, NULL };
	struct bench *b = calloc(1, sizeof(*b));

	b->machine = vtd_machine_create(MEMORY);
	assert_false(IS_ERR(b->machine));
	b->iommu = vtd_unit_create(b->machine, &config);
	assert_false(IS_ERR(b->iommu));
	b->dev = vtd_device_create(b->iommu, SID, features);
	assert_false(IS_ERR(b->dev));

	b->root = page_of(b->machine);
	b->context = page_of(b->machine);
	b->directory = vtd_page_alloc(b->machine, 32);
	b->table = page_of(b->machine);
	b->entry = b->table + PASID % 64 * 64;
	store(b->machine, b->root + (SID >> 8) * 16, b->context | 1);
	store(b->machine, b->context + (SID & 0x7f) * 32,
	      CTX_P | CTX_PASIDE | (features ? CTX_DTE : 0) | 7 << 9 | b->directory);
	store(b->machine, b->directory + PASID / 64 * 8, b->table | 1);
	write_entry(b, VTD_PGTT_FIRST_LEVEL, 0, make_chain(b, VIRTUAL, PT_P | PT_W | PT_U));
	assert_int_equal(vtd_unit_set_root(b->iommu, b->root), 0);
	*state = b;
	return 0;
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;

	assert_int_equal(vtd_unit_destroy(b->iommu), -EBUSY);
	assert_int_equal(vtd_device_destroy(b->dev), 0);
	assert_int_equal(vtd_machine_destroy(b->machine), -EBUSY);
	assert_int_equal(vtd_unit_destroy(b->iommu), 0);
	assert_int_equal(vtd_machine_destroy(b->machine), 0);
	assert_int_equal(vtd_blocks_used(), 0);
	free(b);
	return 0;
}

/* Makes the unit forget everything, as after a change of tables. */
static inline void forget(struct bench *b)
{
	struct vtd_inv_desc descs[] = {
		vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0),
		vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0),
		vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0),
		vtd_inv_dev_ptlb(SID, PASID),
	};

	assert_int_equal(vtd_inv_submit(b->iommu, descs, 4), 0);
}

static inline void expect_refused(struct bench *b, unsigned int access, int reason)
{
	assert_int_equal(vtd_dma(b->dev, PASID, VIRTUAL, access, NULL), reason);
	expect_fault(b->iommu, (u32)reason, PASID, VIRTUAL);
	forget(b);
}

static inline void map_guest(struct bench *b, u64 second, u64 guest, u64 physical, u64 bits)
{
	u64 table = second;
	int level;

	for (level = 4; level > 1; level--) {
		u64 at = table + index_at(guest, level);

		if (!load(b->machine, at))
			store(b->machine, at, page_of(b->machine) | 3);
		table = load(b->machine, at) & VTD_PE_ADDRESS_MASK;
	}
	store(b->machine, table + index_at(guest, 1), physical | bits);
}

#endif
