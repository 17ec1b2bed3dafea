/* SPDX-License-Identifier: MIT */
/* Compat: arrays that grow where they are used: pointers and small numbers, by unsigned long. */
#ifndef IOASID_LINUX_XARRAY_H
#define IOASID_LINUX_XARRAY_H

#include <limits.h>

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kconfig.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/*
 * A tree of 64-way nodes. Readers take no lock: they walk it in a read-side section, and nodes are
 * freed after a grace period. What is stored stays the caller's, who frees it after one, too. Writers
 * exclude one another by the lock of the array. Entries are NULL, pointers to 4 bytes and more, and
 * numbers of xa_mk_value(). The advanced interface (XA_STATE, xas_*) is not here, nor are entries of
 * several indices.
 */

typedef unsigned int xa_mark_t;
#define XA_MARK_0 ((xa_mark_t)0U)
#define XA_MARK_1 ((xa_mark_t)1U)
#define XA_MARK_2 ((xa_mark_t)2U)
#define XA_MARK_MAX XA_MARK_2
/* Filter of xa_find(): whatever is there. */
#define XA_PRESENT ((xa_mark_t)8U)

#define XA_FLAGS_LOCK_IRQ ((gfp_t)1U)
#define XA_FLAGS_LOCK_BH ((gfp_t)2U)
/* Index allocated by NULL is taken; without it xa_alloc() is refused. */
#define XA_FLAGS_TRACK_FREE ((gfp_t)4U)
/* xa_alloc() never gives index 0. */
#define XA_FLAGS_ZERO_BUSY ((gfp_t)8U)
#define XA_FLAGS_ALLOC_WRAPPED ((gfp_t)16U)
#define XA_FLAGS_ACCOUNT ((gfp_t)32U)
#define XA_FLAGS_ALLOC XA_FLAGS_TRACK_FREE
#define XA_FLAGS_ALLOC1 (XA_FLAGS_TRACK_FREE | XA_FLAGS_ZERO_BUSY)

/**
 * struct xarray - an array
 * @xa_lock: of its writers
 * @xa_flags: XA_FLAGS_*
 * @xa_head: the tree (library's own)
 */
struct xarray {
	spinlock_t xa_lock;
	gfp_t xa_flags;
	void *xa_head;
};

#define XARRAY_INIT(name, flags) { { PTHREAD_MUTEX_INITIALIZER, false }, flags, NULL }
#define DEFINE_XARRAY_FLAGS(name, flags) struct xarray name = XARRAY_INIT(name, flags)
#define DEFINE_XARRAY(name) DEFINE_XARRAY_FLAGS(name, 0)
#define DEFINE_XARRAY_ALLOC(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC)
#define DEFINE_XARRAY_ALLOC1(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC1)

struct xa_limit {
	u32 max;
	u32 min;
};

#ifdef __cplusplus
#define XA_LIMIT(min_, max_) (xa_limit{ (max_), (min_) })
#else
#define XA_LIMIT(min_, max_) ((struct xa_limit){ (max_), (min_) })
#endif
#define xa_limit_32b XA_LIMIT(0, UINT_MAX)
#define xa_limit_31b XA_LIMIT(0, INT_MAX)
#define xa_limit_16b XA_LIMIT(0, USHRT_MAX)

/* ---- Entries ---- */

#define BITS_PER_XA_VALUE (__SIZEOF_LONG__ * 8 - 1)

