/* SPDX-License-Identifier: MIT */
/* Internal: waiting for something to happen that is counted. */
#ifndef CIOASID_COUNT_H
#define CIOASID_COUNT_H

#include <stdbool.h>
#include <stdint.h>

uint32_t cio_count_now(const uint32_t *_Nonnull count);

/* Counts, and wakes everybody. */
void cio_count_up(uint32_t *_Nonnull count);

/*
 * Sleeps unless it is another number than @seen by now. May return at any time; false when the
 * deadline has passed, by the monotonic clock, which UINT64_MAX never does.
 */
bool cio_count_wait(const uint32_t *_Nonnull count, uint32_t seen, uint64_t deadline_ns);

uint64_t cio_now_ns(void);

#endif /* CIOASID_COUNT_H */
