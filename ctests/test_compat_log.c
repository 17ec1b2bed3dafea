/* SPDX-License-Identifier: MIT */
/* The log and <linux/printk.h>: sink, levels, rate limits, and sinks that misbehave. */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define pr_fmt(fmt) "%s: " fmt, "drv"

#include <linux/ioasid.h>
#include <linux/ioasid-rcu.h>
#include <linux/notifier.h>
#include <linux/printk.h>

static struct {
	char line[300];
	int level;
	int count;
	int set_log;
} seen;

static void remember(void *data, int level, const char *line)
{
	assert_ptr_equal(data, &seen);
	snprintf(seen.line, sizeof(seen.line), "%s", line);
	seen.level = level;
	seen.count++;
}

static int listen(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	ioasid_set_log_level(7);
	return ioasid_set_log(remember, &seen);
}

static int stop_listening(void **state)
{
	(void)state;
	ioasid_set_log_level(4);
	return ioasid_set_log(NULL, NULL);
}

static void a_line_has_its_prefix_and_level(void **state)
{
	(void)state;
	pr_err("id %d\n", 7);
	assert_string_equal(seen.line, "drv: id 7");
	assert_int_equal(seen.level, 3);
	pr_info("plain");
	assert_string_equal(seen.line, "drv: plain");
	assert_int_equal(seen.level, 6);
	assert_int_equal(printk("bare\n"), 4);
	assert_int_equal(seen.level, 4);
	assert_int_equal(printk(KERN_DEBUG "%s", ""), 0);
	assert_int_equal(seen.level, 7);
}

static void a_long_line_is_cut(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(printk(KERN_ERR "%s", text), 255);
	assert_int_equal(strlen(seen.line), 255);
}

static void the_level_decides(void **state)
{
	(void)state;
	assert_int_equal(ioasid_set_log_level(4), 7);
	pr_notice("not this\n");
	pr_warn("but this\n");
	assert_int_equal(seen.count, 1);
	assert_int_equal(ioasid_set_log_level(-5), 4);
	pr_emerg("nothing\n");
	assert_int_equal(seen.count, 1);
	assert_int_equal(ioasid_set_log_level(4), -1);
}

static void debug_lines_are_compiled_out(void **state)
{
	int evaluated = 0;

	(void)state;
	pr_debug("%d\n", evaluated++);
	assert_int_equal(evaluated, 0);
	assert_int_equal(seen.count, 0);
}

static void once_is_once(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		pr_warn_once("line %d\n", i);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.line, "drv: line 0");
}

static void a_place_that_repeats_is_limited_and_others_are_not(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		pr_warn_ratelimited("line %d\n", i);
	assert_int_equal(seen.count, 10);
	pr_warn_ratelimited("elsewhere\n");
	assert_int_equal(seen.count, 11);
}

static void a_new_window_tells_what_was_missed(void **state)
{
	struct ioasid_ratelimit_state limit = { 20, 1, 0, 0, 0 };

	(void)state;
	assert_true(ioasid_ratelimit(&limit));
	assert_false(ioasid_ratelimit(&limit));
	assert_false(ioasid_ratelimit(&limit));
	assert_int_equal(seen.count, 0);
	usleep(50000);
	assert_true(ioasid_ratelimit(&limit));
	assert_string_equal(seen.line, "2 lines suppressed");
	assert_true(ioasid_ratelimit(NULL));
}

static void a_refusal_names_the_call_and_the_id(void **state)
{
	(void)state;
	assert_int_equal(ioasid_alloc(NULL, 2, 1, NULL), INVALID_IOASID);
	assert_string_equal(seen.line, "ioasid_alloc: the range is reversed: set 0, range 2-1, "
				       "limit 1048576");
	assert_int_equal(seen.level, 4);
	assert_int_equal(ioasid_get(NULL, 77), -EINVAL);
	assert_string_equal(seen.line, "ioasid_get: the id is not in use: id 77");
}

static void bad_input_to_the_core_cannot_flood(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		ioasid_unregister_allocator(NULL);
	assert_in_range(seen.count, 1, 20);
}

static void talk_back(void *data, int level, const char *line)
{
	remember(data, level, line);
	printk("from inside\n");
	seen.set_log = ioasid_set_log(NULL, NULL);
}

