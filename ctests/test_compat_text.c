/* SPDX-License-Identifier: MIT */
/* Text: numbers out of it, what sysfs gets, copies, and memory of the user. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "support.h"

static void numbers(void **state)
{
	unsigned long long wide = 7;
	long long deep = 7;
	unsigned int word = 7;
	u8 byte = 7;
	int number = 7;

	(void)state;
	assert_int_equal(kstrtoull("0x1f\n", 0, &wide), 0);
	assert_int_equal(wide, 31);
	assert_int_equal(kstrtoull("017", 0, &wide), 0);
	assert_int_equal(wide, 15);
	assert_int_equal(kstrtoull("+12", 10, &wide), 0);
	assert_int_equal(wide, 12);
	assert_int_equal(kstrtoull("0X1F", 16, &wide), 0);
	assert_int_equal(wide, 31);
	assert_int_equal(kstrtoull("0", 0, &wide), 0);
	assert_int_equal(kstrtoull("18446744073709551615", 10, &wide), 0);
	assert_true(wide == ULLONG_MAX);
	wide = 7;
	assert_int_equal(kstrtoull("18446744073709551616", 10, &wide), -ERANGE);
	assert_int_equal(kstrtoull("18446744073709551616x", 10, &wide), -ERANGE);
	assert_int_equal(kstrtoull("", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("\n", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull(" 1", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("1 ", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("1\n\n", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("-1", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("+-1", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("0x", 0, &wide), -EINVAL);
	assert_int_equal(kstrtoull("0xg", 0, &wide), -EINVAL);
	assert_int_equal(kstrtoull("12a", 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("9", 8, &wide), -EINVAL);
	assert_int_equal(kstrtoull("1", 1, &wide), -EINVAL);
	assert_int_equal(kstrtoull("1", 17, &wide), -EINVAL);
	assert_int_equal(kstrtoull(NULL, 10, &wide), -EINVAL);
	assert_int_equal(kstrtoull("1", 10, NULL), -EINVAL);
	assert_int_equal(wide, 7);
	assert_int_equal(kstrtoll("-9223372036854775808", 10, &deep), 0);
	assert_true(deep == LLONG_MIN);
	assert_int_equal(kstrtoll("9223372036854775808", 10, &deep), -ERANGE);
	assert_int_equal(kstrtoll("-9223372036854775809", 10, &deep), -ERANGE);
	assert_int_equal(kstrtouint("4294967296", 10, &word), -ERANGE);
	assert_int_equal(kstrtouint("4294967295", 10, &word), 0);
	assert_int_equal(word, UINT_MAX);
	assert_int_equal(kstrtoint("-2147483649", 10, &number), -ERANGE);
	assert_int_equal(kstrtoint("-2147483648", 10, &number), 0);
	assert_int_equal(number, INT_MIN);
	assert_int_equal(kstrtou8("256", 10, &byte), -ERANGE);
	assert_int_equal(kstrtou8("255", 10, &byte), 0);
	assert_int_equal(kstrtou8("255", 10, NULL), -EINVAL);
	assert_int_equal(byte, 255);
}

static void truths(void **state)
{
	static const char *const yes[] = { "y", "Y", "1", "on", "ON", "yes" };
	static const char *const no[] = { "n", "N", "0", "off", "oFf", "no" };
	bool value = false;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		value = false;
		assert_int_equal(kstrtobool(yes[i], &value), 0);
		assert_true(value);
		assert_int_equal(kstrtobool(no[i], &value), 0);
		assert_false(value);
	}
	assert_int_equal(kstrtobool("", &value), -EINVAL);
	assert_int_equal(kstrtobool("o", &value), -EINVAL);
	assert_int_equal(kstrtobool("maybe", &value), -EINVAL);
	assert_int_equal(kstrtobool(NULL, &value), -EINVAL);
	assert_int_equal(kstrtobool("y", NULL), -EINVAL);
}

static void spaces_and_copies(void **state)
{
	static const char *const names[] = { "one", "two", NULL, "never" };
	char text[] = " \t a b \n", only[] = "  ", small[4];

	(void)state;
	assert_string_equal(strstrip(text), "a b");
	assert_string_equal(strim(only), "");
	assert_null(strim(NULL));
	assert_int_equal(strscpy(small, "abc", sizeof(small)), 3);
	assert_int_equal(strscpy(small, "abcd", sizeof(small)), -E2BIG);
	assert_string_equal(small, "abc");
	assert_int_equal(strscpy(small, "x", 0), -E2BIG);
	assert_int_equal(strscpy(small, "x", (size_t)0 - 1), -E2BIG);
	assert_int_equal(small[0], 'a');
	assert_true(sysfs_streq("on\n", "on"));
	assert_true(sysfs_streq("on", "on\n"));
	assert_false(sysfs_streq("on\n\n", "on"));
	assert_false(sysfs_streq("on", "off"));
	assert_int_equal(match_string(names, 4, "two"), 1);
	assert_int_equal(match_string(names, 4, "never"), -EINVAL);
	assert_true(strstarts("prefixed", "prefix"));
}

static void formats(void **state)
{
	char buf[8], *made;
	char *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	int i, at = 0;

	(void)state;
	assert_int_equal(scnprintf(buf, sizeof(buf), "%s", "0123456789"), 7);
	assert_int_equal(scnprintf(buf, 0, "%s", "x"), 0);
	assert_int_equal(snprintf(buf, sizeof(buf), "%d", 5), 1);
	assert_int_equal(sysfs_emit(page, "%d\n", 42), 3);
	assert_int_equal(sysfs_emit_at(page, 3, "%s", "more"), 4);
	assert_string_equal(page, "42\nmore");
	/* Never beyond the page. */
	for (i = 0; i < 500; i++)
		at += sysfs_emit_at(page, at, "%010d", i);
	assert_int_equal(at, 4095);
	assert_int_equal(warnings, 0);
	assert_int_equal(sysfs_emit_at(page, 4096, "x"), 0);
	assert_int_equal(sysfs_emit_at(page, -1, "x"), 0);
	assert_int_equal(sysfs_emit(page + 1, "x"), 0);
	assert_int_equal(sysfs_emit(NULL, "x"), 0);
	assert_int_equal(warnings, 8);
	free(page);
	made = kasprintf(GFP_KERNEL, "%s-%d", "a", 7);
	assert_string_equal(made, "a-7");
	kfree(made);
	made = kstrndup("abcdef", 3, GFP_KERNEL);
	assert_string_equal(made, "abc");
	kfree(made);
	made = kstrndup("ab", 3, GFP_KERNEL);
	assert_string_equal(made, "ab");
	kfree(made);
	assert_null(kstrndup(NULL, 3, GFP_KERNEL));
}

