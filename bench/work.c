// SPDX-License-Identifier: MIT
/* The work that every allocator can do, compiled once for each of them: alloc, free, find, the mix, threads, latencies, memory. */
#include "backend.h"
#include "harness.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t full = (1u << 20) - 16; /* what the tests' names call 1m */
static uint32_t *ids, *order;
static uint32_t live; /* ids 1 to live are allocated while lookups run */

static uint32_t must_alloc(uint32_t i)
{
	uint32_t id = id_alloc(bench_data(i));

	if (__builtin_expect(id > ID_MAX, 0))
		bench_fail("allocation failed");
	return id;
}

static void fill(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		ids[i] = must_alloc(i);
}

static void drop(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		id_free(ids[i]);
}

/* n ids live, in a fresh allocator 1 to n: so lookups need no table of ids, whose cache misses would count too. */
static void go_live(uint32_t n)
{
	fill(live, n);
	for (uint32_t i = 0; i < n; i++)
		if (ids[i] != i + 1 || (CAN_FIND && id_find(ids[i]) != bench_data(i)))
			bench_fail("not the lowest free id, or not its data");
	live = n;
}

static void finds(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread), sum = 0;
	uint32_t among = live;

	while (n--)
		sum += (uintptr_t)id_find(1 + bench_below(&state, among));
	bench_use(sum);
}

/* Which id is next depends on what the last lookup gave: no two of them overlap. */
static void chained_finds(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread), zero = 0;
	uint32_t among = live;

	__asm__ volatile("" : "+r"(zero));
	while (n--)
		state += (uintptr_t)id_find(1 + bench_below(&state, among)) & zero;
	bench_use(state);
}

static void pairs(int thread, uint64_t n)
{
	while (n--)
		id_free(must_alloc(thread));
}

static void mix(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread), sum = 0;
	uint32_t among = live;

	while (n--) {
		if (bench_below(&state, 10))
			sum += (uintptr_t)id_find(1 + bench_below(&state, among));
		else
			id_free(must_alloc(thread));
	}
	bench_use(sum);
}

/* Once-through work, in pieces short enough that most fall into quiet stretches. */
static void in_pieces(const char *test, uint32_t n, void (*piece)(uint32_t from, uint32_t to))
{
	enum { PIECES = 32 };

	for (uint64_t k = 0; k < PIECES; k++) {
		uint32_t from = n * k / PIECES, to = n * (k + 1) / PIECES;

		bench_begin();
		piece(from, to);
		bench_end(test, to - from);
	}
}

static void alloc_and_free(void)
{
	go_live(1000);
	bench_one("pair-1k", pairs);
	bench_two("pair-1k-2t", pairs);
	drop(0, 1000);
	live = 0;

	/* Memory comes from the system the first time; that is not the allocator's work. */
	fill(0, full);
	drop(0, full);
	in_pieces("seq-alloc", full, fill);
	in_pieces("seq-free", full, drop);

	/* Random half of all: reorder ids[] first, so that the timed loops read straight ahead. */
	uint32_t *shuffled = malloc(full * sizeof(*shuffled));

	if (!shuffled)
		bench_fail("no memory");
	fill(0, full);
	bench_shuffle(order, full);
	for (uint32_t i = 0; i < full; i++)
		shuffled[i] = ids[order[i]];
	free(ids);
	ids = shuffled;
	in_pieces("hole-free", full / 2, drop);
	in_pieces("hole-alloc", full / 2, fill);
	drop(0, full);
}

static void lookups(void)
{
	const struct {
		const char *name;
		uint32_t n;
	} sizes[] = { { "1k", 1000 }, { "64k", 65536 }, { "1m", full } };
	char test[32];

	for (int i = 0; i < 3; i++) {
		go_live(sizes[i].n);
		if (CAN_FIND) {
			snprintf(test, sizeof(test), "find-%s", sizes[i].name);
			bench_one(test, finds);
			snprintf(test, sizeof(test), "find-chained-%s", sizes[i].name);
			bench_one(test, chained_finds);
			snprintf(test, sizeof(test), "find-%s-2t", sizes[i].name);
			bench_two(test, finds);
		}
		if (CAN_FIND && sizes[i].n == 65536) {
			bench_one("mix-64k", mix);
			bench_two("mix-64k-2t", mix);
		}
	}
}

/* Cost against the number of threads, on two CPUs. */
static void threads(void)
{
	char test[32];

	go_live(65536);
	for (int n = 1; n <= 8; n *= 2) {
		snprintf(test, sizeof(test), "threads-pair@%d", n);
		bench_many(test, pairs, n);
		if (CAN_FIND) {
			snprintf(test, sizeof(test), "threads-mix@%d", n);
			bench_many(test, mix, n);
		}
	}
}

