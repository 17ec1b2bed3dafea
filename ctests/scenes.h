/* SPDX-License-Identifier: MIT */
/* Scenes: what a thread may be in, in the core, when something happens to its process. */
#ifndef IOASID_CTESTS_SCENES_H
#define IOASID_CTESTS_SCENES_H

#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#include <linux/atomic.h>
#include <linux/ioasid-log.h>

/* Whose threads sleep in callbacks. */
static pid_t parent;

static bool is_parent(void)
{
	return getpid() == parent;
}

static void wait_for(atomic_t *flag, int value)
{
	while (atomic_read_acquire(flag) < value)
		usleep(100);
}

/* ---- the stage ---- */

#define QUOTA 20

/* What the scenes play with. */
static struct {
	atomic_t ready, may_go, stop;
	struct ioasid_set *set; /* of all that follows; NULL when it was put */
	struct ioasid_set *its_set; /* the same, also then */
	unsigned int ends; /* how often a child is to hear of its end */
	struct ioasid_set *made; /* one more, or NULL */
	ioasid_t kept; /* ACTIVE, has data and an SPID, 2 references */
	ioasid_t fading; /* freed, 1 reference */
	ioasid_t freed; /* what a scene frees, if it does */
	bool holds_freed; /* and has one more reference to */
	struct notifier_block sleeper; /* to the set or to all, before the others */
	bool hears_all, hears_set;
	enum ioasid_notify_val event; /* what it sleeps in */
	bool is_custom; /* ids are a custom allocator's */
	bool keeps_copies; /* a thread holds memory that is no id's or set's */
	FILE *trace;
	bool has_history;
	char data[2];
} stage;

/* Hears, behind the sleeper, how often the set ends. */
static unsigned int ends_told;

static int count_ends(struct notifier_block *nb, unsigned long event, void *args)
{
	const struct ioasid_nb_args *of = args;

	(void)nb;
	if (event == IOASID_NOTIFY_SET_FREE && of->set == stage.its_set)
		ends_told++;
	return NOTIFY_OK;
}

static struct notifier_block counter = { .notifier_call = count_ends };

static void is_ready(void)
{
	atomic_inc_return(&stage.ready);
}

/* In the parent; the child runs through. */
static void fall_asleep(void)
{
	if (!is_parent() || atomic_read(&stage.may_go))
		return;
	is_ready();
	wait_for(&stage.may_go, 1);
}

static int sleep_in_handler(struct notifier_block *nb, unsigned long event, void *args)
{
	const struct ioasid_nb_args *of = args;

	(void)nb;
	if (event == IOASID_NOTIFY_SET_ALLOC && is_parent())
		stage.made = of->set;
	if (event == stage.event)
		fall_asleep();
	return NOTIFY_OK;
}

static enum { NOWHERE, IN_ALLOC, IN_FREE } allocator_sleeps;
static ioasid_t next_custom;

static ioasid_t custom_alloc(ioasid_t min, ioasid_t max, void *data)
{
	(void)min, (void)max, (void)data;
	if (allocator_sleeps == IN_ALLOC)
		fall_asleep();
	return next_custom++;
}

static void custom_free(ioasid_t id, void *data)
{
	(void)id, (void)data;
	if (allocator_sleeps == IN_FREE)
		fall_asleep();
}

static struct ioasid_allocator_ops custom = { .alloc = custom_alloc, .free = custom_free };

static bool sleep_in_getter(void *data)
{
	(void)data;
	fall_asleep();
	return true;
}

static void sleep_in_visitor(ioasid_t id, void *data)
{
	(void)id, (void)data;
	fall_asleep();
}

static void sleep_in_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	fall_asleep();
}

static ssize_t sleep_in_write(void *cookie, const char *text, size_t size)
{
	(void)cookie, (void)text;
	fall_asleep();
	return (ssize_t)size;
}

static FILE *open_sleepy(void)
{
	FILE *file = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = sleep_in_write });

	assert_non_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	return file;
}

/* ---- what another thread does ---- */

static void find_kept(void)
{
	ioasid_find(stage.set, stage.kept, sleep_in_getter);
}

static void replace_kept(void)
{
	is_ready();
	ioasid_attach_data(stage.kept, &stage.data[1]);
}

