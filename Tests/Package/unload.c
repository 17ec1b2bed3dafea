/* SPDX-License-Identifier: MIT */
/* Loads the library, leaves it while its threads work, and exits from one of them. */
#undef NDEBUG
#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/workqueue.h>

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

static void count_fork(void)
{
	forked++;
}

static struct work_struct slow, last;

/* A running item is awaited, and neither a thread nor a fork handler stays behind. */
static void unload_at_work(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	bool (*queue)(struct workqueue_struct *, struct work_struct *);
	struct workqueue_struct *(*system_queue)(void);

	assert(library);
	*(void **)&queue = dlsym(library, "ioasid_wq_queue");
	*(void **)&system_queue = dlsym(library, "ioasid_wq_system");
	begun = done = 0;
	INIT_WORK(&slow, work_for_a_while);
	assert(queue(system_queue(), &slow));
	while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
		usleep(100);
	assert(dlclose(library) == 0);
	assert(__atomic_load_n(&done, __ATOMIC_ACQUIRE));
	assert(!dlopen(path, RTLD_NOW | RTLD_NOLOAD));
	if (!fork())
		_exit(0);
}

int main(int argc, char **argv)
{
	bool (*queue)(struct work_struct *);
	void *library;

	assert(argc == 2);
	alarm(60);
	pthread_atfork(count_fork, NULL, NULL);
	for (int i = 0; i < 3; i++)
		unload_at_work(argv[1]);
	assert(forked == 3);

	/* exit() in an item: its thread cannot wait for itself. */
	library = dlopen(argv[1], RTLD_NOW);
	assert(library);
	*(void **)&queue = dlsym(library, "ioasid_queue_work");
	INIT_WORK(&last, leave);
	assert(queue(&last));
	for (;;)
		pause();
}
