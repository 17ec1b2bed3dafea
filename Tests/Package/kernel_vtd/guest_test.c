// SPDX-License-Identifier: MIT
// 6.1's svm.c and pasid.c, unedited, are a guest's: its units are in caching mode, a host under them carries it out.

#include <unistd.h>

#include "svm_kernel.h"
#include "vmm.h"

/*
 * The guest's numbers of two processes. The host gives out 200 first, so each process has the number that
 * the other has on the other side.
 */
#define PASID_A 201
#define PASID_B 200

/* What is not as it should be; printed only where nothing was left out. */
static int wrong;
static bool is_loud;
#define expect(truth) expect_at(truth, __LINE__, #truth)
static void expect_at(bool truth, int line, const char *text)
{
	if (truth)
		return;
	wrong++;
	if (is_loud)
		printf("%s:%d: not so: %s\n", __FILE__, line, text);
}

static void begin(bool has_tlb, bool has_requests)
{
	wrong = 0;
	/*
	 * What the guest's own device does is looked at without a TLB: to unbind, 6.1 leaves that of a unit in
	 * caching mode to the host.
	 */
	machine_begin_caching(has_requests, has_requests);
	vmm_begin(has_tlb, has_requests);
	units_begin(has_tlb, has_requests);
	check(cap_caching_mode(units[0].iommu.cap));
	is_loud = true;
}

static void end(void)
{
	queue_leave_out(-1);
	vmm_leave_out(VMM_NOTHING);
	units_end();
	vmm_end();
	machine_faults();
	machine_end();
}

static void start(struct process *p, u32 pasid, int pages)
{
	process_start(p);
	p->mm.pasid = pasid;
	for (int i = 0; i < pages; i++)
		process_map(p, i);
}

static void finish(struct process *p)
{
	/* The number is the guest's, not libioasid's. */
	p->mm.pasid = 0;
	process_end(p);
}

/* Both the host's device, with the host's number, and the guest's own unit come to the page. */
static void expect_reached(struct process *p, u32 host, int page)
{
	for (unsigned int n = 0; n < MACHINE_UNITS; n++) {
		expect(vmm_dma(n, host, ADDRESS_OF(page)) == virt_to_phys(p->pages[page]));
		expect(machine_dma_by(n, p->mm.pasid, ADDRESS_OF(page)) ==
		       virt_to_phys(p->pages[page]));
	}
}

static void expect_refused(struct process *p, u32 host, int page)
{
	for (unsigned int n = 0; n < MACHINE_UNITS; n++) {
		expect(vmm_dma(n, host, ADDRESS_OF(page)) == MACHINE_REFUSED);
		expect(machine_dma_by(n, p->mm.pasid, ADDRESS_OF(page)) == MACHINE_REFUSED);
	}
}

/* What was not named is still in a cache, on both units. */
static void expect_cached(struct process *p, u32 host, int page)
{
	u64 before = vmm_cached();

	for (unsigned int n = 0; n < MACHINE_UNITS; n++)
		expect(vmm_dma(n, host, ADDRESS_OF(page)) == virt_to_phys(p->pages[page]));
	expect(vmm_cached() == before + MACHINE_UNITS);
}

/* From the guest's tables only: nobody is told. */
static void unmap_silently(struct process *p, int page, int count)
{
	struct mmu_notifier *notifier = p->mm.notifier;

	p->mm.notifier = NULL;
	process_unmap(p, page, count);
	p->mm.notifier = notifier;
}

static void bind(struct process *p, struct iommu_sva **sva)
{
	for (int n = 0; n < MACHINE_UNITS; n++)
		sva[n] = process_bind(n, p);
}

static void unbind(struct iommu_sva **sva)
{
	for (int n = 0; n < MACHINE_UNITS; n++)
		intel_svm_unbind(sva[n]);
}

/* ---- each step of the translation ---- */

