// SPDX-License-Identifier: MIT
/* Page requests in groups of several, as they come; faults told to who looks after a device; reports of others. */
#include "vtd_fixture.h"

#include <linux/ioasid-vtd.h>

#define MISSING 0x7f0000600000ULL
#define GROUP 7
#define ACCESS (VTD_DMA_READ | VTD_DMA_WRITE)

static int setup(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
}

struct heard {
	struct host *h;
	struct iommu_fault faults[64];
	int count;
	int result;
};

static int hear(struct iommu_fault *fault, void *data)
{
	struct heard *heard = data;

	assert_true(heard->count < 64);
	heard->faults[heard->count++] = *fault;
	return heard->result;
}

static struct iommu_page_response answer_for(ioasid_t pasid, u32 group, u32 code)
{
	struct iommu_page_response msg = {
		sizeof(msg), IOMMU_PAGE_RESP_VERSION_1, IOMMU_PAGE_RESP_PASID_VALID, pasid, group,
		code
	};

	return msg;
}

static int respond(struct device *dev, ioasid_t pasid, u32 group, u32 code)
{
	struct iommu_page_response msg = answer_for(pasid, group, code);

	return iommu_page_response(dev, &msg);
}

static int ask(struct host *h, int page, bool last)
{
	return vtd_page_request(h->dev, h->pasid, MISSING + (u64)page * VTD_PAGE_SIZE, ACCESS,
				GROUP, last);
}

static void map(struct host *h, int page)
{
	assert_int_equal(vtd_guest_map(h->guest, h->gpgd, MISSING + (u64)page * VTD_PAGE_SIZE,
				       vtd_guest_page(h->guest), ACCESS),
			 0);
}

static void begin(struct host *h, struct heard *heard)
{
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, hear, heard), 0);
}

static void end(struct host *h)
{
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* Three pages in a group: told one by one, answered once, and all of them can be used. */
static void test_group_is_told_as_it_comes_and_answered_once(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };
	int i;

	begin(h, &heard);
	assert_int_equal(ask(h, 0, false), 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -EAGAIN);
	/* Nobody can answer what is not complete. */
	assert_int_equal(respond(h->dev, h->pasid, GROUP, IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	assert_int_equal(ask(h, 1, false), 0);
	assert_int_equal(ask(h, 2, true), 0);
	assert_int_equal(heard.count, 3);
	for (i = 0; i < 3; i++) {
		const struct iommu_fault_page_request *prm = &heard.faults[i].prm;

		assert_int_equal(heard.faults[i].type, IOMMU_FAULT_PAGE_REQ);
		assert_int_equal(prm->pasid, h->pasid);
		assert_int_equal(prm->grpid, GROUP);
		assert_true(prm->addr == MISSING + i * VTD_PAGE_SIZE);
		assert_int_equal(prm->perm, IOMMU_FAULT_PERM_READ | IOMMU_FAULT_PERM_WRITE);
		assert_int_equal(!!(prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE), i == 2);
		/* Until the answer a request of the device waits too, and asks for nothing. */
		assert_int_equal(read_dma(h->dev, h->pasid, prm->addr), -EAGAIN);
		map(h, i);
	}
	assert_int_equal(heard.count, 3);
	assert_int_equal(stats_of(h->iommu).page_requests, 3);
	/* The group waits: its number is not to be had, nor its pages. */
	assert_int_equal(ask(h, 3, true), -EBUSY);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, MISSING, ACCESS, GROUP + 1, true),
			 -EBUSY);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), -EBUSY);
	assert_int_equal(respond(h->dev, h->pasid, GROUP, IOMMU_PAGE_RESP_SUCCESS), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), IOMMU_PAGE_RESP_SUCCESS);
	for (i = 0; i < 3; i++)
		assert_int_equal(read_dma(h->dev, h->pasid, MISSING + i * VTD_PAGE_SIZE), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -ENOENT);
	assert_int_equal(respond(h->dev, h->pasid, GROUP, IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	end(h);
}

static void test_refused_group_refuses_every_page(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };

	begin(h, &heard);
	assert_int_equal(ask(h, 0, false), 0);
	assert_int_equal(ask(h, 1, true), 0);
	assert_int_equal(respond(h->dev, h->pasid, GROUP, IOMMU_PAGE_RESP_FAILURE), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), 15);
	assert_int_equal(read_dma(h->dev, h->pasid, MISSING), VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(read_dma(h->dev, h->pasid, MISSING + VTD_PAGE_SIZE),
			 VTD_FAULT_FL_NOT_PRESENT);
	/* The next access asks anew, in a group of its own. */
	assert_int_equal(heard.count, 2);
	assert_int_equal(read_dma(h->dev, h->pasid, MISSING), -EAGAIN);
	assert_int_equal(heard.count, 3);
	assert_true(heard.faults[2].prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE);
	assert_int_equal(respond(h->dev, h->pasid, heard.faults[2].prm.grpid,
				 IOMMU_PAGE_RESP_INVALID),
			 0);
	end(h);
}

