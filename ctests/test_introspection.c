/* SPDX-License-Identifier: MIT */
/* Counters, dumps and the trace: what people read when an allocation says no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* What is written between open_text() and close_text(), to be freed. */
static char *text;
static size_t size;

static FILE *open_text(void)
{
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	return out;
}

static void close_text(FILE *out)
{
	assert_int_equal(fclose(out), 0);
	assert_non_null(text);
}

static bool has(const char *what)
{
	return strstr(text, what);
}

static void counters_follow_what_happens(void **state)
{
	struct recorder all = RECORDER(0);
	struct ioasid_stats first = read_stats(), now;
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &all.nb), 0);
	set = new_set(10);
	id = new_id(set, NULL);
	assert_int_equal(ioasid_get(set, id), 0);
	now = read_stats();
	assert_int_equal(now.capacity, 0x100000);
	assert_int_equal(now.available, 0x100000 - 10);
	assert_int_equal(now.live, 1);
	assert_int_equal(now.pending, 0);
	assert_int_equal(now.sets, 1);
	assert_int_equal(now.subscribers, 1);
	assert_int_equal(now.allocs, first.allocs + 1);
	assert_int_equal(now.reclaims, first.reclaims);
	assert_int_equal(now.events, first.events + 1); /* SET_ALLOC */
	assert_true(now.memory > 0);
	ioasid_set_put(set);
	now = read_stats();
	assert_int_equal(now.pending, 1);
	assert_int_equal(now.sets, 0);
	assert_int_equal(now.dying, 1);
	assert_int_equal(now.events, first.events + 3); /* FREE, SET_FREE */
	assert_true(ioasid_put(NULL, id));
	now = read_stats();
	assert_int_equal(now.reclaims, first.reclaims + 1);
	ioasid_unregister_notifier(NULL, &all.nb);
}

/* Does this request count as refused for this reason, and for no other? */
static void expect_reason(enum ioasid_refusal why, const struct ioasid_stats *before)
{
	struct ioasid_stats now = read_stats();

	for (int reason = 0; reason < IOASID_REFUSED_NR; reason++)
		if (now.refused[reason] != before->refused[reason] + (reason == (int)why))
			fail_msg("wrong count of: %s", ioasid_refusal_name(reason));
}

#define REFUSED(why, request) \
	do { \
		struct ioasid_stats before = read_stats(); \
		(void)(request); \
		expect_reason(why, &before); \
	} while (0)

static void every_refusal_is_counted_by_its_reason(void **state)
{
	struct ioasid_set *set = new_set(1), *other = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	REFUSED(IOASID_REFUSED_SET, ioasid_alloc((void *)8, ANY, NULL));
	REFUSED(IOASID_REFUSED_QUOTA, ioasid_alloc(set, ANY, NULL));
	REFUSED(IOASID_REFUSED_CAPACITY, ioasid_adjust_set(set, 0x100001));
	REFUSED(IOASID_REFUSED_RANGE, ioasid_alloc(NULL, id, id, NULL));
	REFUSED(IOASID_REFUSED_UNKNOWN, ioasid_get(NULL, id + 1));
	REFUSED(IOASID_REFUSED_OWNER, ioasid_get(other, id));
	REFUSED(IOASID_REFUSED_BUSY, ioasid_set_free(set));
	REFUSED(IOASID_REFUSED_ARGUMENT, ioasid_adjust_set(set, 0));
	assert_int_equal(ioasid_get(NULL, id), 0);
	ioasid_free(NULL, id);
	REFUSED(IOASID_REFUSED_PENDING, ioasid_get(NULL, id));
	assert_true(ioasid_put(NULL, id));
	ioasid_set_put(set);
	ioasid_set_put(other);
	ioasid_fail_nth(1);
	REFUSED(IOASID_REFUSED_MEMORY,
		ioasid_register_notifier(NULL, &((struct recorder)RECORDER(0)).nb));
}

static void every_reason_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int why = 0; why <= IOASID_REFUSED_NR; why++)
		for (int other = 0; other < why; other++)
			assert_string_not_equal(ioasid_refusal_name(why),
						ioasid_refusal_name(other));
	assert_string_equal(ioasid_refusal_name(IOASID_REFUSED_NR + 1),
			    ioasid_refusal_name(IOASID_REFUSED_NR));
}

static void a_dump_says_sets_and_ids_with_their_state(void **state)
{
	struct ioasid_set *set = new_set(7), *dead = new_set(0);
	ioasid_t bound, held, pending;
	char line[128];
	FILE *out;

	(void)state;
	bound = ioasid_alloc(set, 100, 100, NULL);
	held = ioasid_alloc(set, 50, 50, &bound);
	pending = ioasid_alloc(dead, 200, 200, NULL);
	assert_int_equal(ioasid_attach_spid(bound, 12345), 0);
	assert_int_equal(ioasid_get(set, held), 0);
	assert_int_equal(ioasid_get(dead, pending), 0);
	ioasid_set_put(dead);

	out = open_text();
	assert_int_equal(ioasid_dump(out), 0);
	close_text(out);
	snprintf(line, sizeof(line), "set %d (", set->id);
	assert_true(has(line));
	assert_true(has("ids 2, quota 7, references 1"));
	assert_true(has("id 100: bound, references 1, spid 12345"));
	assert_true(has("id 50: active, references 2, data"));
	assert_true(has("id 200: free pending, references 1"));
	assert_true(strstr(text, "id 50:") < strstr(text, "id 100:"));
	assert_true(has("capacity 1048576, available 1048568, ids 3 (1 free pending), sets 1"));
	free(text);
	assert_true(ioasid_put(NULL, pending));
	assert_false(ioasid_put(NULL, held));
	ioasid_set_put(set);
}