/* How much is not as it should be if a step is left out. */
static int live(enum vmm_step step, bool has_tlb)
{
	struct process a, b, next;
	struct iommu_sva *of_a[MACHINE_UNITS], *of_b[MACHINE_UNITS], *of_next[MACHINE_UNITS];
	u32 host_a, host_b;
	u64 stale;

	begin(has_tlb, false);
	is_loud = step == VMM_NOTHING;
	vmm_leave_out(step);
	start(&a, PASID_A, PAGES);
	start(&b, PASID_B, PAGES);
	/* That the entry is not there is cached: 6.1 says when it is. */
	for (unsigned int n = 0; n < MACHINE_UNITS; n++)
		expect(machine_dma_by(n, PASID_A, ADDRESS) == MACHINE_REFUSED);
	bind(&a, of_a);
	bind(&b, of_b);
	host_a = vmm_host_pasid(0, PASID_A);
	host_b = vmm_host_pasid(0, PASID_B);
	expect(host_a == PASID_B && host_b == PASID_A);
	expect(vmm_host_pasid(1, PASID_A) == host_a && vmm_host_pasid(1, PASID_B) == host_b);
	for (int page = 0; page < PAGES; page++) {
		expect_reached(&a, host_a, page);
		expect_reached(&b, host_b, page);
	}

	/* By page and by range. 6.1 rounds pages 1 to 3 to an aligned range, 0 to 3. */
	process_unmap(&a, 0, 1);
	expect_refused(&a, host_a, 0);
	expect_cached(&a, host_a, 1);
	process_unmap(&a, 1, 3);
	for (int page = 1; page < 4; page++)
		expect_refused(&a, host_a, page);
	expect_cached(&a, host_a, 4);
	expect_cached(&b, host_b, 0);
	expect(vmm_stale() == 0);

	/* By PASID; of the domain id, and of another. */
	unmap_silently(&a, 4, 2);
	for (int n = 0; n < MACHINE_UNITS; n++)
		qi_flush_piotlb(&units[n].iommu, FLPT_DEFAULT_DID, PASID_A, 0, -1, 0);
	expect_refused(&a, host_a, 4);
	expect_refused(&a, host_a, 5);
	expect_cached(&b, host_b, 1);
	unmap_silently(&b, 0, 2);
	for (int n = 0; n < MACHINE_UNITS; n++)
		qi_flush_iotlb(&units[n].iommu, DID, 0, 0, DMA_TLB_DSI_FLUSH);
	stale = vmm_stale();
	expect_cached(&b, host_b, 0);
	expect(vmm_stale() == stale + MACHINE_UNITS);
	for (int n = 0; n < MACHINE_UNITS; n++)
		qi_flush_iotlb(&units[n].iommu, FLPT_DEFAULT_DID, 0, 0, DMA_TLB_DSI_FLUSH);
	expect_refused(&b, host_b, 0);
	expect_refused(&b, host_b, 1);
	unmap_silently(&b, 2, 1);
	for (int n = 0; n < MACHINE_UNITS; n++)
		qi_flush_iotlb(&units[n].iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
	expect_refused(&b, host_b, 2);
	expect_reached(&b, host_b, 3);

	/* The process ends; the next one has its number. */
	process_exit(&a);
	expect_refused(&a, host_a, 6);
	expect(vmm_host_pasid(0, PASID_A) == 0);
	unbind(of_a);
	start(&next, PASID_A, PAGES);
	bind(&next, of_next);
	expect(vmm_host_pasid(0, PASID_A) == host_a);
	for (int page = 0; page < PAGES; page++)
		expect_reached(&next, host_a, page);
	/* With an entry that goes, the host forgets all translations of the domain. */
	expect_reached(&b, host_b, 3);
	unbind(of_next);
	unbind(of_b);
	expect_refused(&next, host_a, 0);
	expect_refused(&b, host_b, 3);
	expect(vmm_refused() == 0);

	vmm_leave_out(VMM_NOTHING);
	finish(&a);
	finish(&b);
	finish(&next);
	end();
	return wrong;
}

static void test_each_step(bool has_tlb)
{
	int noticed = 0;

	check(live(VMM_NOTHING, has_tlb) == 0);
	for (int step = VMM_NOTHING + 1; step < VMM_ANSWER; step++) {
		if (live(step, has_tlb) > 0)
			noticed++;
		else
			printf("left out and not noticed: %s\n", vmm_step_names[step]);
	}
	printf("a guest on two units, %s TLB: %d steps of the translation left out, %d noticed\n",
	       has_tlb ? "with" : "without", VMM_ANSWER - 1, noticed);
	check(noticed == VMM_ANSWER - 1);
}

/* ---- each invalidation of the guest's driver ---- */

static int short_life(int number, int *sent)
{
	struct process a;
	struct iommu_sva *sva[MACHINE_UNITS];
	u32 host;

	start(&a, PASID_A, 2);
	wrong = 0;
	queue_leave_out(number);
	bind(&a, sva);
	host = vmm_host_pasid(0, PASID_A);
	expect(host != 0 && vmm_host_pasid(1, PASID_A) == host);
	for (int page = 0; page < 2; page++)
		expect_reached(&a, host, page);
	process_unmap(&a, 1, 1);
	expect_refused(&a, host, 1);
	process_exit(&a);
	expect_refused(&a, host, 0);
	*sent = queue_sent();
	queue_leave_out(-1);
	unbind(sva);
	/* Whatever is left. */
	for (int n = 0; n < MACHINE_UNITS; n++) {
		struct qi_desc all = { QI_PC_GRAN(QI_PC_GLOBAL) | QI_PC_TYPE, 0, 0, 0 };

		qi_submit_sync(&units[n].iommu, &all, 1, 0);
		qi_flush_iotlb(&units[n].iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
		qi_flush_dev_iotlb_pasid(&units[n].iommu, MACHINE_SOURCE_ID_OF(n), 0, PASID_A, 0, 0,
					 52);
	}
	finish(&a);
	return wrong;
}

/*
 * A bind and an end are heard by the invalidation of the PASID cache, and do for the host what the one of
 * the IOTLB behind it would: that is not missed. A page is. The host tells a device together with its
 * unit, so the guest's word to the device is not missed either.
 */
static void test_each_invalidation(bool has_tlb)
{
	int sent, number, noticed = 0;

	begin(has_tlb, false);
	check(short_life(-1, &sent) == 0);
	is_loud = false;
	for (number = 0; number < sent; number++) {
		int unused;
		bool is_needed = number % 2 == 0 || (!has_tlb && number == 5);
		bool is_noticed = short_life(number, &unused) > 0;

		if (is_noticed != is_needed)
			printf("invalidation %d of %d is %snoticed\n", number, sent,
			       is_noticed ? "" : "not ");
		check(is_noticed == is_needed);
		noticed += is_noticed;
	}
	end();
	printf("a guest on two units, %s TLB: %d invalidations, %d left out and noticed, %d that the host does not need\n",
	       has_tlb ? "with" : "without", sent, noticed, sent - noticed);
}

/* ---- whose is it ---- */

static void test_stranger(void)
{
	struct process a;
	struct iommu_sva *sva[MACHINE_UNITS];
	u32 host;

	begin(true, false);
	start(&a, PASID_A, PAGES);
	bind(&a, sva);
	host = vmm_host_pasid(0, PASID_A);
	expect_reached(&a, host, 0);
	expect(vmm_attack(PASID_A, false) == 0);
	expect_cached(&a, host, 0);
	check(wrong == 0);
	/* The rule is what keeps it out: without it the cache is empty. */
	is_loud = false;
	check(vmm_attack(PASID_A, true) == 1);
	expect_cached(&a, host, 0);
	check(wrong > 0);
	unbind(sva);
	finish(&a);
	end();
	puts("another guest: 15 attempts refused, and what was cached is cached");
}

/* ---- page requests, through both queues ---- */

static struct {
	struct process *process;
	bool refuses, keeps;
	struct iommu_fault_event kept;
	int told; /* atomic */
} pri;

static void respond(struct device *dev, struct iommu_fault_event *event, u32 code)
{
	struct iommu_page_response msg = { code };

	check(intel_svm_page_response(dev, event, &msg) == 0);
}

int iommu_report_device_fault(struct device *dev, struct iommu_fault_event *event)
{
	check(event->fault.prm.pasid == PASID_A);
	if (!pri.refuses && !pri.keeps)
		process_map(pri.process, (int)((event->fault.prm.addr - ADDRESS) / PAGE_SIZE));
	if (pri.keeps)
		pri.kept = *event;
	else if (event->fault.prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		respond(dev, event, pri.refuses);
	__atomic_fetch_add(&pri.told, 1, __ATOMIC_RELEASE);
	return 0;
}

int iopf_queue_flush_dev(struct device *dev)
{
	if (pri.keeps) {
		pri.keeps = false;
		respond(dev, &pri.kept, 1);
	}
	return 0;
}

static u64 dma_in_the_end(unsigned int unit, u32 host, u64 address, int patience)
{
	u64 reached;

	while ((reached = vmm_dma(unit, host, address)) == MACHINE_WAITING && patience-- > 0)
		usleep(500);
	return reached;
}

static void wait_until_told(int count)
{
	for (int patience = 0; __atomic_load_n(&pri.told, __ATOMIC_ACQUIRE) < count; patience++) {
		check(patience < 20000);
		usleep(500);
	}
}

static void test_page_requests(void)
{
	struct process a;
	struct iommu_sva *sva[MACHINE_UNITS];
	u32 host;

	begin(true, true);
	start(&a, PASID_A, 1);
	memset(&pri, 0, sizeof(pri));
	pri.process = &a;
	bind(&a, sva);
	host = vmm_host_pasid(0, PASID_A);
	for (unsigned int n = 0; n < MACHINE_UNITS; n++) {
		check(dma_in_the_end(n, host, ADDRESS_OF(1), 20000) == virt_to_phys(a.pages[1]));
		check(pri.told == (int)n * 2 + 1);
		process_unmap(&a, 1, 1);
		pri.refuses = true;
		check(dma_in_the_end(n, host, ADDRESS_OF(1), 20000) == MACHINE_REFUSED);
		pri.refuses = false;
		check(pri.told == (int)n * 2 + 2);
	}
	/* A refusal that does not reach the host, under the guest's number. */
	vmm_leave_out(VMM_ANSWER);
	pri.refuses = true;
	check(dma_in_the_end(0, host, ADDRESS_OF(2), 200) == MACHINE_WAITING);
	vmm_leave_out(VMM_NOTHING);
	pri.refuses = false;
	/* Bound no more while requests wait: drained on both sides. */
	pri.told = 0;
	pri.keeps = true;
	check(vmm_dma(0, host, ADDRESS_OF(4)) == MACHINE_WAITING);
	wait_until_told(1);
	unbind(sva);
	check(!pri.keeps);
	check(dma_in_the_end(0, host, ADDRESS_OF(2), 20000) == MACHINE_REFUSED);
	check(dma_in_the_end(0, host, ADDRESS_OF(4), 20000) == MACHINE_REFUSED);
	check(vmm_stale() == 0 && machine_stale() == 0);
	finish(&a);
	end();
	puts("page requests of a guest: from the host's queue through the guest's, answered, refused, drained;\n"
	     "an answer that is not translated is noticed");
}

int main(void)
{
	setbuf(stdout, NULL);
	vmm_be_quiet();
	test_each_step(false);
	test_each_step(true);
	test_each_invalidation(false);
	test_each_invalidation(true);
	test_stranger();
	test_page_requests();
	puts("svm.c drives a guest");
	return 0;
}
