/* SPDX-License-Identifier: MIT */
/* Types, constants and structures of the ids, without the functions. */
#ifndef IOASID_LINUX_IOASID_TYPES_H
#define IOASID_LINUX_IOASID_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX == 0xffffffffu
#error "libioasid is for 64-bit targets: 32-bit ones (x86, arm, x32) are not supported"
#endif

#include "ioasid-casts.h"

/*
 * A unit of kernel code that says its version has the names of that version, and no others: the rest are
 * its own. IOASID_HAS(from, to) is for names that those versions have; the series' are 2 to 4. A unit
 * that says none has all of them.
 */
#ifdef IOASID_API
#define IOASID_HAS(from, to) (IOASID_API >= (from) && IOASID_API <= (to))
#else
#define IOASID_HAS(from, to) 1
#endif

#define INVALID_IOASID 0xffffffffu

typedef unsigned int ioasid_t;
/* Must return; see "Callbacks" above. */
typedef ioasid_t (*ioasid_alloc_fn_t)(ioasid_t min, ioasid_t max, void *data);
typedef void (*ioasid_free_fn_t)(ioasid_t ioasid, void *data);

#if IOASID_HAS(2, 4)
#include "ioasid-notifier.h"

struct mm_struct;

/**
 * enum ioasid_set_type - what the token of a set means
 * @IOASID_SET_TYPE_NULL: any pointer, compared but never followed; NULL means anonymous
 * @IOASID_SET_TYPE_MM: a struct mm_struct; pinned while the set lives if mm_alloc() made it
 * @IOASID_SET_TYPE_NR: one more than the last type
 */
enum ioasid_set_type {
	IOASID_SET_TYPE_NULL = 1,
	IOASID_SET_TYPE_MM,
	IOASID_SET_TYPE_NR,
};
#endif
#if IOASID_HAS(4, 4)
#define IOASID_SET_TYPE_NONE IOASID_SET_TYPE_NULL
#endif

/* V4 has an atomic counter there, of the same size: see <linux/ioasid-api.h> of ioasid-kernel. */
#ifndef IOASID_COUNT
#define IOASID_COUNT int
#define IOASID_COUNT_NONE 0
#endif

/**
 * struct ioasid_set - a group of ids with an owner and a quota
 * @token: the owner, unique among the live sets of one type
 * @type: enum ioasid_set_type
 * @quota: how many ids the set may have; 0 is no limit of its own
 * @nr_ioasids: how many it has, those that wait for their last reference included
 * @sid: number of the set, as v2 spells it
 * @id: the same, as v3 and V4 spell it
 *
 * Owned by the library and kept up to date by it: read the fields, never write them. A set from
 * DECLARE_IOASID_SET() is only a name; its fields say nothing.
 */
struct ioasid_set {
	void *token;
	int type;
	int quota;
	IOASID_COUNT nr_ioasids;
	/* private: C99 has none */ __extension__ /* public: */ union {
		int sid;
		int id;
	};
};

#if IOASID_HAS(505, 518)
/* A declared set points at itself, so that the library can tell one from any other pointer. */
#define IOASID_SET_DECLARED 0x494f4153
#define DECLARE_IOASID_SET(name) \
	struct ioasid_set name = { &(name), IOASID_SET_DECLARED, 0, IOASID_COUNT_NONE, { 0 } }
#endif

/* Two pointers that the library does not use: kernel code initialises a list there. */
#ifndef IOASID_OPS_LIST
#define IOASID_OPS_LIST __extension__ union { void *ioasid_unused[2]; };
#endif

/**
 * struct ioasid_allocator_ops - a custom allocator
 * @alloc: returns an id in [min, max], or INVALID_IOASID
 * @free: takes an id back
 * @pdata: handed to both
 *
 * Both run with the core lock held and may call every function of this header. They must not wait for
 * a thread that does, and must return: no longjmp(), pthread_exit() or exception.
 */
struct ioasid_allocator_ops {
	ioasid_alloc_fn_t alloc;
	ioasid_free_fn_t free;
	IOASID_OPS_LIST
	void *pdata;
};

