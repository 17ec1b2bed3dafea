// SPDX-License-Identifier: MIT
// Everything is taken down in any order, and from within any call: refused for a reason or done, and nothing is left.

#include <errno.h>
#include <linux/sched/mm.h>
#include "vtd_fixture.h"

#define MISSING (GUEST_ADDRESS + VTD_PAGE_SIZE)

/* One of each thing, in use. */
struct world {
	struct vtd_machine *machine;
	struct intel_iommu *iommu;
	struct device *dev;
	struct iommu_domain *domain, *more;
	struct vtd_guest *guest;
	struct ioasid_set *set;
	ioasid_t pasid;
	struct mm_struct *mm;
	int process;
	struct svm_dev_ops ops;
	struct recorder listener;
	u32 done; /* a bit for each enum end */
};

enum end {
	UNBIND_GUEST,
	UNBIND_PROCESS,
	UNREGISTER,
	GUEST,
	DETACH,
	DETACH_MORE,
	DOMAIN,
	MORE,
	DISABLE,
	DEVICE,
	UNIT,
	MACHINE,
	FREE,
	EXIT,
	ENDS
};

static bool is_done(const struct world *w, enum end end)
{
	return w->done >> end & 1;
}

/* Functions without a result have done it if what they ended is not known any more. */
static bool is_domain(struct iommu_domain *domain)
{
	int nesting;

	return iommu_domain_get_attr(domain, DOMAIN_ATTR_NESTING, &nesting) == 0;
}

static int attempt(struct world *w, enum end end)
{
	/* For the driver. */
	bool is_gone = is_done(w, DISABLE) || is_done(w, DEVICE);
	int error;

	switch (end) {
	case UNBIND_GUEST:
		error = intel_svm_unbind_gpasid(w->dev, w->pasid);
		if (error == 0 || !is_done(w, FREE) || is_known(w->pasid))
			return error;
		/* The work item of FREE was faster. */
		assert_int_equal(error, is_gone ? -ENODEV : -EINVAL);
		return 0;
	case UNBIND_PROCESS:
		return intel_svm_unbind_mm(w->dev, w->process);
	case UNREGISTER:
		error = iommu_unregister_device_fault_handler(w->dev);
		/* It goes with what the driver has of the device. */
		return error == -EINVAL && is_gone ? 0 : error;
	case GUEST:
		vtd_guest_destroy(w->guest);
		return vtd_guest_page(w->guest) == VTD_NO_ADDRESS ? 0 : -EBUSY;
	case DETACH:
		iommu_detach_device(w->domain, w->dev);
		error = iommu_aux_get_pasid(w->more, w->dev);
		/* In a handler of BIND or UNBIND the driver does nothing, and does not know either. */
		if (error == -EDEADLK)
			return error;
		return iommu_get_domain_for_dev(w->dev) ? -EBUSY : 0;
	case DETACH_MORE:
		iommu_aux_detach_device(w->more, w->dev);
		error = iommu_aux_get_pasid(w->more, w->dev);
		return error >= 0 ? -EBUSY : error == -EDEADLK ? error : 0;
	case DOMAIN:
		iommu_domain_free(w->domain);
		return is_domain(w->domain) ? -EBUSY : 0;
	case MORE:
		iommu_domain_free(w->more);
		return is_domain(w->more) ? -EBUSY : 0;
	case DISABLE:
		return intel_iommu_disable(w->iommu);
	case DEVICE:
		return vtd_device_destroy(w->dev);
	case UNIT:
		return vtd_unit_destroy(w->iommu);
	case MACHINE:
		return vtd_machine_destroy(w->machine);
	case FREE:
		ioasid_free(w->set, w->pasid);
		return 0;
	case EXIT:
		mmput(w->mm);
		return 0;
	case ENDS:
		break;
	}
	return -EINVAL;
}

