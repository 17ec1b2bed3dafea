/* SPDX-License-Identifier: MIT */
/* What a thread was refused last, the sentence of it, and the log's lines; names of sets. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static struct ioasid_refused last(void)
{
	struct ioasid_refused why;

	assert_true(ioasid_last_refusal(&why));
	return why;
}

static const char *sentence(void)
{
	static char line[256];
	struct ioasid_refused why = last();
	size_t length = ioasid_strrefusal(&why, line, sizeof(line));

	assert_int_equal(length, strlen(line));
	return line;
}

/* What the thread was refused last, with the numbers that differ from run to run. */
#define SAYS(request, ...) \
	do { \
		char wanted[256]; \
		(void)(request); \
		snprintf(wanted, sizeof(wanted), __VA_ARGS__); \
		assert_string_equal(sentence(), wanted); \
	} while (0)

static int ignore(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	return NOTIFY_OK;
}

static void an_allocation_says_which_of_its_causes_it_was(void **state)
{
	struct ioasid_set *set = new_set(2), *stranger = (struct ioasid_set *)8;
	ioasid_t first = ioasid_alloc(set, 10, 10, NULL), second;
	int n = set->id;
	struct ioasid_refused why;

	(void)state;
	ioasid_set_name(set, "vm3");
	SAYS(ioasid_alloc(set, 10, 10, NULL),
	     "ioasid_alloc: no free id in the range: set %d \"vm3\", range 10-10, limit 1048576",
	     n);
	SAYS(ioasid_alloc(set, 9, 3, NULL),
	     "ioasid_alloc: the range is reversed: set %d \"vm3\", range 9-3, limit 1048576", n);
	SAYS(ioasid_alloc(set, 1u << 20, 1u << 21, NULL),
	     "ioasid_alloc: the range is beyond the capacity: set %d \"vm3\", range 1048576-2097152, "
	     "limit 1048576",
	     n);
	second = new_id(set, NULL);
	SAYS(ioasid_alloc(set, ANY, NULL),
	     "ioasid_alloc: the set's quota is used up: set %d \"vm3\", asked for 1, available 0, "
	     "limit 2",
	     n);
	why = last();
	assert_int_equal(why.reason, IOASID_REFUSED_QUOTA);
	assert_int_equal(why.error, ENOSPC);
	assert_string_equal(why.function, "ioasid_alloc");
	assert_string_equal(why.set_name, "vm3");
	assert_int_equal(why.set, n);
	assert_int_equal(why.id, INVALID_IOASID);
	assert_int_equal(why.limit, 2);
	SAYS(ioasid_alloc(stranger, ANY, NULL), "ioasid_alloc: not a live set: pointer 0x8");
	free_id(first);
	ioasid_reserve_capacity((1u << 20) - 2);
	SAYS(ioasid_alloc(NULL, ANY, NULL),
	     "ioasid_alloc: the capacity is used up: set 0, asked for 1, available 0, limit 1048576");
	ioasid_cancel_capacity((1u << 20) - 2);
	free_id(second);
	ioasid_set_put(set);
}

