// SPDX-License-Identifier: MIT
// PASIDs freed before they are unbound: heard, deferred, torn down, drained, and only then reused.

#include <stdatomic.h>
#include "vtd_fixture.h"

/* D71: the driver listens without being asked to, once. */
static void test_free_before_unbind_is_heard(void **state)
{
	struct host *h = *state;
	struct gate gate;

	assert_int_equal(intel_svm_add_pasid_notifier(), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	close_gate(&gate);
	ioasid_free(h->set, h->pasid);
	/* Still the driver's: its DMA passes, and nobody gets the number. */
	assert_true(is_known(h->pasid));
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), INVALID_IOASID);
	open_gate(&gate);
	flush_queue();
	assert_false(is_known(h->pasid));
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
}

/* Misbehaving DMA after a crash must not flood the log; after an ordinary unbind it is recorded. */
static void test_no_faults_are_recorded_after_free(void **state)
{
	struct host *h = *state;
	struct vtd_fault fault;

	assert_int_equal(bind(h, h->dev), 0);
	ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_false(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	expect_fault(h->iommu, VTD_FAULT_PASID_NOT_PRESENT, h->pasid, GUEST_ADDRESS);
}

/* D72 and D73: all devices, one put, and the record outlives the loop over them. */
static void test_every_device_is_torn_down_and_one_reference_put(void **state)
{
	struct host *h = *state;
	int owner;

	assert_int_equal(ioasid_attach_data(h->pasid, &owner), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->second), 0);
	assert_int_equal(bind(h, h->far), 0);
	/* Somebody else's reference: put once a device, it would be gone. */
	assert_int_equal(ioasid_get(h->set, h->pasid), 0);
	ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(dma(h, h->second), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(dma(h, h->far), VTD_FAULT_PASID_NOT_PRESENT);
	assert_true(is_known(h->pasid));
	/* The owner's data stays the owner's. */
	assert_ptr_equal(ioasid_find(h->set, h->pasid, NULL), &owner);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), -EINVAL);
	assert_true(ioasid_put(h->set, h->pasid));
}

/* D74: unbind while the work item waits; it runs on a record that is still there. */
static void test_unbind_overtakes_the_work(void **state)
{
	struct host *h = *state;
	struct gate gate;

	assert_int_equal(bind(h, h->dev), 0);
	close_gate(&gate);
	ioasid_free(h->set, h->pasid);
	assert_int_equal(bind(h, h->second), -EBUSY);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_false(is_known(h->pasid));
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
	assert_int_equal(bind(h, h->dev), 0);
	open_gate(&gate);
	flush_queue();
	/* The old work item has nothing to do with the new binding, nor with its reference. */
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(ioasid_find_spid(h->pasid), GUEST_PASID);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_true(ioasid_is_active(h->pasid));
}

static void free_in_handler(unsigned long code, struct ioasid_nb_args *args, void *data)
{
	struct host *h = data;

	if (code == IOASID_NOTIFY_BIND)
		ioasid_free(h->set, args->id);
}

