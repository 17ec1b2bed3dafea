/* SPDX-License-Identifier: MIT */
/* One published version, exactly: its prototypes, as functions without macros, and its behaviour. */
#ifndef IOASID_LINUX_IOASID_API_H
#define IOASID_LINUX_IOASID_API_H

/*
 * IOASID_API says which: 505, 511 and 518 for Linux 5.5 to 5.10, 5.11 to 5.17 and 5.18 to 6.3; 2, 3 and 4
 * for that version of the series. <linux/ioasid.h> includes this file if it is defined.
 *
 * Each name is bound to an exported function that behaves as that version, so it has one address in
 * the process, and units of different versions may be mixed. The functions have names that no program
 * has: one of its own that is named as in another version is the program's, and is not called by ours. What a function does is said where the
 * function of the same name is declared in libioasid's own <linux/ioasid.h>; here stands what differs.
 */

#ifdef IOASID_API

#if IOASID_API == 4
#include <linux/atomic.h>
#include <linux/types.h>
#define IOASID_COUNT atomic_t
#define IOASID_COUNT_NONE { 0 }
#endif

#include "../../ioasid/linux/ioasid-types.h"

/* The name of a function for the linker. */
#define IOASID_BOUND(symbol) __asm__(#symbol)

struct work_struct;

#ifdef __cplusplus
extern "C" {
#endif

/* ---- all versions ---- */

int ioasid_register_allocator(struct ioasid_allocator_ops *ops)
	IOASID_BOUND(ioasid_api_register_allocator);
void ioasid_unregister_allocator(struct ioasid_allocator_ops *ops)
	IOASID_BOUND(ioasid_api_unregister_allocator);
void *ioasid_find(struct ioasid_set *set, ioasid_t ioasid, bool (*getter)(void *))
	IOASID_BOUND(ioasid_api_find);

#if IOASID_API == 505 || IOASID_API == 511 || IOASID_API == 518
/* ---- mainline: only the address of a set matters, wherever it lies ---- */

ioasid_t ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *priv)
	IOASID_BOUND(ioasid_alloc_by_address);
int ioasid_set_data(ioasid_t ioasid, void *data) IOASID_BOUND(ioasid_api_attach_data);

#if IOASID_API == 511
/* An id has users; the last put ends it. No free. */
void ioasid_get(ioasid_t ioasid) IOASID_BOUND(ioasid_api_get_511);
bool ioasid_put(ioasid_t ioasid) IOASID_BOUND(ioasid_api_put_511);
#else
void ioasid_free(ioasid_t ioasid) IOASID_BOUND(ioasid_api_free_505);
#endif

#else
/* ---- the series ---- */

#if IOASID_API == 2
enum ioasid_notify_val {
	IOASID_ALLOC = 1,
	IOASID_FREE,
	IOASID_BIND,
	IOASID_UNBIND,
	IOASID_SET_ALLOC,
	IOASID_SET_FREE,
};

#define IOASID_NOTIFY_ALL (1UL << 0)
#define IOASID_NOTIFY_SET (1UL << 1)
#else
/* Subscribers to all are told of sets as well, with 5 and 6. */
enum ioasid_notify_val {
	IOASID_NOTIFY_ALLOC = 1,
	IOASID_NOTIFY_FREE,
	IOASID_NOTIFY_BIND,
	IOASID_NOTIFY_UNBIND,
};

#define IOASID_NOTIFY_FLAG_ALL (1UL << 0)
#define IOASID_NOTIFY_FLAG_SET (1UL << 1)
#endif

ioasid_t ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *priv)
	IOASID_BOUND(ioasid_api_alloc);
void ioasid_free(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_free);
int ioasid_get(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_get);
int ioasid_get_locked(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_get_locked);
void ioasid_install_capacity(ioasid_t total) IOASID_BOUND(ioasid_api_install_capacity);
int ioasid_register_notifier(struct ioasid_set *set, struct notifier_block *nb)
	IOASID_BOUND(ioasid_api_register_notifier);
void ioasid_unregister_notifier(struct ioasid_set *set, struct notifier_block *nb)
	IOASID_BOUND(ioasid_api_unregister_notifier);
int ioasid_register_notifier_mm(struct mm_struct *mm, struct notifier_block *nb)
	IOASID_BOUND(ioasid_api_register_notifier_mm);
void ioasid_unregister_notifier_mm(struct mm_struct *mm, struct notifier_block *nb)
	IOASID_BOUND(ioasid_api_unregister_notifier_mm);

#if IOASID_API == 2
void ioasid_put(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_put);
void ioasid_put_locked(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_put_locked);
/* -EINVAL for quota 0, and for a token that has no type. */
struct ioasid_set *ioasid_alloc_set(void *token, ioasid_t quota, int type)
	IOASID_BOUND(ioasid_api_set_alloc_2);
