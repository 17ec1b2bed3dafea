/* SPDX-License-Identifier: MIT */
/*
 * kernel_api LIBRARY CALLS SEED: random calls of a client of IOASID_API 518, made to libioasid and to the
 * kernel 6.1's own allocator side by side; every answer must be the same.
 *
 * Left out are calls that break the kernel's allocator (docs/porting.md has them): an id from 2^20 on, a max of
 * INVALID_IOASID, an allocator registered twice while others share with it, one that goes with ids out. Nor is
 * a custom allocator asked for an empty range, which libioasid refuses itself.
 */
#define IOASID_API 518
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/ioasid-log.h>
#include <linux/ioasid.h>

/* The functions of one side. */
struct side {
	ioasid_t (*alloc)(struct ioasid_set *, ioasid_t, ioasid_t, void *);
	void (*free)(ioasid_t);
	void *(*find)(struct ioasid_set *, ioasid_t, bool (*)(void *));
	int (*set_data)(ioasid_t, void *);
	int (*add)(struct ioasid_allocator_ops *);
	void (*remove)(struct ioasid_allocator_ops *);
};

#define IDS 300
#define SETS 4
#define ALLOCATORS 5

/* A custom allocator: first fit, in numbers of its own, which its sharers use too. */
struct numbers {
	ioasid_t from;
	bool out[64];
	unsigned int calls;
};

static struct ioasid_set sets[SETS];
static int data[16];
static struct numbers numbers[2][2] = { { { 0, { 0 }, 0 }, { 1000, { 0 }, 0 } },
					{ { 0, { 0 }, 0 }, { 1000, { 0 }, 0 } } };
static bool is_live[IDS + 64 + 1000];
static unsigned int live, registered;
static unsigned long allocated, custom, found;
static uint64_t state;

static uint32_t below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % limit;
}

/* Every third call has none, and every fifth an id that is outside of what was asked. */
static ioasid_t take(ioasid_t min, ioasid_t max, struct numbers *numbers)
{
	numbers->calls++;
	if (numbers->calls % 3 == 0)
		return INVALID_IOASID;
	for (ioasid_t i = 0; i < 64; i++) {
		ioasid_t id = numbers->from + i;

		if (!numbers->out[i] && id >= min && id <= max) {
			numbers->out[i] = true;
			return id;
		}
	}
	return INVALID_IOASID;
}

static void give(ioasid_t id, struct numbers *numbers)
{
	numbers->out[id - numbers->from] = false;
}

static ioasid_t first_alloc(ioasid_t min, ioasid_t max, void *pdata)
{
	return take(min, max, pdata);
}

static void first_free(ioasid_t id, void *pdata)
{
	give(id, pdata);
}

static ioasid_t second_alloc(ioasid_t min, ioasid_t max, void *pdata)
{
	return take(min, max, pdata);
}

static void second_free(ioasid_t id, void *pdata)
{
	give(id, pdata);
}

/* 0 to 2 share, 3 and 4 share. */
static struct ioasid_allocator_ops ops[2][ALLOCATORS];

static void prepare(void)
{
	for (int side = 0; side < 2; side++) {
		for (int i = 0; i < ALLOCATORS; i++) {
			ops[side][i].alloc = i < 3 ? first_alloc : second_alloc;
			ops[side][i].free = i < 3 ? first_free : second_free;
			ops[side][i].pdata = &numbers[side][i < 3 ? 0 : 1];
			INIT_LIST_HEAD(&ops[side][i].list);
		}
	}
}

static bool likes_even(void *what)
{
	return what && ((int *)what - data) % 2 == 0;
}

static _Noreturn void differ(unsigned long call, const char *what, long ours, long theirs)
{
	printf("FAIL: call %lu, %s: libioasid %ld, kernel 6.1 %ld\n", call, what, ours, theirs);
	exit(1);
}

static struct ioasid_set *any_set(void)
{
	uint32_t i = below(SETS + 1);

	return i < SETS ? &sets[i] : NULL;
}

static ioasid_t any_id(void)
{
	uint32_t i = below(20);

	if (i == 0)
		return below(2000);
	if (i == 1)
		return INVALID_IOASID - below(2);
	return registered ? below(2) * 1000 + below(64) : below(IDS);
}

static void allocate(const struct side *ours, const struct side *theirs, unsigned long call)
{
	ioasid_t min = any_id(), max = any_id(), one, other;
	struct ioasid_set *set = any_set();
	void *priv = &data[below(16)];

	if (min > 2000)
		min = 0;
	if (max > 2000)
		max = 2000;
	/* A custom allocator of the kernel is asked for an empty range, too. */
	if (registered && min > max)
		max = min;
	one = ours->alloc(set, min, max, priv);
	other = theirs->alloc(set, min, max, priv);
	if (one != other)
		differ(call, "alloc", one, other);
	if (one != INVALID_IOASID) {
		is_live[one] = true;
		live++;
		allocated++;
		custom += registered != 0;
	}
}