/* Groups of two processes with the same number do not meet. */
static void test_groups_of_others_in_between(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };
	struct iommu_gpasid_bind_data data;
	ioasid_t other = ioasid_alloc(h->set, 101, 200, NULL);

	begin(h, &heard);
	data = binding_of(h);
	data.hpasid = other;
	data.gpasid = GUEST_PASID + 1;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	assert_int_equal(ask(h, 0, false), 0);
	assert_int_equal(vtd_page_request(h->dev, other, MISSING, ACCESS, GROUP, true), -EBUSY);
	assert_int_equal(vtd_page_request(h->dev, other, MISSING, ACCESS, GROUP + 1, true), 0);
	assert_int_equal(respond(h->dev, other, GROUP + 1, IOMMU_PAGE_RESP_SUCCESS), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -EAGAIN);
	assert_int_equal(ask(h, 1, true), 0);
	assert_int_equal(respond(h->dev, h->pasid, GROUP, IOMMU_PAGE_RESP_SUCCESS), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, other), 0);
	ioasid_free(h->set, other);
	end(h);
}

/* A handler that refuses: only the last of a group has an answer. */
static void test_refusing_handler(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h, .result = -EINVAL };

	begin(h, &heard);
	assert_int_equal(ask(h, 0, false), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -EAGAIN);
	assert_int_equal(ask(h, 1, true), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(heard.count, 2);
	end(h);
}

/* A response that comes before the last request of its group is for nobody. */
static void test_response_before_the_last_request(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };

	assert_int_equal(iommu_register_device_fault_handler(h->dev, hear, &heard), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(ask(h, 0, false), 0);
	submit(h->iommu, vtd_inv_page_response(0x1000, h->pasid, GROUP, IOMMU_PAGE_RESP_SUCCESS));
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -EAGAIN);
	assert_int_equal(ask(h, 1, true), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -EAGAIN);
	submit(h->iommu, vtd_inv_page_response(0x1000, h->pasid, GROUP, IOMMU_PAGE_RESP_INVALID));
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
}

