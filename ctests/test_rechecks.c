/* SPDX-License-Identifier: MIT */
/* What a request must look at again after users' code ran in the middle of it. */
#define _GNU_SOURCE
#include <stdio.h>

#include "listener.h"

/* ---- a stream that calls back: users' code between two steps that need no lock ---- */

struct stream {
	/* What is done when a line with this text is written; once. */
	const char *on;
	void (*what)(struct ioasid_set *set, ioasid_t id);
	struct ioasid_set *set;
	ioasid_t id;
	unsigned int lines;
};

static ssize_t write_line(void *cookie, const char *text, size_t size)
{
	struct stream *stream = cookie;

	stream->lines++;
	if (stream->what && memmem(text, size, stream->on, strlen(stream->on))) {
		struct stream now = *stream;

		stream->what = NULL;
		now.what(now.set, now.id);
	}
	return (ssize_t)size;
}

static FILE *trace_to(struct stream *stream)
{
	cookie_io_functions_t functions = { .write = write_line };
	FILE *out = fopencookie(stream, "w", functions);

	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(ioasid_trace_start(out), 0);
	return out;
}

static void stop_trace(FILE *out)
{
	ioasid_trace_stop();
	fclose(out);
}

/* ---- allocation ---- */

static void free_and_take_again(struct listener *self, enum ioasid_notify_val event,
				const struct ioasid_nb_args *args)
{
	struct ioasid_set *set = args->set;
	ioasid_t id = args->id;

	if (event != IOASID_NOTIFY_ALLOC)
		return;
	self->act = NULL;
	ioasid_free(set, id);
	assert_int_equal(ioasid_alloc(set, id, id, self), id);
}

/* The number is in use, by the handler: it must not be handed out twice. */
static void a_number_that_its_alloc_handler_took_is_not_the_callers(void **state)
{
	struct listener thief = LISTENER("thief", 0, .act = free_and_take_again);
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &thief);
	assert_int_equal(ioasid_alloc(set, 5, 5, NULL), INVALID_IOASID);
	assert_heard("thief ALLOC 5, thief FREE 5, thief ALLOC 5");
	assert_ptr_equal(ioasid_find(set, 5, NULL), &thief);
	assert_int_equal(references(5), 1);
	leave(set, &thief);
	free_id(5);
	ioasid_set_put(set);
}

static void put_and_take_again(struct listener *self, enum ioasid_notify_val event,
			       const struct ioasid_nb_args *args)
{
	struct ioasid_set *set = args->set;
	ioasid_t id = args->id;

	if (event != IOASID_NOTIFY_FREE)
		return;
	self->act = NULL;
	/* The allocator's own reference, which is not ours to put. */
	assert_true(ioasid_put(set, id));
	assert_int_equal(ioasid_alloc(set, id, id, self), id);
}

/* The reference that is dropped after FREE was told is that of the life that ended. */
static void a_number_taken_again_in_its_free_handler_stays(void **state)
{
	struct listener greedy = LISTENER("greedy", 0, .act = put_and_take_again);
	struct ioasid_set *set = new_set(0);

	(void)state;
	assert_int_equal(ioasid_alloc(set, 5, 5, NULL), 5);
	listen(set, &greedy);
	ioasid_free(set, 5);
	assert_heard("greedy FREE 5, greedy ALLOC 5");
	assert_ptr_equal(ioasid_find(set, 5, NULL), &greedy);
	assert_true(ioasid_is_active(5));
	assert_int_equal(references(5), 1);
	leave(set, &greedy);
	free_id(5);
	ioasid_set_put(set);
}

static ioasid_t next_custom = 1000;

static ioasid_t pick_next(ioasid_t min, ioasid_t max, void *data)
{
	(void)min;
	(void)max;
	(void)data;
	return next_custom++;
}

static void take_back(ioasid_t id, void *data)
{
	(void)data;
	/* The last one of its group: it is told what went, in order. */
	assert_false(ioasid_is_active(id));
}

