/* SPDX-License-Identifier: MIT */
/* fork() while other threads are in the core, and from where it calls out: each of these with each
 * thing that the child may do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>

#include "scenes.h"

#include <linux/sched/mm.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* What the parent's other threads had in hand is nobody's in a child, and no leak of the library. */
int __lsan_is_turned_off(void);
static bool is_child;
int __lsan_is_turned_off(void)
{
	return is_child;
}
#define begin_child() (is_child = true)
#endif
#if __has_feature(thread_sanitizer)
/* It would sleep for a second in each exit(). */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "atexit_sleep_ms=10:report_thread_leaks=0";
}
#endif
#endif
#ifndef begin_child
#define begin_child() ((void)0)
#endif

#define CHILD_SECONDS 20

static void end_scene(const struct scene *scene, const pthread_t *threads)
{
	atomic_set_release(&stage.may_go, 1);
	atomic_set_release(&stage.stop, 1);
	for (int i = 0; i < 2 && scene->others[i]; i++)
		pthread_join(threads[i], NULL);
	clear_the_stage();
	if (stage.trace)
		fclose(stage.trace);
	assert_true(nothing_is_left());
}

/* ---- what the child does; each returns 0 ---- */

/* Where the library refuses to wait for readers. */
static bool cannot_wait;

/* What the child of a fork in a callback does there. */
static int (*act_in_callback)(void);

static int alloc_and_free(void)
{
	char data;
	ioasid_t id = ioasid_alloc(NULL, ANY, &data);

	child_assert(pasid_valid(id));
	child_assert(ioasid_find(NULL, id, NULL) == &data);
	child_assert(ioasid_attach_spid(id, 77) == 0);
	child_assert(ioasid_find_by_spid_ref(NULL, 77, false) == id);
	ioasid_free(NULL, id);
	child_assert(ioasid_find(NULL, id, NULL) == ERR_PTR(-ENOENT));
	return 0;
}

static int get_and_put(void)
{
	/* Its set may be on its way out. */
	if (!stage.set)
		return 0;
	if (ioasid_is_active(stage.kept)) {
		child_assert(ioasid_get(stage.set, stage.kept) == 0);
		child_assert(!ioasid_put(stage.set, stage.kept));
	}
	child_assert(ioasid_put(stage.set, stage.fading));
	child_assert(ioasid_find(NULL, stage.fading, NULL) == ERR_PTR(-ENOENT));
	return 0;
}

static int replace_its_data(void)
{
	void *old = ioasid_find(NULL, stage.kept, NULL);
	char other;

	child_assert(old == &stage.data[0] || old == &stage.data[1]);
	child_assert(ioasid_attach_data(stage.kept, &other) == (cannot_wait ? -EDEADLK : 0));
	child_assert(ioasid_find(NULL, stage.kept, NULL) == (cannot_wait ? old : &other));
	child_assert(ioasid_attach_data(stage.kept, old) == 0);
	return 0;
}

static int use_its_set(void)
{
	ioasid_t ids[QUOTA];
	int count = 0;

	if (!stage.set)
		return 0;
	ioasid_set_get(stage.set);
	while (count < QUOTA && pasid_valid(ids[count] = ioasid_alloc(stage.set, ANY, NULL)))
		count++;
	/* All but what the stage has; what was asked for when fork() came is not charged. */
	child_assert(count >= QUOTA - 3);
	while (count--)
		ioasid_free(stage.set, ids[count]);
	ioasid_set_put(stage.set);
	return 0;
}

static int make_sets(void)
{
	struct ioasid_set *set = ioasid_set_alloc(&cannot_wait, 5, IOASID_SET_TYPE_NULL);

	child_assert(!IS_ERR(set));
	child_assert(pasid_valid(ioasid_alloc(set, ANY, NULL)));
	child_assert(ioasid_set_alloc(&cannot_wait, 5, IOASID_SET_TYPE_NULL) == ERR_PTR(-EEXIST));
	ioasid_set_put(set);
	set = ioasid_set_alloc(&cannot_wait, 5, IOASID_SET_TYPE_NULL);
	child_assert(!IS_ERR(set));
	ioasid_set_put(set);
	return 0;
}

