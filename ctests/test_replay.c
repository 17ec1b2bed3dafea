/* SPDX-License-Identifier: MIT */
/* Late subscribers: told what exists, as if they had been there, and nothing twice. */
#include <pthread.h>
#include <stdlib.h>

#include <linux/atomic.h>

#include "listener.h"

static void replay(struct ioasid_set *set, struct listener *listener)
{
	assert_int_equal(ioasid_register_notifier_replay(set, &listener->nb), 0);
}

static void what_exists_is_told_in_ascending_order(void **state)
{
	struct listener early = LISTENER("early", 0), late = LISTENER("late", 0);
	struct ioasid_set *set = new_set(0), *other = new_set(0);

	(void)state;
	assert_int_equal(ioasid_alloc(set, 30, 30, NULL), 30);
	assert_int_equal(ioasid_alloc(set, 10, 10, NULL), 10);
	assert_int_equal(ioasid_alloc(other, 15, 15, NULL), 15);
	assert_int_equal(ioasid_alloc(set, 20, 20, NULL), 20);
	assert_int_equal(ioasid_attach_spid(20, 5), 0);
	listen(set, &early);
	replay(set, &late);
	assert_heard("late ALLOC 10, late ALLOC 20, late BIND 20, late ALLOC 30");
	/* From here on it is a subscriber like any other. */
	ioasid_free(set, 20);
	assert_heard("early FREE 20, late FREE 20");
	leave(set, &late);
	ioasid_set_put(set);
	ioasid_set_put(other);
	assert_heard("early FREE 30, early FREE 10");
}

static void arguments_are_those_of_the_real_events(void **state)
{
	struct recorder late = RECORDER(0);
	struct ioasid_set *set = new_set(0);
	char data;
	ioasid_t id = new_id(set, &data);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 5), 0);
	assert_int_equal(ioasid_register_notifier_replay(set, &late.nb), 0);
	assert_int_equal(late.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(late.records[i].args.id, id);
		assert_int_equal(late.records[i].args.spid, 5);
		assert_ptr_equal(late.records[i].args.set, set);
		assert_ptr_equal(late.records[i].args.pdata, &data);
	}
	ioasid_set_put(set);
}

/* Nobody can take a reference on them any more: they do not exist for a newcomer. */
static void pending_ids_are_not_told(void **state)
{
	struct listener late = LISTENER("late", 0);
	struct ioasid_set *set = new_set(0);
	ioasid_t pending = new_id(set, NULL);

	(void)state;
	new_id(set, NULL);
	assert_int_equal(ioasid_get(set, pending), 0);
	ioasid_free(set, pending);
	replay(set, &late);
	assert_heard("late ALLOC 1");
	assert_true(ioasid_put(set, pending));
	ioasid_set_put(set);
	assert_heard("late FREE 1");
}

static void a_bind_without_spid_is_told_too(void **state)
{
	struct listener late = LISTENER("late", 0);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET), 0);
	replay(set, &late);
	assert_heard("late ALLOC 0, late BIND 0");
	ioasid_set_put(set);
	assert_heard("late FREE 0");
}

