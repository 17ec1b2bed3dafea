/* SPDX-License-Identifier: MIT */
/* Compat: the general helpers of the kernel's kitchen sink. */
#ifndef IOASID_LINUX_KERNEL_H
#define IOASID_LINUX_KERNEL_H

#include <limits.h>

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/types.h>

#define U8_MAX ((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~0ULL)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define sizeof_field(type, member) sizeof(((type *)0)->member)

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

/* To a power of two only, as in the kernel. */
#define ALIGN(x, to) (((x) + ((__typeof__(x))(to) - 1)) & ~((__typeof__(x))(to) - 1))
#define IS_ALIGNED(x, to) (((x) & ((__typeof__(x))(to) - 1)) == 0)

#define upper_32_bits(n) ((u32)(((u64)(n)) >> 32))
#define lower_32_bits(n) ((u32)((u64)(n) & 0xffffffffU))

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/kernel.h>
