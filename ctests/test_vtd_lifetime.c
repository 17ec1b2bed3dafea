// SPDX-License-Identifier: MIT
// Nothing outlives its promise: no call after it was taken back, destruction from within a call.

#include <sched.h>
#include <stdatomic.h>
#include <linux/sched/mm.h>
#include "vtd_fixture.h"

#define MISSING (GUEST_ADDRESS + VTD_PAGE_SIZE)

static int setup_pri(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
}

static int answer(struct device *dev, const struct iommu_fault *fault, u32 code)
{
	struct iommu_page_response message = {
		.argsz = sizeof(message), .version = IOMMU_PAGE_RESP_VERSION_1,
		.flags = IOMMU_PAGE_RESP_PASID_VALID, .pasid = fault->prm.pasid,
		.grpid = fault->prm.grpid, .code = code,
	};

	return iommu_page_response(dev, &message);
}

/* Error pointers, handles of other kinds, and what was destroyed. */
static void test_guest_memory_is_looked_up(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	struct vtd_guest *gone = vtd_guest_create(domain, 4), *bad[4];
	char byte = 0;
	unsigned int i;

	vtd_guest_destroy(gone);
	bad[0] = NULL;
	bad[1] = vtd_guest_create(h->domain, 0);
	bad[2] = (struct vtd_guest *)h->dev;
	bad[3] = gone;
	assert_int_equal(PTR_ERR(bad[1]), -EINVAL);
	for (i = 0; i < 4; i++) {
		assert_true(vtd_guest_page(bad[i]) == VTD_NO_ADDRESS);
		assert_int_equal(vtd_guest_map(bad[i], VTD_PAGE_SIZE, 0, 0, VTD_DMA_READ), -EINVAL);
		assert_int_equal(vtd_guest_unmap(bad[i], VTD_PAGE_SIZE, 0), -EINVAL);
		assert_int_equal(vtd_guest_read(bad[i], 0, &byte, 1), -EINVAL);
		assert_int_equal(vtd_guest_write(bad[i], 0, &byte, 1), -EINVAL);
		vtd_guest_destroy(bad[i]);
	}
	/* Twice did not take a second user from the domain: it can go, and only now. */
	iommu_domain_free(domain);
	assert_int_equal(iommu_attach_device(domain, h->dev), -EINVAL);
}

/* ---- a handler that takes everything down while it runs ---- */

struct demolition {
	struct vtd_machine *machine;
	struct intel_iommu *iommu;
	struct device *dev;
	struct iommu_domain *domain;
	struct vtd_guest *guest;
	ioasid_t pasid;
	int calls;
};

