/* SPDX-License-Identifier: MIT */
/* The driver of VT-d: units, the host's PASIDs, guest PASID binding, virtual command. */
#ifndef IOASID_LINUX_INTEL_IOMMU_H
#define IOASID_LINUX_INTEL_IOMMU_H

#include <linux/ioasid.h>
#include <linux/iommu.h>
#include <linux/types.h>

struct device;
struct intel_iommu;

#define PASID_RID2PASID 0x0
#define PASID_MIN 0x1
#define PASID_MAX 0x100000

/* The set of the host's own PASIDs (native bindings, mediated devices). */
#define host_pasid_set intel_host_pasid_set()

#ifdef __cplusplus
extern "C" {
#endif

/**
 * intel_iommu_enable() - the driver takes a unit and the devices behind it
 * @iommu: the unit, from vtd_unit_create()
 *
 * Tables are made and the root register is set: from now on DMA is translated. The first unit
 * installs the capacity of PASIDs, creates host_pasid_set and listens to FREE; a unit with a
 * virtual command register registers it as custom allocator.
 *
 * Return: 0; -EINVAL no unit; -EBUSY it is enabled, or a program drives it by its registers; -EAGAIN ids are out that the custom allocator
 * would have to know; -ENOMEM. On error nothing is left behind.
 * Context: may sleep.
 */
int intel_iommu_enable(struct intel_iommu *iommu);

/**
 * intel_iommu_disable() - the driver gives a unit and its devices up
 * @iommu: the unit
 *
 * With the last unit host_pasid_set is put and the driver listens no more.
 *
 * Return: 0; -EINVAL it is not enabled; -EBUSY PASIDs are bound or domains attached behind it.
 * Context: may sleep; waits for the work items of PASIDs that were freed. Not from a work item of
 * ioasid_queue_work(), nor from an ioasid notifier.
 */
int intel_iommu_disable(struct intel_iommu *iommu);

/**
 * intel_host_pasid_set() - the set of the host's own PASIDs
 *
 * Return: the set; NULL while no unit is enabled. It has no quota: what devices can address is the
 * limit.
 * Context: takes no lock. From everywhere.
 */
struct ioasid_set *intel_host_pasid_set(void);

/**
 * intel_pasid_max() - one more than the highest PASID that every enabled unit supports
 *
 * Return: the limit; 0 while no unit is enabled.
 * Context: takes no lock. From everywhere.
 */
u32 intel_pasid_max(void);

/**
 * intel_svm_bind_gpasid() - let a device use a host PASID with a guest's page table
 * @domain: the guest's domain, attached to @dev
 * @dev: the device
 * @data: the binding
 *
 * The PASID table entry is nested: the guest's page table, whose addresses go through @domain. The
 * first device takes a reference on the PASID and causes BIND; with IOMMU_SVA_GPASID_VAL the guest
 * PASID becomes its SPID. Several devices may bind one PASID, behind several units, with the same
 * data. A device binds it again only for another mediated device (@domain attached as one more),
 * which counts.
 *
 * The caller is trusted unless it is a guest's process: one whose mm (current->mm) is the token of a
 * set may bind PASIDs of that set only. See iommu_uapi_sva_bind_gpasid() for requests of user space.
 *
 * Return: 0; -EPERM the PASID is not of the process's set; -EINVAL a bad argument, a field of @data,
 * @domain is not attached to @dev, the PASID is unknown or bound otherwise, or its guest PASID is taken; -ENODEV unknown device, or its unit
 * is not enabled; -EOPNOTSUPP the unit does not nest; -EBUSY the PASID is FREE_PENDING, or bound to
 * @dev; -ENOMEM; -EDEADLK called from a handler that a binding of this thread caused; what a
 * handler of BIND refused with. On error nothing has changed.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.8 and the series.
 */
int intel_svm_bind_gpasid(struct iommu_domain *domain, struct device *dev,
			  struct iommu_gpasid_bind_data *data);

/**
 * intel_svm_unbind_gpasid() - end the use of a guest's page table with a host PASID
 * @dev: the device
 * @pasid: the host PASID
 *
 * With the last unbind of @dev no DMA of it passes any more and its page requests are drained.
 * With the last device UNBIND is sent, and the reference put. After FREE a work item does all this
 * for every device, without recording faults until the late unbind of a device, or the next binding of
 * the PASID.
 *
 * A caller is trusted, or not, as by intel_svm_bind_gpasid().
 *
 * Return: 0; -EPERM the PASID is not of the process's set; -EINVAL not bound, also if that work came first; -ENODEV unknown device; -EDEADLK
 * called from a handler that a binding of this thread caused.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.8 and the series.
 */
int intel_svm_unbind_gpasid(struct device *dev, u32 pasid);

/**
 * intel_iommu_sva_invalidate() - make the hardware forget what a guest told its own unit to forget
 * @domain: the guest's domain, attached to @dev
 * @dev: the device
 * @inv_info: caches and granularity; the PASID is the guest's, or the host's if it was bound without
 *	IOMMU_SVA_GPASID_VAL
 *
 * The PASID is translated to the host's by what is bound on @domain to @dev, the domain id to the one
 * that @domain has: nothing else can be reached. With the IOTLB the device's own TLB is told as well, because a
 * guest may count on it. IOMMU_INV_GRANU_ADDR takes the smallest aligned range that has all pages, or
 * the whole PASID beyond a gigabyte. After it returns no cache has what was named.
 *
 * Return: 0; -EINVAL a bad argument, a field of @inv_info, a granularity that a cache has not (pages
 * of the PASID cache, a domain of the device TLB), @domain is not attached to @dev, or the PASID is not
 * bound there; -ENODEV unknown device; -EPERM as intel_svm_bind_gpasid(); -EDEADLK called from a
 * handler that a binding of this thread caused.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
int intel_iommu_sva_invalidate(struct iommu_domain *domain, struct device *dev,
			       struct iommu_cache_invalidate_info *inv_info);

/**
 * intel_svm_add_pasid_notifier() - have the driver listen to FREE
 *
 * intel_iommu_enable() does it; calling it again changes nothing.
 *
 * Return: 0; -ENODEV no unit is enabled; what ioasid_register_notifier() returned. The series
 * returns nothing.
 * Context: takes the core lock.
 */
int intel_svm_add_pasid_notifier(void);

/**
 * intel_vcmd_ioasid_alloc() - ask the hypervisor for a PASID; an ioasid_alloc_fn_t
 * @min: lowest wanted
 * @max: highest wanted
 * @data: the unit
 *
 * Return: the PASID; INVALID_IOASID no unit with virtual command, the range is not within PASIDs,
 * the hypervisor has none, or it is outside the range, which the register cannot say (it is given
 * back then).
 * Context: called by ioasid_alloc(), with the core lock held.
 */
ioasid_t intel_vcmd_ioasid_alloc(ioasid_t min, ioasid_t max, void *data);

/**
 * intel_vcmd_ioasid_free() - give a PASID back to the hypervisor; an ioasid_free_fn_t
 * @ioasid: the PASID; refused while it is in use
 * @data: the unit
 *
 * Context: called when an id is reclaimed, with the core lock held.
 */
void intel_vcmd_ioasid_free(ioasid_t ioasid, void *data);

#ifdef __cplusplus
}
#endif

#include <linux/ioasid-vtd.h>

#endif
