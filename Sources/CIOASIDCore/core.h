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
extern unsigned char cio_tracing; /* a mask of who watches; get and put look at it, once */
#define CIO_WATCH_TRACE 1
#define CIO_WATCH_HISTORY 2
#define CIO_WATCH_ORDER 4 /* ThreadSanitizer, see order.h */
void cio_watch(unsigned char who, bool is_on);
int cio_trace_start(FILE *_Nonnull out);
void cio_trace_stop(void);
void cio_trace_flush(void);
void cio_trace_forget(void);
/* What happened to an id or a set, or that a subscriber is told of it. */
struct cio_trace_entry {
	const char *_Nonnull what;
	ioasid_t id;
	ioasid_t spid;
	uint32_t set;
	uint32_t references;
	int priority;
	const void *_Nullable subscriber;
	const void *_Nullable function;
};
const char *_Nonnull cio_event_name(enum ioasid_notify_val event);
void cio_trace(const struct cio_trace_entry *_Nonnull entry);
/* Trace.swift: with the core lock; NULL if it has none. */
const char *_Nullable cio_set_name(uint32_t set);

/* Does anybody watch? */
static inline bool cio_trace_is_on(void)
{
	return __atomic_load_n(&cio_tracing, __ATOMIC_RELAXED);
}

/* A trace or a history? */
static inline bool cio_trace_is_kept(void)
{
	return __atomic_load_n(&cio_tracing, __ATOMIC_RELAXED) & ~CIO_WATCH_ORDER;
}

/*
 * history.c: who took and who put the references of each id, and where. With the core lock, but for
 * cio_history_reference(), which takes it. @life says which life of the number it is.
 */
void cio_history_prepare(void);
bool cio_history_start(void);
void cio_history_stop(void);
bool cio_history_is_on(void);
/* By IOASID_HISTORY in the environment. */
bool cio_history_is_asked(void);
void cio_history_alloc(ioasid_t id, uint32_t life);
void cio_history_free(ioasid_t id, uint32_t life);
void cio_history_reference(bool is_get, ioasid_t id, uint32_t life);
void cio_history_reclaim(ioasid_t id, uint32_t life);
/* Who calls the library: the first return address outside it. While a history is kept. */
const void *_Nullable cio_history_caller(void);
const void *_Nullable cio_history_next_tag(void);
/* The next reference of this thread is taken (put) with this tag. */
void cio_history_tag(const void *_Nullable tag);
/* Is there a reference with this tag? Also true if the history of the id is not whole. */
bool cio_history_has_tag(ioasid_t id, uint32_t life, const void *_Nullable tag);
bool cio_history_is_whole(ioasid_t id, uint32_t life);
long cio_history_count(void);
bool cio_history_has_gaps(void);
long cio_history_copy(ioasid_t id, uint32_t life, struct cio_dump_holder *_Nonnull to);

/* Nobody may be there to give the loader's lock back: in a child of fork(), and at exit(). */
extern bool cio_loader_is_alone;

/* symbol.c: "function+0x12", or "file+0x1234" for addr2line; never fails. */
const char *_Nonnull cio_symbol(const void *_Nullable address, char *_Nonnull text, size_t size);

/* Trace.swift: checked memory. */
void *_Nullable cio_history_allocate(size_t size);
void cio_history_release(void *_Nonnull block);

/* report.c: at exit, if the environment asks for it. */
int cio_report_leaks(FILE *_Nonnull out);
int cio_left_over(void); /* how many things; with the core lock */
void cio_report_begin(void);
void cio_report_at_exit(void);

#endif /* CIOASID_CORE_H */
