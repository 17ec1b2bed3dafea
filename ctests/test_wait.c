/* SPDX-License-Identifier: MIT */
/* When something is really gone: RECLAIM, and requests that wait for it. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/rcupdate.h>

#include "support.h"

/* A subscriber to RECLAIM. */
struct hearer {
	struct notifier_block nb;
	void (*act)(struct hearer *self, const struct ioasid_reclaim_args *args);
	unsigned int count;
	struct ioasid_reclaim_args last;
	void *data;
};

static int hear(struct notifier_block *nb, unsigned long event, void *data)
{
	struct hearer *self = (struct hearer *)nb;

	assert_int_equal(event, IOASID_NOTIFY_RECLAIM);
	self->count++;
	self->last = *(struct ioasid_reclaim_args *)data;
	if (self->act)
		self->act(self, data);
	return NOTIFY_STOP; /* which stops nobody */
}

#define HEARER(...) { .nb = { .notifier_call = hear }, ##__VA_ARGS__ }

static void reclaim_is_told_when_the_last_holder_is_done(void **state)
{
	struct hearer first = HEARER(), second = HEARER();
	struct ioasid_set *set = new_set(0);
	int number = set->id;
	char data;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_reclaim(NULL), -EINVAL);
	assert_int_equal(ioasid_register_reclaim(&first.nb), 0);
	assert_int_equal(ioasid_register_reclaim(&first.nb), -EEXIST);
	assert_int_equal(ioasid_register_reclaim(&second.nb), 0);
	id = new_id(set, &data);
	ioasid_get(set, id);
	ioasid_free(set, id);
	assert_int_equal(first.count, 0);
	assert_true(ioasid_put(set, id));
	assert_int_equal(first.count, 1);
	assert_int_equal(second.count, 1);
	assert_int_equal(first.last.id, id);
	assert_int_equal(first.last.set, number);
	assert_ptr_equal(first.last.pdata, &data);

	/* At once where nobody else has it; in the sweep of a set, for each. */
	free_id(new_id(set, NULL));
	assert_int_equal(first.count, 2);
	new_id(set, NULL);
	new_id(set, NULL);
	ioasid_unregister_reclaim(&second.nb);
	ioasid_set_put(set);
	assert_int_equal(first.count, 4);
	assert_int_equal(second.count, 2);
	ioasid_unregister_reclaim(&first.nb);
	ioasid_unregister_reclaim(&first.nb);
	free_id(new_id(NULL, NULL));
	assert_int_equal(first.count, 4);
}

static unsigned int heard;

static int hear_kernel_events(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)data;
	heard++;
	assert_int_not_equal(event, IOASID_NOTIFY_RECLAIM);
	return NOTIFY_OK;
}

static void others_never_hear_it(void **state)
{
	struct notifier_block all = { .notifier_call = hear_kernel_events };
	struct notifier_block one = { .notifier_call = hear_kernel_events };
	struct hearer hearer = HEARER();
	struct ioasid_set *set = new_set(0);

	(void)state;
	heard = 0;
	assert_int_equal(ioasid_register_notifier(NULL, &all), 0);
	assert_int_equal(ioasid_register_notifier(set, &one), 0);
	assert_int_equal(ioasid_register_reclaim(&hearer.nb), 0);
	free_id(new_id(set, NULL)); /* ALLOC, and FREE twice */
	assert_int_equal(heard, 3);
	assert_int_equal(hearer.count, 1);
	assert_int_equal(ioasid_notify(77, IOASID_NOTIFY_RECLAIM, IOASID_NOTIFY_FLAG_ALL), -EINVAL);
	ioasid_unregister_reclaim(&hearer.nb);
	ioasid_unregister_notifier(NULL, &all);
	ioasid_set_put(set);
}

static void take_it_again(struct hearer *self, const struct ioasid_reclaim_args *args)
{
	if (self->count > 1)
		return;
	assert_int_equal(ioasid_alloc(NULL, args->id, args->id, NULL), args->id);
	*(bool *)self->data = true;
}