static int subscribe_and_leave(void)
{
	struct recorder recorder = RECORDER(1);
	struct mm_struct mm;
	ioasid_t id;

	child_assert(ioasid_register_notifier(NULL, &recorder.nb) == 0);
	id = ioasid_alloc(stage.set, ANY, NULL);
	ioasid_free(NULL, id);
	ioasid_unregister_notifier(NULL, &recorder.nb);
	child_assert(recorder.count > 0);
	child_assert(ioasid_register_notifier_mm(&mm, &recorder.nb) == 0);
	ioasid_unregister_notifier_mm(&mm, &recorder.nb);
	child_assert(ioasid_register_notifier_replay(NULL, &recorder.nb) == 0);
	ioasid_unregister_notifier(NULL, &recorder.nb);
	return 0;
}

static void count_visit(ioasid_t id, void *visits)
{
	(void)id;
	++*(unsigned int *)visits;
}

static int walk_its_set(void)
{
	unsigned int visits = 0;

	if (!stage.set)
		return 0;
	child_assert(ioasid_set_for_each_ioasid(stage.set, count_visit, &visits) == 0);
	child_assert(visits >= 1);
	return 0;
}

static int dump_it(void)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	child_assert(ioasid_dump(file) == 0);
	fclose(file);
	child_assert(size > 0);
	free(text);
	return 0;
}

static int keep_a_history(void)
{
	FILE *null = fopen("/dev/null", "w");
	char data;
	ioasid_t id;

	ioasid_history_stop();
	child_assert(ioasid_history_start() == 0);
	id = ioasid_alloc(NULL, ANY, &data);
	child_assert(ioasid_get(NULL, id) == 0);
	child_assert(ioasid_report_leaks(null) > 0);
	child_assert(!ioasid_put(NULL, id));
	ioasid_free(NULL, id);
	ioasid_history_stop();
	fclose(null);
	return 0;
}

/* Both are looked up by address, and one is there for the first time. */
static int meet_strangers(void)
{
	static DECLARE_IOASID_SET(declared);
	struct recorder recorder = RECORDER(1);
	ioasid_t id = ioasid_alloc(&declared, ANY, NULL);

	child_assert(pasid_valid(id));
	ioasid_free(&declared, id);
	child_assert(ioasid_adjust_set((struct ioasid_set *)&recorder, 5) == -EINVAL);
	child_assert(ioasid_register_notifier((struct ioasid_set *)&recorder, &recorder.nb) ==
		     -EINVAL);
	return 0;
}

static int trace_it(void)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ioasid_trace_stop();
	child_assert(ioasid_trace_start(file) == 0);
	child_assert(!alloc_and_free());
	ioasid_trace_stop();
	fclose(file);
	child_assert(size > 0);
	free(text);
	return 0;
}

static void count_line(void *lines, int level, const char *line)
{
	(void)level, (void)line;
	atomic_inc_return((atomic_t *)lines);
}

static int replace_its_sink(void)
{
	atomic_t lines = ATOMIC_INIT(0);

	/* Nor replaces a sink itself. */
	if (act_in_callback && ioasid_set_log(NULL, NULL))
		return 0;
	child_assert(ioasid_set_log(count_line, &lines) == 0);
	ioasid_set_log_level(4);
	ioasid_printk("a line");
	ioasid_set_log_level(-1);
	child_assert(atomic_read(&lines) == 1);
	child_assert(ioasid_set_log(NULL, NULL) == 0);
	return 0;
}

