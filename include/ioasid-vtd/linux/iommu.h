/* SPDX-License-Identifier: MIT */
/* IOMMU domains, the guest PASID binding of the user interface, page requests and their answers. */
#ifndef IOASID_LINUX_IOMMU_H
#define IOASID_LINUX_IOMMU_H

#include <stddef.h>
#include <linux/list.h>
#include <linux/types.h>

/*
 * Sources that use this header count on what comes with the kernel's. Swift takes a device for what
 * it is to the model, something unknown: see struct device there.
 */
#ifndef __swift__
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/ioasid.h>
#include <linux/mm.h>
#include <linux/slab.h>
#endif

#pragma GCC system_header /* #include_next is an extension */
#if __has_include_next(<linux/iommu.h>)
#include_next <linux/iommu.h>
#endif

struct device;
struct iommu_domain;
struct iommu_sva;
struct mm_struct;
struct vtd_machine;

/*
 * Page requests and their answers, with the layout of Linux 5.3 to 6.7. Later systems have no such
 * header.
 */
#ifndef IOMMU_FAULT_PERM_READ

#define IOMMU_FAULT_PERM_READ (1 << 0)
#define IOMMU_FAULT_PERM_WRITE (1 << 1)
#define IOMMU_FAULT_PERM_EXEC (1 << 2)
#define IOMMU_FAULT_PERM_PRIV (1 << 3)

enum iommu_fault_type {
	IOMMU_FAULT_DMA_UNRECOV = 1,
	IOMMU_FAULT_PAGE_REQ,
};

enum iommu_fault_reason {
	IOMMU_FAULT_REASON_UNKNOWN = 0,
	IOMMU_FAULT_REASON_PASID_FETCH,
	IOMMU_FAULT_REASON_BAD_PASID_ENTRY,
	IOMMU_FAULT_REASON_PASID_INVALID,
	IOMMU_FAULT_REASON_WALK_EABT,
	IOMMU_FAULT_REASON_PTE_FETCH,
	IOMMU_FAULT_REASON_PERMISSION,
	IOMMU_FAULT_REASON_ACCESS,
	IOMMU_FAULT_REASON_OOR_ADDRESS,
};

#define IOMMU_FAULT_UNRECOV_PASID_VALID (1 << 0)
#define IOMMU_FAULT_UNRECOV_ADDR_VALID (1 << 1)
#define IOMMU_FAULT_UNRECOV_FETCH_ADDR_VALID (1 << 2)

/**
 * struct iommu_fault_unrecoverable - DMA that was refused for good
 * @reason: enum iommu_fault_reason
 * @flags: IOMMU_FAULT_UNRECOV_*
 * @pasid: the PASID
 * @perm: IOMMU_FAULT_PERM_*
 * @addr: the page
 * @fetch_addr: not used here
 */
struct iommu_fault_unrecoverable {
	__u32 reason;
	__u32 flags;
	__u32 pasid;
	__u32 perm;
	__u64 addr;
	__u64 fetch_addr;
};

#define IOMMU_FAULT_PAGE_REQUEST_PASID_VALID (1 << 0)
#define IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE (1 << 1)
#define IOMMU_FAULT_PAGE_REQUEST_PRIV_DATA (1 << 2)
#define IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID (1 << 3)

/**
 * struct iommu_fault_page_request - what a device asks for
 * @flags: IOMMU_FAULT_PAGE_REQUEST_*
 * @pasid: the PASID
 * @grpid: the group, for the answer
 * @perm: IOMMU_FAULT_PERM_*
 * @addr: the page
 * @private_data: not used here
 */
struct iommu_fault_page_request {
	__u32 flags;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u64 addr;
	__u64 private_data[2];
};

/**
 * struct iommu_fault - what a fault handler is told
 * @type: enum iommu_fault_type
 * @padding: zero
 * @event: the fault of IOMMU_FAULT_DMA_UNRECOV
 * @prm: the page request
 * @padding2: the size of all kinds of faults
 */
struct iommu_fault {
	__u32 type;
	__u32 padding;
	/* private: C99 has none */ __extension__ /* public: */ union {
		struct iommu_fault_unrecoverable event;
		struct iommu_fault_page_request prm;
		__u8 padding2[56];
	};
};

enum iommu_page_response_code {
	IOMMU_PAGE_RESP_SUCCESS = 0,
	IOMMU_PAGE_RESP_INVALID,
	IOMMU_PAGE_RESP_FAILURE,
};