static void alloc_one(void)
{
	stage.freed = ioasid_alloc(stage.set, ANY, NULL);
}

static void free_one(void)
{
	ioasid_free(stage.set, stage.freed);
}

static void put_one(void)
{
	ioasid_put(stage.set, stage.freed);
}

static void bind_one(void)
{
	ioasid_attach_spid(stage.freed, 5);
}

static void unbind_kept(void)
{
	ioasid_detach_spid(stage.kept);
}

static void make_a_set(void)
{
	stage.made = ioasid_set_alloc(&stage, 3, IOASID_SET_TYPE_NULL);
}

static void put_the_set(void)
{
	struct ioasid_set *set = stage.set;

	stage.set = NULL;
	ioasid_set_put(set);
}

static void sweep_the_set(void)
{
	ioasid_free_all_in_set(stage.set);
}

static void visit_all(void)
{
	ioasid_set_for_each_ioasid(stage.set, sleep_in_visitor, NULL);
}

static void be_refused(void)
{
	ioasid_get(NULL, INVALID_IOASID);
}

static void write_a_trace(void)
{
	ioasid_free(stage.set, ioasid_alloc(stage.set, ANY, NULL));
}

static void dump_slowly(void)
{
	FILE *file = open_sleepy();

	ioasid_dump(file);
	fclose(file);
}

static void replace_the_sink(void)
{
	is_ready();
	ioasid_set_log(NULL, NULL);
}

static void wait_for_the_lock(void)
{
	is_ready();
	read_stats();
}

/* Everything at once, as fast as it goes. */
static void visit(ioasid_t id, void *data)
{
	(void)id, (void)data;
}

static void change_on_and_on(void)
{
	struct notifier_block nb = { .notifier_call = count_ends };

	is_ready();
	while (!atomic_read(&stage.stop)) {
		struct ioasid_set *set = ioasid_set_alloc(NULL, 2, IOASID_SET_TYPE_NULL);
		ioasid_t id = ioasid_alloc(set, ANY, &stage);

		ioasid_attach_spid(id, 1);
		ioasid_get(set, id);
		ioasid_register_notifier(set, &nb);
		ioasid_attach_data(id, NULL);
		ioasid_free(set, id);
		ioasid_set_for_each_ioasid(set, visit, NULL);
		ioasid_put(set, id);
		ioasid_unregister_notifier(set, &nb);
		ioasid_set_put(set);
	}
}

static void alloc_on_and_on(void)
{
	is_ready();
	while (!atomic_read(&stage.stop)) {
		ioasid_t id = ioasid_alloc(NULL, ANY, NULL);

		ioasid_attach_spid(id, 3);
		ioasid_free(NULL, id);
	}
}

/* ---- the scenes ---- */

/* What a scene needs to be there before its threads are. */

static void nothing(void)
{
}

static void have_one(void)
{
	stage.freed = ioasid_alloc(stage.set, ANY, NULL);
}

static void have_one_held(void)
{
	have_one();
	stage.holds_freed = ioasid_get(stage.set, stage.freed) == 0;
}

static void have_a_sleepy_sink(void)
{
	ioasid_set_log(sleep_in_sink, NULL);
	ioasid_set_log_level(4);
}

/* The warning that a handler cannot stop this is logged with the lock held. */
static int stop_it(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb, (void)event, (void)args;
	return NOTIFY_STOP;
}

static struct notifier_block stopper = { .notifier_call = stop_it, .priority = 5 };

static void have_a_stopper(void)
{
	have_one();
	have_a_sleepy_sink();
	assert_int_equal(ioasid_register_notifier(stage.set, &stopper), 0);
}

static void have_a_trace(void)
{
	stage.trace = open_sleepy();
	assert_int_equal(ioasid_trace_start(stage.trace), 0);
}

static void have_a_fast_trace(void)
{
	stage.trace = fopen("/dev/null", "w");
	assert_non_null(stage.trace);
	assert_int_equal(ioasid_trace_start(stage.trace), 0);
}

static void have_a_history(void)
{
	stage.has_history = ioasid_history_start() == 0;
	assert_true(stage.has_history);
}

