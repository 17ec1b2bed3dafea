/* SPDX-License-Identifier: MIT */
/* What handlers, getters, allocators and walkers may do: everything. A deadlock ends in SIGALRM. */
#include <pthread.h>
#include <unistd.h>

#include <linux/atomic.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "listener.h"

static int begin_watched(void **state)
{
	alarm(300);
	return begin_test(state);
}

static int end_watched(void **state)
{
	alarm(0);
	return end_test(state);
}

#define WATCHED_TEST(f) cmocka_unit_test_setup_teardown(f, begin_watched, end_watched)

/* ---- every function of the header, from everywhere ---- */

/* Where they are called from. */
enum place {
	/* The core lock is held: a handler, an allocator. */
	LOCKED,
	/* A read-side section: a getter. */
	READING,
	/* Neither: a walker, a work item. */
	FREE,
};

static bool accept(void *data)
{
	(void)data;
	return true;
}

static void count(ioasid_t id, void *data)
{
	(void)id;
	++*(unsigned int *)data;
}

static ioasid_t first_of_range(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	return min;
}

static void take_back(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
}

static void do_nothing(struct work_struct *work)
{
	(void)work;
}

static void call_id_functions(enum place place)
{
	char data[2];
	struct ioasid_set *set = new_set(4);
	ioasid_t id = new_id(set, data), other = new_id(set, NULL);
	unsigned int visited = 0;

	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_get_locked(set, id), 0);
	assert_int_equal(ioasid_get_if_owned(id), -EINVAL);
	assert_false(ioasid_put(set, id));
	assert_false(ioasid_put_locked(set, id));
	assert_ptr_equal(ioasid_find(set, id, NULL), data);
	assert_ptr_equal(ioasid_find(set, id, accept), data);
	assert_true(ioasid_is_active(id));
	assert_true(ioasid_is_in_set(set, id));
	assert_ptr_equal(ioasid_find_set(id), set);

	/* Readers of the old data cannot be awaited where they might wait for us. */
	assert_int_equal(ioasid_attach_data(id, data + 1), place == FREE ? 0 : -EDEADLK);
	assert_int_equal(ioasid_detach_data(id), place == FREE ? 0 : -EDEADLK);
	assert_int_equal(ioasid_attach_data(other, data), 0);

	assert_int_equal(ioasid_attach_spid(id, 5), 0);
	assert_int_equal(ioasid_attach_spid(id, 6), 0);
	assert_int_equal(ioasid_find_spid(id), 6);
	assert_int_equal(ioasid_find_by_spid(set, 6), id);
	assert_int_equal(ioasid_find_by_spid_ref(set, 6, false), id);
	assert_int_equal(ioasid_notify(id, IOASID_UNBIND, IOASID_NOTIFY_ALL | IOASID_NOTIFY_SET),
			 0);
	assert_int_equal(ioasid_notify(id, IOASID_BIND, IOASID_NOTIFY_ALL | IOASID_NOTIFY_SET), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);

	assert_int_equal(ioasid_set_for_each_ioasid(set, count, &visited), 0);
	assert_int_equal(visited, 2);
	ioasid_free(set, id);
	assert_true(ioasid_put(set, id));
	assert_true(ioasid_put(set, other));
	new_id(set, NULL);
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_set_free(set), 0);
}

static void call_set_functions(void)
{
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = ioasid_set_alloc(mm, 4, IOASID_SET_TYPE_MM);
	int left;

	assert_false(IS_ERR_OR_NULL(set));
	assert_ptr_equal(ioasid_find_mm_set(mm), set);
	assert_int_equal(ioasid_adjust_set(set, 8), 0);
	ioasid_set_get(set);
	ioasid_set_get_locked(set);
	ioasid_set_put(set);
	ioasid_set_put_locked(set);
	new_id(set, NULL);
	ioasid_set_put(set);
	mmput(mm);

	assert_int_equal(ioasid_get_capacity(), read_stats().capacity);
	left = ioasid_reserve_capacity(0);
	assert_int_equal(ioasid_reserve_capacity(2), 2);
	/* Something is reserved. */
	ioasid_install_capacity(1);
	assert_true(ioasid_get_capacity() > 1);
	assert_int_equal(ioasid_cancel_capacity(2), left);
}