static void the_number_is_in_the_pool_when_it_is_told(void **state)
{
	bool taken = false;
	struct hearer hearer = HEARER(.act = take_it_again, .data = &taken);
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	assert_int_equal(ioasid_register_reclaim(&hearer.nb), 0);
	ioasid_free(NULL, id);
	assert_true(taken);
	assert_true(ioasid_is_active(id));
	ioasid_unregister_reclaim(&hearer.nb);
	free_id(id);
}

static ioasid_t custom_alloc(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	return min;
}

static void custom_free(ioasid_t id, void *data)
{
	(void)id;
	*(unsigned int *)data = ((struct hearer *)((void **)data)[1])->count;
}

static void a_custom_allocator_has_its_id_back_before(void **state)
{
	struct hearer hearer = HEARER();
	struct {
		unsigned int told_before;
		void *hearer;
	} data = { 7, &hearer };
	struct ioasid_allocator_ops ops = { .alloc = custom_alloc,
					    .free = custom_free,
					    .pdata = &data };
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(ioasid_register_reclaim(&hearer.nb), 0);
	id = ioasid_alloc(NULL, 5000000, 5000001, NULL);
	ioasid_free(NULL, id);
	assert_int_equal(data.told_before, 0);
	assert_int_equal(hearer.count, 1);
	assert_int_equal(hearer.last.id, 5000000);
	ioasid_unregister_reclaim(&hearer.nb);
	ioasid_unregister_allocator(&ops);
}

static void free_the_next(struct hearer *self, const struct ioasid_reclaim_args *args)
{
	(void)self;
	if (args->id + 1 < 10000)
		ioasid_free(NULL, args->id + 1);
}

/* Each RECLAIM frees the next id: told 64 deep, then by the outermost call, and each once. */
static void a_long_chain_takes_no_more_stack(void **state)
{
	struct hearer hearer = HEARER(.act = free_the_next);

	(void)state;
	for (ioasid_t id = 0; id < 10000; id++)
		assert_int_equal(ioasid_alloc(NULL, id, id, NULL), id);
	assert_int_equal(ioasid_register_reclaim(&hearer.nb), 0);
	ioasid_free(NULL, 0);
	assert_int_equal(hearer.count, 10000);
	ioasid_unregister_reclaim(&hearer.nb);
}

static void leave(struct hearer *self, const struct ioasid_reclaim_args *args)
{
	(void)args;
	ioasid_unregister_reclaim(&self->nb);
	if (self->data)
		ioasid_unregister_reclaim(self->data);
}

static void handlers_may_leave_and_take_others_along(void **state)
{
	struct hearer last = HEARER();
	struct hearer first = HEARER(.act = leave, .data = &last.nb);

	(void)state;
	assert_int_equal(ioasid_register_reclaim(&first.nb), 0);
	assert_int_equal(ioasid_register_reclaim(&last.nb), 0);
	free_id(new_id(NULL, NULL));
	assert_int_equal(first.count, 1);
	assert_int_equal(last.count, 0);
}

static void a_failed_registration_leaves_nothing(void **state)
{
	struct hearer hearer = HEARER();

	(void)state;
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_register_reclaim(&hearer.nb), -ENOMEM);
	ioasid_fail_nth(0);
	free_id(new_id(NULL, NULL));
	assert_int_equal(hearer.count, 0);
}

/* ---- waiting ---- */

static void what_nobody_holds_is_not_waited_for(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_free_wait(other, id, -1), -EACCES);
	assert_true(ioasid_is_active(id));
	assert_int_equal(ioasid_free_wait(set, id, -1), 0);
	assert_int_equal(ioasid_free_wait(set, id, -1), -EINVAL);
	assert_int_equal(ioasid_free_wait(NULL, INVALID_IOASID, 0), -EINVAL);
	assert_int_equal(ioasid_set_put_wait(other, -1), 0);
	assert_int_equal(ioasid_set_put_wait(other, -1), -EINVAL);
	assert_int_equal(ioasid_set_put_wait(NULL, 0), -EINVAL);
	ioasid_set_put(set);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_wait_that_is_over_leaves_the_end_going_on(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);
	double begin;

	(void)state;
	ioasid_get(set, id);
	begin = seconds();
	assert_int_equal(ioasid_free_wait(set, id, 30), -ETIMEDOUT);
	assert_true(seconds() - begin >= 0.03);
	assert_int_equal(ioasid_get(set, id), -EBUSY);
	assert_int_equal(ioasid_free_wait(set, id, 0), -ETIMEDOUT);
	assert_int_equal(ioasid_set_put_wait(set, 10), -ETIMEDOUT);
	assert_int_equal(ioasid_set_put_wait(set, 10), -EINVAL);
	assert_true(ioasid_put(NULL, id));
}

