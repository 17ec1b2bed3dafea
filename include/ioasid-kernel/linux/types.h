/* SPDX-License-Identifier: MIT */
/* Compat: the kernel's short integer types and the small structures everybody shares. */
#ifndef IOASID_LINUX_TYPES_H
#define IOASID_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <asm/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

typedef unsigned int gfp_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

/* An array of bits, as <linux/bitmap.h> takes it. */
#define DECLARE_BITMAP(name, bits) \
	unsigned long name[((bits) + 8 * sizeof(long) - 1) / (8 * sizeof(long))]

typedef unsigned int fmode_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/*
 * What a block lends to kfree_rcu() and call_rcu(). liburcu has one of the same name and size: a
 * program that includes its headers before these has that one.
 */
#ifndef _URCU_CALL_RCU_H
#define IOASID_RCU_HEAD
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
#endif

#endif

#pragma GCC system_header /* #include_next and saying a typedef twice are extensions */
#include_next <linux/types.h>

#ifndef IOASID_LINUX_TYPES_LIBC
#define IOASID_LINUX_TYPES_LIBC
/*
 * The names that libc has too, as libc defines them, but without its headers: a program may still
 * define _GNU_SOURCE after this one.
 */
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef long ssize_t; /* <sys/kd.h> keeps __kernel_ssize_t out */
typedef int pid_t;
#endif
