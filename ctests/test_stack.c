/* SPDX-License-Identifier: MIT */
/* Chains of events that handlers cause, on a small stack: bounded, each told once, nothing lost. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#include <linux/kernel.h>
#include <linux/sched/mm.h>

/* Sanitizers take several times the stack for each call, and valgrind the time. */
#define STACK_BYTES (256 << 10)
#define MANY 30000
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef STACK_BYTES
#define STACK_BYTES (2048 << 10)
#endif
#endif

static unsigned int many;

static void *run(void *body)
{
	(*(void (*const *)(void))body)();
	return NULL;
}

static void on_a_small_stack(void (*body)(void))
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
	assert_int_equal(pthread_create(&thread, &attributes, run, &body), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

/* ---- what is told ---- */

/* How often which id or set was told to end, by two subscribers; and whether in an order. */
static struct {
	unsigned char first[MANY], second[MANY];
	unsigned int last;
	bool is_disordered;
	unsigned int count, other;
} heard;

/* Sets have their number here as a token. */
static struct ioasid_set *sets[MANY], *set;
static struct mm_struct mms[MANY];
static ioasid_t base;

static unsigned int number_of(unsigned long event, const struct ioasid_nb_args *args)
{
	if (event == IOASID_NOTIFY_SET_FREE)
		return args->set->type == IOASID_SET_TYPE_MM ?
			       (unsigned int)((struct mm_struct *)args->set->token - mms) :
			       (unsigned int)(uintptr_t)args->set->token - 1;
	return args->id - base;
}

/* What the first subscriber does about it. */
static void (*act)(unsigned int number, const struct ioasid_nb_args *args);
static enum ioasid_notify_val acts_on;

static int hear_first(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;
	unsigned int number = number_of(event, args);

	(void)nb;
	if (event != acts_on || number >= many)
		return NOTIFY_OK;
	heard.first[number]++;
	heard.count++;
	act(number, args);
	return NOTIFY_OK;
}

static int hear_second(struct notifier_block *nb, unsigned long event, void *data)
{
	unsigned int number = number_of(event, data);

	(void)nb;
	if (event != acts_on || number >= many)
		return NOTIFY_OK;
	heard.second[number]++;
	if (number < heard.last)
		heard.is_disordered = true;
	heard.last = number;
	return NOTIFY_OK;
}

static struct notifier_block first = { .notifier_call = hear_first, .priority = 2 };
static struct notifier_block second = { .notifier_call = hear_second, .priority = 1 };

static void listen_to(struct ioasid_set *of, enum ioasid_notify_val event,
		      void (*then)(unsigned int number, const struct ioasid_nb_args *args))
{
	memset(&heard, 0, sizeof(heard));
	many = loops(MANY);
	acts_on = event;
	act = then;
	assert_int_equal(ioasid_register_notifier(of, &first), 0);
	assert_int_equal(ioasid_register_notifier(of, &second), 0);
}

static void stop_listening(struct ioasid_set *of)
{
	ioasid_unregister_notifier(of, &first);
	ioasid_unregister_notifier(of, &second);
}

/* Each was told to both, once. */
static void all_were_told_once(bool in_order)
{
	for (unsigned int i = 0; i < many; i++)
		if (heard.first[i] != 1 || heard.second[i] != 1)
			fail_msg("%u of %u was told %u and %u times", i, many, heard.first[i],
				 heard.second[i]);
	assert_true(!in_order || !heard.is_disordered);
}

static void make_ids(struct ioasid_set *of)
{
	base = ioasid_alloc(of, ANY, NULL);
	for (unsigned int i = 1; i < many; i++)
		assert_int_equal(ioasid_alloc(of, ANY, NULL), base + i);
}

/* ---- ids ---- */

static void free_next(unsigned int number, const struct ioasid_nb_args *args)
{
	if (number + 1 < many)
		ioasid_free(args->set, args->id + 1);
}

static void free_first(void)
{
	ioasid_free(NULL, base);
}

static void a_chain_of_frees_is_told_in_order(void **state)
{
	(void)state;
	set = new_set(0);
	listen_to(NULL, IOASID_NOTIFY_FREE, free_next);
	make_ids(set);
	on_a_small_stack(free_first);
	assert_int_equal(read_stats().live, 0);
	all_were_told_once(true);
	stop_listening(NULL);
	ioasid_set_put(set);
}

static void sweep(unsigned int number, const struct ioasid_nb_args *args)
{
	(void)number;
	ioasid_free_all_in_set(args->set);
}

static void a_sweep_in_each_free_handler(void **state)
{
	(void)state;
	set = new_set(0);
	listen_to(set, IOASID_NOTIFY_FREE, sweep);
	make_ids(set);
	on_a_small_stack(free_first);
	assert_int_equal(read_stats().live, 0);
	all_were_told_once(true);
	stop_listening(set);
	ioasid_set_put(set);
}

/* Puts take the last reference of an ACTIVE id: of the next one, which nobody frees. */
static void put_next(unsigned int number, const struct ioasid_nb_args *args)
{
	if (number + 1 < many)
		ioasid_put(args->set, args->id + 1);
}

static void put_first(void)
{
	ioasid_put(NULL, base);
}

static void a_chain_of_last_puts(void **state)
{
	(void)state;
	set = new_set(0);
	listen_to(set, IOASID_NOTIFY_FREE, put_next);
	make_ids(set);
	on_a_small_stack(put_first);
	assert_int_equal(read_stats().live, 0);
	all_were_told_once(true);
	stop_listening(set);
	ioasid_set_put(set);
}

/* More than they have, of this one and of the next, at every depth. */
static void put_too_much(unsigned int number, const struct ioasid_nb_args *args)
{
	for (int i = 0; i < 2; i++) {
		ioasid_put(NULL, args->id);
		if (number + 1 < many)
			ioasid_put(NULL, args->id + 1);
	}
}

static void handlers_that_put_too_much_end_each_id_once(void **state)
{
	(void)state;
	set = new_set(0);
	listen_to(set, IOASID_NOTIFY_FREE, put_too_much);
	make_ids(set);
	on_a_small_stack(put_first);
	assert_int_equal(read_stats().live, 0);
	all_were_told_once(false);
	stop_listening(set);
	ioasid_set_put(set);
}

/* The one who frees leaves while it is deep in its own handler: the ids that are queued go on. */
static void leave_deep_down(unsigned int number, const struct ioasid_nb_args *args)
{
	if (number == 40)
		ioasid_unregister_notifier(args->set, &first);
	ioasid_free_all_in_set(args->set);
}

static void a_subscriber_may_leave_at_any_depth(void **state)
{
	(void)state;
	set = new_set(0);
	listen_to(set, IOASID_NOTIFY_FREE, leave_deep_down);
	make_ids(set);
	on_a_small_stack(free_first);
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(heard.count, 41);
	for (unsigned int i = 0; i < many; i++)
		assert_int_equal(heard.second[i], 1);
	assert_false(heard.is_disordered);
	ioasid_unregister_notifier(set, &second);
	ioasid_set_put(set);
}

/* What is queued is FREE_PENDING: it cannot be had, its holder's put does not end it untold. */
static void look_at_those_queued(unsigned int number, const struct ioasid_nb_args *args)
{
	ioasid_free_all_in_set(args->set);
	for (unsigned int i = number + 1; i < many && i < number + 100; i++) {
		if (heard.first[i])
			continue;
		if (ioasid_get(NULL, base + i) != -EBUSY || ioasid_is_active(base + i) ||
		    IS_ERR(ioasid_find(args->set, base + i, NULL)))
			heard.other++;
		ioasid_put(NULL, base + i);
	}
}

static void what_is_queued_is_pending(void **state)
{
	(void)state;
	set = new_set(0);
	listen_to(set, IOASID_NOTIFY_FREE, look_at_those_queued);
	many = many < 2000 ? many : 2000;
	make_ids(set);
	on_a_small_stack(free_first);
	assert_int_equal(heard.other, 0);
	assert_int_equal(read_stats().live, 0);
	all_were_told_once(true);
	stop_listening(set);
	ioasid_set_put(set);
}

/* ---- sets ---- */

static void make_sets(void)
{
	for (unsigned int i = 0; i < many; i++) {
		sets[i] = ioasid_set_alloc((void *)(uintptr_t)(i + 1), 0, IOASID_SET_TYPE_NULL);
		assert_false(IS_ERR(sets[i]));
	}
}

static void put_next_set(unsigned int number, const struct ioasid_nb_args *args)
{
	(void)args;
	if (number + 1 < many)
		ioasid_set_put(sets[number + 1]);
}

static void put_first_set(void)
{
	ioasid_set_put(sets[0]);
}

static void a_chain_of_sets_that_end(void **state)
{
	(void)state;
	listen_to(NULL, IOASID_NOTIFY_SET_FREE, put_next_set);
	make_sets();
	on_a_small_stack(put_first_set);
	assert_int_equal(read_stats().sets, 0);
	all_were_told_once(false);
	stop_listening(NULL);
}

/* Each set has an id, whose FREE ends the next set. */
static void put_set_of_next(unsigned int number, const struct ioasid_nb_args *args)
{
	(void)args;
	if (number + 1 < many)
		ioasid_set_put(sets[number + 1]);
}

static void sets_that_end_in_the_free_of_the_one_before(void **state)
{
	(void)state;
	listen_to(NULL, IOASID_NOTIFY_FREE, put_set_of_next);
	make_sets();
	base = ioasid_alloc(sets[0], ANY, NULL);
	for (unsigned int i = 1; i < many; i++)
		assert_int_equal(ioasid_alloc(sets[i], ANY, NULL), base + i);
	on_a_small_stack(put_first_set);
	assert_int_equal(read_stats().sets, 0);
	assert_int_equal(read_stats().live, 0);
	all_were_told_once(false);
	stop_listening(NULL);
}

/* Subscribers by mm stay with a set whose end is put off, and wait for the next one then. */
static struct notifier_block by_mm = { .notifier_call = hear_second };

static void put_next_mm_set(unsigned int number, const struct ioasid_nb_args *args)
{
	(void)args;
	if (number + 1 >= many)
		return;
	ioasid_set_put(sets[number + 1]);
	/* Is subscribed, wherever the set is by now. */
	if (number % 7 == 0 && ioasid_register_notifier_mm(&mms[number + 1], &by_mm) != -EEXIST)
		heard.other++;
	if (number % 7 == 1) {
		ioasid_unregister_notifier_mm(&mms[number + 1], &by_mm);
		if (ioasid_register_notifier_mm(&mms[number + 1], &by_mm))
			heard.other++;
	}
}

static void subscribers_by_mm_outlive_sets_whose_end_is_put_off(void **state)
{
	(void)state;
	listen_to(NULL, IOASID_NOTIFY_SET_FREE, put_next_mm_set);
	many = many < 500 ? many : 500;
	for (unsigned int i = 0; i < many; i++) {
		sets[i] = ioasid_set_alloc(&mms[i], 0, IOASID_SET_TYPE_MM);
		assert_false(IS_ERR(sets[i]));
		assert_int_equal(ioasid_register_notifier_mm(&mms[i], &by_mm), 0);
	}
	on_a_small_stack(put_first_set);
	assert_int_equal(heard.other, 0);
	assert_int_equal(read_stats().sets, 0);
	all_were_told_once(false);
	stop_listening(NULL);
	assert_int_equal(read_stats().subscribers, many);
	for (unsigned int i = 0; i < many; i++)
		ioasid_unregister_notifier_mm(&mms[i], &by_mm);
	assert_int_equal(read_stats().subscribers, 0);
}

/* ---- custom allocators ---- */

static ioasid_t next_custom;
static unsigned int given_back;

static ioasid_t count_up(ioasid_t min, ioasid_t max, void *data)
{
	(void)min, (void)max, (void)data;
	return next_custom++;
}

static void free_the_next(ioasid_t id, void *data)
{
	(void)data;
	given_back++;
	if (id + 1 < base + many)
		ioasid_free(NULL, id + 1);
}

static struct ioasid_allocator_ops chained = { .alloc = count_up, .free = free_the_next };

static void an_allocator_that_frees_the_next_one(void **state)
{
	(void)state;
	many = loops(MANY);
	given_back = 0;
	next_custom = 1 << 24;
	assert_int_equal(ioasid_register_allocator(&chained), 0);
	set = new_set(0);
	make_ids(set);
	on_a_small_stack(free_first);
	assert_int_equal(given_back, many);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(set);
	ioasid_unregister_allocator(&chained);
}

/* ---- what can be refused ---- */

static int refusal;

static void detach_next(unsigned int number, const struct ioasid_nb_args *args)
{
	int err = number + 1 < many ? ioasid_detach_spid(args->id + 1) : 0;

	if (err)
		refusal = err;
}

static void detach_first(void)
{
	ioasid_detach_spid(base);
}

static void notify_next(unsigned int number, const struct ioasid_nb_args *args)
{
	int err = 0;

	if (number + 1 < many)
		err = ioasid_notify(args->id + 1, IOASID_NOTIFY_BIND, IOASID_NOTIFY_SET);
	if (err)
		refusal = err;
}

static void notify_first(void)
{
	ioasid_notify(base, IOASID_NOTIFY_BIND, IOASID_NOTIFY_SET);
}

static void attach_next(unsigned int number, const struct ioasid_nb_args *args)
{
	int err = number + 1 < many ? ioasid_attach_spid(args->id + 1, number + 1) : 0;

	if (err)
		refusal = err;
}

static void attach_first(void)
{
	ioasid_attach_spid(base, 0);
}

static void chains_of_what_ends_nothing_are_refused_at_a_depth(void **state)
{
	static const struct {
		enum ioasid_notify_val event;
		void (*then)(unsigned int number, const struct ioasid_nb_args *args);
		void (*begin)(void);
	} chains[] = {
		{ IOASID_NOTIFY_UNBIND, detach_next, detach_first },
		{ IOASID_NOTIFY_BIND, notify_next, notify_first },
		{ IOASID_NOTIFY_BIND, attach_next, attach_first },
	};

	(void)state;
	for (int i = 0; i < 3; i++) {
		set = new_set(0);
		many = 200;
		make_ids(set);
		if (chains[i].event == IOASID_NOTIFY_UNBIND)
			for (unsigned int j = 0; j < many; j++)
				assert_int_equal(ioasid_attach_spid(base + j, j), 0);
		listen_to(set, chains[i].event, chains[i].then);
		many = 200;
		refusal = 0;
		on_a_small_stack(chains[i].begin);
		assert_int_equal(refusal, -EBUSY);
		assert_int_equal(heard.count, 64);
		for (unsigned int j = 0; j < many; j++)
			assert_int_equal(heard.second[j], j < 64);
		/* Outside it goes on. */
		assert_int_equal(ioasid_detach_spid(base + 100), 0);
		stop_listening(set);
		ioasid_set_put(set);
	}
}

/* ---- many subscribers ---- */

#define SUBSCRIBERS 3000

struct freer {
	struct notifier_block nb;
	ioasid_t id;
	unsigned int events;
};

static struct freer freers[SUBSCRIBERS];

/* Frees its own id, when it hears of the end of the first one. */
static int free_own(struct notifier_block *nb, unsigned long event, void *data)
{
	struct freer *self = (struct freer *)nb;
	const struct ioasid_nb_args *args = data;

	if (event != IOASID_NOTIFY_FREE)
		return NOTIFY_OK;
	self->events++;
	if (args->id == base)
		ioasid_free(NULL, self->id);
	return NOTIFY_OK;
}

static void each_of_many_subscribers_may_free_something(void **state)
{
	unsigned int count = loops(SUBSCRIBERS);

	(void)state;
	base = new_id(NULL, NULL);
	for (unsigned int i = 0; i < count; i++) {
		freers[i] = (struct freer){ .nb = { .notifier_call = free_own } };
		freers[i].id = new_id(NULL, NULL);
		assert_int_equal(ioasid_register_notifier(NULL, &freers[i].nb), 0);
	}
	on_a_small_stack(free_first);
	assert_int_equal(read_stats().live, 0);
	for (unsigned int i = 0; i < count; i++) {
		assert_int_equal(freers[i].events, count + 1);
		ioasid_unregister_notifier(NULL, &freers[i].nb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_chain_of_frees_is_told_in_order),
		CLEAN_TEST(a_sweep_in_each_free_handler),
		CLEAN_TEST(a_chain_of_last_puts),
		CLEAN_TEST(handlers_that_put_too_much_end_each_id_once),
		CLEAN_TEST(a_subscriber_may_leave_at_any_depth),
		CLEAN_TEST(what_is_queued_is_pending),
		CLEAN_TEST(a_chain_of_sets_that_end),
		CLEAN_TEST(sets_that_end_in_the_free_of_the_one_before),
		CLEAN_TEST(subscribers_by_mm_outlive_sets_whose_end_is_put_off),
		CLEAN_TEST(an_allocator_that_frees_the_next_one),
		CLEAN_TEST(chains_of_what_ends_nothing_are_refused_at_a_depth),
		CLEAN_TEST(each_of_many_subscribers_may_free_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
