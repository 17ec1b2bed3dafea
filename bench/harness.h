/* SPDX-License-Identifier: MIT */
/* Measuring: loops cut into short chunks, each with its time, its CPU time and how busy the core was around it. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdint.h>

/* --quick: everything runs, small; the figures mean nothing */
extern int quick;

/*
 * Reads the arguments ([--quick] [GROUP]), pins the process to its first CPU and starts an idle
 * thread: malloc and mutexes take their multi-threaded ways, as they do in any server. Returns
 * GROUP, or "".
 */
const char *bench_init(int argc, char **argv);

/* The two halves of it. */
const char *bench_init_alone(int argc, char **argv);
void bench_idle_thread(void);

/* Keeps the thread on the first or the second CPU. */
void bench_pin(int thread);

/* Does n operations. thread counts from 0. */
typedef void (*bench_fn)(int thread, uint64_t n);

/* Measures work that can be repeated at will: by one thread, and by two at once (time per thread). */
void bench_one(const char *test, bench_fn fn);
void bench_two(const char *test, bench_fn fn);

/* By that many threads, spread over two CPUs, from a common start to the last one's end: time per operation of all. */
void bench_many(const char *test, bench_fn fn, int threads);

/* Measures work that happens once: put each stretch between begin and end. */
void bench_begin(void);
void bench_end(const char *test, uint64_t n);

/* Reports a figure that is no time. */
void bench_value(const char *test, double value);

/* Resident memory of the process, in bytes, exact to the page. */
double bench_rss(void);

void bench_fail(const char *what) __attribute__((noreturn));

/* Wall clock in ns. */
double bench_now(void);

/* A random number in [0, n); the same sequence for everybody. */
static inline uint32_t bench_below(uint64_t *state, uint32_t n)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return (x >> 32) * n >> 32;
}

static inline uint64_t bench_seed(int thread)
{
	return 0x9e3779b97f4a7c15ull + 0x1000003ull * thread;
}

/* Makes the compiler believe that the value is used. */
static inline void bench_use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value));
}

/* A private pointer for the n-th id: never NULL, told apart. */
static inline void *bench_data(uint64_t n)
{
	return (void *)((n + 1) << 4);
}

/* The numbers 0 to n - 1 in an order that is random and always the same. */
void bench_shuffle(uint32_t *order, uint32_t n);

#endif
