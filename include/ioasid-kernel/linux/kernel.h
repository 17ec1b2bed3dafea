/* SPDX-License-Identifier: MIT */
/* Compat: the general helpers of the kernel's kitchen sink. */
#ifndef IOASID_LINUX_KERNEL_H
#define IOASID_LINUX_KERNEL_H

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/kconfig.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "../../ioasid/linux/ioasid-rcu.h"

#define U8_MAX ((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~(u64)0)
#define S8_MAX ((s8)(U8_MAX >> 1))
#define S16_MAX ((s16)(U16_MAX >> 1))
#define S32_MAX ((s32)(U32_MAX >> 1))
#define S64_MAX ((s64)(U64_MAX >> 1))

/* Of any type, where libc's is of int. C++ has its own for each. */
#ifndef __cplusplus
#define abs(x) \
	__extension__({ \
		const __typeof__(x) ioasid_x = (x); \
		ioasid_x > 0 || ioasid_x == 0 ? ioasid_x : -ioasid_x; \
	})
#endif

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Says so where a sleep could wait for ever: in a read-side section, or in a callback of the library. */
#define might_sleep() ioasid_might_sleep(__FILE__, __LINE__)
#define might_sleep_if(condition) ((void)((condition) && (might_sleep(), 0)))
#define might_fault() might_sleep()

static inline void ioasid_might_sleep(const char *file, int line)
{
	if (unlikely(!ioasid_may_wait()))
		printk(KERN_WARNING "might_sleep at %s:%d, where nobody may\n", file, line);
}

/* What was written, without the zero, and never more than fits; 0 for a size of 0. */
__printf(3, 0) static inline int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int length = vsnprintf(buf, size, fmt, args);

	if (length < 0 || !size)
		return 0;
	return (size_t)length < size ? length : (int)(size - 1);
}

__printf(3, 4) static inline int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return length;
}

#define upper_32_bits(n) ((u32)(((u64)(n)) >> 32))
#define lower_32_bits(n) ((u32)((u64)(n) & 0xffffffffU))

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/kernel.h>
