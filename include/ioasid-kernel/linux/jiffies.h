/* SPDX-License-Identifier: MIT */
/* Compat: time in ticks of a millisecond. */
#ifndef IOASID_LINUX_JIFFIES_H
#define IOASID_LINUX_JIFFIES_H

#include <limits.h>
#include <stdbool.h>

#include <linux/ktime.h>

/* <asm/param.h> has a HZ of 100, which is what the system tells programs. */
#undef HZ
#define HZ 1000

#define MAX_JIFFY_OFFSET ((LONG_MAX >> 1) - 1)
#define MAX_SCHEDULE_TIMEOUT LONG_MAX

static inline unsigned long ioasid_jiffies(void)
{
	return (unsigned long)(ioasid_time_ns() / (u64)NSEC_PER_MSEC);
}

#define jiffies ioasid_jiffies()

static inline u64 get_jiffies_64(void)
{
	return ioasid_jiffies();
}

#define time_after(a, b) ((long)((unsigned long)(b) - (unsigned long)(a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((unsigned long)(a) - (unsigned long)(b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)
#define time_is_before_jiffies(a) time_after(jiffies, a)
#define time_is_after_jiffies(a) time_before(jiffies, a)

/* A time below 0 is for ever, as in the kernel. */
static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return (int)ms < 0 ? (unsigned long)MAX_JIFFY_OFFSET : ms;
}

static inline unsigned long usecs_to_jiffies(unsigned int us)
{
	return us / 1000 + (us % 1000 != 0);
}

/* What does not fit is as much as fits. */
static inline unsigned int jiffies_to_msecs(unsigned long ticks)
{
	return ticks > UINT_MAX ? UINT_MAX : (unsigned int)ticks;
}

static inline unsigned int jiffies_to_usecs(unsigned long ticks)
{
	return ticks > UINT_MAX / 1000 ? UINT_MAX : (unsigned int)ticks * 1000;
}

static inline u64 jiffies_to_nsecs(unsigned long ticks)
{
	return ioasid_times(ticks, NSEC_PER_MSEC);
}

#endif