static void call_notifier_functions(void)
{
	struct listener one = LISTENER(NULL, 0), two = LISTENER(NULL, 0), three = LISTENER(NULL, 0);
	struct ioasid_set *set = new_set(0);
	struct mm_struct *mm = mm_alloc();

	listen(set, &one);
	listen(NULL, &two);
	new_id(set, NULL);
	assert_int_equal(ioasid_register_notifier_replay(set, &three.nb), 0);
	assert_int_equal(three.count, 1);
	leave(set, &three);
	leave(NULL, &two);
	assert_int_equal(ioasid_register_notifier_mm(mm, &two.nb), 0);
	ioasid_unregister_notifier_mm(mm, &two.nb);
	mmput(mm);
	ioasid_set_put(set);
	assert_int_equal(one.count, 2);
}

static void call_other_functions(void)
{
	static struct work_struct work;
	struct ioasid_allocator_ops ops = { .alloc = first_of_range, .free = take_back };
	int err = ioasid_register_allocator(&ops);
	FILE *out = tmpfile();

	assert_true(err == 0 || err == -EAGAIN);
	if (!err)
		ioasid_unregister_allocator(&ops);

	assert_non_null(out);
	assert_int_equal(ioasid_dump(out), 0);
	assert_int_equal(ioasid_dump_dot(out), 0);
	assert_int_equal(ioasid_trace_start(out), 0);
	ioasid_trace_stop();
	fclose(out);
	assert_string_equal(ioasid_refusal_name(IOASID_REFUSED_NR), "unknown");

	if (!work.func)
		INIT_WORK(&work, do_nothing);
	ioasid_queue_work(&work);
}

static void call_everything(enum place place)
{
	call_id_functions(place);
	call_set_functions();
	call_notifier_functions();
	call_other_functions();
}

static void call_everything_once(struct listener *self, enum ioasid_notify_val event,
				 const struct ioasid_nb_args *args)
{
	(void)args;
	/* Once for each event; the first may be caused by the calls for another. */
	if (*(unsigned int *)self->data & 1U << event)
		return;
	*(unsigned int *)self->data |= 1U << event;
	call_everything(LOCKED);
}

/* D34: handlers ran with the lock held that all but the _locked functions took again. */
static void handlers_may_call_everything(void **state)
{
	unsigned int done = 0;
	struct listener first = LISTENER(NULL, 1, .act = call_everything_once, .data = &done);
	struct listener own = LISTENER(NULL, 0, .act = call_everything_once, .data = &done);
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	listen(NULL, &first);
	set = new_set(0);
	listen(set, &own);
	id = new_id(set, NULL);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);
	ioasid_free(set, id);
	ioasid_set_put(set);
	assert_int_equal(done, 0x7e);
	leave(NULL, &first);
}

static void handlers_of_a_replay_may_call_everything(void **state)
{
	unsigned int done = 0;
	struct listener late = LISTENER(NULL, 0, .act = call_everything_once, .data = &done);
	struct ioasid_set *set = new_set(0);

	(void)state;
	assert_int_equal(ioasid_attach_spid(new_id(set, NULL), 1), 0);
	assert_int_equal(ioasid_register_notifier_replay(set, &late.nb), 0);
	assert_int_equal(done, 1U << IOASID_NOTIFY_ALLOC | 1U << IOASID_NOTIFY_BIND);
	ioasid_set_put(set);
}

static bool call_everything_reading(void *data)
{
	(void)data;
	call_everything(READING);
	return true;
}

