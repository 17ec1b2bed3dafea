/* SPDX-License-Identifier: MIT */
/* <linux/init.h> and <linux/module.h>: initialisers run before main(), by level; exits after it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/errno.h>
#include <linux/ioasid.h>
#include <linux/module.h>

static char order[8];
static int exit_status;

static int note(char what)
{
	order[strlen(order)] = what;
	return 0;
}

static int __init late(void)
{
	return note('l');
}
late_initcall(late);

static int __init broken(void)
{
	ioasid_set_log_level(-1);
	note('b');
	return -ENODEV;
}
subsys_initcall(broken);

static int __init core(void)
{
	return note('c');
}
core_initcall(core);

/* The library is ready for initialisers. */
static int __init start(void)
{
	ioasid_set_log_level(4);
	ioasid_free(ioasid_alloc(NULL, 0, 10, NULL));
	return note('m');
}
module_init(start);

static void __exit stop(void)
{
	if (exit_status)
		_exit(exit_status);
}
module_exit(stop);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_AUTHOR("one");
MODULE_AUTHOR("two");
MODULE_DESCRIPTION("initialisers");

static void initialisers_ran_by_level_and_a_failure_stopped_none(void **state)
{
	(void)state;
	assert_string_equal(order, "cbml");
}

static void the_exit_function_runs_at_exit(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		exit_status = 7;
		exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initialisers_ran_by_level_and_a_failure_stopped_none),
		cmocka_unit_test(the_exit_function_runs_at_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