int ioasid_attach_data(ioasid_t ioasid, void *data) IOASID_BOUND(ioasid_api_attach_data);
int ioasid_attach_spid(ioasid_t ioasid, ioasid_t spid) IOASID_BOUND(ioasid_api_attach_spid);
int ioasid_set_for_each_ioasid(struct ioasid_set *set, void (*fn)(ioasid_t id, void *data),
			       void *data) IOASID_BOUND(ioasid_api_set_for_each_ioasid);
int ioasid_notify(ioasid_t ioasid, enum ioasid_notify_val cmd, unsigned int flags)
	IOASID_BOUND(ioasid_api_notify);
/* Declared in v2 and never there: void ioasid_is_in_set(), which could not have said a thing. */
bool ioasid_is_active(ioasid_t ioasid) IOASID_BOUND(ioasid_api_is_active);
bool ioasid_is_in_set(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_is_in_set);
/* Exported in v2, not in its header. */
void ioasid_set_get_locked(struct ioasid_set *set) IOASID_BOUND(ioasid_api_set_get_locked);
void ioasid_set_put_locked(struct ioasid_set *set) IOASID_BOUND(ioasid_api_set_put_locked);
#else
bool ioasid_put(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_put);
bool ioasid_put_locked(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_put_locked);
void ioasid_detach_data(ioasid_t ioasid) IOASID_BOUND(ioasid_api_detach_data);
void ioasid_detach_spid(ioasid_t ioasid) IOASID_BOUND(ioasid_api_detach_spid);
void ioasid_set_for_each_ioasid(struct ioasid_set *set, void (*fn)(ioasid_t id, void *data),
				void *data) IOASID_BOUND(ioasid_api_set_for_each_ioasid);
#endif

#if IOASID_API == 3
/* As in v2. */
struct ioasid_set *ioasid_set_alloc(void *token, ioasid_t quota, int type)
	IOASID_BOUND(ioasid_api_set_alloc_2);
int ioasid_attach_data(ioasid_t ioasid, void *data) IOASID_BOUND(ioasid_api_attach_data);
/* -EINVAL for INVALID_IOASID, which detaches elsewhere. */
int ioasid_attach_spid(ioasid_t ioasid, ioasid_t spid) IOASID_BOUND(ioasid_api_attach_spid_3);
#endif

#if IOASID_API == 4
/* -EINVAL for a token that has no type. Quota 0 takes all that is available. */
struct ioasid_set *ioasid_set_alloc(void *token, ioasid_t quota, int type)
	IOASID_BOUND(ioasid_api_set_alloc_4);
/* -EBUSY if there is some already. */
int ioasid_attach_data(ioasid_t ioasid, void *data) IOASID_BOUND(ioasid_attach_first_data);
/* -EINVAL for INVALID_IOASID, and for the SPID that it has. */
int ioasid_attach_spid(ioasid_t ioasid, ioasid_t spid) IOASID_BOUND(ioasid_api_attach_spid_4);
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid, bool get)
	IOASID_BOUND(ioasid_find_by_spid_ref);
int ioasid_get_if_owned(ioasid_t ioasid) IOASID_BOUND(ioasid_api_get_if_owned);
int ioasid_set_free(struct ioasid_set *set) IOASID_BOUND(ioasid_api_set_free);
void ioasid_free_all_in_set(struct ioasid_set *set) IOASID_BOUND(ioasid_api_free_all_in_set);
struct ioasid_set *ioasid_find_mm_set(struct mm_struct *token) IOASID_BOUND(ioasid_api_find_mm_set);
struct ioasid_set *ioasid_find_set(ioasid_t ioasid) IOASID_BOUND(ioasid_api_find_set);
int ioasid_reserve_capacity(ioasid_t nr_ioasid) IOASID_BOUND(ioasid_api_reserve_capacity);
int ioasid_cancel_capacity(ioasid_t nr_ioasid) IOASID_BOUND(ioasid_api_cancel_capacity);
bool ioasid_queue_work(struct work_struct *work) IOASID_BOUND(ioasid_api_queue_work);
int ioasid_cg_charge(struct ioasid_set *set) IOASID_BOUND(ioasid_api_cg_charge);
void ioasid_cg_uncharge(struct ioasid_set *set) IOASID_BOUND(ioasid_api_cg_uncharge);
#else
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid)
	IOASID_BOUND(ioasid_api_find_by_spid);
ioasid_t ioasid_get_capacity(void) IOASID_BOUND(ioasid_api_get_capacity);
int ioasid_adjust_set(struct ioasid_set *set, int quota) IOASID_BOUND(ioasid_api_adjust_set);
void ioasid_set_get(struct ioasid_set *set) IOASID_BOUND(ioasid_api_set_get);
void ioasid_set_put(struct ioasid_set *set) IOASID_BOUND(ioasid_api_set_put);
#endif

#endif

#ifdef __cplusplus
}
#endif

#endif /* IOASID_API */

#endif
