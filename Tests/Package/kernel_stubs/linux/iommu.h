/* SPDX-License-Identifier: MIT */
/* Stub: what drivers/iommu/io-pgfault.c asks of the IOMMU subsystem. */
#ifndef STUB_LINUX_IOMMU_H
#define STUB_LINUX_IOMMU_H

#include <linux/device.h>
#include <linux/mm.h>
#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/iommu.h>

struct iopf_device_param;

struct dev_iommu {
	struct mutex lock;
	struct iopf_device_param *iopf_param;
};

int iommu_page_response(struct device *dev, struct iommu_page_response *msg);

#endif
