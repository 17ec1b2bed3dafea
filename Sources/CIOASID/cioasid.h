/* SPDX-License-Identifier: MIT */
/* Internal: the C floor under the Swift core, what Swift can neither say nor store. Never installed. */
#ifndef CIOASID_H
#define CIOASID_H

/*
 * Read-side sections are a handful of instructions: let urcu inline them. MIT code may, its
 * headers are LGPL and say so.
 */
#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-bp.h>

#include <linux/ioasid.h>
#include <linux/sched/mm.h>

/* Swift wants to know which pointers may be NULL; gcc does not know the words. */
#ifndef __clang__
#define _Nonnull
#define _Nullable
#define _Null_unspecified
#endif

#include "core.h"
#include "work.h"
#include "dump.h"

/* The kernel's error pointers, under names that Swift can import. */
static inline void *_Nullable cio_err_ptr(long error)
{
	return (void *)error;
}

static inline long cio_ptr_err(const void *_Nullable ptr)
{
	return (long)ptr;
}

static inline bool cio_is_err(const void *_Nullable ptr)
{
	return (uintptr_t)ptr >= (uintptr_t)-4095;
}

/* Held for reading while the log's sink runs, for writing while it is replaced (storage.c). */
extern pthread_rwlock_t cio_log_lock;

/* printk.c: a line of the core, "<caller>: <msg>: id N"; no caller if "", no id if UINT32_MAX. */
void cio_log_line(int level, const char *_Nonnull caller, const char *_Nonnull msg, uint32_t id);

/* printk.c: the allowance of one message of the core, found by its address. */
struct ratelimit_state *_Nonnull cio_log_limit(uintptr_t address);

/* printk.c: the level that IOASID_LOG asks for, or the default. */
int cio_log_level_from_environment(void);

/* Log.swift: whether @level passes, and handing a finished line to the sink. */
bool cio_log_passes(int level);
void cio_log_deliver(int level, const char *_Nonnull line);

/* This thread is inside the sink. */
extern __thread bool cio_log_in_sink_flag;

static inline bool cio_log_in_sink(void)
{
	return cio_log_in_sink_flag;
}

static inline void cio_log_set_in_sink(bool in_sink)
{
	cio_log_in_sink_flag = in_sink;
}

/* printk.c: the default sink, and what a rate limit says when it opens again. */
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

/* A record of the table of address spaces: @next links the unused ones. */
struct cio_mm {
	struct mm_struct mm;
	uint32_t next;
};

/* MM.swift: the address space of the process, made at the first call. */
struct mm_struct *_Nullable cio_process_mm(void);

/* current.c */
void cio_current_is_worker(void);
void cio_current_after_fork(void);

#endif /* CIOASID_H */
