/* SPDX-License-Identifier: MIT */
/* The two life cycles that the series' document draws, with subscribers like KVM, VT-d and VDCM. */
#include <semaphore.h>
#include <unistd.h>

#include <linux/container_of.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "listener.h"

#define GUEST_PASID 101

/* How the driver says that a guest PASID is bound. */
enum style {
	/* Attaches the SPID, then tells for each device. */
	SERIES_V2,
	/* Attaching the SPID tells. */
	SERIES_V4,
};

/* ---- KVM: the vCPU's table that translates PASIDs, for the CPU ---- */

struct kvm {
	struct notifier_block nb;
	/* One entry is enough here. */
	ioasid_t guest, host;
};

static int kvm_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct kvm *kvm = container_of(nb, struct kvm, nb);
	const struct ioasid_nb_args *args = data;

	strcat(journal, "kvm ");
	strcat(journal, event_name((enum ioasid_notify_val)event));
	strcat(journal, "; ");
	switch (event) {
	case IOASID_BIND:
		if (ioasid_get_locked(args->set, args->id))
			return NOTIFY_BAD;
		kvm->guest = args->spid;
		kvm->host = args->id;
		return NOTIFY_OK;
	case IOASID_UNBIND:
	case IOASID_FREE:
		if (kvm->host != args->id)
			return NOTIFY_DONE;
		kvm->guest = kvm->host = INVALID_IOASID;
		ioasid_put_locked(args->set, args->id);
		return NOTIFY_OK;
	}
	return NOTIFY_DONE;
}

/* ---- VT-d: the PASID entry of the host, and the devices that use it ---- */

struct iommu {
	struct notifier_block nb;
	struct workqueue_struct *wq;
	struct work_struct free_work;
	sem_t go;
	enum style style;
	struct ioasid_set *set;
	/* The PASID entry; INVALID_IOASID if it is torn down. */
	ioasid_t entry;
	unsigned int devices;
};

static int iommu_bind(struct iommu *iommu, struct ioasid_set *set, ioasid_t id, ioasid_t guest)
{
	int err;

	if (iommu->devices == 0) {
		err = ioasid_get(set, id);
		if (err)
			return err;
		iommu->set = set;
		iommu->entry = id;
		ioasid_attach_spid(id, guest);
	}
	iommu->devices++;
	return iommu->style == SERIES_V2 ? ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET) : 0;
}

static int iommu_unbind(struct iommu *iommu, ioasid_t id)
{
	if (iommu->entry != id)
		return -ENOENT;
	if (--iommu->devices)
		return 0;
	if (iommu->style == SERIES_V2) {
		ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET);
		ioasid_attach_spid(id, INVALID_IOASID);
	} else {
		ioasid_detach_spid(id);
	}
	iommu->entry = INVALID_IOASID;
	return 0;
}

static void iommu_put(struct iommu *iommu, ioasid_t id)
{
	ioasid_put(iommu->set, id);
}

static void iommu_free_work(struct work_struct *work)
{
	struct iommu *iommu = container_of(work, struct iommu, free_work);
	ioasid_t id = iommu->entry;

	sem_wait(&iommu->go);
	/* Entry torn down, caches flushed, requests drained: now nobody uses it. */
	iommu->entry = INVALID_IOASID;
	iommu->devices = 0;
	ioasid_put(iommu->set, id);
}

static int iommu_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct iommu *iommu = container_of(nb, struct iommu, nb);
	const struct ioasid_nb_args *args = data;

	if (event != IOASID_FREE)
		return NOTIFY_DONE;
	strcat(journal, "iommu FREE; ");
	if (iommu->entry != args->id)
		return NOTIFY_DONE;
	/* Tearing down sleeps. */
	if (iommu->wq)
		queue_work(iommu->wq, &iommu->free_work);
	else
		ioasid_queue_work(&iommu->free_work);
	return NOTIFY_OK;
}

/* ---- VDCM: the model of a device, into which the guest writes its PASID ---- */

