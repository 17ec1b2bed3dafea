/* SPDX-License-Identifier: MIT */
/* Compat: numbers for pointers (IDR) and numbers alone (IDA), over <linux/xarray.h>. */
#ifndef IOASID_LINUX_IDR_H
#define IOASID_LINUX_IDR_H

#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/xarray.h>

/* ---- IDR: changed by one at a time, by the caller's lock; idr_find() and the walks need none ---- */

/**
 * struct idr - pointers by number
 * @idr_rt: where they are; its lock is idr_lock()'s
 * @idr_base: lowest number
 * @idr_next: where idr_alloc_cyclic() goes on
 *
 * A pointer may be any, also NULL: the number is taken then, though idr_find() gives NULL.
 */
struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
	unsigned int idr_next;
};

#define IDR_INIT_BASE(name, base) { XARRAY_INIT(name, XA_FLAGS_ALLOC), (base), 0 }
#define IDR_INIT(name) IDR_INIT_BASE(name, 0)
#define DEFINE_IDR(name) struct idr name = IDR_INIT(name)

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_idr_alloc() - the lowest free number of a range, for a pointer
 * @idr: the IDR
 * @ptr: what it is for; may be NULL
 * @id: lowest number; the one that was found. Unchanged on error
 * @max: highest number
 *
 * Return: 0; -ENOSPC if none is free; -ENOMEM; -EINVAL if @idr or @id is NULL.
 * Context: any thread, with the caller's lock. Never waits for readers.
 */
int ioasid_idr_alloc(struct idr *idr, void *ptr, u32 *id, unsigned long max);

/**
 * ioasid_idr_replace() - another pointer for a number that is taken
 * @idr: the IDR
 * @ptr: the pointer; may be NULL
 * @id: the number
 *
 * Return: the pointer before; ERR_PTR(-ENOENT) if the number is not taken; ERR_PTR(-EINVAL) if @idr is NULL.
 * Context: as ioasid_idr_alloc(). Needs no memory.
 */
void *ioasid_idr_replace(struct idr *idr, void *ptr, unsigned long id);

/* ---- IDA: has a lock of its own ---- */

/**
 * struct ida - numbers that are taken
 * @xa: them, in chunks of IDA_BITMAP_BITS
 */
struct ida {
	struct xarray xa;
};

#define IDA_CHUNK_SIZE 128
#define IDA_BITMAP_BITS (IDA_CHUNK_SIZE * 8)
#define IDA_INIT_FLAGS (XA_FLAGS_LOCK_IRQ | XA_FLAGS_ALLOC)
#define IDA_INIT(name) { XARRAY_INIT(name, IDA_INIT_FLAGS) }
#define DEFINE_IDA(name) struct ida name = IDA_INIT(name)

/**
 * ioasid_ida_alloc() - the lowest free number of a range, without a pointer
 * @ida: the IDA
 * @min: lowest number
 * @max: highest number; beyond INT_MAX it is INT_MAX
 *
 * Return: the number; -ENOSPC if none is free, or @min is beyond INT_MAX; -ENOMEM; -EINVAL if @ida is NULL.
 * Context: any thread. Never waits for readers.
 */
int ioasid_ida_alloc(struct ida *ida, unsigned int min, unsigned int max);

/**
 * ioasid_ida_free() - give a number back to an ida
 * @ida: the IDA
 * @id: the number; one that is not taken is a warning
 *
 * Context: any thread.
 */
void ioasid_ida_free(struct ida *ida, unsigned int id);

/**
 * ioasid_ida_destroy() - give all numbers of an ida back
 * @ida: the IDA; it may be used again
 *
 * Context: any thread.
 */
void ioasid_ida_destroy(struct ida *ida);

#ifdef __cplusplus
}
#endif

/* NULL, and a negative base, are a warning, and nothing is done. */
static inline void idr_init_base(struct idr *idr, int base)
{
	if (WARN_ON_ONCE(!idr) || WARN_ON_ONCE(base < 0))
		return;
	xa_init_flags(&idr->idr_rt, XA_FLAGS_ALLOC);
	idr->idr_base = (unsigned int)base;
	idr->idr_next = 0;
}