#define IOMMU_PAGE_RESP_VERSION_1 1
#define IOMMU_PAGE_RESP_PASID_VALID (1 << 0)

/**
 * struct iommu_page_response - the answer to a page request
 * @argsz: size of this structure as the caller knows it
 * @version: IOMMU_PAGE_RESP_VERSION_1
 * @flags: IOMMU_PAGE_RESP_PASID_VALID
 * @pasid: the PASID
 * @grpid: the group of the request
 * @code: enum iommu_page_response_code
 */
struct iommu_page_response {
	__u32 argsz;
	__u32 version;
	__u32 flags;
	__u32 pasid;
	__u32 grpid;
	__u32 code;
};

#endif /* IOMMU_FAULT_PERM_READ */

/*
 * The binding of a guest PASID, with the layout of Linux 5.10 to 5.15. Later kernels removed it, so
 * that the system's header has it or not.
 */
#ifndef IOMMU_GPASID_BIND_VERSION_1

#define IOMMU_SVA_VTD_GPASID_SRE (1 << 0)
#define IOMMU_SVA_VTD_GPASID_EAFE (1 << 1)
#define IOMMU_SVA_VTD_GPASID_PCD (1 << 2)
#define IOMMU_SVA_VTD_GPASID_PWT (1 << 3)
#define IOMMU_SVA_VTD_GPASID_EMTE (1 << 4)
#define IOMMU_SVA_VTD_GPASID_CD (1 << 5)
#define IOMMU_SVA_VTD_GPASID_WPE (1 << 6)
#define IOMMU_SVA_VTD_GPASID_LAST (1 << 7)
#define IOMMU_SVA_VTD_GPASID_MTS_MASK (IOMMU_SVA_VTD_GPASID_CD | IOMMU_SVA_VTD_GPASID_EMTE | \
				       IOMMU_SVA_VTD_GPASID_PCD | IOMMU_SVA_VTD_GPASID_PWT)

/**
 * struct iommu_gpasid_bind_data_vtd - what VT-d takes over into its PASID table entry
 * @flags: IOMMU_SVA_VTD_GPASID_*
 * @pat: page attribute table
 * @emt: extended memory type
 */
struct iommu_gpasid_bind_data_vtd {
	__u64 flags;
	__u32 pat;
	__u32 emt;
};

#define IOMMU_GPASID_BIND_VERSION_1 1

enum iommu_pasid_data_format {
	IOMMU_PASID_FORMAT_INTEL_VTD = 1,
	IOMMU_PASID_FORMAT_LAST,
};

#define IOMMU_SVA_GPASID_VAL (1 << 0)

/**
 * struct iommu_gpasid_bind_data - a guest's address space to bind
 * @argsz: size of this structure as the caller knows it
 * @version: IOMMU_GPASID_BIND_VERSION_1
 * @format: IOMMU_PASID_FORMAT_INTEL_VTD
 * @addr_width: guest-virtual address width, 48 or 57
 * @flags: IOMMU_SVA_GPASID_VAL if @gpasid means something
 * @gpgd: guest-physical address of the guest's root page table
 * @hpasid: the PASID that the device will use
 * @gpasid: what the guest calls it
 * @padding: zero
 * @vendor: by @format
 */
struct iommu_gpasid_bind_data {
	__u32 argsz;
	__u32 version;
	__u32 format;
	__u32 addr_width;
	__u64 flags;
	__u64 gpgd;
	__u64 hpasid;
	__u64 gpasid;
	__u8 padding[8];
	union {
		struct iommu_gpasid_bind_data_vtd vtd;
	} vendor;
};

#endif /* IOMMU_GPASID_BIND_VERSION_1 */

/*
 * Cache invalidation by a guest, with the layout of Linux 5.10 to 5.15.
 */
#ifndef IOMMU_CACHE_INVALIDATE_INFO_VERSION_1

/**
 * enum iommu_inv_granularity - how much is to be forgotten
 * @IOMMU_INV_GRANU_DOMAIN: all of the guest's PASIDs
 * @IOMMU_INV_GRANU_PASID: one
 * @IOMMU_INV_GRANU_ADDR: pages of one
 * @IOMMU_INV_GRANU_NR: how many there are
 */
enum iommu_inv_granularity {
	IOMMU_INV_GRANU_DOMAIN,
	IOMMU_INV_GRANU_PASID,
	IOMMU_INV_GRANU_ADDR,
	IOMMU_INV_GRANU_NR,
};