/* D75: FREE in the middle of a bind finds a work item that can be queued. */
static void test_free_in_the_middle_of_a_bind(void **state)
{
	struct host *h = *state;
	struct recorder heard = { .answer = NOTIFY_OK, .act = free_in_handler, .data = h };

	listen_to(h->set, &heard, 0);
	bind(h, h->dev);
	flush_queue();
	assert_false(is_known(h->pasid));
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

static void test_set_teardown_frees_what_is_bound(void **state)
{
	struct host *h = *state;

	assert_int_equal(bind(h, h->dev), 0);
	ioasid_free_all_in_set(h->set);
	flush_queue();
	assert_false(is_known(h->pasid));
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
}

static void put_in_handler(unsigned long code, struct ioasid_nb_args *args, void *data)
{
	(void)data;
	if (code == IOASID_NOTIFY_FREE)
		ioasid_put_locked(NULL, args->id);
}

/* The order of the series' document: CPU first, then the driver, whatever order they came in. */
static void test_cpu_is_told_before_the_driver_tears_down(void **state)
{
	struct host *h = *state;
	struct recorder kvm = { .answer = NOTIFY_OK, .act = put_in_handler, .data = h };

	listen_to(h->set, &kvm, IOASID_PRIO_CPU);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(ioasid_get(h->set, h->pasid), 0);
	ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_false(is_known(h->pasid));
	/* BIND and FREE: who heard FREE needs no UNBIND. */
	assert_int_equal(kvm.count, 2);
	assert_int_equal(kvm.codes[1], IOASID_NOTIFY_FREE);
	assert_int_equal(kvm.args[1].spid, GUEST_PASID);
	ioasid_unregister_notifier(h->set, &kvm.nb);
}

/* D77: the tear-down drains page requests and makes nobody wait who only does DMA. */
static int keep(struct iommu_fault *fault, void *data)
{
	*(struct iommu_fault *)data = *fault;
	return 0;
}

static struct iommu_page_response answer_to(const struct iommu_fault *fault, u32 code)
{
	struct iommu_page_response answer;

	memset(&answer, 0, sizeof(answer));
	answer.argsz = sizeof(answer);
	answer.version = IOMMU_PAGE_RESP_VERSION_1;
	answer.flags = IOMMU_PAGE_RESP_PASID_VALID;
	answer.pasid = fault->prm.pasid;
	answer.grpid = fault->prm.grpid;
	answer.code = code;
	return answer;
}

static void test_teardown_drains_page_requests(void **state)
{
	struct host *h = *state;
	u64 missing = GUEST_ADDRESS + VTD_PAGE_SIZE;
	struct iommu_page_response answer;
	struct iommu_fault fault;

	assert_int_equal(iommu_register_device_fault_handler(h->dev, keep, &fault), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(read_dma(h->dev, h->pasid, missing), -EAGAIN);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), -EBUSY);
	/* One more that is in the queue only. */
	assert_int_equal(vtd_unit_mask_page_requests(h->iommu, true), 0);
	assert_int_equal(read_dma(h->dev, h->pasid, missing + VTD_PAGE_SIZE), -EAGAIN);
	assert_int_equal(stats_of(h->iommu).page_requests, 2);
	ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_false(is_known(h->pasid));
	answer = answer_to(&fault, IOMMU_PAGE_RESP_SUCCESS);
	assert_int_equal(iommu_page_response(h->dev, &answer), -EINVAL);
	/* The number is used again: nothing of its past is left in the device or the queue. */
	assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
	assert_int_equal(bind(h, h->dev), 0);
	memset(&fault, 0, sizeof(fault));
	assert_int_equal(vtd_unit_mask_page_requests(h->iommu, false), 0);
	assert_int_equal(fault.prm.pasid, 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

/* Two groups of one PASID wait: each answer is for its own. */
static void test_answer_is_of_its_group(void **state)
{
	struct host *h = *state;
	u64 missing = GUEST_ADDRESS + VTD_PAGE_SIZE;
	struct iommu_page_response answer;
	struct iommu_fault fault;

	assert_int_equal(iommu_register_device_fault_handler(h->dev, keep, &fault), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, missing, VTD_DMA_READ, 1, true), 0);
	answer = answer_to(&fault, IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, missing + VTD_PAGE_SIZE, VTD_DMA_READ,
					  2, true),
			 0);
	answer.grpid = 3;
	assert_int_equal(iommu_page_response(h->dev, &answer), -EINVAL);
	answer.grpid = 1;
	assert_int_equal(iommu_page_response(h->dev, &answer), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, 1), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, 2), -EAGAIN);
	answer = answer_to(&fault, IOMMU_PAGE_RESP_SUCCESS);
	assert_int_equal(iommu_page_response(h->dev, &answer), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, 2), IOMMU_PAGE_RESP_SUCCESS);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

static int note_and_refuse(struct iommu_fault *fault, void *data)
{
	u32 *told = data;

	told[0]++;
	told[1] = fault->prm.pasid;
	return -1;
}