/* A subscriber to all, a custom allocator, a trace: none is forgotten when another comes or goes. */
static void who_comes_or_goes_hides_none_of_the_others(void **state)
{
	struct listener all = LISTENER("all", 0);
	struct ioasid_allocator_ops ops = { .alloc = pick_next, .free = take_back };
	struct stream stream = { .on = "" };
	FILE *out = NULL;

	(void)state;
	for (unsigned int order = 0; order < 6; order++) {
		static const unsigned char orders[6][3] = {
			{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
			{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
		};
		bool has[3] = { false };

		/* They come in one order and go in the same: with one, two and three there. */
		for (unsigned int step = 0; step < 6; step++) {
			unsigned int which = orders[order][step % 3];
			unsigned int heard = all.count;
			ioasid_t id;

			has[which] = step < 3;
			if (which == 0 && has[0])
				listen(NULL, &all);
			else if (which == 0)
				leave(NULL, &all);
			else if (which == 1 && has[1])
				assert_int_equal(ioasid_register_allocator(&ops), 0);
			else if (which == 1)
				ioasid_unregister_allocator(&ops);
			else if (has[2])
				out = trace_to(&stream);
			else
				stop_trace(out);
			stream.lines = 0;
			id = new_id(NULL, NULL);
			assert_int_equal(id >= 1000, has[1]);
			free_id(id);
			assert_int_equal(all.count - heard, has[0]);
			assert_int_equal(stream.lines != 0, has[2]);
		}
	}
	journal[0] = '\0';
}

/* ---- references ---- */

static void put_the_other(struct listener *self, enum ioasid_notify_val event,
			  const struct ioasid_nb_args *args)
{
	ioasid_t *other = self->data;

	if (event != IOASID_NOTIFY_ALLOC || !pasid_valid(*other))
		return;
	/* Its only reference: but those who are told of this first take another one. */
	assert_false(ioasid_put(args->set, *other));
}

static void get_the_other(struct listener *self, enum ioasid_notify_val event,
			  const struct ioasid_nb_args *args)
{
	ioasid_t *other = self->data;

	if (event == IOASID_NOTIFY_ALLOC)
		assert_int_equal(ioasid_get(args->set, *other), 0);
}

static void a_last_put_is_not_the_last_if_somebody_gets_meanwhile(void **state)
{
	ioasid_t other;
	struct listener first = LISTENER("first", 1, .act = put_the_other, .data = &other);
	struct listener next = LISTENER("next", 0, .act = get_the_other, .data = &other);
	struct ioasid_set *set = new_set(0);

	(void)state;
	other = new_id(set, NULL);
	listen(set, &first);
	listen(set, &next);
	assert_int_equal(new_id(set, NULL), 1);
	assert_heard("first ALLOC 1, next ALLOC 1");
	assert_int_equal(references(other), 1);
	assert_true(ioasid_is_active(other));
	leave(set, &first);
	leave(set, &next);
	assert_true(ioasid_put(set, other));
	ioasid_set_put(set);
}

/* ---- SPIDs ---- */

enum { OLD = 3, NEW = 4, OTHER = 9 };

struct plan {
	struct ioasid_set *set;
	ioasid_t id, other;
};

static void free_it(const struct plan *plan)
{
	ioasid_free(plan->set, plan->id);
}

static void take_it_again(const struct plan *plan)
{
	ioasid_free(plan->set, plan->id);
	assert_int_equal(ioasid_alloc(plan->set, plan->id, plan->id, NULL), plan->id);
}

static void take_it_again_with_an_spid(const struct plan *plan)
{
	take_it_again(plan);
	assert_int_equal(ioasid_attach_spid(plan->id, OTHER), 0);
}

/* The new life has an SPID and is not bound. */
static void take_it_again_with_an_unbound_spid(const struct plan *plan)
{
	take_it_again_with_an_spid(plan);
	assert_int_equal(ioasid_notify(plan->id, IOASID_UNBIND, IOASID_NOTIFY_SET), 0);
}

static void bind_it(const struct plan *plan)
{
	assert_int_equal(ioasid_notify(plan->id, IOASID_BIND, IOASID_NOTIFY_SET), 0);
}

static void bind_it_otherwise(const struct plan *plan)
{
	assert_int_equal(ioasid_attach_spid(plan->id, OTHER), 0);
}

static void give_it_away(const struct plan *plan)
{
	assert_int_equal(ioasid_attach_spid(plan->other, NEW), 0);
}

static void detach_it(const struct plan *plan)
{
	assert_int_equal(ioasid_detach_spid(plan->id), 0);
}

struct unbinder {
	struct listener listener;
	struct plan plan;
	void (*what)(const struct plan *plan);
};

static void act_on_unbind(struct listener *self, enum ioasid_notify_val event,
			  const struct ioasid_nb_args *args)
{
	struct unbinder *unbinder = (struct unbinder *)self;

	if (event != IOASID_NOTIFY_UNBIND || args->id != unbinder->plan.id)
		return;
	self->act = NULL;
	unbinder->what(&unbinder->plan);
}

struct outcome {
	void (*what)(const struct plan *plan);
	int result;
	/* SPID of the id afterwards, and who is found by these SPIDs. */
	ioasid_t spid, by_old, by_new, by_other;
};

#define NOBODY INVALID_IOASID

static void check_outcomes(const struct outcome *outcomes, size_t count,
			   int (*request)(ioasid_t id))
{
	for (size_t i = 0; i < count; i++) {
		struct unbinder unbinder = {
			.listener = LISTENER(NULL, 0, .act = act_on_unbind),
			.what = outcomes[i].what,
		};
		struct ioasid_set *set = new_set(0);
		struct plan *plan = &unbinder.plan;

		plan->set = set;
		plan->id = new_id(set, NULL);
		plan->other = new_id(set, NULL);
		assert_int_equal(ioasid_attach_spid(plan->id, OLD), 0);
		listen(set, &unbinder.listener);
		assert_int_equal(request(plan->id), outcomes[i].result);
		assert_int_equal(ioasid_find_spid(plan->id), outcomes[i].spid);
		assert_int_equal(ioasid_find_by_spid_ref(set, OLD, false), outcomes[i].by_old);
		assert_int_equal(ioasid_find_by_spid_ref(set, NEW, false), outcomes[i].by_new);
		assert_int_equal(ioasid_find_by_spid_ref(set, OTHER, false), outcomes[i].by_other);
		/* And the index is whole: an SPID can be given and taken once more. */
		leave(set, &unbinder.listener);
		assert_int_equal(ioasid_attach_spid(plan->other, 77), 0);
		assert_int_equal(ioasid_find_by_spid_ref(set, 77, false), plan->other);
		ioasid_set_put(set);
	}
}

static int attach_new(ioasid_t id)
{
	return ioasid_attach_spid(id, NEW);
}

static void attaching_looks_again_after_unbind_was_told(void **state)
{
	static const struct outcome outcomes[] = {
		{ free_it, -EBUSY, NOBODY, NOBODY, NOBODY, NOBODY },
		{ take_it_again, -EBUSY, NOBODY, NOBODY, NOBODY, NOBODY },
		{ take_it_again_with_an_spid, -EBUSY, OTHER, NOBODY, NOBODY, 0 },
		{ take_it_again_with_an_unbound_spid, -EBUSY, OTHER, NOBODY, NOBODY, 0 },
		{ bind_it, -EBUSY, OLD, 0, NOBODY, NOBODY },
		{ bind_it_otherwise, -EBUSY, OTHER, NOBODY, NOBODY, 0 },
		{ give_it_away, -EBUSY, OLD, 0, 1, NOBODY },
		{ detach_it, 0, NEW, NOBODY, 0, NOBODY },
	};

	(void)state;
	check_outcomes(outcomes, sizeof(outcomes) / sizeof(outcomes[0]), attach_new);
}

static void detaching_looks_again_after_unbind_was_told(void **state)
{
	static const struct outcome outcomes[] = {
		{ free_it, 0, NOBODY, NOBODY, NOBODY, NOBODY },
		{ take_it_again, 0, NOBODY, NOBODY, NOBODY, NOBODY },
		{ take_it_again_with_an_spid, 0, OTHER, NOBODY, NOBODY, 0 },
		{ take_it_again_with_an_unbound_spid, 0, OTHER, NOBODY, NOBODY, 0 },
		{ bind_it, 0, OLD, 0, NOBODY, NOBODY },
		{ bind_it_otherwise, 0, OTHER, NOBODY, NOBODY, 0 },
		{ give_it_away, 0, NOBODY, NOBODY, 1, NOBODY },
		{ detach_it, 0, NOBODY, NOBODY, NOBODY, NOBODY },
	};

	(void)state;
	check_outcomes(outcomes, sizeof(outcomes) / sizeof(outcomes[0]), ioasid_detach_spid);
}

/* A held id that its handler freed: its SPID stays with it, and goes when it is detached. */
static void hold_and_free_it(const struct plan *plan)
{
	assert_int_equal(ioasid_get(plan->set, plan->id), 0);
	ioasid_free(plan->set, plan->id);
}

static void detaching_a_pending_id_leaves_the_index_alone(void **state)
{
	struct unbinder unbinder = {
		.listener = LISTENER(NULL, 0, .act = act_on_unbind),
		.what = hold_and_free_it,
	};
	struct ioasid_set *set = new_set(0);

	(void)state;
	unbinder.plan.set = set;
	unbinder.plan.id = new_id(set, NULL);
	assert_int_equal(ioasid_attach_spid(0, OLD), 0);
	listen(set, &unbinder.listener);
	assert_int_equal(attach_new(0), -EBUSY);
	assert_int_equal(ioasid_find_spid(0), OLD);
	assert_int_equal(ioasid_detach_spid(0), 0);
	assert_int_equal(ioasid_find_spid(0), INVALID_IOASID);
	assert_true(ioasid_put(set, 0));
	ioasid_set_put(set);
}

/* ---- searches ---- */

static void lose_the_spid(struct ioasid_set *set, ioasid_t id)
{
	(void)set;
	assert_int_equal(ioasid_detach_spid(id), 0);
}

static void pass_the_spid_on(struct ioasid_set *set, ioasid_t id)
{
	(void)set;
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_int_equal(ioasid_attach_spid(id + 1, OLD), 0);
}

static void lose_it_and_end(struct ioasid_set *set, ioasid_t id)
{
	lose_the_spid(set, id);
	ioasid_free(set, id);
}

static void an_spid_that_is_lost_between_the_look_and_the_reference(void **state)
{
	struct stream stream = { .on = " get " };
	FILE *out;

	(void)state;
	stream.set = new_set(0);
	stream.id = new_id(stream.set, NULL);
	new_id(stream.set, NULL);

	/* Nobody has it any more: no reference is left behind. */
	assert_int_equal(ioasid_attach_spid(stream.id, OLD), 0);
	stream.what = lose_the_spid;
	out = trace_to(&stream);
	assert_int_equal(ioasid_find_by_spid(stream.set, OLD), INVALID_IOASID);
	stop_trace(out);
	assert_int_equal(references(stream.id), 1);

	/* Another one has it: the reference is to that. */
	assert_int_equal(ioasid_attach_spid(stream.id, OLD), 0);
	stream.what = pass_the_spid_on;
	out = trace_to(&stream);
	assert_int_equal(ioasid_find_by_spid(stream.set, OLD), stream.id + 1);
	stop_trace(out);
	assert_int_equal(references(stream.id), 1);
	assert_int_equal(references(stream.id + 1), 2);
	assert_false(ioasid_put(stream.set, stream.id + 1));
	assert_int_equal(ioasid_detach_spid(stream.id + 1), 0);

	/* The reference is the last there is: it had the SPID when it was found, and is the answer. */
	assert_int_equal(ioasid_attach_spid(stream.id, OLD), 0);
	stream.what = lose_it_and_end;
	out = trace_to(&stream);
	assert_int_equal(ioasid_find_by_spid(stream.set, OLD), stream.id);
	stop_trace(out);
	assert_int_equal(references(stream.id), 1);
	assert_false(ioasid_is_active(stream.id));
	assert_true(ioasid_put(stream.set, stream.id));
	ioasid_set_put(stream.set);
}

/* ---- subscribers of several deliveries at once ---- */

static struct listener *replaying;
static struct ioasid_set *replayed;

static void free_from_replay(struct listener *self, enum ioasid_notify_val event,
			     const struct ioasid_nb_args *args)
{
	struct ioasid_set *other = self->data;

	if (event != IOASID_NOTIFY_ALLOC || args->set == other)
		return;
	/* At 0 the rest is told first; in that, at 1, nothing is left to be told first. */
	if (args->id == 0)
		ioasid_free(other, 10);
	if (args->id == 1)
		ioasid_free(other, 11);
}

static void end_the_replay(struct listener *self, enum ioasid_notify_val event,
			   const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_FREE && args->id == 11)
		ioasid_unregister_notifier(replayed, &replaying->nb);
}

/* The one who leaves is the next of a delivery that is not the innermost. */
static void who_leaves_meanwhile_is_not_told_the_rest_of_a_replay(void **state)
{
	struct listener late = LISTENER("late", 0, .act = free_from_replay);
	struct listener judge = LISTENER("judge", 0, .act = end_the_replay);
	struct ioasid_set *set = new_set(0), *other = new_set(0);

	(void)state;
	for (ioasid_t id = 0; id < 4; id++)
		new_id(set, NULL);
	assert_int_equal(ioasid_alloc(other, 10, 10, NULL), 10);
	assert_int_equal(ioasid_alloc(other, 11, 11, NULL), 11);
	listen(other, &judge);
	replaying = &late;
	replayed = set;
	late.data = other;
	assert_int_equal(ioasid_register_notifier_replay(set, &late.nb), 0);
	assert_heard("late ALLOC 0, late ALLOC 1, judge FREE 11, judge FREE 10");
	/* It has left, so it can come again. */
	late.act = NULL;
	listen(set, &late);
	leave(set, &late);
	ioasid_set_put(set);
	ioasid_set_put(other);
	assert_heard("");
}

/* ---- how deep ---- */

static unsigned int depth, deepest;

static void go_deeper(void (*what)(const struct ioasid_nb_args *args),
		      const struct ioasid_nb_args *args)
{
	if (++depth > deepest)
		deepest = depth;
	what(args);
	depth--;
}

static ioasid_t allocated;

static void allocate_another(const struct ioasid_nb_args *args)
{
	if (pasid_valid(ioasid_alloc(args->set, ANY, NULL)))
		allocated++;
}

static void allocate_deeper(struct listener *self, enum ioasid_notify_val event,
			    const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_ALLOC)
		go_deeper(allocate_another, args);
}