static void an_empty_set_has_nothing_to_tell(void **state)
{
	struct listener late = LISTENER("late", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	replay(set, &late);
	assert_heard("");
	new_id(set, NULL);
	assert_heard("late ALLOC 0");
	ioasid_set_put(set);
	assert_heard("late FREE 0");
}

static void without_a_set_all_sets_and_ids_are_told(void **state)
{
	struct listener late = LISTENER("late", 0);
	struct ioasid_set *one, *two;

	(void)state;
	new_id(NULL, NULL);
	one = new_set(0);
	two = new_set(0);
	new_id(two, NULL);
	new_id(one, NULL);
	replay(NULL, &late);
	assert_heard("late SET_ALLOC, late SET_ALLOC, late ALLOC 0, late ALLOC 1, late ALLOC 2");
	ioasid_free(NULL, 0);
	ioasid_set_put(one);
	ioasid_set_put(two);
	assert_heard("late FREE 0, late FREE 2, late SET_FREE, late FREE 1, late SET_FREE");
	leave(NULL, &late);
}

static void stop_does_not_end_a_replay(void **state)
{
	struct listener late = LISTENER("late", 0, .result = NOTIFY_BAD);
	struct ioasid_set *set = new_set(0);

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	replay(set, &late);
	assert_heard("late ALLOC 0, late ALLOC 1");
	leave(set, &late);
	ioasid_set_put(set);
}

/* ---- what the handler does meanwhile ---- */

static void leave_now(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	(void)event;
	ioasid_unregister_notifier(args->set, &self->nb);
}

static void leaving_ends_the_replay(void **state)
{
	struct listener late = LISTENER("late", 0, .act = leave_now);
	struct ioasid_set *set = new_set(0);

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	replay(set, &late);
	assert_heard("late ALLOC 0");
	assert_int_equal(read_stats().subscribers, 0);
	ioasid_set_put(set);
}

static void free_others(struct listener *self, enum ioasid_notify_val event,
			const struct ioasid_nb_args *args)
{
	self->act = NULL;
	assert_int_equal(event, IOASID_NOTIFY_ALLOC);
	ioasid_free(args->set, 0);
	ioasid_free(args->set, 2);
	assert_int_equal(ioasid_attach_spid(1, 4), 0);
}

/* What it changes comes behind what it has not been told yet, as if it had been there all along. */
static void changes_of_the_handler_come_after_the_replay(void **state)
{
	struct listener late = LISTENER("late", 0, .act = free_others);
	struct listener early = LISTENER("early", 0);
	struct ioasid_set *set = new_set(0);

	(void)state;
	for (int i = 0; i < 3; i++)
		new_id(set, NULL);
	listen(set, &early);
	replay(set, &late);
	assert_heard("late ALLOC 0, late ALLOC 1, late ALLOC 2, early FREE 0, late FREE 0, "
		     "early FREE 2, late FREE 2, early BIND 1, late BIND 1");
	ioasid_set_put(set);
	assert_heard("early FREE 1, late FREE 1");
}

static void end_set(struct listener *self, enum ioasid_notify_val event,
		    const struct ioasid_nb_args *args)
{
	(void)event;
	self->act = NULL;
	ioasid_set_put(args->set);
}

static void the_handler_may_end_the_set(void **state)
{
	struct listener late = LISTENER("late", 0, .act = end_set);
	struct ioasid_set *set = new_set(0);

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	replay(set, &late);
	assert_heard("late ALLOC 0, late ALLOC 1, late FREE 0, late FREE 1");
	assert_int_equal(ioasid_set_free(set), -EINVAL);
}

static void replay_there(struct listener *self, enum ioasid_notify_val event,
			 const struct ioasid_nb_args *args)
{
	if (event == IOASID_NOTIFY_ALLOC) {
		self->act = NULL;
		replay(args->set, self->data);
	}
}

/* The event under way is among what exists: it must not be told again. */
static void a_replay_from_a_handler_tells_the_present_event_once(void **state)
{
	struct listener late = LISTENER("late", 0);
	struct listener host = LISTENER("host", 1, .act = replay_there, .data = &late.nb);
	struct listener next = LISTENER("next", -1);
	struct ioasid_set *set = new_set(0);

	(void)state;
	host.data = &late;
	listen(set, &host);
	listen(set, &next);
	new_id(set, NULL);
	assert_heard("host ALLOC 0, next ALLOC 0, late ALLOC 0");
	ioasid_set_put(set);
	assert_heard("host FREE 0, late FREE 0, next FREE 0");
}

static void leave_and_replay(struct listener *self, enum ioasid_notify_val event,
			     const struct ioasid_nb_args *args)
{
	int err;

	(void)event;
	ioasid_unregister_notifier(args->set, &self->nb);
	err = ioasid_register_notifier_replay(args->set, &self->nb);
	assert_true(err == 0 || err == -EBUSY);
}

static void a_replay_that_replays_itself_ends(void **state)
{
	struct listener late = LISTENER(NULL, 0, .act = leave_and_replay);
	struct ioasid_set *set = new_set(0);

	(void)state;
	new_id(set, NULL);
	replay(set, &late);
	assert_in_range(late.count, 2, 100);
	late.act = NULL;
	ioasid_set_put(set);
}

/* How often each id was told. */
struct told {
	unsigned char allocs, binds;
};

struct binder {
	struct notifier_block nb;
	struct ioasid_set *set;
	struct told *told;
	int err;
};

static int bind_each(struct notifier_block *nb, unsigned long event, void *data)
{
	struct binder *binder = (struct binder *)nb;
	ioasid_t id = ((struct ioasid_nb_args *)data)->id;

	if (event == IOASID_NOTIFY_BIND)
		binder->told[id].binds++;
	if (event == IOASID_NOTIFY_ALLOC) {
		binder->told[id].allocs++;
		ioasid_notify(id, IOASID_NOTIFY_BIND, IOASID_NOTIFY_FLAG_SET);
	}
	return NOTIFY_OK;
}

static void *replay_binding(void *data)
{
	struct binder *binder = data;

	binder->err = ioasid_register_notifier_replay(binder->set, &binder->nb);
	return NULL;
}

/* Each event of the handler had the rest of the replay told inside: a stack frame for each id. */
static void a_handler_may_cause_an_event_for_each_of_many_ids(void **state)
{
	ioasid_t count = loops(100000);
	struct binder binder = { .nb.notifier_call = bind_each, .set = new_set(0) };
	pthread_attr_t small_stack;
	pthread_t thread;

	(void)state;
	binder.told = calloc(count, sizeof(*binder.told));
	assert_non_null(binder.told);
	for (ioasid_t id = 0; id < count; id++)
		assert_int_equal(ioasid_alloc(binder.set, ANY, NULL), id);
	pthread_attr_init(&small_stack);
	assert_int_equal(pthread_attr_setstacksize(&small_stack, 256 << 10), 0);
	assert_int_equal(pthread_create(&thread, &small_stack, replay_binding, &binder), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&small_stack);
	assert_int_equal(binder.err, 0);
	for (ioasid_t id = 0; id < count; id++)
		if (binder.told[id].allocs != 1 || binder.told[id].binds != 1)
			fail_msg("id %u: told ALLOC %u and BIND %u times", id,
				 binder.told[id].allocs, binder.told[id].binds);
	ioasid_unregister_notifier(binder.set, &binder.nb);
	ioasid_set_put(binder.set);
	free(binder.told);
}

/* ---- atomically with what follows ---- */

#define NR_IDS 16

/* Binds each time the id after the one it is told of: the replay has not come to that one. */
static int bind_the_next(struct notifier_block *nb, unsigned long event, void *data)
{
	struct binder *self = container_of(nb, struct binder, nb);
	struct ioasid_nb_args *args = data;

	if (event == IOASID_NOTIFY_ALLOC) {
		self->told[args->id].allocs++;
		ioasid_attach_spid(args->id + 1, args->id + 1);
	} else if (event == IOASID_NOTIFY_BIND) {
		assert_int_equal(self->told[args->id].allocs, 1);
		self->told[args->id].binds++;
	}
	return NOTIFY_OK;
}

/* A handler in its own replay heard BIND before ALLOC, and again when the replay came there. */
static void ids_ahead_of_the_replay_are_told_of_once_and_in_order(void **state)
{
	struct binder binder = { .nb.notifier_call = bind_the_next, .set = new_set(0) };

	(void)state;
	binder.told = calloc(9, sizeof(*binder.told));
	assert_non_null(binder.told);
	for (ioasid_t id = 0; id < 8; id++)
		assert_int_equal(ioasid_alloc(binder.set, ANY, NULL), id);
	assert_int_equal(ioasid_register_notifier_replay(binder.set, &binder.nb), 0);
	for (ioasid_t id = 0; id < 8; id++) {
		assert_int_equal(binder.told[id].allocs, 1);
		assert_int_equal(binder.told[id].binds, id > 0);
	}
	ioasid_unregister_notifier(binder.set, &binder.nb);
	ioasid_set_put(binder.set);
	free(binder.told);
}

static atomic_t stop;

static void *come_and_go(void *data)
{
	struct ioasid_set *set = data;

	while (!atomic_read(&stop)) {
		ioasid_t id = ioasid_alloc(set, 0, NR_IDS - 1, NULL);

		if (!pasid_valid(id))
			continue;
		ioasid_attach_spid(id, id);
		ioasid_detach_spid(id);
		ioasid_free(set, id);
	}
	return NULL;
}

struct keeper {
	struct notifier_block nb;
	enum { GONE, ALLOCATED, BOUND } ids[NR_IDS];
	unsigned int errors;
};

/* Every event must fit what was told before. */
static int keep(struct notifier_block *nb, unsigned long event, void *data)
{
	struct keeper *keeper = (struct keeper *)nb;
	ioasid_t id = ((struct ioasid_nb_args *)data)->id;
	int before = keeper->ids[id];

	switch (event) {
	case IOASID_NOTIFY_ALLOC:
		keeper->errors += before != GONE;
		keeper->ids[id] = ALLOCATED;
		break;
	case IOASID_NOTIFY_BIND:
		keeper->errors += before != ALLOCATED;
		keeper->ids[id] = BOUND;
		break;
	case IOASID_NOTIFY_UNBIND:
		keeper->errors += before != BOUND;
		keeper->ids[id] = ALLOCATED;
		break;
	case IOASID_NOTIFY_FREE:
		keeper->errors += before == GONE;
		keeper->ids[id] = GONE;
		break;
	}
	return NOTIFY_OK;
}

static void a_late_subscriber_misses_nothing_and_hears_nothing_twice(void **state)
{
	struct ioasid_set *set = new_set(0);
	pthread_t threads[2];

	(void)state;
	atomic_set(&stop, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, set), 0);
	for (unsigned int i = 0; i < loops(5000); i++) {
		struct keeper keeper = { .nb.notifier_call = keep };

		assert_int_equal(ioasid_register_notifier_replay(set, &keeper.nb), 0);
		ioasid_unregister_notifier(set, &keeper.nb);
		assert_int_equal(keeper.errors, 0);
	}
	atomic_set(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ioasid_set_put(set);
}

/* A replay of all sets, whose handler makes and ends sets while the rest of it is told by a flush. */

static struct ioasid_set *three[3], *fourth;
static unsigned int told_of_fourth, told_of_third, ends_of_third;
static bool ends_it;

static void change_sets(struct listener *self, enum ioasid_notify_val event,
			const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_SET_FREE) {
		ends_of_third += args->set == three[2];
		return;
	}
	if (event != IOASID_NOTIFY_SET_ALLOC)
		return;
	if (args->set == three[0]) {
		/* Anything that flushes: the others are told inside. */
		ioasid_free(NULL, 5);
	} else if (args->set == three[1]) {
		fourth = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
		if (ends_it)
			ioasid_set_put(three[2]);
	} else if (args->set == three[2]) {
		told_of_third++;
	} else {
		told_of_fourth++;
	}
}

