/* SPDX-License-Identifier: MIT */
/* The contract: I/O address space ids (PASIDs), sets, references, SPIDs, events. */
#if defined(IOASID_KERNEL) && !defined(IOASID_KERNEL_LINUX_IOASID_H)
/* Flags of ioasid-kernel behind those of ioasid: kernel code means its header of this name. */
#include "../../ioasid-kernel/linux/ioasid.h"
#endif
#ifndef IOASID_LINUX_IOASID_H
#define IOASID_LINUX_IOASID_H

/**
 * DOC: libioasid
 *
 * The kernel's interface as the series "IOASID extensions for guest SVA" has it (v2 to V4), for every
 * program. It defines names that begin with ioasid_ or IOASID_, INVALID_IOASID, pasid_valid(),
 * DECLARE_IOASID_SET(), struct notifier_block with what its handler returns (NOTIFY_*,
 * notifier_to_errno(), notifier_from_errno()), and nothing else.
 *
 * Kernel code, of any published version, is compiled with the headers of ioasid-kernel instead: its
 * <linux/ioasid.h> is this one with the kernel's types and the other argument counts, or, if
 * IOASID_API is defined, with the prototypes and the behaviour of one version.
 *
 * Stability: the soname changes when a symbol or a structure of this header does.
 *
 * Threads: every function may be called from any thread, and from every callback of this header,
 * unless its Context says otherwise. "Lock-free" means that no lock is taken. "Takes the core
 * lock" means that it may wait for another thread's handlers, which run with that lock held.
 *
 * Signals: what is async-signal-safe says so. It waits for nobody, whatever function of the library
 * the handler interrupted, and whatever other threads are stopped in. While a trace is written
 * or a history kept (<linux/ioasid-debug.h>) changes of references take the core lock, and are not.
 *
 * Callbacks (handlers, getters, visitors, allocators, sinks, write functions of a trace) must return:
 * leaving one by longjmp(), pthread_exit() or a C++ exception is undefined. A thread is not cancelled
 * in them. docs/process.md has fork(), exit(), signals and stack in full.
 *
 * Bad input gets the documented result, changes nothing, is counted (ioasid_get_stats()), is what
 * ioasid_last_refusal() tells of, and leaves one rate-limited log line. That an id or a set is not there is
 * an answer of the find functions: it is counted and told, and leaves no line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ioasid-types.h"

#define IOASID_VERSION_MAJOR 0
#define IOASID_VERSION_MINOR 2
#define IOASID_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* ---- ids ---- */

/**
 * ioasid_alloc() - allocate the lowest free id of a range
 * @set: the set it will belong to; NULL is the system set, which has no quota
 * @min: lowest id wanted
 * @max: highest id wanted, inclusive
 * @priv: private data, see ioasid_find()
 *
 * Ids are below the installed capacity, unless a custom allocator is registered: then it picks.
 *
 * Return: the id, holding the caller's reference, in state ACTIVE; INVALID_IOASID if the range is
 * empty or full, the quota or the capacity is used up, @set is no live set, or for want of memory.
 * Context: takes the core lock. Sends ALLOC to @set. Follows v2; NULL @set as v5.5.
 */
ioasid_t ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *priv);

/**
 * ioasid_alloc_by_address() - allocate for a set that is any address
 * @set: the address, never followed; NULL is the system set
 * @min: as for ioasid_alloc()
 * @max: as for ioasid_alloc()
 * @priv: as for ioasid_alloc()
 *
 * In mainline only the address of a set matters: a static structure, a field of one on the heap. Such
 * an address is a set for as long as it has ids. Meanwhile the functions that allocate, free, look up, bind,
 * walk and subscribe know it. It has no owner, quota or references: ioasid_adjust_set(), ioasid_set_get(),
 * ioasid_set_put(), ioasid_set_free() and ioasid_set_put_wait() refuse it as no live set, and there is no
 * SET_ALLOC or SET_FREE. When its last id is reclaimed, subscribers that are on it are dropped without
 * being told. A set that ioasid_set_alloc() or DECLARE_IOASID_SET() made is what it always is.
 *
 * Return: as ioasid_alloc(); INVALID_IOASID too if there are some 262,000 sets, those of this kind included.
 * Context: takes the core lock. What ioasid_alloc() is in 5.5 to 6.3.
 */
