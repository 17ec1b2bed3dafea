/* SPDX-License-Identifier: MIT */
/* Subscribing and unsubscribing: at rest, from handlers during the walk, and from other threads. */
#include <pthread.h>
#include <stdlib.h>

#include <linux/atomic.h>
#include <linux/sched/mm.h>

#include "listener.h"

/* ---- at rest ---- */

static void twice_is_refused_and_told_once(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &one);
	assert_int_equal(ioasid_register_notifier(set, &one.nb), -EEXIST);
	assert_int_equal(ioasid_register_notifier_replay(set, &one.nb), -EEXIST);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("one ALLOC 0, one FREE 0");
	leave(set, &one);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("");
	ioasid_set_put(set);
}

static void one_block_may_listen_in_several_places(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct ioasid_set *first = new_set(0), *second = new_set(0);

	(void)state;
	listen(first, &one);
	listen(second, &one);
	ioasid_free(first, new_id(first, NULL));
	ioasid_free(second, new_id(second, NULL));
	assert_heard("one ALLOC 0, one FREE 0, one ALLOC 0, one FREE 0");
	leave(first, &one);
	ioasid_free(first, new_id(first, NULL));
	assert_heard("");
	ioasid_set_put(first);
	ioasid_free(second, new_id(second, NULL));
	assert_heard("one ALLOC 0, one FREE 0");
	ioasid_set_put(second);
}

static void what_is_not_there_cannot_be_unregistered(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct ioasid_set *set = new_set(0);
	uint64_t before = refused(IOASID_REFUSED_UNKNOWN);

	(void)state;
	leave(NULL, &one);
	leave(set, &one);
	ioasid_unregister_notifier(set, NULL);
	assert_int_equal(refused(IOASID_REFUSED_UNKNOWN), before + 3);
	/* Registered elsewhere is not there either. */
	listen(NULL, &one);
	leave(set, &one);
	ioasid_free(NULL, new_id(NULL, NULL));
	assert_heard("one FREE 0");
	leave(NULL, &one);
	leave(NULL, &one);
	ioasid_set_put(set);
}

static void blocks_without_function_are_refused(void **state)
{
	struct notifier_block empty = { .priority = 1 };
	struct ioasid_set *set = new_set(0);
	struct mm_struct *mm = mm_alloc();

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &empty), -EINVAL);
	assert_int_equal(ioasid_register_notifier(set, &empty), -EINVAL);
	assert_int_equal(ioasid_register_notifier_replay(set, &empty), -EINVAL);
	assert_int_equal(ioasid_register_notifier_mm(mm, &empty), -EINVAL);
	assert_int_equal(ioasid_register_notifier(NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_register_notifier(set, NULL), -EINVAL);
	assert_int_equal(ioasid_register_notifier_replay(NULL, NULL), -EINVAL);
	assert_int_equal(ioasid_register_notifier_mm(mm, NULL), -EINVAL);
	ioasid_unregister_notifier_mm(mm, NULL);
	mmput(mm);
	ioasid_set_put(set);
}

/* D9: nothing checked that the set was one. */
static void dead_and_invented_sets_are_refused(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct ioasid_set invented = { .type = IOASID_SET_TYPE_NULL };
	struct ioasid_set *set = new_set(0);
	struct ioasid_set *const bad[] = { set, &invented, (struct ioasid_set *)16,
					   ERR_PTR(-ENOMEM),
					   (struct ioasid_set *)((char *)set + 1) };

	(void)state;
	ioasid_set_put(set);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ioasid_register_notifier(bad[i], &one.nb), -EINVAL);
		assert_int_equal(ioasid_register_notifier_replay(bad[i], &one.nb), -EINVAL);
		leave(bad[i], &one);
	}
}

/* The block is read when it registers, and nothing is written into it. */
static void the_block_is_its_owners(void **state)
{
	struct listener one = LISTENER("one", 1), two = LISTENER("two", 0);
	struct notifier_block *const marker = &two.nb;
	struct ioasid_set *set = new_set(0);

	(void)state;
	one.nb.next = marker;
	listen(set, &one);
	listen(set, &two);
	one.nb.priority = -1;
	one.nb.notifier_call = NULL;
	ioasid_free(set, new_id(set, NULL));
	assert_heard("one ALLOC 0, two ALLOC 0, one FREE 0, two FREE 0");
	assert_ptr_equal(one.nb.next, marker);
	ioasid_set_put(set);
}

