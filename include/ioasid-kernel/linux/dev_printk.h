/* SPDX-License-Identifier: MIT */
/* Compat: lines of a device on the library's log. */
#ifndef IOASID_LINUX_DEV_PRINTK_H
#define IOASID_LINUX_DEV_PRINTK_H

#include <linux/bug.h>
#include <linux/printk.h>

struct device;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_dev_driver() - what a log line of a device begins with
 * @dev: the device; may be NULL, or one of the VT-d model
 *
 * Return: the name of its driver, else of its bus, else the empty string.
 * Context: any.
 */
const char *ioasid_dev_driver(const struct device *dev);

/**
 * ioasid_dev_name() - the name of a device
 * @dev: the device; may be NULL, or one of the VT-d model
 *
 * Return: its name; "(NULL device *)", or "(unnamed device)", which a device of the model is as well.
 * Context: any.
 */
const char *ioasid_dev_name(const struct device *dev);

#ifdef __cplusplus
}
#endif

/* Sources define their own before the first include. */
#ifndef dev_fmt
#define dev_fmt(fmt) fmt
#endif

/* The format needs a name of its own, and ISO C then wants an argument more. */
#pragma GCC system_header

/* @dev is evaluated once. */
#define dev_printk(level, dev, fmt, ...) \
	((void)__extension__({ \
		const struct device *ioasid_dev = (dev); \
		printk(level "%s %s: " fmt, ioasid_dev_driver(ioasid_dev), \
		       ioasid_dev_name(ioasid_dev), ##__VA_ARGS__); \
	}))

#define dev_emerg(dev, fmt, ...) dev_printk(KERN_EMERG, dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_alert(dev, fmt, ...) dev_printk(KERN_ALERT, dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_crit(dev, fmt, ...) dev_printk(KERN_CRIT, dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_err(dev, fmt, ...) dev_printk(KERN_ERR, dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_warn(dev, fmt, ...) dev_printk(KERN_WARNING, dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_notice(dev, fmt, ...) dev_printk(KERN_NOTICE, dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_info(dev, fmt, ...) dev_printk(KERN_INFO, dev, dev_fmt(fmt), ##__VA_ARGS__)

/* As pr_debug(): compiled in by DEBUG only. */
#ifdef DEBUG
#define dev_dbg(dev, fmt, ...) dev_printk(KERN_DEBUG, dev, dev_fmt(fmt), ##__VA_ARGS__)
#else
#define dev_dbg(dev, fmt, ...) \
	((void)(0 && (dev_printk(KERN_DEBUG, dev, dev_fmt(fmt), ##__VA_ARGS__), 0)))
#endif
#ifdef VERBOSE_DEBUG
#define dev_vdbg(dev, fmt, ...) dev_dbg(dev, fmt, ##__VA_ARGS__)
#else
#define dev_vdbg(dev, fmt, ...) \
	((void)(0 && (dev_printk(KERN_DEBUG, dev, dev_fmt(fmt), ##__VA_ARGS__), 0)))
#endif

/* Once in the life of the place where it stands. */
#define ioasid_dev_once(say, dev, fmt, ...) \
	((void)(ioasid_once() && (say(dev, fmt, ##__VA_ARGS__), 0)))
#define dev_emerg_once(dev, fmt, ...) ioasid_dev_once(dev_emerg, dev, fmt, ##__VA_ARGS__)
#define dev_alert_once(dev, fmt, ...) ioasid_dev_once(dev_alert, dev, fmt, ##__VA_ARGS__)
#define dev_crit_once(dev, fmt, ...) ioasid_dev_once(dev_crit, dev, fmt, ##__VA_ARGS__)
#define dev_err_once(dev, fmt, ...) ioasid_dev_once(dev_err, dev, fmt, ##__VA_ARGS__)
#define dev_warn_once(dev, fmt, ...) ioasid_dev_once(dev_warn, dev, fmt, ##__VA_ARGS__)
#define dev_notice_once(dev, fmt, ...) ioasid_dev_once(dev_notice, dev, fmt, ##__VA_ARGS__)
#define dev_info_once(dev, fmt, ...) ioasid_dev_once(dev_info, dev, fmt, ##__VA_ARGS__)
#define dev_dbg_once(dev, fmt, ...) ioasid_dev_once(dev_dbg, dev, fmt, ##__VA_ARGS__)

/* Ten lines in five seconds from each place, whatever the device. */
#define ioasid_dev_ratelimited(say, dev, fmt, ...) \
	__extension__({ \
		static struct ioasid_ratelimit_state ioasid_limit = { 5000, 10, 0, 0, 0 }; \
		if (ioasid_ratelimit(&ioasid_limit)) \
			say(dev, fmt, ##__VA_ARGS__); \
		(void)0; \
	})
#define dev_emerg_ratelimited(dev, fmt, ...) \
	ioasid_dev_ratelimited(dev_emerg, dev, fmt, ##__VA_ARGS__)
#define dev_alert_ratelimited(dev, fmt, ...) \
	ioasid_dev_ratelimited(dev_alert, dev, fmt, ##__VA_ARGS__)
#define dev_crit_ratelimited(dev, fmt, ...) ioasid_dev_ratelimited(dev_crit, dev, fmt, ##__VA_ARGS__)
#define dev_err_ratelimited(dev, fmt, ...) ioasid_dev_ratelimited(dev_err, dev, fmt, ##__VA_ARGS__)
#define dev_warn_ratelimited(dev, fmt, ...) ioasid_dev_ratelimited(dev_warn, dev, fmt, ##__VA_ARGS__)
#define dev_notice_ratelimited(dev, fmt, ...) \
	ioasid_dev_ratelimited(dev_notice, dev, fmt, ##__VA_ARGS__)
#define dev_info_ratelimited(dev, fmt, ...) ioasid_dev_ratelimited(dev_info, dev, fmt, ##__VA_ARGS__)
#ifdef DEBUG
#define dev_dbg_ratelimited(dev, fmt, ...) ioasid_dev_ratelimited(dev_dbg, dev, fmt, ##__VA_ARGS__)
#else
#define dev_dbg_ratelimited(dev, fmt, ...) dev_dbg(dev, fmt, ##__VA_ARGS__)
#endif

#define dev_WARN(dev, fmt, ...) ioasid_dev_warn(1, 1, dev, fmt, ##__VA_ARGS__)
#define dev_WARN_ONCE(dev, condition, fmt, ...) \
	ioasid_dev_warn(condition, ioasid_once(), dev, fmt, ##__VA_ARGS__)
#define ioasid_dev_warn(condition, may, dev, fmt, ...) \
	__extension__({ \
		const struct device *ioasid_dev = (dev); \
		ioasid_warn_text(condition, may, "%s %s: " fmt, ioasid_dev_driver(ioasid_dev), \
				 ioasid_dev_name(ioasid_dev), ##__VA_ARGS__); \
	})

#endif
