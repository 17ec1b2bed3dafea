// SPDX-License-Identifier: MIT
// The device model: work queue registers of mediated devices, and the engines that do their DMA.

#include <stdlib.h>
#include <unistd.h>
#include "flow.h"
#include "host.h"

/* NULL is the library's ordered queue. */
static struct workqueue_struct *vdcm_queue;

/* Lets clearing happen before the driver's teardown, which waits on the library's queue. */
void vdcm_use_queue(struct workqueue_struct *wq)
{
	vdcm_queue = wq;
}

/* The hardware of the work queue. It goes on whatever happens to the guest. */
static void *engine(void *data)
{
	struct mdev *mdev = data;

	pthread_mutex_lock(&mdev->lock);
	while (!mdev->over) {
		if (!mdev->running) {
			pthread_cond_wait(&mdev->changed, &mdev->lock);
			continue;
		}
		if (vtd_dma(mdev->dev, mdev->pasid, BUFFER, VTD_DMA_WRITE, NULL))
			mdev->blocked++;
		else
			mdev->passed++;
		pthread_cond_broadcast(&mdev->changed);
		pthread_mutex_unlock(&mdev->lock);
		usleep(20);
		pthread_mutex_lock(&mdev->lock);
	}
	pthread_mutex_unlock(&mdev->lock);
	return NULL;
}

/* Takes @pasid out of the register (any, if INVALID_IOASID) and stops its DMA. Puts nothing. */
static ioasid_t take_register(struct mdev *mdev, ioasid_t pasid)
{
	ioasid_t taken = INVALID_IOASID;

	pthread_mutex_lock(&mdev->lock);
	if (!pasid_valid(pasid) || mdev->pasid == pasid) {
		taken = mdev->pasid;
		mdev->pasid = INVALID_IOASID;
		mdev->running = false;
		pthread_cond_broadcast(&mdev->changed);
	}
	pthread_mutex_unlock(&mdev->lock);
	return taken;
}

static ioasid_t read_register(struct mdev *mdev)
{
	ioasid_t pasid;

	pthread_mutex_lock(&mdev->lock);
	pasid = mdev->pasid;
	pthread_mutex_unlock(&mdev->lock);
	return pasid;
}

/* After FREE. The register may have got another PASID since, which is none of our business. */
static void clear_freed(struct work_struct *work)
{
	struct mdev *mdev = container_of(work, struct mdev, clear);
	ioasid_t pasid = read_register(mdev);

	if (!pasid_valid(pasid) || ioasid_is_active(pasid))
		return;
	/* If the guest cleared it just now, it also dropped the reference. */
	if (!pasid_valid(take_register(mdev, pasid)))
		return;
	ioasid_put(mdev->vm->set, pasid);
	flow_note(VDCM_WORKS, mdev->vm, pasid, 0);
}

static void queue_clear(struct mdev *mdev)
{
	if (vdcm_queue)
		queue_work(vdcm_queue, &mdev->clear);
	else
		ioasid_queue_work(&mdev->clear);
}

/* UNBIND needs nothing: no DMA passes any more, and the reference keeps the number. */
static int vdcm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct mdev *mdev = container_of(nb, struct mdev, nb);
	const struct ioasid_nb_args *args = data;

	if (event != IOASID_NOTIFY_FREE || read_register(mdev) != args->id)
		return NOTIFY_DONE;
	queue_clear(mdev);
	flow_note(VDCM_QUEUES, mdev->vm, args->id, 0);
	return NOTIFY_OK;
}

