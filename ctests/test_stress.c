/* SPDX-License-Identifier: MIT */
/* Threads that do everything at once on few ids, for IOASID_STRESS_SECONDS (5); then the accounts must balance. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include "support.h"

enum { THREADS = 4, IDS = 24, SETS = 3, SPIDS = 8, HELD = 32, GOOD = 0x600dda7a };

/*
 * Sets that come and go; NULL where there is none. A thread that uses one may find it dead: the
 * library must say so, whatever it does.
 */
static struct ioasid_set *sets[SETS];
static bool stop;

/* What one thread has done and holds. */
struct worker {
	pthread_t thread;
	unsigned int seed;
	unsigned int nr_held;
	ioasid_t held[HELD];
	unsigned long operations;
	unsigned long allocs, gets, finds, by_spid, replaced, sets;
	/* The first thing that should not have happened. */
	const char *wrong;
};

static unsigned int pick(struct worker *worker, unsigned int below)
{
	return rand_r(&worker->seed) % below;
}

static struct ioasid_set *pick_set(struct worker *worker)
{
	unsigned int which = pick(worker, SETS + 1);

	/* Not a set: the system's. */
	return which == SETS ? NULL : __atomic_load_n(&sets[which], __ATOMIC_ACQUIRE);
}

static void check(struct worker *worker, bool right, const char *what)
{
	if (!right && !worker->wrong)
		worker->wrong = what;
}

/* ---- ids ---- */

static void alloc(struct worker *worker)
{
	struct ioasid_set *set = pick_set(worker);
	ioasid_t id = ioasid_alloc(set, 0, IDS - 1, NULL);

	if (!pasid_valid(id))
		return;
	worker->allocs++;
	check(worker, id < IDS, "an id outside the range");
}

static void free_some(struct worker *worker)
{
	ioasid_free(pick_set(worker), pick(worker, IDS));
}

static void get(struct worker *worker)
{
	ioasid_t id = pick(worker, IDS);

	if (worker->nr_held == HELD || ioasid_get(NULL, id))
		return;
	worker->gets++;
	worker->held[worker->nr_held++] = id;
}

/* Whoever holds a reference has an id that is not reclaimed, whatever the others do. */
static void put(struct worker *worker)
{
	ioasid_t id;

	if (!worker->nr_held)
		return;
	id = worker->held[--worker->nr_held];
	check(worker, ioasid_find(NULL, id, NULL) != ERR_PTR(-ENOENT), "a held id is gone");
	check(worker, ioasid_find_set(id) != ERR_PTR(-ENOENT), "a held id has no set");
	ioasid_put(NULL, id);
}

/* ---- data ---- */

static __thread bool met_freed_data;

static bool is_good(void *data)
{
	if (data && *(unsigned int *)data != GOOD)
		met_freed_data = true;
	return true;
}

static void find(struct worker *worker)
{
	ioasid_t id = pick(worker, IDS);
	void *data;

	worker->finds++;
	ioasid_find(pick_set(worker), id, is_good);
	rcu_read_lock();
	data = ioasid_find(NULL, id, NULL);
	if (!IS_ERR(data))
		is_good(data);
	rcu_read_unlock();
	check(worker, !met_freed_data, "a reader met freed data");
}

static unsigned int *new_data(void)
{
	unsigned int *data = malloc(sizeof(*data));

	*data = GOOD;
	return data;
}

/* One at a time gives an id its data. He holds it, so that the data cannot leave with the id. */
static pthread_mutex_t data_locks[IDS];

static void replace_data(struct worker *worker)
{
	ioasid_t id = pick(worker, IDS);
	unsigned int *data = NULL;

	if (pthread_mutex_trylock(&data_locks[id]))
		return;
	if (!ioasid_get(NULL, id)) {
		for (unsigned int left = 1 + pick(worker, 3); left--;) {
			unsigned int *old = data;

			data = left ? new_data() : NULL;
			check(worker, !ioasid_attach_data(id, data), "data was refused");
			if (old)
				*old = 0;
			/* At once: attaching has waited for its readers. */
			free(old);
			worker->replaced++;
		}
		ioasid_put(NULL, id);
	}
	pthread_mutex_unlock(&data_locks[id]);
}

/* ---- SPIDs ---- */

static void spid(struct worker *worker)
{
	ioasid_t id = pick(worker, IDS);

	if (pick(worker, 4))
		ioasid_attach_spid(id, pick(worker, SPIDS));
	else
		ioasid_detach_spid(id);
}