static int demolish(struct iommu_fault *fault, void *data)
{
	struct demolition *d = data;

	d->calls++;
	assert_int_equal(answer(d->dev, fault, IOMMU_PAGE_RESP_INVALID), 0);
	assert_int_equal(intel_svm_unbind_gpasid(d->dev, d->pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(d->dev), 0);
	vtd_guest_destroy(d->guest);
	iommu_detach_device(d->domain, d->dev);
	iommu_domain_free(d->domain);
	assert_int_equal(intel_iommu_disable(d->iommu), 0);
	assert_int_equal(vtd_device_destroy(d->dev), 0);
	assert_int_equal(vtd_unit_destroy(d->iommu), 0);
	assert_int_equal(vtd_machine_destroy(d->machine), 0);
	return -1;
}

static void test_handler_destroys_everything(void **state)
{
	struct demolition d = { .machine = vtd_machine_create(MEMORY) };
	struct iommu_gpasid_bind_data data;
	struct host h;
	struct ioasid_set *set = ioasid_set_alloc(NULL, 8, IOASID_SET_TYPE_NULL);

	(void)state;
	d.iommu = vtd_unit_create(d.machine, NULL);
	d.dev = vtd_device_create(d.iommu, 0x1000, VTD_DEV_ATS | VTD_DEV_PRI);
	assert_int_equal(intel_iommu_enable(d.iommu), 0);
	d.domain = vtd_domain_alloc(d.machine, IOMMU_DOMAIN_UNMANAGED);
	assert_int_equal(iommu_attach_device(d.domain, d.dev), 0);
	d.guest = vtd_guest_create(d.domain, 8);
	d.pasid = ioasid_alloc(set, 100, 200, NULL);
	h.gpgd = vtd_guest_page(d.guest);
	h.pasid = d.pasid;
	data = binding_of(&h);
	assert_int_equal(intel_svm_bind_gpasid(d.domain, d.dev, &data), 0);
	assert_int_equal(iommu_register_device_fault_handler(d.dev, demolish, &d), 0);
	assert_int_equal(read_dma(d.dev, d.pasid, MISSING), -EINVAL);
	assert_int_equal(d.calls, 1);
	assert_int_equal(vtd_blocks_used(), 0);
	ioasid_free(set, d.pasid);
	assert_int_equal(ioasid_set_free(set), 0);
}

/* ---- calls that are running elsewhere ---- */

struct caller {
	struct device *dev;
	atomic_uint pasid;
	atomic_bool over, alive;
	atomic_int calls, late;
};

static struct caller caller;

static void *keep_missing(void *data)
{
	(void)data;
	while (!atomic_load(&caller.over))
		read_dma(caller.dev, atomic_load(&caller.pasid), MISSING);
	return NULL;
}

static void note_call(void)
{
	atomic_fetch_add(&caller.calls, 1);
	if (!atomic_load(&caller.alive))
		atomic_fetch_add(&caller.late, 1);
}

static int slow_handler(struct iommu_fault *fault, void *data)
{
	int turn;

	(void)data;
	note_call();
	assert_int_equal(answer(caller.dev, fault, IOMMU_PAGE_RESP_INVALID), 0);
	/* Answered: from here on only the call itself keeps an unregistration waiting. */
	for (turn = 0; turn < 50; turn++)
		sched_yield();
	note_call();
	return 0;
}

static int quick_handler(struct iommu_fault *fault, void *data)
{
	(void)data;
	answer(caller.dev, fault, IOMMU_PAGE_RESP_INVALID);
	return 0;
}

static void note_answer(struct device *dev, u32 pasid, u64 address, void *private_data, int rwxp,
			int response)
{
	(void)dev, (void)pasid, (void)address, (void)private_data, (void)rwxp, (void)response;
	note_call();
	sched_yield();
	note_call();
}

static pthread_t start_missing(struct host *h, ioasid_t pasid)
{
	pthread_t thread;

	memset(&caller, 0, sizeof(caller));
	caller.dev = h->dev;
	caller.pasid = pasid;
	assert_int_equal(pthread_create(&thread, NULL, keep_missing, NULL), 0);
	return thread;
}

static void test_no_handler_runs_once_it_is_unregistered(void **state)
{
	struct host *h = *state;
	pthread_t thread;
	int round, error, rounds = getenv("IOASID_TEST_SLOW") ? 20 : 300;

	assert_int_equal(bind(h, h->dev), 0);
	thread = start_missing(h, h->pasid);
	for (round = 0; round < rounds; round++) {
		int before = atomic_load(&caller.calls);

		atomic_store(&caller.alive, true);
		assert_int_equal(iommu_register_device_fault_handler(h->dev, slow_handler, NULL), 0);
		while (atomic_load(&caller.calls) == before)
			sched_yield();
		while ((error = iommu_unregister_device_fault_handler(h->dev)) == -EBUSY)
			sched_yield();
		assert_int_equal(error, 0);
		atomic_store(&caller.alive, false);
	}
	atomic_store(&caller.over, true);
	pthread_join(thread, NULL);
	assert_int_equal(caller.late, 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

static void test_no_callback_runs_once_a_process_is_unbound(void **state)
{
	struct host *h = *state;
	struct svm_dev_ops ops = { note_answer };
	pthread_t thread;
	int round, pasid, rounds = getenv("IOASID_TEST_SLOW") ? 20 : 300;

	assert_int_equal(iommu_register_device_fault_handler(h->dev, quick_handler, NULL), 0);
	thread = start_missing(h, 0);
	for (round = 0; round < rounds; round++) {
		int before = atomic_load(&caller.calls);

		atomic_store(&caller.alive, true);
		assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, &ops), 0);
		atomic_store(&caller.pasid, (unsigned int)pasid);
		while (atomic_load(&caller.calls) == before)
			sched_yield();
		assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
		atomic_store(&caller.alive, false);
	}
	atomic_store(&caller.over, true);
	pthread_join(thread, NULL);
	assert_int_equal(caller.late, 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

/* A callback may unbind what it is told of; it does not wait for itself. */
static void unbind_in_callback(struct device *dev, u32 pasid, u64 address, void *private_data,
			       int rwxp, int response)
{
	(void)address, (void)private_data, (void)rwxp, (void)response;
	assert_int_equal(intel_svm_unbind_mm(dev, (int)pasid), 0);
}

static void test_callback_unbinds_itself(void **state)
{
	struct host *h = *state;
	struct svm_dev_ops ops = { unbind_in_callback };
	unsigned long blocks = vtd_blocks_used();
	int pasid;

	caller.dev = h->dev;
	assert_int_equal(iommu_register_device_fault_handler(h->dev, quick_handler, NULL), 0);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, &ops), 0);
	assert_int_not_equal(read_dma(h->dev, (ioasid_t)pasid, MISSING), 0);
	assert_false(is_known((ioasid_t)pasid));
	assert_int_equal(vtd_blocks_used(), blocks);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

/* ---- processes that end ---- */

/* A process with one page, which is bound: as it runs, and as it must be after its end. */
struct process {
	struct mm_struct *mm, *before;
	u64 page;
};

static struct process new_process(struct host *h)
{
	struct process p = { mm_alloc(), current->mm, page_of(h->machine) };

	assert_non_null(p.mm);
	mmgrab(p.mm);
	current->mm = p.mm;
	return p;
}

static void map_page(struct host *h, struct process *p, int pasid)
{
	assert_int_equal(vtd_mm_map(p->mm, GUEST_ADDRESS, p->page, VTD_DMA_READ | VTD_DMA_WRITE), 0);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, GUEST_ADDRESS), 0);
}

