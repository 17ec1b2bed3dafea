/* SPDX-License-Identifier: MIT */
/* <linux/rcupdate.h> and <linux/rculist.h>: readers see old or new, and freed memory never. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <malloc.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/atomic.h>
#include <linux/ioasid-log.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct item {
	struct list_head node;
	int number;
	int check;
	struct rcu_head rcu;
};

static LIST_HEAD(list);
static struct item *the_item;
static bool stop_reading;

static struct item *make_item(int number)
{
	struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

	assert_non_null(item);
	item->number = number;
	item->check = ~number;
	return item;
}

/* Fails by itself, or under ASan and TSan, if memory is freed too early. */
static void *read_for_ever(void *unused)
{
	while (!READ_ONCE(stop_reading)) {
		struct item *item;
		int last = 0;

		rcu_read_lock();
		item = rcu_dereference(the_item);
		assert_int_equal(item->number, ~item->check);
		list_for_each_entry_rcu(item, &list, node) {
			assert_int_equal(item->number, ~item->check);
			assert_true(item->number > last);
			last = item->number;
		}
		rcu_read_unlock();
	}
	return unused;
}

static void start_reading(pthread_t *reader)
{
	WRITE_ONCE(stop_reading, false);
	RCU_INIT_POINTER(the_item, make_item(0));
	assert_int_equal(pthread_create(reader, NULL, read_for_ever, NULL), 0);
}

static void end_reading(pthread_t reader)
{
	WRITE_ONCE(stop_reading, true);
	pthread_join(reader, NULL);
	kfree(the_item);
}

static void replaced_pointers_outlive_their_readers(void **state)
{
	pthread_t reader;

	(void)state;
	start_reading(&reader);
	for (int i = 1; i < 300; i++) {
		struct item *old = rcu_replace_pointer(the_item, make_item(i), true);

		synchronize_rcu();
		old->check = 0;
		kfree(old);
	}
	end_reading(reader);
}

static void lists_change_under_their_readers(void **state)
{
	pthread_t reader;

	(void)state;
	start_reading(&reader);
	for (int i = 1; i < 300; i++) {
		list_add_tail_rcu(&make_item(i)->node, &list);
		if (i % 3 == 0) {
			struct item *first = list_first_entry(&list, struct item, node);

			list_del_rcu(&first->node);
			kfree_rcu(first, rcu);
		}
	}
	while (!list_empty(&list)) {
		struct item *first = list_first_or_null_rcu(&list, struct item, node);

		list_del_rcu(&first->node);
		kfree_rcu(first, rcu);
	}
	end_reading(reader);
	rcu_barrier();
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void kfree_rcu_neither_waits_nor_frees_under_a_reader(void **state)
{
	struct item *item = make_item(7);

	(void)state;
	rcu_read_lock();
	kfree_rcu(item, rcu);
	usleep(20000);
	assert_int_equal(item->number, ~item->check);
	rcu_read_unlock();
	rcu_barrier();
	item = NULL;
	kfree_rcu(item, rcu);
}

static bool was_freed;

static void *free_and_say(void *item)
{
	kfree_rcu(item);
	__atomic_store_n(&was_freed, true, __ATOMIC_RELEASE);
	return NULL;
}

static void kfree_rcu_with_nothing_to_lend_waits(void **state)
{
	struct item *item = make_item(8);
	pthread_t other;

	(void)state;
	rcu_read_lock();
	assert_int_equal(pthread_create(&other, NULL, free_and_say, item), 0);
	usleep(20000);
	assert_false(__atomic_load_n(&was_freed, __ATOMIC_ACQUIRE));
	assert_int_equal(item->number, ~item->check);
	rcu_read_unlock();
	pthread_join(other, NULL);
	item = NULL;
	kvfree_rcu(item);
}

static void a_barrier_waits_until_all_is_free(void **state)
{
	struct mallinfo2 before, after;

	(void)state;
	rcu_barrier();
	before = mallinfo2();
	for (int i = 0; i < 100; i++) {
		struct {
			char bulk[100000];
			struct rcu_head rcu;
		} *block = kmalloc(sizeof(*block), 0);

		assert_non_null(block);
		kfree_rcu(block, rcu);
	}
	rcu_barrier();
	after = mallinfo2();
	assert_true(after.uordblks + after.hblkhd <= before.uordblks + before.hblkhd + 100000);
}

/* So large that malloc() gives it back to the system at once; 0 where a sanitizer counts otherwise. */
struct large {
	struct item item;
	char bulk[10000000];
};

static size_t mapped(void)
{
	return mallinfo2().hblkhd;
}

/* The kernel gathers such blocks for longer than that, and some of its code relies on it. */
static void blocks_rest_for_a_while(void **state)
{
	struct large *block = kmalloc(sizeof(*block), GFP_KERNEL);
	size_t with = mapped();

	(void)state;
	assert_non_null(block);
	rcu_barrier();
	block->item.number = 7;
	kfree_rcu(block, item.rcu);
	for (long begin = now_ms(); now_ms() - begin < 10;) {
		assert_int_equal(block->item.number, 7);
		assert_int_equal(mapped(), with);
		usleep(1000);
	}
	rcu_barrier();
	assert_true(mapped() < with || with == 0);
}

static void a_barrier_does_not_wait_for_blocks_to_rest(void **state)
{
	long begin = now_ms();

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct item *item = make_item(i);

		kfree_rcu(item, rcu);
		rcu_barrier();
	}
	assert_true(now_ms() - begin < 20 * 20);
}

