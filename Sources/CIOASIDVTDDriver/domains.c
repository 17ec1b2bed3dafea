// SPDX-License-Identifier: MIT
// Numbers and whereabouts of domains, in tables of fixed size.

#include "vtd_driver.h"

#define IDS 65536
#define WORD 64
#define RESERVED 3ULL	/* 0, and 1 for first-level entries */

static u64 taken[IDS / WORD] = { RESERVED };
static int lowest;	/* in the words before it no id is free */

int civtd_take_domain_id(void)
{
	int bit;

	while (lowest < IDS / WORD && taken[lowest] == ~0ULL)
		lowest++;
	if (lowest == IDS / WORD)
		return 0;
	bit = __builtin_ctzll(~taken[lowest]);
	taken[lowest] |= 1ULL << bit;
	return lowest * WORD + bit;
}

void civtd_return_domain_id(int id)
{
	taken[id / WORD] &= ~(1ULL << id % WORD);
	if (id / WORD < lowest)
		lowest = id / WORD;
}

void **civtd_domain_bucket(const void *domain)
{
	static void *buckets[1024];

	return &buckets[((uintptr_t)domain >> 4) * 0x9e3779b97f4a7c15ULL >> 54];
}
