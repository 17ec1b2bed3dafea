/* SPDX-License-Identifier: MIT */
/* Compat: the address space of a process, as far as PASIDs are concerned. */
#ifndef IOASID_LINUX_MM_TYPES_H
#define IOASID_LINUX_MM_TYPES_H

#include <linux/types.h>

/**
 * struct mm_struct - stands for an address space
 * @mm_users: users of the address space; the last one's mmput() drops the PASID
 * @mm_count: references on this structure; all users together hold one
 * @pasid: INVALID_IOASID, or the PASID of the address space
 * @stored: what mm_pasid_set() stored, plus one (library's own)
 */
struct mm_struct {
	atomic_t mm_users;
	atomic_t mm_count;
	u32 pasid;
	u32 stored;
};

/* Each unit says once what an mm without PASID is for it; the library's own do not care. */
#ifndef IOASID_LIBRARY
#include <linux/ioasid-kernel.h>

__attribute__((__constructor__)) static void ioasid_unit_no_pasid(void)
{
#if defined(IOASID_API) && (IOASID_API == 505 || IOASID_API == 511)
	ioasid_mm_no_pasid(0);
#else
	ioasid_mm_no_pasid(0xffffffffu);
#endif
}
#endif

#endif