static void a_sink_that_logs_does_not_recurse(void **state)
{
	(void)state;
	ioasid_set_log(talk_back, &seen);
	printk("from outside\n");
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.set_log, -EDEADLK);
	assert_int_equal(ioasid_set_log(remember, &seen), 0);
}

static void fork_inside(void *child, int level, const char *line)
{
	(void)level;
	(void)line;
	*(pid_t *)child = fork();
}

static void a_sink_may_fork(void **state)
{
	pid_t child = -1;
	int status;

	(void)state;
	ioasid_set_log(fork_inside, &child);
	printk("fork\n");
	if (!child) {
		alarm(10);
		_exit(ioasid_set_log(NULL, NULL) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(ioasid_set_log(remember, &seen), 0);
}

/* However much is logged meanwhile. */
static int talking;

static void dawdle(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	usleep(200);
}

static void *talk(void *unused)
{
	while (__atomic_load_n(&talking, __ATOMIC_RELAXED))
		ioasid_printk("hello");
	return unused;
}

static void a_sink_is_replaced_while_others_talk(void **state)
{
	pthread_t threads[8];

	(void)state;
	assert_int_equal(ioasid_set_log(dawdle, NULL), 0);
	talking = 1;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, talk, NULL), 0);
	alarm(60);
	for (int i = 0; i < 10; i++) {
		usleep(1000);
		assert_int_equal(ioasid_set_log(dawdle, &threads[i % 8]), 0);
	}
	alarm(0);
	__atomic_store_n(&talking, 0, __ATOMIC_RELAXED);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(ioasid_set_log(remember, &seen), 0);
}

/*
 * Where a sink that is running may want the lock, or a reader to end: the old one stays if a thread is in it, and
 * is replaced if none is.
 */
static int in_sink;

static void stay(void *may_leave, int level, const char *line)
{
	(void)level, (void)line;
	/* The refusal to replace it is a line, too. */
	if (__atomic_exchange_n(&in_sink, 1, __ATOMIC_ACQ_REL))
		return;
	while (!__atomic_load_n((int *)may_leave, __ATOMIC_ACQUIRE))
		usleep(1000);
}

static void *talk_once(void *unused)
{
	ioasid_printk("hello");
	return unused;
}

static int answers[2];

static void replace_it(void)
{
	int may_leave = 0;
	pthread_t thread;

	ioasid_set_log(stay, &may_leave);
	in_sink = 0;
	pthread_create(&thread, NULL, talk_once, NULL);
	while (!__atomic_load_n(&in_sink, __ATOMIC_ACQUIRE))
		usleep(1000);
	answers[0] = ioasid_set_log(remember, &seen);
	__atomic_store_n(&may_leave, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	answers[1] = ioasid_set_log(remember, &seen);
}

static int replace_it_in_a_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)data;
	if (event == IOASID_NOTIFY_SET_ALLOC)
		replace_it();
	return NOTIFY_OK;
}

static void where_a_sink_cannot_be_waited_for_it_stays(void **state)
{
	struct notifier_block nb = { .notifier_call = replace_it_in_a_handler };
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	alarm(60);
	set = ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL);
	ioasid_unregister_notifier(NULL, &nb);
	ioasid_set_put(set);
	assert_int_equal(answers[0], -EDEADLK);
	assert_int_equal(answers[1], 0);
	memset(answers, 1, sizeof(answers));
	ioasid_rcu_read_lock();
	replace_it();
	ioasid_rcu_read_unlock();
	alarm(0);
	assert_int_equal(answers[0], -EDEADLK);
	assert_int_equal(answers[1], 0);
}

#define listening(test) cmocka_unit_test_setup_teardown(test, listen, stop_listening)

int main(void)
{
	const struct CMUnitTest tests[] = {
		listening(a_line_has_its_prefix_and_level),
		listening(a_long_line_is_cut),
		listening(the_level_decides),
		listening(debug_lines_are_compiled_out),
		listening(once_is_once),
		listening(a_place_that_repeats_is_limited_and_others_are_not),
		listening(a_new_window_tells_what_was_missed),
		listening(a_refusal_names_the_call_and_the_id),
		listening(bad_input_to_the_core_cannot_flood),
		listening(a_sink_that_logs_does_not_recurse),
		listening(a_sink_may_fork),
		listening(a_sink_is_replaced_while_others_talk),
		listening(where_a_sink_cannot_be_waited_for_it_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