/* What is in the queue is answered if it is of the PASID that goes; the others stay, in order. */
static void test_drain_is_of_one_pasid(void **state)
{
	struct host *h = *state;
	u64 missing = GUEST_ADDRESS + VTD_PAGE_SIZE;
	u32 told[2] = { 0, 0 };
	ioasid_t other;
	int pasid;

	assert_int_equal(iommu_register_device_fault_handler(h->dev, note_and_refuse, told), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	other = (ioasid_t)pasid;
	assert_int_equal(vtd_unit_mask_page_requests(h->iommu, true), 0);
	assert_int_equal(vtd_page_request(h->dev, other, missing, VTD_DMA_READ, 1, true), 0);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, missing, VTD_DMA_READ, 2, true), 0);
	assert_int_equal(vtd_page_request(h->dev, other, missing + VTD_PAGE_SIZE, VTD_DMA_READ, 3,
					  true),
			 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, 2), -EAGAIN);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	/* Answered, and the answer forgotten: the device has its credit back. */
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, 2), -ENOENT);
	assert_int_equal(vtd_page_answer(h->dev, other, 1), -EAGAIN);
	assert_int_equal(told[0], 0);
	assert_int_equal(vtd_unit_mask_page_requests(h->iommu, false), 0);
	assert_int_equal(told[0], 2);
	assert_int_equal(told[1], other);
	assert_int_equal(vtd_page_answer(h->dev, other, 1), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(vtd_page_answer(h->dev, other, 3), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

/* DMA, bind, unbind and free from many threads: no stale access, no leak, no race. */
struct storm {
	struct host *h;
	atomic_bool over;
	atomic_int passed;
};

static void *do_dma(void *data)
{
	struct storm *storm = data;

	while (!atomic_load(&storm->over)) {
		if (!dma(storm->h, storm->h->dev))
			atomic_fetch_add(&storm->passed, 1);
		dma(storm->h, storm->h->far);
		read_dma(storm->h->dev, storm->h->pasid, GUEST_ADDRESS + VTD_PAGE_SIZE);
	}
	return NULL;
}

static void test_storm_of_binds_frees_and_dma(void **state)
{
	struct host *h = *state;
	struct storm storm = { .h = h };
	pthread_t threads[2];
	int round, rounds = getenv("IOASID_TEST_SLOW") ? 30 : 500;

	for (round = 0; round < 2; round++)
		assert_int_equal(pthread_create(&threads[round], NULL, do_dma, &storm), 0);
	for (round = 0; round < rounds; round++) {
		assert_int_equal(bind(h, h->dev), 0);
		assert_int_equal(bind(h, h->far), 0);
		if (round == 0)
			while (!atomic_load(&storm.passed))
				;
		switch (round % 3) {
		case 0:
			assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
			assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
			break;
		case 1:
			ioasid_free(h->set, h->pasid);
			intel_svm_unbind_gpasid(h->dev, h->pasid);
			intel_svm_unbind_gpasid(h->far, h->pasid);
			break;
		default:
			ioasid_free(h->set, h->pasid);
			flush_queue();
			break;
		}
		if (round % 3) {
			while (is_known(h->pasid))
				;
			assert_int_equal(ioasid_alloc(h->set, h->pasid, h->pasid, NULL), h->pasid);
		}
		assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
		assert_int_equal(dma(h, h->far), VTD_FAULT_PASID_NOT_PRESENT);
	}
	atomic_store(&storm.over, true);
	for (round = 0; round < 2; round++)
		pthread_join(threads[round], NULL);
	/* Entry and caches change under one lock: no DMA in between. */
	assert_int_equal(stats_of(h->iommu).stale_hits + stats_of(h->other).stale_hits, 0);
}

static int setup_pri(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_free_before_unbind_is_heard),
		TEST(test_no_faults_are_recorded_after_free),
		TEST(test_every_device_is_torn_down_and_one_reference_put),
		TEST(test_unbind_overtakes_the_work),
		TEST(test_free_in_the_middle_of_a_bind),
		TEST(test_set_teardown_frees_what_is_bound),
		TEST(test_cpu_is_told_before_the_driver_tears_down),
		cmocka_unit_test_setup_teardown(test_teardown_drains_page_requests, setup_pri,
						host_teardown),
		cmocka_unit_test_setup_teardown(test_answer_is_of_its_group, setup_pri,
						host_teardown),
		cmocka_unit_test_setup_teardown(test_drain_is_of_one_pasid, setup_pri,
						host_teardown),
		TEST(test_storm_of_binds_frees_and_dma),
		cmocka_unit_test_setup_teardown(test_storm_of_binds_frees_and_dma, setup_pri,
						host_teardown),
	};

	return cmocka_run_group_tests_name("vtd free", tests, NULL, NULL);
}
