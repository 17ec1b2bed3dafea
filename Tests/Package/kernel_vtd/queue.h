/* SPDX-License-Identifier: MIT */
/* The invalidation queue of the test: in memory, rung by register. */
#ifndef KERNEL_VTD_QUEUE_H
#define KERNEL_VTD_QUEUE_H

void queue_begin(void);
void queue_end(void);
/* From now on descriptor @number, from 0, is not sent; -1: all are. Counts from 0 again. */
void queue_leave_out(int number);
int queue_sent(void);

#endif
