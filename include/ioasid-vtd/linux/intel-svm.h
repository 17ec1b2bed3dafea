/* SPDX-License-Identifier: MIT */
/* Shared virtual memory of VT-d: a process of the host bound to a device. */
#ifndef IOASID_LINUX_INTEL_SVM_H
#define IOASID_LINUX_INTEL_SVM_H

#include <linux/types.h>

struct device;

/**
 * struct svm_dev_ops - callbacks of a device driver
 * @fault_cb: told of each page request of the PASID that was answered; @rwxp has SVM_REQ_* bits,
 *	@response is that of <linux/iommu.h>, @private is NULL
 */
struct svm_dev_ops {
	void (*fault_cb)(struct device *dev, u32 pasid, u64 address, void *private_data, int rwxp,
			 int response);
};

#define SVM_REQ_READ (1 << 3)
#define SVM_REQ_WRITE (1 << 2)
#define SVM_REQ_EXEC (1 << 1)
#define SVM_REQ_PRIV (1 << 0)

/* A PASID of its own, even if the process has one. */
#define SVM_FLAG_PRIVATE_PASID (1 << 0)
/* Supervisor mode; refused, as there are no kernel addresses here. */
#define SVM_FLAG_SUPERVISOR_MODE (1 << 1)

#ifdef __cplusplus
extern "C" {
#endif

/**
 * intel_svm_bind_mm() - bind the current process to a device
 * @dev: the device
 * @pasid: where to put the PASID; NULL only asks whether it could be done
 * @flags: SVM_FLAG_PRIVATE_PASID or 0
 * @ops: callbacks, or NULL
 *
 * The PASID is of host_pasid_set, one a process unless it is private; binding again counts. The
 * structure of the process is held until the last unbind, its memory is not: when its last user goes
 * (mmput()), no DMA of it passes any more and its page requests are drained, without faults recorded;
 * what is bound is still to be unbound. The end is heard by the FREE of the PASID in its mm; a process
 * that has none gets that of a binding, by mm_pasid_set(), for as long as it is bound.
 *
 * Return: 0; -EINVAL unknown flags, supervisor mode, or the process has ended or is bound in another
 * machine;
 * -ENODEV unknown device, or its unit is not enabled; -EBUSY the PASID is FREE_PENDING, or bound to
 * @dev with other @ops; -ENOSPC no PASID left; -ENOMEM; -EDEADLK called from a handler of a binding.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.6.
 */
int intel_svm_bind_mm(struct device *dev, int *pasid, int flags, struct svm_dev_ops *ops);

/**
 * intel_svm_unbind_mm() - end the binding of a process to a device
 * @dev: the device
 * @pasid: the PASID
 *
 * With the last unbind of @dev no DMA of it passes any more, its page requests are drained, and its
 * callbacks are not running and will not run; from within a callback that one may be.
 *
 * What iommu_sva_bind_device() bound stays: its handle unbinds it.
 *
 * Return: 0; -EINVAL not bound by intel_svm_bind_mm(); -ENODEV unknown device; -EDEADLK as above.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.6.
 */
int intel_svm_unbind_mm(struct device *dev, int pasid);

/**
 * intel_svm_is_pasid_valid() - whether a device may use a PASID
 * @dev: the device
 * @pasid: the PASID
 *
 * Return: 1 if it is bound by intel_svm_bind_mm() and its process still has users; 0 if not;
 * -EINVAL never bound; -ENODEV unknown device.
 * Context: may sleep. Follows v5.6.
 */
int intel_svm_is_pasid_valid(struct device *dev, int pasid);

#ifdef __cplusplus
}
#endif

#endif
