/* SPDX-License-Identifier: MIT */
/* What is told, to whom, in which order, and what a handler's answer does. */
#include <stdlib.h>

#include "listener.h"

/* ---- order ---- */

/* D37: the global chain always ran before the set's, whatever the priorities said. */
static void both_chains_are_one_order_by_priority(void **state)
{
	struct listener cpu = LISTENER("cpu", IOASID_PRIO_CPU);
	struct listener iommu = LISTENER("iommu", IOASID_PRIO_IOMMU);
	struct listener device = LISTENER("device", IOASID_PRIO_DEVICE);
	struct listener last = LISTENER("last", IOASID_PRIO_LAST);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(NULL, &last);
	listen(set, &device);
	listen(NULL, &iommu);
	listen(set, &cpu);
	ioasid_free(set, id);
	assert_heard("cpu FREE 0, iommu FREE 0, device FREE 0, last FREE 0");
	leave(NULL, &last);
	leave(NULL, &iommu);
	ioasid_set_put(set);
}

/* D38: the enum had IOMMU below DEVICE, and drivers that set nothing came last without knowing. */
static void iommu_comes_before_device_and_no_priority_is_last(void **state)
{
	struct notifier_block unset = { .notifier_call = hear };

	(void)state;
	assert_true(IOASID_PRIO_CPU > IOASID_PRIO_IOMMU);
	assert_true(IOASID_PRIO_IOMMU > IOASID_PRIO_DEVICE);
	assert_true(IOASID_PRIO_DEVICE > IOASID_PRIO_LAST);
	assert_int_equal(unset.priority, IOASID_PRIO_LAST);
}

static void equal_priorities_are_told_as_registered(void **state)
{
	struct listener one = LISTENER("one", 5), two = LISTENER("two", 5);
	struct listener three = LISTENER("three", 5), four = LISTENER("four", 5);
	struct listener lowest = LISTENER("lowest", -2147483647 - 1);
	struct listener highest = LISTENER("highest", 2147483647);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(NULL, &lowest);
	listen(set, &one);
	listen(NULL, &two);
	listen(set, &three);
	listen(NULL, &four);
	listen(set, &highest);
	ioasid_free(set, id);
	assert_heard("highest FREE 0, one FREE 0, two FREE 0, three FREE 0, four FREE 0, "
		     "lowest FREE 0");
	leave(NULL, &lowest);
	leave(NULL, &two);
	leave(NULL, &four);
	ioasid_set_put(set);
}

/* ---- arguments and audience ---- */

static void assert_told(const struct recorder *who, unsigned int index,
			enum ioasid_notify_val event, ioasid_t id, ioasid_t spid,
			struct ioasid_set *set, void *pdata)
{
	const struct record *record = &who->records[index];

	assert_true(index < who->count);
	assert_int_equal(record->event, event);
	assert_int_equal(record->args.id, id);
	assert_int_equal(record->args.spid, spid);
	assert_ptr_equal(record->args.set, set);
	assert_ptr_equal(record->args.pdata, pdata);
}

/*
 * D27, D28: ALLOC and FREE were never delivered, or not to the set. D29: the SPID was cleared
 * before UNBIND was told. D53: the events of sets had 0 for an id, which is somebody's.
 */
static void every_event_has_complete_arguments_and_its_audience(void **state)
{
	struct recorder all = RECORDER(0), own = RECORDER(0);
	struct ioasid_set *set;
	char data;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &all.nb), 0);
	set = new_set(0);
	assert_int_equal(ioasid_register_notifier(set, &own.nb), 0);
	id = new_id(set, &data);
	assert_int_equal(ioasid_attach_spid(id, 77), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_attach_spid(id, 78), 0);
	ioasid_free(set, id);
	ioasid_set_put(set);

	assert_int_equal(own.count, 5);
	assert_told(&own, 0, IOASID_NOTIFY_ALLOC, id, INVALID_IOASID, set, &data);
	assert_told(&own, 1, IOASID_NOTIFY_BIND, id, 77, set, &data);
	assert_told(&own, 2, IOASID_NOTIFY_UNBIND, id, 77, set, &data);
	assert_told(&own, 3, IOASID_NOTIFY_BIND, id, 78, set, &data);
	assert_told(&own, 4, IOASID_NOTIFY_FREE, id, 78, set, &data);

	assert_int_equal(all.count, 3);
	assert_told(&all, 0, IOASID_NOTIFY_SET_ALLOC, INVALID_IOASID, INVALID_IOASID, set, NULL);
	assert_told(&all, 1, IOASID_NOTIFY_FREE, id, 78, set, &data);
	assert_told(&all, 2, IOASID_NOTIFY_SET_FREE, INVALID_IOASID, INVALID_IOASID, set, NULL);
	ioasid_unregister_notifier(NULL, &all.nb);
}

