/* SPDX-License-Identifier: MIT */
/* Compat: the areas of an address space, and what becomes of a fault in one. */
#ifndef IOASID_LINUX_MM_H
#define IOASID_LINUX_MM_H

#include <asm/page.h>
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/mmap_lock.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#define PAGE_ALIGN(addr) ALIGN(addr, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(addr) ALIGN_DOWN(addr, PAGE_SIZE)
#define PAGE_ALIGNED(addr) IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

#define VM_NONE 0x00000000
#define VM_READ 0x00000001
#define VM_WRITE 0x00000002
#define VM_EXEC 0x00000004
#define VM_SHARED 0x00000008
#define VM_MAYREAD 0x00000010
#define VM_MAYWRITE 0x00000020
#define VM_MAYEXEC 0x00000040
#define VM_MAYSHARE 0x00000080
#define VM_PFNMAP 0x00000400
#define VM_LOCKED 0x00002000
#define VM_IO 0x00004000
#define VM_DONTCOPY 0x00020000
#define VM_DONTEXPAND 0x00040000
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)

struct pt_regs;

/**
 * struct vm_fault - a fault, as vm_ops->fault is told of it
 * @vma: the area
 * @flags: FAULT_FLAG_*
 * @pgoff: page in what is mapped
 * @address: its address, down to a page
 * @real_address: its address
 */
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned int flags;
	unsigned long pgoff;
	unsigned long address;
	unsigned long real_address;
};

/**
 * struct vm_operations_struct - what the maker of an area does for it
 * @open: an area is cut in two, this is the new one
 * @close: an area goes
 * @fault: somebody wants a page; VM_FAULT_* is the answer
 *
 * Each may be NULL. Called with the lock of the address space.
 */
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *area);
	void (*close)(struct vm_area_struct *area);
	vm_fault_t (*fault)(struct vm_fault *fault);
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_mm_map() - make an area in an address space
 * @mm: the address space, with a user
 * @start: first address, of a page
 * @end: first address behind, of a page
 * @flags: VM_*
 * @ops: what to do about faults; NULL: each finds its page
 * @data: vm_private_data
 *
 * Return: 0; -EINVAL for NULL, no users, or addresses that are none; -EEXIST if there is an area; -ENOMEM.
 * Context: takes the lock of the address space for writing. Any thread.
 */
int ioasid_mm_map(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned long flags,
		  const struct vm_operations_struct *ops, void *data);

/**
 * ioasid_mm_unmap() - take addresses out of an address space
 * @mm: the address space
 * @start: first address, of a page
 * @end: first address behind, of a page
 *
 * Areas are taken out or cut. Notifiers of the address space are told before and after, also where
 * there was no area: devices may have translations that nobody made an area for.
 *
 * Return: 0; -EINVAL for NULL and addresses that are none; -ENOMEM if an area cannot be cut in two:
 *	nothing has changed, and nobody was told.
 * Context: takes the lock of the address space for writing, and has it while notifiers are told.
 */
int ioasid_mm_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);

/**
 * ioasid_find_vma() - the first area of an address space that ends behind an address
 * @mm: the address space; NULL has none
 * @addr: the address
 *
 * Return: it, or NULL.
 * Context: with the lock of the address space, else a warning.
 */
struct vm_area_struct *ioasid_find_vma(struct mm_struct *mm, unsigned long addr);

/**
 * ioasid_handle_mm_fault() - have a page fault of an address space dealt with
 * @vma: the area; NULL is VM_FAULT_SIGSEGV
 * @address: the address
 * @flags: FAULT_FLAG_*
 *
 * Return: VM_FAULT_SIGSEGV if the address is not in the area or its flags forbid the access; what
 *	vm_ops->fault says; 0 without one.
 * Context: with the lock of the address space.
 */
vm_fault_t ioasid_handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
				  unsigned int flags);

#ifdef __cplusplus
}
#endif

static inline struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	return ioasid_find_vma(mm, addr);
}

/* The area that the address is in. */
static inline struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = ioasid_find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

static inline struct vm_area_struct *find_vma_intersection(struct mm_struct *mm,
							   unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = ioasid_find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}

static inline struct vm_area_struct *find_extend_vma(struct mm_struct *mm, unsigned long addr)
{
	return vma_lookup(mm, addr & PAGE_MASK);
}

static inline vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
					 unsigned int flags, struct pt_regs *regs)
{
	(void)regs;
	return ioasid_handle_mm_fault(vma, address, flags);
}

static inline unsigned long vma_pages(struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

#endif
