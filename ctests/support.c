/* SPDX-License-Identifier: MIT */
/* What the suites of the core have in common. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

unsigned int warnings;

static void count_line(void *data, int level, const char *line)
{
	(void)data;
	(void)line;
	warnings += level <= 4;
}

int begin_log(void **state)
{
	(void)state;
	warnings = 0;
	return ioasid_set_log(count_line, NULL);
}

int end_log(void **state)
{
	(void)state;
	return ioasid_set_log(NULL, NULL);
}

int begin_test(void **state)
{
	(void)state;
	/* Refusals are what most tests are about; the log has a suite of its own. */
	ioasid_set_log_level(-1);
	ioasid_fail_nth(0);
	return 0;
}

static bool is_zero(const char *what, uint64_t value)
{
	if (value)
		print_error("%llu %s left\n", (unsigned long long)value, what);
	return !value;
}

bool nothing_is_left(void)
{
	struct ioasid_stats now = read_stats();
	bool clean = true;

	clean &= is_zero("ids", now.live);
	clean &= is_zero("pending ids", now.pending);
	clean &= is_zero("sets", now.sets);
	clean &= is_zero("dying sets", now.dying);
	clean &= is_zero("subscribers", now.subscribers);
	clean &= is_zero("memory blocks", now.memory);
	clean &= is_zero("reserved ids", now.capacity - now.available);
	clean &= is_zero("ids unaccounted for", now.allocs - now.reclaims);
	return clean;
}

int end_test(void **state)
{
	(void)state;
	ioasid_fail_nth(0);
	return nothing_is_left() ? 0 : -1;
}

struct ioasid_set *new_set(ioasid_t quota)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, quota, IOASID_SET_TYPE_NULL);

	assert_false(IS_ERR_OR_NULL(set));
	return set;
}

ioasid_t new_id(struct ioasid_set *set, void *data)
{
	ioasid_t id = ioasid_alloc(set, ANY, data);

	assert_true(pasid_valid(id));
	return id;
}

void free_id(ioasid_t id)
{
	ioasid_free(NULL, id);
	assert_int_equal(PTR_ERR(ioasid_find(NULL, id, NULL)), -ENOENT);
}

struct ioasid_stats read_stats(void)
{
	struct ioasid_stats stats;

	ioasid_get_stats(&stats);
	return stats;
}

uint64_t refused(enum ioasid_refusal why)
{
	return read_stats().refused[why];
}

bool same_state(const struct ioasid_stats *before, const struct ioasid_stats *after)
{
	return before->capacity == after->capacity && before->available == after->available &&
	       before->live == after->live && before->pending == after->pending &&
	       before->sets == after->sets && before->dying == after->dying &&
	       before->subscribers == after->subscribers && before->memory == after->memory;
}

unsigned int loops(unsigned int wanted)
{
	return getenv("IOASID_TEST_SLOW") ? wanted / 50 + 1 : wanted;
}

bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

static void *wait_for_the_end(void *pipe)
{
	char end;

	return read(*(int *)pipe, &end, 1) < 0 ? pipe : NULL;
}

/* With nothing of the library: qemu 7.2 fails in an assertion of its own, 10 does not. */
static bool emulator_has_threads_after_fork(void)
{
	int ends[2], status = -1;
	pthread_t thread;
	pid_t child;

	if (pipe(ends) || pthread_create(&thread, NULL, wait_for_the_end, &ends[0]))
		return false;
	child = fork();
	if (!child) {
		signal(SIGABRT, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		alarm(10);
		close(ends[1]);
		freopen("/dev/null", "w", stderr);
		if (pthread_create(&thread, NULL, wait_for_the_end, &ends[0]))
			_exit(1);
		_exit(pthread_join(thread, NULL));
	}
	close(ends[1]);
	pthread_join(thread, NULL);
	close(ends[0]);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

const char *no_threads_after_fork(void)
{
	static enum { UNKNOWN, WORKS, FAILS } answer;

	if (UNDER_TSAN)
		return "ThreadSanitizer ends a child of fork() that starts a thread";
	if (!emulator())
		return NULL;
	if (!answer)
		answer = emulator_has_threads_after_fork() ? WORKS : FAILS;
	return answer == FAILS ? "this emulator fails in a child of fork() that starts a thread"
			       : NULL;
}

int in_child(int (*body)(const void *data), const void *data)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		/* A crash ends this process; cmocka would go on with the next test. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		ioasid_set_log_level(-1);
		_exit(body(data));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int record_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct recorder *recorder = (struct recorder *)nb;
	const struct ioasid_nb_args *args = data;

	if (recorder->count < RECORDS)
		recorder->records[recorder->count] =
			(struct record){ (enum ioasid_notify_val)event, *args };
	recorder->count++;
	return NOTIFY_OK;
}