/* How long one call takes, in ns with the clock's own, while other threads allocate, free and look up. */
static _Atomic int load_is_over, loading;

static void *load_thread(void *number)
{
	bench_pin(((int)(intptr_t)number + 1) % 2);
	loading++;
	while (!load_is_over)
		(CAN_FIND ? mix : pairs)((int)(intptr_t)number, 1000);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void tell_latencies(const char *what, int others, uint32_t *ns, uint32_t n)
{
	char test[48];

	qsort(ns, n, sizeof(*ns), by_size);
	for (int i = 0; i < 4; i++) {
		const struct {
			const char *name;
			double part;
		} at[] = { { "p50", .5 }, { "p99", .99 }, { "p99.9", .999 }, { "longest", 1 } };

		snprintf(test, sizeof(test), "latency-%s-%d-%s", what, others, at[i].name);
		bench_value(test, ns[(uint32_t)((n - 1) * at[i].part)]);
	}
}

static void latencies(void)
{
	const uint32_t n = quick ? 2000 : 1000000;
	uint32_t *took[3];
	pthread_t thread[7];

	for (int i = 0; i < 3; i++)
		if (!(took[i] = malloc(n * sizeof(*took[i]))))
			bench_fail("no memory");
	go_live(65536);
	for (int others = 1; others <= 7; others += 6) {
		uint64_t state = bench_seed(99), sum = 0;

		load_is_over = loading = 0;
		for (intptr_t i = 0; i < others; i++)
			if (pthread_create(&thread[i], NULL, load_thread, (void *)i))
				bench_fail("no thread");
		while (loading < others)
			sched_yield();
		for (uint32_t i = 0; i < n; i++) {
			double start = bench_now(), middle, end;
			uint32_t id = must_alloc(i);

			middle = bench_now();
			id_free(id);
			end = bench_now();
			took[0][i] = middle - start;
			took[1][i] = end - middle;
			id = 1 + bench_below(&state, live);
			start = bench_now();
			sum += (uintptr_t)id_find(id);
			took[2][i] = bench_now() - start;
		}
		bench_use(sum);
		load_is_over = 1;
		for (int i = 0; i < others; i++)
			pthread_join(thread[i], NULL);
		tell_latencies("alloc", others, took[0], n);
		tell_latencies("free", others, took[1], n);
		if (CAN_FIND)
			tell_latencies("find", others, took[2], n);
	}
}

/* Cost against the number of live ids. */
static void growth(void)
{
	char test[32];

	for (uint32_t n = 1; n < 2 * full; n *= 4) {
		go_live(n < full ? n : full);
		snprintf(test, sizeof(test), "ids-pair@%u", n);
		bench_one(test, pairs);
		if (CAN_FIND) {
			snprintf(test, sizeof(test), "ids-find@%u", n);
			bench_one(test, finds);
		}
	}
}

static void memory(void)
{
	double first, before, at_full;

	before = bench_rss();
	if (backend_init())
		bench_fail("no set");
	id_free(must_alloc(0));
	first = bench_rss();
	bench_value("memory-first", (first - before) / 1024);
	fill(0, full);
	at_full = bench_rss();
	bench_value("memory-id", (at_full - first) / full);
	drop(0, full);
	backend_settle();
	bench_value("memory-kept", (bench_rss() - first) / 1024);
}

int main(int argc, char **argv)
{
	const char *group = bench_init(argc, argv);

	if (quick)
		full = 1u << 17;
	ids = malloc(sizeof(*ids) << 20);
	order = malloc(sizeof(*order) << 20);
	if (!ids || !order)
		bench_fail("no memory");
	memset(ids, 1, sizeof(*ids) << 20);
	memset(order, 1, sizeof(*order) << 20);
	bench_rss(); /* stdio's buffers are there now */
	if (!strcmp(group, "memory")) {
		memory();
		return 0;
	}
	if (backend_init())
		bench_fail("no set");
	if (!strcmp(group, "alloc"))
		alloc_and_free();
	else if (!strcmp(group, "find"))
		lookups();
	else if (!strcmp(group, "growth"))
		growth();
	else if (!strcmp(group, "threads"))
		threads();
	else if (!strcmp(group, "latencies"))
		latencies();
	else
		bench_fail("which group? alloc, find, growth, threads, latencies, memory");
	return 0;
}
