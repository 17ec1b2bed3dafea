/* SPDX-License-Identifier: MIT */
/* Bits: of words, of arrays, of fields; logarithms, rounding, pages. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/irqreturn.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/stddef.h>

#include "support.h"

static void words(void **state)
{
	(void)state;
	assert_int_equal(__ffs(8), 3);
	assert_int_equal(__ffs(0), BITS_PER_LONG);
	assert_int_equal(ffz(7), 3);
	assert_int_equal(ffz(~0UL), BITS_PER_LONG);
	assert_int_equal(__fls(1UL << 63), 63);
	assert_int_equal(fls(0), 0);
	assert_int_equal(fls(0x80000000), 32);
	assert_int_equal(fls64(1ULL << 40), 41);
	assert_int_equal(ffs(0), 0);
	assert_int_equal(ffs(4), 3);
	assert_int_equal(hweight8(0x1ff), 8);
	assert_int_equal(hweight64(~0ULL), 64);
	assert_int_equal(rol32(0x80000001, 1), 3);
	assert_int_equal(ror32(3, 1), 0x80000001);
	assert_int_equal(rol32(5, 0), 5);
	assert_int_equal(sign_extend32(0x80, 7), -128);
	assert_int_equal(sign_extend32(0x7f, 7), 127);
	assert_true(sign_extend64(1ULL << 47, 47) < 0);
}

static volatile char file_scope[roundup_pow_of_two(17)];

static int looks;

static unsigned int look(void)
{
	return 64u << looks++;
}

/* Constants where their arguments are, and otherwise each argument is looked at once. */
static void macros_are_what_they_seem(void **state)
{
	static char of_constants[max(16, 32) + min(2, 3) + hweight8(0x1ff)];

	(void)state;
	assert_int_equal(sizeof(of_constants), 42);
	looks = 0;
	assert_int_equal(ilog2(look()), 6);
	assert_int_equal(order_base_2(look()), 7);
	assert_int_equal(bits_per(look()), 9);
	assert_int_equal(hweight32(look()), 1);
	assert_int_equal(max(look(), 1u), 1024);
	assert_int_equal(looks, 5);
	assert_true(abs((s64)-5000000000) == 5000000000);
	assert_int_equal(abs(looks - 7), 2);
	assert_true(abs(3u) == 3);
}

static void logarithms(void **state)
{
	static const int at_compile_time[ilog2(4096) == 12 ? 1 : -1];
	unsigned long n;

	(void)state;
	(void)at_compile_time;
	assert_int_equal(ilog2(1), 0);
	assert_int_equal(ilog2(1023), 9);
	assert_int_equal(ilog2(0), -1);
	assert_int_equal(order_base_2(0), 0);
	assert_int_equal(order_base_2(1), 0);
	assert_int_equal(order_base_2(5), 3);
	assert_int_equal(order_base_2(8), 3);
	assert_int_equal(roundup_pow_of_two(0), 1);
	assert_int_equal(roundup_pow_of_two(17), 32);
	assert_int_equal(roundup_pow_of_two(ULONG_MAX), 0);
	assert_int_equal(sizeof(file_scope), 32);
	assert_int_equal(roundup_pow_of_two(file_scope[0] + 17UL), 32);
	assert_int_equal(rounddown_pow_of_two(file_scope[0] + 17UL), 16);
	assert_int_equal(rounddown_pow_of_two(file_scope[0]), 0);
	assert_int_equal(rounddown_pow_of_two(17), 16);
	assert_int_equal(rounddown_pow_of_two(0), 0);
	assert_false(is_power_of_2(0));
	for (n = 1; n; n <<= 1)
		assert_true(is_power_of_2(n));
	assert_false(is_power_of_2(6));
}

static void rounding_and_pages(void **state)
{
	(void)state;
	assert_int_equal(ALIGN(5, 4), 8);
	assert_int_equal(ALIGN_DOWN(7, 4), 4);
	assert_int_equal(round_up(9, 8), 16);
	assert_int_equal(round_down(9, 8), 8);
	assert_int_equal(roundup(10, 3), 12);
	assert_int_equal(rounddown(10, 3), 9);
	assert_int_equal(DIV_ROUND_UP(10, 3), 4);
	assert_int_equal(DIV_ROUND_CLOSEST(10, 4), 3);
	assert_int_equal(DIV_ROUND_CLOSEST(9, 4), 2);
	assert_int_equal(DIV_ROUND_CLOSEST(-7, 4), -2);
	assert_int_equal(DIV_ROUND_CLOSEST(7, -4), -2);
	assert_int_equal(DIV_ROUND_CLOSEST(-7, -4), 2);
	assert_int_equal(DIV_ROUND_CLOSEST(-5, 4), -1);
	assert_int_equal(DIV_ROUND_CLOSEST(0U, 4U), 0);
	assert_int_equal(PAGE_SIZE, 4096);
	assert_int_equal(PAGE_ALIGN(4097UL), 8192);
	assert_int_equal(offset_in_page(0x12345), 0x345);
	assert_true(PAGE_ALIGNED(0x3000));
	assert_int_equal(PAGE_SIZE & ~PAGE_MASK, 0);
	assert_int_equal(offsetofend(struct list_head, next), sizeof(void *));
	assert_int_equal(IRQ_RETVAL(5), IRQ_HANDLED);
	assert_int_equal(IRQ_RETVAL(0), IRQ_NONE);
}

