/* SPDX-License-Identifier: MIT */
/* What look-ups promise while another thread ends and begins lives of the same number. */
#include <pthread.h>
#include <time.h>

#include "support.h"

/* What is to be seen is rare: some hundred times in as many million look-ups. */
enum { OTHERS = 2, FEW = 300000, MANY = 10000000, SECONDS = 2 };

static bool stop;
static char marks[OTHERS];

/* Somebody who looks, with what should never be seen. */
struct reader {
	pthread_t thread;
	struct ioasid_set *set;
	ioasid_t id;
	const void *own;
	unsigned long found;
	const char *wrong;
};

static void *look(void *data)
{
	struct reader *reader = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		void *seen = ioasid_find(reader->set, reader->id, NULL);

		if (IS_ERR(seen))
			continue;
		if (seen == reader->own)
			reader->found++;
		else
			reader->wrong = seen ? "data of another life" : "no data";
	}
	return NULL;
}

/* Is there to be another round? Not for long, where each takes long. */
static bool goes_on(unsigned int round, unsigned int rounds)
{
	static struct timespec first;
	struct timespec now;

	if (round % 16)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (round == 0)
		first = now;
	return round < loops(rounds) && now.tv_sec - first.tv_sec < SECONDS;
}

static void begin(struct reader *reader, void *(*body)(void *data))
{
	__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
	assert_int_equal(pthread_create(&reader->thread, NULL, body, reader), 0);
}

static void end(struct reader *reader)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(reader->thread, NULL);
	if (reader->wrong)
		fail_msg("%s after %lu good ones", reader->wrong, reader->found);
}

/* One number is now of this set, now of that: find(set) gives data of this one or an error. */
static void find_never_shows_data_of_another_set(void **state)
{
	struct ioasid_set *sets[OTHERS] = { new_set(0), new_set(0) };
	struct reader reader = { .set = sets[0], .id = 7, .own = &marks[0] };

	(void)state;
	begin(&reader, look);
	for (unsigned int i = 0; goes_on(i, MANY); i++) {
		struct ioasid_set *set = sets[i % OTHERS];

		assert_int_equal(ioasid_alloc(set, 7, 7, &marks[i % OTHERS]), 7);
		ioasid_free(set, 7);
	}
	end(&reader);
	for (int i = 0; i < OTHERS; i++)
		ioasid_set_put(sets[i]);
}

static ioasid_t pick_lowest(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	return min;
}

static void take_back(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
}

/* Ids of custom allocators use the same record one after the other. */
static void find_never_shows_another_id_of_the_same_record(void **state)
{
	struct ioasid_allocator_ops ops = { .alloc = pick_lowest, .free = take_back };
	static const ioasid_t ids[OTHERS] = { 0x80000007, 0x90000009 };
	struct reader reader = { .id = ids[0], .own = &marks[0] };

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	begin(&reader, look);
	for (unsigned int i = 0; goes_on(i, MANY); i++) {
		ioasid_t id = ids[i % OTHERS];

		assert_int_equal(ioasid_alloc(NULL, id, id, &marks[i % OTHERS]), id);
		ioasid_free(NULL, id);
	}
	end(&reader);
	ioasid_unregister_allocator(&ops);
}

static void *search(void *data)
{
	struct reader *reader = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		ioasid_t spid = ioasid_find_spid(reader->id);

		if (pasid_valid(spid) && spid != 1)
			reader->wrong = "the SPID of another life";
		/* Number 8 has it all the time. */
		if (ioasid_find_by_spid_ref(reader->set, 2, false) != 8)
			reader->wrong = "an SPID was not found";
		reader->found++;
	}
	return NULL;
}

static void searches_by_spid_miss_nothing_that_stays(void **state)
{
	struct ioasid_set *set = new_set(0);
	struct reader reader = { .set = set, .id = 7 };

	(void)state;
	assert_int_equal(ioasid_alloc(set, 8, 8, NULL), 8);
	assert_int_equal(ioasid_attach_spid(8, 2), 0);
	begin(&reader, search);
	for (unsigned int i = 0; goes_on(i, FEW); i++) {
		assert_int_equal(ioasid_alloc(set, 7, 7, NULL), 7);
		assert_int_equal(ioasid_attach_spid(7, 1), 0);
		ioasid_free(set, 7);
	}
	end(&reader);
	ioasid_set_put(set);
}

static void *get_and_put(void *data)
{
	struct reader *reader = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (ioasid_get(reader->set, reader->id))
			continue;
		reader->found++;
		if (ioasid_put(reader->set, reader->id) && reader->own)
			reader->wrong = "the last reference was not one's own";
	}
	return NULL;
}

/* Two count one id up and down at once. */
static void references_are_counted_exactly(void **state)
{
	struct ioasid_set *set = new_set(0);
	struct reader reader = { .set = set, .id = new_id(set, NULL), .own = &marks[0] };

	(void)state;
	begin(&reader, get_and_put);
	for (unsigned int i = 0; goes_on(i, FEW); i++) {
		assert_int_equal(ioasid_get(set, reader.id), 0);
		assert_false(ioasid_put(set, reader.id));
	}
	end(&reader);
	assert_true(ioasid_put(set, reader.id));
	ioasid_set_put(set);
}

/* Whoever is last ends the life, once; the next one begins where that ended. */
static void an_id_ends_once_whoever_is_last(void **state)
{
	struct ioasid_set *set = new_set(0);
	struct reader reader = { .set = set, .id = 7 };

	(void)state;
	begin(&reader, get_and_put);
	for (unsigned int i = 0; goes_on(i, FEW); i++)
		if (ioasid_alloc(set, 7, 7, NULL) == 7)
			ioasid_free(set, 7);
	end(&reader);
	assert_int_equal(read_stats().live, 0);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(find_never_shows_data_of_another_set),
		CLEAN_TEST(find_never_shows_another_id_of_the_same_record),
		CLEAN_TEST(searches_by_spid_miss_nothing_that_stays),
		CLEAN_TEST(references_are_counted_exactly),
		CLEAN_TEST(an_id_ends_once_whoever_is_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