/* 64 levels: what creates is refused in a handler that is the 64th inside the others. */
static void creating_is_refused_at_64_levels_and_not_before(void **state)
{
	struct listener eager = LISTENER(NULL, 0, .act = allocate_deeper);
	struct ioasid_set *set = new_set(0);
	uint64_t before = refused(IOASID_REFUSED_BUSY);

	(void)state;
	depth = deepest = 0;
	allocated = 1;
	listen(set, &eager);
	new_id(set, NULL);
	assert_int_equal(deepest, 64);
	assert_int_equal(allocated, 64);
	assert_int_equal(read_stats().live, 64);
	assert_int_equal(refused(IOASID_REFUSED_BUSY), before + 1);
	leave(set, &eager);
	/* It is as it was. */
	assert_true(pasid_valid(new_id(set, NULL)));
	ioasid_set_put(set);
}

static void free_the_next(const struct ioasid_nb_args *args)
{
	ioasid_free(NULL, args->id + 1);
}

static void free_deeper(struct listener *self, enum ioasid_notify_val event,
			const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_FREE)
		go_deeper(free_the_next, args);
}

/* What ends something is put off there, and told when the outermost call comes to its end. */
static unsigned int deepest_after;

static void note_depth(struct listener *self, enum ioasid_notify_val event,
		       const struct ioasid_nb_args *args)
{
	(void)self;
	(void)event;
	(void)args;
	if (depth > deepest_after)
		deepest_after = depth;
}

