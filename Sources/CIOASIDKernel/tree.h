/* SPDX-License-Identifier: MIT */
/* Internal: nodes of the tree behind <linux/xarray.h>, and the accesses that readers may meet. */
#ifndef CIOASID_TREE_H
#define CIOASID_TREE_H

#include "work.h"

#include <linux/idr.h>
#include <linux/xarray.h>

#define CIO_TREE_BITS 6
#define CIO_TREE_SLOTS 64

/*
 * struct cio_tree_node - 64 places
 * @parent: the node above; the writers' only
 * @full: places without room below: what is taken at the bottom, nodes that are full above. The writers' only
 * @present: places with something in them
 * @marks: places marked, or with something marked below
 * @shift: how many bits of an index are below this node; 0 at the bottom. Never changes
 * @offset: the place in @parent
 * @slots: entries at the bottom, nodes above
 * @rcu: readers may still be in a node that was taken out
 */
struct cio_tree_node {
	struct cio_tree_node *_Nullable parent;
	uint64_t full;
	uint64_t present;
	uint64_t marks[3];
	uint32_t shift;
	uint32_t offset;
	void *_Nullable slots[CIO_TREE_SLOTS];
	struct rcu_head rcu;
};

/* Taken, but for nobody to see: an address that no entry of others can have. */
extern const long cio_tree_zero;

static inline void *_Nonnull cio_tree_zero_entry(void)
{
	return (void *)&cio_tree_zero;
}

static inline struct cio_tree_node *_Nullable cio_tree_head(const struct xarray *_Nonnull xa)
{
	return (struct cio_tree_node *)__atomic_load_n(&xa->xa_head, __ATOMIC_ACQUIRE);
}

static inline void cio_tree_set_head(struct xarray *_Nonnull xa,
				     struct cio_tree_node *_Nullable node)
{
	__atomic_store_n(&xa->xa_head, (void *)node, __ATOMIC_RELEASE);
}

static inline void *_Nullable cio_tree_slot(const struct cio_tree_node *_Nonnull node, uint32_t at)
{
	return __atomic_load_n(&node->slots[at % CIO_TREE_SLOTS], __ATOMIC_ACQUIRE);
}

/* First the entry, then the bit that leads to it. */
static inline void cio_tree_set_slot(struct cio_tree_node *_Nonnull node, uint32_t at,
				     void *_Nullable entry)
{
	uint64_t bit = (uint64_t)1 << (at % CIO_TREE_SLOTS);

	__atomic_store_n(&node->slots[at % CIO_TREE_SLOTS], entry, __ATOMIC_RELEASE);
	__atomic_store_n(&node->present, entry ? node->present | bit : node->present & ~bit,
			 __ATOMIC_RELEASE);
}

/* @which: 0 to 2, or anything else for whatever is there. */
static inline uint64_t cio_tree_bits(const struct cio_tree_node *_Nonnull node, uint32_t which)
{
	return __atomic_load_n(which < 3 ? &node->marks[which] : &node->present, __ATOMIC_ACQUIRE);
}

static inline void cio_tree_set_mark(struct cio_tree_node *_Nonnull node, uint32_t which,
				     uint32_t at, bool set)
{
	uint64_t bit = (uint64_t)1 << (at % CIO_TREE_SLOTS);
	uint64_t marks = node->marks[which % 3];

	__atomic_store_n(&node->marks[which % 3], set ? marks | bit : marks & ~bit,
			 __ATOMIC_RELEASE);
}

static inline bool cio_xa_allocates(const struct xarray *_Nonnull xa)
{
	return (xa->xa_flags & XA_FLAGS_TRACK_FREE) != 0;
}

static inline bool cio_xa_zero_is_busy(const struct xarray *_Nonnull xa)
{
	return (xa->xa_flags & XA_FLAGS_ZERO_BUSY) != 0;
}

static inline bool cio_xa_has_wrapped(const struct xarray *_Nonnull xa)
{
	return (xa->xa_flags & XA_FLAGS_ALLOC_WRAPPED) != 0;
}

static inline void cio_xa_set_wrapped(struct xarray *_Nonnull xa, bool wrapped)
{
	if (wrapped)
		xa->xa_flags |= XA_FLAGS_ALLOC_WRAPPED;
	else
		xa->xa_flags &= ~XA_FLAGS_ALLOC_WRAPPED;
}

/* tree.c: frees it after a grace period. */
void cio_tree_retire(struct cio_tree_node *_Nonnull node);
/* tree.c: a warning, if need be when the lock is given back. */
void cio_tree_warn(const char *_Nonnull text);

/* Held while the library changes an array whose lock it took itself. */
extern pthread_mutex_t cio_tree_mutex;
/* Tree.swift */
void cio_tree_free(struct cio_tree_node *_Nonnull node);

#endif /* CIOASID_TREE_H */