static void getters_may_call_everything(void **state)
{
	char data;
	ioasid_t id = new_id(NULL, &data);

	(void)state;
	assert_ptr_equal(ioasid_find(NULL, id, call_everything_reading), &data);
	free_id(id);
}

static void call_everything_walking(ioasid_t id, void *data)
{
	++*(unsigned int *)data;
	call_everything(FREE);
	ioasid_free(NULL, id);
}

static void walkers_may_call_everything(void **state)
{
	struct ioasid_set *set = new_set(0);
	unsigned int visited = 0;

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	assert_int_equal(ioasid_set_for_each_ioasid(set, call_everything_walking, &visited), 0);
	assert_int_equal(visited, 2);
	ioasid_set_put(set);
}

struct picky {
	struct ioasid_allocator_ops ops;
	ioasid_t next;
	bool in_callback;
	unsigned int calls;
};

static void call_everything_in_allocator(struct picky *picky)
{
	if (picky->in_callback)
		return;
	picky->in_callback = true;
	picky->calls++;
	call_everything(LOCKED);
	picky->in_callback = false;
}

static ioasid_t picky_alloc(ioasid_t min, ioasid_t max, void *data)
{
	struct picky *picky = data;

	(void)max;
	call_everything_in_allocator(picky);
	return min + picky->next++;
}

static void picky_free(ioasid_t id, void *data)
{
	assert_false(IS_ERR(ioasid_find(NULL, id, NULL)));
	call_everything_in_allocator(data);
}

static void allocators_may_call_everything(void **state)
{
	struct picky picky = { .ops = { .alloc = picky_alloc, .free = picky_free } };
	ioasid_t id;

	(void)state;
	picky.ops.pdata = &picky;
	assert_int_equal(ioasid_register_allocator(&picky.ops), 0);
	id = ioasid_alloc(NULL, 1000, INVALID_IOASID - 1, NULL);
	assert_true(pasid_valid(id));
	ioasid_free(NULL, id);
	assert_int_equal(picky.calls, 2);
	ioasid_unregister_allocator(&picky.ops);
}

struct everything {
	struct work_struct work;
	bool done;
};

static void call_everything_working(struct work_struct *work)
{
	struct everything *everything = (struct everything *)work;

	call_everything(FREE);
	everything->done = true;
}

static void work_items_may_call_everything(void **state)
{
	struct everything everything = { .done = false };

	(void)state;
	INIT_WORK(&everything.work, call_everything_working);
	assert_true(ioasid_queue_work(&everything.work));
	flush_work(&everything.work);
	assert_true(everything.done);
}

/*
 * D35: a free from where the lock was held already, as from the last mmput() in another's
 * callback, hung the processor.
 */
static void drop_mm(struct listener *self, enum ioasid_notify_val event,
		    const struct ioasid_nb_args *args)
{
	(void)event;
	(void)args;
	self->act = NULL;
	mmput(self->data);
}

static void the_last_mmput_in_a_handler_frees_the_pasid(void **state)
{
	struct listener all = LISTENER("all", 0, .act = drop_mm);
	struct mm_struct *mm = mm_alloc();

	(void)state;
	mm_pasid_set(mm, new_id(NULL, NULL));
	new_id(NULL, NULL);
	all.data = mm;
	listen(NULL, &all);
	ioasid_free(NULL, 1);
	assert_heard("all FREE 1, all FREE 0");
	leave(NULL, &all);
}

/* ---- events of handlers ---- */

struct plan {
	/* On this event, once, ... */
	enum ioasid_notify_val on;
	/* ... this is done to this id. */
	void (*what)(struct ioasid_set *set, ioasid_t id);
	ioasid_t id;
};

static void follow(struct listener *self, enum ioasid_notify_val event,
		   const struct ioasid_nb_args *args)
{
	struct plan *plan = self->data;

	if (event != plan->on)
		return;
	self->act = NULL;
	plan->what(args->set, plan->id);
}