/* The highest bit is lost, with a warning. */
static inline void *xa_mk_value(unsigned long v)
{
	WARN_ON((long)v < 0);
	return (void *)((v << 1) | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

/* Two bits of a pointer to 4 bytes and more. */
static inline void *xa_tag_pointer(void *p, unsigned long tag)
{
	return (void *)((unsigned long)p | tag);
}

static inline void *xa_untag_pointer(void *entry)
{
	return (void *)((unsigned long)entry & ~3UL);
}

static inline unsigned int xa_pointer_tag(void *entry)
{
	return (unsigned int)((unsigned long)entry & 3UL);
}

/* Errors come back as entries of their own kind. */
static inline bool xa_is_err(const void *entry)
{
	return ((unsigned long)entry & 3) == 2 && (long)entry < 0 &&
	       (long)entry >= -(long)(MAX_ERRNO * 4);
}

static inline int xa_err(void *entry)
{
	return xa_is_err(entry) ? (int)((long)entry >> 2) : 0;
}

/* ---- The tree: those that change it want the lock of the array held ---- */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_xa_load() - what an array has at an index
 * @xa: the array
 * @index: the index
 *
 * Return: the entry; NULL if there is none, or it is only reserved.
 * Context: any thread, without a lock; whoever follows the entry needs a read-side section around
 *	both, or another reason why it is there.
 */
void *ioasid_xa_load(const struct xarray *xa, unsigned long index);

/**
 * ioasid_xa_store() - put an entry at an index of an array
 * @xa: the array
 * @index: the index
 * @entry: what to store. NULL empties the place or, in an array that allocates, keeps it reserved
 *
 * Return: what was there; xa_err() of it is -ENOMEM, -EINVAL if @entry cannot be one or @xa is NULL.
 *	Nothing has changed then.
 * Context: any thread, with the lock of the array. Never waits for readers.
 */
void *ioasid_xa_store(struct xarray *xa, unsigned long index, void *entry);

/**
 * ioasid_xa_erase() - empty a place of an array
 * @xa: the array
 * @index: the index
 *
 * Return: what was there. Needs no memory.
 * Context: as ioasid_xa_store().
 */
void *ioasid_xa_erase(struct xarray *xa, unsigned long index);

/**
 * ioasid_xa_cmpxchg() - put an entry of an array in the place of another
 * @xa: the array
 * @index: the index
 * @old: what must be there; NULL: nothing, not even reserved
 * @entry: what to store; NULL empties the place, also in an array that allocates
 *
 * Return: what was there, @old if it was exchanged; or an error as of ioasid_xa_store(). A place that is
 *	reserved reads as NULL, also here: NULL for an @old of NULL does not say then that @entry is stored, as
 *	in 6.1. ioasid_xa_insert() does.
 * Context: as ioasid_xa_store().
 */
void *ioasid_xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry);

/**
 * ioasid_xa_insert() - put an entry where an array has none
 * @xa: the array
 * @index: the index
 * @entry: what to store; NULL reserves the place
 *
 * Return: 0; -EBUSY if something is there, or it is reserved; -ENOMEM, -EINVAL as ioasid_xa_store().
 * Context: as ioasid_xa_store().
 */
int ioasid_xa_insert(struct xarray *xa, unsigned long index, void *entry);

/**
 * ioasid_xa_release() - give a reserved place of an array back
 * @xa: the array
 * @index: the index; one that was stored to stays
 *
 * Context: as ioasid_xa_store().
 */
void ioasid_xa_release(struct xarray *xa, unsigned long index);

/**
 * ioasid_xa_alloc() - put an entry at the lowest free index of a range of an array
 * @xa: the array, with XA_FLAGS_ALLOC
 * @id: where the index goes; unchanged on error
 * @entry: what to store; NULL reserves the place
 * @min: lowest index
 * @max: highest index
 *
 * Return: 0; -EBUSY if none is free; -ENOMEM; -EINVAL as ioasid_xa_store(), and for an array that
 *	does not allocate.
 * Context: as ioasid_xa_store().
 */
int ioasid_xa_alloc(struct xarray *xa, u32 *id, void *entry, u32 min, u32 max);

/**
 * ioasid_xa_alloc_cyclic() - put an entry at the next free index of a range, from the last one on
 * @xa: as there
 * @id: as there
 * @entry: as there
 * @min: as there
 * @max: as there
 * @next: where to begin, and where to begin the next time
 *
 * Return: 0, or 1 if it began anew at @min; else as ioasid_xa_alloc().
 * Context: as ioasid_xa_store().
 */
int ioasid_xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, u32 min, u32 max, u32 *next);

/**
 * ioasid_xa_get_mark() - whether an entry of an array is marked
 * @xa: the array
 * @index: the index
 * @mark: XA_MARK_0 to XA_MARK_2; no other is ever set
 *
 * Return: true if it is.
 * Context: as ioasid_xa_load().
 */
bool ioasid_xa_get_mark(const struct xarray *xa, unsigned long index, xa_mark_t mark);

/**
 * ioasid_xa_set_mark() - mark an entry of an array, or take a mark away
 * @xa: the array
 * @index: the index; nothing is marked where nothing is
 * @mark: XA_MARK_0 to XA_MARK_2; others are a warning
 * @set: which of the two
 *
 * Context: as ioasid_xa_store().
 */
void ioasid_xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark, bool set);

/**
 * ioasid_xa_marked() - whether anything in an array is marked
 * @xa: the array
 * @mark: as for ioasid_xa_get_mark()
 *
 * Return: true if an entry has the mark.
 * Context: as ioasid_xa_load().
 */
bool ioasid_xa_marked(const struct xarray *xa, xa_mark_t mark);

