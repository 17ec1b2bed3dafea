/* SPDX-License-Identifier: MIT */
/* instructions OPERATION N: does one operation N times. scripts/instructions counts what that takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ioasid.h>

#define LIVE 1000
#define MAX ((1u << 20) - 1)

static struct ioasid_set *set;
static ioasid_t ids[LIVE];

static void fail(const char *what)
{
	fprintf(stderr, "instructions: %s\n", what);
	exit(1);
}

static ioasid_t spid_of(unsigned long i)
{
	return 1 + i % LIVE;
}

/* The caller's own part of every operation. */
static void nothing(unsigned long n)
{
	while (n--)
		__asm__ volatile("" : : "r"(ids[n % LIVE]));
}

static void alloc_free(unsigned long n)
{
	while (n--) {
		ioasid_t id = ioasid_alloc(set, 1, MAX, NULL);

		if (id == INVALID_IOASID)
			fail("no id");
		ioasid_free(set, id);
	}
}

static void find(unsigned long n)
{
	while (n--)
		if (!ioasid_find(set, ids[n % LIVE], NULL))
			fail("not found");
}

static void is_active(unsigned long n)
{
	while (n--)
		if (!ioasid_is_active(ids[n % LIVE]))
			fail("not active");
}

static void get_put(unsigned long n)
{
	while (n--) {
		if (ioasid_get(set, ids[n % LIVE]))
			fail("get refused");
		ioasid_put(set, ids[n % LIVE]);
	}
}

static void bind_all(void)
{
	for (unsigned long i = 0; i < LIVE; i++)
		if (ioasid_attach_spid(ids[i], spid_of(i)))
			fail("no SPID");
}

static void spid_put(unsigned long n)
{
	while (n--) {
		ioasid_t id = ioasid_find_by_spid(set, spid_of(n));

		if (id != ids[n % LIVE])
			fail("not found by its SPID");
		ioasid_put(set, id);
	}
}

/* With the other ids bound: one in LIVE has none at a time. */
static void spid_attach(unsigned long n)
{
	while (n--) {
		if (ioasid_detach_spid(ids[n % LIVE]))
			fail("detach refused");
		if (ioasid_attach_spid(ids[n % LIVE], spid_of(n)))
			fail("attach refused");
	}
}

static void set_alloc_put(unsigned long n)
{
	static char token;

	while (n--) {
		struct ioasid_set *other = ioasid_set_alloc(&token, 10, IOASID_SET_TYPE_NULL);

		if (!other || ioasid_is_err(other))
			fail("no set");
		ioasid_set_put(other);
	}
}

static unsigned long heard;

static int hear(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	heard++;
	return NOTIFY_OK;
}

static void subscribe(int count)
{
	static struct notifier_block blocks[4];

	for (int i = 0; i < count; i++) {
		blocks[i].notifier_call = hear;
		blocks[i].priority = i;
		if (ioasid_register_notifier(set, &blocks[i]))
			fail("no subscription");
	}
}

static void one_subscriber(void)
{
	subscribe(1);
}

static void four_subscribers(void)
{
	subscribe(4);
}

/* Two events: only a change is told. */
static void bind_unbind(unsigned long n)
{
	const unsigned long before = heard, events = 2 * n;

	while (n--) {
		const ioasid_t id = ids[n % LIVE];

		if (ioasid_notify(id, IOASID_NOTIFY_BIND, IOASID_NOTIFY_FLAG_SET) ||
		    ioasid_notify(id, IOASID_NOTIFY_UNBIND, IOASID_NOTIFY_FLAG_SET))
			fail("notify refused");
	}
	if (heard - before < events)
		fail("not all events were heard");
}

static const struct operation {
	const char *name;
	void (*run)(unsigned long n);
	void (*prepare)(void);
} operations[] = {
	{ "nothing", nothing, NULL },
	{ "alloc+free", alloc_free, NULL },
	{ "find", find, NULL },
	{ "is_active", is_active, NULL },
	{ "get+put", get_put, NULL },
	{ "find_by_spid+put", spid_put, bind_all },
	{ "detach+attach_spid", spid_attach, bind_all },
	{ "set_alloc+put", set_alloc_put, NULL },
	{ "bind+unbind-to-1", bind_unbind, one_subscriber },
	{ "bind+unbind-to-4", bind_unbind, four_subscribers },
};

int main(int argc, char **argv)
{
	static char token, data;
	const size_t count = sizeof(operations) / sizeof(operations[0]);
	const struct operation *operation = NULL;

	if (argc == 1) {
		for (size_t i = 0; i < count; i++)
			puts(operations[i].name);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		if (!strcmp(operations[i].name, argv[1]))
			operation = &operations[i];
	if (!operation || argc != 3)
		fail("usage: instructions [OPERATION N]");

	set = ioasid_set_alloc(&token, 2 * LIVE, IOASID_SET_TYPE_NULL);
	if (!set || ioasid_is_err(set))
		fail("no set");
	for (unsigned long i = 0; i < LIVE; i++) {
		ids[i] = ioasid_alloc(set, 1, MAX, &data);
		if (ids[i] == INVALID_IOASID)
			fail("no id");
	}
	if (operation->prepare)
		operation->prepare();
	operation->run(strtoul(argv[2], NULL, 0));
	return 0;
}