/* Nothing may be left of anything: no id, no set, no reservation. */
static int account_for_all(void)
{
	struct ioasid_stats now;

	/* The first request goes on with what was begun; what was told already is not told again. */
	child_assert(!alloc_and_free());
	child_assert(ends_told == stage.ends);
	clear_the_stage();
	now = read_stats();
	child_assert(now.live == 0 && now.pending == 0 && now.sets == 0 && now.dying == 0);
	child_assert(now.subscribers == 0 && now.allocs == now.reclaims);
	child_assert(now.available == now.capacity);
	child_assert(now.memory == 0 || stage.keeps_copies);
	return 0;
}

/* An allocator of its own, which is possible when there are no other ids. */
static int use_an_allocator(void)
{
	ioasid_t id;

	child_assert(!account_for_all());
	allocator_sleeps = NOWHERE;
	child_assert(ioasid_register_allocator(&custom) == 0);
	id = ioasid_alloc(NULL, ANY, NULL);
	child_assert(id >= 1 << 24);
	ioasid_free(NULL, id);
	ioasid_unregister_allocator(&custom);
	child_assert(read_stats().live == 0);
	child_assert(!alloc_and_free());
	return 0;
}

static int leave_by_exit(void)
{
	exit(0);
}

static int forks_again(void);

#define ACT(what) { #what, what, false }
static const struct act {
	const char *name;
	int (*run)(void);
	bool needs_the_loader;
} acts[] = {
	ACT(alloc_and_free),
	ACT(replace_its_data),
	ACT(use_its_set),
	ACT(make_sets),
	ACT(subscribe_and_leave),
	ACT(walk_its_set),
	ACT(dump_it),
	ACT(trace_it),
	{ "keep_a_history", keep_a_history, true },
	{ "meet_strangers", meet_strangers, true },
	ACT(replace_its_sink),
	ACT(get_and_put),
	/* These end everything, or the child. */
	ACT(account_for_all),
	ACT(use_an_allocator),
	ACT(forks_again),
	ACT(leave_by_exit),
};
#undef ACT
#define ACTS (sizeof(acts) / sizeof(acts[0]))
#define LAST_ACTS 4

