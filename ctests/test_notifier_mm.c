/* SPDX-License-Identifier: MIT */
/* Subscribing to the set of an address space before it exists, while it does, and when it is gone. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <linux/sched/mm.h>

#include "listener.h"

static struct ioasid_set *mm_set(struct mm_struct *mm)
{
	struct ioasid_set *set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);

	assert_false(IS_ERR_OR_NULL(set));
	return set;
}

/* D1: without a set, the registration wrote through an uninitialised pointer and was lost. */
static void a_block_waits_for_the_set_to_come(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct mm_struct *mm = mm_alloc(), *other = mm_alloc();
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), 0);
	assert_int_equal(read_stats().subscribers, 1);
	set = mm_set(other);
	ioasid_free(set, new_id(set, NULL));
	ioasid_set_put(set);
	assert_heard("");
	set = mm_set(mm);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("kvm ALLOC 0, kvm FREE 0");
	ioasid_unregister_notifier_mm(mm, &kvm.nb);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("");
	ioasid_set_put(set);
	mmput(mm);
	mmput(other);
}

static void allocate_one(struct listener *self, enum ioasid_notify_val event,
			 const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_SET_ALLOC)
		new_id(args->set, NULL);
}

static void waiting_blocks_are_attached_before_set_alloc_is_told(void **state)
{
	struct listener all = LISTENER("all", 0, .act = allocate_one);
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set;

	(void)state;
	listen(NULL, &all);
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), 0);
	set = mm_set(mm);
	assert_heard("all SET_ALLOC, kvm ALLOC 0");
	leave(NULL, &all);
	ioasid_set_put(set);
	assert_heard("kvm FREE 0");
	ioasid_unregister_notifier_mm(mm, &kvm.nb);
	mmput(mm);
}

static void a_block_waits_again_when_the_set_dies(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU), plain = LISTENER("plain", 0);
	struct mm_struct *mm = mm_alloc();

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), 0);
	for (int i = 0; i < 3; i++) {
		struct ioasid_set *set = mm_set(mm);

		if (i == 0)
			listen(set, &plain);
		new_id(set, NULL);
		ioasid_set_put(set);
	}
	/* The other one was registered with the first set, and went with it. */
	assert_heard("kvm ALLOC 0, plain ALLOC 0, kvm FREE 0, plain FREE 0, "
		     "kvm ALLOC 0, kvm FREE 0, kvm ALLOC 0, kvm FREE 0");
	ioasid_unregister_notifier_mm(mm, &kvm.nb);
	mmput(mm);
}

static void priorities_hold_after_waiting(void **state)
{
	struct listener low = LISTENER("low", 0), high = LISTENER("high", 1);
	struct listener equal = LISTENER("equal", 1);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &low.nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(mm, &high.nb), 0);
	set = mm_set(mm);
	listen(set, &equal);
	new_id(set, NULL);
	assert_heard("high ALLOC 0, equal ALLOC 0, low ALLOC 0");
	ioasid_set_put(set);
	assert_heard("high FREE 0, equal FREE 0, low FREE 0");
	ioasid_unregister_notifier_mm(mm, &low.nb);
	ioasid_unregister_notifier_mm(mm, &high.nb);
	mmput(mm);
}

/* D3: with a set there, registering put it while it held the lock that the put takes. */
static void an_existing_empty_set_takes_the_block_at_once(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = mm_set(mm);

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), 0);
	new_id(set, NULL);
	assert_heard("kvm ALLOC 0");
	ioasid_set_put(set);
	assert_heard("kvm FREE 0");
	ioasid_unregister_notifier_mm(mm, &kvm.nb);
	mmput(mm);
}

/* D6: the refusal, and want of memory, kept a reference, so that the set could never die. */
static void refusals_keep_no_reference_on_the_set(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = mm_set(mm);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), -EBUSY);
	ioasid_free(set, id);
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), -ENOMEM);
	ioasid_fail_nth(0);
	assert_int_equal(atomic_read(&mm->mm_count), 2);
	assert_int_equal(ioasid_set_free(set), 0);
	assert_int_equal(read_stats().sets, 0);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	assert_heard("");
	mmput(mm);
}

