/* SPDX-License-Identifier: MIT */
/* Variables of the environment: what they may be, and what a wrong one is told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "emulator.h"

#include <linux/ioasid.h>
#include <linux/moduleparam.h>

static int number = 1;
module_param(number, int, 0);

#define LEVELS " is ignored, it may be none, err, warning, info, debug, or 0 to 7\n"

/* What the last process said. */
static char said[4096];

/* The status of a new process with this variable, in that part (see main()). */
static int run(const char *program, const char *part, const char *name, const char *value)
{
	int pipes[2], status;
	size_t size = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		unsetenv("IOASID_LOG");
		setenv(name, value, 1);
		become(program, part);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], said + size, sizeof(said) - 1 - size)) > 0)
		size += (size_t)got;
	said[size] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int level_for(const char *value)
{
	return run(self(), "level", "IOASID_LOG", value) - 1;
}

static void the_log_has_the_level_that_is_wanted(void **state)
{
	static const struct {
		const char *value;
		int level;
	} levels[] = {
		{ "none", -1 }, { "err", 3 }, { "warning", 4 }, { "info", 6 },
		{ "debug", 7 }, { "0", 0 },   { "5", 5 },	{ "7", 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		assert_int_equal(level_for(levels[i].value), levels[i].level);
		assert_string_equal(said, "");
	}
	/* As good as none. */
	assert_int_equal(level_for(""), 4);
	assert_string_equal(said, "");
}

static void a_level_that_is_none_is_named_once(void **state)
{
	(void)state;
	assert_int_equal(level_for("99"), 4);
	assert_string_equal(said, "ioasid: IOASID_LOG=99" LEVELS);
	assert_int_equal(level_for("8"), 4);
	assert_string_equal(said, "ioasid: IOASID_LOG=8" LEVELS);
	assert_int_equal(level_for("Debug"), 4);
	assert_string_equal(said, "ioasid: IOASID_LOG=Debug" LEVELS);
}

static void a_long_value_is_cut(void **state)
{
	char value[200];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(level_for(value), 4);
	assert_ptr_equal(strstr(said, LEVELS), said + strlen("ioasid: IOASID_LOG=") + 64);
}

static void a_child_of_fork_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(run(self(), "child", "IOASID_LOG", "loud"), 4 + 1);
	assert_string_equal(said, "");
	assert_int_equal(run(self(), "child", "IOASID_HISTORY", "yes"), 4 + 1);
	assert_string_equal(said, "ioasid: IOASID_HISTORY=yes is ignored, it may be 0 or 1\n");
}

static void a_history_is_kept_with_1(void **state)
{
	(void)state;
	assert_int_equal(run(self(), "history", "IOASID_HISTORY", "1"), 1);
	assert_string_equal(said, "");
	assert_int_equal(run(self(), "history", "IOASID_HISTORY", "0"), 0);
	assert_string_equal(said, "");
	assert_int_equal(run(self(), "history", "IOASID_HISTORY", ""), 0);
	assert_string_equal(said, "");
	assert_int_equal(run(self(), "history", "IOASID_HISTORY", "off"), 0);
	assert_string_equal(said, "ioasid: IOASID_HISTORY=off is ignored, it may be 0 or 1\n");
}

static void a_report_that_is_none_is_named(void **state)
{
	(void)state;
	assert_int_equal(run(self(), "left", "IOASID_REPORT_LEAKS", "1"), 3);
	assert_non_null(strstr(said, "ioasid: left over: ids 1"));
	assert_null(strstr(said, "ignored"));
	assert_int_equal(run(self(), "left", "IOASID_REPORT_LEAKS", "Fail"), 3);
	assert_string_equal(
		said, "ioasid: IOASID_REPORT_LEAKS=Fail is ignored, it may be 0, 1 or fail\n");
	assert_int_equal(run(self(), "left", "IOASID_REPORT_LEAKS", ""), 3);
	assert_string_equal(said, "");
}

static void a_parameter_has_the_value_that_is_wanted(void **state)
{
	(void)state;
	assert_int_equal(run(self(), "parameter", "IOASID_PARAM_number", "7"), 7);
	assert_int_equal(run(self(), "parameter", "IOASID_PARAM_number", "seven"), 1);
	assert_non_null(strstr(said, "parameter number: 'seven' is refused"));
}

/* Copies this program to one that has the rights of another group. */
static bool make_privileged(const char *copy)
{
	gid_t group = getgid() ? 0 : 1;
	char block[65536];
	ssize_t got = -1;
	int in = open(self(), O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0700);

	while (in >= 0 && out >= 0 && (got = read(in, block, sizeof(block))) > 0)
		assert_int_equal(write(out, block, (size_t)got), got);
	if (out >= 0 && !got && (fchown(out, (uid_t)-1, group) || fchmod(out, 02755)))
		got = -1;
	close(in);
	close(out);
	return !got;
}

static void a_program_with_more_rights_ignores_all(void **state)
{
	char directory[] = "/tmp/ioasid-XXXXXX", copy[64];
	int level = 0, history = 0, parameter = 0;
	size_t size = 0;
	bool may;

	(void)state;
	if (emulator())
		skip_because("the emulator has the rights, not the program");
	assert_non_null(mkdtemp(directory));
	snprintf(copy, sizeof(copy), "%s/program", directory);
	may = make_privileged(copy) && run(copy, "is privileged", "IOASID_LOG", "") == 1;
	if (may) {
		level = run(copy, "level", "IOASID_LOG", "debug") - 1;
		history = run(copy, "history", "IOASID_HISTORY", "1");
		parameter = run(copy, "parameter", "IOASID_PARAM_number", "7");
		run(copy, "level", "IOASID_LOG", "loud");
		size += strlen(said);
		run(copy, "history", "IOASID_HISTORY", "yes");
		size += strlen(said);
		run(copy, "left", "IOASID_REPORT_LEAKS", "yes");
		size += strlen(said);
	}
	unlink(copy);
	rmdir(directory);
	if (!may)
		skip_because("there can be no program with the rights of another group here");
	assert_int_equal(level, 4);
	assert_int_equal(history, 0);
	assert_int_equal(parameter, 1);
	assert_int_equal(size, 0);
}

/* ---- the new process ---- */

static int play(const char *part)
{
	int status;

	if (!strcmp(part, "is privileged"))
		return getauxval(AT_SECURE) != 0;
	if (!strcmp(part, "parameter"))
		return number;
	if (!strcmp(part, "level")) {
		status = ioasid_set_log_level(0);
		ioasid_set_log_level(0);
		return status + 1;
	}
	if (!strcmp(part, "child")) {
		pid_t child = fork();

		if (!child)
			_exit(ioasid_set_log_level(0) + 1);
		waitpid(child, &status, 0);
		return WEXITSTATUS(status);
	}
	if (!strcmp(part, "history")) {
		ioasid_set_log_level(-1);
		return ioasid_history_start() != 0;
	}
	return ioasid_alloc(NULL, 1, 1, NULL) == 1 ? 3 : 4;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_has_the_level_that_is_wanted),
		cmocka_unit_test(a_level_that_is_none_is_named_once),
		cmocka_unit_test(a_long_value_is_cut),
		cmocka_unit_test(a_child_of_fork_says_nothing),
		cmocka_unit_test(a_history_is_kept_with_1),
		cmocka_unit_test(a_report_that_is_none_is_named),
		cmocka_unit_test(a_parameter_has_the_value_that_is_wanted),
		cmocka_unit_test(a_program_with_more_rights_ignores_all),
	};

	if (argc == 2)
		return play(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
