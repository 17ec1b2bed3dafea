/* SPDX-License-Identifier: MIT */
/* Ordered trees: in order whatever came and went, and not too high. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/kernel.h>
#include <linux/rbtree.h>

#define ITEMS 4096

struct item {
	struct rb_node node;
	unsigned int key;
	bool in;
};

static struct item items[ITEMS];

static bool less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct item, node)->key < rb_entry(b, struct item, node)->key;
}

static int compare(const void *key, const struct rb_node *node)
{
	unsigned int wanted = *(const unsigned int *)key,
		     has = rb_entry(node, struct item, node)->key;

	return wanted < has ? -1 : wanted > has;
}

static unsigned int height(const struct rb_node *node)
{
	unsigned int left, right;

	if (!node)
		return 0;
	left = height(node->rb_left);
	right = height(node->rb_right);
	return 1 + (left > right ? left : right);
}

/* Both ways, complete, and with the right parents. */
static void check(const struct rb_root *root, unsigned int count)
{
	struct rb_node *node, *before = NULL;
	unsigned int seen = 0;

	for (node = rb_first(root); node; node = rb_next(node)) {
		assert_ptr_equal(rb_prev(node), before);
		if (before)
			assert_true(less(before, node));
		if (node->rb_left)
			assert_ptr_equal(rb_parent(node->rb_left), node);
		before = node;
		seen++;
	}
	assert_ptr_equal(rb_last(root), before);
	assert_int_equal(seen, count);
}

static void ascending_keys_do_not_make_a_list(void **state)
{
	struct rb_root root = RB_ROOT;
	unsigned int i, found;
	struct item *item, *next;

	(void)state;
	assert_true(RB_EMPTY_ROOT(&root));
	assert_null(rb_first(&root));
	for (i = 0; i < ITEMS; i++) {
		items[i].key = i;
		rb_add(&items[i].node, &root, less);
	}
	check(&root, ITEMS);
	/* A list would be 4096 high; random trees of this size are near 28. */
	assert_true(height(root.rb_node) < 64);
	for (i = 0; i < ITEMS; i++)
		assert_ptr_equal(rb_find(&i, &root, compare), &items[i].node);
	assert_null(rb_find(&i, &root, compare));
	found = 0;
	rbtree_postorder_for_each_entry_safe(item, next, &root, node)
	{
		item->key = 0;
		found++;
	}
	assert_int_equal(found, ITEMS);
}

static void random_changes_keep_the_order(void **state)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	unsigned int round, count = 0, i;

	(void)state;
	srand(7);
	for (i = 0; i < 512; i++) {
		items[i].key = i;
		items[i].in = false;
		RB_CLEAR_NODE(&items[i].node);
	}
	for (round = 0; round < 20000; round++) {
		struct item *item = &items[(unsigned int)rand() % 512];

		if (item->in) {
			rb_erase_cached(&item->node, &root);
			RB_CLEAR_NODE(&item->node);
			count--;
		} else {
			struct rb_node *first = rb_first_cached(&root);
			struct rb_node **link = &root.rb_root.rb_node, *parent = NULL;

			while (*link) {
				parent = *link;
				link = less(&item->node, parent) ? &parent->rb_left
								 : &parent->rb_right;
			}
			rb_link_node(&item->node, parent, link);
			rb_insert_color_cached(&item->node, &root,
					       !first || less(&item->node, first));
			count++;
		}
		item->in = !item->in;
		assert_int_equal(RB_EMPTY_NODE(&item->node), !item->in);
		assert_ptr_equal(rb_first_cached(&root), rb_first(&root.rb_root));
		if (round % 256 == 0)
			check(&root.rb_root, count);
	}
	check(&root.rb_root, count);
}

static void one_takes_the_place_of_another(void **state)
{
	struct rb_root root = RB_ROOT;
	struct item other;
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		items[i].key = i;
		rb_add(&items[i].node, &root, less);
	}
	for (i = 0; i < 100; i += 9) {
		other = items[i];
		rb_replace_node(&items[i].node, &other.node, &root);
		check(&root, 100);
		assert_ptr_equal(rb_find(&i, &root, compare), &other.node);
		rb_replace_node(&other.node, &items[i].node, &root);
	}
	/* In no tree: nothing happens. */
	RB_CLEAR_NODE(&other.node);
	rb_erase(&other.node, &root);
	assert_null(rb_next(&other.node));
	assert_null(rb_prev(&other.node));
	check(&root, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascending_keys_do_not_make_a_list),
		cmocka_unit_test(random_changes_keep_the_order),
		cmocka_unit_test(one_takes_the_place_of_another),
	};

	return cmocka_run_group_tests_name("rbtree", tests, NULL, NULL);
}