/**
 * ioasid_xa_find() - the next entry of an array
 * @xa: the array
 * @index: where to begin; where it was found. Unchanged if there is none
 * @max: the highest index
 * @filter: XA_PRESENT, or a mark that it must have
 *
 * Reserved places are passed over.
 *
 * Return: the entry, or NULL.
 * Context: as ioasid_xa_load().
 */
void *ioasid_xa_find(const struct xarray *xa, unsigned long *index, unsigned long max,
		     xa_mark_t filter);

/**
 * ioasid_xa_destroy() - empty an array
 * @xa: the array; it may be used again
 *
 * Context: as ioasid_xa_store(). What was stored is for the caller to free.
 */
void ioasid_xa_destroy(struct xarray *xa);

/**
 * ioasid_xa_enter() - take the lock of an array for one change
 * @xa: the array; for NULL nothing happens, and what comes next says so
 *
 * As xa_lock(), for the functions that take the lock themselves: in the child of fork() it is free, whoever
 * was in it. Nothing but one function above may come between this and ioasid_xa_leave().
 *
 * Context: any thread. Waits for who has the lock.
 */
void ioasid_xa_enter(struct xarray *xa);

/**
 * ioasid_xa_leave() - give the lock of an array back after one change
 * @xa: the array
 *
 * Context: behind ioasid_xa_enter().
 */
void ioasid_xa_leave(struct xarray *xa);

#ifdef __cplusplus
}
#endif

/* ---- The kernel's names ---- */

static inline void xa_init_flags(struct xarray *xa, gfp_t flags)
{
	if (WARN_ON_ONCE(!xa))
		return;
	xa->xa_head = NULL;
	xa->xa_flags = flags;
	spin_lock_init(&xa->xa_lock);
}

static inline void xa_init(struct xarray *xa)
{
	xa_init_flags(xa, 0);
}

/* NULL is a warning, and nothing is in it. */
static inline bool xa_empty(const struct xarray *xa)
{
	return WARN_ON_ONCE(!xa) || !__atomic_load_n(&xa->xa_head, __ATOMIC_ACQUIRE);
}

static inline bool xa_marked(const struct xarray *xa, xa_mark_t mark)
{
	return ioasid_xa_marked(xa, mark);
}

#define xa_trylock(xa) spin_trylock(&(xa)->xa_lock)
#define xa_lock(xa) spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa) spin_unlock(&(xa)->xa_lock)
#define xa_lock_bh(xa) xa_lock(xa)
#define xa_unlock_bh(xa) xa_unlock(xa)
#define xa_lock_irq(xa) xa_lock(xa)
#define xa_unlock_irq(xa) xa_unlock(xa)
#define xa_lock_irqsave(xa, flags) spin_lock_irqsave(&(xa)->xa_lock, flags)
#define xa_unlock_irqrestore(xa, flags) spin_unlock_irqrestore(&(xa)->xa_lock, flags)

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	return ioasid_xa_load(xa, index);
}

static inline void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
			    xa_mark_t filter)
{
	return ioasid_xa_find(xa, index, max, filter);
}

/* Behind *@index. */
static inline void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
				  xa_mark_t filter)
{
	unsigned long next;
	void *entry;

	if (WARN_ON_ONCE(!xa || !index))
		return NULL;
	next = *index + 1;
	entry = next && next <= max ? ioasid_xa_find(xa, &next, max, filter) : NULL;

	if (entry)
		*index = next;
	return entry;
}

static inline bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	return ioasid_xa_get_mark(xa, index, mark);
}

/* With two underscores: the caller has the lock. Where memory comes from is all the same here. */

static inline void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	(void)gfp;
	return ioasid_xa_store(xa, index, entry);
}

static inline void *__xa_erase(struct xarray *xa, unsigned long index)
{
	return ioasid_xa_erase(xa, index);
}

static inline void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
				 gfp_t gfp)
{
	(void)gfp;
	return ioasid_xa_cmpxchg(xa, index, old, entry);
}

static inline int __must_check __xa_insert(struct xarray *xa, unsigned long index, void *entry,
					   gfp_t gfp)
{
	(void)gfp;
	return ioasid_xa_insert(xa, index, entry);
}

static inline int __must_check __xa_alloc(struct xarray *xa, u32 *id, void *entry,
					  struct xa_limit limit, gfp_t gfp)
{
	(void)gfp;
	return ioasid_xa_alloc(xa, id, entry, limit.min, limit.max);
}