static void requests_for_an_id_say_what_is_wrong_with_it(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = ioasid_alloc(set, 20, 20, &id), peer = ioasid_alloc(set, 21, 21, NULL);
	struct ioasid_refused why;
	int n = set->id;

	(void)state;
	SAYS(ioasid_get(other, id), "ioasid_get: the id is of another set: id 20, set %d", n);
	SAYS(ioasid_get(set, 77), "ioasid_get: the id is not in use: id 77");
	SAYS(ioasid_get_if_owned(id),
	     "ioasid_get_if_owned: the set of the id is not of IOASID_SET_TYPE_MM: id 20, set %d",
	     n);
	assert_int_equal(ioasid_attach_spid(id, 5), 0);
	assert_int_equal(ioasid_attach_spid(peer, 5), -EINVAL);
	SAYS(0,
	     "ioasid_attach_spid: another id of the set has the SPID: id 21, set %d, SPID 5 of id 20",
	     n);
	why = last();
	assert_int_equal(why.spid, 5);
	assert_int_equal(why.owner, id);
	assert_int_equal(why.error, EINVAL);
	SAYS(ioasid_attach_first_data(id, NULL),
	     "ioasid_attach_first_data: the id has data: id 20, set %d", n);
	SAYS(ioasid_set_free(set), "ioasid_set_free: the set has ids: set %d, there are 2", n);
	ioasid_get(set, id);
	ioasid_free(set, id);
	SAYS(ioasid_get(set, id), "ioasid_get: the id is being freed: id 20");
	ioasid_put(set, id);
	free_id(peer);
	ioasid_set_put(other);
	ioasid_set_put(set);
	/* The set itself is not known by the time a dead pointer is looked at. */
	SAYS(ioasid_adjust_set(set, 3), "ioasid_adjust_set: not a live set: pointer %p",
	     (void *)set);
	SAYS(ioasid_set_get(NULL),
	     "ioasid_set_get: the system set and declared sets have no references and no quota");
}

static void requests_for_sets_and_subscribers_say_which(void **state)
{
	struct notifier_block nb = { .notifier_call = ignore };
	struct ioasid_set *set = ioasid_set_alloc(&nb, 4, IOASID_SET_TYPE_NULL);
	int n = set->id;
	ioasid_t id = new_id(set, NULL), two = new_id(set, NULL);

	(void)state;
	SAYS(ioasid_set_alloc(&nb, 1, IOASID_SET_TYPE_NULL),
	     "ioasid_set_alloc: the token has a set: set %d, pointer %p", n, (void *)&nb);
	SAYS(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_MM),
	     "ioasid_set_alloc: IOASID_SET_TYPE_MM needs a token");
	SAYS(ioasid_set_alloc(NULL, 0x200000, IOASID_SET_TYPE_NULL),
	     "ioasid_set_alloc: the capacity is used up: asked for 2097152, available 1048572, "
	     "limit 1048576");
	SAYS(ioasid_adjust_set(set, 1),
	     "ioasid_adjust_set: the set has more ids than that: set %d, asked for 1, there are 2",
	     n);
	SAYS(ioasid_adjust_set(set, 0), "ioasid_adjust_set: a quota must be positive: set %d", n);
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	SAYS(ioasid_register_notifier(set, &nb),
	     "ioasid_register_notifier: the subscriber is there already: pointer %p", (void *)&nb);
	ioasid_unregister_notifier(set, &nb);
	SAYS(ioasid_unregister_notifier(set, &nb),
	     "ioasid_unregister_notifier: no such subscriber: pointer %p", (void *)&nb);
	SAYS(ioasid_unregister_allocator(NULL), "ioasid_unregister_allocator: no such allocator");
	SAYS(ioasid_notify(id, IOASID_NOTIFY_FREE, IOASID_NOTIFY_ALL),
	     "ioasid_notify: only BIND and UNBIND can be told by hand: id %u", id);
	SAYS(ioasid_cancel_capacity(9),
	     "ioasid_cancel_capacity: fewer ids are reserved: asked for 9, there are 0");
	SAYS(ioasid_install_capacity(9),
	     "ioasid_install_capacity: the capacity is in use: asked for 9, there are 4");
	free_id(id);
	free_id(two);
	ioasid_set_put(set);
}

