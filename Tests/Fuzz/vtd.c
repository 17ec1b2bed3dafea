/* SPDX-License-Identifier: MIT */
/*
 * fuzz-vtd: libFuzzer's bytes write registers, descriptors and tables of a VT-d unit, and DMA goes through
 * them. Nothing may crash or leak; what DMA reaches lies in memory; a cache that was just emptied and
 * filled answers as the walk that filled it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ioasid-vtd.h>

#define PAGES 64
#define MEMORY (PAGES * VTD_PAGE_SIZE)
#define SID 0x0138
#define PASID 101
#define VIRTUAL 0x7f1234567000ULL

#define GCMD_TE 0x80000000u
#define GCMD_SRTP 0x40000000u
#define GCMD_QIE 0x04000000u
#define TTM_SCALABLE (1ULL << 10)
#define QUEUE_256 (1ULL << 11)

struct input {
	const uint8_t *bytes;
	size_t left;
};

struct world {
	struct vtd_machine *machine;
	struct intel_iommu *iommu;
	struct device *devices[2];
	u64 *memory;
	/* Structures at known places, so that the bytes need not find them. */
	u64 places[8];
};

static void require(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fuzz-vtd: %s\n", what);
		abort();
	}
}

static u64 take(struct input *input, size_t bytes)
{
	u64 value = 0;

	while (bytes-- && input->left) {
		value = value << 8 | *input->bytes++;
		input->left--;
	}
	return value;
}

static u64 *word(struct world *world, u64 address)
{
	return &world->memory[address / 8];
}

static u64 page(struct world *world)
{
	u64 address = vtd_page_alloc(world->machine, 1);

	require(address != VTD_NO_ADDRESS, "no page at the start");
	return address;
}

/* A walk of four levels to one page; returns the table of the highest level. */
static u64 chain(struct world *world, u64 address, u64 bits)
{
	u64 below = page(world);

	for (int level = 1; level <= 4; level++) {
		u64 table = page(world);

		*word(world, table + (address >> (12 + 9 * (level - 1)) & 511) * 8) = below | bits;
		below = table;
	}
	return below;
}

/* What a driver sets up: every walk has something to find. */
static void prepare(struct world *world, u64 type)
{
	u64 root = page(world), context = page(world), directory = page(world);
	u64 table = page(world), queue = page(world), requests = page(world);
	u64 first = chain(world, VIRTUAL, 0x67),
	    second = chain(world, VIRTUAL & 0xffffff000, 0x867);
	u64 entry = table + PASID % 64 * 64;

	*word(world, root + (SID >> 8) * 16) = context | 1;
	*word(world, context + (SID & 0x7f) * 32) = directory | 1 << 2 | 1 << 3 | 1 << 4 | 1;
	*word(world, directory + PASID / 64 * 8) = table | 1;
	*word(world, entry + 16) = first;
	*word(world, entry + 8) = 5;
	*word(world, entry) = VTD_PE_P | type << VTD_PE_PGTT_SHIFT |
			      (u64)VTD_AW_48 << VTD_PE_AW_SHIFT | second;

	vtd_register_write(world->iommu, VTD_REG_RTADDR, 8, root | TTM_SCALABLE);
	vtd_register_write(world->iommu, VTD_REG_GCMD, 4, GCMD_SRTP);
	vtd_register_write(world->iommu, VTD_REG_IQA, 8, queue | QUEUE_256);
	vtd_register_write(world->iommu, VTD_REG_PQA, 8, requests);
	vtd_register_write(world->iommu, VTD_REG_GCMD, 4, GCMD_QIE);
	vtd_register_write(world->iommu, VTD_REG_GCMD, 4, GCMD_QIE | GCMD_TE);
	memcpy(world->places,
	       (u64[]){ root, context + (SID & 0x7f) * 32, directory, entry, queue, requests, first,
			second },
	       sizeof(world->places));
}

