/* SPDX-License-Identifier: MIT */
/* Internal to this folder: system calls that touch neither errno nor cancellation, and fences. */
#ifndef CIOASID_RAW_H
#define CIOASID_RAW_H

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * libc's syscall() writes errno, which a signal handler must give back, and its wrappers are
 * cancellation points. Returns what the kernel does: a result, or -errno.
 */
static inline long raw_call(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#else
	int saved = errno;
	long result = syscall(number, a, b, c, d);

	if (result == -1)
		result = -errno;
	errno = saved;
	return result;
#endif
}

/* Sleeps; a signal may end it early. */
static inline void raw_sleep(long ns)
{
	struct timespec time = { ns / 1000000000, ns % 1000000000 };

	raw_call(SYS_nanosleep, (long)&time, 0, 0, 0);
}

/* Milliseconds of the monotonic clock. */
static inline uint64_t raw_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Tells the core that this is a loop that waits. */
static inline void raw_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" : : : "memory");
#else
	__asm__ volatile("" : : : "memory");
#endif
}

#endif /* CIOASID_RAW_H */