static void fields(void **state)
{
	u64 word = 0;

	(void)state;
	assert_int_equal(FIELD_PREP(GENMASK(11, 4), 0x5a), 0x5a0);
	assert_int_equal(FIELD_PREP(GENMASK(11, 4), 0x15a), 0x5a0);
	assert_int_equal(FIELD_GET(GENMASK(11, 4), 0xf5af), 0x5a);
	assert_int_equal(FIELD_MAX(GENMASK(11, 4)), 0xff);
	assert_true(FIELD_FIT(GENMASK(11, 4), 0xff));
	assert_false(FIELD_FIT(GENMASK(11, 4), 0x100));
	assert_int_equal(FIELD_GET(0UL, 5), 0);
	u64p_replace_bits(&word, 3, GENMASK_ULL(63, 62));
	assert_true(word == 3ULL << 62);
	assert_int_equal(u32_replace_bits(0xff, 0, 0xf0), 0x0f);
	assert_int_equal(u64_get_bits(word, GENMASK_ULL(63, 62)), 3);
}

static void finding(void **state)
{
	DECLARE_BITMAP(map, 130);
	unsigned int bit, count = 0;

	(void)state;
	bitmap_zero(map, 130);
	assert_int_equal(find_first_bit(map, 130), 130);
	assert_int_equal(find_last_bit(map, 130), 130);
	__set_bit(0, map);
	__set_bit(64, map);
	__set_bit(129, map);
	assert_int_equal(find_next_bit(map, 130, 1), 64);
	assert_int_equal(find_next_bit(map, 130, 65), 129);
	assert_int_equal(find_next_bit(map, 129, 65), 129);
	assert_int_equal(find_next_bit(map, 130, 130), 130);
	assert_int_equal(find_next_bit(map, 130, 999), 130);
	assert_int_equal(find_next_bit(map, 0, 0), 0);
	assert_int_equal(find_last_bit(map, 130), 129);
	assert_int_equal(find_last_bit(map, 129), 64);
	assert_int_equal(find_last_bit(map, 64), 0);
	for_each_set_bit(bit, map, 130) count += bit;
	assert_int_equal(count, 193);
	bitmap_fill(map, 130);
	__clear_bit(100, map);
	assert_int_equal(find_first_zero_bit(map, 130), 100);
	assert_int_equal(find_next_zero_bit(map, 130, 101), 130);
}

static void arrays_of_bits(void **state)
{
	DECLARE_BITMAP(a, 100);
	DECLARE_BITMAP(b, 100);
	unsigned long *made = bitmap_zalloc(100, GFP_KERNEL);

	(void)state;
	bitmap_zero(a, 100);
	bitmap_set(a, 60, 10);
	assert_int_equal(bitmap_weight(a, 100), 10);
	assert_int_equal(bitmap_weight(a, 65), 5);
	bitmap_copy(b, a, 100);
	/* What lies behind the end does not count. */
	b[1] |= 1UL << 50;
	assert_true(bitmap_equal(a, b, 100));
	__set_bit(99, b);
	assert_false(bitmap_equal(a, b, 100));
	assert_true(bitmap_subset(a, b, 100));
	assert_false(bitmap_subset(b, a, 100));
	assert_true(bitmap_intersects(a, b, 100));
	assert_true(bitmap_andnot(made, b, a, 100));
	assert_int_equal(find_first_bit(made, 100), 99);
	assert_false(bitmap_andnot(made, a, b, 100));
	bitmap_xor(made, a, b, 100);
	assert_int_equal(bitmap_weight(made, 100), 1);
	bitmap_clear(a, 60, 10);
	assert_true(bitmap_empty(a, 100));
	bitmap_fill(a, 100);
	assert_true(bitmap_full(a, 100));
	assert_int_equal(bitmap_find_next_zero_area(b, 100, 58, 8, 7), 72);
	assert_true(bitmap_find_next_zero_area(b, 100, 0, 61, 0) > 100);
	bitmap_free(made);
	assert_false(test_and_set_bit(3, b));
	assert_true(test_and_set_bit(3, b));
	assert_true(test_and_clear_bit(3, b));
	assert_false(test_and_change_bit(3, b));
	assign_bit(3, b, false);
	assert_false(test_bit(3, b));
}

static unsigned long shared[2];

static void *flip(void *bit)
{
	unsigned int i;

	for (i = 0; i < loops(20000); i++)
		change_bit((long)(uintptr_t)bit, shared);
	set_bit((long)(uintptr_t)bit, shared);
	return NULL;
}

static void bits_of_one_word_do_not_disturb_each_other(void **state)
{
	pthread_t threads[2];

	(void)state;
	assert_int_equal(pthread_create(&threads[0], NULL, flip, (void *)64), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, flip, (void *)65), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(shared[0], 0);
	assert_int_equal(shared[1], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(logarithms),
		cmocka_unit_test(macros_are_what_they_seem),
		cmocka_unit_test(rounding_and_pages),
		cmocka_unit_test(fields),
		cmocka_unit_test(finding),
		cmocka_unit_test(arrays_of_bits),
		cmocka_unit_test(bits_of_one_word_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