ioasid_t ioasid_alloc_by_address(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *priv);

/**
 * ioasid_free() - tell everybody that an id is going, and drop the allocator's reference
 * @set: the set it belongs to, or NULL not to check
 * @ioasid: the id
 *
 * The id becomes FREE_PENDING: nobody gets new references or finds it by SPID. It returns to the
 * pool when the last reference is put. A second call does nothing.
 *
 * This is how the owner gives its reference back, and it must not ioasid_put() as well, nor put
 * instead: references are counted, not named. A put too many takes one that somebody else relies on,
 * and when the set dies its id may be handed out again while it is in use.
 *
 * Context: takes the core lock. Sends FREE to all and to the set. Follows V4, but tells before it
 * drops, as v2. One argument, as v5.5 and 5.18-6.3: no check.
 */
void ioasid_free(struct ioasid_set *set, ioasid_t ioasid);

/**
 * ioasid_find() - look up the private data of an id
 * @set: the set it must belong to, or NULL not to check
 * @ioasid: the id
 * @getter: NULL, or called with the private data inside a read-side section; false refuses.
 *	It must return: no longjmp(), pthread_exit() or exception
 *
 * Without @getter, be in a read-side section, ioasid_rcu_read_lock() of <linux/ioasid-rcu.h>, around the
 * call and the use of what it returns, unless the data cannot go away. In kernel code that is
 * rcu_read_lock() of <linux/rcupdate.h>.
 *
 * Return: the private data (may be NULL), also while FREE_PENDING; NULL if @getter refused;
 * ERR_PTR(-ENOENT) unknown id; ERR_PTR(-EACCES) of another set.
 * Context: lock-free, async-signal-safe (so must @getter be then). All versions agree.
 */
void *ioasid_find(struct ioasid_set *set, ioasid_t ioasid, bool (*getter)(void *));

/**
 * ioasid_get() - take a reference on an id
 * @set: the set it must belong to, or NULL not to check
 * @ioasid: the id
 *
 * Return: 0; -EINVAL unknown id; -EBUSY FREE_PENDING; -EACCES of another set; -EOVERFLOW when the
 * count is at its limit of 4194303 (it never wraps).
 * Context: lock-free, async-signal-safe; but takes the core lock, and is not, while a trace is written or a
 * history kept. Follows v2; one argument as 5.11-5.17.
 */
int ioasid_get(struct ioasid_set *set, ioasid_t ioasid);
int ioasid_get_locked(struct ioasid_set *set, ioasid_t ioasid);

/**
 * ioasid_get_if_owned() - take a reference if the id is of the current process's set
 * @ioasid: the id
 *
 * Return: 0; -ENOENT unknown id; -EINVAL not of an IOASID_SET_TYPE_MM set; -EPERM the set's token
 * is not current->mm; else as ioasid_get().
 * Context: takes the core lock. Follows V4.
 */
int ioasid_get_if_owned(ioasid_t ioasid);

/**
 * ioasid_put() - drop a reference on an id
 * @set: the set it must belong to, or NULL not to check
 * @ioasid: the id
 *
 * For references of ioasid_get() and ioasid_find_by_spid(). The owner's own is given back by
 * ioasid_free(). Putting the last reference of an ACTIVE id, which is the owner's, frees it as
 * ioasid_free() does, FREE included: this is all that 5.11-5.17 has.
 *
 * Return: true if the id was reclaimed; false if others hold it, it is unknown or of another set.
 * Context: lock-free and async-signal-safe unless it is the last reference, a trace is written or a history
 * kept: then takes the core lock. Follows v3; one argument as 5.11-5.17.
 */
bool ioasid_put(struct ioasid_set *set, ioasid_t ioasid);
bool ioasid_put_locked(struct ioasid_set *set, ioasid_t ioasid);

/**
 * ioasid_is_active() - whether an id is allocated and not freed
 * @ioasid: the id
 *
 * Return: true if it is ACTIVE; false if unknown or FREE_PENDING.
 * Context: lock-free, async-signal-safe. Declared in v2, implemented here.
 */
