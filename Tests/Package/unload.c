/* SPDX-License-Identifier: MIT */
/* Loads the library and closes it, at work, in a thread, 20,000 times: it stays, and nothing piles up. And fork(). */
#undef NDEBUG
#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/workqueue.h>

#define CYCLES 20000

static int begun, done, forked;

static void work_for_a_while(struct work_struct *work)
{
	(void)work;
	__atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
	usleep(50000);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
}

static void leave(struct work_struct *work)
{
	(void)work;
	exit(0);
}

/* What waits for readers, in prepare handlers that were registered before and after the library was loaded. */
static int (*attach_data)(unsigned int id, void *data);
static unsigned int used_id;
static int early_answer, late_answer;

static void fork_early(void)
{
	forked++;
	if (attach_data)
		early_answer = attach_data(used_id, &early_answer);
}

static void fork_late(void)
{
	late_answer = attach_data(used_id, &late_answer);
}

static struct work_struct slow, last;

static void *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		fprintf(stderr, "%s\n", dlerror());
	assert(library);
	return library;
}

/* The library stays while its handle is closed: the item goes on, and is not waited for. */
static void close_at_work(const char *path)
{
	void *library = load(path), *again;
	bool (*queue)(struct workqueue_struct *, struct work_struct *);
	struct workqueue_struct *(*system_queue)(void);

	*(void **)&queue = dlsym(library, "ioasid_wq_queue");
	*(void **)&system_queue = dlsym(library, "ioasid_wq_system");
	begun = done = 0;
	INIT_WORK(&slow, work_for_a_while);
	assert(queue(system_queue(), &slow));
	while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
		usleep(100);
	assert(dlclose(library) == 0);
	assert(!__atomic_load_n(&done, __ATOMIC_ACQUIRE));
	again = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	assert(again);
	assert(dlclose(again) == 0);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		usleep(100);
	if (!fork())
		_exit(0);
}

/* The early one runs with the core lock held, and waits for nobody. */
static void fork_handlers_may_use_it(const char *path)
{
	void *library = load(path);
	unsigned int (*alloc)(void *, unsigned int, unsigned int, void *);
	int (*set_level)(int);

	*(void **)&alloc = dlsym(library, "ioasid_alloc");
	*(void **)&attach_data = dlsym(library, "ioasid_attach_data");
	*(void **)&set_level = dlsym(library, "ioasid_set_log_level");
	used_id = alloc(NULL, 1, 1000, &forked);
	set_level(-1);
	assert(pthread_atfork(fork_late, NULL, NULL) == 0);
	early_answer = late_answer = 1;
	if (!fork())
		_exit(0);
	assert(late_answer == 0);
	assert(early_answer == -EDEADLK);
	assert(dlclose(library) == 0);
}

static unsigned int entries(const char *folder)
{
	DIR *directory = opendir(folder);
	unsigned int count = 0;

	assert(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static unsigned int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int lines = 0;
	int c;

	assert(maps);
	while ((c = getc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);
	return lines;
}

/* A thread that loads, uses and closes, and then ends: what it left is cleaned up in this code. */
static void *use_once(void *path)
{
	void *library = load(path);
	unsigned int (*alloc)(void *, unsigned int, unsigned int, void *);
	void (*free_id)(void *, unsigned int);
	void *(*find)(void *, unsigned int, bool (*getter)(void *));
	unsigned int id;

	*(void **)&alloc = dlsym(library, "ioasid_alloc");
	*(void **)&free_id = dlsym(library, "ioasid_free");
	*(void **)&find = dlsym(library, "ioasid_find");
	id = alloc(NULL, 1, 1000, NULL);
	find(NULL, id, NULL);
	free_id(NULL, id);
	assert(dlclose(library) == 0);
	return NULL;
}

/* The first thread brings mappings of its own: a stack, an arena of malloc(). */
static void nothing_piles_up(const char *path)
{
	unsigned int threads = entries("/proc/self/task"), before = mappings();

	for (int i = 0; i < CYCLES; i++)
		assert(dlclose(load(path)) == 0);
	for (int i = 0; i < CYCLES / 10; i++) {
		pthread_t thread;

		assert(pthread_create(&thread, NULL, use_once, (void *)path) == 0);
		assert(pthread_join(thread, NULL) == 0);
	}
	printf("%u threads, %u mappings; before %u and %u\n", entries("/proc/self/task"),
	       mappings(), threads, before);
	assert(entries("/proc/self/task") == threads);
	assert(mappings() <= before + 16);
}

int main(int argc, char **argv)
{
	bool (*queue)(struct work_struct *);

	assert(argc == 2);
	alarm(120);
	pthread_atfork(fork_early, NULL, NULL);
	for (int i = 0; i < 3; i++)
		close_at_work(argv[1]);
	assert(forked == 3);
	fork_handlers_may_use_it(argv[1]);
	nothing_piles_up(argv[1]);

	/* exit() in an item: its thread cannot wait for itself. */
	*(void **)&queue = dlsym(load(argv[1]), "ioasid_queue_work");
	INIT_WORK(&last, leave);
	assert(queue(&last));
	for (;;)
		pause();
}
