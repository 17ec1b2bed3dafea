/* SPDX-License-Identifier: MIT */
/* The history of references, what is left over, and subscribers and allocators in a dump. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static char *text;
static size_t size;

/* What a dump or a report says, until the next one. */
static int report(int (*write)(FILE *out))
{
	FILE *out;
	int result;

	free(text);
	text = NULL;
	out = open_memstream(&text, &size);
	assert_non_null(out);
	result = write(out);
	fclose(out);
	return result;
}

/* How often a text stands there. */
static unsigned int count(const char *what)
{
	unsigned int found = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		found++;
	return found;
}

/* Three users, each a function of its own. */
#define USER(name) \
	__attribute__((noinline)) void name(struct ioasid_set *set, ioasid_t id) \
	{ \
		assert_int_equal(ioasid_get(set, id), 0); \
	}
USER(vfio_takes)
USER(kvm_takes)

static void a_dump_says_who_took_and_put(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t before = new_id(set, NULL), id;

	(void)state;
	assert_int_equal(ioasid_history_start(), 0);
	assert_int_equal(ioasid_history_start(), -EBUSY);
	id = new_id(set, NULL);
	vfio_takes(set, id);
	vfio_takes(set, id);
	kvm_takes(set, id);
	assert_false(ioasid_put(set, id));
	vfio_takes(set, before);
	assert_int_equal(report(ioasid_dump), 0);
	/* One line for each place, with how often. */
	assert_int_equal(count("    allocated at "), 1);
	assert_int_equal(count("    taken at "), 3);
	assert_int_equal(count(": 2 times, thread "), 1);
	assert_int_equal(count("    put at "), 1);
	assert_int_equal(report(ioasid_dump_dot), 0);
	assert_int_equal(count("shape=note"), 5);
	assert_int_equal(count("taken, 2 times"), 1);
	/* What is reclaimed has no history, and its number's next life begins anew. */
	ioasid_put(set, id);
	ioasid_put(set, id);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("    put at "), 3);
	ioasid_free(set, id);
	assert_false(ioasid_is_active(id));
	assert_int_equal(ioasid_alloc(set, id, id, NULL), id);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("    put at "), 0);
	assert_int_equal(count("    allocated at "), 1);
	ioasid_history_stop();
	ioasid_history_stop();
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count(" times, thread "), 0);
	ioasid_put(set, before);
	ioasid_set_put(set);
}

static void a_caller_is_the_callers_own_code(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id;
	char *file = strrchr(program_invocation_name, '/'), line[128];

	(void)state;
	assert_int_equal(ioasid_history_start(), 0);
	id = new_id(set, NULL);
	vfio_takes(set, id);
	ioasid_put(set, id);
	ioasid_get(set, id);
	ioasid_free(set, id);
	assert_int_equal(report(ioasid_dump), 0);
	/* By its symbol, or as an offset into this program. */
	snprintf(line, sizeof(line), "taken at %s+0x", file ? file + 1 : program_invocation_name);
	assert_int_equal(count(line) + count("taken at vfio_takes+0x") +
				 count("taken at a_caller_is"),
			 2);
	assert_int_equal(count("    freed at "), 1);
	/* The owner's own put is that. */
	assert_int_equal(count("    put at "), 1);
	assert_int_equal(count("libioasid"), 0);
	assert_true(ioasid_put(set, id));
	ioasid_set_put(set);
	ioasid_history_stop();
}

/* One place, whatever the compiler makes of loops. */
static __attribute__((noinline)) void take_tagged(struct ioasid_set *set, ioasid_t id, void *tag)
{
	assert_int_equal(ioasid_get_tagged(set, id, tag), 0);
}

