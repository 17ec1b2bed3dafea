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

/* The last put freed the name, and could not say so behind the release function: there may be no device. */
static void forget_name(struct device *dev)
{
	if (dev->name == dev->ended)
		dev->name = NULL;
	dev->ended = NULL;
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
	forget_name(dev);
	old = dev->name;
	dev->name = name;
	dev->init_name = NULL;
	cio_free(old);
	return 0;
}

/* References are counted here, not by kref: a get or put too many leaves 0 as it is, for the next use. */
static int count_of(struct device *dev)
{
	return (int)kref_read(&dev->ref);
}

void ioasid_dev_init(struct device *dev)
{
	if (!is_ours(dev)) {
		cio_warn("device_initialize of NULL, or of a device of the VT-d model");
		return;
	}
	if (count_of(dev)) {
		cio_warn("device_initialize of a device that has references");
		return;
	}
	forget_name(dev);
	kref_init(&dev->ref);
	mutex_init(&dev->mutex);
}

struct device *ioasid_dev_get(struct device *dev)
{
	if (is_ours(dev) && !kref_get_unless_zero(&dev->ref))
		cio_warn("get_device of a device without references");
	return dev;
}

static void release(struct device *dev)
{
	char *name = dev->name;

	dev->ended = name;
	if (dev->release)
		dev->release(dev);
	else
		ioasid_printk(KERN_WARNING "device '%s' has no release function\n",
			      ioasid_dev_name(dev));
	cio_free(name);
}

void ioasid_dev_put(struct device *dev)
{
	int *count, old;

	if (!is_ours(dev))
		return;
	count = &dev->ref.refcount.refs.counter;
	old = count_of(dev);
	do {
		if (old == 0) {
			cio_warn("put_device of a device without references");
			return;
		}
		if (old < 0) /* saturated: it stays */
			return;
	} while (!__atomic_compare_exchange_n(count, &old, old - 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (old == 1)
		release(dev);
}
