/* SPDX-License-Identifier: MIT */
/* Compat: the monotonic clock, in nanoseconds. */
#ifndef IOASID_LINUX_KTIME_H
#define IOASID_LINUX_KTIME_H

#include <stdbool.h>

#include <linux/types.h>

typedef s64 ktime_t;

#define NSEC_PER_USEC 1000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_SEC 1000000000L
#define USEC_PER_MSEC 1000L
#define USEC_PER_SEC 1000000L
#define MSEC_PER_SEC 1000L

#define KTIME_MAX ((s64)~((u64)1 << 63))
#define KTIME_MIN (-KTIME_MAX - 1)

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_time_ns() - read the monotonic clock
 *
 * Return: nanoseconds since some moment before the program began.
 * Context: any, also a signal handler.
 */
u64 ioasid_time_ns(void);

/**
 * ioasid_sleep_ns() - sleep for a time
 * @ns: so long at least; signals do not end it
 *
 * Context: any thread. No cancellation point.
 */
void ioasid_sleep_ns(u64 ns);

#ifdef __cplusplus
}
#endif

/* A time in smaller units; as much as there is where it does not fit. */
static inline u64 ioasid_times(u64 time, long units)
{
	u64 result;

	return __builtin_mul_overflow(time, (u64)units, &result) ? ~(u64)0 : result;
}

static inline u64 ktime_get_ns(void)
{
	return ioasid_time_ns();
}

static inline ktime_t ktime_get(void)
{
	return (ktime_t)ioasid_time_ns();
}

static inline ktime_t ns_to_ktime(u64 ns)
{
	return (ktime_t)ns;
}

static inline ktime_t ms_to_ktime(u64 ms)
{
	u64 ns = ioasid_times(ms, NSEC_PER_MSEC);

	return ns > (u64)KTIME_MAX ? KTIME_MAX : (ktime_t)ns;
}

static inline s64 ktime_to_ns(ktime_t time)
{
	return time;
}

static inline s64 ktime_to_us(ktime_t time)
{
	return time / NSEC_PER_USEC;
}

static inline s64 ktime_to_ms(ktime_t time)
{
	return time / NSEC_PER_MSEC;
}

#define ktime_add(a, b) ((ktime_t)((u64)(a) + (u64)(b)))
#define ktime_sub(a, b) ((ktime_t)((u64)(a) - (u64)(b)))
#define ktime_add_ns(time, ns) ktime_add(time, ns)
#define ktime_add_us(time, us) ktime_add(time, (u64)(us) * (u64)NSEC_PER_USEC)
#define ktime_add_ms(time, ms) ktime_add(time, (u64)(ms) * (u64)NSEC_PER_MSEC)

static inline int ktime_compare(ktime_t a, ktime_t b)
{
	return a < b ? -1 : a > b;
}

static inline bool ktime_before(ktime_t a, ktime_t b)
{
	return a < b;
}

static inline bool ktime_after(ktime_t a, ktime_t b)
{
	return a > b;
}

static inline s64 ktime_us_delta(ktime_t later, ktime_t earlier)
{
	return ktime_to_us(ktime_sub(later, earlier));
}

static inline s64 ktime_ms_delta(ktime_t later, ktime_t earlier)
{
	return ktime_to_ms(ktime_sub(later, earlier));
}

#endif
