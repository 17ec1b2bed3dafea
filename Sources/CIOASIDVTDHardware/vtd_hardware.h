/* SPDX-License-Identifier: MIT */
/* Internal: what the VT-d hardware needs of C: its lock, its memory, constants of its header. */
#ifndef CIOASIDVTD_HARDWARE_H
#define CIOASIDVTD_HARDWARE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <linux/ioasid-vtd.h>

#include "ports.h"

/* Orders the hardware: tables in memory, registers, caches. Innermost; no callback runs in it. */
extern pthread_mutex_t civtd_hardware_mutex;

/*
 * A function of the program that is running, called without a lock; and whether the calling thread is
 * in one. They are on a list, because a variable of each thread would cost every program static TLS.
 */
struct civtd_call {
	struct civtd_call *next;
	pthread_t thread;
};

void civtd_begin_call(struct civtd_call *call);
void civtd_end_call(struct civtd_call *call);
bool civtd_is_in_call(void);

/* Signalled when no call is left of what is counted; goes with the hardware mutex. */
void civtd_calls_done(void);
void civtd_wait_for_calls(void);

/* Address space that costs nothing until it is written; NULL if the kernel refuses. */
void *civtd_reserve(size_t bytes);
void civtd_unreserve(void *start, size_t bytes);

/* A word of memory that software may change at the same time. */
static inline void civtd_set_bits(void *word, u64 bits)
{
	__atomic_fetch_or((u64 *)word, bits, __ATOMIC_RELAXED);
}

/* Macros that Swift does not import. */
static const u32 civtd_cap_default = VTD_CAP_DEFAULT;
static const u32 civtd_cap_all = VTD_CAP_DEFAULT | VTD_CAP_FL5LP | VTD_CAP_SRS | VTD_CAP_EAFS |
				 VTD_CAP_MTS | VTD_CAP_SL5LP | VTD_CAP_SLADS | VTD_CAP_CM;

#endif