static void try(struct world *w, enum end end)
{
	int error;

	if (is_done(w, end))
		return;
	error = attempt(w, end);
	if (error == 0)
		w->done |= 1u << end;
	else if (error != -EBUSY && error != -EDEADLK)
		fail_msg("end %d: %d", end, error);
}

static void use(struct world *w)
{
	if (is_done(w, DEVICE))
		return;
	read_dma(w->dev, w->pasid, GUEST_ADDRESS);
	read_dma(w->dev, (ioasid_t)w->process, GUEST_ADDRESS);
	read_dma(w->dev, INVALID_IOASID, 0);
	assert_int_equal(stats_of(w->iommu).stale_hits, 0);
}

/* ---- calls from which it is tried ---- */

enum call { OF_REQUEST, OF_FAULT, OF_ANSWER, OF_BIND, OF_UNBIND, OF_WORK, CALLS };
static struct {
	enum call where;
	enum end what;
	bool is_armed, has_run;
	struct world *world;
} act;

static void act_in(enum call where)
{
	if (!act.is_armed || act.where != where)
		return;
	act.is_armed = false;
	act.has_run = true;
	try(act.world, act.what);
}

static int handle(struct iommu_fault *fault, void *data)
{
	struct world *w = data;
	struct iommu_page_response msg = {
		sizeof(msg),	  IOMMU_PAGE_RESP_VERSION_1, IOMMU_PAGE_RESP_PASID_VALID,
		fault->prm.pasid, fault->prm.grpid,	     IOMMU_PAGE_RESP_INVALID
	};

	if (fault->type != IOMMU_FAULT_PAGE_REQ) {
		act_in(OF_FAULT);
		return 0;
	}
	act_in(OF_REQUEST);
	if (fault->prm.pasid == (u32)w->process && !is_done(w, UNBIND_PROCESS))
		iommu_page_response(w->dev, &msg);
	return -1;
}

static void answered(struct device *dev, u32 pasid, u64 address, void *private_data, int rwxp,
		     int response)
{
	(void)dev, (void)pasid, (void)address, (void)private_data, (void)rwxp, (void)response;
	act_in(OF_ANSWER);
}

static void hear(unsigned long code, struct ioasid_nb_args *args, void *data)
{
	(void)args, (void)data;
	if (code == IOASID_NOTIFY_BIND)
		act_in(OF_BIND);
	if (code == IOASID_NOTIFY_UNBIND)
		act_in(OF_UNBIND);
}

static void do_work(struct work_struct *work)
{
	(void)work;
	act_in(OF_WORK);
}

/* ---- the world ---- */

static void begin(struct world *w)
{
	struct mm_struct *before = current->mm;
	struct host h;
	struct iommu_gpasid_bind_data data;

	memset(w, 0, sizeof(*w));
	w->machine = vtd_machine_create(1 << 20);
	w->iommu = vtd_unit_create(w->machine, NULL);
	w->dev = vtd_device_create(w->iommu, 0x1000, VTD_DEV_ATS | VTD_DEV_PRI);
	assert_int_equal(intel_iommu_enable(w->iommu), 0);
	w->domain = vtd_domain_alloc(w->machine, IOMMU_DOMAIN_UNMANAGED);
	w->more = vtd_domain_alloc(w->machine, IOMMU_DOMAIN_UNMANAGED);
	assert_int_equal(iommu_attach_device(w->domain, w->dev), 0);
	assert_int_equal(iommu_aux_attach_device(w->more, w->dev), 0);
	w->guest = vtd_guest_create(w->domain, 8);
	w->set = ioasid_set_alloc(NULL, 8, IOASID_SET_TYPE_NULL);
	w->listener.act = hear;
	w->listener.answer = NOTIFY_OK;
	listen_to(w->set, &w->listener, 0);
	w->pasid = ioasid_alloc(w->set, 500, 600, NULL);
	h.gpgd = vtd_guest_page(w->guest);
	h.pasid = w->pasid;
	assert_int_equal(vtd_guest_map(w->guest, h.gpgd, GUEST_ADDRESS, h.gpgd, VTD_DMA_READ), 0);
	assert_int_equal(iommu_register_device_fault_handler(w->dev, handle, w), 0);
	data = binding_of(&h);
	w->mm = mm_alloc();
	w->ops.fault_cb = answered;
	current->mm = w->mm;
	assert_int_equal(intel_svm_bind_mm(w->dev, &w->process, 0, &w->ops), 0);
	current->mm = before;
	/* Last: its BIND is one of the calls. What that took down before is not missed here. */
	if (intel_svm_bind_gpasid(w->domain, w->dev, &data) != 0)
		w->done |= 1u << UNBIND_GUEST;
	else
		assert_true(act.has_run || read_dma(w->dev, w->pasid, GUEST_ADDRESS) == 0);
}