static void sets_that_come_and_go_in_a_replay_are_told_of_once_or_not_at_all(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct listener all = LISTENER(NULL, 0, .act = change_sets);

		ends_it = i;
		told_of_third = told_of_fourth = ends_of_third = 0;
		for (int j = 0; j < 3; j++)
			three[j] = new_set(0);
		replay(NULL, &all);
		assert_int_equal(told_of_fourth, 1);
		assert_int_equal(told_of_third, !ends_it);
		assert_int_equal(ends_of_third, 0);
		leave(NULL, &all);
		ioasid_set_put(fourth);
		for (int j = 0; j < (ends_it ? 2 : 3); j++)
			ioasid_set_put(three[j]);
	}
}

static void end_the_next(struct listener *self, enum ioasid_notify_val event,
			 const struct ioasid_nb_args *args)
{
	(void)self;
	/* The rest is told by this; in that, at the last event of 0, the turn of 1 is the next. */
	if (event == IOASID_NOTIFY_ALLOC && args->id == 0)
		ioasid_free(NULL, 9);
	if (event == IOASID_NOTIFY_BIND && args->id == 0)
		ioasid_free(args->set, 1);
}

static void the_end_of_an_id_whose_turn_is_next_is_not_told(void **state)
{
	struct listener late = LISTENER("late", 0, .act = end_the_next);
	struct ioasid_set *set = new_set(0);

	(void)state;
	assert_int_equal(ioasid_alloc(NULL, 9, 9, NULL), 9);
	for (ioasid_t id = 0; id < 3; id++)
		new_id(set, NULL);
	assert_int_equal(ioasid_attach_spid(0, 1), 0);
	replay(set, &late);
	assert_heard("late ALLOC 0, late BIND 0, late ALLOC 2");
	assert_false(ioasid_is_active(1));
	leave(set, &late);
	ioasid_set_put(set);
}

