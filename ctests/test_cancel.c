/* SPDX-License-Identifier: MIT */
/* pthread_cancel() of a thread that waits in the core or sleeps in what it calls: nothing stays locked. */
#define _GNU_SOURCE
#include "scenes.h"

#include <linux/rcupdate.h>

/* A hang is a failure: SIGALRM ends the program. */
#define WATCHDOG_SECONDS 60

/* What a thread does that is cancelled: it finishes that, and ends at its next cancellation point. */
static void *play_and_be_cancelled(void *part)
{
	play(part);
	atomic_set_release(&stage.stop, 1);
	for (;;)
		pause();
	return NULL;
}

/* Everything that takes the lock, or waits. */
static void use_everything(void)
{
	char data[2];
	struct ioasid_set *set = new_set(2);
	ioasid_t id = new_id(set, &data[0]);
	struct recorder recorder = RECORDER(0);
	FILE *null = fopen("/dev/null", "w");

	assert_int_equal(ioasid_attach_data(id, &data[1]), 0);
	assert_int_equal(ioasid_register_notifier(set, &recorder.nb), 0);
	assert_int_equal(ioasid_attach_spid(id, 9), 0);
	assert_int_equal(ioasid_find_by_spid(set, 9), id);
	assert_false(ioasid_put(set, id));
	assert_int_equal(ioasid_dump(null), 0);
	fclose(null);
	assert_false(rcu_read_lock_held());
	synchronize_rcu();
	ioasid_set_put(set);
	assert_int_equal(recorder.count, 2);
}

/* In each scene that sleeps, the thread that does is cancelled; and then the one that waits for it. */
static void a_cancelled_thread_finishes_what_it_is_in(void **state)
{
	(void)state;
	if (UNDER_TSAN)
		skip();
	for (size_t i = 0; i < SCENES; i++) {
		const struct scene *scene = &scenes[i];
		pthread_t threads[2];
		int count = 0;

		if (!scene->others[0] || scene->goes_on)
			continue;
		/* It is in no function of ours there. */
		if (scene->others[0] == stay_in_the_loader)
			continue;
		set_the_stage(scene);
		for (; count < 2 && scene->others[count]; count++) {
			assert_int_equal(pthread_create(&threads[count], NULL,
							play_and_be_cancelled,
							(void *)&scene->others[count]),
					 0);
			wait_for(&stage.ready, count + 1);
		}
		usleep(2000);
		for (int j = 0; j < count; j++)
			assert_int_equal(pthread_cancel(threads[j]), 0);
		usleep(1000);
		/* They are asleep still. */
		assert_int_equal(atomic_read(&stage.stop), 0);
		atomic_set_release(&stage.may_go, 1);
		for (int j = 0; j < count; j++) {
			void *result;

			assert_int_equal(pthread_join(threads[j], &result), 0);
			assert_ptr_equal(result, PTHREAD_CANCELED);
		}
		if (atomic_read(&stage.stop) != 1)
			fail_msg("%s: the thread ended inside", scene->name);
		clear_the_stage();
		if (stage.trace)
			fclose(stage.trace);
		if (!nothing_is_left())
			fail_msg("%s: something is left", scene->name);
		use_everything();
	}
}

static int begin_group(void **state)
{
	(void)state;
	parent = getpid();
	alarm(WATCHDOG_SECONDS);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_cancelled_thread_finishes_what_it_is_in),
	};

	return cmocka_run_group_tests(tests, begin_group, NULL);
}
