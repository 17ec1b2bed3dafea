/* SPDX-License-Identifier: MIT */
/* Compat: the size of a page. */
#ifndef IOASID_ASM_PAGE_H
#define IOASID_ASM_PAGE_H

/* Word for word as <sys/user.h> has them, so that both may be included. */
#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#endif
#ifndef PAGE_MASK
#define PAGE_MASK (~(PAGE_SIZE-1))
#endif

#endif