void vdcm_open(struct mdev *mdev)
{
	struct ioasid_set *set = ioasid_find_mm_set(mdev->vm->mm);

	INIT_WORK(&mdev->clear, clear_freed);
	pthread_mutex_init(&mdev->lock, NULL);
	pthread_cond_init(&mdev->changed, NULL);
	mdev->pasid = INVALID_IOASID;
	mdev->nb.notifier_call = vdcm_event;
	mdev->nb.priority = IOASID_PRIO_DEVICE;
	if (ioasid_register_notifier(set, &mdev->nb) ||
	    pthread_create(&mdev->engine, NULL, engine, mdev))
		die("no mediated device");
	flow_note(VDCM_LISTENS, mdev->vm, INVALID_IOASID, 0);
}

void vdcm_close(struct mdev *mdev)
{
	vdcm_program(mdev, INVALID_IOASID);
	ioasid_unregister_notifier(mdev->vm->set, &mdev->nb);
	cancel_work_sync(&mdev->clear);
	pthread_mutex_lock(&mdev->lock);
	mdev->over = true;
	pthread_cond_broadcast(&mdev->changed);
	pthread_mutex_unlock(&mdev->lock);
	pthread_join(mdev->engine, NULL);
	pthread_cond_destroy(&mdev->changed);
	pthread_mutex_destroy(&mdev->lock);
}

/* The guest writes its PASID into the register; the device gets the host's. */
int vdcm_program(struct mdev *mdev, ioasid_t guest)
{
	ioasid_t host = INVALID_IOASID, old;

	if (pasid_valid(guest)) {
		host = ioasid_find_by_spid(mdev->vm->set, guest);
		if (!pasid_valid(host)) {
			flow_note(VDCM_REFUSES, mdev->vm, INVALID_IOASID, -EINVAL);
			return -EINVAL;
		}
	}
	old = take_register(mdev, INVALID_IOASID);
	if (pasid_valid(old)) {
		ioasid_put(mdev->vm->set, old);
		flow_note(VDCM_CLEARS, mdev->vm, old, 0);
	}
	if (pasid_valid(host)) {
		pthread_mutex_lock(&mdev->lock);
		mdev->pasid = host;
		pthread_mutex_unlock(&mdev->lock);
		flow_note(VDCM_PROGRAMS, mdev->vm, host, 0);
		/* FREE that came since the look-up did not find it in the register. */
		if (!ioasid_is_active(host))
			queue_clear(mdev);
	}
	return 0;
}

/* The guest rings the doorbell. Returns when the first DMA is done. */
int vdcm_start(struct mdev *mdev)
{
	ioasid_t pasid;
	u64 passed, blocked;
	int error = 0;

	pthread_mutex_lock(&mdev->lock);
	pasid = mdev->pasid;
	passed = mdev->passed;
	blocked = mdev->blocked;
	if (!pasid_valid(pasid))
		error = -EINVAL;
	else if (mdev->running)
		error = -EBUSY;
	if (!error) {
		mdev->running = true;
		pthread_cond_broadcast(&mdev->changed);
		while (mdev->running && mdev->passed == passed && mdev->blocked == blocked)
			pthread_cond_wait(&mdev->changed, &mdev->lock);
		error = mdev->passed == passed ? -EIO : 0;
	}
	pthread_mutex_unlock(&mdev->lock);
	flow_note(GUEST_STARTS, mdev->vm, pasid, error);
	return error;
}

void vdcm_stop(struct mdev *mdev)
{
	pthread_mutex_lock(&mdev->lock);
	mdev->running = false;
	pthread_mutex_unlock(&mdev->lock);
	flow_note(GUEST_STOPS, mdev->vm, read_register(mdev), 0);
}

/* The device accesses the page on demand. -EAGAIN: it has asked for it. */
int vdcm_touch(struct mdev *mdev, ioasid_t guest)
{
	ioasid_t host = vfio_host_pasid(mdev->vm, guest);
	int error = pasid_valid(host) ? vtd_dma(mdev->dev, host, ON_DEMAND, VTD_DMA_READ, NULL)
				      : -EINVAL;

	if (error > 0)
		error = -EIO;
	flow_note(VDCM_TOUCHES, mdev->vm, host, error);
	return error;
}