static void free_it(struct ioasid_set *set, ioasid_t id)
{
	ioasid_free(set, id);
}

static void put_it(struct ioasid_set *set, ioasid_t id)
{
	assert_true(ioasid_put_locked(set, id));
}

static void allocate_it(struct ioasid_set *set, ioasid_t id)
{
	assert_int_equal(ioasid_alloc(set, id, id, NULL), id);
}

static void detach_it(struct ioasid_set *set, ioasid_t id)
{
	(void)set;
	assert_int_equal(ioasid_detach_spid(id), 0);
}

static void attach_it(struct ioasid_set *set, ioasid_t id)
{
	(void)set;
	assert_int_equal(ioasid_attach_spid(id, 99), 0);
}

static void free_all(struct ioasid_set *set, ioasid_t id)
{
	(void)id;
	ioasid_free_all_in_set(set);
}

static void make_set(struct ioasid_set *set, ioasid_t id)
{
	(void)set;
	(void)id;
	ioasid_set_put(new_set(0));
}

/*
 * Id 0 exists before "first" and "next" listen (bound, if UNBIND is the event). Then another one is
 * allocated, or it is bound, unbound or freed. Everybody must hear everything in one order.
 */
static void everybody_hears_what_handlers_cause_in_the_same_order(void **state)
{
	static const struct {
		struct plan plan;
		const char *heard;
	} cases[] = {
		{ { IOASID_NOTIFY_ALLOC, free_it, 1 },
		  "first ALLOC 1, next ALLOC 1, first FREE 1, next FREE 1" },
		{ { IOASID_NOTIFY_ALLOC, put_it, 1 },
		  "first ALLOC 1, next ALLOC 1, first FREE 1, next FREE 1" },
		{ { IOASID_NOTIFY_ALLOC, attach_it, 1 },
		  "first ALLOC 1, next ALLOC 1, first BIND 1, next BIND 1" },
		{ { IOASID_NOTIFY_ALLOC, allocate_it, 2 },
		  "first ALLOC 1, next ALLOC 1, first ALLOC 2, next ALLOC 2" },
		{ { IOASID_NOTIFY_ALLOC, free_it, 0 },
		  "first ALLOC 1, next ALLOC 1, first FREE 0, next FREE 0" },
		{ { IOASID_NOTIFY_ALLOC, free_all, 0 },
		  "first ALLOC 1, next ALLOC 1, first FREE 0, next FREE 0, "
		  "first FREE 1, next FREE 1" },
		{ { IOASID_NOTIFY_BIND, detach_it, 0 },
		  "first BIND 0, next BIND 0, first UNBIND 0, next UNBIND 0" },
		{ { IOASID_NOTIFY_BIND, attach_it, 0 },
		  "first BIND 0, next BIND 0, first UNBIND 0, next UNBIND 0, "
		  "first BIND 0, next BIND 0" },
		{ { IOASID_NOTIFY_BIND, free_it, 0 },
		  "first BIND 0, next BIND 0, first FREE 0, next FREE 0" },
		{ { IOASID_NOTIFY_UNBIND, attach_it, 0 },
		  "first UNBIND 0, next UNBIND 0, first BIND 0, next BIND 0" },
		{ { IOASID_NOTIFY_UNBIND, detach_it, 0 }, "first UNBIND 0, next UNBIND 0" },
		{ { IOASID_NOTIFY_UNBIND, free_it, 0 },
		  "first UNBIND 0, next UNBIND 0, first FREE 0, next FREE 0" },
		{ { IOASID_NOTIFY_FREE, allocate_it, 1 },
		  "first FREE 0, next FREE 0, first ALLOC 1, next ALLOC 1" },
		{ { IOASID_NOTIFY_FREE, free_it, 0 }, "first FREE 0, next FREE 0" },
		{ { IOASID_NOTIFY_FREE, make_set, 0 }, "first FREE 0, next FREE 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan plan = cases[i].plan;
		struct listener first = LISTENER("first", 1, .act = follow, .data = &plan);
		struct listener next = LISTENER("next", 0);
		struct ioasid_set *set = new_set(0);
		ioasid_t id = new_id(set, NULL), new;

		if (plan.on == IOASID_NOTIFY_UNBIND)
			assert_int_equal(ioasid_attach_spid(id, 1), 0);
		listen(set, &first);
		listen(set, &next);
		switch (plan.on) {
		case IOASID_NOTIFY_ALLOC:
			new = ioasid_alloc(set, 1, 1, NULL);
			/* What a handler ended is not the caller's. */
			assert_int_equal(new, ioasid_is_active(1) ? 1 : INVALID_IOASID);
			break;
		case IOASID_NOTIFY_BIND:
			assert_int_equal(ioasid_attach_spid(id, 1), 0);
			break;
		case IOASID_NOTIFY_UNBIND:
			assert_int_equal(ioasid_detach_spid(id), 0);
			break;
		default:
			ioasid_free(set, id);
		}
		assert_heard(cases[i].heard);
		leave(set, &first);
		leave(set, &next);
		ioasid_set_put(set);
	}
}

static void hold_and_free(struct listener *self, enum ioasid_notify_val event,
			  const struct ioasid_nb_args *args)
{
	if (event != IOASID_NOTIFY_ALLOC)
		return;
	assert_int_equal(ioasid_get_locked(args->set, args->id), 0);
	ioasid_free(args->set, args->id);
	*(ioasid_t *)self->data = args->id;
}

/* The caller's reference is gone with the free; what is left is the handler's. */
static void an_id_that_its_alloc_handler_freed_is_not_handed_out(void **state)
{
	ioasid_t held = INVALID_IOASID;
	struct listener owner = LISTENER(NULL, 0, .act = hold_and_free, .data = &held);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &owner);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_int_equal(references(held), 1);
	assert_true(ioasid_put(set, held));
	ioasid_set_put(set);
}