#define IOMMU_INV_ADDR_FLAGS_PASID (1 << 0)
#define IOMMU_INV_ADDR_FLAGS_ARCHID (1 << 1)
#define IOMMU_INV_ADDR_FLAGS_LEAF (1 << 2)

/**
 * struct iommu_inv_addr_info - pages of a PASID
 * @flags: IOMMU_INV_ADDR_FLAGS_*; PASID must be there, ARCHID and LEAF change nothing
 * @archid: not used by VT-d
 * @pasid: as the guest calls it
 * @addr: the first page
 * @granule_size: bytes, a multiple of VTD_PAGE_SIZE
 * @nb_granules: how many
 */
struct iommu_inv_addr_info {
	__u32 flags;
	__u32 archid;
	__u64 pasid;
	__u64 addr;
	__u64 granule_size;
	__u64 nb_granules;
};

#define IOMMU_INV_PASID_FLAGS_PASID (1 << 0)
#define IOMMU_INV_PASID_FLAGS_ARCHID (1 << 1)

/**
 * struct iommu_inv_pasid_info - a PASID
 * @flags: IOMMU_INV_PASID_FLAGS_*; PASID must be there, ARCHID changes nothing
 * @archid: not used by VT-d
 * @pasid: as the guest calls it
 */
struct iommu_inv_pasid_info {
	__u32 flags;
	__u32 archid;
	__u64 pasid;
};

#define IOMMU_CACHE_INVALIDATE_INFO_VERSION_1 1

#define IOMMU_CACHE_INV_TYPE_IOTLB (1 << 0)
#define IOMMU_CACHE_INV_TYPE_DEV_IOTLB (1 << 1)
#define IOMMU_CACHE_INV_TYPE_PASID (1 << 2)
#define IOMMU_CACHE_INV_TYPE_NR 3

/**
 * struct iommu_cache_invalidate_info - what a guest told its unit to forget
 * @argsz: size of this structure as the caller knows it, at least as far as @granularity needs
 * @version: IOMMU_CACHE_INVALIDATE_INFO_VERSION_1
 * @cache: IOMMU_CACHE_INV_TYPE_*, one or several
 * @granularity: enum iommu_inv_granularity
 * @padding: zero
 * @granu: by @granularity
 */
struct iommu_cache_invalidate_info {
	__u32 argsz;
	__u32 version;
	__u8 cache;
	__u8 granularity;
	__u8 padding[6];
	union {
		struct iommu_inv_pasid_info pasid_info;
		struct iommu_inv_addr_info addr_info;
	} granu;
};

#endif /* IOMMU_CACHE_INVALIDATE_INFO_VERSION_1 */

/**
 * struct iommu_fault_event - a fault as drivers hand it on
 * @fault: the fault
 * @list: the reporter's, not used here
 */
struct iommu_fault_event {
	struct iommu_fault fault;
	struct list_head list;
};

#define IOMMU_READ (1 << 0)
#define IOMMU_WRITE (1 << 1)

/**
 * enum iommu_dev_features - what a device can do beside plain DMA
 * @IOMMU_DEV_FEAT_AUX: domains attached as one more, see iommu_aux_attach_device()
 * @IOMMU_DEV_FEAT_SVA: processes bound, see iommu_sva_bind_device(); needs a device with ATS and PRI behind a unit
 *	with page requests
 * @IOMMU_DEV_FEAT_IOPF: page requests; needs the same
 */
enum iommu_dev_features {
	IOMMU_DEV_FEAT_AUX,
	IOMMU_DEV_FEAT_SVA,
	IOMMU_DEV_FEAT_IOPF,
};

/*
 * enum iommu_attr - attributes of a domain; only DOMAIN_ATTR_NESTING means something here
 */
enum iommu_attr {
	DOMAIN_ATTR_GEOMETRY,
	DOMAIN_ATTR_PAGING,
	DOMAIN_ATTR_WINDOWS,
	DOMAIN_ATTR_FSL_PAMU_STASH,
	DOMAIN_ATTR_FSL_PAMU_ENABLE,
	DOMAIN_ATTR_FSL_PAMUV1,
	DOMAIN_ATTR_NESTING,
	DOMAIN_ATTR_DMA_USE_FLUSH_QUEUE,
	DOMAIN_ATTR_MAX,
};

