/* SPDX-License-Identifier: MIT */
/* Internal: what the kernel helpers are made of: a user of libioasid's public headers. */
#ifndef CIOASID_KERNEL_H
#define CIOASID_KERNEL_H

#define IOASID_KERNEL_LIBRARY /* see <linux/ioasid-bound.h> */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "deferred.h"
#include "tree.h"
#include "work.h"

#include <linux/ioasid-hooks.h>
#include <linux/ioasid-kernel.h>
#include <linux/ioasid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

/* A record of the table of address spaces: @next links the unused ones. */
struct cio_mm {
	struct mm_struct mm;
	uint32_t next;
};

/* Guards lists and limits of that table, and changes of areas. Nothing else is locked inside it. */
extern pthread_mutex_t cio_mm_mutex;

/* Guards the notifiers of all address spaces. Nothing else is locked inside it. */
extern pthread_mutex_t cio_notifier_mutex;
extern pthread_cond_t cio_notifier_done;

/* notifiers.c */
void cio_notifiers_release(struct mm_struct *_Nonnull mm);
void cio_notifiers_forget(struct mm_struct *_Nonnull mm);
void cio_notifiers_after_fork_child(void);

/* areas.c: what begins empty; what goes with the last user, by itself or by another thread. */
void cio_mm_begin(struct mm_struct *_Nonnull mm);
void cio_mm_begin_anew(struct mm_struct *_Nonnull mm);
/* areas.c: leaves its lock to the thread that forked, if that has it for writing; else it is free. */
void cio_mm_unlock_in_child(struct mm_struct *_Nonnull mm);
void cio_mm_exit(struct mm_struct *_Nonnull mm);
void cio_mm_finish_later(struct mm_struct *_Nonnull mm);
/* MMExports.swift: after the last user */
void cio_mm_finish(struct mm_struct *_Nonnull mm);

/* Guards the list of parameters of modules. Nothing else is locked inside it. */
extern pthread_mutex_t cio_param_mutex;

/* AddressSpaces.swift: the hooks of the core. */
bool cio_mm_pin(struct mm_struct *_Nullable mm);
void cio_mm_unpin(struct mm_struct *_Nullable mm);

/* ProcessSpace.swift: the address space of the process, made at the first call. */
struct mm_struct *_Nullable cio_process_mm(void);

/* ProcessSpace.swift: the child's address space is not the parent's and has no PASID. */
void cio_mm_after_fork_child(void);

/* api.c: what an mm without a PASID has in its field. */
u32 cio_mm_no_pasid(void);

/* waits.c: who waits in the parent is not in the child. */
void cio_waits_after_fork_child(void);

/* current.c */
void cio_current_is_worker(void);
void cio_current_after_fork_child(void);

/* Allocate.swift: zeroed memory that may be refused, for C. */
void *_Nullable cio_allocate(size_t bytes);
void cio_free(void *_Nullable block);

/* A warning on the library's log, limited in rate by its text's address. */
void cio_warn(const char *_Nonnull text);

#endif /* CIOASID_KERNEL_H */
