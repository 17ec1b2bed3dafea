/* SPDX-License-Identifier: MIT */
/* Internal: what the core cannot say in Swift: declared sets, and the writers of dump and trace. */
#ifndef CIOASID_CORE_H
#define CIOASID_CORE_H

#include <cioasid.h>
#include <runtime.h>

#include <stdlib.h>

#include <linux/ioasid-hooks.h>

#include "dump.h"

/* Public fields are read by users without a lock. */
static inline void cio_store_int(int *_Nonnull field, int value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

/* declared.c: is this a DECLARE_IOASID_SET() of a loaded program or library? Never faults. */
bool cio_is_declared_set(const void *_Nonnull set);

/* hooks.c: those that were installed, or NULL; set once, with the core lock. */
extern const struct ioasid_hooks *_Nullable cio_hooks;

static inline bool cio_hooks_are_complete(const struct ioasid_hooks *_Nonnull hooks)
{
	return hooks->pin && hooks->unpin && hooks->current_mm && hooks->before_fork &&
	       hooks->after_fork;
}

/* In checking builds: an invariant does not hold. The library is wrong, not its user. */
static inline void cio_broken(const char *_Nonnull invariant)
{
	fprintf(stderr, "ioasid: broken invariant: %s\n", invariant);
	abort();
}

/* Core.swift: once before anything else; and in the child of fork(), before its other uses. */
void cio_core_begin(void);
void cio_core_after_fork(bool was_in_callback);

/* trace.c */
extern unsigned char cio_tracing;
int cio_trace_start(FILE *_Nonnull out);
void cio_trace_stop(void);
void cio_trace_flush(void);
void cio_trace_forget(void);
void cio_trace_event(enum ioasid_notify_val event, ioasid_t id, ioasid_t spid, uint32_t set,
		     uint32_t references, const void *_Nullable subscriber, int priority);
void cio_trace_reference(const char *_Nonnull what, ioasid_t id, ioasid_t spid, uint32_t set,
			 uint32_t references);

static inline bool cio_trace_is_on(void)
{
	return __atomic_load_n(&cio_tracing, __ATOMIC_RELAXED);
}

#endif /* CIOASID_CORE_H */