static void end_new_set(struct listener *self, enum ioasid_notify_val event,
			const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_SET_ALLOC)
		ioasid_set_put(args->set);
}

static void a_set_that_its_set_alloc_handler_ended_is_not_handed_out(void **state)
{
	struct listener all = LISTENER("all", 1, .act = end_new_set), next = LISTENER("next", 0);

	(void)state;
	listen(NULL, &all);
	listen(NULL, &next);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, 3, IOASID_SET_TYPE_NULL)), -EINVAL);
	assert_heard("all SET_ALLOC, next SET_ALLOC, all SET_FREE, next SET_FREE");
	leave(NULL, &all);
	leave(NULL, &next);
}

static void free_next(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_FREE)
		ioasid_free(NULL, args->id + 1);
}

/* Freeing must always succeed, however deep in handlers: the limit is for what creates something. */
static void a_chain_of_frees_is_never_refused(void **state)
{
	struct listener all = LISTENER(NULL, 1, .act = free_next), next = LISTENER(NULL, 0);
	ioasid_t first = INVALID_IOASID;

	(void)state;
	for (int i = 0; i < 500; i++) {
		ioasid_t id = new_id(NULL, NULL);

		if (!pasid_valid(first))
			first = id;
	}
	listen(NULL, &all);
	listen(NULL, &next);
	ioasid_free(NULL, first);
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(all.count, 500);
	assert_int_equal(next.count, 500);
	leave(NULL, &all);
	leave(NULL, &next);
}