/* D7: a recycled address of an mm gave an old block another process's set. */
static void the_mm_is_pinned_as_long_as_a_block_waits(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), 0);
	assert_int_equal(atomic_read(&mm->mm_count), 2);
	set = mm_set(mm);
	assert_int_equal(atomic_read(&mm->mm_count), 3);
	ioasid_set_put(set);
	assert_int_equal(atomic_read(&mm->mm_count), 2);
	mmput(mm);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	/* Nobody gets the address now. */
	for (int i = 0; i < 200; i++) {
		struct mm_struct *next = mm_alloc();

		assert_ptr_not_equal(next, mm);
		mmput(next);
	}
	ioasid_unregister_notifier_mm(mm, &kvm.nb);
	assert_int_equal(atomic_read(&mm->mm_count), 0);
}

/* Any pointer is a token; one that mm_alloc() did not make is never looked at. */
static void an_mm_of_somebody_else_is_only_compared(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct mm_struct *mm = (struct mm_struct *)0x1008;
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &kvm.nb), 0);
	set = mm_set(mm);
	new_id(set, NULL);
	ioasid_set_put(set);
	assert_heard("kvm ALLOC 0, kvm FREE 0");
	ioasid_unregister_notifier_mm(mm, &kvm.nb);
}

/* D8: a block that waited for any mm could not leave any chain. */
static void waiting_does_not_keep_a_block_on_other_chains(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = new_set(0);

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &one.nb), 0);
	listen(NULL, &one);
	listen(set, &one);
	leave(NULL, &one);
	leave(set, &one);
	assert_int_equal(read_stats().subscribers, 1);
	ioasid_free(set, new_id(set, NULL));
	assert_heard("");
	ioasid_set_put(set);
	ioasid_unregister_notifier_mm(mm, &one.nb);
	mmput(mm);
}

static void each_way_of_registering_has_its_own_way_back(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = mm_set(mm);

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(mm, &one.nb), 0);
	/* On the set already, whichever way it came. */
	assert_int_equal(ioasid_register_notifier(set, &one.nb), -EEXIST);
	assert_int_equal(ioasid_register_notifier_mm(mm, &one.nb), -EEXIST);
	leave(set, &one);
	assert_int_equal(read_stats().subscribers, 1);
	ioasid_unregister_notifier_mm(mm, &one.nb);
	assert_int_equal(read_stats().subscribers, 0);
	listen(set, &one);
	assert_int_equal(ioasid_register_notifier_mm(mm, &one.nb), -EEXIST);
	ioasid_unregister_notifier_mm(mm, &one.nb);
	assert_int_equal(read_stats().subscribers, 1);
	ioasid_set_put(set);
	mmput(mm);
}

static void bad_requests_are_refused(void **state)
{
	struct listener one = LISTENER("one", 0);
	struct mm_struct *mm = mm_alloc();

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm(NULL, &one.nb), -EINVAL);
	ioasid_unregister_notifier_mm(NULL, &one.nb);
	ioasid_unregister_notifier_mm(mm, &one.nb);
	assert_int_equal(ioasid_register_notifier_mm(mm, &one.nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(mm, &one.nb), -EEXIST);
	ioasid_unregister_notifier_mm(mm, &one.nb);
	ioasid_unregister_notifier_mm(mm, &one.nb);
	mmput(mm);
}

/* ---- while the set dies ---- */

/* What handlers need to know: the mm, and the next set of it that they made. */
static struct mm_struct *dying;
static struct ioasid_set *next;

static void leave_dying(struct listener *self, enum ioasid_notify_val event,
			const struct ioasid_nb_args *args)
{
	(void)args;
	if (event != IOASID_NOTIFY_FREE)
		return;
	ioasid_unregister_notifier_mm(dying, self->data);
	ioasid_unregister_notifier_mm(dying, &self->nb);
}

