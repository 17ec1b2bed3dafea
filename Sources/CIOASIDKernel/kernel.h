/* SPDX-License-Identifier: MIT */
/* Internal: what the kernel helpers are made of. */
#ifndef CIOASID_KERNEL_H
#define CIOASID_KERNEL_H

#include <cioasid.h>
#include <runtime.h>

#include "deferred.h"
#include "work.h"

#include <linux/sched.h>
#include <linux/sched/mm.h>

/* Called once before anything else, and around fork(). */
void cio_kernel_begin(void);
void cio_kernel_before_fork(void);
void cio_kernel_after_fork(bool in_child);

/* A record of the table of address spaces: @next links the unused ones. */
struct cio_mm {
	struct mm_struct mm;
	uint32_t next;
};

/* ProcessSpace.swift: the address space of the process, made at the first call. */
struct mm_struct *_Nullable cio_process_mm(void);

/* ProcessSpace.swift: the child's address space is not the parent's and has no PASID. */
void cio_mm_after_fork_child(void);

/* current.c */
void cio_current_is_worker(void);
void cio_current_after_fork_child(void);

/* The address space that the calling thread stands for, or NULL. */
static inline void *_Nullable cio_current_mm(void)
{
	return current->mm;
}

#endif /* CIOASID_KERNEL_H */
