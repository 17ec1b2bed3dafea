/* SPDX-License-Identifier: MIT */
/* Refusals by reason. An array of atomics: what Swift cannot initialise without running code. */
#include "runtime.h"

static uint64_t refused[IOASID_REFUSED_NR];

void cio_count_refusal(enum ioasid_refusal why)
{
	if ((unsigned int)why < IOASID_REFUSED_NR)
		__atomic_fetch_add(&refused[why], 1, __ATOMIC_RELAXED);
}

void cio_copy_refusals(uint64_t *counts)
{
	for (int why = 0; why < IOASID_REFUSED_NR; why++)
		counts[why] = __atomic_load_n(&refused[why], __ATOMIC_RELAXED);
}
