/* SPDX-License-Identifier: MIT */
/* Compat: devices of kernel code: a name, references, data of the driver, lines on the log. */
#ifndef IOASID_LINUX_DEVICE_H
#define IOASID_LINUX_DEVICE_H

#include <linux/compiler.h>
#include <linux/dev_printk.h>
#include <linux/types.h>

/* Sources that use this header count on what comes with the kernel's. */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

struct device;
struct device_node;
struct dev_iommu;
struct fwnode_handle;
struct iommu_group;
struct module;

struct bus_type {
	const char *name;
};

struct device_driver {
	const char *name;
	const struct bus_type *bus;
	struct module *owner;
};

/**
 * struct device - a device that kernel code makes for itself
 * @parent: the one it is behind
 * @ioasid_none: NULL. The model of libioasid-vtd has devices of its own, which have something else
 *	here: their name cannot be read, and nothing can be stored in them
 * @init_name: the first name; device_initialize() takes it over
 * @driver: its driver
 * @bus: its bus
 * @driver_data: what dev_set_drvdata() stored
 * @platform_data: for its maker
 * @iommu: for code of IOMMUs
 * @iommu_group: the same
 * @fwnode: for its maker
 * @of_node: the same
 * @dma_mask: the same
 * @coherent_dma_mask: the same
 * @id: the same
 * @mutex: device_lock()
 * @release: called with the last reference
 * @ref: references (library's own)
 * @name: what dev_set_name() made; freed behind @release (library's own)
 * @ended: the name that was freed with the last reference (library's own)
 *
 * There is no list of devices, no bus that probes, and no file in sysfs.
 */
struct device {
	struct device *parent;
	const void *ioasid_none;
	const char *init_name;
	struct device_driver *driver;
	const struct bus_type *bus;
	void *driver_data;
	void *platform_data;
	struct dev_iommu *iommu;
	struct iommu_group *iommu_group;
	struct fwnode_handle *fwnode;
	struct device_node *of_node;
	u64 *dma_mask;
	u64 coherent_dma_mask;
	u32 id;
	struct mutex mutex;
	void (*release)(struct device *dev);
	struct kref ref;
	char *name;
	const char *ended;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_dev_set_name() - name a device
 * @dev: the device
 * @fmt: printf format of the name; NULL takes the name away
 *
 * The name before it is freed: nobody may be reading it. The last put_device() frees the name.
 *
 * Return: 0; -ENOMEM, and the old name stays; -EINVAL for NULL and for a device of the VT-d model.
 * Context: any thread. Two at a time are the caller's to exclude.
 */
int ioasid_dev_set_name(struct device *dev, const char *fmt, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/**
 * ioasid_dev_init() - give a device a reference count
 * @dev: the device, zeroed but for what its maker knows of it; it has one reference then
 *
 * One that has references already is left alone, with a warning. One whose last reference was put, and
 * whose memory is still there, begins again.
 *
 * Context: any thread.
 */
void ioasid_dev_init(struct device *dev);

/**
 * ioasid_dev_get() - take a reference on a device
 * @dev: the device
 *
 * One that has no references, because it was not initialised or its last one was put, gets none: a warning.
 *
 * Return: @dev; NULL for NULL. Of a device of the VT-d model there are none to take.
 * Context: any.
 */
struct device *ioasid_dev_get(struct device *dev);

/**
 * ioasid_dev_put() - drop a reference on a device
 * @dev: the device; NULL and devices of the VT-d model do nothing
 *
 * The last one calls @dev->release, after which the device may be gone. Without one it warns, as the
 * kernel does. A put too many is a warning and does nothing: the
 * device has no references, as before, and may be initialised again.
 *
 * Context: any thread, and what the release function needs.
 */
void ioasid_dev_put(struct device *dev);

#ifdef __cplusplus
}
#endif

#define dev_set_name(dev, ...) ioasid_dev_set_name(dev, __VA_ARGS__)

static inline const char *dev_name(const struct device *dev)
{
	return ioasid_dev_name(dev);
}

static inline const char *dev_driver_string(const struct device *dev)
{
	return ioasid_dev_driver(dev);
}

static inline void device_initialize(struct device *dev)
{
	ioasid_dev_init(dev);
}

static inline struct device *get_device(struct device *dev)
{
	return ioasid_dev_get(dev);
}

static inline void put_device(struct device *dev)
{
	ioasid_dev_put(dev);
}

/* NULL for a device that cannot have any. */
static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev && !dev->ioasid_none ? dev->driver_data : NULL;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	if (!WARN_ON_ONCE(!dev || dev->ioasid_none))
		dev->driver_data = data;
}

static inline void *dev_get_platdata(const struct device *dev)
{
	return dev && !dev->ioasid_none ? dev->platform_data : NULL;
}

static inline void device_lock(struct device *dev)
{
	if (!WARN_ON_ONCE(!dev || dev->ioasid_none))
		mutex_lock(&dev->mutex);
}

static inline void device_unlock(struct device *dev)
{
	if (!WARN_ON_ONCE(!dev || dev->ioasid_none))
		mutex_unlock(&dev->mutex);
}

#endif
