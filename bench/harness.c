// SPDX-License-Identifier: MIT
/* Measuring, see harness.h. One line a chunk goes to report.py, which does all statistics. */
#define _GNU_SOURCE
#include "harness.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int quick;
static double quiet_gauge = 1e9; /* BENCH_GAUGE: ns a turn, on a core that nobody else uses */
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

void bench_pin(int thread)
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

const char *bench_init_alone(int argc, char **argv)
{
	const char *group = "", *gauge = getenv("BENCH_GAUGE");
	int found = 0;
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
	bench_pin(0);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	return group;
}

void bench_idle_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, idle, NULL))
		bench_fail("no thread");
}

const char *bench_init(int argc, char **argv)
{
	const char *group = bench_init_alone(argc, argv);

	bench_idle_thread();
	return group;
}

/*
 * The gauge. On a rented machine the core's other hardware thread may be somebody else's; while
 * it is busy everything here is up to twice as slow, and no clock of ours shows it. A fixed run
 * of independent additions shows it: it is limited by the issue slots the two threads share.
 */
static double gauge(void)
{
	const uint64_t turns = 150000;
	uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, left = turns;
	double start = bench_now();

	/* Where a loop lies decides how fast it is. It must be the same in all programs. */
	__asm__ volatile(".p2align 6\n"
			 "1: inc %0\n inc %1\n inc %2\n inc %3\n inc %4\n"
			 "dec %5\n jnz 1b\n"
			 : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(left)
			 :
			 : "cc");
	return (bench_now() - start) / turns;
}

static int is_quiet(double g)
{
	return g < quiet_gauge * 1.15;
}

/* Patience for a quiet core, in ns: the process's, so that a loud hour costs only so much. */
static int64_t patience = 4000000000;

static double wait_quiet(void)
{
	double g = gauge();

	for (double start = bench_now(); !quick && !is_quiet(g); start = bench_now()) {
		g = gauge();
		if (__atomic_sub_fetch(&patience, (int64_t)(bench_now() - start),
				       __ATOMIC_RELAXED) < 0)
			break;
	}
	return g;
}

/* What a stretch of work took, and what disturbed it: a busy core, other processes on it. */
struct stretch {
	double wall, cpu, gauge;
	long preempted;
};

static long preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static void stretch_begin(struct stretch *s, clockid_t cpu_clock)
{
	s->preempted = -preemptions();
	s->cpu = -clock_ns(cpu_clock);
	s->wall = -bench_now();
}

static void stretch_end(struct stretch *s, clockid_t cpu_clock)
{
	s->wall += bench_now();
	s->cpu += clock_ns(cpu_clock);
	s->preempted += preemptions();
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static void emit(const char *test, uint64_t n, const struct stretch *s)
{
	printf("chunk %s %lu %.0f %.0f %.4f %ld\n", test, n, s->wall, s->cpu, s->gauge,
	       s->preempted);
}

void bench_value(const char *test, double value)
{
	printf("value %s %.3f\n", test, value);
}

static struct stretch alone;

void bench_begin(void)
{
	alone.gauge = wait_quiet();
	stretch_begin(&alone, CLOCK_PROCESS_CPUTIME_ID);
}

void bench_end(const char *test, uint64_t n)
{
	stretch_end(&alone, CLOCK_PROCESS_CPUTIME_ID);
	alone.gauge = larger(alone.gauge, gauge());
	emit(test, n, &alone);
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
	struct stretch by[2];
} duo;

/* Spins until both are here: a sleeping barrier would start one of them tens of microseconds late. */
static void meet(void)
{
	unsigned int round = __atomic_add_fetch(&duo.arrived, 1, __ATOMIC_ACQ_REL);

	round += round & 1;
	for (unsigned int spins = 1;
	     (int)(__atomic_load_n(&duo.arrived, __ATOMIC_ACQUIRE) - round) < 0; spins++) {
		__builtin_ia32_pause();
		if (spins % 65536 == 0)
			sched_yield();
	}
}

static void *duo_thread(void *arg)
{
	int me = (intptr_t)arg;
	struct stretch *mine = &duo.by[me], both;

	bench_pin(me);
	duo.fn(me, 1000);
	for (int i = 0; i < chunks(); i++) {
		double before = wait_quiet();

		meet(); /* only now the first thread has read what the last chunk took */
		mine->gauge = before;
		stretch_begin(mine, CLOCK_THREAD_CPUTIME_ID);
		duo.fn(me, duo.n);
		stretch_end(mine, CLOCK_THREAD_CPUTIME_ID);
		meet();
		mine->gauge = larger(mine->gauge, gauge());
		meet();
		if (me)
			continue;
		both.wall = (duo.by[0].wall + duo.by[1].wall) / 2;
		both.cpu = (duo.by[0].cpu + duo.by[1].cpu) / 2;
		both.gauge = larger(duo.by[0].gauge, duo.by[1].gauge);
		both.preempted = duo.by[0].preempted + duo.by[1].preempted;
		emit(duo.test, duo.n, &both);
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

/* Threads that may be more than CPUs: they sleep where they meet. */
static struct {
	bench_fn fn;
	uint64_t n;
	pthread_barrier_t gate;
} many;

static void *many_thread(void *arg)
{
	int me = (intptr_t)arg;

	bench_pin(me % 2);
	many.fn(me, 100);
	for (int i = 0; i < chunks(); i++) {
		pthread_barrier_wait(&many.gate);
		many.fn(me, many.n);
		pthread_barrier_wait(&many.gate);
	}
	return NULL;
}

void bench_many(const char *test, bench_fn fn, int threads)
{
	pthread_t thread[16];
	struct stretch s;

	many.fn = fn;
	many.n = chunk_size(fn);
	pthread_barrier_init(&many.gate, NULL, threads + 1);
	for (intptr_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, many_thread, (void *)i))
			bench_fail("no thread");
	for (int i = 0; i < chunks(); i++) {
		s.gauge = wait_quiet();
		stretch_begin(
			&s,
			CLOCK_PROCESS_CPUTIME_ID); /* who shares our CPU may be done before we are back */
		pthread_barrier_wait(&many.gate);
		pthread_barrier_wait(&many.gate);
		stretch_end(&s, CLOCK_PROCESS_CPUTIME_ID);
		s.gauge = larger(s.gauge, gauge());
		s.preempted = 0; /* by each other, above all */
		emit(test, many.n * threads, &s);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&many.gate);
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
