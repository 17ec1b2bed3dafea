/* SPDX-License-Identifier: MIT */
/* The trace: a line for each event told and each change of a reference, that people and scripts can read. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched/mm.h>

#include "listener.h"

#define LINES 64

/* A line taken apart. "-" is INVALID_IOASID; no subscriber is NULL. */
struct line {
	double time;
	long thread;
	ioasid_t id, spid;
	unsigned int set, references;
	char what[16];
	void *subscriber;
	int priority;
	char name[32], function[128], by[128], tag[128];
};

static char *text;
static size_t size;
static FILE *out;

static void start(void)
{
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(ioasid_trace_start(out), 0);
}

static ioasid_t number(const char *word)
{
	return strcmp(word, "-") ? (ioasid_t)strtoul(word, NULL, 10) : INVALID_IOASID;
}

/* " WORD TEXT", if it comes next; returns what follows. */
static const char *option(const char *from, const char *format, char *text)
{
	int used = 0;

	if (sscanf(from, format, text, &used) == 1 && used)
		return from + used;
	text[0] = '\0';
	return from;
}

/* Every character of the line must be accounted for. */
static void parse(const char *from, struct line *line)
{
	char id[16], spid[16];
	int used = 0;

	memset(line, 0, sizeof(*line));
	assert_int_equal(sscanf(from, "%lf thread %ld id %15s spid %15s set %u %15s%n", &line->time,
				&line->thread, id, spid, &line->set, line->what, &used),
			 6);
	line->id = number(id);
	line->spid = number(spid);
	from += used;
	used = 0;
	if (sscanf(from, " to %p priority %d%n", &line->subscriber, &line->priority, &used) == 2)
		from += used;
	used = 0;
	assert_int_equal(sscanf(from, " references %u%n", &line->references, &used), 1);
	from = option(from + used, " name \"%31[^\"]\"%n", line->name);
	from = option(from, " function %127s%n", line->function);
	from = option(from, " by %127s%n", line->by);
	from = option(from, " tag %127s%n", line->tag);
	assert_string_equal(from, "");
}

static unsigned int stop(struct line lines[LINES])
{
	unsigned int count = 0;
	char *line, *rest;

	ioasid_trace_stop();
	fclose(out);
	if (size)
		assert_int_equal(text[size - 1], '\n');
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (count < LINES)
			parse(line, &lines[count++]);
	free(text);
	return count;
}

static void assert_line(const struct line *line, const char *what, ioasid_t id, ioasid_t spid,
			const void *subscriber, unsigned int references)
{
	assert_string_equal(line->what, what);
	assert_int_equal(line->id, id);
	assert_int_equal(line->spid, spid);
	assert_ptr_equal(line->subscriber, subscriber);
	assert_int_equal(line->references, references);
}

