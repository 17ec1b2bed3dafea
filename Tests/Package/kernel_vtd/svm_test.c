// SPDX-License-Identifier: MIT
// 6.1's svm.c and pasid.c, unedited, drive the model: processes on two units, their end, page requests.

#include <unistd.h>

#include "svm_kernel.h"

#define ADDRESS2 ADDRESS_OF(1)

static void begin(bool has_tlb, bool has_requests)
{
	machine_begin_with(has_tlb, has_requests);
	units_begin(has_tlb, has_requests);
}

static void end(void)
{
	units_end();
	machine_end();
}

/* With one page. */
static void start(struct process *p)
{
	process_start(p);
	process_map(p, 0);
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

	start(&first);
	start(&second);
	process_map(&first, 1);
	for (n = 0; n < MACHINE_UNITS; n++)
		sva[n] = process_bind(n, &first);
	pasid = intel_svm_get_pasid(sva[0]);
	for (n = 0; n < MACHINE_UNITS; n++) {
		machine_dma_by(n, pasid, ADDRESS);
		check(machine_dma_by(n, pasid, ADDRESS) == virt_to_phys(first.pages[0]));
		check(machine_dma_by(n, pasid, ADDRESS2) == virt_to_phys(first.pages[1]));
	}
	process_unmap(&first, 1, 1);
	for (n = 0; n < MACHINE_UNITS; n++)
		machine_dma_by(n, pasid, ADDRESS2);
	if (ends)
		process_exit(&first);
	for (n = 0; n < MACHINE_UNITS; n++) {
		if (!ends)
			intel_svm_unbind(sva[n]);
		machine_dma_by(n, pasid, ADDRESS);
	}
	for (n = 0; ends && n < MACHINE_UNITS; n++)
		intel_svm_unbind(sva[n]);
	process_end(&first);

	for (n = 0; n < MACHINE_UNITS; n++)
		sva[n] = process_bind(n, &second);
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
	process_end(&second);
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
	start(&p);
	sva = process_bind(0, &p);
	check(process_bind(0, &p) == sva);
	pasid = intel_svm_get_pasid(sva);
	check(machine_dma_by(0, pasid, ADDRESS) == virt_to_phys(p.pages[0]));
	/* The other unit's device has a table of its own. */
	check(machine_dma_by(1, pasid, ADDRESS) == MACHINE_REFUSED);
	check(machine_faults() == 1);
	process_exit(&p);
	check(machine_dma_by(0, pasid, ADDRESS) == MACHINE_REFUSED);
	check(machine_faults() == 0);
	intel_svm_unbind(sva);
	intel_svm_unbind(sva);
	check(machine_dma_by(0, pasid, ADDRESS) == MACHINE_REFUSED);
	check(machine_stale() == 0);
	process_end(&p);
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
		process_map(pri.process, (int)((event->fault.prm.addr - ADDRESS) / PAGE_SIZE));
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
	start(&p);
	pri.process = &p;
	for (n = 0; n < MACHINE_UNITS; n++)
		sva[n] = process_bind(n, &p);
	pasid = intel_svm_get_pasid(sva[0]);
	/* A page that is not there, asked for through the queue of each unit. */
	for (n = 0; n < MACHINE_UNITS; n++) {
		pri.plan = ANSWER;
		pri.told = 0;
		check(dma_in_the_end(n, pasid, ADDRESS2) == virt_to_phys(p.pages[1]));
		check(pri.told == 1);
		process_unmap(&p, 1, 1);
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
	process_unmap(&p, 1, 1);
	pri.plan = KEEP;
	pri.told = 0;
	check(machine_dma_by(0, pasid, ADDRESS2) == MACHINE_WAITING);
	wait_until_told(1);
	intel_svm_unbind(sva[0]);
	check(pri.kept_by == NULL);
	check(machine_dma_by(0, pasid, ADDRESS2) != MACHINE_WAITING);
	intel_svm_unbind(sva[1]);
	check(machine_stale() == 0);
	process_end(&p);
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
