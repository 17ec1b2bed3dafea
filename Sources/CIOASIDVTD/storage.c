// SPDX-License-Identifier: MIT
// What the loader initialises: locks and the notifier block; in Swift they would be lazy globals.

#define _GNU_SOURCE
#include "cioasidvtd.h"

pthread_mutex_t civtd_hardware_mutex = PTHREAD_MUTEX_INITIALIZER;
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

struct notifier_block civtd_pasid_nb = {
	.notifier_call = civtd_pasid_status_change,
	.priority = IOASID_PRIO_IOMMU,
};