static void replace_one_ahead(struct listener *self, enum ioasid_notify_val event,
			      const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_ALLOC && args->id == 0)
		ioasid_free(NULL, 9);
	if (event == IOASID_NOTIFY_ALLOC && args->id == 1) {
		ioasid_free(args->set, 2);
		assert_int_equal(ioasid_alloc(args->set, 2, 2, NULL), 2);
	}
}

/* The life that the replay would have told of is over; the new one is told of as it begins. */
static void a_number_ahead_of_the_replay_may_begin_anew(void **state)
{
	struct listener late = LISTENER("late", 0, .act = replace_one_ahead);
	struct ioasid_set *set = new_set(0);

	(void)state;
	assert_int_equal(ioasid_alloc(NULL, 9, 9, NULL), 9);
	for (ioasid_t id = 0; id < 4; id++)
		new_id(set, NULL);
	replay(set, &late);
	assert_heard("late ALLOC 0, late ALLOC 1, late ALLOC 2, late ALLOC 3");
	leave(set, &late);
	ioasid_set_put(set);
}

/* ---- fork ---- */

static atomic_t in_replay, may_end;

static void stay(struct listener *self, enum ioasid_notify_val event,
		 const struct ioasid_nb_args *args)
{
	(void)self;
	(void)event;
	(void)args;
	atomic_inc_return(&in_replay);
	while (!atomic_read(&may_end))
		;
}

