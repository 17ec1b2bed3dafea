// SPDX-License-Identifier: MIT
/* Peer: JudyL, a sparse array that can find its first empty place, under a reader-writer lock. */
#include <Judy.h>
#include <pthread.h>
#include "peer.h"

static Pvoid_t array;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

unsigned int peer_alloc(unsigned int min, unsigned int max, void *data)
{
	Word_t id = min;

	pthread_rwlock_wrlock(&lock);
	if (JudyLFirstEmpty(array, &id, PJE0) == 1 && id <= max) {
		PPvoid_t place = JudyLIns(&array, id, PJE0);

		if (place && place != PPJERR)
			*place = data;
		else
			id = PEER_NONE;
	} else {
		id = PEER_NONE;
	}
	pthread_rwlock_unlock(&lock);
	return id;
}

void peer_free(unsigned int id)
{
	pthread_rwlock_wrlock(&lock);
	JudyLDel(&array, id, PJE0);
	pthread_rwlock_unlock(&lock);
}

void *peer_find(unsigned int id)
{
	pthread_rwlock_rdlock(&lock);
	PPvoid_t place = JudyLGet(array, id, PJE0);
	void *data = place ? *place : NULL;

	pthread_rwlock_unlock(&lock);
	return data;
}

void peer_settle(void)
{
}
