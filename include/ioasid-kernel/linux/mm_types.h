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

#endif