static void end_process(struct process *p)
{
	current->mm = p->before;
	mmput(p->mm);
	assert_int_equal(atomic_read(&p->mm->mm_users), 0);
}

static void forget_process(struct host *h, struct process *p)
{
	assert_int_equal(atomic_read(&p->mm->mm_users), 0);
	mmdrop(p->mm);
	vtd_page_free(h->machine, p->page, 1);
}

/* Bound twice, once with a PASID of its own; it ends without a word, with a PASID or without. */
static void test_process_ends_while_it_is_bound(void **state)
{
	struct host *h = *state;
	struct vtd_fault fault;
	int has_pasid, pasid, own;

	for (has_pasid = 0; has_pasid < 2; has_pasid++) {
		struct process p = new_process(h);
		ioasid_t its = INVALID_IOASID;

		if (has_pasid) {
			its = ioasid_alloc(NULL, 5000, 6000, NULL);
			mm_pasid_set(p.mm, its);
		}
		assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
		assert_int_equal(intel_svm_bind_mm(h->far, &own, SVM_FLAG_PRIVATE_PASID, NULL), 0);
		map_page(h, &p, pasid);
		assert_int_equal(read_dma(h->far, (ioasid_t)own, GUEST_ADDRESS), 0);
		end_process(&p);

		assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, GUEST_ADDRESS),
				 VTD_FAULT_PASID_NOT_PRESENT);
		assert_int_equal(read_dma(h->far, (ioasid_t)own, GUEST_ADDRESS),
				 VTD_FAULT_PASID_NOT_PRESENT);
		/* As after a crash: what still comes does not fill the log. */
		assert_false(vtd_fault_read(h->iommu, &fault));
		assert_int_equal(intel_svm_is_pasid_valid(h->dev, pasid), 0);
		assert_int_equal(intel_svm_is_pasid_valid(h->far, own), 0);
		assert_true(its == INVALID_IOASID || !is_known(its));
		/* Nobody gets the numbers before they are unbound. */
		assert_true(is_known((ioasid_t)pasid) && is_known((ioasid_t)own));
		assert_int_equal(intel_svm_unbind_mm(h->far, own), 0);
		assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
		assert_false(is_known((ioasid_t)pasid) || is_known((ioasid_t)own));
		forget_process(h, &p);
	}
	assert_int_equal(stats_of(h->iommu).stale_hits + stats_of(h->other).stale_hits, 0);
}