struct later {
	ioasid_t id;
	bool takes_it_again;
	struct ioasid_set *set;
};

static void *put_later(void *data)
{
	struct later *later = data;

	usleep(20000);
	ioasid_put(NULL, later->id);
	if (later->takes_it_again)
		assert_int_equal(ioasid_alloc(NULL, later->id, later->id, NULL), later->id);
	return NULL;
}

static void a_wait_ends_with_the_last_holder(void **state)
{
	struct ioasid_set *set = new_set(0);
	struct later later = { .id = new_id(set, NULL) };
	pthread_t thread;

	(void)state;
	ioasid_get(set, later.id);
	pthread_create(&thread, NULL, put_later, &later);
	assert_int_equal(ioasid_free_wait(set, later.id, -1), 0);
	assert_int_equal(ioasid_get(NULL, later.id), -EINVAL);
	pthread_join(thread, NULL);

	later.id = new_id(set, NULL);
	ioasid_get(set, later.id);
	pthread_create(&thread, NULL, put_later, &later);
	assert_int_equal(ioasid_set_put_wait(set, -1), 0);
	assert_int_equal(read_stats().live, 0);
	pthread_join(thread, NULL);
}

static void *put_set_later(void *set)
{
	usleep(20000);
	ioasid_set_put(set);
	return NULL;
}

/* A set without ids that somebody else holds: nothing is reclaimed when it goes. */
static void a_wait_ends_with_the_last_holder_of_a_set(void **state)
{
	struct ioasid_set *set = new_set(0);
	pthread_t thread;

	(void)state;
	ioasid_set_get(set);
	pthread_create(&thread, NULL, put_set_later, set);
	assert_int_equal(ioasid_set_put_wait(set, -1), 0);
	pthread_join(thread, NULL);
}

/* The number has another owner before the waiter looks: it waited for its own life. */
static void a_wait_is_bound_to_a_life(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		struct later later = { .id = new_id(NULL, NULL), .takes_it_again = true };
		pthread_t thread;

		ioasid_get(NULL, later.id);
		pthread_create(&thread, NULL, put_later, &later);
		assert_int_equal(ioasid_free_wait(NULL, later.id, -1), 0);
		pthread_join(thread, NULL);
		assert_true(ioasid_is_active(later.id));
		free_id(later.id);
	}
}

static int result_inside[4];

static int wait_inside(struct notifier_block *nb, unsigned long event, void *data)
{
	struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_ALLOC) {
		result_inside[0] = ioasid_free_wait(NULL, args->id, -1);
		result_inside[1] = ioasid_set_put_wait(args->set, -1);
	}
	return NOTIFY_OK;
}

static void nobody_waits_where_it_could_not_end(void **state)
{
	struct notifier_block nb = { .notifier_call = wait_inside };
	struct ioasid_set *set = new_set(0);
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	id = new_id(set, NULL);
	assert_int_equal(result_inside[0], -EDEADLK);
	assert_int_equal(result_inside[1], -EDEADLK);
	rcu_read_lock();
	assert_int_equal(ioasid_free_wait(set, id, -1), -EDEADLK);
	assert_int_equal(ioasid_set_put_wait(set, -1), -EDEADLK);
	rcu_read_unlock();
	assert_true(ioasid_is_active(id));
	ioasid_set_put(set);
}

static void wait_in_the_visit(ioasid_t id, void *result)
{
	*(int *)result = ioasid_may_wait() ? ioasid_free_wait(NULL, id, 1000) : -1;
}

static ioasid_t said_of;