static void memory_of_the_user(void **state)
{
	struct {
		u32 a, b;
	} user = { 1, 2 }, kernel = { 0, 0 };
	u32 word = 9, *copy;

	(void)state;
	assert_int_equal(copy_from_user(&kernel, &user, sizeof(user)), 0);
	assert_int_equal(kernel.b, 2);
	assert_int_equal(copy_from_user(&kernel, NULL, 8), 8);
	assert_int_equal(kernel.b, 0); /* nothing old stays where nothing was copied */
	assert_int_equal(copy_to_user(NULL, &kernel, 8), 8);
	assert_int_equal(copy_to_user(NULL, NULL, 0), 0);
	/* The end of the address space is no memory. */
	assert_int_equal(copy_to_user((void *)-8L, &kernel, 16), 16);
	assert_int_equal(copy_from_user(&kernel, &user, ULONG_MAX), ULONG_MAX);
	assert_int_equal(clear_user(&user, sizeof(user)), 0);
	assert_int_equal(user.a, 0);
	assert_int_equal(clear_user(NULL, 3), 3);
	assert_int_equal(put_user(5u, &user.a), 0);
	assert_int_equal(get_user(word, &user.a), 0);
	assert_int_equal(word, 5);
	assert_int_equal(get_user(word, (u32 *)NULL), -EFAULT);
	assert_int_equal(word, 0);
	assert_int_equal(put_user(5u, (u32 *)NULL), -EFAULT);
	assert_int_equal(PTR_ERR(memdup_user(NULL, 4)), -EFAULT);
	assert_ptr_equal(memdup_user(NULL, 0), ZERO_SIZE_PTR);
	copy = memdup_user(&user.a, 4);
	assert_int_equal(*copy, 5);
	kfree(copy);
	/* Structures that grew: the rest is zero, or must be. */
	user.b = 1;
	assert_int_equal(copy_struct_from_user(&kernel, 4, &user, 8), -E2BIG);
	user.b = 0;
	assert_int_equal(copy_struct_from_user(&kernel, 4, &user, 8), 0);
	assert_int_equal(copy_struct_from_user(&kernel, 8, &user, 4), 0);
	assert_int_equal(kernel.b, 0);
	assert_int_equal(copy_struct_from_user(&kernel, 8, NULL, 4), -EFAULT);
	kernel.a = 3;
	assert_int_equal(copy_struct_from_user(&kernel, 8, NULL, 0), 0);
	assert_int_equal(kernel.a, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(numbers),
		LOG_TEST(truths),
		LOG_TEST(spaces_and_copies),
		LOG_TEST(formats),
		LOG_TEST(memory_of_the_user),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
