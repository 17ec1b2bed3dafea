// SPDX-License-Identifier: MIT
// What svm.c asks of the rest of the kernel, its units, and processes.

#include "svm_kernel.h"

/* ---- what the kernel would do ---- */

struct svm_mm init_mm;
int intel_iommu_sm = 1;

int mmu_notifier_register(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	mm->notifier = notifier;
	return 0;
}

void mmu_notifier_unregister(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	if (mm->notifier == notifier)
		mm->notifier = NULL;
}

/* One PASID a process, as 6.1 has it: until the process ends. */
int iommu_sva_alloc_pasid(struct mm_struct *mm, ioasid_t min, ioasid_t max)
{
	if (mm->pasid == 0)
		mm->pasid = ioasid_alloc(NULL, min, max, mm);
	return mm->pasid == INVALID_IOASID ? -ENOMEM : 0;
}

/* The interrupt of unit n is n + 1. */
static struct irq {
	irqreturn_t (*thread)(int irq, void *data);
	void *data;
} irqs[MACHINE_UNITS + 1];

int dmar_alloc_hwirq(int id, int node, void *arg)
{
	(void)id, (void)node;
	return ((struct intel_iommu *)arg)->seq_id + 1;
}

void dmar_free_hwirq(int irq)
{
	(void)irq;
}

static void run_thread(void *data)
{
	struct irq *irq = data;

	irq->thread((int)(irq - irqs), irq->data);
}

int request_threaded_irq(int irq, void *handler, irqreturn_t (*thread)(int irq, void *data),
			 unsigned long flags, const char *name, void *data)
{
	(void)handler, (void)flags, (void)name;
	irqs[irq].thread = thread;
	irqs[irq].data = data;
	machine_listen((unsigned int)irq - 1, run_thread, &irqs[irq]);
	return 0;
}

void free_irq(int irq, void *data)
{
	(void)data;
	machine_stop_listening((unsigned int)irq - 1);
}

void quirk_extra_dev_tlb_flush(struct device_domain_info *info, unsigned long address,
			       unsigned long pages, u32 pasid, u16 qdep)
{
	(void)info, (void)address, (void)pages, (void)pasid, (void)qdep;
}

static struct iopf_queue only_queue;

struct iopf_queue *iopf_queue_alloc(const char *name)
{
	(void)name;
	return &only_queue;
}

void iopf_queue_free(struct iopf_queue *queue)
{
	(void)queue;
}

static int discarded;

int iopf_queue_discard_partial(struct iopf_queue *queue)
{
	(void)queue;
	discarded++;
	return 0;
}

/* ---- two units with a device each, as 6.1's iommu.c sets them up ---- */

struct unit units[MACHINE_UNITS];

struct intel_iommu *device_to_iommu(struct device *dev, u8 *bus, u8 *devfn)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	if (bus)
		*bus = info->bus;
	if (devfn)
		*devfn = info->devfn;
	return info->iommu;
}

struct pci_dev *pci_get_domain_bus_and_slot(int segment, unsigned int bus, unsigned int devfn)
{
	int n;

	(void)segment;
	for (n = 0; n < MACHINE_UNITS; n++)
		if (units[n].info.bus == bus && units[n].info.devfn == devfn)
			return &units[n].pci;
	return NULL;
}

static void flush_iotlb(struct intel_iommu *iommu, u16 did, u64 addr, unsigned int order, u64 type)
{
	qi_flush_iotlb(iommu, did, addr, order, type);
}

