/* SPDX-License-Identifier: MIT */
/* Stub: what the radix-tree suite's idr-test.c asks for besides <linux/idr.h>. */
#ifndef STUB_LINUX_RADIX_TREE_H
#define STUB_LINUX_RADIX_TREE_H

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <linux/idr.h>
#include <linux/ioasid-kernel.h>

#define RADIX_TREE_MAP_SIZE 64
#define radix_tree_root xarray

/* Threads need no registration here. */
#define rcu_register_thread() ((void)0)
#define rcu_unregister_thread() ((void)0)

void radix_tree_init(void);

/*
 * In the suite's own kernel an allocation that may not wait always fails. Here it is told to, in the
 * tests of one thread; the others do not ask.
 */
static inline int stub_nowait(struct ida *ida, unsigned int min, gfp_t gfp)
{
	int id;

	if (gfp == GFP_NOWAIT)
		ioasid_kernel_fail_nth(1);
	id = ida_alloc_range(ida, min, ~0U, gfp);
	if (gfp == GFP_NOWAIT)
		ioasid_kernel_fail_nth(0);
	return id;
}

#define ida_alloc(ida, gfp) stub_nowait(ida, 0, gfp)
#define ida_alloc_min(ida, min, gfp) stub_nowait(ida, min, gfp)

#endif
