/* SPDX-License-Identifier: MIT */
/* What the radix-tree suite's idr-test.c has in other files of it. Its main() runs. */
#include <linux/idr.h>
#include <linux/rcupdate.h>

#include <stdio.h>
#include <stdlib.h>

struct item {
	struct rcu_head rcu_head;
	unsigned long index;
	unsigned int order;
};

int nr_allocated;

struct item *item_create(unsigned long index, unsigned int order)
{
	struct item *item = malloc(sizeof(*item));

	if (!item)
		abort();
	item->index = index;
	item->order = order;
	return item;
}

void ida_dump(struct ida *ida)
{
	(void)ida;
}

int radix_tree_cpu_dead(unsigned int cpu)
{
	(void)cpu;
	return 0;
}

void radix_tree_init(void)
{
}

/* After main(), which leaves by assert() or abort() if anything is wrong. */
__attribute__((destructor)) static void say(void)
{
	puts("idr and ida: passed");
}