static void empty_caches(struct world *world)
{
	struct vtd_inv_desc descs[] = {
		vtd_inv_context(VTD_INV_CONTEXT_GLOBAL, 0),
		vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0),
		vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0),
		vtd_inv_dev_tlb(SID),
	};

	vtd_inv_submit(world->iommu, descs, sizeof(descs) / sizeof(descs[0]));
}

/* The walk and the cache that it filled agree. */
static void dma(struct world *world, u64 what, u64 offset)
{
	struct device *dev = world->devices[what & 1];
	ioasid_t pasid = what & 2 ? PASID : (ioasid_t)(what >> 4);
	u64 address = what & 4 ? VIRTUAL + offset % VTD_PAGE_SIZE : offset;
	unsigned int access = 1u << (what >> 3 & 1);
	u64 walked = 0, cached = 0;
	int first, again;

	vtd_dma(dev, pasid, address, access, NULL);
	empty_caches(world);
	first = vtd_dma(dev, pasid, address, access, &walked);
	again = vtd_dma(dev, pasid, address, access, &cached);
	require(first == again && (first || walked == cached),
		"a fresh cache is not what was walked");
	require(first || walked < MEMORY, "DMA reaches what is no memory");
}

static void step(struct world *world, struct input *input)
{
	u64 what = take(input, 1);
	u64 offset = take(input, 2);

	switch (what % 8) {
	case 0: /* any word of a structure */
	case 1:
		*word(world, (world->places[what >> 3 & 7] + offset % 512 * 8) % MEMORY) =
			take(input, 8);
		break;
	case 2: /* bits of one */
		*word(world, (world->places[what >> 3 & 7] + (offset >> 6) % 8 * 8) % MEMORY) ^=
			1ULL << (offset & 63);
		break;
	case 3:
		vtd_register_write(world->iommu, offset % VTD_REG_SPACE, what & 8 ? 8 : 4,
				   take(input, what & 8 ? 8 : 4));
		break;
	case 4: /* a descriptor as the queue has it */
	{
		struct vtd_inv_desc desc;

		for (int i = 0; i < 4; i++)
			desc.qw[i] = take(input, i < 2 ? 8 : 2);
		vtd_inv_submit(world->iommu, &desc, 1);
		break;
	}
	case 5:
		vtd_page_request(world->devices[what >> 3 & 1], PASID, VIRTUAL, offset & 15,
				 offset >> 4 & 0x1ff, offset >> 13 & 1);
		break;
	case 6:
		vtd_ats_translate(world->devices[what >> 3 & 1], PASID, VIRTUAL + offset,
				  1 + (offset & 1), NULL);
		vtd_page_answer(world->devices[what >> 3 & 1], PASID, offset & 0x1ff);
		break;
	default:
		dma(world, what >> 3, offset);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct input input = { bytes, count };
	struct world world = { .machine = vtd_machine_create(MEMORY) };
	unsigned int capabilities = (unsigned int)take(&input, 2) & 0x3ff;
	struct vtd_unit_config config = { capabilities, 20, NULL, NULL };
	struct vtd_fault fault;

	world.memory = vtd_memory_map(world.machine);
	world.iommu = vtd_unit_create(world.machine, &config);
	world.devices[0] = vtd_device_create(world.iommu, SID, VTD_DEV_ATS | VTD_DEV_PRI);
	world.devices[1] = vtd_device_create(world.iommu, SID + 1, 0);
	prepare(&world, take(&input, 1) & 7);
	while (input.left)
		step(&world, &input);
	while (vtd_fault_read(world.iommu, &fault))
		require(vtd_fault_name(fault.reason) != NULL, "a fault has no name");

	for (int i = 0; i < 2; i++)
		require(!vtd_device_destroy(world.devices[i]), "a device does not go");
	require(!vtd_unit_destroy(world.iommu), "the unit does not go");
	require(!vtd_machine_destroy(world.machine), "the machine does not go");
	return 0;
}
