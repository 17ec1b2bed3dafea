// SPDX-License-Identifier: MIT
/* The run time under the kernel's files: node cache, deferred callbacks, and the IDA behind peer.h. */
#include <pthread.h>
#include <linux/idr.h>
#include <linux/radix-tree.h>
#include "peer.h"

/* One cache exists, the tree nodes'. Objects are freed constructed, so the constructor runs on fresh memory only. */
struct kmem_cache {
	unsigned int size;
	void (*ctor)(void *object);
};

enum { MAGAZINE = 128, BATCH = 2048 };
static __thread struct {
	unsigned int count;
	void *object[MAGAZINE];
} magazine;

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *))
{
	static struct kmem_cache nodes;

	nodes.size = size;
	nodes.ctor = ctor;
	return &nodes;
}

void *kmem_cache_alloc_lru(struct kmem_cache *cache, struct list_lru *lru, int gfp)
{
	void *object;

	if (magazine.count)
		return magazine.object[--magazine.count];
	object = malloc(cache->size);
	if (object)
		cache->ctor(object);
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (magazine.count < MAGAZINE)
		magazine.object[magazine.count++] = object;
	else
		free(object);
}

/*
 * Callbacks: a thread collects BATCH of them, waits for one grace period (under a nanosecond a
 * callback) and lets later allocations run them two at a time, which keeps malloc's blocks warm.
 */
__thread struct rcu_head *shim_ready;
static __thread struct rcu_head *collected;
static __thread unsigned int ncollected;
static pthread_key_t at_exit;

static struct rcu_head *next_of(struct rcu_head *head)
{
	return (struct rcu_head *)head->next.next;
}

void shim_run_ready(unsigned int most)
{
	while (most-- && shim_ready) {
		struct rcu_head *head = shim_ready;
		unsigned long fn = (unsigned long)head->func;

		shim_ready = next_of(head);
		if (fn < SHIM_OFFSET_END)
			free((char *)head - fn);
		else
			head->func(head);
	}
}

static void end_batch(void)
{
	shim_run_ready(~0u);
	synchronize_rcu();
	shim_ready = collected;
	collected = NULL;
	ncollected = 0;
}

void shim_call_rcu(struct rcu_head *head, shim_rcu_fn fn)
{
	if (unlikely(!collected))
		pthread_setspecific(at_exit, &magazine);
	head->func = fn;
	head->next.next = (void *)collected;
	collected = head;
	if (unlikely(++ncollected == BATCH))
		end_batch();
}

/* Gives back everything that the thread holds: at its end, and before memory is measured. */
__attribute__((visibility("default"))) void peer_settle(void)
{
	while (shim_ready || collected)
		end_batch();
	while (magazine.count)
		free(magazine.object[--magazine.count]);
}

static void settle_at_exit(void *unused)
{
	peer_settle();
}

static void __attribute__((constructor)) shim_init(void)
{
	pthread_key_create(&at_exit, settle_at_exit);
	radix_tree_init();
}

/* The IDA, used as iommu_alloc_global_pasid() uses it: it keeps no data, so there is nothing to find. */
static DEFINE_IDA(ida);

__attribute__((visibility("default"))) unsigned int peer_alloc(unsigned int min, unsigned int max,
							       void *data)
{
	int id = ida_alloc_range(&ida, min, max, GFP_KERNEL);

	return id < 0 ? PEER_NONE : (unsigned int)id;
}

__attribute__((visibility("default"))) void peer_free(unsigned int id)
{
	ida_free(&ida, id);
}
