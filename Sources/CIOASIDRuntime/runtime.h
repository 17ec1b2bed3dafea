/* SPDX-License-Identifier: MIT */
/* Internal: threads, read side and lock, as inlines that Swift can call. Never installed. */
#ifndef CIOASID_RUNTIME_H
#define CIOASID_RUNTIME_H

/* Swift wants to know which pointers may be NULL; gcc does not know the words. */
#ifndef __clang__
#define _Nonnull
#define _Nullable
#endif

#include "thread.h"
#include "readside.h"
#include "lock.h"

#endif /* CIOASID_RUNTIME_H */
