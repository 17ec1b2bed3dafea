// SPDX-License-Identifier: MIT
// The locks and the notifier block of the VT-d driver: in Swift they would be lazy globals.

#define _GNU_SOURCE
#include "vtd_driver.h"

pthread_mutex_t civtd_driver_mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
pthread_mutex_t civtd_table_mutex = PTHREAD_MUTEX_INITIALIZER;

static pthread_cond_t works_done = PTHREAD_COND_INITIALIZER;

void civtd_works_done(void)
{
	pthread_cond_broadcast(&works_done);
}

void civtd_wait_for_works(void)
{
	pthread_cond_wait(&works_done, &civtd_table_mutex);
}

struct notifier_block civtd_pasid_nb = { .priority = IOASID_PRIO_IOMMU };
