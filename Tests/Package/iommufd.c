// SPDX-License-Identifier: MIT
// The code of docs/iommufd.md (page.h), with an ioctl() that says what the device may reach by now.
#include "page.h"

#include <linux/ioasid-debug.h>
#include <stdarg.h>
#include <stdio.h>

#define DEVICE 1234
#define LIMIT 255
#define check(truth) \
	do { \
		if (!(truth)) { \
			printf("FAIL: line %d: %s\n", __LINE__, #truth); \
			failures++; \
		} \
	} while (0)

static int failures, attached, refuse_attach, refuse_detach, binds, frees;
static ioasid_t reached;

int ioctl(int file, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	check(file == DEVICE);
	if (request == VFIO_DEVICE_ATTACH_IOMMUFD_PT) {
		const struct vfio_device_attach_iommufd_pt *attach = argument;

		check(attach->argsz == sizeof(*attach) &&
		      attach->flags == VFIO_DEVICE_ATTACH_PASID);
		check(attach->pt_id == 7);
		if (refuse_attach) {
			errno = EBUSY;
			return -1;
		}
		reached = attach->pasid;
		attached++;
	} else if (request == VFIO_DEVICE_DETACH_IOMMUFD_PT) {
		const struct vfio_device_detach_iommufd_pt *detach = argument;

		check(detach->argsz == sizeof(*detach) &&
		      detach->flags == VFIO_DEVICE_DETACH_PASID);
		check(attached && detach->pasid == reached);
		if (refuse_detach) {
			errno = EIO;
			return -1;
		}
		attached--;
	} else {
		check(!"an ioctl that nobody knows");
	}
	return 0;
}

/* Told before the owner: what the page says is so must be so. */
static int watch(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_BIND) {
		binds++;
		check(attached == 1 && reached == args->id);
	}
	if (event == IOASID_NOTIFY_FREE)
		frees++;
	return NOTIFY_OK;
}

static bool nothing_is_left(void)
{
	struct ioasid_stats now;

	ioasid_get_stats(&now);
	return now.live == 0 && now.pending == 0 && !attached;
}

int main(void)
{
	struct owner owner = { { .notifier_call = device_told, .priority = IOASID_PRIO_DEVICE },
			       DEVICE };
	struct notifier_block watcher = { .notifier_call = watch, .priority = IOASID_PRIO_CPU };
	struct ioasid_set *guest = ioasid_set_alloc(NULL, 8, IOASID_SET_TYPE_NULL);
	struct ioasid_stats now;
	ioasid_t id;

	check(!ioasid_register_notifier(guest, &owner.nb));
	check(!ioasid_register_notifier(guest, &watcher));

	id = bind_pasid(&owner, guest, LIMIT, 42, 7);
	check(id >= 1 && id <= LIMIT && attached == 1 && binds == 1);
	check(ioasid_find_by_spid_ref(guest, 42, false) == id);
	ioasid_free(guest, id);
	check(frees == 1 && nothing_is_left());

	/* What the device may still reach is nobody else's. */
	id = bind_pasid(&owner, guest, LIMIT, 42, 7);
	refuse_detach = 1;
	ioasid_free(guest, id);
	refuse_detach = 0;
	ioasid_get_stats(&now);
	check(attached == 1 && now.pending == 1);
	check(detach_pasid(DEVICE, id) == 0 && ioasid_put(NULL, id));
	check(binds == 2 && nothing_is_left());

	refuse_attach = 1;
	check(bind_pasid(&owner, guest, LIMIT, 42, 7) == INVALID_IOASID);
	/* FREE of an id that was not attached detaches nothing, and puts nothing. */
	check(binds == 2 && nothing_is_left());
	refuse_attach = 0;

	/* The guest uses a number twice: the second is detached, and the first as it was. */
	id = bind_pasid(&owner, guest, LIMIT, 42, 7);
	check(bind_pasid(&owner, guest, LIMIT, 42, 7) == INVALID_IOASID);
	check(binds == 3 && attached == 1 && ioasid_is_active(id));

	/* The guest dies. */
	reached = id;
	ioasid_set_put(guest);
	check(nothing_is_left());
	puts(failures ? "wrong" : "as the page says");
	return failures != 0;
}