/* D10: the blocks of a set that was gone stayed linked into freed memory. */
static void the_death_of_a_set_detaches_its_blocks(void **state)
{
	struct listener *one = malloc(sizeof(*one));
	struct ioasid_set *set = new_set(0);

	(void)state;
	*one = (struct listener)LISTENER("one", 0);
	listen(set, one);
	assert_int_equal(read_stats().subscribers, 1);
	ioasid_set_put(set);
	assert_int_equal(read_stats().subscribers, 0);
	leave(set, one);
	/* Free for another set at once. */
	set = new_set(0);
	listen(set, one);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("one ALLOC 0, one FREE 0");
	leave(set, one);
	free(one);
	ioasid_free(set, new_id(set, NULL));
	ioasid_set_put(set);
}

static void no_memory_means_not_registered(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);
	struct ioasid_stats before = read_stats(), after;

	(void)state;
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_register_notifier(set, &one.nb), -ENOMEM);
	for (int nth = 1; nth <= 2; nth++) {
		ioasid_fail_nth(nth);
		assert_int_equal(ioasid_register_notifier_replay(set, &one.nb), -ENOMEM);
	}
	ioasid_fail_nth(0);
	after = read_stats();
	assert_true(same_state(&before, &after));
	ioasid_free(set, id);
	assert_heard("");
	ioasid_set_put(set);
}

/* ---- from handlers, during the walk ---- */

static void leave_set(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	(void)event;
	ioasid_unregister_notifier(args->set, self->data);
}

static void a_handler_may_unregister_itself(void **state)
{
	struct listener shy = LISTENER("shy", 1, .act = leave_set, .data = &shy.nb);
	struct listener next = LISTENER("next", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &shy);
	listen(set, &next);
	new_id(set, NULL);
	new_id(set, NULL);
	assert_heard("shy ALLOC 0, next ALLOC 0, next ALLOC 1");
	leave(set, &next);
	ioasid_set_put(set);
}

static int die_in_the_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)event;
	ioasid_unregister_notifier(args->set, nb);
	free(nb);
	return NOTIFY_OK;
}

static void a_handler_may_free_its_own_block(void **state)
{
	struct notifier_block *mortal = malloc(sizeof(*mortal));
	struct listener next = LISTENER("next", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	*mortal = (struct notifier_block){ .notifier_call = die_in_the_handler, .priority = 1 };
	assert_int_equal(ioasid_register_notifier(set, mortal), 0);
	listen(set, &next);
	new_id(set, NULL);
	new_id(set, NULL);
	assert_heard("next ALLOC 0, next ALLOC 1");
	leave(set, &next);
	ioasid_set_put(set);
}

static void a_handler_may_unregister_others_before_and_behind_it(void **state)
{
	struct listener before = LISTENER("before", 2);
	struct listener first = LISTENER("first", 1, .act = leave_set);
	struct listener behind = LISTENER("behind", 0), last = LISTENER("last", -1);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &before);
	listen(set, &first);
	listen(set, &behind);
	listen(set, &last);
	first.data = &behind.nb;
	new_id(set, NULL);
	assert_heard("before ALLOC 0, first ALLOC 0, last ALLOC 0");
	first.data = &before.nb;
	new_id(set, NULL);
	assert_heard("before ALLOC 1, first ALLOC 1, last ALLOC 1");
	/* The last one, with nobody behind it. */
	first.data = &last.nb;
	new_id(set, NULL);
	assert_heard("first ALLOC 2");
	leave(set, &first);
	ioasid_set_put(set);
}

/* The one in "data" leaves a chain when this id ends: no earlier, so that it is the next to be told. */
static void leave_all(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	(void)args;
	if (event == IOASID_NOTIFY_FREE)
		ioasid_unregister_notifier(NULL, self->data);
}

