/* SPDX-License-Identifier: MIT */
/* exit() from where the core calls out, and while other threads are in it: it waits for nobody. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "scenes.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* It looks for leaks while other threads change everything. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif
#if __has_feature(thread_sanitizer)
/* It would sleep for a second in each exit(), and miss who was about to join a thread. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "atexit_sleep_ms=10:report_thread_leaks=0";
}
#endif
#endif

#define EXIT_STATUS 7

static void leave(void)
{
	exit(EXIT_STATUS);
}

static int leave_on_event(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb, (void)event, (void)args;
	leave();
	return NOTIFY_OK;
}

static struct notifier_block leaver = { .notifier_call = leave_on_event, .priority = 10 };

static void leave_in_a_handler(void)
{
	ioasid_register_notifier(NULL, &leaver);
	ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
}

static bool leave_in_getter(void *data)
{
	(void)data;
	leave();
	return true;
}

static void leave_in_a_getter(void)
{
	ioasid_find(NULL, stage.kept, leave_in_getter);
}

static void leave_in_visit(ioasid_t id, void *data)
{
	(void)id, (void)data;
	leave();
}

static void leave_in_a_visitor(void)
{
	ioasid_set_for_each_ioasid(stage.set, leave_in_visit, NULL);
}

static void leave_in_sink(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	leave();
}

static void leave_in_a_sink(void)
{
	ioasid_set_log(leave_in_sink, NULL);
	ioasid_set_log_level(4);
	ioasid_printk("a line");
}

static ioasid_t leave_in_alloc(ioasid_t min, ioasid_t max, void *data)
{
	(void)max, (void)data;
	leave();
	return min;
}

static void take_back(ioasid_t id, void *data)
{
	(void)id, (void)data;
}

static void leave_in_an_allocator(void)
{
	struct ioasid_allocator_ops ops = { .alloc = leave_in_alloc, .free = take_back };

	clear_the_stage();
	ioasid_register_allocator(&ops);
	ioasid_alloc(NULL, ANY, NULL);
}

static ssize_t leave_in_write(void *cookie, const char *text, size_t size)
{
	static bool leaves;

	(void)cookie, (void)text;
	/* exit() writes what is left in streams. */
	if (!leaves) {
		leaves = true;
		leave();
	}
	return (ssize_t)size;
}

static void leave_in_a_write_function(void)
{
	FILE *file = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = leave_in_write });

	setvbuf(file, NULL, _IONBF, 0);
	ioasid_trace_start(file);
	ioasid_get(NULL, stage.kept);
}

/* What exit() calls may still use everything that nobody else holds. */
static void look_up(void)
{
	if (ioasid_find(NULL, stage.kept, NULL) == ERR_PTR(-ENOENT))
		_exit(1);
}

static void leave_with_a_handler_of_exit(void)
{
	atexit(look_up);
	leave();
}

#define PLACE(what, needs_lock_) { #what, what, needs_lock_ }
static const struct {
	const char *name;
	void (*leave)(void);
	bool needs_lock;
} places[] = {
	PLACE(leave, false),
	PLACE(leave_in_a_getter, false),
	PLACE(leave_in_a_sink, false),
	PLACE(leave_with_a_handler_of_exit, false),
	PLACE(leave_in_a_handler, true),
	PLACE(leave_in_a_visitor, true),
	PLACE(leave_in_an_allocator, true),
	PLACE(leave_in_a_write_function, true),
};
#define PLACES (sizeof(places) / sizeof(places[0]))

/* Who needs the lock, or the only sink, waits for who sleeps with it; that is not exit()'s doing. */
static bool is_possible(size_t place, const struct scene *scene)
{
	if (UNDER_TSAN && places[place].leave == leave_in_a_write_function)
		return false;
	if (scene->prepare == have_a_sleepy_sink || scene->prepare == have_a_stopper)
		return !places[place].needs_lock && places[place].leave != leave_in_a_sink;
	return !places[place].needs_lock || (!scene->event && !scene->allocator_sleeps &&
					     scene->prepare == nothing && !scene->goes_on);
}

static int leave_beside(const struct scene *scene, void (*leave_there)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		static pthread_t threads[2];

		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		parent = getpid();
		begin_scene(scene, threads);
		alarm(getenv("IOASID_TEST_SLOW") ? 60 : 5);
		leave_there();
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

static void exit_waits_for_nobody(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < SCENES; i++) {
		for (size_t j = 0; j < PLACES; j++) {
			int status;

			if (!is_possible(j, &scenes[i]))
				continue;
			status = leave_beside(&scenes[i], places[j].leave);
			if (status == EXIT_STATUS << 8)
				continue;
			print_error("%s, beside %s: status %x\n", places[j].name, scenes[i].name,
				    status);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(exit_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
