/* SPDX-License-Identifier: MIT */
/* Internal: read-side sections and grace periods. */
#ifndef CIOASID_READSIDE_H
#define CIOASID_READSIDE_H

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE
#endif

#include <stdbool.h>
#include <urcu/urcu-bp.h>

#include <cioasid.h>

/*
 * ThreadSanitizer does not see into liburcu. These say what a grace period means: everything
 * that readers did in their sections happens before what follows the wait. The address is the one
 * that <linux/rcupdate.h> uses, so that it holds between the library and its users as well.
 */
#ifdef IOASID_TSAN
void __tsan_acquire(void *_Nonnull addr);
void __tsan_release(void *_Nonnull addr);
#define CIO_READERS_DONE() __tsan_release(&urcu_bp_gp)
#define CIO_READERS_AWAITED() __tsan_acquire(&urcu_bp_gp)
#else
#define CIO_READERS_DONE() ((void)0)
#define CIO_READERS_AWAITED() ((void)0)
#endif

static inline void cio_read_lock(void)
{
	urcu_bp_read_lock();
}

static inline void cio_read_unlock(void)
{
	CIO_READERS_DONE();
	urcu_bp_read_unlock();
}

static inline bool cio_read_ongoing(void)
{
	return urcu_bp_read_ongoing() != 0;
}

static inline void cio_synchronize(void)
{
	urcu_bp_synchronize_rcu();
	CIO_READERS_AWAITED();
}

#endif /* CIOASID_READSIDE_H */