/* The system set has no pointer, and no subscribers of its own. */
static void system_set_is_null_in_arguments(void **state)
{
	struct recorder all = RECORDER(0);
	char data;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &all.nb), 0);
	id = new_id(NULL, &data);
	assert_int_equal(ioasid_attach_spid(id, 9), 0);
	ioasid_free(NULL, id);
	assert_int_equal(all.count, 1);
	assert_told(&all, 0, IOASID_NOTIFY_FREE, id, 9, NULL, &data);
	ioasid_unregister_notifier(NULL, &all.nb);
}

static void other_sets_hear_nothing(void **state)
{
	struct listener other = LISTENER("other", 0);
	struct ioasid_set *set = new_set(0), *others = new_set(0);
	ioasid_t id;

	(void)state;
	listen(others, &other);
	id = new_id(set, NULL);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	ioasid_free(set, id);
	ioasid_set_put(set);
	assert_heard("");
	ioasid_set_put(others);
}

static void scribble(struct listener *self, enum ioasid_notify_val event,
		     const struct ioasid_nb_args *args)
{
	(void)self;
	(void)event;
	memset((void *)(uintptr_t)args, 0x5a, sizeof(*args));
}

static void a_handler_cannot_spoil_the_arguments_of_the_next(void **state)
{
	struct listener vandal = LISTENER(NULL, 1, .act = scribble);
	struct recorder next = RECORDER(0);
	struct ioasid_set *set = new_set(0);
	char data;
	ioasid_t id;

	(void)state;
	listen(set, &vandal);
	assert_int_equal(ioasid_register_notifier(set, &next.nb), 0);
	id = new_id(set, &data);
	assert_told(&next, 0, IOASID_NOTIFY_ALLOC, id, INVALID_IOASID, set, &data);
	ioasid_set_put(set);
}

static void ending_a_set_tells_each_free_and_then_set_free(void **state)
{
	struct listener all = LISTENER("all", IOASID_PRIO_LAST);
	struct listener own = LISTENER("own", IOASID_PRIO_CPU);
	struct ioasid_set *set = new_set(0);

	(void)state;
	for (int i = 0; i < 3; i++)
		new_id(set, NULL);
	listen(NULL, &all);
	listen(set, &own);
	ioasid_set_put(set);
	assert_heard("own FREE 0, all FREE 0, own FREE 1, all FREE 1, own FREE 2, all FREE 2, "
		     "all SET_FREE");
	leave(NULL, &all);
}

/* ---- level-triggered ---- */

/* Series v2: the driver tells for each device that binds the PASID, and each that unbinds it. */
static void bind_per_device_is_told_once(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(set, &kvm);
	assert_int_equal(ioasid_attach_spid(id, 3), 0);
	for (int device = 0; device < 3; device++)
		assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET), 0);
	assert_heard("kvm BIND 0");
	for (int device = 0; device < 3; device++)
		assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
	assert_int_equal(ioasid_attach_spid(id, INVALID_IOASID), 0);
	assert_heard("kvm UNBIND 0");
	/* And the same again. */
	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET), 0);
	assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
	assert_heard("kvm BIND 0, kvm UNBIND 0");
	ioasid_set_put(set);
	assert_heard("kvm FREE 0");
}

/* V4: attaching and detaching the SPID says it all. */
static void attaching_an_spid_alone_is_told_once(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(set, &kvm);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ioasid_attach_spid(id, 3), 0);
	assert_heard("kvm BIND 0");
	for (int i = 0; i < 3; i++)
		assert_int_equal(ioasid_detach_spid(id), 0);
	assert_heard("kvm UNBIND 0");
	ioasid_set_put(set);
	assert_heard("kvm FREE 0");
}

static void another_spid_is_unbind_of_the_old_then_bind_of_the_new(void **state)
{
	struct recorder kvm = RECORDER(0);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 3), 0);
	assert_int_equal(ioasid_register_notifier(set, &kvm.nb), 0);
	assert_int_equal(ioasid_attach_spid(id, 4), 0);
	assert_int_equal(kvm.count, 2);
	assert_told(&kvm, 0, IOASID_NOTIFY_UNBIND, id, 3, set, NULL);
	assert_told(&kvm, 1, IOASID_NOTIFY_BIND, id, 4, set, NULL);
	ioasid_set_put(set);
}

/* The series' rule: FREE says it all, a late unbind has nothing to tell. */
static void unbind_after_free_is_not_told(void **state)
{
	struct listener kvm = LISTENER("kvm", IOASID_PRIO_CPU);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(set, &kvm);
	assert_int_equal(ioasid_attach_spid(id, 3), 0);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_heard("kvm BIND 0, kvm FREE 0");
	assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET), -EBUSY);
	assert_heard("");
	assert_true(ioasid_put(set, id));
	ioasid_set_put(set);
}

