/* SPDX-License-Identifier: MIT */
/* A program of threads whose only order is the library's: sanitizers must find nothing, and one planted race. */
#define _GNU_SOURCE
#include <linux/ioasid.h>
#include <linux/ioasid-rcu.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPID 7
#define NEVER 1000000
#define WORKERS 2

static int rounds = 200;

#define MUST(truth) \
	do { \
		if (!(truth)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #truth); \
			_Exit(3); \
		} \
	} while (0)

/* Relaxed: says when, and orders nothing. */
#define TELL(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_RELAXED)
#define ASK(variable) __atomic_load_n(&(variable), __ATOMIC_RELAXED)

/* Plain memory. Whoever looks at it without being ordered behind its maker, or before its end, is a race. */
struct device {
	int round;
	char name[32];
};

static struct device *new_device(int round)
{
	struct device *device = malloc(sizeof(*device));

	snprintf(device->name, sizeof(device->name), "device %d", round);
	device->round = round;
	return device;
}

static void look_at(const struct device *device, int round)
{
	char name[32];

	snprintf(name, sizeof(name), "device %d", round);
	MUST(device->round == round && !strcmp(device->name, name));
}

static void end_device(struct device *device)
{
	device->round = -1;
	free(device);
}

/* ---- data that lives as long as its id; the last to put frees it, told by RECLAIM ---- */

static struct ioasid_set *guest;
static int now = -1, taken, gone;
static bool by_spid;

static int reclaimed(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_reclaim_args *args = data;

	(void)nb, (void)event;
	if (args->pdata)
		end_device(args->pdata);
	TELL(gone, ASK(gone) + 1);
	return NOTIFY_OK;
}

static void *work(void *data)
{
	(void)data;
	for (int round = 0; round < rounds; round++) {
		ioasid_t id = 600;

		while (ASK(now) != round)
			sched_yield();
		if (ASK(by_spid))
			MUST((id = ioasid_find_by_spid(guest, SPID)) == 600);
		else
			MUST(!ioasid_get(guest, id));
		look_at(ioasid_find(guest, id, NULL), round);
		__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
		look_at(ioasid_find(NULL, id, NULL), round);
		ioasid_put(guest, id);
	}
	return NULL;
}