bool ioasid_is_active(ioasid_t ioasid);

/**
 * ioasid_is_in_set() - whether an id is of a set
 * @set: the set; NULL is the system set
 * @ioasid: the id
 *
 * Return: true if it is, FREE_PENDING or not.
 * Context: lock-free, async-signal-safe. Declared in v2, implemented here.
 */
bool ioasid_is_in_set(struct ioasid_set *set, ioasid_t ioasid);

/**
 * ioasid_attach_data() - replace the private data of an id
 * @ioasid: the id
 * @data: the new data, or NULL
 *
 * Once it has returned, no getter and no read-side section uses the old data.
 *
 * Return: 0; -ENOENT unknown id; -EDEADLK if readers of the old data would have to be awaited
 * where that cannot end: in a read-side section (a getter, say) or in a callback of this header.
 * Context: takes the core lock, then may sleep for a grace period without it; no wait if there was
 * no data or it stays the same. Follows v2; ioasid_set_data() is the mainline name.
 */
int ioasid_attach_data(ioasid_t ioasid, void *data);
#define ioasid_set_data ioasid_attach_data

/**
 * ioasid_attach_first_data() - give an id private data if it has none
 * @ioasid: the id
 * @data: the data, or NULL
 *
 * Return: 0; -ENOENT unknown id; -EBUSY it has data.
 * Context: takes the core lock. What ioasid_attach_data() is in V4.
 */
int ioasid_attach_first_data(ioasid_t ioasid, void *data);

/**
 * ioasid_detach_data() - take the private data of an id away
 * @ioasid: the id
 *
 * Return: as ioasid_attach_data(); v3 and V4 return nothing.
 * Context: as ioasid_attach_data().
 */
int ioasid_detach_data(ioasid_t ioasid);

/* ---- set-private ids (guest PASIDs) ---- */

/**
 * ioasid_attach_spid() - give an id its set-private id
 * @ioasid: the id
 * @spid: unique in the set; INVALID_IOASID detaches
 *
 * A bound id that gets another SPID is unbound first. The same SPID again changes nothing.
 *
 * Return: 0; -ENOENT unknown id; -EBUSY FREE_PENDING, or in handlers 64 deep in each other; -EINVAL
 * another id of the set has @spid; -ENOMEM.
 * Context: takes the core lock. Sends BIND (UNBIND) to the set. Follows v3.
 */
int ioasid_attach_spid(ioasid_t ioasid, ioasid_t spid);

/**
 * ioasid_detach_spid() - take the set-private id away
 * @ioasid: the id, which may be FREE_PENDING
 *
 * Return: 0, also if there was none; -ENOENT unknown id; -EBUSY in handlers 64 deep in each other,
 * nothing has changed then. v3 and V4 return nothing.
 * Context: takes the core lock. Sends UNBIND to the set, the SPID still in its arguments.
 */
int ioasid_detach_spid(ioasid_t ioasid);

/**
 * ioasid_find_by_spid() - the id that has this SPID in a set, with a reference
 * @set: the set; NULL is the system set
 * @spid: the set-private id
 *
 * Return: the id, referenced: put it; INVALID_IOASID if there is none, it is FREE_PENDING, or the
 * set is not live.
 * Context: lock-free, async-signal-safe; but takes the core lock, and is not, while a trace is written or a
 * history kept. Follows v2 and v3; three arguments as V4, see ioasid_find_by_spid_ref().
 */
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid);

/**
 * ioasid_find_by_spid_ref() - the id that has this SPID in a set, with a reference only if asked for
 * @set: the set; NULL is the system set
 * @spid: the set-private id
 * @get: take a reference
 *
 * Return: as ioasid_find_by_spid().
 * Context: lock-free, async-signal-safe; with @get as ioasid_find_by_spid(). What V4 calls ioasid_find_by_spid() with three arguments.
 */
ioasid_t ioasid_find_by_spid_ref(struct ioasid_set *set, ioasid_t spid, bool get);

/**
 * ioasid_find_spid() - the SPID of an id
 * @ioasid: the id
 *
 * Return: its SPID, also while FREE_PENDING; INVALID_IOASID if it has none or is unknown.
 * Context: lock-free, async-signal-safe. Promised by the series, not in any version.
 */
