// SPDX-License-Identifier: MIT
// Makes visible what the driver does inside: watches its events, and holds its work items back.

#include <semaphore.h>
#include "flow.h"
#include "host.h"

/* ---- watching: what the driver does is seen through the events it causes ---- */

/* Told before everybody else, and right after the driver. */
struct watch {
	struct notifier_block first;
	struct notifier_block after_iommu;
	struct work_struct work;
	struct vm *vm;
	ioasid_t id;
};

static struct watch watches[2];
static bool holding;

static int first_told(struct notifier_block *nb, unsigned long event, void *data)
{
	struct watch *watch = container_of(nb, struct watch, first);
	const struct ioasid_nb_args *args = data;

	switch (event) {
	case IOASID_NOTIFY_BIND:
		flow_note(IOMMU_BINDS, watch->vm, args->id, 0);
		flow_note(BIND_IS_TOLD, watch->vm, args->id, 0);
		break;
	case IOASID_NOTIFY_UNBIND:
		flow_note(UNBIND_IS_TOLD, watch->vm, args->id, 0);
		break;
	case IOASID_NOTIFY_FREE:
		flow_note(FREE_IS_TOLD, watch->vm, args->id, 0);
		break;
	}
	return NOTIFY_OK;
}

/* Behind the driver's item on the ordered queue. */
static void iommu_has_worked(struct work_struct *work)
{
	struct watch *watch = container_of(work, struct watch, work);

	flow_note(IOMMU_WORKS, watch->vm, watch->id, 0);
}

static int told_after_iommu(struct notifier_block *nb, unsigned long event, void *data)
{
	struct watch *watch = container_of(nb, struct watch, after_iommu);
	const struct ioasid_nb_args *args = data;

	if (event != IOASID_NOTIFY_FREE || !holding)
		return NOTIFY_DONE;
	watch->id = args->id;
	ioasid_queue_work(&watch->work);
	flow_note(IOMMU_QUEUES, watch->vm, args->id, 0);
	return NOTIFY_OK;
}

/* Watches the set of a guest until the set dies. */
void flow_watch(struct vm *vm)
{
	struct watch *watch = &watches[vm->number - 1];

	if (!flow_is_running())
		return;
	if (vm->number > 2)
		die("a flow has two guests at most");
	*watch = (struct watch){
		.first = { .notifier_call = first_told, .priority = IOASID_PRIO_CPU + 1 },
		.after_iommu = { .notifier_call = told_after_iommu, .priority = IOASID_PRIO_IOMMU },
		.vm = vm,
	};
	INIT_WORK(&watch->work, iommu_has_worked);
	if (ioasid_register_notifier(vm->set, &watch->first) ||
	    ioasid_register_notifier(vm->set, &watch->after_iommu))
		die("cannot watch");
}

/* ---- holding work back, so that what is between FREE and the work can be seen ---- */

struct gate {
	struct work_struct work;
	sem_t reached, open;
};

static struct gate iommu_gate, vdcm_gate;
static struct workqueue_struct *vdcm_queue;

static void stand_at_gate(struct work_struct *work)
{
	struct gate *gate = container_of(work, struct gate, work);

	sem_post(&gate->reached);
	sem_wait(&gate->open);
}

static void close_gate(struct gate *gate, struct workqueue_struct *wq)
{
	sem_init(&gate->reached, 0, 0);
	sem_init(&gate->open, 0, 0);
	INIT_WORK(&gate->work, stand_at_gate);
	if (wq)
		queue_work(wq, &gate->work);
	else
		ioasid_queue_work(&gate->work);
	sem_wait(&gate->reached);
}

static void open_gate(struct gate *gate)
{
	sem_post(&gate->open);
	flush_work(&gate->work);
}

/*
 * On one ordered queue the IOMMU's work comes first, as its handler did. With a queue of its own,
 * VDCM's can come first, as in the document.
 */
void flow_hold(bool separate_queues)
{
	holding = true;
	close_gate(&iommu_gate, NULL);
	if (!separate_queues)
		return;
	vdcm_queue = alloc_ordered_workqueue("vdcm", 0);
	if (!vdcm_queue)
		die("no queue");
	close_gate(&vdcm_gate, vdcm_queue);
	vdcm_use_queue(vdcm_queue);
}

void flow_let_vdcm_work(void)
{
	open_gate(&vdcm_gate);
	vdcm_use_queue(NULL);
	destroy_workqueue(vdcm_queue);
}

void flow_let_iommu_work(void)
{
	open_gate(&iommu_gate);
	host_settle();
	holding = false;
}