/* The PASID by which its end is heard goes from one binding to the next, and back. */
static void test_end_is_heard_through_any_binding(void **state)
{
	struct host *h = *state;
	struct process p = new_process(h);
	int first, second;

	assert_int_equal(intel_svm_bind_mm(h->dev, &first, SVM_FLAG_PRIVATE_PASID, NULL), 0);
	assert_int_equal(p.mm->pasid, first);
	assert_int_equal(intel_svm_bind_mm(h->dev, &second, SVM_FLAG_PRIVATE_PASID, NULL), 0);
	map_page(h, &p, second);
	assert_int_equal(intel_svm_unbind_mm(h->dev, first), 0);
	assert_int_equal(p.mm->pasid, second);
	assert_int_equal(intel_svm_unbind_mm(h->dev, second), 0);
	assert_int_equal(p.mm->pasid, INVALID_IOASID);
	assert_int_equal(intel_svm_bind_mm(h->dev, &second, 0, NULL), 0);
	map_page(h, &p, second);
	assert_int_equal(atomic_read(&p.mm->mm_users), 1);
	end_process(&p);
	assert_int_equal(read_dma(h->dev, (ioasid_t)second, GUEST_ADDRESS),
			 VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(intel_svm_unbind_mm(h->dev, second), 0);
	forget_process(h, &p);
}

static void test_process_that_has_ended_is_not_bound(void **state)
{
	struct host *h = *state;
	struct process p = new_process(h);
	int pasid;

	end_process(&p);
	current->mm = p.mm;
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), -EINVAL);
	current->mm = p.before;
	forget_process(h, &p);
}

/* Ends, binds and unbinds at the same time. */
static void *end_slowly(void *data)
{
	sched_yield();
	mmput(data);
	return NULL;
}

static void test_process_ends_while_it_is_unbound(void **state)
{
	struct host *h = *state;
	int round, pasid, rounds = getenv("IOASID_TEST_SLOW") ? 20 : 300;
	pthread_t thread;

	for (round = 0; round < rounds; round++) {
		struct process p = new_process(h);

		assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
		current->mm = p.before;
		assert_int_equal(pthread_create(&thread, NULL, end_slowly, p.mm), 0);
		assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
		pthread_join(thread, NULL);
		assert_false(is_known((ioasid_t)pasid));
		forget_process(h, &p);
	}
}

/* ---- faults after a crash ---- */

static void crash(struct host *h)
{
	ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_false(vtd_fault_read(h->iommu, &(struct vtd_fault){ 0 }));
}

static void expect_recorded(struct host *h)
{
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	expect_fault(h->iommu, VTD_FAULT_PASID_NOT_PRESENT, h->pasid, GUEST_ADDRESS);
}

/* Quiet after FREE, but not for ever: a late unbind, or the next owner, ends it. */
static void test_faults_are_recorded_again(void **state)
{
	struct host *h = *state;
	u64 entry[VTD_PASID_ENTRY_WORDS];

	assert_int_equal(bind(h, h->dev), 0);
	crash(h);
	assert_int_equal(intel_svm_unbind_gpasid(h->second, h->pasid), -EINVAL);
	assert_int_equal(vtd_pasid_entry(h->dev, h->pasid, entry), 0);
	assert_true(entry[0] == VTD_PE_FPD);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), -EINVAL);
	assert_int_equal(vtd_pasid_entry(h->dev, h->pasid, entry), 0);
	assert_true(entry[0] == 0);
	expect_recorded(h);

	/* Bound again, on another device: the first one's requests are stray ones. */
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
	assert_int_equal(bind(h, h->dev), 0);
	crash(h);
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
	assert_int_equal(bind(h, h->far), 0);
	expect_recorded(h);
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
}

/* The same when the host takes the number for a process. */
static void test_faults_are_recorded_again_for_the_host(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	int pasid;

	/* The host takes the lowest number. */
	ioasid_free(h->set, h->pasid);
	h->pasid = ioasid_alloc(h->set, 1, 1, NULL);
	data.hpasid = h->pasid;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	crash(h);
	assert_int_equal(intel_svm_bind_mm(h->far, &pasid, 0, NULL), 0);
	assert_int_equal(pasid, h->pasid);
	expect_recorded(h);
	assert_int_equal(intel_svm_unbind_mm(h->far, pasid), 0);
}