ioasid_t ioasid_find_spid(ioasid_t ioasid);

/* ---- sets ---- */

/**
 * ioasid_set_alloc() - create a set
 * @token: its owner; may be NULL for IOASID_SET_TYPE_NULL
 * @quota: ids to reserve from the capacity; 0: no quota; the set may use whatever other sets have
 *	not reserved
 * @type: enum ioasid_set_type
 *
 * Return: the set, with one reference; ERR_PTR(-EINVAL) unknown type, or IOASID_SET_TYPE_MM
 * without token; ERR_PTR(-EEXIST) the token has a set; ERR_PTR(-ENOSPC) @quota is more than is
 * left or than INT_MAX, or too many sets; ERR_PTR(-EBUSY) in handlers 64 deep in each other;
 * ERR_PTR(-ENOMEM).
 * Context: takes the core lock. Sends SET_ALLOC to all; attaches the notifiers that wait for
 * @token first. Follows v3; ioasid_alloc_set() is the v2 name.
 */
struct ioasid_set *ioasid_set_alloc(void *token, ioasid_t quota, int type);
#define ioasid_alloc_set ioasid_set_alloc

/**
 * ioasid_adjust_set() - change the quota of a set
 * @set: the set
 * @quota: the new quota
 *
 * Return: 0; -EINVAL no live set, @quota not positive or below what the set uses; -ENOSPC it grows
 * by more than is left.
 * Context: takes the core lock. Follows v3.
 */
int ioasid_adjust_set(struct ioasid_set *set, int quota);

/**
 * ioasid_set_get() - take a reference on a set
 * @set: the set
 *
 * Nothing happens if @set is not a live set.
 *
 * Context: takes the core lock. Follows v2.
 */
void ioasid_set_get(struct ioasid_set *set);
void ioasid_set_get_locked(struct ioasid_set *set);

/**
 * ioasid_set_put() - drop a reference on a set
 * @set: the set
 *
 * With the last one the set dies: every id goes the way of ioasid_free(), the token is free for a
 * new set, notifiers on the set are detached. Ids that others hold stay valid for their holders;
 * the quota returns to the capacity when the last of them is reclaimed.
 *
 * Context: takes the core lock. Sends FREE for each id, then SET_FREE to all. Follows v2.
 */
void ioasid_set_put(struct ioasid_set *set);
void ioasid_set_put_locked(struct ioasid_set *set);

/**
 * ioasid_set_free() - drop the creator's reference on an empty set
 * @set: the set
 *
 * Return: 0; -EINVAL no live set, or the creator's reference is already dropped; -EBUSY ids left.
 * Context: takes the core lock. Follows V4.
 */
int ioasid_set_free(struct ioasid_set *set);

/**
 * ioasid_free_all_in_set() - free every id of a set
 * @set: the set, which stays; NULL is the system set, and sweeps the ids of all who pass NULL
 *
 * Context: takes the core lock. Sends FREE for each id. Follows V4.
 */
void ioasid_free_all_in_set(struct ioasid_set *set);

/**
 * ioasid_find_mm_set() - the live set whose token is this mm
 * @token: the mm
 *
 * Return: the set, without a reference; NULL if there is none.
 * Context: takes the core lock. Follows V4.
 */
struct ioasid_set *ioasid_find_mm_set(struct mm_struct *token);

/**
 * ioasid_find_set() - the set of an id
 * @ioasid: the id
 *
 * Return: the set, without a reference, NULL for the system set; ERR_PTR(-ENOENT) unknown id.
 * Context: lock-free, async-signal-safe. Follows V4.
 */
struct ioasid_set *ioasid_find_set(ioasid_t ioasid);

/**
 * ioasid_set_for_each_ioasid() - call a function for each id of a set, in ascending order
 * @set: the set; NULL is the system set
 * @fn: called without any lock held; may allocate, free and put. Must return: no longjmp(),
 *	pthread_exit() or exception
 * @data: handed to @fn
 *
 * Ids that are allocated meanwhile are not visited, nor are those that are gone when their turn
 * comes.
 *
 * Return: 0; -ENOENT the set is empty; -EINVAL no set, or no @fn; -ENOMEM nothing was visited.
 * v3 and V4 return nothing.
 * Context: takes the core lock to begin with. Follows v2.
 */
