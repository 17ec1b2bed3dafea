/* SPDX-License-Identifier: MIT */
/* The small helpers: error pointers, error numbers, bits, min, max and swap, assertions, allocation. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

static int lines;

static void count_line(void *data, int level, const char *line)
{
	(void)data;
	(void)line;
	assert_int_equal(level, 4);
	lines++;
}

static int count_lines(void **state)
{
	(void)state;
	lines = 0;
	return ioasid_set_log(count_line, NULL);
}

static int stop_counting(void **state)
{
	(void)state;
	return ioasid_set_log(NULL, NULL);
}

static void errors_fit_into_pointers(void **state)
{
	char byte = 0;

	(void)state;
	assert_true(IS_ERR(ERR_PTR(-ENOMEM)));
	assert_int_equal(PTR_ERR(ERR_PTR(-ENOMEM)), -ENOMEM);
	assert_true(IS_ERR(ERR_PTR(-MAX_ERRNO)));
	assert_false(IS_ERR(ERR_PTR(-MAX_ERRNO - 1)));
	assert_false(IS_ERR(&byte));
	assert_false(IS_ERR(NULL));
	assert_true(IS_ERR_OR_NULL(NULL));
	assert_int_equal(PTR_ERR_OR_ZERO(&byte), 0);
	assert_int_equal(PTR_ERR_OR_ZERO(ERR_PTR(-ENOTSUPP)), -524);
	assert_int_equal(PTR_ERR(ERR_CAST(ERR_PTR(-EPROBE_DEFER))), -517);
}

static void masks_reach_both_ends(void **state)
{
	(void)state;
	assert_true(GENMASK(0, 0) == 1);
	assert_true(GENMASK(63, 0) == ~0UL);
	assert_true(GENMASK(63, 63) == 1UL << 63);
	assert_true(GENMASK(20, 12) == 0x1ff000);
	assert_true(GENMASK_ULL(39, 8) == 0xffffffff00ULL);
	assert_true(BIT(63) == 1UL << 63);
	assert_true(BIT_ULL(63) == 1ULL << 63);
	assert_true(BIT_WORD(64) == 1 && BIT_MASK(65) == 2);
}

static void arguments_are_evaluated_once(void **state)
{
	int a = 1, b = 5;

	(void)state;
	assert_int_equal(min(a++, b++), 1);
	assert_int_equal(max(a++, b++), 6);
	assert_int_equal(a, 3);
	assert_int_equal(b, 7);
	assert_int_equal(min_t(unsigned int, -1, 5), 5);
	assert_int_equal(clamp(9, 0, 4), 4);
	assert_int_equal(clamp(-9, 0, 4), 0);
}

static void two_variables_swap(void **state)
{
	int numbers[] = { 1, 2, 3 }, i = 0;
	const char *first = "first", *second = "second";

	(void)state;
	swap(numbers[i++], numbers[2]);
	assert_int_equal(i, 1);
	assert_int_equal(numbers[0], 3);
	assert_int_equal(numbers[1], 2);
	assert_int_equal(numbers[2], 1);
	swap(first, second);
	assert_string_equal(first, "second");
	assert_string_equal(second, "first");
	swap(first, first);
	assert_string_equal(first, "second");
}

static void numbers_are_rounded(void **state)
{
	struct {
		u8 a;
		u64 b;
	} both;

	(void)state;
	assert_int_equal(DIV_ROUND_UP(9, 4), 3);
	assert_int_equal(ALIGN(4097, 4096), 8192);
	assert_true(IS_ALIGNED(8192, 4096));
	assert_false(IS_ALIGNED(8193, 4096));
	assert_int_equal(upper_32_bits(0x100000002ULL), 1);
	assert_int_equal(lower_32_bits(0x100000002ULL), 2);
	assert_int_equal(sizeof_field(__typeof__(both), b), 8);
	assert_ptr_equal(container_of(&both.b, __typeof__(both), b), &both);
	assert_true(U8_MAX == 255 && U64_MAX == ~0ULL);
}

static void warnings_tell_the_truth_and_speak(void **state)
{
	(void)state;
	assert_false(WARN_ON(0));
	assert_int_equal(lines, 0);
	assert_true(WARN_ON(2));
	assert_int_equal(lines, 1);
	assert_true(WARN(1, "with %s\n", "text"));
	assert_int_equal(lines, 3);
}

static void warnings_once_still_tell_the_truth(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(WARN_ON_ONCE(i >= 0));
		assert_true(WARN_ONCE(i >= 0, "again\n"));
	}
	assert_int_equal(lines, 3);
}

static void a_bug_ends_the_process(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		ioasid_set_log(NULL, NULL);
		ioasid_set_log_level(-1);
		signal(SIGABRT, SIG_DFL);
		BUG_ON(1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void allocation_zeroes_and_checks(void **state)
{
	unsigned char *block = kcalloc(3, 5, GFP_KERNEL);
	char *text;

	(void)state;
	assert_non_null(block);
	for (int i = 0; i < 15; i++)
		assert_int_equal(block[i], 0);
	kfree(block);
	assert_null(kmalloc_array(SIZE_MAX / 2, 3, GFP_ATOMIC));
	text = kstrdup("guest", GFP_KERNEL);
	assert_string_equal(text, "guest");
	text = krealloc(text, 100, GFP_KERNEL);
	assert_string_equal(text, "guest");
	/* No failure, nothing to be freed again, and a beginning for what comes. */
	text = krealloc(text, 0, GFP_KERNEL);
	assert_ptr_equal(text, ZERO_SIZE_PTR);
	assert_ptr_equal(krealloc(text, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	kvfree(text);
	text = krealloc(text, 8, GFP_KERNEL);
	assert_non_null(text);
	kfree(text);
	assert_null(kstrdup(NULL, GFP_KERNEL));
	kfree(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_fit_into_pointers),
		cmocka_unit_test(masks_reach_both_ends),
		cmocka_unit_test(arguments_are_evaluated_once),
		cmocka_unit_test(two_variables_swap),
		cmocka_unit_test(numbers_are_rounded),
		cmocka_unit_test_setup_teardown(warnings_tell_the_truth_and_speak, count_lines,
						stop_counting),
		cmocka_unit_test_setup_teardown(warnings_once_still_tell_the_truth, count_lines,
						stop_counting),
		cmocka_unit_test(a_bug_ends_the_process),
		cmocka_unit_test(allocation_zeroes_and_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
