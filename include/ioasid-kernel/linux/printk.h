/* SPDX-License-Identifier: MIT */
/* Compat: printk and its family, into the library's log: see <linux/ioasid-log.h>. */
#ifndef IOASID_LINUX_PRINTK_H
#define IOASID_LINUX_PRINTK_H

#include <linux/ioasid-log.h>

/* Before the format, without a comma. A call is a line: there is no KERN_CONT. */
#define KERN_EMERG "\001" "0"
#define KERN_ALERT "\001" "1"
#define KERN_CRIT "\001" "2"
#define KERN_ERR "\001" "3"
#define KERN_WARNING "\001" "4"
#define KERN_NOTICE "\001" "5"
#define KERN_INFO "\001" "6"
#define KERN_DEBUG "\001" "7"

/* Sources define their own before the first include. */
#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define printk ioasid_printk

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_dump_stack() - who called whom, a line each on the log
 *
 * Context: any thread; not a signal handler.
 */
void ioasid_dump_stack(void);

#ifdef __cplusplus
}
#endif

static inline void dump_stack(void)
{
	ioasid_dump_stack();
}

/*
 * pr_fmt may add arguments after its format, so the format needs a name of its own, and ISO C
 * then wants one more argument than a plain message has.
 */
#pragma GCC system_header

#define pr_emerg(fmt, ...) printk(KERN_EMERG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_alert(fmt, ...) printk(KERN_ALERT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_crit(fmt, ...) printk(KERN_CRIT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...) printk(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...) printk(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...) printk(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...) printk(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)

/* Checked by the compiler, never called. */
#define no_printk(...) ((void)(0 && printk(__VA_ARGS__)))

/* As in the kernel, debug lines are compiled in by DEBUG only. */
#ifdef DEBUG
#define pr_debug(fmt, ...) printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#else
#define pr_debug(fmt, ...) no_printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#endif

/* True once in the life of the place where it stands. */
#define ioasid_once() \
	__extension__({ \
		static unsigned char ioasid_done; \
		!__atomic_exchange_n(&ioasid_done, 1, __ATOMIC_RELAXED); \
	})

#define printk_once(...) ((void)(ioasid_once() && printk(__VA_ARGS__)))
#define pr_err_once(fmt, ...) printk_once(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_once(fmt, ...) printk_once(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice_once(fmt, ...) printk_once(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_once(fmt, ...) printk_once(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)

/* Ten lines in five seconds from each place, the kernel's default. */
#define printk_ratelimited(...) \
	__extension__({ \
		static struct ioasid_ratelimit_state ioasid_limit = { 5000, 10, 0, 0, 0 }; \
		(void)(ioasid_ratelimit(&ioasid_limit) && printk(__VA_ARGS__)); \
	})
#define pr_err_ratelimited(fmt, ...) printk_ratelimited(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...) printk_ratelimited(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice_ratelimited(fmt, ...) \
	printk_ratelimited(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_ratelimited(fmt, ...) printk_ratelimited(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)

#endif