static void a_life_is_written_line_by_line(void **state)
{
	struct listener kvm = LISTENER(NULL, IOASID_PRIO_CPU),
			iommu = LISTENER(NULL, IOASID_PRIO_IOMMU);
	struct line lines[LINES];
	struct ioasid_set *set = new_set(0);
	unsigned int count, i = 0;
	ioasid_t id;

	(void)state;
	listen(NULL, &iommu);
	listen(set, &kvm);
	start();
	id = new_id(set, NULL);
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_attach_spid(id, 7), 0);
	assert_int_equal(ioasid_detach_spid(id), 0);
	assert_false(ioasid_put(set, id));
	ioasid_free(set, id);
	ioasid_set_put(set);
	count = stop(lines);
	leave(NULL, &iommu);

	/* What happens, then who is told. */
	assert_line(&lines[i++], "ALLOC", id, INVALID_IOASID, NULL, 1);
	assert_line(&lines[i++], "ALLOC", id, INVALID_IOASID, &kvm, 1);
	assert_line(&lines[i++], "get", id, INVALID_IOASID, NULL, 2);
	assert_line(&lines[i++], "BIND", id, 7, NULL, 2);
	assert_line(&lines[i++], "BIND", id, 7, &kvm, 2);
	assert_line(&lines[i++], "UNBIND", id, 7, NULL, 2);
	assert_line(&lines[i++], "UNBIND", id, 7, &kvm, 2);
	assert_line(&lines[i++], "put", id, INVALID_IOASID, NULL, 1);
	assert_line(&lines[i++], "FREE", id, INVALID_IOASID, NULL, 1);
	assert_line(&lines[i++], "FREE", id, INVALID_IOASID, &kvm, 1);
	assert_line(&lines[i++], "FREE", id, INVALID_IOASID, &iommu, 1);
	assert_line(&lines[i++], "put", id, INVALID_IOASID, NULL, 0);
	assert_line(&lines[i++], "reclaim", id, INVALID_IOASID, NULL, 0);
	assert_line(&lines[i++], "SET_FREE", INVALID_IOASID, INVALID_IOASID, NULL, 0);
	assert_line(&lines[i++], "SET_FREE", INVALID_IOASID, INVALID_IOASID, &iommu, 0);
	assert_int_equal(count, i);

	assert_int_equal(lines[1].priority, IOASID_PRIO_CPU);
	assert_int_equal(lines[10].priority, IOASID_PRIO_IOMMU);
	for (i = 0; i < count; i++) {
		assert_int_equal(lines[i].thread, syscall(SYS_gettid));
		assert_int_equal(lines[i].set, lines[0].set);
		assert_true(i == 0 || lines[i].time >= lines[i - 1].time);
	}
}

/* Names of sets and subscribers, and with a history those who caused it. */
static int named_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	return NOTIFY_OK;
}

static void it_has_names(void **state)
{
	struct notifier_block nb = { .notifier_call = named_handler };
	struct line lines[LINES];
	struct ioasid_set *set = new_set(0);
	unsigned int count;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_set_name(set, "a \"b\" c\n"), 0);
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	start();
	id = new_id(set, NULL);
	assert_int_equal(ioasid_history_start(), 0);
	assert_int_equal(ioasid_get_tagged(set, id, set), 0);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_set_name(set, "vm3");
	assert_false(ioasid_put_tagged(set, id, set));
	assert_false(ioasid_put(set, id));
	ioasid_history_stop();
	ioasid_set_name(set, NULL);
	free_id(id);
	ioasid_set_put(set);
	count = stop(lines);
	assert_int_equal(count, 11);
	assert_string_equal(lines[0].name, "a ?b? c?");
	assert_string_equal(lines[0].by, "");
	assert_string_equal(lines[0].function, "");
	/* By its symbol, or as an offset into this program. */
	assert_string_not_equal(lines[1].function, "");
	assert_ptr_equal(lines[1].subscriber, &nb);
	assert_string_equal(lines[2].what, "get");
	assert_string_not_equal(lines[2].by, "");
	assert_string_not_equal(lines[2].tag, "");
	assert_string_not_equal(lines[3].by, "");
	assert_string_equal(lines[3].tag, "");
	assert_string_equal(lines[4].name, "vm3");
	assert_string_equal(lines[4].tag, lines[2].tag);
	assert_string_equal(lines[5].tag, "");
	for (unsigned int i = 6; i < count; i++) {
		assert_string_equal(lines[i].name, "");
		assert_string_equal(lines[i].by, "");
	}
}

static char long_name[300];

