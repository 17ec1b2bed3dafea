// SPDX-License-Identifier: MIT
/* How libioasid's cost grows with sets and with subscribers; work.c does the same for ids. */
#include "harness.h"
#include <linux/ioasid.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SETS = 4096, IDS_A_SET = 16, MAX_SUBSCRIBERS = 16 };
static const ioasid_t max_id = (1u << 20) - 1;

static struct ioasid_set *set[MAX_SETS + 1];
static ioasid_t id_of[MAX_SETS][IDS_A_SET];
static char token[MAX_SETS + 1];
static uint32_t nsets;

static void make_set(uint32_t i)
{
	set[i] = ioasid_set_alloc(&token[i], 2 * IDS_A_SET, IOASID_SET_TYPE_NULL);
	if (!set[i] || ioasid_is_err(set[i]))
		bench_fail("no set");
}

static ioasid_t must_alloc(struct ioasid_set *in)
{
	ioasid_t id = ioasid_alloc(in, 1, max_id, token);

	if (__builtin_expect(id > max_id, 0))
		bench_fail("allocation failed");
	return id;
}

static void set_and_put(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		make_set(nsets);
		ioasid_set_put(set[nsets]);
	}
}

static void pairs(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread);

	while (n--) {
		struct ioasid_set *in = set[bench_below(&state, nsets)];

		ioasid_free(in, must_alloc(in));
	}
}

static void finds(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread), sum = 0;

	while (n--) {
		uint32_t i = bench_below(&state, nsets * IDS_A_SET);

		sum += (uintptr_t)ioasid_find(set[i / IDS_A_SET],
					      id_of[i / IDS_A_SET][i % IDS_A_SET], NULL);
	}
	bench_use(sum);
}

/* Every set names its ids 0 to 15, as guests do. */
static void by_spid(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread);

	while (n--) {
		uint32_t i = bench_below(&state, nsets * IDS_A_SET);

		ioasid_put(set[i / IDS_A_SET],
			   ioasid_find_by_spid(set[i / IDS_A_SET], i % IDS_A_SET));
	}
}

static void sets(void)
{
	char test[32];

	for (uint32_t most = 1; most <= MAX_SETS; most *= 4) {
		for (; nsets < most; nsets++) {
			make_set(nsets);
			for (uint32_t k = 0; k < IDS_A_SET; k++) {
				id_of[nsets][k] = must_alloc(set[nsets]);
				if (ioasid_attach_spid(id_of[nsets][k], k))
					bench_fail("attach_spid refused");
			}
		}
		snprintf(test, sizeof(test), "sets-set@%u", most);
		bench_one(test, set_and_put);
		snprintf(test, sizeof(test), "sets-pair@%u", most);
		bench_one(test, pairs);
		snprintf(test, sizeof(test), "sets-find@%u", most);
		bench_one(test, finds);
		snprintf(test, sizeof(test), "sets-spid@%u", most);
		bench_one(test, by_spid);
	}
}

static uint64_t events;

static int on_event(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb;
	(void)event;
	(void)args;
	events++;
	return NOTIFY_OK;
}

static void own_pairs(int thread, uint64_t n)
{
	(void)thread;
	while (n--)
		ioasid_free(set[0], must_alloc(set[0]));
}

static void other_pairs(int thread, uint64_t n)
{
	(void)thread;
	while (n--)
		ioasid_free(set[1], must_alloc(set[1]));
}

/* All subscribe to set 0: its events cost each of them a call, set 1's must not. */
static void subscribers(void)
{
	static struct notifier_block block[MAX_SUBSCRIBERS];
	char test[32];
	int n = 0;

	make_set(0);
	make_set(1);
	for (int most = 0; most <= MAX_SUBSCRIBERS; most = most ? 2 * most : 1) {
		for (; n < most; n++) {
			block[n].notifier_call = on_event;
			if (ioasid_register_notifier(set[0], &block[n]))
				bench_fail("register_notifier refused");
		}
		snprintf(test, sizeof(test), "subscribers-pair@%d", most);
		bench_one(test, own_pairs);
		if (!events != !most)
			bench_fail("events lost");
		snprintf(test, sizeof(test), "subscribers-other@%d", most);
		events = 0;
		bench_one(test, other_pairs);
		if (events)
			bench_fail("events of another set");
	}
}

int main(int argc, char **argv)
{
	const char *group = bench_init(argc, argv);

	if (!strcmp(group, "sets"))
		sets();
	else if (!strcmp(group, "subscribers"))
		subscribers();
	else
		bench_fail("which group? sets, subscribers");
	return 0;
}
