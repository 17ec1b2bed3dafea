// SPDX-License-Identifier: MIT
/* The machine's own prices: what any design must pay for a lock, a reader section, a shared count, a cache miss. */
#define _GNU_SOURCE
#define _LGPL_SOURCE
#include "harness.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <urcu-bp.h>

#include "runtime.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static long counter;

static void mutexes(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	}
}

static void recursive_mutexes(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		pthread_mutex_lock(&recursive);
		pthread_mutex_unlock(&recursive);
	}
}

static void additions(int thread, uint64_t n)
{
	(void)thread;
	while (n--)
		__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

static void reader_sections(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		urcu_bp_read_lock();
		__asm__ volatile("" : : : "memory");
		urcu_bp_read_unlock();
	}
}

static void grace_periods(int thread, uint64_t n)
{
	(void)thread;
	while (n--)
		urcu_bp_synchronize_rcu();
}

static void own_reader_sections(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		cio_read_lock();
		__asm__ volatile("" : : : "memory");
		cio_read_unlock();
	}
}

/* As a client of an exported function has it. */
__attribute__((noinline)) static void call_read_lock(void)
{
	cio_read_lock();
}

__attribute__((noinline)) static void call_read_unlock(void)
{
	cio_read_unlock();
}

static void called_reader_sections(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		call_read_lock();
		call_read_unlock();
	}
}

static void own_grace_periods(int thread, uint64_t n)
{
	(void)thread;
	while (n--)
		cio_synchronize();
}

/* The core lock, with as much under it as a short call of the library does. */
static uint64_t under_lock;

static void work_under_lock(void)
{
	uint64_t x = under_lock;

	for (int i = 0; i < 44; i++)
		x = x * 6364136223846793005u + 1;
	under_lock = x;
}

static void mutex_work(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		pthread_mutex_lock(&mutex);
		work_under_lock();
		pthread_mutex_unlock(&mutex);
	}
}

static void core_lock_work(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		cio_core_lock();
		work_under_lock();
		cio_core_unlock();
	}
}

static void mallocs(int thread, uint64_t n)
{
	(void)thread;
	while (n--) {
		void *p = malloc(64);

		__asm__ volatile("" : : "r"(p) : "memory");
		free(p);
	}
}

/* What every lookup loop contains besides the lookup. */
static void random_numbers(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread), sum = 0;

	while (n--)
		sum += bench_below(&state, 1000);
	bench_use(sum);
}

static uint64_t *table;
static uint32_t words;

static void loads(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread), sum = 0;

	while (n--)
		sum += table[bench_below(&state, words)];
	bench_use(sum);
}

static void chained_loads(int thread, uint64_t n)
{
	uint64_t state = bench_seed(thread);

	while (n--)
		state += table[bench_below(&state, words)]; /* all zero */
	bench_use(state);
}

/* Random loads from as much memory as a table of 2^20 entries of 8 and of 16 bytes has. */
static void random_loads(const char *test, const char *chained, size_t bytes)
{
	table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table == MAP_FAILED)
		bench_fail("no memory");
	madvise(table, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += 4096)
		*(volatile char *)((char *)table + i) = 0;
	words = bytes / sizeof(*table);
	bench_one(test, loads);
	bench_one(chained, chained_loads);
	munmap(table, bytes);
}

int main(int argc, char **argv)
{
	bench_init(argc, argv);
	bench_one("raw-mutex", mutexes);
	bench_two("raw-mutex-2t", mutexes);
	bench_one("raw-recursive-mutex", recursive_mutexes);
	bench_one("raw-atomic-add", additions);
	bench_two("raw-atomic-add-2t", additions);
	bench_one("raw-rcu-reader", reader_sections);
	bench_one("raw-own-reader", own_reader_sections);
	bench_one("raw-own-reader-called", called_reader_sections);
	bench_one("raw-grace-period", grace_periods);
	bench_one("raw-own-grace-period", own_grace_periods);
	bench_two("raw-own-grace-period-2t", own_grace_periods);
	bench_one("raw-mutex-60ns", mutex_work);
	bench_two("raw-mutex-60ns-2t", mutex_work);
	bench_one("raw-core-lock-60ns", core_lock_work);
	bench_two("raw-core-lock-60ns-2t", core_lock_work);
	bench_one("raw-malloc", mallocs);
	bench_one("raw-random-number", random_numbers);
	random_loads("raw-load-8MiB", "raw-load-8MiB-chained", 8 << 20);
	random_loads("raw-load-16MiB", "raw-load-16MiB-chained", 16 << 20);
	return 0;
}