/* ---- what a handler answers ---- */

/* D36: a handler that ran out of memory cut the chain, and those behind it kept their references. */
static void stop_cannot_hide_the_end_of_anything(void **state)
{
	static const int stops[] = { NOTIFY_STOP, NOTIFY_BAD, NOTIFY_STOP_MASK, -1 };
	struct listener rude = LISTENER("rude", 1), late = LISTENER("late", 0);
	struct listener all = LISTENER("all", -1);

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		struct ioasid_set *set = new_set(0);
		ioasid_t id = new_id(set, NULL);

		assert_int_equal(ioasid_attach_spid(id, 3), 0);
		rude.result = stops[i];
		listen(set, &rude);
		listen(set, &late);
		assert_int_equal(ioasid_detach_spid(id), 0);
		assert_heard("rude UNBIND 0, late UNBIND 0");
		leave(set, &rude);
		listen(NULL, &rude);
		listen(NULL, &all);
		ioasid_free(set, id);
		ioasid_set_put(set);
		assert_heard("rude FREE 0, late FREE 0, all FREE 0, rude SET_FREE, all SET_FREE");
		leave(NULL, &rude);
		leave(NULL, &all);
	}
}

static void stop_ends_alloc_bind_and_set_alloc(void **state)
{
	struct listener rude = LISTENER("rude", 1, .result = NOTIFY_STOP);
	struct listener late = LISTENER("late", 0);
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	listen(NULL, &rude);
	listen(NULL, &late);
	set = new_set(0);
	assert_heard("rude SET_ALLOC");
	leave(NULL, &rude);
	leave(NULL, &late);
	listen(set, &rude);
	listen(set, &late);
	id = new_id(set, NULL);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_heard("rude ALLOC 0, rude BIND 0");
	ioasid_set_put(set);
	assert_heard("rude FREE 0, late FREE 0");
}

/* D39: it returned a raw NOTIFY_ value, or the last handler's. */
static void notify_returns_the_errno_of_who_stopped_it(void **state)
{
	static const struct {
		int result, expected;
	} cases[] = {
		{ NOTIFY_DONE, 0 },
		{ NOTIFY_OK, 0 },
		{ NOTIFY_STOP, 0 },
		{ NOTIFY_BAD, -EPERM },
		/* Not a stop: nobody's errno. */
		{ 0x7fff, 0 },
		/* Garbage. */
		{ 0x7fffffff, -EINVAL },
		{ -1, 0 },
	};
	struct listener one = LISTENER(NULL, 1), two = LISTENER(NULL, 0, .result = NOTIFY_OK);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(set, &one);
	listen(set, &two);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		one.result = cases[i].result;
		assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET),
				 cases[i].expected);
		assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
	}
	one.result = notifier_from_errno(-ENOSPC);
	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_SET), -ENOSPC);
	ioasid_set_put(set);
}

/* D39: core-only events were accepted, bad flags returned 0, both flags reached only one chain. */
static void notify_accepts_only_what_makes_sense(void **state)
{
	static const unsigned int bad_flags[] = { 0, 4, 5, 0x80000000, 0xffffffff };
	static const int bad_events[] = {
		0, IOASID_ALLOC, IOASID_FREE, IOASID_SET_ALLOC, IOASID_SET_FREE, 7, -1
	};
	struct listener all = LISTENER("all", 0), own = LISTENER("own", 1);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(NULL, &all);
	listen(set, &own);
	for (size_t i = 0; i < sizeof(bad_flags) / sizeof(bad_flags[0]); i++)
		assert_int_equal(ioasid_notify(id, IOASID_BIND, bad_flags[i]), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_events) / sizeof(bad_events[0]); i++)
		assert_int_equal(ioasid_notify(id, (enum ioasid_notify_val)bad_events[i],
					       IOASID_NOTIFY_SET),
				 -EINVAL);
	assert_int_equal(ioasid_notify(id + 1, IOASID_BIND, IOASID_NOTIFY_SET), -EINVAL);
	assert_int_equal(ioasid_notify(INVALID_IOASID, IOASID_UNBIND, IOASID_NOTIFY_ALL), -EINVAL);
	assert_heard("");

	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_ALL), 0);
	assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
	assert_heard("all BIND 0, own UNBIND 0");
	assert_int_equal(ioasid_notify(id, IOASID_BIND,
				       IOASID_NOTIFY_FLAG_ALL | IOASID_NOTIFY_FLAG_SET),
			 0);
	assert_heard("own BIND 0, all BIND 0");
	leave(NULL, &all);
	ioasid_set_put(set);
	assert_heard("own FREE 0");
}

