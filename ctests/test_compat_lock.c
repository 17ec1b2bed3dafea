/* SPDX-License-Identifier: MIT */
/* Mutexes, spinlocks and reader-writer semaphores: who gets in, who waits, and who is told off. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/atomic.h>
#include <linux/ioasid-log.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

static DEFINE_MUTEX(mutex);
static DEFINE_SPINLOCK(spinlock);
static DECLARE_RWSEM(sem);
static long guarded;

static void *add_with_mutex(void *unused)
{
	for (int i = 0; i < 10000; i++) {
		mutex_lock(&mutex);
		guarded++;
		mutex_unlock(&mutex);
	}
	return unused;
}

static void *add_with_spinlock(void *unused)
{
	unsigned long flags;

	for (int i = 0; i < 10000; i++) {
		spin_lock_irqsave(&spinlock, flags);
		guarded++;
		spin_unlock_irqrestore(&spinlock, flags);
	}
	return unused;
}

static void *add_with_sem(void *unused)
{
	for (int i = 0; i < 10000; i++) {
		down_write(&sem);
		guarded++;
		up_write(&sem);
	}
	return unused;
}

static void excludes(void **state)
{
	pthread_t other;

	guarded = 0;
	assert_int_equal(pthread_create(&other, NULL, (void *(*)(void *)) * state, NULL), 0);
	((void *(*)(void *)) * state)(NULL);
	pthread_join(other, NULL);
	assert_int_equal(guarded, 20000);
}

static void trying_a_held_lock_fails(void **state)
{
	(void)state;
	assert_false(mutex_is_locked(&mutex));
	assert_true(mutex_trylock(&mutex));
	assert_true(mutex_is_locked(&mutex));
	assert_false(mutex_trylock(&mutex));
	mutex_unlock(&mutex);
	assert_true(spin_trylock(&spinlock));
	assert_false(spin_trylock(&spinlock));
	assert_true(spin_is_locked(&spinlock));
	spin_unlock(&spinlock);
}

static void count_line(void *lines, int level, const char *line)
{
	(void)level;
	(void)line;
	++*(int *)lines;
}

static void a_lock_that_nobody_holds_is_reported(void **state)
{
	int lines = 0;

	(void)state;
	assert_int_equal(ioasid_set_log(count_line, &lines), 0);
	mutex_lock(&mutex);
	lockdep_assert_held(&mutex);
	lockdep_assert_held((const struct mutex *)&mutex);
	mutex_unlock(&mutex);
	spin_lock(&spinlock);
	lockdep_assert_held_once(&spinlock);
	spin_unlock(&spinlock);
	down_read(&sem);
	lockdep_assert_held(&sem);
	up_read(&sem);
	assert_int_equal(lines, 0);
	for (int i = 0; i < 2; i++) {
		lockdep_assert_held(&mutex);
		lockdep_assert_held(&sem);
		lockdep_assert_held_once(&spinlock);
	}
	assert_int_equal(lines, 5);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
}

static void readers_share_and_writers_do_not(void **state)
{
	(void)state;
	down_read(&sem);
	assert_true(down_read_trylock(&sem));
	assert_false(down_write_trylock(&sem));
	up_read(&sem);
	assert_false(down_write_trylock(&sem));
	up_read(&sem);
	assert_true(down_write_trylock(&sem));
	assert_false(down_read_trylock(&sem));
	up_write(&sem);
}

static atomic_t writer_is_in;

static void *write_once(void *unused)
{
	down_write(&sem);
	atomic_set(&writer_is_in, 1);
	up_write(&sem);
	return unused;
}

static void a_waiting_writer_goes_before_new_readers(void **state)
{
	pthread_t writer;
	bool writer_waits = false;

	(void)state;
	down_read(&sem);
	assert_int_equal(pthread_create(&writer, NULL, write_once, NULL), 0);
	while (!writer_waits) {
		usleep(1000);
		writer_waits = !down_read_trylock(&sem);
		if (!writer_waits)
			up_read(&sem);
	}
	assert_int_equal(atomic_read(&writer_is_in), 0);
	up_read(&sem);
	down_read(&sem);
	assert_int_equal(atomic_read(&writer_is_in), 1);
	up_read(&sem);
	pthread_join(writer, NULL);
}

#define excludes_by(how) { #how " excludes", excludes, NULL, NULL, (void *)(how) }

int main(void)
{
	const struct CMUnitTest tests[] = {
		excludes_by(add_with_mutex),
		excludes_by(add_with_spinlock),
		excludes_by(add_with_sem),
		cmocka_unit_test(trying_a_held_lock_fails),
		cmocka_unit_test(a_lock_that_nobody_holds_is_reported),
		cmocka_unit_test(readers_share_and_writers_do_not),
		cmocka_unit_test(a_waiting_writer_goes_before_new_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