static void tagged_references_are_matched_exactly(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id;
	char vfio, kvm, line[64];
	struct ioasid_refused why;

	(void)state;
	assert_int_equal(ioasid_history_start(), 0);
	id = new_id(set, NULL);
	assert_int_equal(ioasid_get_tagged(set, id, &vfio), 0);
	take_tagged(set, id, &kvm);
	take_tagged(set, id, &kvm);
	assert_false(ioasid_put_tagged(set, id, &vfio));
	assert_int_equal(report(ioasid_dump), 0);
	snprintf(line, sizeof(line), "with tag %p: 2 times", (void *)&kvm);
	assert_int_equal(count(line), 1);
	assert_int_equal(count("held at "), 1);
	assert_int_equal(count("put at "), 0);
	assert_int_equal(count("references 3"), 1);
	/* Not his: nothing is put. */
	assert_false(ioasid_put_tagged(set, id, &vfio));
	assert_true(ioasid_last_refusal(&why));
	assert_int_equal(why.reason, IOASID_REFUSED_UNKNOWN);
	assert_ptr_equal(why.address, &vfio);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("references 3"), 1);
	assert_int_equal(ioasid_get_tagged(set, 4711, &vfio), -EINVAL);
	assert_false(ioasid_put_tagged(set, 4711, &vfio));
	/* A tag that was refused is nobody's next reference. */
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("taken at "), 1);
	ioasid_put(set, id);
	ioasid_put_tagged(set, id, &kvm);
	ioasid_put_tagged(set, id, &kvm);
	free_id(id);
	ioasid_history_stop();
	/* Without a history they are plain. */
	id = new_id(set, NULL);
	assert_int_equal(ioasid_get_tagged(set, id, &vfio), 0);
	assert_false(ioasid_put_tagged(set, id, &kvm));
	free_id(id);
	ioasid_set_put(set);
}

static void what_was_there_before_may_be_put_by_any_tag(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get_tagged(set, id, &id), 0);
	assert_int_equal(ioasid_history_start(), 0);
	assert_false(ioasid_put_tagged(set, id, &id));
	ioasid_free(set, id);
	assert_false(ioasid_is_active(id));
	assert_int_equal(read_stats().live, 0);
	ioasid_history_stop();
	ioasid_set_put(set);
}

static void without_memory_it_says_that_it_has_gaps(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id;

	(void)state;
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_history_start(), -ENOMEM);
	assert_int_equal(ioasid_history_start(), 0);
	id = new_id(set, NULL);
	ioasid_fail_nth(1);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_fail_nth(0);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("history: has gaps"), 1);
	assert_int_equal(count("references 2"), 1);
	/* It may be anybody's. */
	assert_false(ioasid_put_tagged(set, id, &id));
	free_id(id);
	ioasid_set_put(set);
	ioasid_history_stop();
	for (unsigned long nth = 1; nth < 8; nth++) {
		ioasid_fail_nth(nth);
		if (report(ioasid_dump) == 0)
			break;
		assert_int_equal(size, 0);
	}
	ioasid_fail_nth(0);
}

static int ignore(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	return NOTIFY_OK;
}

static ioasid_t pick(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	return min;
}

static void give_back(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
}

static void a_dump_has_subscribers_as_they_are_told(void **state)
{
	struct notifier_block low = { .notifier_call = ignore, .priority = 1 },
			      high = { .notifier_call = ignore, .priority = 9 },
			      all = { .notifier_call = ignore, .priority = 5 };
	struct ioasid_allocator_ops ops = { .alloc = pick, .free = give_back };
	struct ioasid_set *set = new_set(0);
	char first[64], second[64];

	(void)state;
	ioasid_set_name(set, "vm3");
	ioasid_register_notifier(set, &low);
	ioasid_register_notifier(set, &high);
	ioasid_register_notifier(NULL, &all);
	ioasid_register_reclaim(&all);
	ioasid_register_allocator(&ops);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("\"vm3\" ("), 1);
	snprintf(first, sizeof(first), "priority 9, block %p\n", (void *)&high);
	snprintf(second, sizeof(second), "priority 1, block %p\n", (void *)&low);
	assert_int_equal(count(first), 1);
	assert_int_equal(count(second), 1);
	assert_true(strstr(text, first) < strstr(text, second));
	assert_int_equal(count("to all: subscriber "), 1);
	assert_int_equal(count("to reclaim: subscriber "), 1);
	snprintf(first, sizeof(first), "ids 0, ops %p\n", (void *)&ops);
	assert_int_equal(count(first), 1);
	assert_int_equal(report(ioasid_report_leaks), 6);
	assert_int_equal(count("left over: ids 0, sets 1, subscribers 4, allocators 1"), 1);
	assert_int_equal(report(ioasid_dump_dot), 0);
	assert_int_equal(count("shape=component"), 4);
	assert_int_equal(count("style=dotted"), 2);
	assert_true(strstr(text, "priority 9") < strstr(text, "priority 1\""));
	ioasid_unregister_allocator(&ops);
	ioasid_unregister_reclaim(&all);
	ioasid_unregister_notifier(NULL, &all);
	assert_int_equal(report(ioasid_dump_dot), 0);
	assert_int_equal(count(" vm3 ("), 1);
	ioasid_set_put(set);
}

