/* SPDX-License-Identifier: MIT */
/* Compat: assertions. A warning is a log line with its place; a bug ends the process. */
#ifndef IOASID_LINUX_BUG_H
#define IOASID_LINUX_BUG_H

#include <stdlib.h>

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/printk.h>

#define BUG() \
	do { \
		printk(KERN_CRIT "BUG at %s:%d %s()\n", __FILE__, __LINE__, __func__); \
		abort(); \
	} while (0)

#define BUG_ON(condition) \
	do { \
		if (unlikely(condition)) \
			BUG(); \
	} while (0)

/* Each is an expression with the truth of its condition. */
#define WARN_ON(condition) ioasid_warn_if(condition, 1)
#define WARN_ON_ONCE(condition) ioasid_warn_if(condition, ioasid_once())
#define WARN(condition, ...) ioasid_warn_text(condition, 1, __VA_ARGS__)
#define WARN_ONCE(condition, ...) ioasid_warn_text(condition, ioasid_once(), __VA_ARGS__)

#define ioasid_warn_if(condition, may) \
	__extension__({ \
		int ioasid_bad = !!(condition); \
		if (unlikely(ioasid_bad) && (may)) \
			printk(KERN_WARNING "WARNING at %s:%d %s()\n", __FILE__, __LINE__, \
			       __func__); \
		unlikely(ioasid_bad); \
	})

#define ioasid_warn_text(condition, may, ...) \
	__extension__({ \
		int ioasid_bad = !!(condition); \
		if (unlikely(ioasid_bad) && (may)) { \
			printk(KERN_WARNING "WARNING at %s:%d %s()\n", __FILE__, __LINE__, \
			       __func__); \
			printk(__VA_ARGS__); \
		} \
		unlikely(ioasid_bad); \
	})

#endif
