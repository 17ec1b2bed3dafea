/* SPDX-License-Identifier: MIT */
/* Compat: doubly linked lists, circular (list_*) and with a one-pointer head (hlist_*). */
#ifndef IOASID_LINUX_LIST_H
#define IOASID_LINUX_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/container_of.h>
#include <linux/types.h>

/* A deleted entry has NULL links, where the kernel puts poison: using it faults at once. */

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

/* Somebody may look at a link without the lock of those who change it: list_empty(), hlist_unhashed_lockless(). */
#define ioasid_list_set(link, value) __atomic_store_n(&(link), value, __ATOMIC_RELAXED)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	ioasid_list_set(list->next, list);
	ioasid_list_set(list->prev, list);
}

static inline void ioasid_list_link(struct list_head *entry, struct list_head *prev,
				    struct list_head *next)
{
	ioasid_list_set(entry->next, next);
	ioasid_list_set(entry->prev, prev);
	ioasid_list_set(next->prev, entry);
	ioasid_list_set(prev->next, entry);
}

static inline void ioasid_list_unlink(struct list_head *entry)
{
	ioasid_list_set(entry->next->prev, entry->prev);
	ioasid_list_set(entry->prev->next, entry->next);
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	ioasid_list_link(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	ioasid_list_link(entry, head->prev, head);
}

static inline void list_del(struct list_head *entry)
{
	ioasid_list_unlink(entry);
	ioasid_list_set(entry->next, NULL);
	ioasid_list_set(entry->prev, NULL);
}

static inline void list_del_init(struct list_head *entry)
{
	ioasid_list_unlink(entry);
	INIT_LIST_HEAD(entry);
}

static inline void list_replace(struct list_head *old, struct list_head *entry)
{
	ioasid_list_link(entry, old->prev, old->next);
}

static inline void list_replace_init(struct list_head *old, struct list_head *entry)
{
	/* Relinking an empty head would leave the new one pointing at the old. */
	if (old->next == old) {
		INIT_LIST_HEAD(entry);
		return;
	}
	list_replace(old, entry);
	INIT_LIST_HEAD(old);
}

static inline void list_swap(struct list_head *a, struct list_head *b)
{
	struct list_head *place = b->prev;

	list_del(b);
	list_replace(a, b);
	list_add(a, place == a ? b : place);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	ioasid_list_unlink(entry);
	list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	ioasid_list_unlink(entry);
	list_add_tail(entry, head);
}

static inline bool list_empty(const struct list_head *head)
{
	return __atomic_load_n(&head->next, __ATOMIC_RELAXED) == head;
}

static inline bool list_is_head(const struct list_head *entry, const struct list_head *head)
{
	return entry == head;
}

static inline bool list_is_first(const struct list_head *entry, const struct list_head *head)
{
	return entry->prev == head;
}

static inline bool list_is_last(const struct list_head *entry, const struct list_head *head)
{
	return entry->next == head;
}

/* Also in the hands of somebody else: false while an entry is being added or taken out. */
static inline bool list_empty_careful(const struct list_head *head)
{
	struct list_head *next = __atomic_load_n(&head->next, __ATOMIC_ACQUIRE);

	return next == head && next == __atomic_load_n(&head->prev, __ATOMIC_RELAXED);
}

/* Whoever sees the entry empty by list_empty_careful() sees what was done before. */
static inline void list_del_init_careful(struct list_head *entry)
{
	ioasid_list_unlink(entry);
	__atomic_store_n(&entry->prev, entry, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->next, entry, __ATOMIC_RELEASE);
}

static inline void ioasid_list_join(struct list_head *one, struct list_head *other)
{
	ioasid_list_set(one->next, other);
	ioasid_list_set(other->prev, one);
}

/* From @first to @last, which follow one another, to the end of the list. */
static inline void list_bulk_move_tail(struct list_head *head, struct list_head *first,
				       struct list_head *last)
{
	ioasid_list_join(first->prev, last->next);
	ioasid_list_join(head->prev, first);
	ioasid_list_join(last, head);
}

/* The first becomes the last. */
static inline void list_rotate_left(struct list_head *head)
{
	if (!list_empty(head))
		list_move_tail(head->next, head);
}

/* @entry becomes the first, those before it the last. */
static inline void list_rotate_to_front(struct list_head *entry, struct list_head *head)
{
	list_move_tail(head, entry);
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline void ioasid_list_insert(const struct list_head *list, struct list_head *prev,
				      struct list_head *next)
{
	ioasid_list_set(list->next->prev, prev);
	ioasid_list_set(prev->next, list->next);
	ioasid_list_set(list->prev->next, next);
	ioasid_list_set(next->prev, list->prev);
}

/* Into a list that has nothing: what comes before @end, itself not. */
static inline void ioasid_list_cut(struct list_head *list, struct list_head *head,
				   struct list_head *end)
{
	if (head->next == end) {
		INIT_LIST_HEAD(list);
		return;
	}
	ioasid_list_set(list->next, head->next);
	ioasid_list_set(list->prev, end->prev);
	ioasid_list_set(list->next->prev, list);
	ioasid_list_set(list->prev->next, list);
	ioasid_list_set(head->next, end);
	ioasid_list_set(end->prev, head);
}

/* Up to @entry, itself included; nothing if it is the head. */
static inline void list_cut_position(struct list_head *list, struct list_head *head,
				     struct list_head *entry)
{
	if (list_empty(head))
		return;
	ioasid_list_cut(list, head, entry == head ? head->next : entry->next);
}

/* All before @entry; everything if it is the head. */
static inline void list_cut_before(struct list_head *list, struct list_head *head,
				   struct list_head *entry)
{
	ioasid_list_cut(list, head, entry);
}

/* @list itself is not to be used any more. */
static inline void list_splice(const struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		ioasid_list_insert(list, head, head->next);
}

static inline void list_splice_tail(struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		ioasid_list_insert(list, head->prev, head);
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	if (list_empty(list))
		return;
	ioasid_list_insert(list, head, head->next);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
	if (list_empty(list))
		return;
	ioasid_list_insert(list, head->prev, head);
	INIT_LIST_HEAD(list);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
	__extension__({ \
		const struct list_head *ioasid_head = (head); \
		struct list_head *ioasid_first = \
			__atomic_load_n(&ioasid_head->next, __ATOMIC_RELAXED); \
		ioasid_first == ioasid_head ? NULL : list_entry(ioasid_first, type, member); \
	})
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)

#define list_for_each(pos, head) for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_prev(pos, head) for (pos = (head)->prev; pos != (head); pos = pos->prev)
#define list_for_each_safe(pos, n, head) \
	for (pos = (head)->next, n = pos->next; pos != (head); pos = n, n = pos->next)

#define list_for_each_prev_safe(pos, n, head) \
	for (pos = (head)->prev, n = pos->prev; pos != (head); pos = n, n = pos->prev)
#define list_for_each_continue(pos, head) \
	for (pos = pos->next; pos != (head); pos = pos->next)
#define list_entry_is_head(pos, head, member) (&(pos)->member == (head))

#define list_for_each_entry(pos, head, member) \
	for (pos = list_first_entry(head, __typeof__(*pos), member); \
	     &pos->member != (head); pos = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member) \
	for (pos = list_last_entry(head, __typeof__(*pos), member); \
	     &pos->member != (head); pos = list_prev_entry(pos, member))
#define list_for_each_entry_continue(pos, head, member) \
	for (pos = list_next_entry(pos, member); \
	     &pos->member != (head); pos = list_next_entry(pos, member))
#define list_for_each_entry_from(pos, head, member) \
	for (; &pos->member != (head); pos = list_next_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member) \
	for (pos = list_first_entry(head, __typeof__(*pos), member), \
	     n = list_next_entry(pos, member); \
	     &pos->member != (head); pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_safe_reverse(pos, n, head, member) \
	for (pos = list_last_entry(head, __typeof__(*pos), member), \
	     n = list_prev_entry(pos, member); \
	     &pos->member != (head); pos = n, n = list_prev_entry(n, member))

#define HLIST_HEAD_INIT { NULL }
#define HLIST_HEAD(name) struct hlist_head name = HLIST_HEAD_INIT
#define INIT_HLIST_HEAD(head) ioasid_list_set((head)->first, NULL)

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	ioasid_list_set(node->next, NULL);
	ioasid_list_set(node->pprev, NULL);
}

static inline bool hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

/* Without a lock: it may change at once. */
static inline bool hlist_unhashed_lockless(const struct hlist_node *node)
{
	return !__atomic_load_n(&node->pprev, __ATOMIC_RELAXED);
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !__atomic_load_n(&head->first, __ATOMIC_RELAXED);
}

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	ioasid_list_set(node->next, head->first);
	if (node->next)
		ioasid_list_set(node->next->pprev, &node->next);
	ioasid_list_set(node->pprev, &head->first);
	ioasid_list_set(head->first, node);
}

static inline void hlist_del(struct hlist_node *node)
{
	ioasid_list_set(*node->pprev, node->next);
	if (node->next)
		ioasid_list_set(node->next->pprev, node->pprev);
	INIT_HLIST_NODE(node);
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (!hlist_unhashed(node))
		hlist_del(node);
}

static inline void hlist_add_before(struct hlist_node *node, struct hlist_node *next)
{
	ioasid_list_set(node->pprev, next->pprev);
	ioasid_list_set(node->next, next);
	ioasid_list_set(next->pprev, &node->next);
	ioasid_list_set(*node->pprev, node);
}

static inline void hlist_add_behind(struct hlist_node *node, struct hlist_node *prev)
{
	ioasid_list_set(node->next, prev->next);
	ioasid_list_set(prev->next, node);
	ioasid_list_set(node->pprev, &prev->next);
	if (node->next)
		ioasid_list_set(node->next->pprev, &node->next);
}

/* On no list, but hlist_del() works. */
static inline void hlist_add_fake(struct hlist_node *node)
{
	ioasid_list_set(node->pprev, &node->next);
}

static inline bool hlist_fake(const struct hlist_node *node)
{
	return node->pprev == &node->next;
}

static inline bool hlist_is_singular_node(const struct hlist_node *node,
					  const struct hlist_head *head)
{
	return !node->next && node->pprev == &head->first;
}

static inline void hlist_move_list(struct hlist_head *from, struct hlist_head *to)
{
	ioasid_list_set(to->first, from->first);
	if (to->first)
		ioasid_list_set(to->first->pprev, &to->first);
	ioasid_list_set(from->first, NULL);
}

#define hlist_entry(ptr, type, member) container_of(ptr, type, member)
#define hlist_entry_safe(ptr, type, member) \
	__extension__({ \
		__typeof__(ptr) ioasid_node = (ptr); \
		ioasid_node ? hlist_entry(ioasid_node, type, member) : NULL; \
	})

#define hlist_for_each(pos, head) for (pos = (head)->first; pos; pos = pos->next)
#define hlist_for_each_safe(pos, n, head) \
	for (pos = (head)->first; pos && (n = pos->next, 1); pos = n)
#define hlist_for_each_entry_continue(pos, member) \
	for (pos = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member); pos; \
	     pos = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member))
#define hlist_for_each_entry_from(pos, member) \
	for (; pos; pos = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member))

#define hlist_for_each_entry(pos, head, member) \
	for (pos = hlist_entry_safe((head)->first, __typeof__(*(pos)), member); pos; \
	     pos = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member))
#define hlist_for_each_entry_safe(pos, n, head, member) \
	for (pos = hlist_entry_safe((head)->first, __typeof__(*(pos)), member); \
	     pos && (n = (pos)->member.next, 1); \
	     pos = hlist_entry_safe(n, __typeof__(*(pos)), member))

#endif