static void never_enough(struct listener *self, enum ioasid_notify_val event,
			 const struct ioasid_nb_args *args)
{
	struct ioasid_set *set;

	(void)self;
	switch (event) {
	case IOASID_NOTIFY_ALLOC:
		ioasid_alloc(args->set, ANY, NULL);
		break;
	case IOASID_NOTIFY_BIND:
		ioasid_detach_spid(args->id);
		break;
	case IOASID_NOTIFY_UNBIND:
		ioasid_attach_spid(args->id, 1);
		break;
	case IOASID_NOTIFY_FREE:
		ioasid_alloc(args->set, ANY, NULL);
		break;
	case IOASID_NOTIFY_SET_ALLOC:
		set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
		if (!IS_ERR(set))
			ioasid_set_put(set);
		break;
	default:
		break;
	}
}

/* Each of these would otherwise go on until the stack is used up. */
static void handlers_that_never_stop_are_stopped(void **state)
{
	struct listener own = LISTENER(NULL, 0, .act = never_enough);
	struct ioasid_set *set = new_set(0);
	ioasid_t id;

	(void)state;
	listen(set, &own);
	id = new_id(set, NULL);
	assert_in_range(read_stats().live, 2, 100);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	ioasid_free_all_in_set(set);
	leave(set, &own);
	listen(NULL, &own);
	ioasid_set_put(new_set(0));
	leave(NULL, &own);
	ioasid_set_put(set);
	assert_in_range(own.count, 100, 100000);
}

/* ---- other threads ---- */

static atomic_t stop;

static void *read_and_look(void *data)
{
	struct ioasid_set *set = data;
	unsigned long found = 0;

	while (!atomic_read(&stop)) {
		ioasid_t id = ioasid_find_by_spid(set, 1);

		if (pasid_valid(id)) {
			found++;
			ioasid_put(set, id);
		}
		ioasid_find(set, 0, accept);
	}
	return (void *)found;
}

static void reference(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	bool *holds = self->data;

	if (event == IOASID_NOTIFY_BIND && !*holds)
		*holds = ioasid_get_locked(args->set, args->id) == 0;
	if ((event == IOASID_NOTIFY_UNBIND || event == IOASID_NOTIFY_FREE) && *holds) {
		ioasid_put_locked(args->set, args->id);
		*holds = false;
	}
}

/* The subscriber's references stay balanced, whatever others do with the same id. */
static void handlers_keep_their_books_while_others_race(void **state)
{
	bool holds = false;
	struct listener kvm = LISTENER(NULL, 1, .act = reference, .data = &holds);
	struct ioasid_set *set = new_set(1);
	pthread_t threads[2];

	(void)state;
	atomic_set(&stop, 0);
	listen(set, &kvm);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_and_look, set), 0);
	for (unsigned int i = 0; i < loops(2000); i++) {
		ioasid_t id = ioasid_alloc(set, ANY, NULL);

		/* The finder may have the last one for a moment. */
		if (!pasid_valid(id))
			continue;
		assert_int_equal(ioasid_attach_spid(id, 1), 0);
		if (i % 2)
			assert_int_equal(ioasid_detach_spid(id), 0);
		ioasid_free(set, id);
		assert_false(holds);
	}
	atomic_set(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCHED_TEST(handlers_may_call_everything),
		WATCHED_TEST(handlers_of_a_replay_may_call_everything),
		WATCHED_TEST(getters_may_call_everything),
		WATCHED_TEST(walkers_may_call_everything),
		WATCHED_TEST(allocators_may_call_everything),
		WATCHED_TEST(work_items_may_call_everything),
		WATCHED_TEST(the_last_mmput_in_a_handler_frees_the_pasid),
		WATCHED_TEST(everybody_hears_what_handlers_cause_in_the_same_order),
		WATCHED_TEST(an_id_that_its_alloc_handler_freed_is_not_handed_out),
		WATCHED_TEST(a_set_that_its_set_alloc_handler_ended_is_not_handed_out),
		WATCHED_TEST(a_chain_of_frees_is_never_refused),
		WATCHED_TEST(handlers_that_never_stop_are_stopped),
		WATCHED_TEST(handlers_keep_their_books_while_others_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
