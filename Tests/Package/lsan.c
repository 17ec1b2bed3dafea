/* SPDX-License-Identifier: MIT */
/*
 * A program with LeakSanitizer and the library that ships: what a live id or set, a subscriber or an allocator
 * leads to is no leak. When that has ended it is: of which one, the argument says.
 */
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/ioasid.h>

#include "lsan.h"

#define IDS 5000

static struct ioasid_set *set;

static ioasid_t alloc_at_9(ioasid_t min, ioasid_t max, void *data)
{
	(void)data;
	return min <= 9 && 9 <= max ? 9 : INVALID_IOASID;
}

static void free_any(ioasid_t id, void *data)
{
	(void)id, (void)data;
}

static int ignore(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	return NOTIFY_OK;
}

/* Nothing of these stays in registers or on the stack. */
static __attribute__((noinline)) void begin_data(void)
{
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	for (ioasid_t id = 0; id < IDS; id++)
		if (ioasid_alloc(set, id, id, malloc(100)) != id)
			_exit(2);
}

static void end_data(void)
{
	ioasid_free(set, 7);
}

static __attribute__((noinline)) void begin_token(void)
{
	set = ioasid_set_alloc(malloc(50), 0, IOASID_SET_TYPE_NULL);
	if (ioasid_is_err(set))
		_exit(2);
}

static void end_token(void)
{
	ioasid_set_put(set);
}

static uintptr_t hidden; /* not a pointer to anything, as LeakSanitizer sees it */

static __attribute__((noinline)) void begin_block(void)
{
	struct notifier_block *nb = calloc(1, sizeof(*nb));

	nb->notifier_call = ignore;
	hidden = ~(uintptr_t)nb;
	if (ioasid_register_notifier(NULL, nb))
		_exit(2);
}

static __attribute__((noinline)) void end_block(void)
{
	ioasid_unregister_notifier(NULL, (struct notifier_block *)~hidden);
}

static __attribute__((noinline)) void begin_ops(void)
{
	struct ioasid_allocator_ops *ops = calloc(1, sizeof(*ops));

	ops->alloc = alloc_at_9;
	ops->free = free_any;
	ops->pdata = malloc(20);
	hidden = ~(uintptr_t)ops;
	if (ioasid_register_allocator(ops) || ioasid_alloc(NULL, 0, 100, NULL) != 9)
		_exit(2);
}

static __attribute__((noinline)) void end_ops(void)
{
	ioasid_free(NULL, 9);
	ioasid_unregister_allocator((struct ioasid_allocator_ops *)~hidden);
}

static const struct {
	const char *name;
	void (*begin)(void), (*end)(void);
} parts[] = {
	{ "data", begin_data, end_data },
	{ "token", begin_token, end_token },
	{ "block", begin_block, end_block },
	{ "ops", begin_ops, end_ops },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (argc != 2 || strcmp(argv[1], parts[i].name))
			continue;
		parts[i].begin();
		wipe();
		check(!__lsan_do_recoverable_leak_check(), "what is in use counts as leaked");
		parts[i].end();
		wipe();
		check(__lsan_do_recoverable_leak_check(),
		      "what was in use does not count as leaked");
		printf("%s in use is reachable, and not when that has ended\n", argv[1]);
		fflush(stdout);
		_exit(0); /* what was leaked on purpose is no news */
	}
	return 2;
}