/* Without a handler the driver answers; with the unbind groups end, complete or not. */
static void test_unbind_ends_groups(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };
	int round, i;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(ask(h, 0, false), 0);
	assert_int_equal(ask(h, 1, true), 0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, hear, &heard), 0);
	for (round = 0; round < 3; round++) {
		heard.count = 0;
		/* As many as may wait, of a group that is never completed. */
		for (i = 0; i < 32; i++)
			assert_int_equal(ask(h, i, false), 0);
		assert_int_equal(ask(h, i, false), -EAGAIN);
		assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
		assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), -ENOENT);
		assert_int_equal(bind(h, h->dev), 0);
	}
	/* One that was told and not answered: the driver answers for who did not. */
	heard.count = 0;
	assert_int_equal(ask(h, 0, true), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(respond(h->dev, h->pasid, GROUP, IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	assert_int_equal(bind(h, h->dev), 0);
	end(h);
}

/* The queue overflows: what is lost is answered by the unit if it was the last, and PRO stays. */
static void test_overflow(void **state)
{
	struct host *h = *state;
	struct device *devices[8];
	int i, j;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(vtd_unit_mask_page_requests(h->iommu, true), 0);
	devices[0] = h->dev;
	for (i = 1; i < 5; i++) {
		devices[i] = vtd_device_create(h->iommu, 0x2000 + i, VTD_DEV_ATS | VTD_DEV_PRI);
		assert_false(IS_ERR(devices[i]));
	}
	/* A page of 128 slots, of which one stays empty. */
	for (i = 0; i < 4; i++)
		for (j = 0; j < 32 - (i == 3); j++)
			assert_int_equal(vtd_page_request(devices[i], h->pasid,
							  MISSING + (u64)j * VTD_PAGE_SIZE, ACCESS,
							  GROUP, false),
					 0);
	assert_int_equal(vtd_register_read(h->iommu, VTD_REG_PRS, 4), 1);
	assert_int_equal(vtd_page_request(devices[4], h->pasid, MISSING, ACCESS, GROUP, false), 0);
	assert_int_equal(vtd_register_read(h->iommu, VTD_REG_PRS, 4), 3);
	assert_int_equal(vtd_page_answer(devices[4], h->pasid, GROUP), -EAGAIN);
	assert_int_equal(vtd_page_request(devices[4], h->pasid, MISSING + VTD_PAGE_SIZE, ACCESS,
					  GROUP, true),
			 0);
	assert_int_equal(vtd_page_answer(devices[4], h->pasid, GROUP), IOMMU_PAGE_RESP_SUCCESS);
	assert_int_equal(vtd_unit_mask_page_requests(h->iommu, false), 0);
	for (i = 1; i < 5; i++)
		assert_int_equal(vtd_device_destroy(devices[i]), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

static void test_page_requests_that_cannot_be(void **state)
{
	struct host *h = *state;
	struct device *plain = vtd_device_create(h->iommu, 0x3000, VTD_DEV_ATS);

	assert_int_equal(vtd_page_request(NULL, h->pasid, MISSING, ACCESS, 0, true), -EINVAL);
	assert_int_equal(vtd_page_request(ERR_PTR(-ENODEV), h->pasid, MISSING, ACCESS, 0, true),
			 -EINVAL);
	assert_int_equal(vtd_page_request(plain, h->pasid, MISSING, ACCESS, 0, true), -EINVAL);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, MISSING, 0, 0, true), -EINVAL);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, MISSING, 16, 0, true), -EINVAL);
	assert_int_equal(vtd_page_request(h->dev, h->pasid, MISSING, ACCESS, 512, true), -EINVAL);
	assert_int_equal(vtd_page_request(h->dev, 1 << 20, MISSING, ACCESS, 0, true), -EINVAL);
	assert_int_equal(vtd_page_answer(NULL, h->pasid, 0), -EINVAL);
	assert_int_equal(vtd_page_answer(ERR_PTR(-ENODEV), h->pasid, 0), -EINVAL);
	assert_int_equal(vtd_page_answer(plain, h->pasid, 0), -EINVAL);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, 0), -ENOENT);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, ~0u), -ENOENT);
	assert_int_equal(vtd_device_destroy(plain), 0);
	assert_int_equal(vtd_page_request(plain, h->pasid, MISSING, ACCESS, 0, true), -EINVAL);
	/* A PASID that nobody bound: answered by the driver. */
	assert_int_equal(vtd_page_request(h->dev, 999, MISSING, ACCESS, 0, true), 0);
	assert_int_equal(vtd_page_answer(h->dev, 999, 0), IOMMU_PAGE_RESP_INVALID);
	/* And one without PASID at all. */
	assert_int_equal(vtd_page_request(h->dev, INVALID_IOASID, MISSING, ACCESS, 0, true), 0);
	assert_int_equal(vtd_page_answer(h->dev, INVALID_IOASID, 0), IOMMU_PAGE_RESP_INVALID);
}