/* ---- the end of an id and of a set, as handlers see it ---- */

static void put_and_look(struct listener *self, enum ioasid_notify_val event,
			 const struct ioasid_nb_args *args)
{
	if (event != IOASID_NOTIFY_FREE)
		return;
	/* Our own reference. It is not the last: the allocator's is there until all were told. */
	assert_false(ioasid_put_locked(args->set, args->id));
	assert_true(ioasid_is_in_set(args->set, args->id));
	assert_ptr_equal(ioasid_find(args->set, args->id, NULL), self->data);
}

/* D32: the allocator's reference was dropped first, so the second chain heard of a reclaimed id. */
static void free_is_told_before_the_own_reference_drops(void **state)
{
	char data;
	struct listener own = LISTENER("own", 1, .act = put_and_look, .data = &data);
	struct listener all = LISTENER("all", 0, .act = put_and_look, .data = &data);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, &data);

	(void)state;
	listen(set, &own);
	listen(NULL, &all);
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_heard("own FREE 0, all FREE 0");
	assert_int_equal(read_stats().live, 0);
	leave(NULL, &all);
	ioasid_set_put(set);
}

static void put_too_much(struct listener *self, enum ioasid_notify_val event,
			 const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_FREE)
		ioasid_put_locked(args->set, args->id);
}

static void a_put_too_many_in_a_handler_ends_the_id_once(void **state)
{
	struct listener greedy = LISTENER("greedy", 1, .act = put_too_much);
	struct listener late = LISTENER("late", 0, .act = put_too_much);
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	listen(set, &greedy);
	listen(set, &late);
	ioasid_free(set, id);
	assert_heard("greedy FREE 0, late FREE 0");
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(set->nr_ioasids, 0);
	ioasid_set_put(set);
}

static void resurrect(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	(void)self;
	if (event != IOASID_NOTIFY_SET_FREE)
		return;
	ioasid_set_get(args->set);
	assert_int_equal(ioasid_alloc(args->set, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_adjust_set(args->set, 5), -EINVAL);
	ioasid_set_put(args->set);
}

/* D53: the set looked registered, with no reference: a handler could bring it back. */
static void set_free_cannot_bring_the_set_back(void **state)
{
	struct listener all = LISTENER("all", 0, .act = resurrect);
	struct ioasid_set *set;

	(void)state;
	listen(NULL, &all);
	set = new_set(7);
	ioasid_set_put(set);
	assert_heard("all SET_ALLOC, all SET_FREE");
	assert_int_equal(ioasid_set_free(set), -EINVAL);
	leave(NULL, &all);
}

static void events_are_counted_by_handler(void **state)
{
	struct listener one = LISTENER(NULL, 0), two = LISTENER(NULL, 0);
	struct ioasid_set *set = new_set(0);
	uint64_t before = read_stats().events;

	(void)state;
	ioasid_free(set, new_id(set, NULL));
	assert_int_equal(read_stats().events, before);
	listen(set, &one);
	listen(NULL, &two);
	ioasid_free(set, new_id(set, NULL));
	/* ALLOC to one, FREE to both. */
	assert_int_equal(read_stats().events, before + 3);
	leave(NULL, &two);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(both_chains_are_one_order_by_priority),
		CLEAN_TEST(iommu_comes_before_device_and_no_priority_is_last),
		CLEAN_TEST(equal_priorities_are_told_as_registered),
		CLEAN_TEST(every_event_has_complete_arguments_and_its_audience),
		CLEAN_TEST(system_set_is_null_in_arguments),
		CLEAN_TEST(other_sets_hear_nothing),
		CLEAN_TEST(a_handler_cannot_spoil_the_arguments_of_the_next),
		CLEAN_TEST(ending_a_set_tells_each_free_and_then_set_free),
		CLEAN_TEST(bind_per_device_is_told_once),
		CLEAN_TEST(attaching_an_spid_alone_is_told_once),
		CLEAN_TEST(another_spid_is_unbind_of_the_old_then_bind_of_the_new),
		CLEAN_TEST(unbind_after_free_is_not_told),
		CLEAN_TEST(stop_cannot_hide_the_end_of_anything),
		CLEAN_TEST(stop_ends_alloc_bind_and_set_alloc),
		CLEAN_TEST(notify_returns_the_errno_of_who_stopped_it),
		CLEAN_TEST(notify_accepts_only_what_makes_sense),
		CLEAN_TEST(free_is_told_before_the_own_reference_drops),
		CLEAN_TEST(a_put_too_many_in_a_handler_ends_the_id_once),
		CLEAN_TEST(set_free_cannot_bring_the_set_back),
		CLEAN_TEST(events_are_counted_by_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
