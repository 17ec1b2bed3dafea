/* SPDX-License-Identifier: MIT */
/* Compat: ordered trees whose nodes lie in the users' structures. */
#ifndef IOASID_LINUX_RBTREE_H
#define IOASID_LINUX_RBTREE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/container_of.h>
#include <linux/types.h>

/*
 * The user finds the place, links the node, and has the tree balanced, as in the kernel. What keeps
 * it low is not a colour but an order of heaps on a hash of the nodes' addresses: its height is that
 * of a tree built in random order, some 2 log2(n), whatever order the nodes came in. Readers need the
 * writers' lock: there are no forms for RCU.
 */
struct rb_node {
	struct rb_node *rb_parent;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* With the first node at hand. */
struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

#define RB_ROOT { NULL }
#define RB_ROOT_CACHED { { NULL }, NULL }
#ifndef __cplusplus
#undef RB_ROOT
#undef RB_ROOT_CACHED
#define RB_ROOT (struct rb_root){ NULL }
#define RB_ROOT_CACHED (struct rb_root_cached){ { NULL }, NULL }
#endif

#define RB_EMPTY_ROOT(root) (!(root)->rb_node)
/* A node that is its own parent is in no tree. */
#define RB_CLEAR_NODE(node) ((node)->rb_parent = (node))
#define RB_EMPTY_NODE(node) ((node)->rb_parent == (node))
#define rb_parent(node) ((node)->rb_parent)
#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member) \
	__extension__({ \
		__typeof__(ptr) ioasid_rb = (ptr); \
		ioasid_rb ? rb_entry(ioasid_rb, type, member) : NULL; \
	})

static inline unsigned long ioasid_rb_rank(const struct rb_node *node)
{
	unsigned long rank = (unsigned long)node >> 4;

	rank ^= rank >> 17;
	rank *= 0x9e3779b97f4a7c15ul & ~0ul;
	return rank ^ (rank >> 29);
}

/* Where the tree points to @node. */
static inline struct rb_node **ioasid_rb_link(struct rb_node *node, struct rb_root *root)
{
	if (!node->rb_parent)
		return &root->rb_node;
	return node->rb_parent->rb_left == node ? &node->rb_parent->rb_left
						: &node->rb_parent->rb_right;
}

/* Puts @node in the place of its parent, which becomes its child. */
static inline void ioasid_rb_raise(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent, *moved;
	struct rb_node **link = ioasid_rb_link(parent, root);

	if (parent->rb_left == node) {
		moved = node->rb_right;
		parent->rb_left = moved;
		node->rb_right = parent;
	} else {
		moved = node->rb_left;
		parent->rb_right = moved;
		node->rb_left = parent;
	}
	if (moved)
		moved->rb_parent = parent;
	*link = node;
	node->rb_parent = parent->rb_parent;
	parent->rb_parent = node;
}

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->rb_parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	while (node->rb_parent && ioasid_rb_rank(node) > ioasid_rb_rank(node->rb_parent))
		ioasid_rb_raise(node, root);
}

/* A node that RB_CLEAR_NODE() marked as in no tree stays alone. */
static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *child;

	if (RB_EMPTY_NODE(node))
		return;
	while (node->rb_left && node->rb_right) {
		child = ioasid_rb_rank(node->rb_left) > ioasid_rb_rank(node->rb_right)
				? node->rb_left
				: node->rb_right;
		ioasid_rb_raise(child, root);
	}
	child = node->rb_left ? node->rb_left : node->rb_right;
	*ioasid_rb_link(node, root) = child;
	if (child)
		child->rb_parent = node->rb_parent;
}

/* @entry takes over the place; the order between them is the caller's affair. */
static inline void rb_replace_node(struct rb_node *old, struct rb_node *entry, struct rb_root *root)
{
	*ioasid_rb_link(old, root) = entry;
	*entry = *old;
	if (entry->rb_left)
		entry->rb_left->rb_parent = entry;
	if (entry->rb_right)
		entry->rb_right->rb_parent = entry;
}

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static inline struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *next;

	if (RB_EMPTY_NODE(node))
		return NULL;
	if (node->rb_right) {
		for (next = node->rb_right; next->rb_left; next = next->rb_left)
			;
		return next;
	}
	for (next = node->rb_parent; next && node == next->rb_right; next = next->rb_parent)
		node = next;
	return next;
}

static inline struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *prev;

	if (RB_EMPTY_NODE(node))
		return NULL;
	if (node->rb_left) {
		for (prev = node->rb_left; prev->rb_right; prev = prev->rb_right)
			;
		return prev;
	}
	for (prev = node->rb_parent; prev && node == prev->rb_left; prev = prev->rb_parent)
		node = prev;
	return prev;
}

/* Children before their parents: for taking a tree apart. */
static inline struct rb_node *ioasid_rb_deepest(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ? node->rb_left : node->rb_right;
	return node;
}

static inline struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return ioasid_rb_deepest(root->rb_node);
}

static inline struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = node ? node->rb_parent : NULL;

	if (parent && parent->rb_left == node && parent->rb_right)
		return ioasid_rb_deepest(parent->rb_right);
	return parent;
}

#define rbtree_postorder_for_each_entry_safe(pos, n, root, field) \
	for (pos = rb_entry_safe(rb_first_postorder(root), __typeof__(*pos), field); \
	     pos && (n = rb_entry_safe(rb_next_postorder(&pos->field), __typeof__(*pos), field), \
		     1); \
	     pos = n)

/* Entries for which @less says no are behind those that are there. */
static inline void rb_add(struct rb_node *node, struct rb_root *root,
			  bool (*less)(struct rb_node *a, const struct rb_node *b))
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, root);
}

static inline struct rb_node *rb_find(const void *key, const struct rb_root *root,
				      int (*cmp)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->rb_node;

	while (node) {
		int order = cmp(key, node);

		if (!order)
			return node;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

#define rb_first_cached(root) ((root)->rb_leftmost)

static inline void rb_insert_color_cached(struct rb_node *node, struct rb_root_cached *root,
					  bool leftmost)
{
	if (leftmost)
		root->rb_leftmost = node;
	rb_insert_color(node, &root->rb_root);
}

static inline void rb_erase_cached(struct rb_node *node, struct rb_root_cached *root)
{
	if (root->rb_leftmost == node)
		root->rb_leftmost = rb_next(node);
	rb_erase(node, &root->rb_root);
}

#endif
