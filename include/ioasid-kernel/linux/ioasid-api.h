/* SPDX-License-Identifier: MIT */
/* One published version, exactly: its prototypes, as functions without macros, and its behaviour. */
#ifndef IOASID_LINUX_IOASID_API_H
#define IOASID_LINUX_IOASID_API_H

/*
 * IOASID_API says which: 505, 511 and 518 for Linux 5.5 to 5.10, 5.11 to 5.17 and 5.18 to 6.3; 2, 3 and 4
 * for that version of the series. <linux/ioasid.h> includes this file if it is defined.
 *
 * Each name is bound to an exported function that behaves as that version, so it has one address in
 * the process, and units of different versions may be mixed. What a function does is said where the
 * function of the same name is declared in libioasid's own <linux/ioasid.h>; here stands what differs.
 */

#ifdef IOASID_API

#if IOASID_API == 4
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

int ioasid_register_allocator(struct ioasid_allocator_ops *ops);
void ioasid_unregister_allocator(struct ioasid_allocator_ops *ops);
void *ioasid_find(struct ioasid_set *set, ioasid_t ioasid, bool (*getter)(void *));

#if IOASID_API == 505 || IOASID_API == 511 || IOASID_API == 518
/* ---- mainline: only the address of a set matters, wherever it lies ---- */

ioasid_t ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *priv)
	IOASID_BOUND(ioasid_alloc_by_address);
int ioasid_set_data(ioasid_t ioasid, void *data) IOASID_BOUND(ioasid_attach_data);

#if IOASID_API == 511
/* An id has users; the last put ends it. No free. */
void ioasid_get(ioasid_t ioasid) IOASID_BOUND(ioasid_api_get_511);
bool ioasid_put(ioasid_t ioasid) IOASID_BOUND(ioasid_api_put_511);
#else
void ioasid_free(ioasid_t ioasid) IOASID_BOUND(ioasid_api_free_505);
#endif

#elif IOASID_API == 2 || IOASID_API == 3 || IOASID_API == 4
/* ---- the series ---- */

ioasid_t ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *priv);
void ioasid_free(struct ioasid_set *set, ioasid_t ioasid);
int ioasid_get(struct ioasid_set *set, ioasid_t ioasid);
int ioasid_get_locked(struct ioasid_set *set, ioasid_t ioasid);
void ioasid_install_capacity(ioasid_t total);
int ioasid_register_notifier(struct ioasid_set *set, struct notifier_block *nb);
void ioasid_unregister_notifier(struct ioasid_set *set, struct notifier_block *nb);
int ioasid_register_notifier_mm(struct mm_struct *mm, struct notifier_block *nb);
void ioasid_unregister_notifier_mm(struct mm_struct *mm, struct notifier_block *nb);

#if IOASID_API == 2
void ioasid_put(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_put_2);
void ioasid_put_locked(struct ioasid_set *set, ioasid_t ioasid) IOASID_BOUND(ioasid_api_put_2);
/* -EINVAL for quota 0, and for a token that has no type. */
struct ioasid_set *ioasid_alloc_set(void *token, ioasid_t quota, int type)
	IOASID_BOUND(ioasid_api_set_alloc_2);
int ioasid_attach_data(ioasid_t ioasid, void *data);
int ioasid_attach_spid(ioasid_t ioasid, ioasid_t spid);
int ioasid_set_for_each_ioasid(struct ioasid_set *set, void (*fn)(ioasid_t id, void *data),
			       void *data);
int ioasid_notify(ioasid_t ioasid, enum ioasid_notify_val cmd, unsigned int flags);
/* Declared in v2 and never there: void ioasid_is_in_set(), which could not have said a thing. */
bool ioasid_is_active(ioasid_t ioasid);
bool ioasid_is_in_set(struct ioasid_set *set, ioasid_t ioasid);
/* Exported in v2, not in its header. */
void ioasid_set_get_locked(struct ioasid_set *set);
void ioasid_set_put_locked(struct ioasid_set *set);
#else
bool ioasid_put(struct ioasid_set *set, ioasid_t ioasid);
bool ioasid_put_locked(struct ioasid_set *set, ioasid_t ioasid);
void ioasid_detach_data(ioasid_t ioasid) IOASID_BOUND(ioasid_api_detach_data_3);
void ioasid_detach_spid(ioasid_t ioasid) IOASID_BOUND(ioasid_api_detach_spid_3);
void ioasid_set_for_each_ioasid(struct ioasid_set *set, void (*fn)(ioasid_t id, void *data),
				void *data) IOASID_BOUND(ioasid_api_for_each_3);
#endif

#if IOASID_API == 3
/* As in v2. */
struct ioasid_set *ioasid_set_alloc(void *token, ioasid_t quota, int type)
	IOASID_BOUND(ioasid_api_set_alloc_2);
int ioasid_attach_data(ioasid_t ioasid, void *data);
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
int ioasid_get_if_owned(ioasid_t ioasid);
int ioasid_set_free(struct ioasid_set *set);
void ioasid_free_all_in_set(struct ioasid_set *set);
struct ioasid_set *ioasid_find_mm_set(struct mm_struct *token);
struct ioasid_set *ioasid_find_set(ioasid_t ioasid);
int ioasid_reserve_capacity(ioasid_t nr_ioasid);
int ioasid_cancel_capacity(ioasid_t nr_ioasid);
bool ioasid_queue_work(struct work_struct *work);
int ioasid_cg_charge(struct ioasid_set *set);
void ioasid_cg_uncharge(struct ioasid_set *set);
#else
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid);
ioasid_t ioasid_get_capacity(void);
int ioasid_adjust_set(struct ioasid_set *set, int quota);
void ioasid_set_get(struct ioasid_set *set);
void ioasid_set_put(struct ioasid_set *set);
#endif

#else
#error "IOASID_API is 505, 511, 518, 2, 3 or 4: see <linux/ioasid-api.h>"
#endif

#ifdef __cplusplus
}
#endif

#endif /* IOASID_API */

#endif
