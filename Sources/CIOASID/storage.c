// SPDX-License-Identifier: MIT
// Locks and thread-local variables that must be ready before any code runs: used from Swift.
#define _GNU_SOURCE
#include "cioasid.h"

pthread_mutex_t cio_core_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
pthread_rwlock_t cio_log_lock = PTHREAD_RWLOCK_INITIALIZER;
__thread bool cio_log_in_sink_flag;
