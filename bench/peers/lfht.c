// SPDX-License-Identifier: MIT
/* Peer: liburcu's lock-free hash table from id to data, and a bitmap of free ids under a mutex. */
#include <pthread.h>
#include <stdlib.h>
#include <urcu-bp.h>
#include <urcu/rculfhash.h>

#include "bitmap.h"

struct entry {
	struct cds_lfht_node node;
	struct rcu_head rcu;
	unsigned int id;
	void *data;
};

static struct cds_lfht *table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The ids are one after the other; the table wants them scattered. */
static unsigned long hash(unsigned int id)
{
	return id * 0x9e3779b97f4a7c15ul >> 20;
}

static int matches(struct cds_lfht_node *node, const void *key)
{
	return caa_container_of(node, struct entry, node)->id == *(const unsigned int *)key;
}

static void reclaim(struct rcu_head *head)
{
	free(caa_container_of(head, struct entry, rcu));
}

/* Call with a read-side section open. */
static struct entry *look_up(unsigned int id)
{
	struct cds_lfht_iter at;
	struct cds_lfht_node *node;

	cds_lfht_lookup(table, hash(id), matches, &id, &at);
	node = cds_lfht_iter_get_node(&at);
	return node ? caa_container_of(node, struct entry, node) : NULL;
}

unsigned int peer_alloc(unsigned int min, unsigned int max, void *data)
{
	struct entry *entry = malloc(sizeof(*entry));
	unsigned int id;

	if (!entry)
		return PEER_NONE;
	pthread_mutex_lock(&lock);
	id = lowest_free(min);
	if (id <= max && id != PEER_NONE)
		mark_taken(id);
	else
		id = PEER_NONE;
	pthread_mutex_unlock(&lock);
	if (id == PEER_NONE) {
		free(entry);
		return id;
	}
	entry->id = id;
	entry->data = data;
	cds_lfht_node_init(&entry->node);
	urcu_bp_read_lock();
	cds_lfht_add(table, hash(id), &entry->node);
	urcu_bp_read_unlock();
	return id;
}

void peer_free(unsigned int id)
{
	struct entry *entry;

	urcu_bp_read_lock();
	entry = look_up(id);
	if (entry && !cds_lfht_del(table, &entry->node)) {
		pthread_mutex_lock(&lock);
		mark_free(id);
		pthread_mutex_unlock(&lock);
		urcu_bp_call_rcu(&entry->rcu, reclaim);
	}
	urcu_bp_read_unlock();
}

void *peer_find(unsigned int id)
{
	struct entry *entry;
	void *data;

	urcu_bp_read_lock();
	entry = look_up(id);
	data = entry ? entry->data : NULL;
	urcu_bp_read_unlock();
	return data;
}

void peer_settle(void)
{
	urcu_bp_barrier();
}

static void __attribute__((constructor)) make_table(void)
{
	table = cds_lfht_new_flavor(1 << 10, 1 << 10, 0, CDS_LFHT_AUTO_RESIZE, &urcu_bp_flavor,
				    NULL);
	if (!table)
		abort();
}
