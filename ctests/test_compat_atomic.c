/* SPDX-License-Identifier: MIT */
/* <linux/atomic.h>, refcount.h and kref.h: results, edges, and counts that saturate. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <linux/kref.h>

static int warnings;

static void count_line(void *data, int level, const char *line)
{
	(void)data;
	(void)level;
	(void)line;
	warnings++;
}

static int count_warnings(void **state)
{
	(void)state;
	warnings = 0;
	return ioasid_set_log(count_line, NULL);
}

static int stop_counting(void **state)
{
	(void)state;
	return ioasid_set_log(NULL, NULL);
}

static void operations_return_what_they_say(void **state)
{
	atomic_t v = ATOMIC_INIT(10);
	volatile int may_change = 0;

	(void)state;
	assert_int_equal(atomic_add_return(5, &v), 15);
	assert_int_equal(atomic_fetch_sub(5, &v), 15);
	assert_int_equal(cmpxchg(&may_change, 0, 4), 0);
	assert_int_equal(xchg(&may_change, 5), 4);
	assert_int_equal(atomic_inc_return(&v), 11);
	assert_int_equal(atomic_fetch_dec(&v), 11);
	assert_int_equal(atomic_fetch_or(5, &v), 10);
	assert_int_equal(atomic_fetch_andnot(8, &v), 15);
	assert_int_equal(atomic_fetch_xor(1, &v), 7);
	assert_int_equal(atomic_read(&v), 6);
	assert_int_equal(atomic_xchg(&v, 1), 6);
	assert_true(atomic_dec_and_test(&v));
	assert_true(atomic_add_negative(-1, &v));
	assert_true(atomic_inc_and_test(&v));
	assert_int_equal(atomic_cmpxchg(&v, 7, 8), 0);
	assert_int_equal(atomic_cmpxchg(&v, 0, 8), 0);
	assert_int_equal(atomic_read(&v), 8);
}

static void conditions_hold_at_the_edge(void **state)
{
	atomic_t v = ATOMIC_INIT(0);

	(void)state;
	assert_false(atomic_inc_not_zero(&v));
	assert_int_equal(atomic_dec_if_positive(&v), -1);
	assert_int_equal(atomic_read(&v), 0);
	assert_true(atomic_add_unless(&v, 2, 5));
	assert_true(atomic_inc_not_zero(&v));
	assert_int_equal(atomic_dec_if_positive(&v), 2);
	assert_false(atomic_dec_unless_positive(&v));
	atomic_set(&v, -1);
	assert_false(atomic_inc_unless_negative(&v));
	atomic_set(&v, INT_MAX);
	atomic_inc(&v);
	assert_int_equal(atomic_read(&v), INT_MIN);
}

static void long_ones_hold_64_bits(void **state)
{
	atomic64_t v = ATOMIC64_INIT(1LL << 40);
	atomic_long_t w = ATOMIC_LONG_INIT(0);

	(void)state;
	assert_true(atomic64_add_return(1, &v) == (1LL << 40) + 1);
	atomic_long_add(1L << 40, &w);
	assert_true(atomic_long_read(&w) == 1L << 40);
}

static void *increment(void *counter)
{
	for (int i = 0; i < 10000; i++)
		atomic_inc((atomic_t *)counter);
	return NULL;
}

static void no_increment_is_lost(void **state)
{
	atomic_t v = ATOMIC_INIT(0);
	pthread_t other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, increment, &v), 0);
	increment(&v);
	pthread_join(other, NULL);
	assert_int_equal(atomic_read(&v), 20000);
}

static void references_count(void **state)
{
	refcount_t r = REFCOUNT_INIT(1);

	(void)state;
	refcount_inc(&r);
	assert_true(refcount_inc_not_zero(&r));
	assert_int_equal(refcount_read(&r), 3);
	assert_false(refcount_dec_and_test(&r));
	assert_false(refcount_dec_if_one(&r));
	assert_true(refcount_dec_not_one(&r));
	assert_false(refcount_dec_not_one(&r));
	assert_true(refcount_dec_and_test(&r));
	assert_false(refcount_inc_not_zero(&r));
	assert_int_equal(warnings, 0);
}

static void the_last_reference_comes_with_the_lock(void **state)
{
	refcount_t r = REFCOUNT_INIT(2);
	DEFINE_MUTEX(lock);

	(void)state;
	assert_false(refcount_dec_and_mutex_lock(&r, &lock));
	assert_false(mutex_is_locked(&lock));
	assert_true(refcount_dec_and_mutex_lock(&r, &lock));
	assert_true(mutex_is_locked(&lock));
	mutex_unlock(&lock);
}

static DEFINE_MUTEX(object_lock);
static int releases;

static void release(struct kref *kref)
{
	assert_int_equal(kref_read(kref), 0);
	releases++;
}

static void release_and_unlock(struct kref *kref)
{
	assert_true(mutex_is_locked(&object_lock));
	release(kref);
	mutex_unlock(&object_lock);
}

static void the_last_put_releases(void **state)
{
	struct kref k;

	(void)state;
	releases = 0;
	kref_init(&k);
	kref_get(&k);
	assert_true(kref_get_unless_zero(&k));
	assert_int_equal(kref_read(&k), 3);
	assert_int_equal(kref_put(&k, release), 0);
	assert_int_equal(kref_put(&k, release), 0);
	assert_int_equal(releases, 0);
	assert_int_equal(kref_put(&k, release), 1);
	assert_int_equal(releases, 1);
	assert_false(kref_get_unless_zero(&k));
	assert_int_equal(warnings, 0);
}

static void the_last_put_releases_with_the_lock(void **state)
{
	struct kref k = KREF_INIT(2);

	(void)state;
	releases = 0;
	assert_int_equal(kref_put_mutex(&k, release_and_unlock, &object_lock), 0);
	assert_false(mutex_is_locked(&object_lock));
	assert_int_equal(kref_put_mutex(&k, release_and_unlock, &object_lock), 1);
	assert_int_equal(releases, 1);
	kref_init(&k);
	assert_int_equal(kref_put_lock(&k, release_and_unlock, &object_lock), 1);
	assert_int_equal(releases, 2);
	assert_false(mutex_is_locked(&object_lock));
}

/* Nothing can be taken from nothing, also not nothing. */
static void a_count_of_zero_is_never_the_last(void **state)
{
	refcount_t r = REFCOUNT_INIT(0);

	(void)state;
	assert_false(refcount_sub_and_test(0, &r));
	assert_true(refcount_read(&r) == (unsigned int)REFCOUNT_SATURATED);
	assert_false(refcount_sub_and_test(0, &r));
	assert_false(refcount_sub_and_test(REFCOUNT_SATURATED, &r));
	refcount_set(&r, 1);
	assert_true(refcount_sub_and_test(1, &r));
	assert_false(refcount_dec_and_test(&r));
}