static void find_by_spid(struct worker *worker)
{
	struct ioasid_set *set = pick_set(worker);
	ioasid_t id = ioasid_find_by_spid(set, pick(worker, SPIDS));

	if (!pasid_valid(id))
		return;
	worker->by_spid++;
	check(worker, ioasid_is_in_set(set, id), "an SPID led into another set");
	ioasid_put(set, id);
}

/* ---- sets ---- */

static void come_and_go(struct worker *worker)
{
	struct ioasid_set **place = &sets[pick(worker, SETS)], *old, *set = NULL;

	if (pick(worker, 2)) {
		set = ioasid_set_alloc(NULL, pick(worker, IDS), IOASID_SET_TYPE_NULL);
		check(worker, !IS_ERR(set), "a set was refused");
	}
	old = __atomic_exchange_n(place, set, __ATOMIC_ACQ_REL);
	if (old)
		ioasid_set_put(old);
	worker->sets++;
}

static void count(ioasid_t id, void *data)
{
	(void)id;
	++*(unsigned int *)data;
}

static void walk(struct worker *worker)
{
	unsigned int visited = 0;

	ioasid_set_for_each_ioasid(pick_set(worker), count, &visited);
	check(worker, visited <= IDS, "more ids than there are");
}

static void empty(struct worker *worker)
{
	struct ioasid_set *set = pick_set(worker);

	if (pick(worker, 8) == 0)
		ioasid_free_all_in_set(set);
}

/* Each as often as it is on the list. */
/* clang-format off */
static void (*const actions[])(struct worker *worker) = {
	alloc, alloc, alloc, alloc, get, get, get, put, put, put, find, find, free_some,
	spid, spid, find_by_spid, find_by_spid, replace_data, come_and_go, walk, empty,
};
/* clang-format on */

static void *work(void *data)
{
	struct worker *worker = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) && !worker->wrong) {
		actions[pick(worker, ARRAY_SIZE(actions))](worker);
		worker->operations++;
	}
	while (worker->nr_held)
		put(worker);
	return NULL;
}

/* ---- subscribers ---- */

/* Written by the handler, which runs with the library's lock held. */
static unsigned long freed;
static bool got_after_free;

static int look(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_FREE) {
		freed++;
		if (ioasid_get(args->set, args->id) != -EBUSY)
			got_after_free = true;
	}
	return NOTIFY_OK;
}

static double seconds(void)
{
	const char *wanted = getenv("IOASID_STRESS_SECONDS");

	return wanted ? atof(wanted) : 5;
}

static void wait_for(double time)
{
	struct timespec wait = { (time_t)time, (long)((time - (time_t)time) * 1e9) };

	nanosleep(&wait, NULL);
}

static void print(const struct worker *workers)
{
	struct worker all = { 0 };

	for (int i = 0; i < THREADS; i++) {
		all.operations += workers[i].operations;
		all.allocs += workers[i].allocs;
		all.gets += workers[i].gets;
		all.finds += workers[i].finds;
		all.by_spid += workers[i].by_spid;
		all.replaced += workers[i].replaced;
		all.sets += workers[i].sets;
	}
	print_message("%lu operations: %lu ids allocated, %lu references taken, %lu look-ups, "
		      "%lu found by SPID, %lu data replaced, %lu sets changed, %lu FREE told\n",
		      all.operations, all.allocs, all.gets, all.finds, all.by_spid, all.replaced,
		      all.sets, freed);
}

static void everything_at_once_and_the_accounts_balance(void **state)
{
	struct notifier_block nb = { .notifier_call = look };
	struct ioasid_stats before = read_stats(), after;
	struct worker workers[THREADS] = { 0 };

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	for (int i = 0; i < IDS; i++)
		pthread_mutex_init(&data_locks[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		workers[i].seed = i + 1;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	wait_for(seconds());
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	print(workers);
	for (int i = 0; i < THREADS; i++)
		if (workers[i].wrong)
			fail_msg("thread %d: %s", i, workers[i].wrong);

	/* Every reference is back but the ids' own. */
	for (int i = 0; i < SETS; i++)
		if (sets[i])
			ioasid_set_put(sets[i]);
	ioasid_free_all_in_set(NULL);
	after = read_stats();
	assert_int_equal(after.allocs - before.allocs, after.reclaims - before.reclaims);
	/* Each id was told to be free once. */
	assert_int_equal(freed, after.allocs - before.allocs);
	assert_false(got_after_free);
	ioasid_unregister_notifier(NULL, &nb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(everything_at_once_and_the_accounts_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
