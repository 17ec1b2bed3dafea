// SPDX-License-Identifier: MIT
// Guests do what they like, seeded; after every step all must be as the contract says.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "expected.h"
#include "random.h"

enum operation {
	OP_ALLOC,
	OP_FREE,
	OP_FREE_OTHERS,
	OP_BIND,
	OP_UNBIND,
	OP_PROGRAM,
	OP_CLEAR,
	OP_START,
	OP_STOP,
	OP_ENQCMD,
	OP_INVALIDATE,
	OP_PAGE,
	OP_PROCESS_EXIT,
	OP_CRASH,
	NR_OPERATIONS,
};

static const struct {
	const char *name;
	unsigned int weight;
} operations[NR_OPERATIONS] = {
	[OP_ALLOC] = { "ioasid_alloc in a guest", 20 },
	[OP_FREE] = { "ioasid_free in a guest", 10 },
	[OP_FREE_OTHERS] = { "free of what is not the guest's", 4 },
	[OP_BIND] = { "bind", 24 },
	[OP_UNBIND] = { "unbind", 10 },
	[OP_PROGRAM] = { "program a device", 16 },
	[OP_CLEAR] = { "clear a device", 6 },
	[OP_START] = { "start DMA", 12 },
	[OP_STOP] = { "stop DMA", 5 },
	[OP_ENQCMD] = { "ENQCMD", 12 },
	[OP_INVALIDATE] = { "invalidation by a guest", 10 },
	[OP_PAGE] = { "page requested, used, unmapped", 10 },
	[OP_PROCESS_EXIT] = { "process of a guest ends", 4 },
	[OP_CRASH] = { "crash by SIGKILL", 1 },
};

/* Steps in a row by one guest after the other, and then by each while the others do theirs. */
#define STEPS_APART 60
#define STEPS_TOGETHER 40

/* Each guest has its own random numbers, so that a seed means the same steps again. */
static struct player {
	u64 random;
	unsigned long steps, refused;
	unsigned long done[NR_OPERATIONS];
	u64 passed, blocked;
} players[NR_GUESTS];

static struct host host;
static struct expected_guest guests[NR_GUESTS];
static unsigned long seed;
static bool running;
/* Changes only while no guest does anything. */
static bool together;

static struct player *player_of(const struct expected_guest *g)
{
	return &players[g - guests];
}

/* splitmix64 */
static unsigned int below(u64 *random, unsigned int limit)
{
	u64 z = *random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % limit;
}

static enum operation pick_operation(u64 *random)
{
	unsigned int total = 0, at;

	for (int i = 0; i < NR_OPERATIONS; i++)
		total += operations[i].weight;
	at = below(random, total);
	for (int i = 0; i < NR_OPERATIONS; i++) {
		if (at < operations[i].weight)
			return i;
		at -= operations[i].weight;
	}
	return OP_ALLOC;
}

static void expect_result(const struct expected_guest *g, enum operation op, long want, long got)
{
	player_of(g)->done[op]++;
	player_of(g)->refused += want < 0;
	if (want != got)
		die("%s by guest %d returned %ld, not %ld", operations[op].name, g->vm->number, got,
		    want);
}

static void begin_guest(struct expected_guest *g, int number)
{
	struct vm *vm = vm_create(&host, number, QUOTA);

	/* Behind two units, but for the last guest: there one device has both. */
	for (int i = 0; i < NR_MDEVS; i++)
		vm_add_mdev(vm, host.dev[number == NR_GUESTS ? 0 : i]);
	vfio_page(vm, true);
	guest_start(vm);
	expect_new_guest(g, vm);
}

static void end_guest(struct expected_guest *g)
{
	for (int i = 0; i < NR_MDEVS; i++) {
		struct mdev *mdev = &g->vm->mdevs[i];

		pthread_mutex_lock(&mdev->lock);
		player_of(g)->passed += mdev->passed;
		player_of(g)->blocked += mdev->blocked;
		pthread_mutex_unlock(&mdev->lock);
	}
	vm_destroy(g->vm);
}

/* ---- operations: what is done, what must come of it ---- */

static void do_alloc(struct expected_guest *g)
{
	int index = expected_alloc(g);
	ioasid_t pasid = guest_do(g->vm, GUEST_ALLOC, 0, 0);

	expect_result(g, OP_ALLOC, index < 0 ? INVALID_IOASID : PASID_OF(index), pasid);
	player_of(g)->refused += index < 0;
	if (index >= 0)
		g->pasids[index].host = vfio_host_pasid(g->vm, pasid);
}

