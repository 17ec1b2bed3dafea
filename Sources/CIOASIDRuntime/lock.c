/* SPDX-License-Identifier: MIT */
/* The core lock's storage. */
#include "lock.h"

pthread_mutex_t cio_core_mutex = PTHREAD_MUTEX_INITIALIZER;
char *cio_core_owner;
unsigned int cio_core_depth;
__thread char cio_core_self;