/* Nor does anybody who flushes the common queue wait for readers. */
static void other_queues_do_not_wait_for_readers(void **state)
{
	struct item *item = make_item(7);

	(void)state;
	rcu_read_lock();
	kfree_rcu(item, rcu);
	flush_scheduled_work();
	rcu_read_unlock();
	rcu_barrier();
}

#define CALLS 100

struct caller {
	struct rcu_head rcu;
	int number;
	int again;
};

static atomic_t called;
static int order[CALLS];

static void call(struct rcu_head *head)
{
	struct caller *caller = container_of(head, struct caller, rcu);

	if (caller->again-- > 0)
		call_rcu(head, call);
	order[atomic_fetch_inc(&called) % CALLS] = caller->number;
}

static void functions_are_called_in_order(void **state)
{
	static struct caller callers[CALLS];

	(void)state;
	atomic_set(&called, 0);
	for (int i = 0; i < CALLS; i++) {
		callers[i].number = i;
		call_rcu(&callers[i].rcu, call);
	}
	rcu_barrier();
	assert_int_equal(atomic_read(&called), CALLS);
	for (int i = 0; i < CALLS; i++)
		assert_int_equal(order[i], i);
	call_rcu(NULL, call);
	call_rcu(&callers[0].rcu, NULL);
	rcu_barrier();
}

/* A barrier waits for what was there before it: each time for one call more. */
static void a_function_may_defer_again(void **state)
{
	static struct caller caller = { .again = 3 };

	(void)state;
	atomic_set(&called, 0);
	call_rcu(&caller.rcu, call);
	for (int i = 1; i <= 4; i++) {
		rcu_barrier();
		assert_true(atomic_read(&called) >= i);
	}
	assert_int_equal(atomic_read(&called), 4);
}

static void functions_wait_for_readers(void **state)
{
	static struct caller caller;

	(void)state;
	atomic_set(&called, 0);
	rcu_read_lock();
	call_rcu(&caller.rcu, call);
	usleep(5000);
	assert_int_equal(atomic_read(&called), 0);
	rcu_read_unlock();
	rcu_barrier();
	assert_int_equal(atomic_read(&called), 1);
}

static void wait_for_yourself(struct rcu_head *head)
{
	rcu_barrier();
	call(head);
}

/* Where waiting would be for oneself it is refused, with a line. */
static void barriers_do_not_wait_for_themselves(void **state)
{
	static struct caller caller;

	(void)state;
	ioasid_set_log_level(-1);
	atomic_set(&called, 0);
	call_rcu(&caller.rcu, wait_for_yourself);
	rcu_barrier();
	assert_int_equal(atomic_read(&called), 1);
	rcu_read_lock();
	call_rcu(&caller.rcu, call);
	rcu_barrier();
	synchronize_rcu();
	assert_int_equal(atomic_read(&called), 1);
	rcu_read_unlock();
	rcu_barrier();
	assert_int_equal(atomic_read(&called), 2);
	ioasid_set_log_level(4);
}

static void *defer_a_lot(void *unused)
{
	for (int i = 0; i < 2000; i++) {
		struct item *item = make_item(i);

		kfree_rcu(item, rcu);
		if (i % 100 == 0)
			rcu_barrier();
	}
	return unused;
}

static void threads_defer_and_wait_at_once(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, defer_a_lot, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	rcu_barrier();
}

static void sections_nest_and_know_of_themselves(void **state)
{
	(void)state;
	assert_false(rcu_read_lock_held());
	rcu_read_lock();
	rcu_read_lock();
	rcu_read_unlock();
	assert_true(rcu_read_lock_held());
	rcu_read_unlock();
	assert_false(rcu_read_lock_held());
}

static void hashed_lists_change_under_their_readers(void **state)
{
	struct cell {
		int number;
		struct hlist_node node;
	} cells[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } }, *cell;
	HLIST_HEAD(head);
	int number = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		hlist_add_head_rcu(&cells[i].node, &head);
	rcu_read_lock();
	hlist_for_each_entry_rcu(cell, &head, node) {
		number = number * 10 + cell->number;
		/* The walk goes on from an entry that left meanwhile. */
		if (cell->number == 2)
			hlist_del_rcu(&cell->node);
	}
	rcu_read_unlock();
	assert_int_equal(number, 321);
	assert_ptr_equal(cells[2].node.next, &cells[0].node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_nest_and_know_of_themselves),
		cmocka_unit_test(replaced_pointers_outlive_their_readers),
		cmocka_unit_test(lists_change_under_their_readers),
		cmocka_unit_test(hashed_lists_change_under_their_readers),
		cmocka_unit_test(kfree_rcu_neither_waits_nor_frees_under_a_reader),
		cmocka_unit_test(kfree_rcu_with_nothing_to_lend_waits),
		cmocka_unit_test(a_barrier_waits_until_all_is_free),
		cmocka_unit_test(blocks_rest_for_a_while),
		cmocka_unit_test(a_barrier_does_not_wait_for_blocks_to_rest),
		cmocka_unit_test(other_queues_do_not_wait_for_readers),
		cmocka_unit_test(functions_are_called_in_order),
		cmocka_unit_test(a_function_may_defer_again),
		cmocka_unit_test(functions_wait_for_readers),
		cmocka_unit_test(barriers_do_not_wait_for_themselves),
		cmocka_unit_test(threads_defer_and_wait_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