static inline void idr_init(struct idr *idr)
{
	idr_init_base(idr, 0);
}

#define idr_lock(idr) xa_lock(&(idr)->idr_rt)
#define idr_unlock(idr) xa_unlock(&(idr)->idr_rt)
#define idr_lock_bh(idr) idr_lock(idr)
#define idr_unlock_bh(idr) idr_unlock(idr)
#define idr_lock_irq(idr) idr_lock(idr)
#define idr_unlock_irq(idr) idr_unlock(idr)
#define idr_lock_irqsave(idr, flags) xa_lock_irqsave(&(idr)->idr_rt, flags)
#define idr_unlock_irqrestore(idr, flags) xa_unlock_irqrestore(&(idr)->idr_rt, flags)

static inline unsigned int idr_get_cursor(const struct idr *idr)
{
	return WARN_ON_ONCE(!idr) ? 0 : __atomic_load_n(&idr->idr_next, __ATOMIC_RELAXED);
}

static inline void idr_set_cursor(struct idr *idr, unsigned int val)
{
	if (!WARN_ON_ONCE(!idr))
		__atomic_store_n(&idr->idr_next, val, __ATOMIC_RELAXED);
}

static inline bool idr_is_empty(const struct idr *idr)
{
	return WARN_ON_ONCE(!idr) || xa_empty(&idr->idr_rt);
}

/* Memory comes when it is needed, and may be refused then: nothing is put by. */
static inline void idr_preload(gfp_t gfp)
{
	(void)gfp;
}

static inline void idr_preload_end(void)
{
}

static inline int __must_check idr_alloc_u32(struct idr *idr, void *ptr, u32 *id, unsigned long max,
					     gfp_t gfp)
{
	(void)gfp;
	return ioasid_idr_alloc(idr, ptr, id, max);
}

/* @end itself is not in the range; 0 and below is no end. A negative @start is a warning. */
static inline int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)
{
	u32 id = (u32)start;
	int err;

	if (WARN_ON_ONCE(start < 0))
		return -EINVAL;
	err = idr_alloc_u32(idr, ptr, &id, end > 0 ? (unsigned long)end - 1 : INT_MAX, gfp);
	return err ? err : (int)id;
}

static inline int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)
{
	unsigned long max = end > 0 ? (unsigned long)end - 1 : INT_MAX;
	u32 id;
	int err;

	/* The kernel takes a negative @start for the highest numbers there are, or for 0. */
	if (WARN_ON_ONCE(!idr) || WARN_ON_ONCE(start < 0))
		return -EINVAL;
	id = idr_get_cursor(idr);
	if ((int)id < start)
		id = (u32)start;
	err = idr_alloc_u32(idr, ptr, &id, max, gfp);
	if (err == -ENOSPC && id > (u32)start) {
		id = (u32)start;
		err = idr_alloc_u32(idr, ptr, &id, max, gfp);
	}
	if (err)
		return err;
	idr_set_cursor(idr, id + 1);
	return (int)id;
}

static inline void *idr_find(const struct idr *idr, unsigned long id)
{
	return WARN_ON_ONCE(!idr) ? NULL : ioasid_xa_load(&idr->idr_rt, id - idr->idr_base);
}

/* NULL for a number that is not taken. */
static inline void *idr_remove(struct idr *idr, unsigned long id)
{
	return WARN_ON_ONCE(!idr) ? NULL : ioasid_xa_erase(&idr->idr_rt, id - idr->idr_base);
}

static inline void *idr_replace(struct idr *idr, void *ptr, unsigned long id)
{
	return ioasid_idr_replace(idr, ptr, id);
}

/* From *@nextid on; numbers that are taken for NULL are passed over. */
static inline void *idr_get_next_ul(struct idr *idr, unsigned long *nextid)
{
	unsigned long index;
	void *entry;

	if (WARN_ON_ONCE(!idr || !nextid))
		return NULL;
	index = *nextid < idr->idr_base ? 0 : *nextid - idr->idr_base;
	entry = ioasid_xa_find(&idr->idr_rt, &index, ULONG_MAX, XA_PRESENT);
	if (entry)
		*nextid = index + idr->idr_base;
	return entry;
}

