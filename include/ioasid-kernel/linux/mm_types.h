/* SPDX-License-Identifier: MIT */
/* Compat: the address space of a process, and the areas in it. */
#include <linux/ioasid-version.h>
#ifndef IOASID_LINUX_MM_TYPES_H
#define IOASID_LINUX_MM_TYPES_H

#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct file;
struct mm_struct;
struct mmu_notifier;
struct vm_operations_struct;

typedef struct {
	unsigned long pgd;
} pgd_t;

typedef unsigned int vm_fault_t;

/**
 * struct vm_area_struct - addresses of one kind; ioasid_mm_map() makes them
 * @vm_start: the first
 * @vm_end: the first one behind
 * @vm_mm: whose they are
 * @vm_flags: VM_*
 * @vm_pgoff: page in what is mapped, counted on when an area is cut
 * @vm_ops: what to do about faults; may be NULL
 * @vm_private_data: for @vm_ops
 * @vm_file: for @vm_ops
 * @vm_next: the next one, ascending; under the lock of the address space
 */
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
	struct file *vm_file;
	struct vm_area_struct *vm_next;
};

/**
 * struct mm_struct - stands for an address space
 * @mm_users: users of the address space; the last one's mmput() drops the PASID
 * @mm_count: references on this structure; all users together hold one
 * @pasid: INVALID_IOASID, or the PASID of the address space
 * @stored: what mm_pasid_set() stored, plus one (library's own)
 * @pgd: page table of it, if somebody gave it one; NULL at first
 * @mmap_lock: of @mmap, see <linux/mmap_lock.h>
 * @mmap: its areas
 * @notifiers: of <linux/mmu_notifier.h> (library's own)
 * @async_put_work: of mmput_async() (library's own)
 *
 * One that is made otherwise than by mm_alloc() begins with zeroes in all that is not named here.
 */
struct mm_struct {
	atomic_t mm_users;
	atomic_t mm_count;
	u32 pasid;
	u32 stored;
	pgd_t *pgd;
	struct rw_semaphore mmap_lock;
	struct vm_area_struct *mmap;
	struct mmu_notifier *notifiers;
	struct work_struct async_put_work;
};

/* What a fault came to. */
#define VM_FAULT_OOM ((vm_fault_t)0x000001)
#define VM_FAULT_SIGBUS ((vm_fault_t)0x000002)
#define VM_FAULT_MAJOR ((vm_fault_t)0x000004)
#define VM_FAULT_WRITE ((vm_fault_t)0x000008)
#define VM_FAULT_HWPOISON ((vm_fault_t)0x000010)
#define VM_FAULT_HWPOISON_LARGE ((vm_fault_t)0x000020)
#define VM_FAULT_SIGSEGV ((vm_fault_t)0x000040)
#define VM_FAULT_NOPAGE ((vm_fault_t)0x000100)
#define VM_FAULT_LOCKED ((vm_fault_t)0x000200)
#define VM_FAULT_RETRY ((vm_fault_t)0x000400)
#define VM_FAULT_FALLBACK ((vm_fault_t)0x000800)
#define VM_FAULT_ERROR \
	(VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON | \
	 VM_FAULT_HWPOISON_LARGE | VM_FAULT_FALLBACK)

enum fault_flag {
	FAULT_FLAG_WRITE = 1 << 0,
	FAULT_FLAG_MKWRITE = 1 << 1,
	FAULT_FLAG_ALLOW_RETRY = 1 << 2,
	FAULT_FLAG_RETRY_NOWAIT = 1 << 3,
	FAULT_FLAG_KILLABLE = 1 << 4,
	FAULT_FLAG_TRIED = 1 << 5,
	FAULT_FLAG_USER = 1 << 6,
	FAULT_FLAG_REMOTE = 1 << 7,
	FAULT_FLAG_INSTRUCTION = 1 << 8,
	FAULT_FLAG_INTERRUPTIBLE = 1 << 9,
};

/* Each unit says once what an mm without PASID is for it; the library's own do not care. */
#ifndef IOASID_LIBRARY
#include <linux/ioasid-kernel.h>

__attribute__((__constructor__)) static void ioasid_unit_no_pasid(void)
{
#ifndef IOASID_API
	ioasid_mm_no_pasid(IOASID_NO_PASID_DEFAULT);
#elif IOASID_API == 505 || IOASID_API == 511
	ioasid_mm_no_pasid(0);
#else
	ioasid_mm_no_pasid(0xffffffffu);
#endif
}
#endif

#endif