/* The name of a function can be as long as it likes. */
static void a_line_that_is_too_long_is_cut(void **state)
{
	struct line lines[LINES];
	struct ioasid_set *set = new_set(0);

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	assert_int_equal(ioasid_set_name(set, long_name), 0);
	start();
	free_id(new_id(set, NULL));
	assert_int_equal(stop(lines), 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(strlen(lines[i].name), IOASID_SET_NAME_BYTES - 1);
	ioasid_set_put(set);
}

/* A trace needs no subscribers, and the short way of a free without any does not hide it. */
static void nobody_need_listen(void **state)
{
	struct line lines[LINES];
	ioasid_t id;

	(void)state;
	start();
	id = new_id(NULL, NULL);
	free_id(id);
	assert_int_equal(stop(lines), 4);
	assert_line(&lines[0], "ALLOC", id, INVALID_IOASID, NULL, 1);
	assert_line(&lines[1], "FREE", id, INVALID_IOASID, NULL, 1);
	assert_line(&lines[2], "put", id, INVALID_IOASID, NULL, 0);
	assert_line(&lines[3], "reclaim", id, INVALID_IOASID, NULL, 0);
}

static void one_trace_at_a_time(void **state)
{
	struct line lines[LINES];

	(void)state;
	assert_int_equal(ioasid_trace_start(NULL), -EINVAL);
	ioasid_trace_stop();
	start();
	assert_int_equal(ioasid_trace_start(out), -EBUSY);
	assert_int_equal(stop(lines), 0);
	start();
	assert_int_equal(stop(lines), 0);
}

static void nothing_is_written_after_the_stop(void **state)
{
	struct line lines[LINES];

	(void)state;
	start();
	assert_int_equal(stop(lines), 0);
	/* The stream is closed: a write would be a use after free. */
	free_id(new_id(NULL, NULL));
}

static void stop_in_handler(struct listener *self, enum ioasid_notify_val event,
			    const struct ioasid_nb_args *args)
{
	(void)event;
	(void)args;
	self->act = NULL;
	ioasid_trace_stop();
}

static void a_handler_may_stop_the_trace(void **state)
{
	struct listener kvm = LISTENER(NULL, 0, .act = stop_in_handler);
	struct line lines[LINES];
	struct ioasid_set *set = new_set(0);

	(void)state;
	listen(set, &kvm);
	start();
	new_id(set, NULL);
	assert_int_equal(stop(lines), 2);
	ioasid_set_put(set);
}

static void *get_and_put(void *data)
{
	ioasid_t id = *(ioasid_t *)data;

	for (unsigned int i = 0; i < loops(2000); i++) {
		ioasid_get(NULL, id);
		ioasid_put(NULL, id);
	}
	return NULL;
}

/* References change without a lock, so lines may swap; but each is whole, and none is lost. */
static void threads_do_not_mix_their_lines(void **state)
{
	static struct line line;
	ioasid_t id = new_id(NULL, NULL);
	unsigned int gets = 0, puts = 0;
	pthread_t threads[2];
	char *one, *rest;

	(void)state;
	start();
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_and_put, &id), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ioasid_trace_stop();
	fclose(out);
	for (one = strtok_r(text, "\n", &rest); one; one = strtok_r(NULL, "\n", &rest)) {
		parse(one, &line);
		assert_int_equal(line.id, id);
		assert_in_range(line.references, 1, 3);
		gets += !strcmp(line.what, "get");
		puts += !strcmp(line.what, "put");
	}
	free(text);
	assert_int_equal(gets, 2 * loops(2000));
	assert_int_equal(puts, 2 * loops(2000));
	free_id(id);
}

static void *start_and_stop(void *data)
{
	(void)data;
	for (unsigned int i = 0; i < loops(500); i++) {
		FILE *sink = tmpfile();

		if (ioasid_trace_start(sink) == 0)
			ioasid_trace_stop();
		fclose(sink);
	}
	return NULL;
}

static void a_trace_may_stop_while_others_write(void **state)
{
	ioasid_t id = new_id(NULL, NULL);
	pthread_t writer, controller;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, get_and_put, &id), 0);
	assert_int_equal(pthread_create(&controller, NULL, start_and_stop, NULL), 0);
	pthread_join(writer, NULL);
	pthread_join(controller, NULL);
	free_id(id);
}

/* Tells that a line is being written, and takes its time. */
static ssize_t write_slowly(void *writing, const char *from, size_t length)
{
	(void)from;
	__atomic_store_n((bool *)writing, true, __ATOMIC_RELEASE);
	usleep(50000);
	return (ssize_t)length;
}

struct writer {
	ioasid_t id;
	bool writing, may_end;
};

