/* SPDX-License-Identifier: MIT */
/* Internal: the C floor under the VT-d library, what Swift can neither say nor store. */
#ifndef CIOASIDVTD_H
#define CIOASIDVTD_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

/* Orders the hardware: tables in memory, registers, caches. Innermost; no callback runs in it. */
extern pthread_mutex_t civtd_hardware_mutex;

/* The kernel's pasid_mutex: bindings and attachments. Outermost, and knows its owner. */
extern pthread_mutex_t civtd_driver_mutex;

/* Guards which PASID has which binding, for the notifier, which must not wait for a binding. */
extern pthread_mutex_t civtd_table_mutex;

/* Signalled when no teardown work is left; goes with the table mutex. */
void civtd_works_done(void);
void civtd_wait_for_works(void);

/* The driver's subscription to FREE, and the two functions of Teardown.swift. */
extern struct notifier_block civtd_pasid_nb;
int civtd_pasid_status_change(struct notifier_block *nb, unsigned long code,
			      void *data);
void civtd_free_async(struct work_struct *work);

static inline void civtd_init_work(struct work_struct *work)
{
	INIT_WORK(work, civtd_free_async);
}

/* Macros that Swift does not import. */
static const unsigned int civtd_notify_set = IOASID_NOTIFY_FLAG_SET;
static const u64 civtd_memory_type_flags = IOMMU_SVA_VTD_GPASID_MTS_MASK;
static const u32 civtd_cap_default = VTD_CAP_DEFAULT;
static const u32 civtd_cap_all = VTD_CAP_DEFAULT | VTD_CAP_FL5LP | VTD_CAP_SRS | VTD_CAP_EAFS |
				 VTD_CAP_MTS;

static inline bool civtd_is_err(const void *ptr)
{
	return IS_ERR(ptr);
}

static inline long civtd_ptr_err(const void *ptr)
{
	return PTR_ERR(ptr);
}

static inline void *civtd_reserve(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

#endif
