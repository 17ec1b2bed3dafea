// SPDX-License-Identifier: MIT
/* Measuring, see harness.h. One line a chunk goes to report.py, which does all statistics. */
#define _GNU_SOURCE
#include "harness.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int quick;
static double quiet_gauge = 1e9;	/* BENCH_GAUGE: ns a turn, on a core that nobody else uses */
static int cpu[2];

static double clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

double bench_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static void pin(int thread)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu[thread], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

const char *bench_init(int argc, char **argv)
{
	const char *group = "", *gauge = getenv("BENCH_GAUGE");
	int found = 0;
	pthread_t thread;
	cpu_set_t set;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick"))
			quick = 1;
		else
			group = argv[i];
	}
	if (gauge)
		quiet_gauge = atof(gauge);
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
		if (CPU_ISSET(i, &set))
			cpu[found++] = i;
	if (found < 2)
		bench_fail("needs two CPUs");
	pin(0);
	if (pthread_create(&thread, NULL, idle, NULL))
		bench_fail("no thread");
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	return group;
}

/*
 * The gauge. On a rented machine the core's other hardware thread may be somebody else's; while
 * it is busy everything here is up to twice as slow, and no clock of ours shows it. A fixed run
 * of independent additions shows it: it is limited by the issue slots the two threads share.
 */
static double gauge(void)
{
	enum { TURNS = 150000 };
	uint64_t a = 0, b = 0, c = 0, d = 0, e = 0;
	double start = bench_now();

	for (int i = 0; i < TURNS; i++)
		__asm__ volatile("inc %0\n inc %1\n inc %2\n inc %3\n inc %4\n"
				 : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	return (bench_now() - start) / TURNS;
}

static int is_quiet(double g)
{
	return g < quiet_gauge * 1.15;
}

/* Patience for a quiet core, in ns: spent over the thread's life, so that a loud hour only costs so much. */
static __thread double patience = 10e9;

static double wait_quiet(void)
{
	double g = gauge();

	for (double start = bench_now(); !quick && !is_quiet(g) && patience > 0; start = bench_now()) {
		g = gauge();
		patience -= bench_now() - start;
	}
	return g;
}

static void emit(const char *test, uint64_t n, double wall, double cpu_time, double before, double after)
{
	printf("chunk %s %lu %.0f %.0f %.4f\n", test, n, wall, cpu_time, before > after ? before : after);
}

void bench_value(const char *test, double value)
{
	printf("value %s %.3f\n", test, value);
}

static double chunk_wall, chunk_cpu, chunk_gauge;

void bench_begin(void)
{
	chunk_gauge = wait_quiet();
	chunk_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	chunk_wall = bench_now();
}

void bench_end(const char *test, uint64_t n)
{
	double wall = bench_now() - chunk_wall;
	double cpu_time = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - chunk_cpu;

	emit(test, n, wall, cpu_time, chunk_gauge, gauge());
}

static int chunks(void)
{
	return quick ? 2 : 24;
}

/* How many operations take one chunk's time. Warms up on the way. */
static uint64_t chunk_size(bench_fn fn)
{
	const double want = quick ? 3e5 : 4e6;
	uint64_t n = 128;

	for (;;) {
		double start = bench_now();

		fn(0, n);
		double took = bench_now() - start;

		if (took > want / 4)
			return n * want / took + 1;
		n *= 2;
	}
}

void bench_one(const char *test, bench_fn fn)
{
	uint64_t n = chunk_size(fn);

	for (int i = 0; i < chunks(); i++) {
		bench_begin();
		fn(0, n);
		bench_end(test, n);
	}
}

/* Two threads that start every chunk together. */
static struct {
	const char *test;
	bench_fn fn;
	uint64_t n;
	unsigned int arrived;
	double before[2], wall[2], cpu[2], after[2];
} duo;

/* Spins until both are here: a sleeping barrier would start one of them tens of microseconds late. */
static void meet(void)
{
	unsigned int round = __atomic_add_fetch(&duo.arrived, 1, __ATOMIC_ACQ_REL);

	round += round & 1;
	for (unsigned int spins = 1; (int)(__atomic_load_n(&duo.arrived, __ATOMIC_ACQUIRE) - round) < 0; spins++) {
		__builtin_ia32_pause();
		if (spins % 65536 == 0)
			sched_yield();
	}
}

static void *duo_thread(void *arg)
{
	int me = (intptr_t)arg;

	pin(me);
	duo.fn(me, 1000);
	for (int i = 0; i < chunks(); i++) {
		duo.before[me] = wait_quiet();
		meet();
		double cpu_start = clock_ns(CLOCK_THREAD_CPUTIME_ID), start = bench_now();

		duo.fn(me, duo.n);
		duo.wall[me] = bench_now() - start;
		duo.cpu[me] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
		meet();
		duo.after[me] = gauge();
		meet();
		if (me)
			continue;
		emit(duo.test, duo.n, (duo.wall[0] + duo.wall[1]) / 2, (duo.cpu[0] + duo.cpu[1]) / 2,
		     duo.before[0] > duo.before[1] ? duo.before[0] : duo.before[1],
		     duo.after[0] > duo.after[1] ? duo.after[0] : duo.after[1]);
	}
	return NULL;
}

void bench_two(const char *test, bench_fn fn)
{
	pthread_t thread[2];

	memset(&duo, 0, sizeof(duo));
	duo.test = test;
	duo.fn = fn;
	duo.n = chunk_size(fn);
	for (intptr_t i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, duo_thread, (void *)i))
			bench_fail("no thread");
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

double bench_rss(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kib = -1;

	while (f && kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Rss: %ld", &kib);
	if (kib < 0)
		bench_fail("no /proc/self/smaps_rollup");
	fclose(f);
	return kib * 1024.0;
}

void bench_shuffle(uint32_t *order, uint32_t n)
{
	uint64_t state = bench_seed(0);

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = bench_below(&state, i), swapped = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swapped;
	}
}
