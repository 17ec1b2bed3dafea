/* SPDX-License-Identifier: MIT */
/* Compat: a source file with an entry and an exit; both run, see <linux/init.h>. */
#ifndef IOASID_LINUX_MODULE_H
#define IOASID_LINUX_MODULE_H

#include <linux/export.h>
#include <linux/init.h>

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

/* Readable with modinfo or readelf -p .modinfo, as in a kernel module; one of a kind a line. */
#define MODULE_INFO(tag, text) ioasid_modinfo(tag, text, __LINE__)
#define ioasid_modinfo(tag, text, line) ioasid_modinfo_line(tag, text, line)
#define ioasid_modinfo_line(tag, text, line) \
	static const char ioasid_modinfo_##tag##line[] \
		__attribute__((__used__, __section__(".modinfo"))) = #tag "=" text

#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/module.h>
