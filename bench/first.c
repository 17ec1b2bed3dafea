// SPDX-License-Identifier: MIT
/* What a process pays before its first id: loading the library, one set, one id. Not linked with it, on purpose. */
#define _GNU_SOURCE
#include "harness.h"
#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <stdio.h>
#include <unistd.h>

struct ioasid_set;
typedef struct ioasid_set *set_alloc_fn(void *token, unsigned int quota, int type);
typedef unsigned int alloc_fn(struct ioasid_set *set, unsigned int min, unsigned int max,
			      void *data);

static void *load(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW);

	if (!handle)
		bench_fail(dlerror());
	return handle;
}

/* The dynamic linker's part, by a library that has nothing; or what threads that are there already add. */
static void load_alone(const char *test, const char *library)
{
	double start = bench_now();

	load(library);
	bench_value(test, bench_now() - start);
}

static void load_and_alloc(const char *library)
{
	static char token;
	double start, loaded, owned, end, before, after;

	before = bench_rss();
	bench_begin();
	start = bench_now();
	void *handle = load(library);

	loaded = bench_now();
	set_alloc_fn *set_alloc = (set_alloc_fn *)dlsym(handle, "ioasid_set_alloc");
	alloc_fn *alloc = (alloc_fn *)dlsym(handle, "ioasid_alloc");

	if (!set_alloc || !alloc)
		bench_fail(dlerror());
	struct ioasid_set *set = set_alloc(&token, 1u << 10, 1 /* IOASID_SET_TYPE_NULL */);

	owned = bench_now();
	if (alloc(set, 1, (1u << 20) - 1, &token) != 1)
		bench_fail("no first id");
	end = bench_now();
	bench_end("first-id", 1);
	after = bench_rss();
	bench_value("first-load", loaded - start);
	bench_value("first-set-alloc", owned - loaded);
	bench_value("first-alloc", end - owned);
	bench_value("first-memory", (after - before) / 1024);
}

/* This program again, as a process that has seen neither library yet, and copies no pages of a parent's. */
static void again(char **argv, const char *part, const cpu_set_t *cpus)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		bench_fail("fork");
	if (!child) {
		setenv("BENCH_FIRST", part, 1);
		sched_setaffinity(0, sizeof(*cpus), cpus);
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || status)
		bench_fail("the child failed");
}

int main(int argc, char **argv)
{
	const char *part = getenv("BENCH_FIRST");
	char empty[4096];
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus); /* which the next one reduces to one */

	const char *library = bench_init_alone(argc, argv);
	ssize_t length = readlink("/proc/self/exe", empty, sizeof(empty) - sizeof("libempty.so"));

	if (length < 0)
		bench_fail("readlink");
	empty[length] = 0;
	strcpy(strrchr(empty, '/') + 1, "libempty.so");
	bench_rss(); /* stdio's buffers are there now */
	if (!part) {
		for (int k = 0; k < (quick ? 2 : 12); k++) {
			again(argv, "nothing", &cpus);
			again(argv, "threads", &cpus);
			again(argv, "all", &cpus);
		}
	} else if (!strcmp(part, "nothing")) {
		load_alone("first-load-of-nothing", empty);
	} else if (!strcmp(part, "threads")) {
		bench_idle_thread();
		load_alone("first-load-beside-threads", library);
	} else {
		load_and_alloc(library);
	}
	return 0;
}
