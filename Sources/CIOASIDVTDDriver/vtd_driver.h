/* SPDX-License-Identifier: MIT */
/* Internal: what the VT-d driver needs of C: its locks, its notifier block, the kernel's macros. */
#ifndef CIOASIDVTD_DRIVER_H
#define CIOASIDVTD_DRIVER_H

#include <vtd_hardware.h>

#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

/* The kernel's pasid_mutex: bindings and attachments. Outermost, and knows its owner. */
extern pthread_mutex_t civtd_driver_mutex;

/* Guards which PASID has which binding, for the notifier, which must not wait for a binding. */
extern pthread_mutex_t civtd_table_mutex;

/* Signalled when no teardown work is left; goes with the table mutex. */
void civtd_works_done(void);
void civtd_wait_for_works(void);

/* The driver's subscription to FREE; the driver fills in its function. */
extern struct notifier_block civtd_pasid_nb;

static inline void civtd_init_work(struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
}

/*
 * Domain ids in use, and the bucket of a domain among all there are: a word that is NULL at first.
 * Guarded by the hardware mutex.
 */
int civtd_take_domain_id(void);	/* the lowest that is free; 0 if none is */
void civtd_return_domain_id(int id);
void **civtd_domain_bucket(const void *domain);

/* Of a process that may be ending in another thread. */
static inline int civtd_mm_users(const struct mm_struct *mm)
{
	return atomic_read(&mm->mm_users);
}

/* 0 if it has none. */
static inline u32 civtd_mm_pasid(const struct mm_struct *mm)
{
	return pasid_valid(mm->pasid) ? mm->pasid : 0;
}

/* Macros that Swift does not import. */
static const unsigned int civtd_notify_set = IOASID_NOTIFY_FLAG_SET;
static const u64 civtd_memory_type_flags = IOMMU_SVA_VTD_GPASID_MTS_MASK;

static inline bool civtd_is_err(const void *ptr)
{
	return IS_ERR(ptr);
}

static inline long civtd_ptr_err(const void *ptr)
{
	return PTR_ERR(ptr);
}

#endif