struct staying {
	struct ioasid_set *set;
	struct listener listener;
};

static void *replay_staying(void *data)
{
	struct staying *staying = data;

	replay(staying->set, &staying->listener);
	return NULL;
}

/* The thread that is told is not here: its replay ends, and leaves nothing but the subscription. */
static int use_in_child(const void *data)
{
	const struct staying *staying = data;
	struct notifier_block *nb = (struct notifier_block *)(uintptr_t)&staying->listener.nb;
	ioasid_t id;

	atomic_set(&may_end, 1);
	id = ioasid_alloc(staying->set, ANY, NULL);
	child_assert(id == 2);
	child_assert(staying->listener.count == 2);
	child_assert(read_stats().memory == 1);
	ioasid_unregister_notifier(staying->set, nb);
	ioasid_set_put(staying->set);
	return nothing_is_left() ? 0 : CHILD_FAILED;
}

static void a_child_goes_on_without_the_replay_of_another_thread(void **state)
{
	struct staying staying = { .set = new_set(0), .listener = LISTENER(NULL, 0, .act = stay) };
	pthread_t thread;

	(void)state;
	new_id(staying.set, NULL);
	new_id(staying.set, NULL);
	assert_int_equal(pthread_create(&thread, NULL, replay_staying, &staying), 0);
	while (!atomic_read(&in_replay))
		;
	assert_int_equal(in_child(use_in_child, &staying), 0);
	atomic_set(&may_end, 1);
	pthread_join(thread, NULL);
	assert_int_equal(staying.listener.count, 2);
	ioasid_set_put(staying.set);
}

/* A set that is gone for its users, while somebody holds an id of it, is no set that exists. */
static void a_dead_set_is_not_told(void **state)
{
	struct listener late = LISTENER("late", 0);
	struct ioasid_set *set = new_set(0);
	ioasid_t held = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get(set, held), 0);
	ioasid_set_put(set);
	assert_int_equal(ioasid_register_notifier_replay(NULL, &late.nb), 0);
	assert_heard("");
	ioasid_unregister_notifier(NULL, &late.nb);
	assert_true(ioasid_put(NULL, held));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(what_exists_is_told_in_ascending_order),
		CLEAN_TEST(arguments_are_those_of_the_real_events),
		CLEAN_TEST(pending_ids_are_not_told),
		CLEAN_TEST(a_bind_without_spid_is_told_too),
		CLEAN_TEST(an_empty_set_has_nothing_to_tell),
		CLEAN_TEST(without_a_set_all_sets_and_ids_are_told),
		CLEAN_TEST(stop_does_not_end_a_replay),
		CLEAN_TEST(leaving_ends_the_replay),
		CLEAN_TEST(changes_of_the_handler_come_after_the_replay),
		CLEAN_TEST(the_handler_may_end_the_set),
		CLEAN_TEST(a_replay_from_a_handler_tells_the_present_event_once),
		CLEAN_TEST(a_replay_that_replays_itself_ends),
		CLEAN_TEST(a_handler_may_cause_an_event_for_each_of_many_ids),
		CLEAN_TEST(ids_ahead_of_the_replay_are_told_of_once_and_in_order),
		CLEAN_TEST(sets_that_come_and_go_in_a_replay_are_told_of_once_or_not_at_all),
		CLEAN_TEST(a_late_subscriber_misses_nothing_and_hears_nothing_twice),
		CLEAN_TEST(the_end_of_an_id_whose_turn_is_next_is_not_told),
		CLEAN_TEST(a_number_ahead_of_the_replay_may_begin_anew),
		CLEAN_TEST(a_child_goes_on_without_the_replay_of_another_thread),
		CLEAN_TEST(a_dead_set_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
