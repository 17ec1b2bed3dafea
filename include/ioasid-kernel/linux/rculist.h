/* SPDX-License-Identifier: MIT */
/* Compat: lists that are read under rcu_read_lock() while they change. */
#ifndef IOASID_LINUX_RCULIST_H
#define IOASID_LINUX_RCULIST_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/rcupdate.h>

/* Writers exclude one another by a lock of theirs. Readers go forwards only. */

/* Of a list that readers may be walking already. */
static inline void INIT_LIST_HEAD_RCU(struct list_head *list)
{
	WRITE_ONCE(list->next, list);
	WRITE_ONCE(list->prev, list);
}

static inline void ioasid_list_link_rcu(struct list_head *entry, struct list_head *prev,
					struct list_head *next)
{
	entry->next = next;
	entry->prev = prev;
	rcu_assign_pointer(prev->next, entry);
	next->prev = entry;
}

static inline void list_add_rcu(struct list_head *entry, struct list_head *head)
{
	ioasid_list_link_rcu(entry, head, head->next);
}

static inline void list_add_tail_rcu(struct list_head *entry, struct list_head *head)
{
	ioasid_list_link_rcu(entry, head->prev, head);
}

/* A reader that stands on the entry still finds its way on: next stays until a grace period. */
static inline void list_del_rcu(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	rcu_assign_pointer(entry->prev->next, entry->next);
	entry->prev = NULL;
}

static inline void list_replace_rcu(struct list_head *old, struct list_head *entry)
{
	ioasid_list_link_rcu(entry, old->prev, old->next);
	old->prev = NULL;
}

#define list_first_or_null_rcu(head, type, member) \
	__extension__({ \
		struct list_head *ioasid_head = (head); \
		struct list_head *ioasid_first = rcu_dereference(ioasid_head->next); \
		ioasid_first != ioasid_head ? container_of(ioasid_first, type, member) : NULL; \
	})

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	node->next = first;
	node->pprev = &head->first;
	rcu_assign_pointer(head->first, node);
	if (first)
		first->pprev = &node->next;
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	rcu_assign_pointer(*node->pprev, node->next);
	if (node->next)
		node->next->pprev = node->pprev;
	node->pprev = NULL;
}

/* The walks take an optional condition, for lock checkers: ISO C wants it always. */
#pragma GCC system_header

#define list_entry_rcu(ptr, type, member) container_of(rcu_dereference(ptr), type, member)

#define list_for_each_entry_rcu(pos, head, member, ...) \
	for (pos = list_entry_rcu((head)->next, __typeof__(*pos), member); \
	     &pos->member != (head); \
	     pos = list_entry_rcu(pos->member.next, __typeof__(*pos), member))

#define hlist_for_each_entry_rcu(pos, head, member, ...) \
	for (pos = hlist_entry_safe(rcu_dereference((head)->first), __typeof__(*(pos)), member); \
	     pos; \
	     pos = hlist_entry_safe(rcu_dereference((pos)->member.next), __typeof__(*(pos)), \
				    member))

#endif