/* Each is told by the name that was called. */
static void a_refusal_names_the_function_that_was_called(void **state)
{
	struct ioasid_set *none = (struct ioasid_set *)8;
	static DECLARE_IOASID_SET(never_used);
	char tag;

	(void)state;
	SAYS(ioasid_get_locked(NULL, 88), "ioasid_get_locked: the id is not in use: id 88");
	SAYS(ioasid_put_locked(NULL, 88), "ioasid_put_locked: the id is not in use: id 88");
	SAYS(ioasid_detach_data(88), "ioasid_detach_data: the id is not in use: id 88");
	for (int i = 0; i < 2; i++) {
		SAYS(ioasid_get_tagged(NULL, 88, &tag),
		     "ioasid_get_tagged: the id is not in use: id 88");
		SAYS(ioasid_put_tagged(NULL, 88, &tag),
		     "ioasid_put_tagged: the id is not in use: id 88");
		if (i == 0)
			assert_int_equal(ioasid_history_start(), 0);
	}
	ioasid_history_stop();
	ioasid_set_get_locked(none);
	SAYS(0, "ioasid_set_get_locked: not a live set: pointer 0x8");
	ioasid_set_put_locked(none);
	SAYS(0, "ioasid_set_put_locked: not a live set: pointer 0x8");
	SAYS(ioasid_find_by_spid_ref(NULL, 5, true),
	     "ioasid_find_by_spid_ref: no ACTIVE id of the set has the SPID: set 0, SPID 5");
	SAYS(ioasid_find_by_spid(NULL, 5),
	     "ioasid_find_by_spid: no ACTIVE id of the set has the SPID: set 0, SPID 5");
	SAYS(ioasid_adjust_set(&never_used, 5),
	     "ioasid_adjust_set: the system set and declared sets have no references and no quota: "
	     "pointer %p",
	     (void *)&never_used);
}

static void replace_sink(void *data, int level, const char *line)
{
	(void)level, (void)line;
	*(int *)data = ioasid_set_log(NULL, NULL);
}

/* Also where the function takes no id and no set. */
static void what_looks_inside_is_refused_as_all_else(void **state)
{
	FILE *null = fopen("/dev/null", "w"), *full = fopen("/dev/full", "w");
	int result = 0;
	ioasid_t id = new_id(NULL, NULL);

	(void)state;
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(ioasid_trace_start(null), 0);
	SAYS(ioasid_trace_start(null), "ioasid_trace_start: a trace is being written");
	ioasid_trace_stop();
	assert_int_equal(ioasid_report_leaks(full), -EIO);
	SAYS(0, "ioasid_report_leaks: the stream did not take it");
	assert_int_equal(ioasid_dump(full), -EIO);
	SAYS(0, "ioasid_dump: the stream did not take it");
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_report_leaks(null), -ENOMEM);
	ioasid_fail_nth(0);
	SAYS(0, "ioasid_report_leaks: out of memory");
	SAYS(ioasid_report_leaks(NULL), "ioasid_report_leaks: an argument makes no sense");
	ioasid_set_log(replace_sink, &result);
	ioasid_set_log_level(4);
	ioasid_printk("a line");
	ioasid_set_log_level(-1);
	ioasid_set_log(NULL, NULL);
	assert_int_equal(result, -EDEADLK);
	SAYS(0, "ioasid_set_log: it would wait for itself, in a callback or a read-side section");
	fclose(null);
	fclose(full);
	free_id(id);
}

static void look_ups_are_counted_and_told_without_a_line(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);
	uint64_t unknown = refused(IOASID_REFUSED_UNKNOWN), owner = refused(IOASID_REFUSED_OWNER),
		 none = refused(IOASID_REFUSED_SET);

	(void)state;
	SAYS(ioasid_find(NULL, 500, NULL), "ioasid_find: the id is not in use: id 500");
	SAYS(ioasid_find(other, id, NULL), "ioasid_find: the id is of another set: id %u, set %d",
	     id, set->id);
	SAYS(ioasid_find_spid(501), "ioasid_find_spid: the id is not in use: id 501");
	SAYS(ioasid_find_set(502), "ioasid_find_set: the id is not in use: id 502");
	SAYS(ioasid_find_by_spid(set, 6),
	     "ioasid_find_by_spid: no ACTIVE id of the set has the SPID: set %d, SPID 6", set->id);
	SAYS(ioasid_find_by_spid_ref(set, 7, false),
	     "ioasid_find_by_spid_ref: no ACTIVE id of the set has the SPID: set %d, SPID 7",
	     set->id);
	SAYS(ioasid_find_mm_set((struct mm_struct *)(void *)&id),
	     "ioasid_find_mm_set: not a live set");
	assert_int_equal(refused(IOASID_REFUSED_UNKNOWN), unknown + 5);
	assert_int_equal(refused(IOASID_REFUSED_OWNER), owner + 1);
	assert_int_equal(refused(IOASID_REFUSED_SET), none + 1);
	free_id(id);
	ioasid_set_put(set);
	ioasid_set_put(other);
}