struct vdcm {
	struct notifier_block nb;
	struct work_struct free_work;
	sem_t go;
	struct ioasid_set *set;
	/* What the device puts into its requests; INVALID_IOASID if it is off. */
	ioasid_t programmed;
};

/* With the reference that the look-up took. */
static void vdcm_program(struct vdcm *vdcm, struct ioasid_set *set, ioasid_t guest)
{
	vdcm->set = set;
	vdcm->programmed = ioasid_find_by_spid(set, guest);
}

static void vdcm_clear(struct vdcm *vdcm)
{
	ioasid_t id = vdcm->programmed;

	vdcm->programmed = INVALID_IOASID;
	ioasid_put(vdcm->set, id);
}

static void vdcm_free_work(struct work_struct *work)
{
	struct vdcm *vdcm = container_of(work, struct vdcm, free_work);

	sem_wait(&vdcm->go);
	vdcm_clear(vdcm);
}

static int vdcm_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct vdcm *vdcm = container_of(nb, struct vdcm, nb);
	const struct ioasid_nb_args *args = data;

	if (event != IOASID_FREE)
		return NOTIFY_DONE;
	strcat(journal, "vdcm FREE; ");
	if (vdcm->programmed == args->id)
		ioasid_queue_work(&vdcm->free_work);
	return NOTIFY_OK;
}

/* ---- the machine ---- */

struct machine {
	struct mm_struct *mm;
	struct ioasid_set *set;
	struct kvm kvm;
	struct iommu iommu;
	struct vdcm vdcm;
};

