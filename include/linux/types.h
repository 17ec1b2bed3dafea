/* SPDX-License-Identifier: MIT */
/* Compat: the kernel's short integer types and the small structures everybody shares. */
#ifndef IOASID_LINUX_TYPES_H
#define IOASID_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
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

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* struct rcu_head is liburcu's: <linux/rcupdate.h>. */

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/types.h>