static void what_succeeds_leaves_it_and_one_has_nothing_of_another(void **state)
{
	struct ioasid_set *set = new_set(1);
	ioasid_t id = new_id(set, NULL);
	struct ioasid_refused why;

	(void)state;
	ioasid_alloc(set, ANY, NULL);
	assert_int_equal(ioasid_get(set, id), 0);
	assert_false(ioasid_is_active(9999));
	assert_false(ioasid_put(set, id));
	assert_int_equal(last().reason, IOASID_REFUSED_QUOTA);
	/* Refused for want of memory, with nothing known but that. */
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_register_notifier(set, &(struct notifier_block){ .notifier_call =
											 ignore }),
			 -ENOMEM);
	why = last();
	assert_string_equal(sentence(), "ioasid_register_notifier: out of memory");
	assert_int_equal(why.set, -1);
	assert_int_equal(why.asked, -1);
	assert_string_equal(why.set_name, "");
	free_id(id);
	ioasid_set_put(set);
}

static void a_sentence_is_cut_to_its_room(void **state)
{
	struct ioasid_refused why;
	char line[20], one;

	(void)state;
	ioasid_get(NULL, 77);
	why = last();
	assert_int_equal(ioasid_strrefusal(&why, line, sizeof(line)), 39);
	assert_string_equal(line, "ioasid_get: the id ");
	assert_int_equal(ioasid_strrefusal(&why, NULL, 0), 39);
	assert_int_equal(ioasid_strrefusal(&why, &one, 1), 39);
	assert_int_equal(one, 0);
	assert_int_equal(ioasid_strrefusal(NULL, line, sizeof(line)), 0);
	assert_string_equal(line, "");
	assert_false(ioasid_last_refusal(NULL));
}

/* ---- threads, handlers, signals, fork ---- */

static void *has_none(void *data)
{
	struct ioasid_refused why = { .id = 4711 };

	(void)data;
	if (ioasid_last_refusal(&why) || why.id != 4711)
		return "a thread begins with another's refusal";
	ioasid_get(NULL, 88);
	if (!ioasid_last_refusal(&why) || why.id != 88)
		return "a thread has no refusal of its own";
	return NULL;
}

/* The second thread has the record of the first. */
static void each_thread_has_its_own(void **state)
{
	(void)state;
	ioasid_get(NULL, 77);
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		void *wrong;

		assert_int_equal(pthread_create(&thread, NULL, has_none, NULL), 0);
		pthread_join(thread, &wrong);
		if (wrong)
			fail_msg("%s", (const char *)wrong);
	}
	assert_int_equal(last().id, 77);
}

static ioasid_t got_in_signal;

static void be_refused(int signal)
{
	struct ioasid_refused why;

	(void)signal;
	ioasid_get(NULL, 99);
	got_in_signal = ioasid_last_refusal(&why) ? why.id : 0;
}

static void a_signal_handler_is_refused_like_any_other_code(void **state)
{
	(void)state;
	signal(SIGUSR1, be_refused);
	ioasid_get(NULL, 77);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(got_in_signal, 99);
	assert_int_equal(last().id, 99);
}

static int be_refused_in_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_ALLOC) {
		ioasid_free(args->set, args->id);
		ioasid_get(args->set, 1234);
		assert_int_equal(last().id, 1234);
	}
	return NOTIFY_OK;
}