/* What a dump has besides: who waits for a set, what is held back, which history began late. */
static void a_dump_leaves_nothing_out(void **state)
{
	struct notifier_block nb = { .notifier_call = ignore };
	static char mm, tag;
	ioasid_t before = new_id(NULL, NULL), id;

	(void)state;
	assert_int_equal(ioasid_register_notifier_mm((struct mm_struct *)&mm, &nb), 0);
	assert_int_equal(ioasid_reserve_capacity(77), 77);
	assert_int_equal(ioasid_history_start(), 0);
	id = new_id(NULL, NULL);
	take_tagged(NULL, id, &tag);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("waits for the set of its mm: subscriber "), 1);
	assert_int_equal(count("reserved: 77\n"), 1);
	assert_int_equal(count("its history is not whole"), 1);
	assert_int_equal(report(ioasid_dump_dot), 0);
	assert_int_equal(count("held with tag "), 1);
	assert_int_equal(report(ioasid_report_leaks), 3);
	assert_int_equal(count("waits for the set of its mm: subscriber "), 1);
	ioasid_unregister_notifier_mm((struct mm_struct *)&mm, &nb);
	ioasid_cancel_capacity(77);
	assert_false(ioasid_put_tagged(NULL, id, &tag));
	free_id(id);
	free_id(before);
	ioasid_history_stop();
}

static void a_report_is_empty_when_nothing_is_left(void **state)
{
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_report_leaks(NULL), -EINVAL);
	assert_int_equal(report(ioasid_report_leaks), 0);
	assert_int_equal(size, 0);
	set = new_set(0);
	id = new_id(set, NULL);
	ioasid_get(set, id);
	ioasid_set_put(set);
	/* A dead set, and the id that somebody holds. */
	assert_int_equal(report(ioasid_report_leaks), 2);
	assert_int_equal(count("free pending, references 1"), 1);
	assert_true(ioasid_put(NULL, id));
}

/* ---- in handlers, threads and children ---- */

/* Takes one in BIND, puts it in FREE; and switches the history off and on in between. */
static int take_and_put(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	if (event == IOASID_NOTIFY_BIND) {
		assert_int_equal(ioasid_get_tagged(args->set, args->id, nb), 0);
		assert_int_equal(ioasid_history_start(), -EBUSY);
	} else if (event == IOASID_NOTIFY_FREE) {
		assert_int_equal(report(ioasid_dump), 0);
		assert_int_equal(count("held at "), 1);
		assert_int_equal(count("    freed at "), 1);
		assert_false(ioasid_put_tagged(args->set, args->id, args));
		assert_false(ioasid_put_tagged(args->set, args->id, nb));
	} else if (event == IOASID_NOTIFY_SET_FREE) {
		ioasid_history_stop();
		assert_int_equal(ioasid_history_start(), 0);
	}
	return NOTIFY_OK;
}

static void handlers_take_and_put(void **state)
{
	struct notifier_block nb = { .notifier_call = take_and_put };
	struct ioasid_set *set = new_set(0);
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_history_start(), 0);
	ioasid_register_notifier(NULL, &nb);
	ioasid_register_notifier(set, &nb);
	ioasid_unregister_notifier(NULL, &nb);
	id = new_id(set, NULL);
	assert_int_equal(ioasid_attach_spid(id, 5), 0);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("held at "), 1);
	ioasid_free(set, id);
	assert_false(ioasid_is_active(id));
	ioasid_register_notifier(NULL, &nb);
	ioasid_set_put(set);
	ioasid_unregister_notifier(NULL, &nb);
	assert_int_equal(ioasid_history_start(), -EBUSY);
	ioasid_history_stop();
}

static void *take_and_put_often(void *data)
{
	ioasid_t id = *(ioasid_t *)data;
	char tag;

	for (unsigned int i = 0; i < loops(500); i++) {
		assert_int_equal(ioasid_get_tagged(NULL, id, &tag), 0);
		assert_int_equal(ioasid_get(NULL, id), 0);
		ioasid_put(NULL, id);
		ioasid_put_tagged(NULL, id, &tag);
	}
	return NULL;
}

static void threads_do_not_mix_their_references(void **state)
{
	ioasid_t id;
	pthread_t threads[3];

	(void)state;
	assert_int_equal(ioasid_history_start(), 0);
	id = new_id(NULL, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_put_often, &id), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(report(ioasid_dump), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("held at "), 0);
	assert_int_equal(count("references 1\n"), 1);
	free_id(id);
	ioasid_history_stop();
}

static void *switch_it(void *over)
{
	while (!__atomic_load_n((bool *)over, __ATOMIC_RELAXED)) {
		ioasid_history_start();
		ioasid_history_stop();
	}
	return NULL;
}