static struct ioasid_set *left_set;

static void leave_its_set(struct listener *self, enum ioasid_notify_val event,
			  const struct ioasid_nb_args *args)
{
	(void)args;
	if (event == IOASID_NOTIFY_FREE)
		ioasid_unregister_notifier(left_set, self->data);
}

static void a_handler_may_unregister_from_the_other_chain(void **state)
{
	struct listener own = LISTENER("own", 1, .act = leave_all);
	struct listener all = LISTENER("all", 0), last = LISTENER("last", -1);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &own);
	listen(NULL, &all);
	listen(NULL, &last);
	own.data = &all.nb;
	ioasid_free(set, new_id(set, NULL));
	assert_heard("own ALLOC 0, own FREE 0, last FREE 0");
	leave(NULL, &last);
	leave(set, &own);

	/* The other way round, and the last one of the chain. */
	own.act = NULL;
	all.act = leave_its_set;
	all.data = &own.nb;
	all.nb.priority = 2;
	left_set = set;
	listen(set, &own);
	listen(NULL, &all);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("own ALLOC 0, all FREE 0");
	leave(NULL, &all);
	ioasid_set_put(set);
}

static void register_other(struct listener *self, enum ioasid_notify_val event,
			   const struct ioasid_nb_args *args)
{
	(void)event;
	assert_int_equal(ioasid_register_notifier(args->set, self->data), 0);
	self->act = NULL;
}

static void who_comes_during_the_walk_is_told_from_the_next_event_on(void **state)
{
	struct listener higher = LISTENER("higher", 2), lower = LISTENER("lower", 0);
	struct listener host = LISTENER("host", 1, .act = register_other, .data = &higher.nb);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &host);
	new_id(set, NULL);
	assert_heard("host ALLOC 0");
	host.act = register_other;
	host.data = &lower.nb;
	new_id(set, NULL);
	assert_heard("higher ALLOC 1, host ALLOC 1");
	new_id(set, NULL);
	assert_heard("higher ALLOC 2, host ALLOC 2, lower ALLOC 2");
	leave(set, &higher);
	leave(set, &host);
	leave(set, &lower);
	ioasid_set_put(set);
}

static void leave_and_come_back(struct listener *self, enum ioasid_notify_val event,
				const struct ioasid_nb_args *args)
{
	(void)event;
	ioasid_unregister_notifier(args->set, &self->nb);
	assert_int_equal(ioasid_register_notifier(args->set, &self->nb), 0);
}

/* It is a new subscription, behind its equals, and the event was before it. */
static void registering_anew_in_the_handler_is_not_told_twice(void **state)
{
	struct listener back = LISTENER("back", 0, .act = leave_and_come_back);
	struct listener equal = LISTENER("equal", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &back);
	listen(set, &equal);
	new_id(set, NULL);
	assert_heard("back ALLOC 0, equal ALLOC 0");
	new_id(set, NULL);
	assert_heard("equal ALLOC 1, back ALLOC 1");
	leave(set, &back);
	leave(set, &equal);
	ioasid_set_put(set);
}

static void put_set(struct listener *self, enum ioasid_notify_val event,
		    const struct ioasid_nb_args *args)
{
	if (event == IOASID_NOTIFY_ALLOC) {
		self->act = NULL;
		ioasid_set_put(args->set);
	}
}

/* The set dies under the walk; those behind hear of the id's start first, then of its end. */
static void a_handler_may_end_the_set_whose_event_it_hears(void **state)
{
	struct listener killer = LISTENER("killer", 1, .act = put_set);
	struct listener next = LISTENER("next", 0), all = LISTENER("all", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &killer);
	listen(set, &next);
	listen(NULL, &all);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_heard("killer ALLOC 0, next ALLOC 0, killer FREE 0, next FREE 0, all FREE 0, "
		     "all SET_FREE");
	leave(NULL, &all);
}

static void leave_both(struct listener *self, enum ioasid_notify_val event,
		       const struct ioasid_nb_args *args)
{
	leave_set(self, event, args);
	ioasid_unregister_notifier(args->set, &self->nb);
}