static void share_ids(void)
{
	pthread_t threads[WORKERS];
	struct notifier_block nb = { .notifier_call = reclaimed };

	MUST(!ioasid_register_reclaim(&nb));
	guest = ioasid_set_alloc(NULL, 10, IOASID_SET_TYPE_NULL);
	for (int i = 0; i < WORKERS; i++)
		MUST(!pthread_create(&threads[i], NULL, work, NULL));
	for (int round = 0; round < rounds; round++) {
		TELL(taken, 0);
		TELL(by_spid, round % 2);
		MUST(ioasid_alloc(guest, 600, 600, new_device(round)) == 600);
		MUST(!ioasid_attach_spid(600, SPID));
		TELL(now, round);
		while (ASK(taken) < WORKERS)
			sched_yield();
		ioasid_free(guest, 600);
		while (ASK(gone) < round + 1)
			sched_yield();
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	ioasid_set_put(guest);
	ioasid_unregister_reclaim(&nb);
}

/* ---- data that is replaced under its readers ---- */

static ioasid_t shared;
static bool over;

static void *read_on_and_on(void *data)
{
	(void)data;
	while (!ASK(over)) {
		struct device *device;

		ioasid_rcu_read_lock();
		device = ioasid_find(NULL, shared, NULL);
		look_at(device, device->round);
		ioasid_rcu_read_unlock();
	}
	return NULL;
}

static void replace_data(void)
{
	struct device *old = new_device(0), *new;
	pthread_t threads[WORKERS];

	shared = ioasid_alloc(NULL, 0, 500, old);
	for (int i = 0; i < WORKERS; i++)
		MUST(!pthread_create(&threads[i], NULL, read_on_and_on, NULL));
	for (int round = 0; round < rounds; round++) {
		new = new_device(round);
		/* Waits for those who have the old. */
		MUST(!ioasid_attach_data(shared, new));
		end_device(old);
		old = new;
	}
	TELL(over, true);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	ioasid_free(NULL, shared);
	end_device(old);
}

/* ---- handlers run one at a time, and what they count needs no lock ---- */

static int told;

static int count_event(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	told++;
	return NOTIFY_OK;
}

static void visit(ioasid_t id, void *data)
{
	(void)data;
	MUST(ioasid_is_active(id));
}

static void *come_and_go(void *data)
{
	for (int round = 0; round < rounds; round++) {
		struct ioasid_set *set = ioasid_set_alloc(NULL, 5, IOASID_SET_TYPE_NULL);
		ioasid_t id = ioasid_alloc(set, 5000, 9000, data);

		MUST(!ioasid_set_for_each_ioasid(set, visit, NULL));
		MUST(!ioasid_get(set, id));
		ioasid_put(set, id);
		MUST(!ioasid_free_wait(set, id, -1));
		ioasid_set_put(set);
	}
	return NULL;
}

static void count_events(void)
{
	struct notifier_block nb = { .notifier_call = count_event };
	pthread_t threads[WORKERS];

	MUST(!ioasid_register_notifier(NULL, &nb));
	for (int i = 0; i < WORKERS; i++)
		MUST(!pthread_create(&threads[i], NULL, come_and_go, NULL));
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	ioasid_unregister_notifier(NULL, &nb);
	/* SET_ALLOC, FREE and SET_FREE. */
	MUST(told == 3 * WORKERS * rounds);
}

/* ---- forks beside handlers ---- */

static void *tell_on_and_on(void *unused)
{
	struct notifier_block nb = { .notifier_call = count_event };

	MUST(!ioasid_register_notifier(guest, &nb));
	while (!ASK(over))
		ioasid_free(guest, ioasid_alloc(guest, 0, NEVER, NULL));
	ioasid_unregister_notifier(guest, &nb);
	return unused;
}

static void fork_often(void)
{
	pthread_t thread;
	int status;

	over = false;
	guest = ioasid_set_alloc(NULL, 100, IOASID_SET_TYPE_NULL);
	MUST(!pthread_create(&thread, NULL, tell_on_and_on, NULL));
	for (int i = 0; i < rounds; i++) {
		pid_t child = fork();

		if (!child)
			_exit(ioasid_alloc(guest, 0, NEVER, NULL) == INVALID_IOASID);
		MUST(waitpid(child, &status, 0) == child && !status);
	}
	TELL(over, true);
	pthread_join(thread, NULL);
	ioasid_set_put(guest);
}

/* ---- a race of the program's own: looking at the data without a reference ---- */

static void *look_too_late(void *data)
{
	struct device *device = ioasid_find(NULL, 700, NULL);

	(void)data;
	TELL(now, NEVER + 1);
	while (ASK(now) != NEVER + 2)
		sched_yield();
	device->round++;
	return NULL;
}

static void race(void)
{
	struct device *device = new_device(0);
	pthread_t thread;

	MUST(ioasid_alloc(NULL, 700, 700, device) == 700);
	MUST(!pthread_create(&thread, NULL, look_too_late, NULL));
	while (ASK(now) != NEVER + 1)
		sched_yield();
	ioasid_free(NULL, 700);
	device->round++;
	TELL(now, NEVER + 2);
	pthread_join(thread, NULL);
	free(device);
}

int main(int argc, char **argv)
{
	/* One thread at a time, and slowly: valgrind. */
	if (argc > 1 && !strcmp(argv[1], "few"))
		rounds = 10;
	else if (argc > 1) {
		race();
		return 0;
	}
	share_ids();
	replace_data();
	count_events();
	fork_often();
	MUST(!ioasid_report_leaks(stderr));
	puts("nothing found");
	return 0;
}
