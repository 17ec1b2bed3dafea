// SPDX-License-Identifier: MIT
// dump_stack(): who called whom, on the log.
#define _GNU_SOURCE
#include <execinfo.h>

#include "kernel.h"

#include <linux/printk.h>

void ioasid_dump_stack(void)
{
	void *frames[64];
	int count = backtrace(frames, 64), i;
	/* NULL without memory: addresses then. */
	char **names = count > 0 ? backtrace_symbols(frames, count) : NULL;

	ioasid_printk(KERN_WARNING "dump_stack of thread %d:\n", (int)ioasid_current()->pid);
	for (i = 1; i < count; i++) {
		if (names)
			ioasid_printk(KERN_WARNING "  %s\n", names[i]);
		else
			ioasid_printk(KERN_WARNING "  %p\n", frames[i]);
	}
	free(names);
}