static void wait_in_the_sink(void *result, int level, const char *line)
{
	(void)level;
	(void)line;
	*(int *)result = ioasid_may_wait() ? ioasid_free_wait(NULL, said_of, 1000) : -1;
}

/* Callbacks that run without the core lock may wait: visitors, and a sink for a line of the program. */
static void callbacks_without_the_lock_may_wait(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);
	int result = -1;

	(void)state;
	assert_int_equal(ioasid_set_for_each_ioasid(set, wait_in_the_visit, &result), 0);
	assert_int_equal(result, 0);
	assert_false(ioasid_is_active(id));

	said_of = new_id(set, NULL);
	result = -1;
	ioasid_set_log_level(IOASID_LOG_WARNING);
	assert_int_equal(ioasid_set_log(wait_in_the_sink, &result), 0);
	ioasid_printk("<4>a line\n");
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(result, 0);
	assert_false(ioasid_is_active(said_of));
	ioasid_set_put(set);
}

static void *wait_long(void *id)
{
	return (void *)(intptr_t)ioasid_free_wait(NULL, *(ioasid_t *)id, 60000);
}

static int child_goes_on(const void *data)
{
	ioasid_t id = *(const ioasid_t *)data, other;

	child_assert(ioasid_put(NULL, id));
	other = ioasid_alloc(NULL, ANY, NULL);
	child_assert(ioasid_free_wait(NULL, other, -1) == 0);
	return 0;
}

/* The child has none of the threads that wait, and is not slowed down by their memory. */
static void a_child_is_born_while_others_wait(void **state)
{
	ioasid_t id = new_id(NULL, NULL);
	pthread_t threads[3];
	void *result;

	(void)state;
	ioasid_get(NULL, id);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, wait_long, &id);
	while (ioasid_is_active(id))
		sched_yield();
	assert_int_equal(in_child(child_goes_on, &id), 0);
	assert_true(ioasid_put(NULL, id));
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &result);
		/* Who came when it was gone already found no id. */
		if (result)
			assert_int_equal((intptr_t)result, -EINVAL);
	}
}

static int returned;

static void *wait_and_say(void *id)
{
	int result = ioasid_free_wait(NULL, *(ioasid_t *)id, -1);

	__atomic_store_n(&returned, result ? 2 : 1, __ATOMIC_RELEASE);
	pthread_testcancel();
	return NULL;
}

static void a_wait_is_no_cancellation_point(void **state)
{
	ioasid_t id = new_id(NULL, NULL);
	pthread_t thread;
	void *result;

	(void)state;
	returned = 0;
	ioasid_get(NULL, id);
	pthread_create(&thread, NULL, wait_and_say, &id);
	while (ioasid_is_active(id))
		sched_yield();
	pthread_cancel(thread);
	usleep(20000);
	assert_int_equal(__atomic_load_n(&returned, __ATOMIC_ACQUIRE), 0);
	assert_true(ioasid_put(NULL, id));
	pthread_join(thread, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	assert_int_equal(returned, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(reclaim_is_told_when_the_last_holder_is_done),
		CLEAN_TEST(others_never_hear_it),
		CLEAN_TEST(the_number_is_in_the_pool_when_it_is_told),
		CLEAN_TEST(a_custom_allocator_has_its_id_back_before),
		CLEAN_TEST(a_long_chain_takes_no_more_stack),
		CLEAN_TEST(handlers_may_leave_and_take_others_along),
		CLEAN_TEST(a_failed_registration_leaves_nothing),
		CLEAN_TEST(what_nobody_holds_is_not_waited_for),
		CLEAN_TEST(a_wait_that_is_over_leaves_the_end_going_on),
		CLEAN_TEST(a_wait_ends_with_the_last_holder),
		CLEAN_TEST(a_wait_ends_with_the_last_holder_of_a_set),
		CLEAN_TEST(a_wait_is_bound_to_a_life),
		CLEAN_TEST(nobody_waits_where_it_could_not_end),
		CLEAN_TEST(callbacks_without_the_lock_may_wait),
		CLEAN_TEST(a_child_is_born_while_others_wait),
		CLEAN_TEST(a_wait_is_no_cancellation_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
