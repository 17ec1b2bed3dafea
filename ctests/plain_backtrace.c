/* SPDX-License-Identifier: MIT */
/* A backtrace that is taken in a callback goes through the library to who called it. */
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/ioasid-log.h>
#include <linux/ioasid.h>

/* Where the test returns to: a frame above those of the library. */
static void *caller;
static int reached, asked;

static void look(void)
{
	void *frames[128];
	int count = backtrace(frames, 128);

	asked++;
	for (int i = 0; i < count; i++) {
		if (frames[i] == caller) {
			reached++;
			return;
		}
	}
}

static int hear(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb;
	(void)event;
	(void)data;
	look();
	return NOTIFY_OK;
}

static bool getter(void *data)
{
	(void)data;
	look();
	return true;
}

static ioasid_t pick(ioasid_t min, ioasid_t max, void *data)
{
	(void)max;
	(void)data;
	look();
	return min;
}

static void give_back(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
	look();
}

static void visit(ioasid_t id, void *data)
{
	(void)id;
	(void)data;
	look();
}

static void sink(void *data, int level, const char *line)
{
	(void)data;
	(void)level;
	(void)line;
	look();
}

static void callbacks_know_who_called(void **state)
{
	struct notifier_block nb = { .notifier_call = hear };
	struct ioasid_allocator_ops ops = { .alloc = pick, .free = give_back };
	struct ioasid_set *set;
	ioasid_t id;

	(void)state;
	caller = __builtin_return_address(0);
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL); /* SET_ALLOC */
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	id = ioasid_alloc(set, 1, 9, NULL); /* ALLOC */
	ioasid_find(set, id, getter);
	ioasid_set_for_each_ioasid(set, visit, NULL);
	ioasid_attach_spid(id, 1); /* BIND */
	ioasid_free(set, id); /* UNBIND is not told; FREE twice */
	assert_int_equal(asked, 7);
	ioasid_unregister_notifier(NULL, &nb);
	ioasid_unregister_notifier(set, &nb);
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	id = ioasid_alloc(set, 1, 9, NULL);
	ioasid_put(set, id);
	ioasid_unregister_allocator(&ops);
	assert_int_equal(asked, 9);
	assert_int_equal(ioasid_set_log(sink, NULL), 0);
	ioasid_free(set, 77);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_int_equal(asked, 10);
	ioasid_set_put(set);
	assert_int_equal(reached, asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callbacks_know_who_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