static void it_may_be_switched_under_threads(void **state)
{
	ioasid_t id = new_id(NULL, NULL);
	bool over = false;
	pthread_t worker, controller;

	(void)state;
	assert_int_equal(pthread_create(&controller, NULL, switch_it, &over), 0);
	assert_int_equal(pthread_create(&worker, NULL, take_and_put_often, &id), 0);
	pthread_join(worker, NULL);
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(controller, NULL);
	/* A tag may have been refused to be put, where the history began after its get. */
	while (ioasid_is_active(id) && !ioasid_put(NULL, id))
		;
}

static int child_of_history(const void *data)
{
	ioasid_t id = *(const ioasid_t *)data, own;

	child_assert(report(ioasid_dump) == 0);
	child_assert(count("held at ") == 1);
	/* What the parent took is put here, and what is taken here is not the parent's. */
	child_assert(!ioasid_put_tagged(NULL, id, data));
	own = ioasid_alloc(NULL, ANY, NULL);
	child_assert(!ioasid_get_tagged(NULL, own, data));
	child_assert(report(ioasid_dump) == 0);
	child_assert(count("held at ") == 1);
	ioasid_history_stop();
	child_assert(ioasid_history_start() == 0);
	return 0;
}

static void a_child_goes_on_with_it(void **state)
{
	ioasid_t id;

	(void)state;
	assert_int_equal(ioasid_history_start(), 0);
	id = new_id(NULL, NULL);
	assert_int_equal(ioasid_get_tagged(NULL, id, &id), 0);
	assert_int_equal(in_child(child_of_history, &id), 0);
	assert_int_equal(report(ioasid_dump), 0);
	assert_int_equal(count("held at "), 1);
	ioasid_put_tagged(NULL, id, &id);
	free_id(id);
	ioasid_history_stop();
}

/* ---- at exit, in a process that has the environment from its start ---- */

/* What this program says and with what status it ends, in that part (see main()). */
static int run(const char *part, const char *leaks)
{
	int pipes[2], status;
	const char *program = self();
	pid_t child;
	ssize_t got;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		if (!strcmp(part, "closed"))
			close(STDERR_FILENO);
		setenv("IOASID_REPORT_LEAKS", leaks, 1);
		setenv("IOASID_HISTORY", "1", 1);
		become(program, part);
	}
	close(pipes[1]);
	free(text);
	text = calloc(1, 65536);
	size = 0;
	while (size < 65535 && (got = read(pipes[0], text + size, 65535 - size)) > 0)
		size += (size_t)got;
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_process_says_at_its_end_what_is_left(void **state)
{
	(void)state;
	assert_int_equal(run("leak", "1"), 3);
	assert_int_equal(count("ioasid: left over: ids 1, sets 1,"), 1);
	assert_int_equal(count("taken at "), 1);
	assert_int_equal(run("leak", "fail"), 23);
	assert_int_equal(count("taken at "), 1);
	assert_int_equal(run("clean", "fail"), 3);
	assert_int_equal(count("ioasid:"), 0);
	assert_int_equal(run("leak", "0"), 3);
	assert_int_equal(count("ioasid:"), 0);
}

static void what_is_left_fails_though_nobody_can_be_told(void **state)
{
	(void)state;
	assert_int_equal(run("closed", "fail"), 23);
	assert_int_equal(run("closed", "1"), 3);
	assert_int_equal(run("full", "fail"), 23);
	assert_int_equal(run("no memory", "fail"), 23);
	assert_int_equal(count("ioasid: left over: 2, not listed: out of memory\n"), 1);
	/* What the lock's owner would have left is not known. */
	assert_int_equal(run("locked", "fail"), 23);
	assert_int_equal(count("ioasid: left over: not known, a thread has the library's lock\n"),
			 1);
	assert_int_equal(run("locked", "1"), 3);
}

static void it_does_not_wait_for_who_keeps_a_stream(void **state)
{
	(void)state;
	if (UNDER_TSAN)
		skip(); /* its runtime flushes stderr at exit, and waits for who keeps it */
	assert_int_equal(run("keeps stderr", "1"), 3);
	assert_int_equal(count("ioasid: left over: ids 1, sets 1,"), 1);
	assert_int_equal(run("keeps stderr", "fail"), 23);
	assert_int_equal(count("ioasid: left over: ids 1, sets 1,"), 1);
}

