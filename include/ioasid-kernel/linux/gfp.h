/* SPDX-License-Identifier: MIT */
/* Compat: how to allocate. In user space only __GFP_ZERO makes a difference. */
#ifndef IOASID_LINUX_GFP_H
#define IOASID_LINUX_GFP_H

#include <asm/page.h>
#include <linux/types.h>

#define __GFP_ZERO ((gfp_t)1 << 0)
#define __GFP_NOWARN ((gfp_t)1 << 1)
#define __GFP_ACCOUNT ((gfp_t)1 << 2)
#define __GFP_NORETRY ((gfp_t)1 << 6)
#define __GFP_NOFAIL ((gfp_t)1 << 7)
#define __GFP_RETRY_MAYFAIL ((gfp_t)1 << 8)

/* malloc() never sleeps for reclaim and can fail for all of them: the distinctions are void. */
#define GFP_KERNEL ((gfp_t)1 << 3)
#define GFP_ATOMIC ((gfp_t)1 << 4)
#define GFP_NOWAIT ((gfp_t)1 << 5)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_USER GFP_KERNEL
#define GFP_HIGHUSER GFP_KERNEL
#define GFP_NOIO GFP_KERNEL
#define GFP_NOFS GFP_KERNEL

#endif