/* Braces and quotes balance, and every edge is between nodes that are there. */
static void a_graph_is_whole(void **state)
{
	struct ioasid_set *set = new_set(3);
	ioasid_t id = new_id(set, NULL), held = new_id(set, NULL);
	unsigned int quotes = 0, opened = 0, closed = 0, edges = 0;
	char *rest, *line;
	FILE *out;

	(void)state;
	assert_int_equal(ioasid_attach_spid(id, 77), 0);
	assert_int_equal(ioasid_get(set, held), 0);
	ioasid_free(set, held);
	out = open_text();
	assert_int_equal(ioasid_dump_dot(out), 0);
	close_text(out);
	assert_int_equal(strncmp(text, "digraph ", 8), 0);
	for (char *c = text; *c; c++) {
		quotes += *c == '"';
		opened += *c == '{';
		closed += *c == '}';
	}
	assert_int_equal(quotes % 2, 0);
	assert_int_equal(opened, 1);
	assert_int_equal(closed, 1);
	rest = strdup(text);
	line = strtok(rest, "\n");
	for (; line; line = strtok(NULL, "\n")) {
		char from[32], to[32], node[40];

		if (sscanf(line, " %31[a-z0-9_] -> %31[a-z0-9_]", from, to) != 2)
			continue;
		edges++;
		snprintf(node, sizeof(node), "\t%s [", from);
		assert_true(has(node));
		snprintf(node, sizeof(node), "\t%s [", to);
		assert_true(has(node));
	}
	assert_int_equal(edges, 3);
	free(rest);
	free(text);
	assert_true(ioasid_put(set, held));
	ioasid_set_put(set);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	if (!full)
		skip();
	assert_int_equal(ioasid_dump(full), -EIO);
	assert_int_equal(ioasid_dump_dot(full), -EIO);
	fclose(full);
}

static void want_line(char **at, ioasid_t id, const char *spid, const char *what,
		      unsigned int references)
{
	char line_spid[16], word[16], told[32] = "";
	unsigned int line_id, set, count;
	long thread;
	double time;
	int fields;

	fields = sscanf(*at, "%lf thread %ld id %u spid %15s set %u %15s references %u", &time,
			&thread, &line_id, line_spid, &set, word, &count);
	if (fields != 7)
		fields = sscanf(*at,
				"%lf thread %ld id %u spid %15s set %u %15s to %31s priority %*d "
				"references %u",
				&time, &thread, &line_id, line_spid, &set, word, told, &count) -
			 1;
	if (fields != 7)
		fail_msg("not a trace line: %s", *at);
	assert_true(time > 0 && thread > 0);
	assert_int_equal(line_id, id);
	assert_string_equal(line_spid, spid);
	assert_string_equal(word, what);
	assert_int_equal(count, references);
	*at = strchr(*at, '\n');
	assert_non_null(*at);
	++*at;
}

static void a_trace_has_a_line_for_each_step(void **state)
{
	struct recorder one = RECORDER(IOASID_PRIO_CPU);
	struct ioasid_set *set = new_set(0);
	FILE *out = open_text();
	ioasid_t id;
	char *at;

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &one.nb), 0);
	assert_int_equal(ioasid_trace_start(out), 0);
	assert_int_equal(ioasid_trace_start(out), -EBUSY);
	id = ioasid_alloc(set, 42, 42, NULL);
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_attach_spid(id, 7), 0);
	ioasid_free(set, id);
	assert_true(ioasid_put(set, id));
	ioasid_trace_stop();
	/* None after the stop. */
	free_id(new_id(set, NULL));
	ioasid_trace_stop();
	close_text(out);

	at = text;
	want_line(&at, id, "-", "ALLOC", 1); /* it happens, then it is told */
	want_line(&at, id, "-", "ALLOC", 1);
	want_line(&at, id, "-", "get", 2);
	want_line(&at, id, "7", "BIND", 2);
	want_line(&at, id, "7", "BIND", 2);
	want_line(&at, id, "7", "FREE", 2);
	want_line(&at, id, "7", "FREE", 2);
	want_line(&at, id, "7", "put", 1);
	want_line(&at, id, "7", "put", 0);
	want_line(&at, id, "-", "reclaim", 0);
	assert_string_equal(at, "");
	free(text);
	ioasid_unregister_notifier(set, &one.nb);
	ioasid_set_put(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(counters_follow_what_happens),
		CLEAN_TEST(every_refusal_is_counted_by_its_reason),
		CLEAN_TEST(every_reason_has_a_name_of_its_own),
		CLEAN_TEST(a_dump_says_sets_and_ids_with_their_state),
		CLEAN_TEST(a_graph_is_whole),
		CLEAN_TEST(what_cannot_be_written_is_an_error),
		CLEAN_TEST(a_trace_has_a_line_for_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
