// SPDX-License-Identifier: MIT
// 6.1's svm.c and pasid.c, unedited, drive the model: processes on two units, their end, page requests.

#include <unistd.h>

#include "iommu.h"
#include "pasid.h"
#include "queue.h"

#define DID 5	/* of the device's own domain */
#define ADDRESS 0x400000ULL
#define ADDRESS2 (ADDRESS + PAGE_SIZE)

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

static struct unit {
	struct intel_iommu iommu;
	struct pci_dev pci;
	struct device_domain_info info;
	struct iommu_domain_info domain_info;
	struct dmar_domain domain;
	u64 *root, *context;
} units[MACHINE_UNITS];

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

static void begin(bool has_tlb, bool has_requests)
{
	machine_begin_with(has_tlb, has_requests);
	begin_unit(0, has_tlb, has_requests);
	begin_unit(1, has_tlb, has_requests);
}

static void end(void)
{
	end_unit(0);
	end_unit(1);
	machine_end();
}

/* ---- processes ---- */

#define PAGES 2
struct process {
	struct svm_mm mm;
	u64 *tables[4], *pages[PAGES];
};

static void map(struct process *p, int page)
{
	__atomic_store_n(&p->tables[0][(ADDRESS >> 12 & 511) + page],
			 virt_to_phys(p->pages[page]) | 7, __ATOMIC_RELEASE);
}

/* As munmap() does, and mmu_notifiers hear of it. */
static void unmap(struct process *p, int page)
{
	unsigned long start = ADDRESS + page * PAGE_SIZE;

	__atomic_store_n(&p->tables[0][(ADDRESS >> 12 & 511) + page], 0, __ATOMIC_RELEASE);
	if (p->mm.notifier)
		p->mm.notifier->ops->invalidate_range(p->mm.notifier, &p->mm, start,
						      start + PAGE_SIZE);
}

/* As mmput() of the last user: first the notifiers, then the memory. */
static void exit_mm(struct process *p)
{
	if (p->mm.notifier)
		p->mm.notifier->ops->release(p->mm.notifier, &p->mm);
}

static void start_process(struct process *p)
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
	map(p, 0);
}

static void end_process(struct process *p)
{
	int i;

	for (i = 0; i < PAGES; i++)
		machine_give(p->pages[i], 1);
	for (i = 0; i < 4; i++)
		machine_give(p->tables[i], 1);
	if (p->mm.pasid)
		ioasid_free(NULL, p->mm.pasid);
}

static struct iommu_sva *bind(int unit, struct process *p)
{
	struct iommu_sva *sva = intel_svm_bind(&units[unit].pci.dev, &p->mm, NULL);

	check(!IS_ERR(sva));
	return sva;
}

/* ---- native bindings ---- */

/*
 * A process on both units: a page goes, the process goes or is unbound, and the next one has its PASID.
 * Returns how many requests were stale.
 */