/* A dying set was no set for unregister, so the rest of its FREEs went to blocks that had left. */
static void who_leaves_a_dying_set_is_not_called_again(void **state)
{
	struct listener other = LISTENER("other", 0), last = LISTENER("last", -1);
	struct listener first = LISTENER("first", 1, .act = leave_both, .data = &other.nb);
	struct ioasid_set *set = new_set(0);

	(void)state;
	for (int i = 0; i < 3; i++)
		new_id(set, NULL);
	listen(set, &first);
	listen(set, &other);
	listen(set, &last);
	ioasid_set_put(set);
	assert_heard("first FREE 0, last FREE 0, last FREE 1, last FREE 2");
}

static void leave_dead_set(struct listener *self, enum ioasid_notify_val event,
			   const struct ioasid_nb_args *args)
{
	if (event == IOASID_NOTIFY_SET_FREE) {
		assert_int_equal(read_stats().subscribers, 1);
		leave_set(self, event, args);
	}
}

/* SET_FREE is the word that blocks of the set may be freed. */
static void nobody_is_on_a_set_whose_end_is_told(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct listener all = LISTENER("all", 0, .act = leave_dead_set, .data = &one.nb);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(NULL, &all);
	listen(set, &one);
	ioasid_set_put(set);
	assert_heard("all SET_FREE");
	leave(NULL, &all);
}

/* ---- from another thread ---- */

static atomic_t stop;

static void *cause_events(void *data)
{
	struct ioasid_set *set = data;

	while (!atomic_read(&stop))
		ioasid_free(set, ioasid_alloc(set, ANY, NULL));
	return NULL;
}

/* A plain counter: TSan and ASan see a handler that runs when it must not. */
struct mortal {
	struct notifier_block nb;
	unsigned int heard;
};

static int count_mortal(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)event;
	(void)data;
	((struct mortal *)nb)->heard++;
	return NOTIFY_OK;
}

static void no_handler_runs_after_unregister_has_returned(void **state)
{
	struct ioasid_set *set = new_set(0);
	unsigned int heard = 0;
	pthread_t threads[2];

	(void)state;
	atomic_set(&stop, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, cause_events, set), 0);
	for (unsigned int i = 0; i < loops(2000); i++) {
		struct ioasid_set *chain = i % 2 ? set : NULL;
		struct mortal *mortal = calloc(1, sizeof(*mortal));

		mortal->nb.notifier_call = count_mortal;
		assert_int_equal(ioasid_register_notifier(chain, &mortal->nb), 0);
		if (i % 8 < 2)
			ioasid_free(set, new_id(set, NULL));
		ioasid_unregister_notifier(chain, &mortal->nb);
		heard += mortal->heard;
		memset(mortal, 0xff, sizeof(*mortal));
		free(mortal);
	}
	atomic_set(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(heard > 0);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(twice_is_refused_and_told_once),
		CLEAN_TEST(one_block_may_listen_in_several_places),
		CLEAN_TEST(what_is_not_there_cannot_be_unregistered),
		CLEAN_TEST(blocks_without_function_are_refused),
		CLEAN_TEST(dead_and_invented_sets_are_refused),
		CLEAN_TEST(the_block_is_its_owners),
		CLEAN_TEST(the_death_of_a_set_detaches_its_blocks),
		CLEAN_TEST(no_memory_means_not_registered),
		CLEAN_TEST(a_handler_may_unregister_itself),
		CLEAN_TEST(a_handler_may_free_its_own_block),
		CLEAN_TEST(a_handler_may_unregister_others_before_and_behind_it),
		CLEAN_TEST(a_handler_may_unregister_from_the_other_chain),
		CLEAN_TEST(who_comes_during_the_walk_is_told_from_the_next_event_on),
		CLEAN_TEST(registering_anew_in_the_handler_is_not_told_twice),
		CLEAN_TEST(a_handler_may_end_the_set_whose_event_it_hears),
		CLEAN_TEST(who_leaves_a_dying_set_is_not_called_again),
		CLEAN_TEST(nobody_is_on_a_set_whose_end_is_told),
		CLEAN_TEST(no_handler_runs_after_unregister_has_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