/* ---- credits and answers ---- */

static struct iommu_fault asked[600];
static unsigned int questions;

static int ask_later(struct iommu_fault *fault, void *data)
{
	(void)data;
	asked[questions++ % 600] = *fault;
	return 0;
}

/* An answer gives its credit back, whether the device comes back to the page or not. */
static void test_answers_give_credits_back(void **state)
{
	struct host *h = *state;
	unsigned int page;

	questions = 0;
	assert_int_equal(iommu_register_device_fault_handler(h->dev, ask_later, NULL), 0);
	assert_int_equal(bind(h, h->dev), 0);
	for (page = 0; page < 100; page++) {
		assert_int_equal(read_dma(h->dev, h->pasid, MISSING + page * VTD_PAGE_SIZE),
				 -EAGAIN);
		assert_int_equal(questions, page + 1);
		assert_int_equal(answer(h->dev, &asked[page], IOMMU_PAGE_RESP_SUCCESS), 0);
	}
	/* Unanswered ones do not: the 33rd must wait. */
	for (page = 200; page < 240; page++)
		read_dma(h->dev, h->pasid, MISSING + page * VTD_PAGE_SIZE);
	assert_int_equal(questions, 132);
	/* Those go with the binding. */
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(read_dma(h->dev, h->pasid, MISSING), -EAGAIN);
	assert_int_equal(questions, 133);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

/* Requests that wait are answered when their process ends, and nobody is asked any more. */
static void test_requests_end_with_the_process(void **state)
{
	struct host *h = *state;
	struct process p = new_process(h);
	int pasid;

	questions = 0;
	assert_int_equal(iommu_register_device_fault_handler(h->dev, ask_later, NULL), 0);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, MISSING), -EAGAIN);
	assert_int_equal(questions, 1);
	end_process(&p);
	assert_int_equal(answer(h->dev, &asked[0], IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, MISSING), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(questions, 1);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
	forget_process(h, &p);
}

/* What the former user of a PASID was answered says nothing to the next. */
static void test_answers_are_not_for_the_next_owner(void **state)
{
	struct host *h = *state;
	int round;

	questions = 0;
	assert_int_equal(iommu_register_device_fault_handler(h->dev, ask_later, NULL), 0);
	for (round = 0; round < 3; round++) {
		assert_int_equal(bind(h, h->dev), 0);
		assert_int_equal(read_dma(h->dev, h->pasid, MISSING), -EAGAIN);
		assert_int_equal(questions, round + 1);
		/* Refused by an answer, by the draining of an unbind, and by that of FREE. */
		if (round == 0)
			assert_int_equal(answer(h->dev, &asked[0], IOMMU_PAGE_RESP_INVALID), 0);
		if (round == 2) {
			ioasid_free(h->set, h->pasid);
			flush_queue();
			assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
		} else {
			assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
		}
		assert_int_equal(answer(h->dev, &asked[round], IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	}
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(read_dma(h->dev, h->pasid, MISSING), -EAGAIN);
	assert_int_equal(questions, 4);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
#define TEST_PRI(name) cmocka_unit_test_setup_teardown(name, setup_pri, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guest_memory_is_looked_up),
		cmocka_unit_test(test_handler_destroys_everything),
		TEST_PRI(test_no_handler_runs_once_it_is_unregistered),
		TEST_PRI(test_no_callback_runs_once_a_process_is_unbound),
		TEST_PRI(test_callback_unbinds_itself),
		TEST_PRI(test_answers_give_credits_back),
		TEST_PRI(test_answers_are_not_for_the_next_owner),
		TEST(test_process_ends_while_it_is_bound),
		TEST(test_end_is_heard_through_any_binding),
		TEST(test_process_that_has_ended_is_not_bound),
		TEST(test_process_ends_while_it_is_unbound),
		TEST_PRI(test_requests_end_with_the_process),
		TEST(test_faults_are_recorded_again),
		TEST(test_faults_are_recorded_again_for_the_host),
	};

	return cmocka_run_group_tests_name("vtd lifetime", tests, NULL, NULL);
}