/* KVM and VDCM know the VM before its set is there; the IOMMU listens to all. */
static void power_on(struct machine *machine, enum style style)
{
	*machine = (struct machine){
		.mm = mm_alloc(),
		.kvm = { { kvm_notify, NULL, IOASID_PRIO_CPU }, INVALID_IOASID, INVALID_IOASID },
		.iommu = { .nb = { iommu_notify, NULL, IOASID_PRIO_IOMMU },
			   .style = style,
			   .entry = INVALID_IOASID },
		.vdcm = { .nb = { vdcm_notify, NULL, IOASID_PRIO_DEVICE },
			  .programmed = INVALID_IOASID },
	};
	alarm(300);
	sem_init(&machine->iommu.go, 0, 0);
	sem_init(&machine->vdcm.go, 0, 0);
	INIT_WORK(&machine->iommu.free_work, iommu_free_work);
	INIT_WORK(&machine->vdcm.free_work, vdcm_free_work);
	assert_int_equal(ioasid_register_notifier_mm(machine->mm, &machine->vdcm.nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(machine->mm, &machine->kvm.nb), 0);
	assert_int_equal(ioasid_register_notifier(NULL, &machine->iommu.nb), 0);
	machine->set = ioasid_set_alloc(machine->mm, 16, IOASID_SET_TYPE_MM);
	assert_false(IS_ERR(machine->set));
}

static void power_off(struct machine *machine)
{
	ioasid_set_put(machine->set);
	ioasid_unregister_notifier(NULL, &machine->iommu.nb);
	ioasid_unregister_notifier_mm(machine->mm, &machine->kvm.nb);
	ioasid_unregister_notifier_mm(machine->mm, &machine->vdcm.nb);
	mmput(machine->mm);
	if (machine->iommu.wq)
		destroy_workqueue(machine->iommu.wq);
	sem_destroy(&machine->iommu.go);
	sem_destroy(&machine->vdcm.go);
	alarm(0);
}

/* From allocation to DMA: the first six rows of the normal cycle. */
static ioasid_t start_dma(struct machine *machine)
{
	ioasid_t id = ioasid_alloc(machine->set, 1, 1000, NULL);

	assert_int_equal(references(id), 1);
	assert_heard("kvm ALLOC; ");
	assert_int_equal(iommu_bind(&machine->iommu, machine->set, id, GUEST_PASID), 0);
	assert_heard("kvm BIND; ");
	/* The driver's and, taken in the handler, KVM's. */
	assert_int_equal(references(id), 3);
	assert_int_equal(machine->kvm.guest, GUEST_PASID);
	assert_int_equal(machine->kvm.host, id);
	vdcm_program(&machine->vdcm, machine->set, GUEST_PASID);
	assert_int_equal(machine->vdcm.programmed, id);
	assert_int_equal(references(id), 4);
	return id;
}

static void normal_cycle(enum style style)
{
	struct machine machine;
	ioasid_t id;

	power_on(&machine, style);
	id = start_dma(&machine);
	vdcm_clear(&machine.vdcm);
	assert_int_equal(references(id), 3);
	assert_int_equal(iommu_unbind(&machine.iommu, id), 0);
	assert_heard("kvm UNBIND; ");
	assert_int_equal(machine.kvm.host, INVALID_IOASID);
	assert_int_equal(references(id), 2);
	iommu_put(&machine.iommu, id);
	assert_int_equal(references(id), 1);
	ioasid_free(machine.set, id);
	assert_heard("kvm FREE; iommu FREE; vdcm FREE; ");
	assert_int_equal(references(id), 0);
	assert_int_equal(read_stats().live, 0);
	power_off(&machine);
}

static void normal_cycle_as_in_v2(void **state)
{
	(void)state;
	normal_cycle(SERIES_V2);
}

static void normal_cycle_as_in_v4(void **state)
{
	(void)state;
	normal_cycle(SERIES_V4);
}

static void let_go(sem_t *go, struct work_struct *work)
{
	sem_post(go);
	flush_work(work);
}

/* FREE while DMA runs; the steps that follow it may come in any order. */
static void free_before_unbind(enum style style, bool vdcm_first)
{
	struct machine machine;
	ioasid_t id;

	power_on(&machine, style);
	/* A queue of its own, so that either may go first. */
	machine.iommu.wq = alloc_ordered_workqueue("vtd", 0);
	id = start_dma(&machine);

	ioasid_free(machine.set, id);
	assert_heard("kvm FREE; iommu FREE; vdcm FREE; ");
	assert_int_equal(machine.kvm.host, INVALID_IOASID);
	/* KVM's went in its handler, the allocator's after them all. */
	assert_int_equal(references(id), 2);
	assert_int_equal(ioasid_get(machine.set, id), -EBUSY);
	assert_int_equal(ioasid_find_by_spid(machine.set, GUEST_PASID), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(machine.set, id, id, NULL), INVALID_IOASID);

	if (vdcm_first)
		let_go(&machine.vdcm.go, &machine.vdcm.free_work);
	else
		let_go(&machine.iommu.go, &machine.iommu.free_work);
	assert_int_equal(references(id), 1);
	assert_int_equal(ioasid_alloc(machine.set, id, id, NULL), INVALID_IOASID);
	if (vdcm_first)
		let_go(&machine.iommu.go, &machine.iommu.free_work);
	else
		let_go(&machine.vdcm.go, &machine.vdcm.free_work);
	assert_int_equal(references(id), 0);
	assert_int_equal(read_stats().live, 0);

	assert_int_equal(iommu_unbind(&machine.iommu, id), -ENOENT);
	assert_heard("");
	assert_int_equal(ioasid_alloc(machine.set, id, id, NULL), id);
	assert_int_equal(references(id), 1);
	ioasid_free(machine.set, id);
	assert_heard("kvm ALLOC; kvm FREE; iommu FREE; vdcm FREE; ");
	power_off(&machine);
}

static void free_before_unbind_as_in_v2(void **state)
{
	(void)state;
	free_before_unbind(SERIES_V2, true);
}

static void free_before_unbind_as_in_v4(void **state)
{
	(void)state;
	free_before_unbind(SERIES_V4, true);
}

static void free_before_unbind_with_the_iommu_first(void **state)
{
	(void)state;
	free_before_unbind(SERIES_V2, false);
	free_before_unbind(SERIES_V4, false);
}

/* Both on the library's ordered queue: as their handlers were told, by priority. */
static void deferred_work_keeps_the_order_of_the_event(void **state)
{
	struct machine machine;
	ioasid_t id;

	(void)state;
	power_on(&machine, SERIES_V4);
	id = start_dma(&machine);
	ioasid_free(machine.set, id);
	assert_heard("kvm FREE; iommu FREE; vdcm FREE; ");
	/* The device's may go, but the IOMMU's is before it. */
	sem_post(&machine.vdcm.go);
	assert_int_equal(references(id), 2);
	let_go(&machine.iommu.go, &machine.iommu.free_work);
	flush_work(&machine.vdcm.free_work);
	assert_int_equal(read_stats().live, 0);
	power_off(&machine);
}

/* The set ends with the VM, DMA still running: freeing must always succeed. */
static void the_death_of_the_vm_frees_what_is_bound(void **state)
{
	struct machine machine;
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	power_on(&machine, SERIES_V4);
	id = start_dma(&machine);
	set = machine.set;
	ioasid_set_put(set);
	assert_heard("kvm FREE; iommu FREE; vdcm FREE; ");
	assert_int_equal(references(id), 2);
	assert_int_equal(read_stats().dying, 1);
	/* The holders' references are good, with the set they know, until they are put. */
	assert_ptr_equal(ioasid_find_set(id), set);
	sem_post(&machine.iommu.go);
	sem_post(&machine.vdcm.go);
	flush_work(&machine.iommu.free_work);
	flush_work(&machine.vdcm.free_work);
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(read_stats().dying, 0);
	/* The guest starts anew: those who wait for its set have it again. */
	machine.set = ioasid_set_alloc(machine.mm, 16, IOASID_SET_TYPE_MM);
	ioasid_free(machine.set, new_id(machine.set, NULL));
	assert_heard("kvm ALLOC; kvm FREE; iommu FREE; vdcm FREE; ");
	power_off(&machine);
}

/* Several devices bind one PASID: the first BIND and the last UNBIND count. */
static void only_the_first_bind_and_the_last_unbind_are_told(void **state)
{
	(void)state;
	for (enum style style = SERIES_V2; style <= SERIES_V4; style++) {
		struct machine machine;
		ioasid_t id;

		power_on(&machine, style);
		id = ioasid_alloc(machine.set, 1, 1000, NULL);
		for (int device = 0; device < 3; device++)
			assert_int_equal(iommu_bind(&machine.iommu, machine.set, id, GUEST_PASID),
					 0);
		assert_heard("kvm ALLOC; kvm BIND; ");
		assert_int_equal(references(id), 3);
		for (int device = 0; device < 3; device++)
			assert_int_equal(iommu_unbind(&machine.iommu, id), 0);
		assert_heard("kvm UNBIND; ");
		iommu_put(&machine.iommu, id);
		ioasid_free(machine.set, id);
		assert_heard("kvm FREE; iommu FREE; vdcm FREE; ");
		power_off(&machine);
	}
}

/* A guest that frees again and again hurts nobody but itself. */
static void a_guest_that_frees_twice_takes_nobodys_reference(void **state)
{
	struct machine machine;
	ioasid_t id;

	(void)state;
	power_on(&machine, SERIES_V4);
	id = start_dma(&machine);
	for (int i = 0; i < 10; i++)
		ioasid_free(machine.set, id);
	assert_heard("kvm FREE; iommu FREE; vdcm FREE; ");
	assert_int_equal(references(id), 2);
	sem_post(&machine.vdcm.go);
	let_go(&machine.iommu.go, &machine.iommu.free_work);
	flush_work(&machine.vdcm.free_work);
	assert_int_equal(read_stats().live, 0);
	power_off(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(normal_cycle_as_in_v2),
		CLEAN_TEST(normal_cycle_as_in_v4),
		CLEAN_TEST(free_before_unbind_as_in_v2),
		CLEAN_TEST(free_before_unbind_as_in_v4),
		CLEAN_TEST(free_before_unbind_with_the_iommu_first),
		CLEAN_TEST(deferred_work_keeps_the_order_of_the_event),
		CLEAN_TEST(the_death_of_the_vm_frees_what_is_bound),
		CLEAN_TEST(only_the_first_bind_and_the_last_unbind_are_told),
		CLEAN_TEST(a_guest_that_frees_twice_takes_nobodys_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
