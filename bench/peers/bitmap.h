/* SPDX-License-Identifier: MIT */
/* A hierarchical bitmap of free ids, for the peers that have one. The caller has a lock. */
#ifndef BENCH_BITMAP_H
#define BENCH_BITMAP_H

#include <stdint.h>

#include "peer.h"

enum { LEVELS = 4, SHIFT = 6, IDS = 1 << 20 };

/* Level 0 has a bit for each id, level n + 1 a bit for each word of level n. Set: something is free below. */
static uint64_t level0[IDS >> 6], level1[IDS >> 12], level2[IDS >> 18], level3[1];
static uint64_t *const level[LEVELS] = { level0, level1, level2, level3 };

static void mark_free(unsigned int id)
{
	for (int n = 0; n < LEVELS; n++, id >>= SHIFT)
		level[n][id >> SHIFT] |= 1ul << (id & 63);
}

static void mark_taken(unsigned int id)
{
	for (int n = 0; n < LEVELS; n++, id >>= SHIFT)
		if (level[n][id >> SHIFT] &= ~(1ul << (id & 63)))
			return;
}

/* Climbs from min until a word has a free bit at or behind it, then takes the lowest way down. */
static unsigned int lowest_free(unsigned int min)
{
	uint64_t word = 0;
	unsigned int at = min;
	int n;

	for (n = 0; n < LEVELS; n++, at = (at >> SHIFT) + 1) {
		if (at >= (unsigned int)IDS >> (SHIFT * n))
			return PEER_NONE;
		word = level[n][at >> SHIFT] & ~0ul << (at & 63);
		if (word)
			break;
	}
	if (n == LEVELS)
		return PEER_NONE;
	at = (at & ~63u) | __builtin_ctzl(word);
	while (n--)
		at = at << SHIFT | __builtin_ctzl(level[n][at]);
	return at;
}

static void __attribute__((constructor)) all_free(void)
{
	for (unsigned int id = 0; id < IDS; id++)
		mark_free(id);
}

#endif