static void ending_is_put_off_at_64_levels_and_not_before(void **state)
{
	struct listener all = LISTENER(NULL, 0, .act = free_deeper);
	struct listener after = LISTENER(NULL, -1, .act = note_depth);

	(void)state;
	for (unsigned int count = 63; count <= 66; count++) {
		for (unsigned int i = 0; i < count; i++)
			new_id(NULL, NULL);
		depth = deepest = deepest_after = 0;
		all.count = 0;
		listen(NULL, &all);
		listen(NULL, &after);
		ioasid_free(NULL, 0);
		leave(NULL, &all);
		leave(NULL, &after);
		/* Where nothing more is told, the others are not told first either. */
		assert_int_equal(deepest_after, count < 64 ? count : 63);
		assert_int_equal(deepest, count < 64 ? count : 64);
		assert_int_equal(all.count, count);
		assert_int_equal(read_stats().live, 0);
	}
}

/* ids 0 ... 63 make the depth; here many end at once where nothing can be told. */
static struct ioasid_set *deep_set, *deep_sets[3];

static void end_many(const struct ioasid_nb_args *args)
{
	if (args->id < 63) {
		ioasid_free(NULL, args->id + 1);
		return;
	}
	for (ioasid_t id = 100; id < 105; id++) {
		ioasid_free(deep_set, id);
		/* Nobody was told yet: the allocator's own reference is not there to be taken. */
		ioasid_put(deep_set, id);
		ioasid_free(deep_set, id);
		assert_int_equal(references(id), 1);
		assert_false(ioasid_is_active(id));
	}
	for (int i = 0; i < 3; i++)
		ioasid_set_put(deep_sets[i]);
}

