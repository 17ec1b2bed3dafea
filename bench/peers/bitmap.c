// SPDX-License-Identifier: MIT
/* Peer: one mutex, a hierarchical bitmap of free ids, a flat array of pointers; near the limit of any one-lock design. */
#include <pthread.h>

#include "bitmap.h"

static void *data_of[IDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

unsigned int peer_alloc(unsigned int min, unsigned int max, void *data)
{
	pthread_mutex_lock(&lock);
	unsigned int id = lowest_free(min);

	if (id <= max && id != PEER_NONE) {
		mark_taken(id);
		__atomic_store_n(&data_of[id], data, __ATOMIC_RELEASE);
	} else {
		id = PEER_NONE;
	}
	pthread_mutex_unlock(&lock);
	return id;
}

void peer_free(unsigned int id)
{
	pthread_mutex_lock(&lock);
	if (id < IDS && data_of[id]) {
		__atomic_store_n(&data_of[id], NULL, __ATOMIC_RELEASE);
		mark_free(id);
	}
	pthread_mutex_unlock(&lock);
}

void *peer_find(unsigned int id)
{
	return id < IDS ? __atomic_load_n(&data_of[id], __ATOMIC_ACQUIRE) : NULL;
}

void peer_settle(void)
{
}