/* They were not found, heard the rest, and waited for the next set: freed blocks were called. */
static void who_leaves_while_the_set_dies_is_not_called_again(void **state)
{
	struct listener other = LISTENER("other", 0);
	struct listener kvm = LISTENER("kvm", 1, .act = leave_dying, .data = &other.nb);
	struct ioasid_set *set;

	(void)state;
	dying = mm_alloc();
	assert_int_equal(ioasid_register_notifier_mm(dying, &kvm.nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(dying, &other.nb), 0);
	set = mm_set(dying);
	new_id(set, NULL);
	new_id(set, NULL);
	assert_heard("kvm ALLOC 0, other ALLOC 0, kvm ALLOC 1, other ALLOC 1");
	ioasid_set_put(set);
	assert_heard("kvm FREE 0");
	assert_int_equal(read_stats().subscribers, 0);
	assert_int_equal(atomic_read(&dying->mm_count), 1);
	set = mm_set(dying);
	new_id(set, NULL);
	ioasid_set_put(set);
	assert_heard("");
	mmput(dying);
}

/* Another set ends inside the end of the first, before who leaves it is looked for. */
static void end_another_and_leave(struct listener *self, enum ioasid_notify_val event,
				  const struct ioasid_nb_args *args)
{
	if (event == IOASID_NOTIFY_FREE && next) {
		struct ioasid_set *another = next;

		next = NULL;
		ioasid_set_put(another);
		leave_dying(self, event, args);
	}
}

static void a_set_that_dies_in_a_dying_one_hides_it_not(void **state)
{
	struct listener other = LISTENER("other", 0);
	struct listener kvm = LISTENER("kvm", 1, .act = end_another_and_leave, .data = &other.nb);
	struct ioasid_set *set;

	(void)state;
	dying = mm_alloc();
	assert_int_equal(ioasid_register_notifier_mm(dying, &kvm.nb), 0);
	assert_int_equal(ioasid_register_notifier_mm(dying, &other.nb), 0);
	set = mm_set(dying);
	next = new_set(0);
	new_id(next, NULL);
	new_id(set, NULL);
	new_id(set, NULL);
	assert_heard("kvm ALLOC 1, other ALLOC 1, kvm ALLOC 2, other ALLOC 2");
	ioasid_set_put(set);
	assert_heard("kvm FREE 1, other FREE 1");
	assert_int_equal(read_stats().subscribers, 0);
	mmput(dying);
}

static void make_next_at_free(struct listener *self, enum ioasid_notify_val event,
			      const struct ioasid_nb_args *args)
{
	(void)self;
	(void)args;
	if (event == IOASID_NOTIFY_FREE && !next)
		next = mm_set(dying);
}

static void make_next_at_set_free(struct listener *self, enum ioasid_notify_val event,
				  const struct ioasid_nb_args *args)
{
	(void)self;
	(void)args;
	if (event == IOASID_NOTIFY_SET_FREE && !next) {
		next = mm_set(dying);
		new_id(next, NULL);
	}
}

/* A set of an mm ends, and a handler makes the next one: who is told of the first is of both. */
static void renew(struct listener *all, struct listener *kvm)
{
	struct ioasid_set *set;

	dying = mm_alloc();
	next = NULL;
	assert_int_equal(ioasid_register_notifier_mm(dying, &kvm->nb), 0);
	set = mm_set(dying);
	new_id(set, NULL);
	new_id(set, NULL);
	listen(NULL, all);
	ioasid_set_put(set);
	leave(NULL, all);
	assert_non_null(next);
}

/* It waited for a set that was there already: it heard nothing, and could not be unregistered. */
static void leave_renewed(struct listener *kvm)
{
	ioasid_unregister_notifier_mm(dying, &kvm->nb);
	assert_int_equal(read_stats().subscribers, 0);
	ioasid_set_put(next);
	next = mm_set(dying);
	new_id(next, NULL);
	ioasid_set_put(next);
	assert_heard("");
	mmput(dying);
}

static void a_set_made_at_set_free_is_heard(void **state)
{
	struct listener all = LISTENER(NULL, 0, .act = make_next_at_set_free);
	struct listener kvm = LISTENER("kvm", 0);

	(void)state;
	renew(&all, &kvm);
	assert_heard("kvm ALLOC 0, kvm ALLOC 1, kvm FREE 0, kvm FREE 1, kvm ALLOC 0");
	new_id(next, NULL);
	assert_heard("kvm ALLOC 1");
	leave_renewed(&kvm);
}

static void a_set_made_at_free_is_heard_when_the_last_one_has_ended(void **state)
{
	struct listener all = LISTENER(NULL, 0, .act = make_next_at_free);
	struct listener kvm = LISTENER("kvm", 0);

	(void)state;
	renew(&all, &kvm);
	assert_heard("kvm ALLOC 0, kvm ALLOC 1, kvm FREE 0, kvm FREE 1");
	new_id(next, NULL);
	assert_heard("kvm ALLOC 0");
	leave_renewed(&kvm);
}

static void register_again(struct listener *self, enum ioasid_notify_val event,
			   const struct ioasid_nb_args *args)
{
	(void)args;
	if (event == IOASID_NOTIFY_FREE || event == IOASID_NOTIFY_SET_FREE)
		assert_int_equal(ioasid_register_notifier_mm(dying, self->data), -EEXIST);
}

/* Twice on the list of the next set, it was told everything twice and left only once. */
static void registering_again_while_the_set_dies_is_refused(void **state)
{
	struct listener kvm = LISTENER("kvm", 0);
	struct listener all = LISTENER("all", 1, .act = register_again, .data = &kvm.nb);
	struct ioasid_set *set;

	(void)state;
	dying = mm_alloc();
	assert_int_equal(ioasid_register_notifier_mm(dying, &kvm.nb), 0);
	set = mm_set(dying);
	new_id(set, NULL);
	listen(NULL, &all);
	ioasid_set_put(set);
	leave(NULL, &all);
	assert_heard("kvm ALLOC 0, all FREE 0, kvm FREE 0, all SET_FREE");
	assert_int_equal(read_stats().subscribers, 1);
	set = mm_set(dying);
	new_id(set, NULL);
	assert_heard("kvm ALLOC 0");
	ioasid_unregister_notifier_mm(dying, &kvm.nb);
	ioasid_set_put(set);
	assert_heard("");
	mmput(dying);
}

/* ---- many, and many threads ---- */

#define MANY 1000

/* More than there are lists; each finds its own set, and nobody else's. */
static void many_wait_each_for_its_own(void **state)
{
	static struct listener waiting[MANY];
	static struct mm_struct *mms[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		mms[i] = mm_alloc();
		waiting[i] = (struct listener)LISTENER(NULL, 0);
		assert_int_equal(ioasid_register_notifier_mm(mms[i], &waiting[i].nb), 0);
	}
	for (int i = 0; i < MANY; i++) {
		struct ioasid_set *set = mm_set(mms[i]);

		new_id(set, NULL);
		ioasid_set_put(set);
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(waiting[i].count, 2);
		ioasid_unregister_notifier_mm(mms[i], &waiting[i].nb);
		mmput(mms[i]);
	}
}

static atomic_t stop;

static void *make_and_end_sets(void *data)
{
	struct mm_struct *mm = data;

	while (!atomic_read(&stop)) {
		struct ioasid_set *set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);

		if (IS_ERR(set))
			continue;
		ioasid_alloc(set, ANY, NULL);
		ioasid_set_put(set);
	}
	return NULL;
}