/* ---- faults for good ---- */

static void test_faults_are_told_while_bound(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };
	struct vtd_fault fault;

	begin(h, &heard);
	/* No answer of the guest's page table could help. */
	assert_int_equal(vtd_dma(h->dev, h->pasid, GUEST_ADDRESS, VTD_DMA_READ | VTD_DMA_PRIV,
				 NULL),
			 VTD_FAULT_SRE_CLEAR);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.faults[0].type, IOMMU_FAULT_DMA_UNRECOV);
	assert_int_equal(heard.faults[0].event.reason, IOMMU_FAULT_REASON_PERMISSION);
	assert_int_equal(heard.faults[0].event.flags,
			 IOMMU_FAULT_UNRECOV_PASID_VALID | IOMMU_FAULT_UNRECOV_ADDR_VALID);
	assert_int_equal(heard.faults[0].event.pasid, h->pasid);
	assert_int_equal(heard.faults[0].event.perm, IOMMU_FAULT_PERM_READ | IOMMU_FAULT_PERM_PRIV);
	assert_true(heard.faults[0].event.addr == GUEST_ADDRESS);
	assert_int_equal(read_dma(h->dev, h->pasid, 1ull << 60), VTD_FAULT_NOT_CANONICAL);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.faults[1].event.reason, IOMMU_FAULT_REASON_OOR_ADDRESS);
	/* The log has them as well. */
	assert_true(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(fault.reason, VTD_FAULT_SRE_CLEAR);
	assert_true(vtd_fault_read(h->iommu, &fault));
	/* A stray request of what is not bound is nobody's. */
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(heard.count, 2);
	assert_int_equal(bind(h, h->dev), 0);
	end(h);
}

/* ---- reports of others ---- */

