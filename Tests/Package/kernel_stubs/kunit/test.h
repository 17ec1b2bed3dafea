/* SPDX-License-Identifier: MIT */
/* Stub: as much of KUnit as lib/list-test.c asks for. Suites run before main() and print what fails. */
#ifndef STUB_KUNIT_TEST_H
#define STUB_KUNIT_TEST_H

#include <stdio.h>
#include <stdlib.h>

#include <linux/module.h>

struct kunit {
	const char *name;
	unsigned int failed;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function) { .run_case = function, .name = #function }

#define STUB_EXPECT(test, truth, text) \
	do { \
		if (!(truth)) { \
			(test)->failed++; \
			printf("%s:%d: %s: not so: %s\n", __FILE__, __LINE__, (test)->name, text); \
		} \
	} while (0)
#define KUNIT_EXPECT_TRUE(test, c) STUB_EXPECT(test, c, #c)
#define KUNIT_EXPECT_FALSE(test, c) STUB_EXPECT(test, !(c), "!(" #c ")")
#define KUNIT_EXPECT_EQ(test, a, b) STUB_EXPECT(test, (a) == (b), #a " == " #b)
#define KUNIT_EXPECT_PTR_EQ(test, a, b) \
	STUB_EXPECT(test, (const void *)(a) == (const void *)(b), #a " == " #b)
#define KUNIT_EXPECT_TRUE_MSG(test, c, ...) KUNIT_EXPECT_TRUE(test, c)
#define KUNIT_EXPECT_FALSE_MSG(test, c, ...) KUNIT_EXPECT_FALSE(test, c)

static inline void stub_run(const struct kunit_suite *suite)
{
	unsigned int run = 0, failed = 0;
	struct kunit_case *next;

	for (next = suite->test_cases; next->run_case; next++, run++) {
		struct kunit test = { .name = next->name };

		next->run_case(&test);
		failed += test.failed != 0;
	}
	printf("%s: %u run, %u failed\n", suite->name, run, failed);
	if (failed)
		exit(1);
}

/* KUnit's functions to allocate, freed with the process. */
static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t flags)
{
	(void)test;
	return kzalloc(size, flags);
}

#define STUB_SUITES(line, ...) STUB_SUITES_LINE(line, __VA_ARGS__)
#define STUB_SUITES_LINE(line, ...) \
	static __attribute__((__constructor__)) void stub_suites_##line(void) \
	{ \
		const struct kunit_suite *suites[] = { __VA_ARGS__ }; \
		for (size_t i = 0; i < ARRAY_SIZE(suites); i++) \
			stub_run(suites[i]); \
	} \
	extern int ioasid_takes_the_semicolon
#define kunit_test_suites(...) STUB_SUITES(__LINE__, __VA_ARGS__)

#endif