static void begin_unit(int number, bool has_tlb, bool has_requests)
{
	struct unit *u = &units[number];
	void *reg = (void *)((uintptr_t)number << 16);
	u64 *entry;

	memset(u, 0, sizeof(*u));
	u->iommu.reg = reg;
	u->iommu.seq_id = number;
	queue_begin(&u->iommu);
	spin_lock_init(&u->iommu.lock);
	u->iommu.cap = readq(reg + DMAR_CAP_REG);
	u->iommu.ecap = readq(reg + DMAR_ECAP_REG);
	u->iommu.agaw = 2;
	u->iommu.flush.flush_iotlb = flush_iotlb;
	u->info.iommu = &u->iommu;
	u->info.bus = MACHINE_SOURCE_ID_OF(number) >> 8;
	u->info.devfn = MACHINE_SOURCE_ID_OF(number) & 0xff;
	u->info.pasid_supported = 1;
	u->info.ats_enabled = has_tlb;
	u->info.pri_enabled = has_requests;
	u->info.domain = &u->domain;
	u->pci.dev.iommu_data = &u->info;
	u->domain_info.did = DID;
	u->domain.iommu_array.entry = &u->domain_info;
	check(!intel_pasid_alloc_table(&u->pci.dev));
	intel_svm_check(&u->iommu);
	check(u->iommu.flags & VTD_FLAG_SVM_CAPABLE);
	if (has_requests)
		check(intel_svm_enable_prq(&u->iommu) == 0);

	u->root = machine_take(1);
	u->context = machine_take(1);
	u->root[u->info.bus * 2] = virt_to_phys(u->context) | 1;
	entry = u->context + (u->info.devfn & 0x7f) * 4;
	entry[0] = virt_to_phys(u->info.pasid_table->table) | 7 << 9 | BIT(3) |
		   (has_tlb ? BIT(2) : 0) | (has_requests ? BIT(4) : 0) | 1;
	writeq(virt_to_phys(u->root) | DMA_RTADDR_SMT, reg + DMAR_RTADDR_REG);
	writel(DMA_GCMD_QIE | DMA_GCMD_SRTP, reg + DMAR_GCMD_REG);
	writel(DMA_GCMD_QIE | DMA_GCMD_TE, reg + DMAR_GCMD_REG);
}

static void end_unit(int number)
{
	struct unit *u = &units[number];

	if (u->iommu.prq)
		intel_svm_finish_prq(&u->iommu);
	queue_end(&u->iommu);
	intel_pasid_free_table(&u->pci.dev);
	machine_give(u->root, 1);
	machine_give(u->context, 1);
}

void units_begin(bool has_tlb, bool has_requests)
{
	for (int n = 0; n < MACHINE_UNITS; n++)
		begin_unit(n, has_tlb, has_requests);
}

void units_end(void)
{
	for (int n = 0; n < MACHINE_UNITS; n++)
		end_unit(n);
}

/* ---- processes ---- */

static u64 *entry_of(struct process *p, int page)
{
	return &p->tables[0][(ADDRESS >> 12 & 511) + page];
}

void process_map(struct process *p, int page)
{
	__atomic_store_n(entry_of(p, page), virt_to_phys(p->pages[page]) | 7, __ATOMIC_RELEASE);
}

void process_unmap(struct process *p, int page, int count)
{
	for (int i = 0; i < count; i++)
		__atomic_store_n(entry_of(p, page + i), 0, __ATOMIC_RELEASE);
	if (p->mm.notifier)
		p->mm.notifier->ops->invalidate_range(p->mm.notifier, &p->mm, ADDRESS_OF(page),
						      ADDRESS_OF(page + count));
}

void process_exit(struct process *p)
{
	if (p->mm.notifier)
		p->mm.notifier->ops->release(p->mm.notifier, &p->mm);
}

void process_start(struct process *p)
{
	int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < PAGES; i++)
		p->pages[i] = machine_take(1);
	for (i = 0; i < 4; i++)
		p->tables[i] = machine_take(1);
	for (i = 1; i < 4; i++)
		p->tables[i][ADDRESS >> (12 + 9 * i) & 511] = virt_to_phys(p->tables[i - 1]) | 7;
	p->mm.pgd = (pgd_t *)p->tables[3];
}

void process_end(struct process *p)
{
	int i;

	for (i = 0; i < PAGES; i++)
		machine_give(p->pages[i], 1);
	for (i = 0; i < 4; i++)
		machine_give(p->tables[i], 1);
	if (p->mm.pasid)
		ioasid_free(NULL, p->mm.pasid);
}

struct iommu_sva *process_bind(int unit, struct process *p)
{
	struct iommu_sva *sva = intel_svm_bind(&units[unit].pci.dev, &p->mm, NULL);

	check(!IS_ERR(sva));
	return sva;
}