int ioasid_set_for_each_ioasid(struct ioasid_set *set, void (*fn)(ioasid_t id, void *data),
			       void *data);

/**
 * ioasid_set_name() - name a set for those who read logs, dumps and traces
 * @set: the set; NULL is the system set
 * @name: copied, 31 bytes at most; NULL takes the name away
 *
 * Names need not differ. Control characters, quotes and backslashes become question marks.
 *
 * Return: 0; -EINVAL no live set; -ENOMEM, and the name stays what it was.
 * Context: takes the core lock. Not in any kernel version.
 */
int ioasid_set_name(struct ioasid_set *set, const char *name);

/* ---- capacity ---- */

/**
 * ioasid_install_capacity() - say how many ids there are
 * @total: ids are 0 to @total - 1; 0x100000 without this call; 0 is refused
 *
 * Refused, with a log line, while there is an id, a set with a quota, or something reserved. When nothing is
 * left of these it may be called again.
 *
 * Context: takes the core lock. Follows v3, which took one while ids were in use.
 */
void ioasid_install_capacity(ioasid_t total);

/**
 * ioasid_get_capacity() - how many ids there are
 *
 * Return: the capacity.
 * Context: lock-free, async-signal-safe. Follows v2.
 */
ioasid_t ioasid_get_capacity(void);

/**
 * ioasid_reserve_capacity() - keep ids back from everybody
 * @nr_ioasid: how many; 0 asks how many are left and reserves none
 *
 * Return: how many were reserved (are left); -ENOSPC fewer are left; -EINVAL beyond INT_MAX.
 * Context: takes the core lock. Follows V4's code, but 0 takes nothing.
 */
int ioasid_reserve_capacity(ioasid_t nr_ioasid);

/**
 * ioasid_cancel_capacity() - give reserved capacity back
 * @nr_ioasid: how many
 *
 * Return: how many are left for everybody; -EINVAL more than was reserved.
 * Context: takes the core lock. Follows V4.
 */
int ioasid_cancel_capacity(ioasid_t nr_ioasid);

/**
 * ioasid_reserve_range() - set numbers aside: nobody gets them
 * @min: the lowest
 * @max: the highest
 *
 * For numbers that mean something already: 0, those that the host uses itself, those of a guest that is about
 * to arrive. They count as used capacity. A custom allocator that gives one is refused, as if it had given an
 * id that is in use.
 *
 * Return: 0; -EINVAL reversed or beyond the capacity; -EBUSY an id of the range is in use; -EEXIST one is set
 * aside (the lowest such number decides which); -ENOSPC fewer are left that no set has reserved; -ENOMEM. If it
 * is refused nothing is set aside.
 * Context: takes the core lock, for as long as it takes to mark each number. Not in any kernel version.
 */
int ioasid_reserve_range(ioasid_t min, ioasid_t max);

/**
 * ioasid_cancel_range() - give numbers back that were set aside
 * @min: the lowest
 * @max: the highest; any part of what ioasid_reserve_range() took will do
 *
 * Return: 0; -EINVAL reversed, or one of them is not set aside, and none is given back.
 * Context: as ioasid_reserve_range(). Not in any kernel version.
 */
int ioasid_cancel_range(ioasid_t min, ioasid_t max);

/**
 * ioasid_next_range() - look for numbers that are set aside
 * @from: where to begin; from 0, then from @max + 1, it lists them all
 * @min: the lowest of the first run of such numbers, none of which is below @from; may be NULL
 * @max: the highest of that run; may be NULL
 *
 * What was reserved side by side is one run.
 *
 * Return: true; false, and @min and @max are not changed, if there is none.
 * Context: takes the core lock. Not in any kernel version.
 */
bool ioasid_next_range(ioasid_t from, ioasid_t *min, ioasid_t *max);

/* ---- custom allocators ---- */