#define IOMMU_PASID_INVALID (-1U)

#define IOMMU_DOMAIN_IDENTITY 1u
#define IOMMU_DOMAIN_UNMANAGED 2u

/**
 * typedef iommu_dev_fault_handler_t - told of the page requests and faults of a device
 * @fault: the request or fault; copy what outlives the call
 * @data: as registered
 *
 * Page requests are told one by one, as they come. The last of a group (IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
 * is answered, for all of them, with iommu_page_response(), now or later, from any thread. Faults that
 * are recorded are told as well, while their PASID is bound to the device; there is nothing to answer.
 *
 * Return: 0; else the request is answered with "invalid".
 */
typedef int (*iommu_dev_fault_handler_t)(struct iommu_fault *fault, void *data);

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vtd_domain_alloc() - an address space of second-level tables, 48 bits wide
 * @machine: where its tables lie
 * @type: IOMMU_DOMAIN_UNMANAGED; IOMMU_DOMAIN_IDENTITY has no tables and passes through
 *
 * Return: the domain; ERR_PTR(-EINVAL) no machine or unknown @type; ERR_PTR(-ENOSPC) no domain id
 * left; ERR_PTR(-ENOMEM).
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
struct iommu_domain *vtd_domain_alloc(struct vtd_machine *machine, unsigned int type);

/**
 * iommu_domain_free() - free a domain
 * @domain: the domain, neither attached nor used by a binding; otherwise nothing happens
 *
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Follows v5.10.
 */
void iommu_domain_free(struct iommu_domain *domain);

/**
 * iommu_map() - map physical pages into a domain
 * @domain: the domain
 * @iova: address in the domain
 * @paddr: physical address
 * @size: bytes; all three are multiples of VTD_PAGE_SIZE
 * @prot: IOMMU_READ, IOMMU_WRITE or both
 *
 * Return: 0; -EINVAL a bad argument; -EEXIST part of it is mapped; -ENOMEM. On error nothing is
 * mapped.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Follows v5.10.
 */
int iommu_map(struct iommu_domain *domain, unsigned long iova, u64 paddr, size_t size, int prot);

/**
 * iommu_unmap() - unmap pages of a domain, and invalidate
 * @domain: the domain
 * @iova: address in the domain
 * @size: bytes
 *
 * Return: how many bytes were mapped and no longer are; no cache has them when it returns. 0, and nothing is
 *	unmapped, for no @domain, an @iova or a @size that is no multiple of a page, and what ends beyond 2^48.
 * Context: takes the hardware lock, for a gigabyte at a time. From every callback, ioasid
 * notifiers included. Follows v5.10.
 */
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t size);

/**
 * iommu_iova_to_phys() - translate an address by the tables of a domain
 * @domain: the domain
 * @iova: address in the domain
 *
 * Return: the physical address; 0 if it is not mapped.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Follows v5.10.
 */
u64 iommu_iova_to_phys(struct iommu_domain *domain, u64 iova);

/**
 * iommu_attach_device() - translate the requests without PASID of a device by a domain
 * @domain: the domain
 * @dev: the device
 *
 * Return: 0; -EINVAL no domain, of another machine, or the unit cannot pass through; -ENODEV
 * unknown device, or its unit is not enabled; -EBUSY a domain is attached; -ENOMEM.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
int iommu_attach_device(struct iommu_domain *domain, struct device *dev);

/**
 * iommu_detach_device() - stop translating the requests without PASID of a device by a domain
 * @domain: the domain
 * @dev: the device; nothing happens if @domain is not attached to it, or has PASIDs bound on it
 *
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
void iommu_detach_device(struct iommu_domain *domain, struct device *dev);

/**
 * iommu_aux_attach_device() - attach one more domain, that of a mediated device
 * @domain: an unmanaged domain
 * @dev: the device
 *
 * A PASID of host_pasid_set gets a second-level entry, see iommu_aux_get_pasid(). Attaching again,
 * for another mediated device of the same guest, counts.
 *
 * Return: as iommu_attach_device(), but -EBUSY @domain is attached to @dev for its requests without
 * PASID; -ENOSPC no PASID left.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
int iommu_aux_attach_device(struct iommu_domain *domain, struct device *dev);

/**
 * iommu_aux_detach_device() - detach the domain of a mediated device
 * @domain: the domain
 * @dev: the device; nothing happens if @domain is not attached to it, or has PASIDs bound on it
 *
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
void iommu_aux_detach_device(struct iommu_domain *domain, struct device *dev);

/**
 * iommu_aux_get_pasid() - the PASID of a mediated device's own DMA
 * @domain: the domain
 * @dev: the device
 *
 * Return: the PASID; -EINVAL if @domain is not attached to @dev as one more.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
int iommu_aux_get_pasid(struct iommu_domain *domain, struct device *dev);

/**
 * iommu_get_domain_for_dev() - which domain translates the requests without PASID of a device
 * @dev: the device
 *
 * Return: the domain; NULL if none is attached, or no device.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
struct iommu_domain *iommu_get_domain_for_dev(struct device *dev);

/**
 * iommu_domain_set_attr() - change an attribute of a domain
 * @domain: the domain, not in use
 * @attr: DOMAIN_ATTR_NESTING: the domain is to carry guests' page tables
 * @data: an int, 0 or not
 *
 * A domain of this driver can carry them anyway: the attribute says early whether the units can nest.
 *
 * Return: 0; -EINVAL no domain, one that passes through, another @attr, no @data; -ENODEV the domain is
 * attached, or a unit of its machine does not nest.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Follows v5.10.
 */