/* One beyond INT_MAX is a warning and NULL. */
static inline void *idr_get_next(struct idr *idr, int *nextid)
{
	unsigned long id;
	void *entry;

	if (WARN_ON_ONCE(!nextid))
		return NULL;
	id = (unsigned long)*nextid;
	entry = idr_get_next_ul(idr, &id);
	if (!entry || WARN_ON_ONCE(id > INT_MAX))
		return NULL;
	*nextid = (int)id;
	return entry;
}

/* Until @fn gives something else than 0, which is the result. It may remove what it is given. */
static inline int idr_for_each(const struct idr *idr, int (*fn)(int id, void *p, void *data),
			       void *data)
{
	unsigned long id = 0;
	void *entry;

	if (WARN_ON_ONCE(!idr || !fn))
		return 0;
	for (; (entry = idr_get_next_ul((struct idr *)idr, &id)) != NULL; id++) {
		int ret;

		if (WARN_ON_ONCE(id > INT_MAX))
			break;
		ret = fn((int)id, entry, data);
		if (ret)
			return ret;
	}
	return 0;
}

/* What is pointed to stays the caller's. */
static inline void idr_destroy(struct idr *idr)
{
	if (!WARN_ON_ONCE(!idr))
		ioasid_xa_destroy(&idr->idr_rt);
}

#define idr_for_each_entry(idr, entry, id) \
	for (id = 0; ((entry) = (__typeof__(entry))idr_get_next(idr, &(id))) != NULL; id += 1U)
#define idr_for_each_entry_continue(idr, entry, id) \
	for ((entry) = (__typeof__(entry))idr_get_next(idr, &(id)); entry; \
	     ++id, (entry) = (__typeof__(entry))idr_get_next(idr, &(id)))
#define idr_for_each_entry_ul(idr, entry, tmp, id) \
	for (tmp = 0, id = 0; \
	     (entry) = tmp <= id ? (__typeof__(entry))idr_get_next_ul(idr, &(id)) : NULL, \
	    (entry) != NULL; \
	     tmp = id, ++id)
#define idr_for_each_entry_continue_ul(idr, entry, tmp, id) \
	for (tmp = id; \
	     (entry) = tmp <= id ? (__typeof__(entry))idr_get_next_ul(idr, &(id)) : NULL, \
	    (entry) != NULL; \
	     tmp = id, ++id)

static inline void ida_init(struct ida *ida)
{
	if (!WARN_ON_ONCE(!ida))
		xa_init_flags(&ida->xa, IDA_INIT_FLAGS);
}

static inline bool ida_is_empty(const struct ida *ida)
{
	return WARN_ON_ONCE(!ida) || xa_empty(&ida->xa);
}

static inline int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp)
{
	(void)gfp;
	return ioasid_ida_alloc(ida, min, max);
}

static inline int ida_alloc(struct ida *ida, gfp_t gfp)
{
	return ida_alloc_range(ida, 0, ~0U, gfp);
}

static inline int ida_alloc_min(struct ida *ida, unsigned int min, gfp_t gfp)
{
	return ida_alloc_range(ida, min, ~0U, gfp);
}

static inline int ida_alloc_max(struct ida *ida, unsigned int max, gfp_t gfp)
{
	return ida_alloc_range(ida, 0, max, gfp);
}

static inline void ida_free(struct ida *ida, unsigned int id)
{
	ioasid_ida_free(ida, id);
}

static inline void ida_destroy(struct ida *ida)
{
	ioasid_ida_destroy(ida);
}

/* The older names; @end itself is not in the range, and 0 is no end. */
#define ida_simple_get(ida, start, end, gfp) ida_alloc_range(ida, start, (end)-1, gfp)
#define ida_simple_remove(ida, id) ida_free(ida, id)

#endif