static void end(struct world *w)
{
	assert_int_equal(w->done, (1u << ENDS) - 1);
	flush_queue();
	assert_false(is_known(w->pasid));
	ioasid_unregister_notifier(w->set, &w->listener.nb);
	assert_int_equal(ioasid_set_free(w->set), 0);
	assert_int_equal(vtd_blocks_used(), 0);
}

static void take_down(struct world *w, const enum end *order)
{
	int round, i;

	for (round = 0; round <= ENDS && w->done != (1u << ENDS) - 1; round++) {
		for (i = 0; i < ENDS; i++) {
			try(w, order[i]);
			if (order[i] == FREE)
				flush_queue();
		}
		use(w);
	}
	end(w);
}

static const enum end usual[ENDS] = { UNBIND_GUEST, UNBIND_PROCESS, UNREGISTER, GUEST,	 DETACH,
				      DETACH_MORE,  DOMAIN,	    MORE,	DISABLE, DEVICE,
				      UNIT,	    MACHINE,	    FREE,	EXIT };

static void test_in_any_order(void **state)
{
	int round, i, rounds = getenv("IOASID_TEST_SLOW") ? 50 : 500;
	u32 seed = 20240229;
	struct world w;

	(void)state;
	memset(&act, 0, sizeof(act));
	for (round = 0; round < rounds; round++) {
		enum end order[ENDS];

		memcpy(order, usual, sizeof(order));
		for (i = ENDS - 1; i > 0; i--) {
			enum end other;
			int at;

			seed = seed * 1664525 + 1013904223;
			at = (int)((seed >> 8) % (u32)(i + 1));
			other = order[at];
			order[at] = order[i];
			order[i] = other;
		}
		begin(&w);
		take_down(&w, order);
	}
}

/* As far as the call comes: each way to end something, in each. */
static void test_from_any_call(void **state)
{
	struct work_struct work;
	struct world w;
	int where, what, ran = 0;

	(void)state;
	for (where = 0; where < CALLS; where++)
		for (what = 0; what < ENDS; what++) {
			act.where = (enum call)where;
			act.what = (enum end)what;
			act.is_armed = true;
			act.has_run = false;
			act.world = &w;
			begin(&w);
			if (where == OF_REQUEST)
				read_dma(w.dev, w.pasid, MISSING);
			else if (where == OF_FAULT)
				vtd_dma(w.dev, w.pasid, GUEST_ADDRESS, VTD_DMA_READ | VTD_DMA_PRIV,
					NULL);
			else if (where == OF_ANSWER)
				read_dma(w.dev, (ioasid_t)w.process, MISSING);
			INIT_WORK(&work, do_work);
			if (where == OF_WORK)
				assert_true(ioasid_queue_work(&work));
			if (where == OF_UNBIND)
				try(&w, UNBIND_GUEST);
			flush_queue();
			ran += act.has_run;
			take_down(&w, usual);
		}
	assert_int_equal(ran, CALLS * ENDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_any_order),
		cmocka_unit_test(test_from_any_call),
	};

	return cmocka_run_group_tests_name("vtd orders", tests, NULL, NULL);
}