static inline int __must_check __xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
						 struct xa_limit limit, u32 *next, gfp_t gfp)
{
	(void)gfp;
	return ioasid_xa_alloc_cyclic(xa, id, entry, limit.min, limit.max, next);
}

static inline void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	ioasid_xa_set_mark(xa, index, mark, true);
}

static inline void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	ioasid_xa_set_mark(xa, index, mark, false);
}

#define IOASID_XA_LOCKED(type, call) \
	{ \
		type ioasid_result; \
		ioasid_xa_enter(xa); \
		ioasid_result = call; \
		ioasid_xa_leave(xa); \
		return ioasid_result; \
	}

/* There are no interrupts and no softirqs to keep out: three names for the same. */
#define IOASID_XA_THREE(check, type, name, params, call) \
	check static inline type name params IOASID_XA_LOCKED(type, call) \
	check static inline type name##_bh params IOASID_XA_LOCKED(type, call) \
	check static inline type name##_irq params IOASID_XA_LOCKED(type, call)

IOASID_XA_THREE(, void *, xa_store,
		(struct xarray * xa, unsigned long index, void *entry, gfp_t gfp),
		__xa_store(xa, index, entry, gfp))
IOASID_XA_THREE(, void *, xa_erase, (struct xarray * xa, unsigned long index),
		__xa_erase(xa, index))
IOASID_XA_THREE(, void *, xa_cmpxchg,
		(struct xarray * xa, unsigned long index, void *old, void *entry, gfp_t gfp),
		__xa_cmpxchg(xa, index, old, entry, gfp))
IOASID_XA_THREE(__must_check, int, xa_insert,
		(struct xarray * xa, unsigned long index, void *entry, gfp_t gfp),
		__xa_insert(xa, index, entry, gfp))
IOASID_XA_THREE(__must_check, int, xa_alloc,
		(struct xarray * xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp),
		__xa_alloc(xa, id, entry, limit, gfp))
IOASID_XA_THREE(, int, xa_alloc_cyclic,
		(struct xarray * xa, u32 *id, void *entry, struct xa_limit limit, u32 *next,
		 gfp_t gfp),
		__xa_alloc_cyclic(xa, id, entry, limit, next, gfp))
#undef IOASID_XA_THREE
#undef IOASID_XA_LOCKED

/* 0 also if something is there already. */
static inline int __must_check xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	int err = xa_insert(xa, index, NULL, gfp);

	return err == -EBUSY ? 0 : err;
}

#define xa_reserve_bh(xa, index, gfp) xa_reserve(xa, index, gfp)
#define xa_reserve_irq(xa, index, gfp) xa_reserve(xa, index, gfp)

static inline void xa_release(struct xarray *xa, unsigned long index)
{
	ioasid_xa_enter(xa);
	ioasid_xa_release(xa, index);
	ioasid_xa_leave(xa);
}

static inline void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	ioasid_xa_enter(xa);
	__xa_set_mark(xa, index, mark);
	ioasid_xa_leave(xa);
}

static inline void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	ioasid_xa_enter(xa);
	__xa_clear_mark(xa, index, mark);
	ioasid_xa_leave(xa);
}

static inline void xa_destroy(struct xarray *xa)
{
	ioasid_xa_enter(xa);
	ioasid_xa_destroy(xa);
	ioasid_xa_leave(xa);
}

/* How many of @n entries from @start on. */
static inline unsigned int xa_extract(struct xarray *xa, void **dst, unsigned long start,
				      unsigned long max, unsigned int n, xa_mark_t filter)
{
	unsigned int count = 0;
	void *entry;

	if (WARN_ON_ONCE(!dst) || !n)
		return 0;
	for (entry = xa_find(xa, &start, max, filter); entry;
	     entry = xa_find_after(xa, &start, max, filter)) {
		dst[count++] = entry;
		if (count == n)
			break;
	}
	return count;
}

/* The entry may be erased in the body; others may change meanwhile. */
#define xa_for_each_range(xa, index, entry, start, last) \
	for (index = start, entry = xa_find(xa, &index, last, XA_PRESENT); entry; \
	     entry = xa_find_after(xa, &index, last, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, start) \
	xa_for_each_range(xa, index, entry, start, ULONG_MAX)
#define xa_for_each(xa, index, entry) xa_for_each_start(xa, index, entry, 0)
#define xa_for_each_marked(xa, index, entry, filter) \
	for (index = 0, entry = xa_find(xa, &index, ULONG_MAX, filter); entry; \
	     entry = xa_find_after(xa, &index, ULONG_MAX, filter))

#endif
