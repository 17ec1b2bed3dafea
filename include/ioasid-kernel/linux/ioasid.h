/* SPDX-License-Identifier: MIT */
/* The ids for kernel code: one published version, or everybody's header with the ways of all of them. */
#if defined(IOASID_API) && defined(IOASID_SAYS_NO_API)
#error "IOASID_API is defined behind a header that had to know it: define it first, or by -DIOASID_API="
#endif
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
/* Also said to a define without a number. */
#if IOASID_API + 0 != 505 && IOASID_API + 0 != 511 && IOASID_API + 0 != 518 && \
	(IOASID_API + 0 < 2 || IOASID_API + 0 > 4)
#error "IOASID_API is 505, 511, 518, 2, 3 or 4: see <linux/ioasid-api.h>"
#endif
#define IOASID_LINUX_IOASID_H /* everybody's is not for this unit */
#include <linux/ioasid-api.h>
#else
#define IOASID_SAYS_NO_API
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