static u64 live(bool ends)
{
	struct process first, second;
	struct iommu_sva *sva[MACHINE_UNITS];
	u64 before = machine_stale();
	u32 pasid;
	int n;

	start_process(&first);
	start_process(&second);
	map(&first, 1);
	for (n = 0; n < MACHINE_UNITS; n++)
		sva[n] = bind(n, &first);
	pasid = intel_svm_get_pasid(sva[0]);
	for (n = 0; n < MACHINE_UNITS; n++) {
		machine_dma_by(n, pasid, ADDRESS);
		check(machine_dma_by(n, pasid, ADDRESS) == virt_to_phys(first.pages[0]));
		check(machine_dma_by(n, pasid, ADDRESS2) == virt_to_phys(first.pages[1]));
	}
	unmap(&first, 1);
	for (n = 0; n < MACHINE_UNITS; n++)
		machine_dma_by(n, pasid, ADDRESS2);
	if (ends)
		exit_mm(&first);
	for (n = 0; n < MACHINE_UNITS; n++) {
		if (!ends)
			intel_svm_unbind(sva[n]);
		machine_dma_by(n, pasid, ADDRESS);
	}
	for (n = 0; ends && n < MACHINE_UNITS; n++)
		intel_svm_unbind(sva[n]);
	end_process(&first);

	for (n = 0; n < MACHINE_UNITS; n++)
		sva[n] = bind(n, &second);
	check(intel_svm_get_pasid(sva[0]) == pasid);
	for (n = 0; n < MACHINE_UNITS; n++)
		machine_dma_by(n, pasid, ADDRESS);
	before = machine_stale() - before;
	queue_leave_out(-1);
	for (n = 0; n < MACHINE_UNITS; n++) {
		intel_svm_unbind(sva[n]);
		qi_flush_iotlb(&units[n].iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
		qi_flush_dev_iotlb_pasid(&units[n].iommu, MACHINE_SOURCE_ID_OF(n), 0, pasid, 0, 0,
					 52);
	}
	end_process(&second);
	return before;
}

static void test_native(bool has_tlb, bool ends)
{
	int number, sent, noticed = 0, hidden = 0;

	begin(has_tlb, false);
	check(live(ends) == 0);
	machine_faults();
	/* How many there are up to where the PASID is bound again; live() counts on from there. */
	queue_leave_out(-1);
	check(live(ends) == 0);
	/* A page and the tear-down, on each unit. */
	sent = MACHINE_UNITS * (has_tlb ? 2 + 3 : 1 + 2);
	for (number = 0; number < sent; number++) {
		queue_leave_out(number);
		if (live(ends) > 0)
			noticed++;
		else
			hidden++;
		machine_faults();
	}
	printf("processes on two units, %s TLB, %s: %d invalidations, %d left out and noticed\n",
	       has_tlb ? "with" : "without", ends ? "process ends" : "unbound", sent, noticed);
	check(hidden == 0);
	end();
}

/* A process that ends leaves no record of what still comes, and nothing passes. */
static void test_end_is_quiet(void)
{
	struct process p;
	struct iommu_sva *sva;
	u32 pasid;

	begin(true, false);
	start_process(&p);
	sva = bind(0, &p);
	check(bind(0, &p) == sva);
	pasid = intel_svm_get_pasid(sva);
	check(machine_dma_by(0, pasid, ADDRESS) == virt_to_phys(p.pages[0]));
	/* The other unit's device has a table of its own. */
	check(machine_dma_by(1, pasid, ADDRESS) == MACHINE_REFUSED);
	check(machine_faults() == 1);
	exit_mm(&p);
	check(machine_dma_by(0, pasid, ADDRESS) == MACHINE_REFUSED);
	check(machine_faults() == 0);
	intel_svm_unbind(sva);
	intel_svm_unbind(sva);
	check(machine_dma_by(0, pasid, ADDRESS) == MACHINE_REFUSED);
	check(machine_stale() == 0);
	end_process(&p);
	machine_faults();
	end();
	puts("end of a process: nothing passes, nothing is recorded");
}

/* ---- page requests ---- */

enum plan { ANSWER, REFUSE, KEEP };
static struct {
	enum plan plan;
	struct process *process;
	int told; /* atomic, as what is below it */
	struct iommu_fault_event kept;
	struct device *kept_by;
} pri;

static void respond(struct device *dev, struct iommu_fault_event *event, u32 code)
{
	struct iommu_page_response msg = { code };

	check(intel_svm_page_response(dev, event, &msg) == 0);
}

/* As the workers of io-pgfault would: pages of a group as they come, an answer for the last. */
int iommu_report_device_fault(struct device *dev, struct iommu_fault_event *event)
{
	check(event->fault.type == IOMMU_FAULT_PAGE_REQ);
	if (pri.plan == REFUSE) {
		__atomic_fetch_add(&pri.told, 1, __ATOMIC_RELEASE);
		return -ENODEV;
	}
	if (pri.plan == ANSWER)
		map(pri.process, (int)((event->fault.prm.addr - ADDRESS) / PAGE_SIZE));
	if (event->fault.prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE) {
		if (pri.plan == ANSWER) {
			respond(dev, event, 0);
		} else {
			pri.kept = *event;
			pri.kept_by = dev;
		}
	}
	__atomic_fetch_add(&pri.told, 1, __ATOMIC_RELEASE);
	return 0;
}

/* What work is there is done before a device is unbound. */
int iopf_queue_flush_dev(struct device *dev)
{
	if (pri.kept_by == dev) {
		pri.kept_by = NULL;
		respond(dev, &pri.kept, 1);
	}
	return 0;
}

static void wait_until_told(int count)
{
	int patience;

	for (patience = 0; __atomic_load_n(&pri.told, __ATOMIC_ACQUIRE) < count; patience++) {
		check(patience < 20000);
		usleep(500);
	}
}

static u64 dma_in_the_end(int unit, u32 pasid, u64 address)
{
	int patience;
	u64 reached;

	for (patience = 0; (reached = machine_dma_by(unit, pasid, address)) == MACHINE_WAITING;
	     patience++) {
		check(patience < 20000);
		usleep(500);
	}
	return reached;
}

static int answer_in_the_end(int unit, u32 pasid, unsigned int group)
{
	int patience, answer;

	for (patience = 0; (answer = machine_answer(unit, pasid, group)) == -EAGAIN; patience++) {
		check(patience < 20000);
		usleep(500);
	}
	return answer;
}

static void test_page_requests(void)
{
	struct process p;
	struct iommu_sva *sva[MACHINE_UNITS];
	u32 pasid;
	int n;

	begin(true, true);
	start_process(&p);
	pri.process = &p;
	for (n = 0; n < MACHINE_UNITS; n++)
		sva[n] = bind(n, &p);
	pasid = intel_svm_get_pasid(sva[0]);
	/* A page that is not there, asked for through the queue of each unit. */
	for (n = 0; n < MACHINE_UNITS; n++) {
		pri.plan = ANSWER;
		pri.told = 0;
		check(dma_in_the_end(n, pasid, ADDRESS2) == virt_to_phys(p.pages[1]));
		check(pri.told == 1);
		unmap(&p, 1);
		pri.plan = REFUSE;
		check(dma_in_the_end(n, pasid, ADDRESS2) == MACHINE_REFUSED);
		check(pri.told == 2);
	}
	check(machine_stale() == 0);

	/* A group of two, and a request of another process in between. */
	pri.plan = ANSWER;
	pri.told = 0;
	check(machine_ask(0, pasid, ADDRESS2, 3, false) == 0);
	check(machine_ask(0, pasid + 1, ADDRESS, 4, true) == 0);
	wait_until_told(2);
	check(answer_in_the_end(0, pasid + 1, 4) == 0);
	check(machine_answer(0, pasid, 3) == -EAGAIN);
	check(machine_ask(0, pasid, ADDRESS, 3, true) == 0);
	check(answer_in_the_end(0, pasid, 3) == 0);
	check(pri.told == 3);

	/* What the driver refuses by itself: no PASID, an address that is none. */
	pri.told = 0;
	check(machine_ask(0, INVALID_IOASID, ADDRESS, 5, true) == 0);
	check(answer_in_the_end(0, INVALID_IOASID, 5) == 1);
	check(machine_ask(0, pasid, 1ULL << 60, 6, true) == 0);
	check(answer_in_the_end(0, pasid, 6) == 1);
	check(pri.told == 0);

	/* More requests than the queue has room for in one go: it goes round, with head and tail. */
	for (n = 0; n < 500; n++) {
		unsigned int group = 10 + n % 400;

		check(machine_ask(1, pasid, ADDRESS + (n & 1) * PAGE_SIZE, group, true) == 0);
		check(answer_in_the_end(1, pasid, group) == 0);
	}

	/* Bound no more while a request waits: drained, and answered by whom it was left to. */
	unmap(&p, 1);
	pri.plan = KEEP;
	pri.told = 0;
	check(machine_dma_by(0, pasid, ADDRESS2) == MACHINE_WAITING);
	wait_until_told(1);
	intel_svm_unbind(sva[0]);
	check(pri.kept_by == NULL);
	check(machine_dma_by(0, pasid, ADDRESS2) != MACHINE_WAITING);
	intel_svm_unbind(sva[1]);
	check(machine_stale() == 0);
	end_process(&p);
	machine_faults();
	end();
	puts("page requests through the driver's own thread: answered, refused, in groups, drained");
}

int main(void)
{
	setbuf(stdout, NULL);
	test_native(false, false);
	test_native(true, false);
	test_native(false, true);
	test_native(true, true);
	test_end_is_quiet();
	test_page_requests();
	puts("svm.c drives the model");
	return 0;
}