static void it_does_not_wait_for_who_keeps_the_loader(void **state)
{
	(void)state;
	if (UNDER_ASAN || UNDER_TSAN)
		skip(); /* their runtimes wait for it at exit */
	assert_int_equal(run("keeps the loader", "1"), 3);
	assert_int_equal(count("ioasid: left over: ids 1, sets 1,"), 1);
	assert_int_equal(run("keeps the loader", "fail"), 23);
	assert_int_equal(count("allocated at "), 1);
	assert_int_equal(count("allocated at 0x"), 0);
}

static void a_child_has_nothing_to_report(void **state)
{
	(void)state;
	/* The parent cleans, and says what its child ended with. */
	assert_int_equal(run("fork", "fail"), 3);
	assert_int_equal(count("ioasid:"), 0);
}

/* ---- what this program does then ---- */

static int is_kept;

static void *keep_stderr(void *unused)
{
	flockfile(stderr);
	__atomic_store_n(&is_kept, 1, __ATOMIC_RELEASE);
	pause();
	return unused;
}

static int sleep_in_the_loader(struct dl_phdr_info *module, size_t bytes, void *data)
{
	(void)module, (void)bytes, (void)data;
	__atomic_store_n(&is_kept, 1, __ATOMIC_RELEASE);
	return pause();
}

static void *keep_the_loader(void *unused)
{
	dl_iterate_phdr(sleep_in_the_loader, NULL);
	return unused;
}

static int sleep_in_handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	__atomic_store_n(&is_kept, 1, __ATOMIC_RELEASE);
	pause();
	return NOTIFY_OK;
}

static void *free_it(void *id)
{
	static struct notifier_block nb = { .notifier_call = sleep_in_handler };

	ioasid_register_notifier(NULL, &nb);
	ioasid_free(NULL, *(ioasid_t *)id);
	return NULL;
}

static void begin(void *(*thread)(void *), void *data)
{
	pthread_t one;

	pthread_create(&one, NULL, thread, data);
	while (!__atomic_load_n(&is_kept, __ATOMIC_ACQUIRE))
		usleep(100);
}

static int leave(const char *part)
{
	static ioasid_t id;

	id = ioasid_alloc(NULL, ANY, NULL);
	if (!strcmp(part, "fork")) {
		int status;

		if (!fork())
			exit(0);
		wait(&status);
		ioasid_free(NULL, id);
		return status ? 99 : 3;
	}
	ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	if (!strcmp(part, "full"))
		dup2(open("/dev/full", O_WRONLY), STDERR_FILENO);
	else if (!strcmp(part, "no memory"))
		ioasid_fail_nth(1);
	else if (!strcmp(part, "keeps stderr"))
		begin(keep_stderr, NULL);
	else if (!strcmp(part, "keeps the loader"))
		begin(keep_the_loader, NULL);
	else if (!strcmp(part, "locked"))
		begin(free_it, &id);
	return 3;
}

static int leak(bool cleans)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	ioasid_t id = ioasid_alloc(set, ANY, NULL);

	ioasid_get(set, id);
	if (cleans) {
		ioasid_put(set, id);
		ioasid_set_put(set);
	}
	return 3;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(a_dump_says_who_took_and_put),
		CLEAN_TEST(a_caller_is_the_callers_own_code),
		CLEAN_TEST(tagged_references_are_matched_exactly),
		CLEAN_TEST(what_was_there_before_may_be_put_by_any_tag),
		CLEAN_TEST(without_memory_it_says_that_it_has_gaps),
		CLEAN_TEST(a_dump_has_subscribers_as_they_are_told),
		CLEAN_TEST(a_dump_leaves_nothing_out),
		CLEAN_TEST(a_report_is_empty_when_nothing_is_left),
		CLEAN_TEST(handlers_take_and_put),
		CLEAN_TEST(threads_do_not_mix_their_references),
		CLEAN_TEST(it_may_be_switched_under_threads),
		CLEAN_TEST(a_child_goes_on_with_it),
		CLEAN_TEST(the_process_says_at_its_end_what_is_left),
		CLEAN_TEST(what_is_left_fails_though_nobody_can_be_told),
		CLEAN_TEST(it_does_not_wait_for_who_keeps_a_stream),
		CLEAN_TEST(it_does_not_wait_for_who_keeps_the_loader),
		CLEAN_TEST(a_child_has_nothing_to_report),
	};

	if (argc > 1 && (!strcmp(argv[1], "leak") || !strcmp(argv[1], "clean")))
		return leak(!strcmp(argv[1], "clean"));
	if (argc > 1)
		return leave(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