/**
 * ioasid_register_allocator() - let a custom allocator pick the ids
 * @ops: the allocator; must stay valid until unregistered
 *
 * The first one registered is active; further ones with the same two functions share its ids, and
 * ones with other functions wait their turn.
 *
 * Return: 0; -EINVAL @ops or a function is NULL; -EEXIST @ops is registered; -EAGAIN the default
 * allocator has ids out; -ENOMEM.
 * Context: takes the core lock. All versions agree.
 */
int ioasid_register_allocator(struct ioasid_allocator_ops *ops);

/**
 * ioasid_unregister_allocator() - take a custom allocator away
 * @ops: the allocator
 *
 * Its ids stay valid. If another one shares them, that one takes them back when they are freed.
 *
 * Context: takes the core lock. All versions agree.
 */
void ioasid_unregister_allocator(struct ioasid_allocator_ops *ops);

/* ---- events ---- */

/**
 * ioasid_register_notifier() - subscribe to events
 * @set: events of this set; NULL for those sent to all
 * @nb: the subscriber; priority and notifier_call are read now
 *
 * Subscribers to all and to the set are told in one order: by priority, then as registered.
 * A handler runs in the thread that caused the event, with the core lock held; it may call every
 * function of this header, and must not wait for a thread that does. If such a call causes another
 * event, those after it are told the present one first: all hear events in the order they happen.
 * NOTIFY_STOP_MASK in what it returns ends delivery of ALLOC, BIND and SET_ALLOC; not of FREE, UNBIND and
 * SET_FREE. It must return: no longjmp(), pthread_exit() or exception.
 *
 * In handlers that are 64 deep in each other, what creates or changes something is refused with
 * -EBUSY (INVALID_IOASID, ERR_PTR(-EBUSY)): alloc, set_alloc, attach and detach of SPIDs, notify,
 * register with replay. What ends something never is refused: it is done, and told when the outermost
 * call is about to return. So no chain takes more stack than 64 levels of about a kilobyte and what
 * the handlers take themselves.
 *
 * A block may be subscribed to all and to several sets: each is a subscription of its own, and an
 * event that goes to all and to a set tells it twice if it has both.
 *
 * Return: 0; -EINVAL no live set, no @nb or no function; -EEXIST it has
 * this subscription; -ENOMEM.
 * Context: takes the core lock. Follows v2. The set's death unsubscribes.
 */
int ioasid_register_notifier(struct ioasid_set *set, struct notifier_block *nb);

/**
 * ioasid_register_notifier_replay() - subscribe to events, and be told what already exists
 * @set: as for ioasid_register_notifier()
 * @nb: the subscriber
 *
 * @nb alone gets ALLOC, and BIND if bound, for each ACTIVE id of the set in ascending order; no
 * event of another's making comes between these and those that follow. What it returns is ignored
 * meanwhile. Nothing is told twice, nor of an id before its ALLOC, whatever its handler does.
 * With NULL, SET_ALLOC for each set, then the ids of all sets.
 *
 * Return: as ioasid_register_notifier().
 * Context: takes the core lock. Not in any kernel version.
 */
int ioasid_register_notifier_replay(struct ioasid_set *set, struct notifier_block *nb);

/**
 * ioasid_unregister_notifier() - unsubscribe from events
 * @set: as registered
 * @nb: the subscriber
 *
 * When it returns, @nb will not be called again, and is not running unless the caller runs in it.
 *
 * Context: takes the core lock. Follows v2.
 */
void ioasid_unregister_notifier(struct ioasid_set *set, struct notifier_block *nb);

/**
 * ioasid_register_notifier_mm() - subscribe to the set of an mm, present or to come
 * @mm: the token of the set; pinned if mm_alloc() made it
 * @nb: the subscriber
 *
 * Waits until the set exists, and again when it has died.
 *
 * Return: 0; -EINVAL no @mm, no @nb or no function; -EBUSY the set has ids, whose events would be
 * lost; -EEXIST already there; -ENOMEM.
 * Context: takes the core lock. Follows v2, which has -EBUSY for -EEXIST.
 */
int ioasid_register_notifier_mm(struct mm_struct *mm, struct notifier_block *nb);