static void have_both(void)
{
	have_a_fast_trace();
	have_a_history();
}

static int sleep_in_the_loader(struct dl_phdr_info *module, size_t size, void *data)
{
	(void)module, (void)size, (void)data;
	fall_asleep();
	return 1;
}

/* The C library cannot load its unwinder in a child of this. */
static void have_the_unwinder(void)
{
	have_a_history();
	ioasid_history_stop();
	stage.has_history = false;
}

/* As an unwinder or a profiler, or a dlopen() elsewhere: the loader's lock is taken. */
static void stay_in_the_loader(void)
{
	dl_iterate_phdr(sleep_in_the_loader, NULL);
}

#define IN(event_, to_) .event = IOASID_NOTIFY_##event_, .hears_##to_ = true

static const struct scene {
	const char *name;
	bool is_custom, hears_all, hears_set, keeps_copies;
	enum ioasid_notify_val event;
	int allocator_sleeps;
	void (*prepare)(void);
	void (*others[2])(void);
	bool goes_on;
} scenes[] = {
	{ "nothing", .prepare = nothing },
	{ "a getter", .prepare = nothing, .others = { find_kept } },
	{ "attach_data", .prepare = nothing, .others = { find_kept, replace_kept } },
	{ "a handler of ALLOC", IN(ALLOC, set), .prepare = nothing, .others = { alloc_one } },
	{ "a handler of FREE", IN(FREE, set), .prepare = have_one, .others = { free_one } },
	{ "a handler of FREE to all", IN(FREE, all), .prepare = have_one_held,
	  .others = { free_one } },
	{ "a handler of FREE by a put", IN(FREE, set), .prepare = have_one, .others = { put_one } },
	{ "a handler of FREE, custom", .is_custom = true, IN(FREE, set), .prepare = have_one,
	  .others = { free_one } },
	{ "a handler of BIND", IN(BIND, set), .prepare = have_one, .others = { bind_one } },
	{ "a handler of UNBIND", IN(UNBIND, set), .prepare = nothing, .others = { unbind_kept } },
	{ "a handler of SET_ALLOC", IN(SET_ALLOC, all), .prepare = nothing,
	  .others = { make_a_set } },
	{ "a handler of SET_FREE", IN(SET_FREE, all), .prepare = have_one_held,
	  .others = { put_the_set } },
	{ "a handler of a set's FREE", IN(FREE, set), .prepare = have_one,
	  .others = { put_the_set } },
	{ "a handler of a sweep's FREE", IN(FREE, set), .prepare = have_one_held,
	  .others = { sweep_the_set } },
	{ "a custom set's FREE", .is_custom = true, IN(FREE, all), .prepare = have_one,
	  .others = { put_the_set } },
	{ "alloc of an allocator", .is_custom = true, .allocator_sleeps = IN_ALLOC,
	  .prepare = nothing, .others = { alloc_one } },
	{ "free of an allocator", .is_custom = true, .allocator_sleeps = IN_FREE,
	  .prepare = have_one, .others = { free_one } },
	{ "free of an allocator, by set_put", .is_custom = true, .allocator_sleeps = IN_FREE,
	  .prepare = have_one, .others = { put_the_set } },
	{ "a visitor", .keeps_copies = true, .prepare = nothing, .others = { visit_all } },
	{ "a sink", .prepare = have_a_sleepy_sink, .others = { be_refused } },
	{ "a sink, with the lock", .prepare = have_a_stopper, .others = { free_one } },
	{ "set_log", .prepare = have_a_sleepy_sink, .others = { be_refused, replace_the_sink } },
	{ "a trace's stream", .prepare = have_a_trace, .others = { write_a_trace } },
	{ "a dump's stream", .keeps_copies = true, .prepare = nothing, .others = { dump_slowly } },
	{ "waiting for the lock", IN(ALLOC, set), .prepare = nothing,
	  .others = { alloc_one, wait_for_the_lock } },
	{ "everything", .keeps_copies = true, .prepare = nothing,
	  .others = { change_on_and_on, change_on_and_on }, .goes_on = true },
	{ "events", .hears_all = true, .prepare = nothing,
	  .others = { alloc_on_and_on, change_on_and_on }, .keeps_copies = true, .goes_on = true },
	{ "everything, traced", .keeps_copies = true, .prepare = have_a_fast_trace,
	  .others = { change_on_and_on, alloc_on_and_on }, .goes_on = true },
	{ "everything, with a history", .keeps_copies = true, .prepare = have_a_history,
	  .others = { change_on_and_on, alloc_on_and_on }, .goes_on = true },
	{ "everything, with both", .keeps_copies = true, .prepare = have_both,
	  .others = { change_on_and_on, alloc_on_and_on }, .goes_on = true },
	/* The last one. */
	{ "the loader", .hears_all = true, .prepare = have_the_unwinder,
	  .others = { stay_in_the_loader } },
};

