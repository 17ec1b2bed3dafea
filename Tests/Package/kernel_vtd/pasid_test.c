// SPDX-License-Identifier: MIT
// 6.1's pasid.c, unedited, drives the model: each kind of entry, and each invalidation left out.

#include "iommu.h"
#include "pasid.h"
#include "queue.h"

#define PASID 101
#define DID 5
#define ADDRESS 0x400000ULL

enum kind { FIRST_LEVEL, SECOND_LEVEL, PASS_THROUGH, KINDS };
static const char *const names[] = { "first-level", "second-level", "pass-through" };

static void flush_iotlb(struct intel_iommu *iommu, u16 did, u64 addr, unsigned int order, u64 type)
{
	qi_flush_iotlb(iommu, did, addr, order, type);
}

/* A table of 4 levels with one page; its root is first. */
struct tree {
	u64 *tables[4], *page;
};

static struct tree new_tree(void)
{
	struct tree tree;
	u64 *next = machine_take(1);
	int level;

	tree.page = next;
	for (level = 0; level < 4; level++) {
		tree.tables[level] = machine_take(1);
		tree.tables[level][ADDRESS >> (12 + 9 * level) & 511] = virt_to_phys(next) | 7;
		next = tree.tables[level];
	}
	return tree;
}

static void drop_tree(struct tree *tree)
{
	int level;

	machine_give(tree->page, 1);
	for (level = 0; level < 4; level++)
		machine_give(tree->tables[level], 1);
}

/* The unit, with a root and a context entry as 6.1's iommu.c writes them. */
struct unit {
	struct intel_iommu iommu;
	struct pci_dev pci;
	struct device_domain_info info;
	struct iommu_domain_info domain_info;
	struct dmar_domain domain;
	u64 *root, *context;
};

static void begin(struct unit *u, bool has_tlb)
{
	u64 *entry;

	memset(u, 0, sizeof(*u));
	machine_begin(has_tlb);
	queue_begin(&u->iommu);
	spin_lock_init(&u->iommu.lock);
	u->iommu.cap = readq(DMAR_CAP_REG);
	u->iommu.ecap = readq(DMAR_ECAP_REG);
	check(cap_sagaw(u->iommu.cap) & BIT(2));
	check(ecap_smts(u->iommu.ecap) && ecap_flts(u->iommu.ecap) && ecap_slts(u->iommu.ecap));
	check(ecap_coherent(u->iommu.ecap) && ecap_pasid(u->iommu.ecap));
	u->iommu.agaw = 2;
	u->iommu.flush.flush_iotlb = flush_iotlb;
	u->info.iommu = &u->iommu;
	u->info.bus = MACHINE_SOURCE_ID >> 8;
	u->info.devfn = MACHINE_SOURCE_ID & 0xff;
	u->info.pasid_supported = 1;
	u->info.ats_enabled = has_tlb;
	u->pci.dev.iommu_data = &u->info;
	u->domain_info.did = DID;
	u->domain.agaw = 2;
	u->domain.iommu_array.entry = &u->domain_info;
	check(!intel_pasid_alloc_table(&u->pci.dev));

	u->root = machine_take(1);
	u->context = machine_take(1);
	u->root[u->info.bus * 2] = virt_to_phys(u->context) | 1;
	entry = u->context + (u->info.devfn & 0x7f) * 4;
	entry[0] = virt_to_phys(u->info.pasid_table->table) | 7 << 9 | BIT(3) |
		   (has_tlb ? BIT(2) : 0) | 1;
	writeq(virt_to_phys(u->root) | DMA_RTADDR_SMT, DMAR_RTADDR_REG);
	writel(DMA_GCMD_QIE | DMA_GCMD_SRTP, DMAR_GCMD_REG);
	writel(DMA_GCMD_QIE | DMA_GCMD_TE, DMAR_GCMD_REG);
	check(readl(DMAR_GSTS_REG) & DMA_GSTS_TES);
}

static void end(struct unit *u)
{
	queue_end(&u->iommu);
	intel_pasid_free_table(&u->pci.dev);
	machine_give(u->root, 1);
	machine_give(u->context, 1);
	machine_end();
}

