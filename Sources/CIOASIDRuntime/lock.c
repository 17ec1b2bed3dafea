// SPDX-License-Identifier: MIT
// The core lock when somebody has it, and after fork().
#define _GNU_SOURCE
#include "runtime.h"
#include "raw.h"

pthread_mutex_t cio_core_mutex = PTHREAD_MUTEX_INITIALIZER;
uintptr_t cio_core_owner;
unsigned int cio_core_depth;

#ifndef CIO_LOCK_TRIES
#define CIO_LOCK_TRIES 20
#endif
#ifndef CIO_LOCK_PAUSES
#define CIO_LOCK_PAUSES 20
#endif

/*
 * What is done under the lock takes tens of nanoseconds, going to sleep and being woken a hundred
 * times that. So it is tried a little longer first.
 */
void cio_core_lock_taken(void)
{
	for (int i = 0; i < CIO_LOCK_TRIES; i++) {
		for (int j = 0; j < CIO_LOCK_PAUSES; j++)
			raw_pause();
		if (pthread_mutex_trylock(&cio_core_mutex) == 0)
			return;
	}
	pthread_mutex_lock(&cio_core_mutex);
}

void cio_core_after_fork_child(void)
{
	/* An ordinary mutex does not know its owner, so the caller's lock is as good in the child. */
	if (!cio_core_owner || cio_core_is_mine())
		return;
	cio_core_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	cio_core_owner = 0;
	cio_core_depth = 0;
}
