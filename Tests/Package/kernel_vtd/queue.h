/* SPDX-License-Identifier: MIT */
/* The invalidation queue of the test: in memory, rung by register. */
#ifndef KERNEL_VTD_QUEUE_H
#define KERNEL_VTD_QUEUE_H

struct intel_iommu;

void queue_begin(const struct intel_iommu *iommu);
void queue_end(const struct intel_iommu *iommu);
/* From now on descriptor @number, from 0, is not sent; -1: all are. Counts from 0 again. */
void queue_leave_out(int number);
int queue_sent(void);

#endif
