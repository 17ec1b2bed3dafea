/* SPDX-License-Identifier: MIT */
/* Parameters of modules: by the environment before the module's init, by a call, and refused. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/ioasid-kernel.h>
#include <linux/module.h>

static int number = 5;
module_param(number, int, 0444);
MODULE_PARM_DESC(number, "a number");
static unsigned long large;
module_param(large, ulong, 0);
static bool flag;
module_param(flag, bool, 0644);
static bool off = true;
module_param_named(not_off, off, invbool, 0);
static char *text = "default";
module_param(text, charp, 0);
static unsigned char small;
module_param(small, byte, 0);
static short shorter;
module_param(shorter, short, 0);
static unsigned long long longest;
module_param(longest, ullong, 0);
/* The type does not fit the variable. */
static char wrong;
module_param_named(wrong, wrong, int, 0);
static int refused = 3;
module_param(refused, int, 0);

static int seen_by_init;

static int init(void)
{
	seen_by_init = number;
	return 0;
}
module_init(init);

MODULE_LICENSE("MIT");
MODULE_ALIAS("another");

/* Ahead of all parameters. */
static __attribute__((constructor(999))) void prepare(void)
{
	setenv("IOASID_PARAM_number", "42", 1);
	setenv("IOASID_PARAM_refused", "much", 1);
	setenv("IOASID_PARAM_text", "from outside", 1);
}

static void the_environment_comes_before_init(void **state)
{
	(void)state;
	assert_int_equal(number, 42);
	assert_int_equal(seen_by_init, 42);
	assert_string_equal(text, "from outside");
	assert_int_equal(refused, 3);
	assert_null(THIS_MODULE);
	assert_true(try_module_get(THIS_MODULE));
	module_put(THIS_MODULE);
}

static void a_call_sets_them(void **state)
{
	(void)state;
	assert_int_equal(ioasid_param_set("number", "-0x10"), 0);
	assert_int_equal(number, -16);
	assert_int_equal(ioasid_param_set("large", "18446744073709551615"), 0);
	assert_true(large == ULONG_MAX);
	assert_int_equal(ioasid_param_set("longest", "7\n"), 0);
	assert_int_equal(longest, 7);
	assert_int_equal(ioasid_param_set("flag", NULL), 0);
	assert_true(flag);
	assert_int_equal(ioasid_param_set("flag", "no"), 0);
	assert_false(flag);
	assert_int_equal(ioasid_param_set("not_off", "Y"), 0);
	assert_false(off);
	assert_int_equal(ioasid_param_set("shorter", "-32768"), 0);
	assert_int_equal(shorter, -32768);
	assert_int_equal(ioasid_param_set("text", "one"), 0);
	assert_int_equal(ioasid_param_set("text", "two"), 0);
	assert_string_equal(text, "two");
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	small = 9;
	assert_int_equal(ioasid_param_set("small", "256"), -ERANGE);
	assert_int_equal(ioasid_param_set("small", "-1"), -EINVAL);
	assert_int_equal(ioasid_param_set("small", NULL), -EINVAL);
	assert_int_equal(small, 9);
	assert_int_equal(ioasid_param_set("shorter", "32768"), -ERANGE);
	assert_int_equal(ioasid_param_set("number", "2147483648"), -ERANGE);
	assert_int_equal(ioasid_param_set("number", ""), -EINVAL);
	assert_int_equal(ioasid_param_set("wrong", "1"), -EINVAL);
	assert_int_equal(wrong, 0);
	assert_int_equal(ioasid_param_set("nobody", "1"), -ENOENT);
	assert_int_equal(ioasid_param_set(NULL, "1"), -EINVAL);
	ioasid_param_register(NULL);
	ioasid_param_unregister(NULL);
	ioasid_kernel_fail_nth(1);
	assert_int_equal(ioasid_param_set("text", "three"), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_string_equal(text, "two");
}

static void they_come_and_go(void **state)
{
	static int value;
	static char *words;
	static struct ioasid_param one = {
		"late", IOASID_PARAM_int, sizeof(int), &value, NULL, NULL
	};
	static struct ioasid_param two = { "late", IOASID_PARAM_charp, sizeof(char *), &words, NULL,
					   NULL };

	(void)state;
	ioasid_param_register(&one);
	ioasid_param_register(&one);
	ioasid_param_register(&two);
	/* All of a name. */
	assert_int_equal(ioasid_param_set("late", "12"), 0);
	assert_int_equal(value, 12);
	assert_string_equal(words, "12");
	ioasid_param_unregister(&one);
	ioasid_param_unregister(&one);
	ioasid_param_unregister(&two);
	assert_null(words);
	assert_int_equal(ioasid_param_set("late", "13"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_comes_before_init),
		cmocka_unit_test(a_call_sets_them),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(they_come_and_go),
	};

	return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
