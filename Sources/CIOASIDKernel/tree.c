// SPDX-License-Identifier: MIT
// Of the tree behind <linux/xarray.h>: what has an address.
#define _GNU_SOURCE
#include "kernel.h"

const long cio_tree_zero;

static void free_node(struct rcu_head *head)
{
	cio_tree_free(container_of(head, struct cio_tree_node, rcu));
}

void cio_tree_retire(struct cio_tree_node *node)
{
	ioasid_call_rcu(&node->rcu, free_node);
}