/* Without the last one where a sanitizer, or valgrind at the end of a process, waits for that lock. */
#define SCENES \
	(sizeof(scenes) / sizeof(scenes[0]) - \
	 (UNDER_ASAN || UNDER_TSAN || under_valgrind()))

static void *play(void *part)
{
	(*(void (*const *)(void))part)();
	return NULL;
}

static void set_the_stage(const struct scene *scene)
{
	memset(&stage, 0, sizeof(stage));
	ends_told = 0;
	stage.freed = INVALID_IOASID;
	stage.event = scene->event;
	stage.keeps_copies = scene->keeps_copies;
	stage.is_custom = scene->is_custom;
	allocator_sleeps = NOWHERE;
	next_custom = 1 << 24;
	if (scene->is_custom)
		assert_int_equal(ioasid_register_allocator(&custom), 0);
	stage.set = stage.its_set = new_set(QUOTA);
	stage.kept = new_id(stage.set, &stage.data[0]);
	assert_int_equal(ioasid_attach_spid(stage.kept, 1), 0);
	assert_int_equal(ioasid_get(stage.set, stage.kept), 0);
	stage.fading = new_id(stage.set, NULL);
	assert_int_equal(ioasid_get(stage.set, stage.fading), 0);
	ioasid_free(stage.set, stage.fading);
	scene->prepare();
	stage.sleeper = (struct notifier_block){ .notifier_call = sleep_in_handler, .priority = 9 };
	stage.hears_all = scene->hears_all;
	stage.hears_set = scene->hears_set;
	if (scene->hears_all)
		assert_int_equal(ioasid_register_notifier(NULL, &stage.sleeper), 0);
	if (scene->hears_set)
		assert_int_equal(ioasid_register_notifier(stage.set, &stage.sleeper), 0);
	if (scene->hears_all || scene->hears_set)
		assert_int_equal(ioasid_register_notifier(NULL, &counter), 0);
	allocator_sleeps = scene->allocator_sleeps;
}

static inline void begin_scene(const struct scene *scene, pthread_t *threads)
{
	set_the_stage(scene);
	if (scene->others[0] == put_the_set && scene->event == IOASID_NOTIFY_FREE)
		stage.ends = 1;
	for (int i = 0; i < 2 && scene->others[i]; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, play, (void *)&scene->others[i]),
				 0);
		wait_for(&stage.ready, i + 1);
	}
	/* Those that said they are ready before they wait get there. */
	usleep(2000);
}

/* Ends all that a scene has: whoever does it, nothing may be left afterwards. */
static void clear_the_stage(void)
{
	struct ioasid_set *set = stage.set;

	ioasid_set_log(NULL, NULL);
	ioasid_set_log_level(-1);
	if (stage.trace)
		ioasid_trace_stop();
	if (stage.has_history)
		ioasid_history_stop();
	if (stage.hears_all)
		ioasid_unregister_notifier(NULL, &stage.sleeper);
	if (stage.hears_all || stage.hears_set)
		ioasid_unregister_notifier(NULL, &counter);
	stage.set = NULL;
	/* What others hold is theirs; freeing what is being freed changes nothing. */
	if (set)
		ioasid_set_put(set);
	if (stage.made)
		ioasid_set_put(stage.made);
	ioasid_put(NULL, stage.kept);
	ioasid_put(NULL, stage.fading);
	if (stage.holds_freed)
		ioasid_put(NULL, stage.freed);
	if (stage.is_custom)
		ioasid_unregister_allocator(&custom);
}

#endif