/* It outlives the fork: in the child, TSan would miss a join of a thread that ended. */
static void *get_once(void *data)
{
	struct writer *writer = data;

	ioasid_get(NULL, writer->id);
	while (!__atomic_load_n(&writer->may_end, __ATOMIC_ACQUIRE))
		usleep(100);
	return NULL;
}

static void the_child_of_a_fork_may_write_when_another_thread_did(void **state)
{
	struct writer writer = { .id = new_id(NULL, NULL) };
	FILE *slow =
		fopencookie(&writer.writing, "w", (cookie_io_functions_t){ .write = write_slowly });
	pthread_t thread;
	int status;
	pid_t child;

	(void)state;
	assert_non_null(slow);
	setvbuf(slow, NULL, _IONBF, 0);
	assert_int_equal(ioasid_trace_start(slow), 0);
	assert_int_equal(pthread_create(&thread, NULL, get_once, &writer), 0);
	while (!__atomic_load_n(&writer.writing, __ATOMIC_ACQUIRE))
		usleep(100);
	child = fork();
	if (!child) {
		alarm(10);
		_exit(ioasid_get(NULL, writer.id) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	__atomic_store_n(&writer.may_end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	ioasid_trace_stop();
	fclose(slow);
	assert_false(ioasid_put(NULL, writer.id));
	free_id(writer.id);
}

/* A stream's write function may use the library, whatever it writes of; what that does is not traced. */
static unsigned int writes;

static ssize_t use_the_library(void *id, const char *from, size_t bytes)
{
	ioasid_t other;

	(void)from;
	writes++;
	assert_int_equal(ioasid_get(NULL, *(ioasid_t *)id), 0);
	assert_false(ioasid_put(NULL, *(ioasid_t *)id));
	other = new_id(NULL, NULL);
	assert_int_equal(ioasid_attach_spid(other, 99), 0);
	ioasid_free(NULL, other);
	ioasid_set_put(new_set(1));
	return (ssize_t)bytes;
}

static void get_and_put_often(struct listener *self, enum ioasid_notify_val event,
			      const struct ioasid_nb_args *args)
{
	(void)self, (void)event;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(ioasid_get(NULL, args->id),
				 event == IOASID_NOTIFY_FREE ? -EBUSY : 0);
		if (event != IOASID_NOTIFY_FREE)
			assert_false(ioasid_put(NULL, args->id));
	}
}

static void write_functions_may_use_the_library(void **state)
{
	ioasid_t kept = new_id(NULL, NULL), ids[100];
	struct ioasid_set *set = new_set(0);
	struct listener busy = LISTENER(NULL, 0, .act = get_and_put_often);
	FILE *using = fopencookie(&kept, "w", (cookie_io_functions_t){ .write = use_the_library });

	(void)state;
	assert_non_null(using);
	setvbuf(using, NULL, _IONBF, 0);
	writes = 0;
	assert_int_equal(ioasid_trace_start(using), 0);
	assert_int_equal(ioasid_get(NULL, kept), 0);
	assert_false(ioasid_put(NULL, kept));
	for (int i = 0; i < 100; i++)
		ids[i] = new_id(set, NULL);
	for (int i = 0; i < 50; i++)
		ioasid_free(set, ids[i]);
	listen(set, &busy);
	new_id(set, NULL);
	ioasid_set_put(set);
	ioasid_trace_stop();
	fclose(using);
	assert_true(writes > 200);
	free_id(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_life_is_written_line_by_line),
		CLEAN_TEST(it_has_names),
		CLEAN_TEST(a_line_that_is_too_long_is_cut),
		CLEAN_TEST(nobody_need_listen),
		CLEAN_TEST(one_trace_at_a_time),
		CLEAN_TEST(nothing_is_written_after_the_stop),
		CLEAN_TEST(a_handler_may_stop_the_trace),
		CLEAN_TEST(threads_do_not_mix_their_lines),
		CLEAN_TEST(a_trace_may_stop_while_others_write),
		CLEAN_TEST(write_functions_may_use_the_library),
		CLEAN_TEST(the_child_of_a_fork_may_write_when_another_thread_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
