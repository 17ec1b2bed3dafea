/* SPDX-License-Identifier: MIT */
/*
 * Clients of V4 beside each other: a device model that subscribes to the set of a guest's mm before it exists,
 * looks guest PASIDs up and drops what it holds in ordered work; and a translation table as KVM's.
 */
#define IOASID_API 4
#include <linux/ioasid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "api.h"

#define ENTRIES 64

/* ---- the translation table: guest PASID to host PASID, for the CPU ---- */

static ioasid_t table[ENTRIES];

static int on_cpu(struct notifier_block *nb, unsigned long event, void *data)
{
	struct ioasid_nb_args *args = data;

	(void)nb;
	switch (event) {
	case IOASID_NOTIFY_BIND:
		if (args->spid < ENTRIES && !ioasid_get_locked(args->set, args->id))
			table[args->spid] = args->id;
		return NOTIFY_OK;
	case IOASID_NOTIFY_UNBIND:
	case IOASID_NOTIFY_FREE:
		if (args->spid >= ENTRIES || table[args->spid] != args->id)
			return NOTIFY_DONE;
		table[args->spid] = INVALID_IOASID;
		ioasid_put_locked(args->set, args->id);
		return NOTIFY_OK;
	}
	return NOTIFY_DONE;
}

/* ---- the device model ---- */

struct vdev {
	struct notifier_block nb;
	struct mm_struct *mm;
	spinlock_t lock;
	ioasid_t programmed; /* what the work queue of the device uses */
	unsigned int drained;
};

struct drain {
	struct work_struct work;
	struct vdev *vdev;
	ioasid_t id;
};

/* May sleep, as draining a device does. */
static void drain_and_put(struct work_struct *work)
{
	struct drain *drain = container_of(work, struct drain, work);

	__atomic_add_fetch(&drain->vdev->drained, 1, __ATOMIC_RELEASE);
	ioasid_put(NULL, drain->id);
	kfree(drain);
}

static int on_device(struct notifier_block *nb, unsigned long event, void *data)
{
	struct vdev *vdev = container_of(nb, struct vdev, nb);
	struct ioasid_nb_args *args = data;
	struct drain *drain;

	if (event != IOASID_NOTIFY_FREE)
		return NOTIFY_DONE;
	spin_lock(&vdev->lock);
	if (vdev->programmed != args->id) {
		/* V4 tells those that hold something; here everybody is told: see docs/porting.md. */
		spin_unlock(&vdev->lock);
		return NOTIFY_DONE;
	}
	vdev->programmed = INVALID_IOASID;
	spin_unlock(&vdev->lock);
	drain = kzalloc(sizeof(*drain), GFP_ATOMIC);
	INIT_WORK(&drain->work, drain_and_put);
	drain->vdev = vdev;
	drain->id = args->id;
	ioasid_queue_work(&drain->work);
	return NOTIFY_OK;
}

/* The guest writes its PASID into a register. */
static int program(struct vdev *vdev, struct ioasid_set *set, ioasid_t guest_pasid)
{
	ioasid_t id = ioasid_find_by_spid(set, guest_pasid, true);

	if (id == INVALID_IOASID)
		return -EINVAL;
	spin_lock(&vdev->lock);
	vdev->programmed = id;
	spin_unlock(&vdev->lock);
	return 0;
}

static void wait_for(unsigned int *count, unsigned int wanted)
{
	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) != wanted)
		;
}

static void a_guest_comes_works_and_goes(void **state)
{
	struct vdev vdev = { .nb = { .notifier_call = on_device, .priority = IOASID_PRIO_DEVICE },
			     .programmed = INVALID_IOASID };
	struct notifier_block cpu = { .notifier_call = on_cpu, .priority = IOASID_PRIO_CPU };
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set;
	ioasid_t one, other;

	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		table[i] = INVALID_IOASID;
	spin_lock_init(&vdev.lock);
	assert_int_equal(ioasid_register_notifier_mm(mm, &vdev.nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(mm, &cpu), 0);
	set = ioasid_set_alloc(mm, 10, IOASID_SET_TYPE_MM);
	assert_ptr_equal(ioasid_find_mm_set(mm), set);
	one = ioasid_alloc(set, 1, 100, NULL);
	other = ioasid_alloc(set, 1, 100, NULL);
	assert_int_equal(ioasid_attach_spid(one, 7), 0);
	assert_int_equal(ioasid_attach_spid(other, 9), 0);
	assert_int_equal(table[7], one);

	assert_int_equal(program(&vdev, set, 8), -EINVAL);
	assert_int_equal(program(&vdev, set, 7), 0);
	/* The guest frees while its device is at work: nobody gets the number before it is drained. */
	ioasid_free(set, one);
	assert_int_equal(table[7], INVALID_IOASID);
	assert_int_equal(program(&vdev, set, 7), -EINVAL);
	wait_for(&vdev.drained, 1);
	while (ioasid_get(NULL, one) != -EINVAL)
		;
	assert_int_equal(ioasid_alloc(set, 1, 100, NULL), one);

	/* A second life of the number: told to both, and the late one of before takes nothing. */
	assert_int_equal(ioasid_attach_spid(one, 7), 0);
	assert_int_equal(program(&vdev, set, 9), 0);
	ioasid_free_all_in_set(set);
	wait_for(&vdev.drained, 2);
	while (ioasid_get(NULL, other) != -EINVAL)
		;
	assert_int_equal(table[7], INVALID_IOASID);
	assert_int_equal(table[9], INVALID_IOASID);
	assert_int_equal(ioasid_set_free(set), 0);
	ioasid_unregister_notifier_mm(mm, &vdev.nb);
	ioasid_unregister_notifier_mm(mm, &cpu);
	mmput(mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_comes_works_and_goes),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
