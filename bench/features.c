// SPDX-License-Identifier: MIT
/* What libioasid does and no peer: references, SPIDs, data exchanged under readers, teardown of a set. */
#include "harness.h"
#include <linux/ioasid.h>
#include <stdio.h>
#include <string.h>
#include <urcu-bp.h>

static ioasid_t full = (1u << 20) - 16;
static ioasid_t live;
static struct ioasid_set *set;

static void new_set(void)
{
	static char token;

	set = ioasid_set_alloc(&token, (1u << 20) - 1, IOASID_SET_TYPE_NULL);
	if (!set || ioasid_is_err(set))
		bench_fail("no set");
}

static void must_alloc(ioasid_t id, void *data)
{
	if (ioasid_alloc(set, 1, (1u << 20) - 1, data) != id)
		bench_fail("not the lowest free id");
}

/* Ids 1 to n are live from here on. */
static void go_live(ioasid_t n)
{
	for (; live < n; live++)
		must_alloc(live + 1, bench_data(live));
}

static void get_and_put(ioasid_t id)
{
	if (__builtin_expect(ioasid_get(set, id), 0))
		bench_fail("get refused");
	ioasid_put(set, id);
}

/* Each thread has its half: different ids, and different cache lines but one. */
static void halves(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread);
	ioasid_t half = live / 2;

	while (n--)
		get_and_put(1 + thread * half + bench_below(&state, half));
}

/* The worst case: one thread the even ids, the other the odd ones. Not judged, but told. */
static void neighbours(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread);
	ioasid_t half = live / 2;

	while (n--)
		get_and_put(1 + thread + 2 * bench_below(&state, half));
}

static void references(void)
{
	go_live(1000);
	bench_one("getput-1k", halves);
	bench_two("getput-1k-2t", halves);
	bench_two("getput-near-2t", neighbours);
}

/* Scattered over the 20 bits, and no two alike, as the factor is odd; or as a guest hands them out, one after the other. */
static int in_sequence;

static ioasid_t spid_of(ioasid_t id)
{
	return in_sequence ? id : (id * 0x9e375u) & ((1u << 20) - 1);
}

/* The id that is looked up next. */
static ioasid_t next_id(uint64_t *state)
{
	if (in_sequence)
		return 1 + (*state)++ % live;
	return 1 + bench_below(state, live);
}

static void go_live_bound(ioasid_t n)
{
	ioasid_t id = live;

	go_live(n);
	while (id++ < n)
		if (ioasid_attach_spid(id, spid_of(id)))
			bench_fail("attach_spid refused");
}

/* The lookup takes a reference; giving it back is get_and_put's business and not timed here. */
static void by_spid(const char *test)
{
	const int chunks = quick ? 2 : 24;
	const uint64_t n = quick ? 5000 : 100000;

	for (int k = -2; k < chunks; k++) { /* the first two warm up */
		uint64_t state = bench_seed(k), again = state;
		ioasid_t sum = 0;

		bench_begin();
		for (uint64_t i = 0; i < n; i++)
			sum += ioasid_find_by_spid(set, spid_of(next_id(&state)));
		if (k >= 0)
			bench_end(test, n);
		for (uint64_t i = 0; i < n; i++) {
			ioasid_t id = next_id(&again);

			sum -= id;
			ioasid_put(set, id);
		}
		if (sum)
			bench_fail("find_by_spid found something else");
	}
}

static void spids(void)
{
	const ioasid_t sizes[] = { 1000, 65536, full };
	const char *const names[] = { "spid-1k", "spid-64k", "spid-1m" };

	for (int i = 0; i < 3; i++) {
		go_live_bound(sizes[i]);
		by_spid(names[i]);
	}
}

static void spids_in_sequence(void)
{
	in_sequence = 1;
	go_live_bound(full);
	by_spid("spid-seq-1m");
}

/* Always another pointer: for the same one again there would be nothing to do. */
static void attach(int thread, uint64_t n)
{
	static uint64_t fresh;
	uint64_t state = bench_seed(thread);

	while (n--)
		if (ioasid_attach_data(1 + bench_below(&state, live),
				       bench_data((1 << 20) + fresh++)))
			bench_fail("attach_data refused");
}

static void bare_grace_periods(int thread, uint64_t n)
{
	(void)thread;
	while (n--)
		urcu_bp_synchronize_rcu();
}

static void data(void)
{
	const ioasid_t n = quick ? 4096 : 65536;

	/* First data for an id: nobody can hold an old pointer, so there is nothing to wait for. */
	for (int k = 0; k < (quick ? 2 : 24); k++) {
		for (ioasid_t id = 1; id <= n; id++)
			must_alloc(id, NULL);
		bench_begin();
		for (ioasid_t id = 1; id <= n; id++)
			if (ioasid_attach_data(id, bench_data(id)))
				bench_fail("attach_data refused");
		bench_end("attach-first", n);
		for (ioasid_t id = 1; id <= n; id++)
			ioasid_free(set, id);
	}
	go_live(n);
	bench_one("attach-again", attach);
	bench_one("grace-period", bare_grace_periods);
}

static void teardown(void)
{
	for (int k = 0; k < (quick ? 1 : 4); k++) {
		live = 0;
		go_live(full);
		bench_begin();
		ioasid_set_put(set);
		if (k || quick) /* the first warms up */
			bench_end("teardown", full);
		new_set();
	}
}

static void memory(void)
{
	double before;

	go_live_bound(1);
	before = bench_rss();
	go_live_bound(full);
	bench_value("memory-id-spid", (bench_rss() - before) / (full - 1));
	ioasid_set_put(set);
	bench_value("memory-kept-spid", (bench_rss() - before) / 1024);
}

int main(int argc, char **argv)
{
	const char *group = bench_init(argc, argv);

	if (quick)
		full = 1u << 17;
	new_set();
	if (!strcmp(group, "references"))
		references();
	else if (!strcmp(group, "spids"))
		spids();
	else if (!strcmp(group, "spids-in-sequence"))
		spids_in_sequence();
	else if (!strcmp(group, "data"))
		data();
	else if (!strcmp(group, "teardown"))
		teardown();
	else if (!strcmp(group, "memory"))
		memory();
	else
		bench_fail(
			"which group? references, spids, spids-in-sequence, data, teardown, memory");
	return 0;
}
