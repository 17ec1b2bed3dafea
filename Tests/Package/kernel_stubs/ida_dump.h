/* SPDX-License-Identifier: MIT */
/* Stub: lib/test_ida.c has this one only where __KERNEL__ is defined. */
#include <linux/idr.h>

static void __attribute__((unused)) ida_dump(struct ida *ida)
{
	(void)ida;
}
