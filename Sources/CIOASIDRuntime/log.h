/* SPDX-License-Identifier: MIT */
/* Internal: formatting of the log's lines, and the allowances of the core's messages. */
#ifndef CIOASID_LOG_H
#define CIOASID_LOG_H

#include <cioasid.h>

#include "thread.h"

#include <pthread.h>
#include <time.h>

/* Held for reading while the log's sink runs, for writing while it is replaced (log.c). */
extern pthread_rwlock_t cio_log_lock;

/* log.c: a line of the core, "<caller>: <msg>: id N"; no caller if "", no id if UINT32_MAX. */
void cio_log_line(int level, const char *_Nonnull caller, const char *_Nonnull msg, uint32_t id);

/* log.c: the allowance of one message of the core, found by its address. */
struct ratelimit_state *_Nonnull cio_log_limit(uintptr_t address);

/* log.c: the level that IOASID_LOG asks for, or the default. */
int cio_log_level_from_environment(void);

/* Log.swift: whether @level passes, and handing a finished line to the sink. For ioasid_printk(). */
bool cio_log_passes(int level);
void cio_log_deliver(int level, const char *_Nonnull line);

/* A thread's flag: it is inside the sink. */
#define CIO_THREAD_IN_SINK 1u

/* Where there are too many threads to know, true: a sink that logs would never end. */
static inline bool cio_log_in_sink(void)
{
	const struct cio_thread *thread = cio_thread_self();

	return !thread || cio_thread_flags(thread) & CIO_THREAD_IN_SINK;
}

static inline void cio_log_set_in_sink(bool in_sink)
{
	struct cio_thread *thread = cio_thread_self();
	uint32_t flags = thread ? cio_thread_flags(thread) & ~CIO_THREAD_IN_SINK : 0;

	if (thread)
		cio_thread_set_flags(thread, in_sink ? flags | CIO_THREAD_IN_SINK : flags);
}

/* log.c: the default sink, and what a rate limit says when it opens again. */
void cio_log_stderr(const char *_Nonnull line);
void cio_log_missed(uint32_t count);

/* Milliseconds of the coarse monotonic clock; wraps, and is never 0. */
static inline uint32_t cio_now_ms(void)
{
	struct timespec now;
	uint32_t ms;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ms = (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
	return ms ? ms : 1;
}

/* Relaxed atomics on words of structures that C users declare: Swift's need a type of their own. */
static inline uint32_t cio_load32(const uint32_t *_Nonnull word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void cio_store32(uint32_t *_Nonnull word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint32_t cio_add32(uint32_t *_Nonnull word, uint32_t value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

static inline uint32_t cio_swap32(uint32_t *_Nonnull word, uint32_t value)
{
	return __atomic_exchange_n(word, value, __ATOMIC_RELAXED);
}

static inline bool cio_cas32(uint32_t *_Nonnull word, uint32_t expected, uint32_t value)
{
	return __atomic_compare_exchange_n(word, &expected, value, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

#endif /* CIOASID_LOG_H */