static void assert_saturated(refcount_t *r)
{
	assert_true(warnings > 0);
	assert_true(refcount_read(r) == (unsigned int)REFCOUNT_SATURATED);
	refcount_inc(r);
	assert_false(refcount_dec_and_test(r));
	assert_true(refcount_inc_not_zero(r));
	assert_true(refcount_read(r) == (unsigned int)REFCOUNT_SATURATED);
}

static void an_overflow_saturates(void **state)
{
	refcount_t r = REFCOUNT_INIT(REFCOUNT_MAX);

	(void)state;
	refcount_inc(&r);
	assert_saturated(&r);
}

static void an_increment_from_zero_saturates(void **state)
{
	refcount_t r = REFCOUNT_INIT(0);

	(void)state;
	refcount_inc(&r);
	assert_saturated(&r);
}

static void an_underflow_saturates(void **state)
{
	refcount_t r = REFCOUNT_INIT(0);

	(void)state;
	assert_false(refcount_dec_and_test(&r));
	assert_saturated(&r);
}

/* As in the kernel: what looks before it takes leaves 0 alone, and nothing is released. */
static void what_takes_the_lock_for_the_last_leaves_zero(void **state)
{
	refcount_t r = REFCOUNT_INIT(0);
	struct kref k = KREF_INIT(0);

	(void)state;
	releases = 0;
	assert_true(refcount_dec_not_one(&r));
	assert_int_equal(refcount_read(&r), 0);
	assert_int_equal(warnings, 2);
	assert_false(refcount_dec_and_mutex_lock(&r, &object_lock));
	assert_int_equal(kref_put_mutex(&k, release_and_unlock, &object_lock), 0);
	assert_int_equal(kref_put_lock(&k, release_and_unlock, &object_lock), 0);
	assert_int_equal(kref_read(&k), 0);
	assert_false(mutex_is_locked(&object_lock));
	assert_int_equal(releases, 0);
}

static void a_put_wants_a_function(void **state)
{
	struct kref k = KREF_INIT(1);

	(void)state;
	assert_int_equal(kref_put(&k, NULL), 0);
	assert_int_equal(warnings, 1);
	assert_int_equal(kref_put_mutex(&k, NULL, &object_lock), 0);
	assert_int_equal(kref_read(&k), 1);
	assert_false(mutex_is_locked(&object_lock));
}

static void a_plain_decrement_to_zero_saturates(void **state)
{
	refcount_t r = REFCOUNT_INIT(1);

	(void)state;
	refcount_dec(&r);
	assert_saturated(&r);
}

#define counted(test) cmocka_unit_test_setup_teardown(test, count_warnings, stop_counting)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_return_what_they_say),
		cmocka_unit_test(conditions_hold_at_the_edge),
		cmocka_unit_test(long_ones_hold_64_bits),
		cmocka_unit_test(no_increment_is_lost),
		counted(references_count),
		counted(the_last_reference_comes_with_the_lock),
		counted(the_last_put_releases),
		cmocka_unit_test(the_last_put_releases_with_the_lock),
		counted(what_takes_the_lock_for_the_last_leaves_zero),
		counted(a_put_wants_a_function),
		counted(an_overflow_saturates),
		counted(an_increment_from_zero_saturates),
		counted(an_underflow_saturates),
		counted(a_plain_decrement_to_zero_saturates),
		cmocka_unit_test(a_count_of_zero_is_never_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
