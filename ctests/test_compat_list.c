/* SPDX-License-Identifier: MIT */
/* <linux/list.h>: order, removal while walking, splicing; and lists with a one-pointer head. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <linux/kernel.h>
#include <linux/list.h>

struct item {
	int number;
	struct list_head node;
	struct hlist_node hnode;
};

static struct item items[5];

static int make_items(void **state)
{
	(void)state;
	for (int i = 0; i < (int)ARRAY_SIZE(items); i++) {
		items[i].number = i;
		INIT_LIST_HEAD(&items[i].node);
		INIT_HLIST_NODE(&items[i].hnode);
	}
	return 0;
}

/* The numbers in the list as one decimal number, both ways round. */
static void assert_list(struct list_head *head, int forwards, int backwards)
{
	struct item *item;
	int number = 0;

	list_for_each_entry(item, head, node)
		number = number * 10 + item->number;
	assert_int_equal(number, forwards);
	number = 0;
	list_for_each_entry_reverse(item, head, node)
		number = number * 10 + item->number;
	assert_int_equal(number, backwards);
}

static struct list_head *look_at(struct list_head *head, int *looks)
{
	++*looks;
	return head;
}

static bool adds_and_removes;

static void *add_and_remove(void *head)
{
	static struct item item;

	while (__atomic_load_n(&adds_and_removes, __ATOMIC_RELAXED)) {
		list_add(&item.node, head);
		list_del_init(&item.node);
	}
	return NULL;
}

/* Also while others change it: an entry or nothing, but never the head taken for an entry. */
static void the_first_entry_is_looked_at_once(void **state)
{
	LIST_HEAD(head);
	struct item *head_itself = list_entry(&head, struct item, node);
	pthread_t other;
	int looks = 0;

	(void)state;
	assert_null(list_first_entry_or_null(look_at(&head, &looks), struct item, node));
	assert_int_equal(looks, 1);
	adds_and_removes = true;
	assert_int_equal(pthread_create(&other, NULL, add_and_remove, &head), 0);
	for (int i = 0; i < 300000; i++) {
		if (list_first_entry_or_null(&head, struct item, node) == head_itself)
			looks++;
	}
	__atomic_store_n(&adds_and_removes, false, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
	assert_int_equal(looks, 1);
}

static void adds_at_both_ends(void **state)
{
	LIST_HEAD(head);

	(void)state;
	assert_true(list_empty(&head));
	assert_null(list_first_entry_or_null(&head, struct item, node));
	list_add(&items[2].node, &head);
	assert_true(list_is_singular(&head));
	list_add(&items[1].node, &head);
	list_add_tail(&items[3].node, &head);
	assert_list(&head, 123, 321);
	assert_ptr_equal(list_first_entry(&head, struct item, node), &items[1]);
	assert_ptr_equal(list_last_entry(&head, struct item, node), &items[3]);
	assert_ptr_equal(list_next_entry(&items[1], node), &items[2]);
	assert_ptr_equal(list_prev_entry(&items[3], node), &items[2]);
	assert_true(list_is_first(&items[1].node, &head));
	assert_true(list_is_last(&items[3].node, &head));
	assert_false(list_is_singular(&head));
}

static void removes_while_walking(void **state)
{
	struct item *item, *next;
	LIST_HEAD(head);

	(void)state;
	for (int i = 1; i < 5; i++)
		list_add_tail(&items[i].node, &head);
	list_for_each_entry_safe(item, next, &head, node)
		if (item->number % 2)
			list_del(&item->node);
	assert_list(&head, 24, 42);
	assert_null(items[1].node.next);
	list_for_each_entry_safe_reverse(item, next, &head, node)
		list_del_init(&item->node);
	assert_true(list_empty(&head));
	assert_true(list_empty(&items[2].node));
}

static void moves_and_replaces(void **state)
{
	LIST_HEAD(head);

	(void)state;
	for (int i = 1; i < 4; i++)
		list_add_tail(&items[i].node, &head);
	list_move(&items[3].node, &head);
	assert_list(&head, 312, 213);
	list_move_tail(&items[3].node, &head);
	assert_list(&head, 123, 321);
	list_replace_init(&items[2].node, &items[4].node);
	assert_list(&head, 143, 341);
	assert_true(list_empty(&items[2].node));
}

static void replacing_an_empty_head_leaves_an_empty_one(void **state)
{
	LIST_HEAD(old);
	struct list_head head;

	(void)state;
	list_replace_init(&old, &head);
	assert_true(list_empty(&head));
	assert_ptr_equal(head.prev, &head);
}

static void splices(void **state)
{
	LIST_HEAD(head);
	LIST_HEAD(more);

	(void)state;
	list_add(&items[2].node, &head);
	list_splice_init(&more, &head);
	assert_list(&head, 2, 2);
	list_add_tail(&items[1].node, &more);
	list_splice_init(&more, &head);
	assert_list(&head, 12, 21);
	assert_true(list_empty(&more));
	list_add_tail(&items[3].node, &more);
	list_add_tail(&items[4].node, &more);
	list_splice_tail_init(&more, &head);
	assert_list(&head, 1234, 4321);
}

static void one_pointer_heads(void **state)
{
	struct hlist_node *next;
	struct item *item;
	HLIST_HEAD(head);
	int number = 0;

	(void)state;
	assert_true(hlist_empty(&head));
	for (int i = 1; i < 5; i++)
		hlist_add_head(&items[i].hnode, &head);
	hlist_del(&items[2].hnode);
	assert_true(hlist_unhashed(&items[2].hnode));
	hlist_del_init(&items[2].hnode);
	hlist_for_each_entry(item, &head, hnode)
		number = number * 10 + item->number;
	assert_int_equal(number, 431);
	hlist_for_each_entry_safe(item, next, &head, hnode)
		hlist_del_init(&item->hnode);
	assert_true(hlist_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_entry_is_looked_at_once),
		cmocka_unit_test_setup(adds_at_both_ends, make_items),
		cmocka_unit_test_setup(removes_while_walking, make_items),
		cmocka_unit_test_setup(moves_and_replaces, make_items),
		cmocka_unit_test_setup(replacing_an_empty_head_leaves_an_empty_one, make_items),
		cmocka_unit_test_setup(splices, make_items),
		cmocka_unit_test_setup(one_pointer_heads, make_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
