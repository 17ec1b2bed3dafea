/* SPDX-License-Identifier: MIT */
/* Internal: the library in its process: threads, read side, lock, log, counters, probe points. */
#ifndef CIOASID_RUNTIME_H
#define CIOASID_RUNTIME_H

#include <cioasid.h>

#include "order.h"
#include "thread.h"
#include "readside.h"
#include "lock.h"
#include "log.h"
#include "count.h"
#include "probes.h"
#include "refusal.h"

/* counters.c: requests refused, by reason; counted with and without the core lock. */
void cio_count_refusal(enum ioasid_refusal why);
void cio_copy_refusals(uint64_t *_Nonnull counts);

#endif /* CIOASID_RUNTIME_H */
