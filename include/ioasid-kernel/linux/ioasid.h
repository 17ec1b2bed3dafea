/* SPDX-License-Identifier: MIT */
/* The ids for kernel code: one published version, or everybody's header with the ways of all of them. */
#include <linux/ioasid-version.h>
#ifndef IOASID_KERNEL_LINUX_IOASID_H
#define IOASID_KERNEL_LINUX_IOASID_H

/* None of these brings a libc header along: feature macros may still be defined after this one. */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/types.h>

#define IOASID_OPS_LIST struct list_head list;

#ifdef IOASID_API
#define IOASID_LINUX_IOASID_H /* everybody's is not for this unit */
#include <linux/ioasid-api.h>
#else
#ifdef IOASID_LIBRARY
#include <linux/ioasid-bound.h>
#endif
#include "../../ioasid/linux/ioasid.h"
#include <linux/ioasid-kernel.h>

struct work_struct;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_queue_work() - run work on the library's ordered queue
 * @work: the work item, see <linux/workqueue.h>
 *
 * Return: true if it was queued, false if it was on the queue already.
 * Context: any handler; the queue's thread is started by the first call. Follows V4.
 */
bool ioasid_queue_work(struct work_struct *work);

#ifdef __cplusplus
}
#endif

#include <linux/ioasid-overloads.h>
#endif

#endif
