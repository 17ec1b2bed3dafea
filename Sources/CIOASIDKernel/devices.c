// SPDX-License-Identifier: MIT
// Devices of kernel code: <linux/device.h>.
#define _GNU_SOURCE
#include <stdarg.h>

#include "kernel.h"

#include <linux/device.h>

/* A device of the VT-d model has the unit that it is behind where ours have NULL. */
static bool is_ours(const struct device *dev)
{
	return dev && !dev->ioasid_none;
}

const char *ioasid_dev_driver(const struct device *dev)
{
	if (!is_ours(dev))
		return "";
	if (dev->driver && dev->driver->name)
		return dev->driver->name;
	return dev->bus && dev->bus->name ? dev->bus->name : "";
}

const char *ioasid_dev_name(const struct device *dev)
{
	if (!dev)
		return "(NULL device *)";
	if (!is_ours(dev))
		return "(unnamed device)";
	if (dev->init_name)
		return dev->init_name;
	return dev->name ? dev->name : "(unnamed device)";
}

static char *format_name(const char *fmt, va_list args)
{
	va_list again;
	char *name;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	name = length < 0 ? NULL : cio_allocate((size_t)length + 1);
	if (name)
		vsnprintf(name, (size_t)length + 1, fmt, args);
	return name;
}

int ioasid_dev_set_name(struct device *dev, const char *fmt, ...)
{
	char *name = NULL, *old;
	va_list args;

	if (!is_ours(dev)) {
		cio_warn("dev_set_name of NULL, or of a device of the VT-d model");
		return -EINVAL;
	}
	if (fmt) {
		va_start(args, fmt);
		name = format_name(fmt, args);
		va_end(args);
		if (!name)
			return -ENOMEM;
	}
	old = dev->name;
	dev->name = name;
	dev->init_name = NULL;
	cio_free(old);
	return 0;
}

void ioasid_dev_init(struct device *dev)
{
	if (!is_ours(dev)) {
		cio_warn("device_initialize of NULL, or of a device of the VT-d model");
		return;
	}
	if (kref_read(&dev->ref)) {
		cio_warn("device_initialize of a device that has references");
		return;
	}
	kref_init(&dev->ref);
	mutex_init(&dev->mutex);
}

struct device *ioasid_dev_get(struct device *dev)
{
	if (is_ours(dev))
		kref_get(&dev->ref);
	return dev;
}

static void release(struct kref *ref)
{
	struct device *dev = container_of(ref, struct device, ref);
	char *name = dev->name;

	if (dev->release)
		dev->release(dev);
	else
		ioasid_printk(KERN_WARNING "device '%s' has no release function\n",
			      ioasid_dev_name(dev));
	cio_free(name);
}

void ioasid_dev_put(struct device *dev)
{
	if (is_ours(dev))
		kref_put(&dev->ref, release);
}