#ifndef IOASID_API
/**
 * enum ioasid_notify_val - events, the code a notifier_block gets
 * @IOASID_NOTIFY_ALLOC: an id was allocated (to the set)
 * @IOASID_NOTIFY_FREE: an id was freed: drop your references (to all and to the set)
 * @IOASID_NOTIFY_BIND: an id got its SPID, or ioasid_notify() said so (to the set)
 * @IOASID_NOTIFY_UNBIND: the opposite; the SPID is still in the arguments (to the set)
 * @IOASID_NOTIFY_SET_ALLOC: a set was created; id is INVALID_IOASID (to all)
 * @IOASID_NOTIFY_SET_FREE: a set is gone; id is INVALID_IOASID (to all)
 * @IOASID_NOTIFY_RECLAIM: a number is back in the pool (to those of ioasid_register_reclaim() alone)
 * @IOASID_ALLOC: v2's name of IOASID_NOTIFY_ALLOC
 * @IOASID_FREE: v2's name of IOASID_NOTIFY_FREE
 * @IOASID_BIND: v2's name of IOASID_NOTIFY_BIND
 * @IOASID_UNBIND: v2's name of IOASID_NOTIFY_UNBIND
 * @IOASID_SET_ALLOC: v2's name of IOASID_NOTIFY_SET_ALLOC
 * @IOASID_SET_FREE: v2's name of IOASID_NOTIFY_SET_FREE
 */
enum ioasid_notify_val {
	IOASID_NOTIFY_ALLOC = 1,
	IOASID_NOTIFY_FREE,
	IOASID_NOTIFY_BIND,
	IOASID_NOTIFY_UNBIND,
	IOASID_NOTIFY_SET_ALLOC,
	IOASID_NOTIFY_SET_FREE,
	IOASID_NOTIFY_RECLAIM,
	/* as v2 spells them */
	IOASID_ALLOC = IOASID_NOTIFY_ALLOC,
	IOASID_FREE = IOASID_NOTIFY_FREE,
	IOASID_BIND = IOASID_NOTIFY_BIND,
	IOASID_UNBIND = IOASID_NOTIFY_UNBIND,
	IOASID_SET_ALLOC = IOASID_NOTIFY_SET_ALLOC,
	IOASID_SET_FREE = IOASID_NOTIFY_SET_FREE,
};

/* Flags of ioasid_notify(): who is told. v2 spells them without FLAG. */
#define IOASID_NOTIFY_FLAG_ALL (1UL << 0)
#define IOASID_NOTIFY_FLAG_SET (1UL << 1)
#define IOASID_NOTIFY_ALL IOASID_NOTIFY_FLAG_ALL
#define IOASID_NOTIFY_SET IOASID_NOTIFY_FLAG_SET
#endif

#if IOASID_HAS(2, 4)
/**
 * enum ioasid_notifier_prios - priorities of subscribers, lowest first
 * @IOASID_PRIO_LAST: after everybody else
 * @IOASID_PRIO_DEVICE: device models
 * @IOASID_PRIO_IOMMU: IOMMU drivers
 * @IOASID_PRIO_CPU: those who translate PASIDs for the CPU (KVM), told first
 */
enum ioasid_notifier_prios {
	IOASID_PRIO_LAST,
	IOASID_PRIO_DEVICE,
	IOASID_PRIO_IOMMU,
	IOASID_PRIO_CPU,
};

/**
 * struct ioasid_nb_args - what a subscriber is told with each event
 * @id: the id, or INVALID_IOASID for the events of sets
 * @spid: its set-private id, or INVALID_IOASID
 * @set: its set
 * @pdata: its private data
 */
struct ioasid_nb_args {
	ioasid_t id;
	ioasid_t spid;
	struct ioasid_set *set;
	void *pdata;
};
#endif /* the series */

#ifndef IOASID_API
/**
 * struct ioasid_reclaim_args - what is told with RECLAIM
 * @id: the number that is free again
 * @set: the number of the set that had it; the set itself may be gone
 * @pdata: the private data that it had last
 */
struct ioasid_reclaim_args {
	ioasid_t id;
	int set;
	void *pdata;
};

#endif

#if IOASID_HAS(518, 518)
/**
 * pasid_valid() - whether a number is an id at all
 * @ioasid: what ioasid_alloc() returned, say
 *
 * Return: whether it is anything but INVALID_IOASID.
 * Context: any. Follows 5.18.
 */
static inline bool pasid_valid(ioasid_t ioasid)
{
	return ioasid != INVALID_IOASID;
}

#endif

#ifndef IOASID_API
/**
 * ioasid_is_err() - whether a function that returns a pointer has refused
 * @ptr: what it returned
 *
 * Return: true if @ptr stands for an error number, as the kernel's IS_ERR() has it. NULL does not.
 * Context: any.
 */
static inline bool ioasid_is_err(const void *ptr)
{
	return IOASID_ADDRESS(uintptr_t, ptr) >= UINTPTR_MAX - 4094;
}

/**
 * ioasid_err() - why a function that returns a pointer refused
 * @ptr: what a function of this header returned
 *
 * Return: a negative error number; 0 if @ptr stands for none.
 * Context: any.
 */
static inline int ioasid_err(const void *ptr)
{
	return ioasid_is_err(ptr) ? IOASID_NUMBER(int, IOASID_ADDRESS(intptr_t, ptr)) : 0;
}

#endif

#endif