int iommu_domain_set_attr(struct iommu_domain *domain, enum iommu_attr attr, void *data);

/**
 * iommu_domain_get_attr() - an attribute of a domain
 * @domain: the domain
 * @attr: DOMAIN_ATTR_NESTING
 * @data: an int, set to 0 or 1
 *
 * Return: 0; -EINVAL as iommu_domain_set_attr().
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Follows v5.10.
 */
int iommu_domain_get_attr(struct iommu_domain *domain, enum iommu_attr attr, void *data);

/**
 * iommu_dev_has_feature() - whether a device has a feature
 * @dev: the device
 * @f: the feature
 *
 * Return: true if it can, be it enabled or not; false no device, or unknown @f.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
bool iommu_dev_has_feature(struct device *dev, enum iommu_dev_features f);

/**
 * iommu_dev_feature_enabled() - whether a feature of a device is enabled
 * @dev: the device
 * @f: the feature
 *
 * Return: true if it is; false no device, or unknown @f.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
bool iommu_dev_feature_enabled(struct device *dev, enum iommu_dev_features f);

/**
 * iommu_dev_enable_feature() - enable a feature of a device
 * @dev: the device
 * @f: the feature
 *
 * iommu_sva_bind_device() needs it; iommu_aux_attach_device() does not ask. Disabling the unit disables all.
 *
 * Return: 0, also if it was enabled; -EINVAL unknown @f; -ENODEV unknown device, or it cannot do that.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
int iommu_dev_enable_feature(struct device *dev, enum iommu_dev_features f);

/**
 * iommu_dev_disable_feature() - disable a feature of a device
 * @dev: the device
 * @f: the feature
 *
 * Return: 0; -EINVAL unknown @f, or not enabled; -EBUSY in use: a domain is attached as one more, a process is bound
 * by handle, or, of IOPF, SVA is enabled; -ENODEV unknown device.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
int iommu_dev_disable_feature(struct device *dev, enum iommu_dev_features f);

/**
 * iommu_sva_bind_device() - bind a process to a device
 * @dev: the device, with IOMMU_DEV_FEAT_SVA enabled
 * @mm: the process
 * @drvdata: not used
 *
 * As intel_svm_bind_mm() without flags and callbacks, and it counts: each call wants its iommu_sva_unbind_device(). A
 * process that ends takes its entries with it; the handle stays until it is unbound.
 *
 * Return: the handle, the same for the same device and process; ERR_PTR(-EINVAL) no process, one that has ended or is
 * bound on another machine, or the feature is not enabled; ERR_PTR(-ENODEV) unknown device; ERR_PTR(-EBUSY) the PASID
 * is FREE_PENDING, or bound with callbacks; ERR_PTR(-ENOSPC) no PASID; ERR_PTR(-ENOMEM); ERR_PTR(-EDEADLK) called
 * from a handler that a binding of this thread caused.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
struct iommu_sva *iommu_sva_bind_device(struct device *dev, struct mm_struct *mm, void *drvdata);

/**
 * iommu_sva_unbind_device() - end the binding of a process that iommu_sva_bind_device() made
 * @handle: the handle; nothing happens if it is none
 *
 * After the last one no DMA of the process passes any more, and its page requests are drained.
 *
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
void iommu_sva_unbind_device(struct iommu_sva *handle);

/**
 * iommu_sva_get_pasid() - the PASID of a bound process
 * @handle: the handle
 *
 * Return: the PASID; IOMMU_PASID_INVALID no handle, or its PASID was freed.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10.
 */