static void do_free(struct expected_guest *g, int index)
{
	expect_result(g, OP_FREE, 0, guest_do(g->vm, GUEST_FREE, PASID_OF(index), 0));
	expected_free(g, index);
}

/* By a number of the host's, or one that the guest has not got: past its own library. */
static void do_free_others(struct expected_guest *g, int index)
{
	ioasid_t pasid = HOST_PASID_FIRST + below(&player_of(g)->random, NR_HOST_IDS);
	u64 response;

	if (g->pasids[index].state == ABSENT)
		pasid = PASID_OF(index);
	response = guest_do(g->vm, GUEST_VCMD, VCMD_CMD_FREE | VCMD_CMD_OPERAND(pasid), 0);
	expect_result(g, OP_FREE_OTHERS, VCMD_VRSP_SC_INVALID_PASID, VCMD_VRSP_SC(response));
	player_of(g)->refused++;
}

/* The device asks for a page, the guest gives it, and takes it back. */
static void do_page(struct expected_guest *g, int index, int mdev)
{
	ioasid_t pasid = PASID_OF(index);
	struct device *dev = g->vm->mdevs[mdev].dev;
	long want = g->pasids[index].state == BOUND    ? 0
		    : g->pasids[index].state == ABSENT ? -EINVAL
						       : -EIO;
	int got;

	expect_result(g, OP_PAGE, want, guest_do(g->vm, GUEST_PAGE, mdev, pasid));
	if (want)
		return;
	if (guest_do(g->vm, GUEST_UNMAP, pasid, ON_DEMAND) ||
	    guest_do(g->vm, GUEST_INVALIDATE, pasid, ON_DEMAND))
		die("guest %d cannot unmap a page", g->vm->number);
	/* Not there, and in no cache; nobody gives it this time. */
	vfio_page(g->vm, false);
	do
		got = vtd_dma(dev, g->pasids[index].host, ON_DEMAND, VTD_DMA_READ, NULL);
	while (got == -EAGAIN);
	if (got <= 0)
		die("guest %d reaches a page that it has unmapped", g->vm->number);
	vfio_page(g->vm, true);
}

static void check(struct expected_guest *g)
{
	if (together)
		check_own_dma(&host, g);
	else
		check_dma(&host, guests);
}

/* The work that FREE queued may be done or not; then it is. */
static void check_and_settle(struct expected_guest *g)
{
	check(g);
	host_settle();
	expected_settle(g);
	check(g);
}

static void do_crash(struct expected_guest *g)
{
	int number = g->vm->number;

	guest_kill(g->vm);
	vfio_sweep(g->vm);
	for (int i = 0; i < NR_NUMBERS; i++)
		expected_free(g, i);
	check_and_settle(g);
	end_guest(g);
	begin_guest(g, number);
	expect_result(g, OP_CRASH, 0, 0);
}

/* Mostly one that the guest has. */
static int pick_index(const struct expected_guest *g)
{
	u64 *random = &player_of(g)->random;
	int index = below(random, NR_NUMBERS);

	for (int i = 0; i < 3 && g->pasids[index].state == ABSENT; i++)
		index = below(random, NR_NUMBERS);
	return index;
}

