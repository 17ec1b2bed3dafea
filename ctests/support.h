/* SPDX-License-Identifier: MIT */
/* What the suites of the core have in common: a clean start, a clean end, and small helpers. */
#ifndef IOASID_CTESTS_SUPPORT_H
#define IOASID_CTESTS_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <linux/ioasid.h>

#include "emulator.h"

/*
 * Under ThreadSanitizer a thread must not end, by exit() or cancellation, inside a stream's function:
 * it counts the libc calls that the thread is in, and takes the program for wrong.
 */
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN true
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN false
#endif

/* Sanitizers look at the loader's modules themselves, and wait for its locks. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN true
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN false
#endif

/* A range that leaves out nothing. */
#define ANY 0, INVALID_IOASID

/* A test that must leave no id, set, subscriber or block of memory behind. */
#define CLEAN_TEST(f) cmocka_unit_test_setup_teardown(f, begin_test, end_test)

/* A test that counts what the log is warned of, in @warnings. */
#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, begin_log, end_log)

extern unsigned int warnings;
int begin_log(void **state);
int end_log(void **state);

int begin_test(void **state);
int end_test(void **state);

/* Is nothing left: no id, set, subscriber, reservation or block of memory? Prints what is. */
bool nothing_is_left(void);

/* An anonymous set, or a failed test. */
struct ioasid_set *new_set(ioasid_t quota);

/* An id of @set with this private data, or a failed test. */
ioasid_t new_id(struct ioasid_set *set, void *data);

/* Frees an id that nobody else holds, and checks that it is gone. */
void free_id(ioasid_t id);

struct ioasid_stats read_stats(void);

/* How many requests were refused for this reason so far. */
uint64_t refused(enum ioasid_refusal why);

/* Are all figures the same that a request without effect must not change? */
bool same_state(const struct ioasid_stats *before, const struct ioasid_stats *after);

/* How often a long loop runs: a fiftieth where IOASID_TEST_SLOW says that everything takes long. */
unsigned int loops(unsigned int wanted);

/* A child of fork() leaks what its parent's threads had in hand; limits and single steps do not work there. */
bool under_valgrind(void);

/* NULL where a child of fork() may start threads though the parent has some, or why not. */
const char *no_threads_after_fork(void);

/*
 * Runs @body in a process of its own, which has used the library no more than this one. Its exit
 * status; -1 if it crashed.
 */
int in_child(int (*body)(const void *data), const void *data);

/* A body must not fail by cmocka's assertions: the child would go on with the next test. */
#define CHILD_FAILED 41
#define child_assert(truth) \
	do { \
		if (!(truth)) { \
			print_error("%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
			return CHILD_FAILED; \
		} \
	} while (0)

/* Writes down the events it is told. */
struct record {
	enum ioasid_notify_val event;
	struct ioasid_nb_args args;
};

#define RECORDS 64

struct recorder {
	struct notifier_block nb;
	unsigned int count;
	struct record records[RECORDS];
};

int record_event(struct notifier_block *nb, unsigned long event, void *data);

#define RECORDER(priority_) { .nb = { .notifier_call = record_event, .priority = (priority_) } }

#endif