u32 iommu_sva_get_pasid(struct iommu_sva *handle);

/**
 * iommu_uapi_sva_bind_gpasid() - bind a guest PASID on behalf of user space
 * @domain: the guest's domain, attached to @dev
 * @dev: the device
 * @udata: struct iommu_gpasid_bind_data
 *
 * As intel_svm_bind_gpasid(), for a PASID of the set of the current process: its token (of type
 * IOASID_SET_TYPE_MM) is current->mm.
 *
 * Return: as intel_svm_bind_gpasid(); -EPERM the PASID is of another process; -EINVAL also if its set
 * is no process's; -ENOENT unknown PASID.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10, with the check of V4.
 */
int iommu_uapi_sva_bind_gpasid(struct iommu_domain *domain, struct device *dev, void *udata);

/**
 * iommu_uapi_sva_unbind_gpasid() - unbind a guest PASID on behalf of user space
 * @domain: the guest's domain
 * @dev: the device
 * @udata: struct iommu_gpasid_bind_data, of which the PASID counts
 *
 * Return: as intel_svm_unbind_gpasid(); -EPERM, -EINVAL, -ENOENT as above.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10, with the check of V4.
 */
int iommu_uapi_sva_unbind_gpasid(struct iommu_domain *domain, struct device *dev, void *udata);

/**
 * iommu_uapi_cache_invalidate() - what a guest told its unit to forget, on behalf of user space
 * @domain: the guest's domain, attached to @dev
 * @dev: the device
 * @uinfo: struct iommu_cache_invalidate_info, with the guest's PASID
 *
 * As intel_iommu_sva_invalidate(), for PASIDs of the set of the current process.
 *
 * Return: as intel_iommu_sva_invalidate(); -EPERM a PASID is of another process, -EINVAL also if its
 * set is no process's.
 * Context: may sleep. Not from an ioasid notifier. Follows v5.10, with the check of V4.
 */
int iommu_uapi_cache_invalidate(struct iommu_domain *domain, struct device *dev, void *uinfo);

/**
 * iommu_register_device_fault_handler() - be told of the page requests of a device
 * @dev: the device
 * @handler: called in the thread that does the DMA, without a lock
 * @data: for @handler
 *
 * Return: 0; -EINVAL no device or no handler; -EBUSY there is one.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Follows v5.10.
 */
int iommu_register_device_fault_handler(struct device *dev, iommu_dev_fault_handler_t handler,
					void *data);

/**
 * iommu_unregister_device_fault_handler() - stop being told of the page requests of a device
 * @dev: the device
 *
 * When it returns 0 the handler is not running and will not run; from within a handler, the calls that
 * are running go on.
 *
 * Return: 0; -EINVAL no device or no handler; -EBUSY a request waits for its answer.
 * Context: waits for calls of the handler in other threads: not with a lock that the handler
 * takes. Follows v5.10.
 */
int iommu_unregister_device_fault_handler(struct device *dev);

/**
 * iommu_report_device_fault() - tell the handler of a device what somebody else has seen of it
 * @dev: the device
 * @evt: the fault; a page request has a PASID and a group below 512, and, if it is the last of the group, waits
 *	for iommu_page_response()
 *
 * The driver does the same with what the hardware reports.
 *
 * Return: what the handler returned, in which case nothing waits; -EINVAL no device, no handler, a field that cannot
 * be, the group waits already, or no memory.
 * Context: calls the handler; without a lock. Follows v5.3.
 */
int iommu_report_device_fault(struct device *dev, struct iommu_fault_event *evt);

/**
 * iommu_page_response() - answer a page request
 * @dev: the device
 * @msg: what it asked, by PASID and group, and the answer
 *
 * Return: 0; -EINVAL no device, a field that cannot be, or nothing waits for this answer (the
 * driver answers with "invalid" when the PASID is unbound).
 * Context: may sleep. Not from an ioasid notifier. The fault_cb is called without a lock. Follows
 * v5.10.
 */
int iommu_page_response(struct device *dev, struct iommu_page_response *msg);

#ifdef __cplusplus
}
#endif

#endif