static void release(const struct side *ours, const struct side *theirs)
{
	ioasid_t id = any_id();

	ours->free(id);
	theirs->free(id);
	if (id < sizeof(is_live) && is_live[id]) {
		is_live[id] = false;
		live--;
	}
}

static void look(const struct side *ours, const struct side *theirs, unsigned long call)
{
	ioasid_t id = any_id();
	struct ioasid_set *set = any_set();
	bool (*getter)(void *) = below(3) ? NULL : likes_even;
	void *one = ours->find(set, id, getter), *other = theirs->find(set, id, getter);

	if (one != other)
		differ(call, "find", (long)one, (long)other);
	found += !IS_ERR(one);
}

static void replace(const struct side *ours, const struct side *theirs, unsigned long call)
{
	ioasid_t id = any_id();
	void *priv = below(4) ? &data[below(16)] : NULL;
	int one = ours->set_data(id, priv), other = theirs->set_data(id, priv);

	if (one != other)
		differ(call, "set_data", one, other);
}

/* Registering what is there, and what goes with ids out, only where the kernel survives it. */
static void change_allocators(const struct side *ours, const struct side *theirs,
			      unsigned long call)
{
	static uint32_t founder[2];
	uint32_t i = below(ALLOCATORS), group = i < 3 ? 0 : 1;
	bool has_sharers = registered & (group ? 24u : 7u);

	/* The kernel keeps the first of a group in its place when it has gone: it cannot come back. */
	if (has_sharers && !(registered & (1u << i)) && i == founder[group])
		return;
	if (registered & (1u << i)) {
		if (live)
			return;
		ours->remove(&ops[0][i]);
		theirs->remove(&ops[1][i]);
		registered &= ~(1u << i);
	} else {
		int one = ours->add(&ops[0][i]), other = theirs->add(&ops[1][i]);

		if (one != other)
			differ(call, "register", one, other);
		if (!one && !has_sharers)
			founder[group] = i;
		if (!one)
			registered |= 1u << i;
	}
}

/* Now and then everything is freed: only then can allocators come first, and go. */
static void free_all(const struct side *ours, const struct side *theirs, unsigned long call)
{
	for (ioasid_t id = 0; id < sizeof(is_live); id++) {
		if (!is_live[id])
			continue;
		ours->free(id);
		theirs->free(id);
		is_live[id] = false;
	}
	live = 0;
	for (uint32_t changes = below(5); changes; changes--)
		change_allocators(ours, theirs, call);
}

static void *of(void *library, const char *name)
{
	void *function = dlsym(library, name);

	if (!function) {
		printf("FAIL: %s\n", dlerror());
		exit(1);
	}
	return function;
}

int main(int argc, char **argv)
{
	struct side ours = { ioasid_alloc,
			     ioasid_free,
			     ioasid_find,
			     ioasid_set_data,
			     ioasid_register_allocator,
			     ioasid_unregister_allocator };
	struct side theirs;
	unsigned long calls, done[8] = { 0 };
	void *kernel;

	if (argc != 4)
		return 2;
	kernel = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (!kernel) {
		printf("FAIL: %s\n", dlerror());
		return 1;
	}
	*(void **)&theirs.alloc = of(kernel, "ioasid_alloc");
	*(void **)&theirs.free = of(kernel, "ioasid_free");
	*(void **)&theirs.find = of(kernel, "ioasid_find");
	*(void **)&theirs.set_data = of(kernel, "ioasid_set_data");
	*(void **)&theirs.add = of(kernel, "ioasid_register_allocator");
	*(void **)&theirs.remove = of(kernel, "ioasid_unregister_allocator");
	if (theirs.alloc == ours.alloc || theirs.find == ours.find) {
		printf("FAIL: the kernel's functions are not its own\n");
		return 1;
	}
	calls = strtoul(argv[2], NULL, 0);
	state = strtoull(argv[3], NULL, 0) * 2654435761u + 88172645463325252ull;
	ioasid_set_log_level(-1);
	prepare();
	for (unsigned long call = 0; call < calls; call++) {
		uint32_t what = below(1000);

		if (what < 400)
			allocate(&ours, &theirs, call), done[0]++;
		else if (what < 700)
			release(&ours, &theirs), done[1]++;
		else if (what < 950)
			look(&ours, &theirs, call), done[2]++;
		else if (what < 970)
			replace(&ours, &theirs, call), done[3]++;
		else if (what < 998)
			change_allocators(&ours, &theirs, call), done[4]++;
		else
			free_all(&ours, &theirs, call), done[5]++;
	}
	printf("%lu calls, no difference: %lu alloc (%lu got one, %lu of a custom allocator), %lu free, "
	       "%lu find (%lu found), %lu set_data, %lu register, %lu times all freed\n",
	       calls, done[0], allocated, custom, done[1], done[2], found, done[3], done[4],
	       done[5]);
	return 0;
}
