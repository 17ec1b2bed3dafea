/* SPDX-License-Identifier: MIT */
/* membarrier() as it answers where a filter of system calls is in place, when the test says so. */
#ifndef TESTS_RUNTIME_REFUSE_H
#define TESTS_RUNTIME_REFUSE_H

#include <errno.h>

extern int refuse_membarrier;

#define CIO_TEST_MEMBARRIER(command) \
	(refuse_membarrier ? -EPERM : raw_call(SYS_membarrier, (command), 0, 0, 0))

#endif