static void set_up(struct unit *u, enum kind kind, struct tree *tree, u32 pasid)
{
	int error;

	if (kind == FIRST_LEVEL) {
		error = intel_pasid_setup_first_level(&u->iommu, &u->pci.dev,
						      (pgd_t *)tree->tables[3], pasid,
						      FLPT_DEFAULT_DID, 0);
	} else if (kind == SECOND_LEVEL) {
		u->domain.pgd = (struct dma_pte *)tree->tables[3];
		error = intel_pasid_setup_second_level(&u->iommu, &u->domain, &u->pci.dev, pasid);
	} else {
		error = intel_pasid_setup_pass_through(&u->iommu, NULL, &u->pci.dev, pasid);
	}
	check(error == 0);
}

static u64 goal(enum kind kind, struct tree *tree)
{
	return kind == PASS_THROUGH ? ADDRESS : virt_to_phys(tree->page);
}

/*
 * Set up, used, torn down, and used again by the next owner with other tables, and with another kind
 * of entry. Returns how many stale requests there were.
 */
static u64 live(struct unit *u, enum kind kind, bool quiet)
{
	struct tree first = new_tree(), second = new_tree();
	u64 before = machine_stale();

	set_up(u, kind, &first, PASID);
	check(machine_dma(PASID, ADDRESS) == goal(kind, &first));
	check(machine_dma(PASID, ADDRESS) == goal(kind, &first));
	intel_pasid_tear_down_entry(&u->iommu, &u->pci.dev, PASID, quiet);
	machine_dma(PASID, ADDRESS);
	set_up(u, kind == PASS_THROUGH ? SECOND_LEVEL : kind, &second, PASID);
	machine_dma(PASID, ADDRESS);
	queue_leave_out(-1);
	intel_pasid_tear_down_entry(&u->iommu, &u->pci.dev, PASID, false);
	qi_flush_iotlb(&u->iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
	qi_flush_dev_iotlb_pasid(&u->iommu, MACHINE_SOURCE_ID, 0, PASID, 0, 0, 52);
	drop_tree(&first);
	drop_tree(&second);
	return machine_stale() - before;
}

static void test_kind(enum kind kind, bool has_tlb)
{
	struct unit u;
	u64 *entry;
	int number, sent, noticed = 0;

	begin(&u, has_tlb);
	/* As it should be: nothing stale, and the queue accepts everything. */
	check(live(&u, kind, false) == 0);
	check(machine_faults() == 1);
	check(live(&u, kind, true) == 0);
	/* 6.1 sets FPD after it has told the hardware; 6.12 does not set it at all. */
	check(machine_faults() == 0);

	queue_leave_out(-1);
	set_up(&u, kind, &(struct tree){ { NULL } }, PASID + 1);
	intel_pasid_tear_down_entry(&u.iommu, &u.pci.dev, PASID + 1, true);
	sent = queue_sent();
	entry = machine_virtual(*(u64 *)(u.info.pasid_table->table + (PASID + 1) / 64 * 8) &
				~0xfffULL);
	check(entry[(PASID + 1) % 64 * 8] == PASID_PTE_FPD);
	check(sent == 2 + has_tlb);

	/*
	 * A device TLB answers before the unit's caches: what is left out there shows without one. What
	 * is not translated is not in the IOTLB.
	 */
	for (number = 0; number < sent; number++) {
		bool is_device = number == 2;

		if (is_device != has_tlb || (kind == PASS_THROUGH && number == 1))
			continue;
		queue_leave_out(number);
		check(live(&u, kind, false) > 0);
		noticed++;
		machine_faults();
	}
	printf("%s, %s TLB: %d invalidations, %d left out and noticed\n", names[kind],
	       has_tlb ? "with" : "without", sent, noticed);
	end(&u);
}

int main(void)
{
	int kind;

	setbuf(stdout, NULL);
	for (kind = 0; kind < KINDS; kind++) {
		test_kind(kind, false);
		test_kind(kind, true);
	}
	puts("pasid.c drives the model");
	return 0;
}
