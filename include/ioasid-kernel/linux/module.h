/* SPDX-License-Identifier: MIT */
/* Compat: a source file with an entry and an exit; both run, see <linux/init.h>. */
#ifndef IOASID_LINUX_MODULE_H
#define IOASID_LINUX_MODULE_H

#include <linux/export.h>
#include <linux/init.h>
#include <linux/moduleparam.h>

/* Sources that use this header count on what comes with the kernel's. */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/*
 * As of code that is built into the kernel: it has no module, and cannot go away while it is used.
 */
struct module;
#define THIS_MODULE ((struct module *)0)

static inline bool try_module_get(struct module *module)
{
	return !module;
}

static inline void module_put(struct module *module)
{
	(void)module;
}

static inline void __module_get(struct module *module)
{
	(void)module;
}

/* Of the file that includes this: its module_init() function succeeded. */
static int ioasid_module_is_up __attribute__((__unused__));

/* At the level of device_initcall(). */
#define module_init(fn) \
	static __attribute__((__constructor__(1006))) void ioasid_module_init(void) \
	{ \
		ioasid_module_is_up = !ioasid_run_initcall(fn, #fn); \
	} \
	extern int ioasid_takes_the_semicolon

/* At exit() or dlclose(), last loaded first; not if module_init() failed, or is missing. */
#define module_exit(fn) \
	static __attribute__((__destructor__(1006))) void ioasid_module_exit(void) \
	{ \
		if (ioasid_module_is_up) \
			fn(); \
	} \
	extern int ioasid_takes_the_semicolon

#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
#define MODULE_FIRMWARE(text) MODULE_INFO(firmware, text)
#define MODULE_SOFTDEP(text) MODULE_INFO(softdep, text)
#define MODULE_IMPORT_NS(ns) MODULE_INFO(import_ns, #ns)

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/module.h>
