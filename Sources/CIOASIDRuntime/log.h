/* SPDX-License-Identifier: MIT */
/* Internal: formatting of the log's lines, and the allowances of the core's messages. */
#ifndef CIOASID_LOG_H
#define CIOASID_LOG_H

#include <cioasid.h>

#include <time.h>

/* log.c: a line of the core, "<caller>: <msg>: id N"; no caller if "", no id if UINT32_MAX. */
void cio_log_line(int level, const char *_Nonnull caller, const char *_Nonnull msg, uint32_t id);

/* log.c: the allowance of one message of the core, found by its address. */
struct ioasid_ratelimit_state *_Nonnull cio_log_limit(uintptr_t address);

/* log.c: gives a state of zeroes the rate of the core's lines. */
void cio_log_set_limit(struct ioasid_ratelimit_state *_Nonnull state);

/* log.c: the level that IOASID_LOG asks for, or the default; *@refused is its value if it is none. */
int cio_log_level_from_environment(const char *_Nullable *_Nonnull refused);

/*
 * log.c: says on stderr that a variable of the environment has a wrong value. Not in a child of fork():
 * its parent does, or will.
 */
void cio_refuse_variable(const char *_Nonnull name, const char *_Nonnull value,
			 const char *_Nonnull accepted);

/* Log.swift: does @level pass? */
bool cio_log_passes(int level);

/* Log.swift: ioasid_ratelimit(); @about is who is said to have been silent when lines pass again. */
bool cio_log_may_repeat(struct ioasid_ratelimit_state *_Nonnull state, const char *_Nullable about);

/*
 * log.c: hands a line to the sink. Not if the calling thread is in one already: what is said there
 * would come back for ever.
 */
void cio_log_deliver(int level, const char *_Nonnull line);

/* log.c: waits until the old sink is not running. 0, or -EDEADLK where that would not end. */
int cio_log_set_sink(ioasid_log_fn _Nullable fn, void *_Nullable data);

/* In the child of fork(). */
void cio_log_after_fork_child(void);

/* log.c: what a rate limit says when it opens again. */
void cio_log_missed(uint32_t count, const char *_Nullable about);

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
