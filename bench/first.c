// SPDX-License-Identifier: MIT
/* What a process pays before its first id: loading the library, one set, one id. Not linked with it, on purpose. */
#include "harness.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <stdio.h>
#include <unistd.h>

struct ioasid_set;
typedef struct ioasid_set *set_alloc_fn(void *token, unsigned int quota, int type);
typedef unsigned int alloc_fn(struct ioasid_set *set, unsigned int min, unsigned int max,
			      void *data);

/* In a process of its own, which has not seen the library yet. */
static void load_and_alloc(const char *library)
{
	static char token;
	double start, loaded, before, after;

	before = bench_rss();
	bench_begin();
	start = bench_now();
	void *handle = dlopen(library, RTLD_NOW);

	loaded = bench_now() - start;
	set_alloc_fn *set_alloc = handle ? (set_alloc_fn *)dlsym(handle, "ioasid_set_alloc") : NULL;
	alloc_fn *alloc = handle ? (alloc_fn *)dlsym(handle, "ioasid_alloc") : NULL;

	if (!set_alloc || !alloc)
		bench_fail(dlerror());
	struct ioasid_set *set = set_alloc(&token, 1u << 10, 1 /* IOASID_SET_TYPE_NULL */);

	if (alloc(set, 1, (1u << 20) - 1, &token) != 1)
		bench_fail("no first id");
	bench_end("first-id", 1);
	after = bench_rss();
	bench_value("first-load", loaded);
	bench_value("first-memory", (after - before) / 1024);
	exit(0);
}

int main(int argc, char **argv)
{
	const char *library = bench_init(argc, argv);

	bench_rss(); /* stdio's buffers are there now */
	for (int k = 0; k < (quick ? 2 : 12); k++) {
		int status;
		pid_t child = fork();

		if (child < 0)
			bench_fail("fork");
		if (!child)
			load_and_alloc(library);
		if (waitpid(child, &status, 0) != child || status)
			bench_fail("the child failed");
	}
	return 0;
}