static void end_many_deep(struct listener *self, enum ioasid_notify_val event,
			  const struct ioasid_nb_args *args)
{
	(void)self;
	if (event == IOASID_NOTIFY_FREE && args->id < 64)
		go_deeper(end_many, args);
}

static void what_was_put_off_is_told_in_its_order(void **state)
{
	struct listener all = LISTENER(NULL, 0, .act = end_many_deep);
	struct listener own = LISTENER("own", 0), sets[3] = {
		LISTENER("one", 0),
		LISTENER("two", 0),
		LISTENER("three", 0),
	};

	(void)state;
	for (int i = 0; i < 64; i++)
		new_id(NULL, NULL);
	deep_set = new_set(0);
	for (ioasid_t id = 100; id < 105; id++)
		assert_int_equal(ioasid_alloc(deep_set, id, id, NULL), id);
	listen(deep_set, &own);
	for (int i = 0; i < 3; i++) {
		deep_sets[i] = new_set(0);
		assert_true(pasid_valid(ioasid_alloc(deep_sets[i], 200, 300, NULL)));
		listen(deep_sets[i], &sets[i]);
	}
	listen(NULL, &all);
	depth = 0;
	ioasid_free(NULL, 0);
	leave(NULL, &all);
	assert_heard("own FREE 100, own FREE 101, own FREE 102, own FREE 103, own FREE 104, "
		     "one FREE 200, two FREE 201, three FREE 202");
	leave(deep_set, &own);
	ioasid_set_put(deep_set);
	assert_int_equal(read_stats().live, 0);
}