/*
 * D2: two locks, taken in one order here and in the other there. D4, D5: the set was used without
 * its lock, or a sleeping function called with it. A deadlock ends in SIGALRM, the rest in TSan.
 */
static void coming_and_going_races_with_the_life_of_the_set(void **state)
{
	struct listener kvm = LISTENER(NULL, IOASID_PRIO_CPU);
	struct mm_struct *mm = mm_alloc();
	unsigned int registered = 0;
	pthread_t threads[2];

	(void)state;
	alarm(300);
	atomic_set(&stop, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_and_end_sets, mm), 0);
	while (registered < loops(500)) {
		int err = ioasid_register_notifier_mm(mm, &kvm.nb);

		assert_true(err == 0 || err == -EBUSY);
		if (err) {
			/* The set has an id, until the thread that made it runs again. */
			sched_yield();
			continue;
		}
		registered++;
		ioasid_unregister_notifier_mm(mm, &kvm.nb);
	}
	atomic_set(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	alarm(0);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	mmput(mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_block_waits_for_the_set_to_come),
		CLEAN_TEST(waiting_blocks_are_attached_before_set_alloc_is_told),
		CLEAN_TEST(a_block_waits_again_when_the_set_dies),
		CLEAN_TEST(priorities_hold_after_waiting),
		CLEAN_TEST(an_existing_empty_set_takes_the_block_at_once),
		CLEAN_TEST(refusals_keep_no_reference_on_the_set),
		CLEAN_TEST(the_mm_is_pinned_as_long_as_a_block_waits),
		CLEAN_TEST(an_mm_of_somebody_else_is_only_compared),
		CLEAN_TEST(waiting_does_not_keep_a_block_on_other_chains),
		CLEAN_TEST(each_way_of_registering_has_its_own_way_back),
		CLEAN_TEST(bad_requests_are_refused),
		CLEAN_TEST(who_leaves_while_the_set_dies_is_not_called_again),
		CLEAN_TEST(a_set_that_dies_in_a_dying_one_hides_it_not),
		CLEAN_TEST(a_set_made_at_set_free_is_heard),
		CLEAN_TEST(a_set_made_at_free_is_heard_when_the_last_one_has_ended),
		CLEAN_TEST(registering_again_while_the_set_dies_is_refused),
		CLEAN_TEST(many_wait_each_for_its_own),
		CLEAN_TEST(coming_and_going_races_with_the_life_of_the_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