/* The outer request is refused after that in its handler, for a reason of its own. */
static void a_handler_leaves_the_outer_refusal_whole(void **state)
{
	struct notifier_block nb = { .notifier_call = be_refused_in_handler };
	struct ioasid_set *set = new_set(0);

	(void)state;
	ioasid_register_notifier(set, &nb);
	SAYS(ioasid_alloc(set, 30, 30, NULL), "ioasid_alloc: a handler freed the id: id 30, set %d",
	     set->id);
	ioasid_unregister_notifier(set, &nb);
	ioasid_set_put(set);
}

static int in_forked(const void *data)
{
	struct ioasid_refused why;

	child_assert(ioasid_last_refusal(&why));
	child_assert(why.id == 77);
	ioasid_get(NULL, *(const ioasid_t *)data);
	child_assert(ioasid_last_refusal(&why));
	child_assert(why.id == 66);
	return 0;
}

static void a_child_of_fork_has_its_threads_last_one(void **state)
{
	ioasid_t id = 66;

	(void)state;
	ioasid_get(NULL, 77);
	assert_int_equal(in_child(in_forked, &id), 0);
	assert_int_equal(last().id, 77);
}

/* ---- the log ---- */

static struct {
	unsigned int count;
	char line[256];
} heard;

static char suppressed[256];

static void hear(void *data, int level, const char *line)
{
	(void)data;
	(void)level;
	heard.count++;
	if (strstr(line, "suppressed"))
		snprintf(suppressed, sizeof(suppressed), "%s", line);
	snprintf(heard.line, sizeof(heard.line), "%s", line);
}

static void a_noisy_cause_hides_no_other(void **state)
{
	struct ioasid_set *set = new_set(0);
	struct ioasid_refused why;
	char line[256];
	unsigned int before;

	(void)state;
	ioasid_set_log(hear, NULL);
	ioasid_set_log_level(4);
	for (int i = 0; i < 1000; i++)
		ioasid_detach_spid(4711);
	assert_in_range(heard.count, 1, 20);
	before = heard.count;
	/* The same reason of another function; another reason of the same one. */
	ioasid_attach_data(4712, NULL);
	assert_int_equal(heard.count, before + 1);
	assert_string_equal(heard.line, "ioasid_attach_data: the id is not in use: id 4712");
	ioasid_adjust_set(set, 0);
	ioasid_adjust_set((struct ioasid_set *)8, 1);
	assert_int_equal(heard.count, before + 3);
	why = last();
	ioasid_strrefusal(&why, line, sizeof(line));
	assert_string_equal(heard.line, line);
	/* Answers are no news. */
	ioasid_find(NULL, 4713, NULL);
	assert_int_equal(heard.count, before + 3);
	/* What was held back is said when the time is over, and of which function. */
	usleep(5200000);
	ioasid_detach_spid(4711);
	assert_string_equal(suppressed, "ioasid_detach_spid: 990 lines suppressed");
	ioasid_set_log(NULL, NULL);
	ioasid_set_put(set);
}

/* ---- names ---- */

DECLARE_IOASID_SET(declared);