static struct ioasid_set *innermost;

/* Each set that is created makes the next one, until that would be refused; the last is put at once. */
static void create_and_end(struct listener *self, enum ioasid_notify_val event,
			   const struct ioasid_nb_args *args)
{
	struct ioasid_set *made;

	if (event != IOASID_NOTIFY_SET_ALLOC)
		return;
	made = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	if (!innermost) {
		/* Refused: this is the 64th handler inside the others, where an end is put off. */
		assert_int_equal(PTR_ERR(made), -EBUSY);
		innermost = args->set;
		ioasid_set_put(args->set);
		return;
	}
	/* The call that made the innermost one says so; those further out get theirs. */
	if (!self->data) {
		assert_int_equal(PTR_ERR(made), -EINVAL);
		self->data = innermost;
		return;
	}
	assert_false(IS_ERR(made));
	ioasid_set_put(made);
}

static void a_set_that_was_ended_too_deep_is_not_handed_out(void **state)
{
	struct listener maker = LISTENER(NULL, 0, .act = create_and_end);
	struct ioasid_set *set;

	(void)state;
	innermost = NULL;
	listen(NULL, &maker);
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	assert_non_null(innermost);
	assert_non_null(maker.data);
	leave(NULL, &maker);
	assert_false(IS_ERR(set));
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_number_that_its_alloc_handler_took_is_not_the_callers),
		CLEAN_TEST(a_number_taken_again_in_its_free_handler_stays),
		CLEAN_TEST(who_comes_or_goes_hides_none_of_the_others),
		CLEAN_TEST(a_last_put_is_not_the_last_if_somebody_gets_meanwhile),
		CLEAN_TEST(attaching_looks_again_after_unbind_was_told),
		CLEAN_TEST(detaching_looks_again_after_unbind_was_told),
		CLEAN_TEST(detaching_a_pending_id_leaves_the_index_alone),
		CLEAN_TEST(an_spid_that_is_lost_between_the_look_and_the_reference),
		CLEAN_TEST(who_leaves_meanwhile_is_not_told_the_rest_of_a_replay),
		CLEAN_TEST(creating_is_refused_at_64_levels_and_not_before),
		CLEAN_TEST(ending_is_put_off_at_64_levels_and_not_before),
		CLEAN_TEST(what_was_put_off_is_told_in_its_order),
		CLEAN_TEST(a_set_that_was_ended_too_deep_is_not_handed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
