/* SPDX-License-Identifier: MIT */
/* Compat: functions that run by themselves before main(), or when a plug-in is loaded. */
#ifndef IOASID_LINUX_INIT_H
#define IOASID_LINUX_INIT_H

#include <stdlib.h> /* has a member __init, so it comes before the macro */

#include <linux/printk.h>

/*
 * Memory of initialisers cannot be given back in user space. C++ has parameters of these names in
 * its headers; there the words are left out.
 */
#ifndef __cplusplus
#define __init
#define __exit
#define __initdata
#define __initconst
#endif

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);

static inline int ioasid_run_initcall(initcall_t fn, const char *name)
{
	int err = fn();

	if (err)
		printk(KERN_ERR "initcall %s failed: %d\n", name, err);
	return err;
}

/*
 * One after the other in the order of their levels, over all files of a program or library. A
 * failure is logged and the rest goes on, as when the kernel starts.
 */
#define ioasid_initcall(fn, order) \
	static __attribute__((__constructor__(order))) void ioasid_initcall_##fn(void) \
	{ \
		ioasid_run_initcall(fn, #fn); \
	} \
	extern int ioasid_takes_the_semicolon

#define core_initcall(fn) ioasid_initcall(fn, 1001)
#define subsys_initcall(fn) ioasid_initcall(fn, 1004)
#define fs_initcall(fn) ioasid_initcall(fn, 1005)
#define device_initcall(fn) ioasid_initcall(fn, 1006)
#define late_initcall(fn) ioasid_initcall(fn, 1007)

#endif