static void a_set_has_the_name_that_it_was_given_last(void **state)
{
	struct ioasid_set *set = new_set(1);
	char name[40];
	struct ioasid_stats before = read_stats(), after;

	(void)state;
	strcpy(name, "first");
	assert_int_equal(ioasid_set_name(set, name), 0);
	strcpy(name, "changed");
	ioasid_adjust_set(set, 0);
	assert_string_equal(last().set_name, "first");
	assert_int_equal(ioasid_set_name(set, "a name that is longer than 31 characters"), 0);
	ioasid_adjust_set(set, 0);
	assert_string_equal(last().set_name, "a name that is longer than 31 c");
	assert_int_equal(ioasid_set_name(set, "a\"b\\c\nd"), 0);
	ioasid_adjust_set(set, 0);
	assert_string_equal(last().set_name, "a?b?c?d");
	assert_int_equal(ioasid_set_name(set, NULL), 0);
	ioasid_adjust_set(set, 0);
	assert_string_equal(last().set_name, "");
	after = read_stats();
	assert_true(same_state(&before, &after));
	/* Goes with the set. */
	assert_int_equal(ioasid_set_name(set, "gone"), 0);
	ioasid_set_put(set);
	assert_int_equal(ioasid_set_name(set, "dead"), -EINVAL);
	assert_int_equal(ioasid_set_name((struct ioasid_set *)8, "none"), -EINVAL);
	set = new_set(1);
	ioasid_adjust_set(set, 0);
	assert_string_equal(last().set_name, "");
	ioasid_set_put(set);
}

/* At 31 bytes, but not in the middle of a character. */
static void a_long_name_is_cut_between_characters(void **state)
{
	struct ioasid_set *set = new_set(1);

	(void)state;
	ioasid_set_name(set, "123456789012345678901234567890\xc3\xa4z");
	ioasid_free(set, ioasid_alloc(set, ANY, NULL));
	SAYS(ioasid_adjust_set(set, 0),
	     "ioasid_adjust_set: a quota must be positive: set %d \"123456789012345678901234567890\"",
	     set->id);
	ioasid_set_name(set, "12345678901234567890123456789\xc3\xa4z");
	SAYS(ioasid_adjust_set(set, 0),
	     "ioasid_adjust_set: a quota must be positive: set %d \"12345678901234567890123456789\xc3\xa4\"",
	     set->id);
	ioasid_set_put(set);
}

static void every_kind_of_set_can_have_a_name(void **state)
{
	(void)state;
	assert_int_equal(ioasid_set_name(NULL, "host"), 0);
	assert_int_equal(ioasid_set_name(&declared, "static"), 0);
	ioasid_alloc(NULL, 2, 1, NULL);
	assert_string_equal(last().set_name, "host");
	ioasid_alloc(&declared, 2, 1, NULL);
	assert_string_equal(last().set_name, "static");
	assert_int_equal(ioasid_set_name(NULL, NULL), 0);
	assert_int_equal(ioasid_set_name(&declared, NULL), 0);
}

static void without_memory_a_name_stays_what_it_was(void **state)
{
	struct ioasid_set *set = new_set(1);

	(void)state;
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_set_name(set, "first"), -ENOMEM);
	ioasid_fail_nth(0);
	ioasid_adjust_set(set, 0);
	assert_string_equal(last().set_name, "");
	assert_int_equal(ioasid_set_name(set, "first"), 0);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(an_allocation_says_which_of_its_causes_it_was),
		CLEAN_TEST(requests_for_an_id_say_what_is_wrong_with_it),
		CLEAN_TEST(requests_for_sets_and_subscribers_say_which),
		CLEAN_TEST(a_refusal_names_the_function_that_was_called),
		CLEAN_TEST(what_looks_inside_is_refused_as_all_else),
		CLEAN_TEST(look_ups_are_counted_and_told_without_a_line),
		CLEAN_TEST(what_succeeds_leaves_it_and_one_has_nothing_of_another),
		CLEAN_TEST(a_sentence_is_cut_to_its_room),
		CLEAN_TEST(each_thread_has_its_own),
		CLEAN_TEST(a_signal_handler_is_refused_like_any_other_code),
		CLEAN_TEST(a_handler_leaves_the_outer_refusal_whole),
		CLEAN_TEST(a_child_of_fork_has_its_threads_last_one),
		CLEAN_TEST(a_noisy_cause_hides_no_other),
		CLEAN_TEST(a_set_has_the_name_that_it_was_given_last),
		CLEAN_TEST(a_long_name_is_cut_between_characters),
		CLEAN_TEST(every_kind_of_set_can_have_a_name),
		CLEAN_TEST(without_memory_a_name_stays_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