static void do_operation(struct expected_guest *g, enum operation op)
{
	u64 *random = &player_of(g)->random;
	int index = pick_index(g), mdev = below(random, NR_MDEVS);
	int process = below(random, NR_PROCESSES);
	ioasid_t pasid = PASID_OF(index);
	struct vm *vm = g->vm;

	switch (op) {
	case OP_ALLOC:
		do_alloc(g);
		break;
	case OP_FREE:
		do_free(g, index);
		break;
	case OP_FREE_OTHERS:
		do_free_others(g, index);
		break;
	case OP_BIND:
		expect_result(g, op, expected_bind(g, index, process),
			      guest_do(vm, GUEST_BIND, pasid, vm->processes[process].root));
		break;
	case OP_UNBIND:
		expect_result(g, op, expected_unbind(g, index),
			      guest_do(vm, GUEST_UNBIND, pasid, 0));
		break;
	case OP_PROGRAM:
		expect_result(g, op, expected_program(g, mdev, index),
			      guest_do(vm, GUEST_PROGRAM, mdev, pasid));
		break;
	case OP_CLEAR:
		expect_result(g, op, expected_program(g, mdev, NO_INDEX),
			      guest_do(vm, GUEST_PROGRAM, mdev, INVALID_IOASID));
		break;
	case OP_START:
		expect_result(g, op, expected_start(g, mdev), guest_do(vm, GUEST_START, mdev, 0));
		break;
	case OP_STOP:
		g->running[mdev] = false;
		expect_result(g, op, 0, guest_do(vm, GUEST_STOP, mdev, 0));
		break;
	case OP_ENQCMD:
		expect_result(g, op, g->pasids[index].state == BOUND ? 0 : -EINVAL,
			      guest_do(vm, GUEST_ENQCMD, mdev, pasid));
		break;
	case OP_INVALIDATE:
		expect_result(g, op, g->pasids[index].state == BOUND ? 0 : -EINVAL,
			      guest_do(vm, GUEST_INVALIDATE, pasid, BUFFER));
		break;
	case OP_PAGE:
		do_page(g, index, mdev);
		break;
	case OP_PROCESS_EXIT:
		expect_result(g, op, expected_unbind(g, index),
			      guest_do(vm, GUEST_PROCESS_EXIT, pasid, 0));
		break;
	default:
		do_crash(g);
	}
}

static void step(struct expected_guest *g)
{
	do_operation(g, pick_operation(&player_of(g)->random));
	check_and_settle(g);
	player_of(g)->steps++;
}

static void *step_together(void *data)
{
	for (int i = 0; i < STEPS_TOGETHER; i++)
		step(data);
	return NULL;
}

static void steps_together(void)
{
	pthread_t threads[NR_GUESTS];

	together = true;
	for (int i = 0; i < NR_GUESTS; i++)
		if (pthread_create(&threads[i], NULL, step_together, &guests[i]))
			die("no thread");
	for (int i = 0; i < NR_GUESTS; i++)
		pthread_join(threads[i], NULL);
	together = false;
	check_dma(&host, guests);
	check_library(guests);
	check_caches(&host);
}

static void steps_apart(u64 *random)
{
	for (int i = 0; i < STEPS_APART; i++) {
		step(&guests[below(random, NR_GUESTS)]);
		check_library(guests);
		check_caches(&host);
	}
}

static void report(int seconds)
{
	struct player sum = { 0 };

	for (int i = 0; i < NR_GUESTS; i++) {
		sum.steps += players[i].steps;
		sum.refused += players[i].refused;
		sum.passed += players[i].passed;
		sum.blocked += players[i].blocked;
		for (int op = 0; op < NR_OPERATIONS; op++)
			sum.done[op] += players[i].done[op];
	}
	printf("random run: seed %lu, %d s, %lu steps of %d guests, apart and together\n", seed,
	       seconds, sum.steps, NR_GUESTS);
	for (int op = 0; op < NR_OPERATIONS; op++)
		printf("  %8lu  %s\n", sum.done[op], operations[op].name);
	printf("  %8lu  of them refused, as the contract says\n", sum.refused);
	printf("  %8llu  DMA requests of devices that passed, %llu that were blocked\n",
	       (unsigned long long)sum.passed, (unsigned long long)sum.blocked);
	printf("  %8lu  probes of a host PASID on a device, all as the contract says\n",
	       checked_dma());
	puts("  nothing left");
}

static u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How to get there again. */
static void say_where(void)
{
	if (running)
		fprintf(stderr,
			"guest-sva: in the random run with seed %lu, %s, steps %lu %lu %lu\n", seed,
			together ? "together" : "apart", players[0].steps, players[1].steps,
			players[2].steps);
}

/* Returns 0, or ends the process at the first disagreement. */
int random_run(int seconds, unsigned long chosen)
{
	u64 end = now_ms() + (u64)seconds * 1000, random = chosen;

	seed = chosen;
	running = true;
	atexit(say_where);
	host_create(&host);
	for (int i = 0; i < NR_GUESTS; i++) {
		players[i].random = chosen + i + 1;
		begin_guest(&guests[i], i + 1);
	}
	expect_base();
	while (now_ms() < end) {
		steps_apart(&random);
		steps_together();
	}
	for (int i = 0; i < NR_GUESTS; i++)
		end_guest(&guests[i]);
	check_caches(&host);
	host_destroy(&host);
	running = false;
	report(seconds);
	return 0;
}