static void watch_child(void)
{
	begin_child();
	ioasid_set_log_level(-1);
	signal(SIGALRM, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	alarm(CHILD_SECONDS);
}

/* 0, or what went wrong. */
static int in_a_child(int (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		watch_child();
		_exit(run());
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

static int do_all(void)
{
	for (size_t i = 0; i < ACTS - LAST_ACTS; i++)
		if (acts[i].run())
			return (int)i + 1;
	return 0;
}

static int forks_again(void)
{
	child_assert(in_a_child(do_all) == 0);
	child_assert(in_a_child(account_for_all) == 0);
	child_assert(!do_all());
	return account_for_all();
}

static void play_all(void)
{
	int repeats = (int)loops(100) > 5 ? 5 : 1, wrong = 0;

	for (size_t i = 0; i < SCENES; i++) {
		const struct scene *scene = &scenes[i];
		pthread_t threads[2];

		/* memcheck takes what the parent's threads work on for leaks of the child. */
		if (scene->keeps_copies && under_valgrind())
			continue;
		begin_scene(scene, threads);
		for (size_t j = 0; j < ACTS; j++) {
			/* What others change meanwhile is not accounted for. */
			if (scene->goes_on &&
			    (acts[j].run == account_for_all || acts[j].run == use_an_allocator ||
			     acts[j].run == forks_again))
				continue;
			if (acts[j].needs_the_loader && scene->others[0] &&
			    scene->others[0] != stay_in_the_loader)
				continue;
			for (int k = 0; k < (scene->goes_on ? repeats : 1); k++) {
				int status = in_a_child(acts[j].run);

				if (status)
					print_error("in %s, the child: %s: status %x\n",
						    scene->name, acts[j].name, status);
				wrong += status != 0;
			}
		}
		end_scene(scene, threads);
	}
	assert_int_equal(wrong, 0);
}

static void the_child_may_do_everything(void **state)
{
	(void)state;
	play_all();
}

/* As liburcu's header advises those who fork. It cannot be undone, so this is the last test. */
static void so_it_may_in_a_host_with_hooks_of_liburcu(void **state)
{
	void *lib = dlopen("liburcu-bp.so.8", RTLD_NOW | RTLD_GLOBAL);
	void (*hooks[3])(void);

	(void)state;
	if (!lib)
		skip();
	*(void **)&hooks[0] = dlsym(lib, "urcu_bp_before_fork");
	*(void **)&hooks[1] = dlsym(lib, "urcu_bp_after_fork_parent");
	*(void **)&hooks[2] = dlsym(lib, "urcu_bp_after_fork_child");
	if (!hooks[0] || !hooks[1] || !hooks[2])
		skip();
	assert_int_equal(pthread_atfork(hooks[0], hooks[1], hooks[2]), 0);
	play_all();
}

/* ---- where the thread that forks may be ---- */

static bool has_forked;
static int status_of_fork;
static bool has_section_or_lock;

/* The child returns, too, and its request goes on: see fork_in(). */
static void fork_here(void)
{
	pid_t child;

	if (has_forked || !is_parent())
		return;
	has_forked = true;
	if (act_in_callback) {
		cannot_wait = has_section_or_lock;
		status_of_fork = in_a_child(act_in_callback);
		cannot_wait = false;
		return;
	}
	child = fork();
	if (child == 0)
		watch_child();
	else
		waitpid(child, &status_of_fork, 0);
}

static int fork_on_event(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb, (void)args;
	if (event == stage.event)
		fork_here();
	return NOTIFY_OK;
}

static bool fork_in_getter(void *data)
{
	(void)data;
	fork_here();
	return true;
}

static void fork_in_visitor(ioasid_t id, void *data)
{
	(void)id, (void)data;
	fork_here();
}

static void fork_in_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	fork_here();
}

static ssize_t fork_in_write(void *cookie, const char *text, size_t size)
{
	(void)cookie, (void)text;
	fork_here();
	return (ssize_t)size;
}

static ioasid_t fork_in_alloc(ioasid_t min, ioasid_t max, void *data)
{
	ioasid_t id = custom_alloc(min, max, data);

	if (data)
		fork_here();
	return id;
}

static void fork_in_free(ioasid_t id, void *data)
{
	(void)id;
	if (!data)
		fork_here();
}

static void find_and_fork(void)
{
	ioasid_find(stage.set, stage.kept, fork_in_getter);
}

static void visit_and_fork(void)
{
	ioasid_set_for_each_ioasid(stage.set, fork_in_visitor, NULL);
}

static void log_and_fork(void)
{
	ioasid_set_log(fork_in_sink, NULL);
	ioasid_set_log_level(4);
	be_refused();
	ioasid_set_log_level(-1);
	ioasid_set_log(NULL, NULL);
}

static void write_and_fork(void)
{
	FILE *file = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = fork_in_write });

	setvbuf(file, NULL, _IONBF, 0);
	ioasid_trace_start(file);
	alloc_one();
	ioasid_trace_stop();
	fclose(file);
	free_one();
	stage.freed = INVALID_IOASID;
}

static void allocate_and_fork(void *data)
{
	struct ioasid_allocator_ops ops = {
		.alloc = fork_in_alloc,
		.free = fork_in_free,
		.pdata = data,
	};
	struct ioasid_set *set = new_set(3);

	if (!stage.is_custom)
		return;
	ioasid_unregister_allocator(&custom);
	ioasid_register_allocator(&ops);
	ioasid_free(set, ioasid_alloc(set, ANY, NULL));
	ioasid_unregister_allocator(&ops);
	ioasid_register_allocator(&custom);
	ioasid_set_put(set);
}

static void alloc_and_fork(void)
{
	allocate_and_fork(&stage);
}

static void free_and_fork(void)
{
	allocate_and_fork(NULL);
}