/**
 * ioasid_unregister_notifier_mm() - unsubscribe from the set of an mm
 * @mm: as registered
 * @nb: the subscriber
 *
 * Context: takes the core lock. Follows v2.
 */
void ioasid_unregister_notifier_mm(struct mm_struct *mm, struct notifier_block *nb);

/**
 * ioasid_notify() - tell subscribers that an id was bound or unbound
 * @ioasid: the id
 * @cmd: IOASID_NOTIFY_BIND or IOASID_NOTIFY_UNBIND
 * @flags: IOASID_NOTIFY_FLAG_ALL, IOASID_NOTIFY_FLAG_SET or both
 *
 * Only a change is told: BIND of a bound id and UNBIND of one that is not do nothing.
 *
 * Return: 0; -EINVAL unknown id, another event or flag; -EBUSY BIND while FREE_PENDING, or either in
 * handlers 64 deep in each other; else what the handler that stopped BIND returned, through
 * notifier_to_errno().
 * Context: takes the core lock. Follows v2.
 */
int ioasid_notify(ioasid_t ioasid, enum ioasid_notify_val cmd, unsigned int flags);

/* ---- when something is really gone ---- */

/**
 * ioasid_register_reclaim() - be told when a number is back in the pool
 * @nb: the subscriber; its handler gets IOASID_NOTIFY_RECLAIM and a struct ioasid_reclaim_args
 *
 * FREE says that an id is going, RECLAIM that nobody has it any more: what used it as a name (a DMA
 * target, a table of somebody else's) may be given to the next one. When it is told the number may
 * already be another's. It cannot be stopped, and goes to these subscribers alone. What handlers may do,
 * see ioasid_register_notifier().
 *
 * Return: 0; -EINVAL no @nb or no function; -EEXIST it is registered; -ENOMEM.
 * Context: takes the core lock. Not in any kernel version.
 */
int ioasid_register_reclaim(struct notifier_block *nb);

/**
 * ioasid_unregister_reclaim() - stop being told when numbers are back in the pool
 * @nb: the subscriber
 *
 * When it returns, @nb will not be called again, and is not running unless the caller runs in it.
 *
 * Context: takes the core lock.
 */
void ioasid_unregister_reclaim(struct notifier_block *nb);

/**
 * ioasid_free_wait() - free an id, then wait until its number is back in the pool
 * @set: the set it belongs to, or NULL not to check
 * @ioasid: the id; one that is FREE_PENDING already is only waited for
 * @timeout_ms: how long, in milliseconds; negative for ever
 *
 * It waits for this life of the number: one that is handed out again is somebody else's.
 *
 * Return: 0; -ETIMEDOUT others hold it still, and it goes when they are done; -EINVAL unknown id;
 * -EACCES of another set; -EDEADLK where ioasid_may_wait() is false: in a handler, an allocator's function,
 * a getter, any other read-side section. Nothing has changed then. Visitors, and sinks and write
 * functions that run without the core lock, may wait.
 * Context: takes the core lock, then sleeps without it. No cancellation point. Not in any kernel
 * version.
 */
int ioasid_free_wait(struct ioasid_set *set, ioasid_t ioasid, int timeout_ms);

/**
 * ioasid_set_put_wait() - drop a reference on a set, then wait until the set and all its ids are gone
 * @set: the set
 * @timeout_ms: how long, in milliseconds; negative for ever
 *
 * With -ETIMEDOUT the reference is put all the same: the set must not be used any more, and another call for it
 * says -EINVAL if that was the last reference. Then the set ends when its last id does. To wait for that, note
 * the set's id and nr_ioasids and call ioasid_register_reclaim() before: RECLAIM comes once for each id, with the
 * number of the set, and the last one is the end (docs/events.md has it as a program). ioasid_dump() says who
 * holds what. -EINVAL and -EDEADLK put nothing.
 *
 * Return: 0; -ETIMEDOUT somebody holds the set or an id of it still; -EINVAL no live set; -EDEADLK as
 * ioasid_free_wait().
 * Context: as ioasid_free_wait().
 */
int ioasid_set_put_wait(struct ioasid_set *set, int timeout_ms);

#ifdef __cplusplus
}
#endif

#include "ioasid-log.h"
#include "ioasid-debug.h"

#endif
