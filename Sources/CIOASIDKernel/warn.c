// SPDX-License-Identifier: MIT
// What the helpers say, on the one log of the process.
#define _GNU_SOURCE
#include "kernel.h"

#include <linux/ioasid-log.h>

/* Texts that share an allowance are rare, and lose nothing but lines. */
void cio_warn(const char *text)
{
	static struct ioasid_ratelimit_state limits[16] = {
		[0 ... 15] = { .interval_ms = 5000, .burst = 10 },
	};

	if (ioasid_ratelimit(&limits[(uintptr_t)text / 16 % 16]))
		ioasid_printk("%s", text);
}