static const struct place {
	const char *name;
	enum ioasid_notify_val event;
	bool is_custom, is_free;
	void (*prepare)(void);
	void (*run)(void);
} places[] = {
	{ "ALLOC", IOASID_NOTIFY_ALLOC, false, false, nothing, alloc_one },
	{ "FREE", IOASID_NOTIFY_FREE, false, false, have_one, free_one },
	{ "FREE of a held id", IOASID_NOTIFY_FREE, false, false, have_one_held, free_one },
	{ "FREE of a set", IOASID_NOTIFY_FREE, false, false, have_one, put_the_set },
	{ "BIND", IOASID_NOTIFY_BIND, false, false, have_one, bind_one },
	{ "UNBIND", IOASID_NOTIFY_UNBIND, false, false, nothing, unbind_kept },
	{ "SET_ALLOC", IOASID_NOTIFY_SET_ALLOC, false, false, nothing, make_a_set },
	{ "SET_FREE", IOASID_NOTIFY_SET_FREE, false, false, nothing, put_the_set },
	{ "a getter", 0, false, false, nothing, find_and_fork },
	{ "a visitor", 0, false, true, nothing, visit_and_fork },
	{ "a sink", 0, false, true, nothing, log_and_fork },
	{ "a trace's stream", 0, false, false, nothing, write_and_fork },
	{ "alloc of an allocator", 0, true, false, nothing, alloc_and_fork },
	{ "free of an allocator", 0, true, false, nothing, free_and_fork },
};

/* Plays the place once, with the child doing something there, or returning and going on. */
static int fork_in(const struct place *place, int (*act)(void))
{
	const struct scene scene = { place->name, .prepare = place->prepare,
				     .is_custom = place->is_custom };

	set_the_stage(&scene);
	atomic_set(&stage.may_go, 1);
	stage.event = place->event;
	stage.hears_all = true;
	stage.sleeper.notifier_call = fork_on_event;
	assert_int_equal(ioasid_register_notifier(NULL, &stage.sleeper), 0);
	assert_int_equal(ioasid_register_notifier(NULL, &counter), 0);
	if (stage.set)
		assert_int_equal(ioasid_register_notifier(stage.set, &stage.sleeper), 0);
	has_forked = false;
	has_section_or_lock = !place->is_free;
	act_in_callback = act;
	status_of_fork = -1;
	place->run();
	if (!is_parent()) {
		act_in_callback = NULL;
		stage.ends = ends_told;
		_exit(account_for_all());
	}
	clear_the_stage();
	assert_true(nothing_is_left());
	return status_of_fork;
}

static int do_what_a_callback_may(void)
{
	static int (*const may[])(void) = {
		alloc_and_free,	     replace_its_data, make_sets,
		subscribe_and_leave, dump_it,	       replace_its_sink,
	};

	stage.event = 0;
	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		if (may[i]())
			return (int)i + 1;
	return 0;
}

static int leave_from_a_callback(void)
{
	exit(0);
}

static void callbacks_may_fork(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int (*const uses[])(void) = { NULL, do_what_a_callback_may, leave_from_a_callback };

		for (size_t j = 0; j < sizeof(uses) / sizeof(uses[0]); j++) {
			int status;

			if (UNDER_TSAN && places[i].run == write_and_fork)
				continue;
			status = fork_in(&places[i], uses[j]);

			if (status)
				print_error("fork in %s, use %zu: status %x\n", places[i].name, j,
					    status);
			wrong += status != 0;
		}
	}
	assert_int_equal(wrong, 0);
}

static int begin_group(void **state)
{
	(void)state;
	parent = getpid();
	alarm(280);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(the_child_may_do_everything),
		CLEAN_TEST(callbacks_may_fork),
		CLEAN_TEST(so_it_may_in_a_host_with_hooks_of_liburcu),
	};

	return cmocka_run_group_tests(tests, begin_group, NULL);
}