static void test_reported_faults(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };
	struct iommu_fault_event event, bad;

	memset(&event, 0, sizeof(event));
	event.fault.type = IOMMU_FAULT_PAGE_REQ;
	event.fault.prm.flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
				IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	event.fault.prm.pasid = h->pasid;
	event.fault.prm.grpid = 9;
	event.fault.prm.perm = IOMMU_FAULT_PERM_READ;
	event.fault.prm.addr = MISSING;
	assert_int_equal(iommu_report_device_fault(h->dev, &event), -EINVAL); /* no handler */
	begin(h, &heard);
	assert_int_equal(iommu_report_device_fault(NULL, &event), -EINVAL);
	assert_int_equal(iommu_report_device_fault(ERR_PTR(-ENODEV), &event), -EINVAL);
	assert_int_equal(iommu_report_device_fault(h->dev, NULL), -EINVAL);
	assert_int_equal(iommu_report_device_fault(h->dev, &event), 0);
	assert_int_equal(heard.count, 1);
	assert_memory_equal(&heard.faults[0], &event.fault, sizeof(event.fault));
	assert_int_equal(iommu_report_device_fault(h->dev, &event), -EINVAL); /* it waits */
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), -EBUSY);
	assert_int_equal(respond(h->dev, h->pasid, 9, IOMMU_PAGE_RESP_SUCCESS), 0);
	assert_int_equal(respond(h->dev, h->pasid, 9, IOMMU_PAGE_RESP_SUCCESS), -EINVAL);

	/* Not the last: told, and nothing waits. */
	event.fault.prm.flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	assert_int_equal(iommu_report_device_fault(h->dev, &event), 0);
	assert_int_equal(respond(h->dev, h->pasid, 9, IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	/* The handler's answer is the caller's, and nothing waits. */
	event.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	heard.result = -ENODEV;
	assert_int_equal(iommu_report_device_fault(h->dev, &event), -ENODEV);
	assert_int_equal(respond(h->dev, h->pasid, 9, IOMMU_PAGE_RESP_SUCCESS), -EINVAL);
	heard.result = 0;
	assert_int_equal(heard.count, 3);

#define REFUSED(field, value) \
	(bad = event, bad.fault.field = (value), \
	 assert_int_equal(iommu_report_device_fault(h->dev, &bad), -EINVAL))
	REFUSED(type, 0);
	REFUSED(type, IOMMU_FAULT_PAGE_REQ + 1);
	REFUSED(padding, 1);
	REFUSED(prm.flags, IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE);
	REFUSED(prm.flags, 1 << 4 | IOMMU_FAULT_PAGE_REQUEST_PASID_VALID);
	REFUSED(prm.pasid, 1 << 20);
	REFUSED(prm.grpid, 512);
	REFUSED(prm.perm, 1 << 4);
	REFUSED(prm.addr, MISSING + 1);
	memset(&event, 0, sizeof(event));
	event.fault.type = IOMMU_FAULT_DMA_UNRECOV;
	event.fault.event.reason = IOMMU_FAULT_REASON_OOR_ADDRESS;
	assert_int_equal(iommu_report_device_fault(h->dev, &event), 0);
	assert_int_equal(heard.count, 4);
	REFUSED(event.reason, IOMMU_FAULT_REASON_OOR_ADDRESS + 1);
	REFUSED(event.flags, 8);
	REFUSED(event.perm, 16);
	assert_int_equal(heard.count, 4);
	end(h);
}

static void test_report_without_memory_changes_nothing(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };
	struct iommu_fault_event event;

	memset(&event, 0, sizeof(event));
	event.fault.type = IOMMU_FAULT_PAGE_REQ;
	event.fault.prm.flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
				IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	event.fault.prm.pasid = h->pasid;
	begin(h, &heard);
	vtd_fail_nth(1);
	assert_int_equal(iommu_report_device_fault(h->dev, &event), -EINVAL);
	/* The driver's own are answered. */
	vtd_fail_nth(1);
	assert_int_equal(ask(h, 0, true), 0);
	vtd_fail_nth(0);
	assert_int_equal(vtd_page_answer(h->dev, h->pasid, GROUP), IOMMU_PAGE_RESP_INVALID);
	assert_int_equal(heard.count, 0);
	end(h);
}

/* A handler that takes itself and the binding away. */
static int leave(struct iommu_fault *fault, void *data)
{
	struct heard *heard = data;

	heard->count++;
	if (fault->type == IOMMU_FAULT_PAGE_REQ)
		assert_int_equal(respond(heard->h->dev, fault->prm.pasid, fault->prm.grpid,
					 IOMMU_PAGE_RESP_SUCCESS),
				 0);
	assert_int_equal(iommu_unregister_device_fault_handler(heard->h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(heard->h->dev, heard->h->pasid), 0);
	return -EINVAL;
}

static void test_handler_leaves(void **state)
{
	struct host *h = *state;
	struct heard heard = { .h = h };

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, leave, &heard), 0);
	assert_int_equal(read_dma(h->dev, h->pasid, 1ull << 60), VTD_FAULT_NOT_CANONICAL);
	assert_int_equal(heard.count, 1);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, leave, &heard), 0);
	assert_int_equal(ask(h, 0, true), 0);
	assert_int_equal(heard.count, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_group_is_told_as_it_comes_and_answered_once),
		CASE(test_refused_group_refuses_every_page),
		CASE(test_groups_of_others_in_between),
		CASE(test_refusing_handler),
		CASE(test_response_before_the_last_request),
		CASE(test_unbind_ends_groups),
		CASE(test_overflow),
		CASE(test_page_requests_that_cannot_be),
		CASE(test_faults_are_told_while_bound),
		CASE(test_reported_faults),
		CASE(test_report_without_memory_changes_nothing),
		CASE(test_handler_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
