/* SPDX-License-Identifier: MIT */
/* Compat: waiting for time to pass. All of them sleep: nobody needs the CPU meanwhile. */
#ifndef IOASID_LINUX_DELAY_H
#define IOASID_LINUX_DELAY_H

#include <linux/jiffies.h>

static inline void msleep(unsigned int ms)
{
	ioasid_sleep_ns(ioasid_times(ms, NSEC_PER_MSEC));
}

static inline void ssleep(unsigned int seconds)
{
	ioasid_sleep_ns(ioasid_times(seconds, NSEC_PER_SEC));
}

static inline void fsleep(unsigned long us)
{
	ioasid_sleep_ns(ioasid_times(us, NSEC_PER_USEC));
}

static inline void usleep_range(unsigned long min_us, unsigned long max_us)
{
	(void)max_us;
	fsleep(min_us);
}

#define ndelay(ns) ioasid_sleep_ns((u64)(ns))
#define udelay(us) ioasid_sleep_ns(ioasid_times((u64)(us), NSEC_PER_USEC))
#define mdelay(ms) ioasid_sleep_ns(ioasid_times((u64)(ms), NSEC_PER_MSEC))

#endif
