/* SPDX-License-Identifier: MIT */
/*
 * What the library asks of libc and of the kernel fails, each call once: calloc(), mmap(), mprotect(),
 * madvise(), pthread_create() and so on. It must refuse or do without, never crash or hang, and work again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/idr.h>
#include <linux/ioasid-kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "support.h"

/* ---- what fails ---- */

enum { CALLOC, MMAP, MPROTECT, MADVISE, THREAD, KEY, MEMBARRIER, NR_CALLS };
static const char *const names[] = { "calloc",	  "mmap",	    "mprotect",
				     "madvise",	  "pthread_create", "pthread_key_create",
				     "membarrier" };
/* Those that are to fail from the @nth on, @times in a row; of what there was, how many. */
static int failing = -1;
static unsigned long nth, times, seen[NR_CALLS];

static bool fails(int which)
{
	unsigned long now = __atomic_add_fetch(&seen[which], 1, __ATOMIC_RELAXED);

	return failing == which && now >= nth && now - nth < times;
}

/* The program's own come before libc's, for every library. */
void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
	if (fails(CALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(count, size);
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

void *mmap(void *where, size_t length, int rights, int flags, int fd, off_t offset)
{
	if (fails(MMAP)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return NEXT(mmap)(where, length, rights, flags, fd, offset);
}

int mprotect(void *where, size_t length, int rights)
{
	if (fails(MPROTECT)) {
		errno = ENOMEM;
		return -1;
	}
	return NEXT(mprotect)(where, length, rights);
}

int madvise(void *where, size_t length, int advice)
{
	if (fails(MADVISE)) {
		errno = EAGAIN;
		return -1;
	}
	return NEXT(madvise)(where, length, advice);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *data)
{
	return fails(THREAD) ? EAGAIN : NEXT(pthread_create)(thread, attributes, run, data);
}

int pthread_key_create(pthread_key_t *key, void (*end)(void *))
{
	return fails(KEY) ? EAGAIN : NEXT(pthread_key_create)(key, end);
}

long syscall(long number, ...)
{
	long values[6];
	va_list arguments;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		values[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_membarrier && fails(MEMBARRIER)) {
		errno = ENOSYS;
		return -1;
	}
	return NEXT(syscall)(number, values[0], values[1], values[2], values[3], values[4],
			     values[5]);
}

/* ---- what is done ---- */

/* Ends the process: the answer is none of those documented. */
static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s %lu: %s\n", failing < 0 ? "nothing fails" : names[failing], nth, what);
	_exit(1);
}

static bool is_answer(long result)
{
	return result >= 0 || result == -ENOMEM || result == -EAGAIN;
}

static int handler(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	return NOTIFY_OK;
}

static void ids_and_sets(void)
{
	struct notifier_block nb = { .notifier_call = handler };
	struct ioasid_set *set = ioasid_set_alloc(&nb, 100, IOASID_SET_TYPE_NULL);
	ioasid_t ids[70];

	require(!IS_ERR(set) || PTR_ERR(set) == -ENOMEM, "ioasid_set_alloc()");
	if (IS_ERR(set))
		return;
	require(is_answer(ioasid_register_notifier(set, &nb)), "ioasid_register_notifier()");
	for (unsigned int i = 0; i < 70; i++) {
		/* Far apart, so that there is something to map. */
		ids[i] = ioasid_alloc(set, 1 + i * 14000, INVALID_IOASID, &nb);
		if (!pasid_valid(ids[i]))
			continue;
		require(ids[i] == 1 + i * 14000, "ioasid_alloc() used a number up");
		require(is_answer(ioasid_attach_spid(ids[i], i)), "ioasid_attach_spid()");
		require(ioasid_find(set, ids[i], NULL) == &nb, "ioasid_find()");
		require(ioasid_attach_data(ids[i], set) == 0, "ioasid_attach_data()");
		require(ioasid_get(set, ids[i]) == 0, "ioasid_get()");
	}
	for (unsigned int i = 0; i < 70; i++) {
		if (!pasid_valid(ids[i]))
			continue;
		ioasid_free(set, ids[i]);
		require(ioasid_put(set, ids[i]), "ioasid_put()");
	}
	ioasid_set_put(set);
}

static bool worked;

static void work(struct work_struct *item)
{
	(void)item;
	worked = true;
}

static void helpers(void)
{
	struct workqueue_struct *queue = alloc_ordered_workqueue("faults", 0);
	struct mm_struct *mm = mm_alloc();
	struct xarray array;
	struct work_struct item;
	DEFINE_IDA(ida);
	DEFINE_IDR(idr);
	struct {
		struct rcu_head rcu;
	} * later;
	int id = ida_alloc(&ida, GFP_KERNEL);

	require(is_answer(id), "ida_alloc()");
	if (id >= 0)
		ida_free(&ida, id);
	id = idr_alloc(&idr, &item, 1, 100, GFP_KERNEL);
	require(is_answer(id), "idr_alloc()");
	idr_destroy(&idr);
	xa_init(&array);
	require(!xa_is_err(xa_store(&array, 7, &item, GFP_KERNEL)) || !xa_load(&array, 7),
		"xa_store()");
	xa_destroy(&array);
	if (mm)
		mmput(mm);
	later = kmalloc(sizeof(*later), GFP_KERNEL);
	if (later)
		kfree_rcu(later, rcu);
	INIT_WORK(&item, work);
	worked = false;
	if (queue) {
		require(queue_work(queue, &item), "queue_work()");
		flush_workqueue(queue);
		require(worked, "flush_workqueue() did not wait for the work");
		destroy_workqueue(queue);
	}
	rcu_barrier();
	synchronize_rcu();
}

static void everything(void)
{
	ids_and_sets();
	helpers();
}

/* Once with a fault, then without one. */
static int fault_and_recovery(void)
{
	struct ioasid_stats stats;

	alarm(20);
	ioasid_set_log_level(-1);
	everything();
	failing = -1;
	everything();
	ioasid_get_stats(&stats);
	require(stats.live == 0 && stats.pending == 0 && stats.sets == 0 && stats.dying == 0 &&
			stats.subscribers == 0,
		"something is left");
	require(stats.allocs >= 70, "it does not work afterwards");
	return 0;
}

static int fork_and_run(unsigned long *calls)
{
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		unsigned long before = seen[failing < 0 ? 0 : failing];
		int which = failing;

		nth += which < 0 ? 0 : before;
		status = fault_and_recovery();
		before = which < 0 ? 0 : seen[which] - before;
		if (write(fds[1], &before, sizeof(before)) != sizeof(before))
			status = 1;
		_exit(status);
	}
	close(fds[1]);
	*calls = 0;
	if (read(fds[0], calls, sizeof(*calls)) != sizeof(*calls))
		*calls = 0;
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void fail_each(int which, unsigned long in_a_row)
{
	unsigned long calls = 1, tried;

	/* A child that went without the fault says how many calls there are. */
	for (tried = 1; tried <= calls; tried++) {
		failing = which;
		nth = tried;
		times = in_a_row;
		int status = fork_and_run(&calls);

		failing = -1;
		if (status)
			fail_msg("%s() %lu, %lu in a row: status %#x", names[which], tried,
				 in_a_row, status);
	}
	print_message("%s: %lu calls failed, %lu in a row\n", names[which], tried - 1, in_a_row);
}

static void each_call_fails_once(void **state)
{
	(void)state;
	for (int which = 0; which < NR_CALLS; which++)
		fail_each(which, 1);
}

static void each_call_fails_for_good(void **state)
{
	(void)state;
	for (int which = 0; which < NR_CALLS; which++)
		fail_each(which, ULONG_MAX);
}

/* The process may have no more memory at all: RLIMIT_AS as it is, and a little more. */
static void no_more_address_space(void **state)
{
	(void)state;
	for (rlim_t more = 0; more <= 64 << 20; more = more ? more * 4 : 4096) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			struct rlimit limit;
			unsigned long pages = 0;
			FILE *statm = fopen("/proc/self/statm", "r");

			if (!statm || fscanf(statm, "%lu", &pages) != 1)
				_exit(2);
			fclose(statm);
			limit.rlim_cur = limit.rlim_max = pages * 4096 + more;
			if (setrlimit(RLIMIT_AS, &limit))
				_exit(3);
			alarm(20);
			ioasid_set_log_level(-1);
			everything();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(each_call_fails_for_good),
		cmocka_unit_test(no_more_address_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
