/* SPDX-License-Identifier: MIT */
/* Look-ups from a signal handler, after each single instruction of everything that changes something. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "support.h"

#include <linux/atomic.h>
#include <linux/ioasid-hooks.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

/* A look-up that waits for who it interrupted never ends. */
#define WATCHDOG_SECONDS 280

/* Single steps are a flag of this processor; TSan delays signals, and valgrind has its own one. */
#if defined(__x86_64__)
#define HAS_STEPS 1
#else
#define HAS_STEPS 0
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef HAS_STEPS
#define HAS_STEPS 0
#endif
#endif

#define NO_STEPS "no single steps: another architecture than x86-64, ThreadSanitizer or valgrind"

__attribute__((__unused__)) static bool may_step(void)
{
	return HAS_STEPS && !under_valgrind();
}

/* ---- what is looked up ---- */

/* A thing that is there all the time, whatever others come and go. */
struct stable {
	ioasid_t id, spid;
	struct ioasid_set *set;
	char data;
};

enum { FLAT, LINKED, CUSTOM, FAR, STABLE };

static struct stable things[STABLE];
static struct ioasid_set *own, *other;

/* What the writer plays with: it may be there or not, but is never anything else. */
static ioasid_t victim = INVALID_IOASID, victim_spid = INVALID_IOASID;
static char victim_data[2];
/* Its data is taken away. Without that it is never seen without: the data is there before the id, and longer. */
static bool may_be_empty;

static const char *wrong;
static unsigned long looks;

static bool accept(void *data)
{
	return data != NULL;
}

#define expect(truth) \
	do { \
		if (!(truth) && !wrong) \
			wrong = #truth; \
	} while (0)

static void look_at(const struct stable *thing)
{
	expect(ioasid_find(NULL, thing->id, NULL) == &thing->data);
	expect(ioasid_find(thing->set, thing->id, NULL) == &thing->data);
	expect(ioasid_find(thing->set, thing->id, accept) == &thing->data);
	expect(ioasid_find(other, thing->id, NULL) == ERR_PTR(-EACCES));
	expect(ioasid_get(thing->set, thing->id) == 0);
	expect(!ioasid_put(thing->set, thing->id));
	expect(ioasid_get(other, thing->id) == -EACCES);
	expect(!ioasid_put(other, thing->id));
	expect(ioasid_is_active(thing->id));
	expect(ioasid_is_in_set(thing->set, thing->id));
	expect(!ioasid_is_in_set(other, thing->id));
	expect(ioasid_find_set(thing->id) == thing->set);
	expect(ioasid_find_spid(thing->id) == thing->spid);
	if (!pasid_valid(thing->spid))
		return;
	expect(ioasid_find_by_spid_ref(thing->set, thing->spid, false) == thing->id);
	expect(ioasid_find_by_spid(thing->set, thing->spid) == thing->id);
	expect(!ioasid_put(thing->set, thing->id));
	expect(!pasid_valid(ioasid_find_by_spid(other, thing->spid)));
}

static void look_for_nothing(ioasid_t id)
{
	expect(ioasid_find(NULL, id, NULL) == ERR_PTR(-ENOENT));
	expect(ioasid_find(own, id, accept) == ERR_PTR(-ENOENT));
	expect(ioasid_get(own, id) == -EINVAL);
	expect(!ioasid_put(own, id));
	expect(!ioasid_is_active(id));
	expect(!ioasid_is_in_set(own, id));
	expect(ioasid_find_set(id) == ERR_PTR(-ENOENT));
	expect(!pasid_valid(ioasid_find_spid(id)));
}

static void look_at_victim(void)
{
	void *found = ioasid_find(NULL, victim, NULL);
	ioasid_t by_spid = ioasid_find_by_spid(own, victim_spid);

	expect(found == ERR_PTR(-ENOENT) || found == &victim_data[0] || found == &victim_data[1] ||
	       (!found && may_be_empty));
	expect(!pasid_valid(by_spid) || by_spid == victim);
	if (pasid_valid(by_spid))
		expect(!ioasid_put(own, by_spid));
	if (ioasid_get(NULL, victim) == 0)
		expect(!ioasid_put(NULL, victim));
	ioasid_is_active(victim);
	ioasid_is_in_set(own, victim);
	ioasid_find_set(victim);
	ioasid_find_spid(victim);
}

/* All of a crowd, which is there as long as it is not NULL: one of them is where an index changes. */
static struct ioasid_set *crowd;
static ioasid_t crowd_size, crowd_ids[1100];

static void look_at_crowd(void)
{
	for (ioasid_t i = 0; i < crowd_size; i++)
		expect(ioasid_find(crowd, crowd_ids[i], NULL) == &crowd_ids[i]);
	for (ioasid_t spid = 0; spid < crowd_size; spid++)
		expect(ioasid_find_by_spid_ref(crowd, spid, false) == crowd_ids[spid]);
}

/* A handler may have sections of its own, in whatever it interrupted. */
static void read_a_while(void)
{
	bool was_in = ioasid_rcu_read_lock_held(), might = ioasid_may_wait();

	ioasid_rcu_read_lock();
	rcu_read_lock();
	expect(ioasid_rcu_read_lock_held() && rcu_read_lock_held() && !ioasid_may_wait());
	rcu_read_unlock();
	ioasid_rcu_read_unlock();
	expect(ioasid_rcu_read_lock_held() == was_in && ioasid_may_wait() == might);
	expect(!was_in || !might);
	expect(ioasid_rcu_view()->readers != NULL);
}

/* Has a handler the right thread, and may it speak? */
static void look_at_itself(void)
{
	static struct ioasid_ratelimit_state often = { .interval_ms = 1000000,
						       .burst = 2000000000 };
	static struct ioasid_ratelimit_state never = { .interval_ms = 1000000 };
	const struct ioasid_refused refused = { .cause = "no",
						.function = "f",
						.set = -1,
						.id = 7,
						.min = INVALID_IOASID,
						.max = INVALID_IOASID,
						.spid = INVALID_IOASID,
						.owner = INVALID_IOASID,
						.asked = -1,
						.available = -1,
						.limit = -1 };
	struct ioasid_refused last;
	unsigned int number, life = 0, again = 0;
	char line[40];
	int level;

	number = ioasid_thread(&life);
	expect(number && number == ioasid_thread(&again) && life == again);
	expect(ioasid_ratelimit(&often) && !ioasid_ratelimit(&never) && ioasid_ratelimit(NULL));
	level = ioasid_set_log_level(3);
	expect(ioasid_set_log_level(level) == 3);
	expect(ioasid_strrefusal(&refused, line, sizeof(line)) == strlen("f: no: id 7"));
	expect(!strcmp(line, "f: no: id 7"));
	expect(!strcmp(ioasid_refusal_name(IOASID_REFUSED_NR), "unknown"));
	expect(ioasid_get_capacity() == 1 << 20);
	ioasid_last_refusal(&last);
	ioasid_fail_nth(0);
}

/* All of it takes several thousand instructions: one part a time. */
static void look(void)
{
	static const ioasid_t unknown[] = { 0xfffff, 0x100000, 0x7fffffff, 1 << 24 };

	switch (looks++ % 4) {
	case 0:
		look_at(&things[FLAT]);
		look_at(&things[CUSTOM]);
		break;
	case 1:
		look_at(&things[LINKED]);
		look_at(&things[FAR]);
		break;
	case 2:
		read_a_while();
		look_at_itself();
		break;
	default:
		look_for_nothing(unknown[looks / 4 % 4]);
		expect(!pasid_valid(ioasid_find_by_spid(own, 0x7654321)));
		expect(!pasid_valid(ioasid_find_by_spid((struct ioasid_set *)&looks, 1)));
		break;
	}
	if (pasid_valid(victim))
		look_at_victim();
	look_at_crowd();
}

/* ---- the stage ---- */

static ioasid_t next_custom = 1 << 25;

static ioasid_t custom_alloc(ioasid_t min, ioasid_t max, void *data)
{
	(void)data;
	return min == max ? min : next_custom++;
}

static void custom_free(ioasid_t id, void *data)
{
	(void)id, (void)data;
}

static struct ioasid_allocator_ops ops = { .alloc = custom_alloc, .free = custom_free };
static struct ioasid_allocator_ops sharing_ops = { .alloc = custom_alloc, .free = custom_free };

/*
 * There are two stages, since a custom allocator cannot come while the default one has ids: in the
 * first one ids of both kinds are there, in the second one all ids are a custom allocator's.
 */
static bool is_custom_stage;

/* One that goes in the first stage. */
static ioasid_t spare;

static void put_there(struct stable *thing, ioasid_t id, ioasid_t spid)
{
	*thing = (struct stable){ .id = id, .spid = spid, .set = own };
	assert_int_equal(ioasid_alloc(own, id, id, &thing->data), id);
	if (pasid_valid(spid))
		assert_int_equal(ioasid_attach_spid(id, spid), 0);
}

static void watch(int signal)
{
	static const char text[] = "a look-up waits for who it interrupted\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)signal, (void)written;
	_exit(1);
}

static int enter_stage(void **state)
{
	begin_test(state);
	signal(SIGALRM, watch);
	alarm(WATCHDOG_SECONDS);
	own = new_set(0);
	other = new_set(0);
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	put_there(&things[CUSTOM], 17, 1000);
	put_there(&things[FAR], 0xfff0000, INVALID_IOASID);
	spare = new_id(own, &victim_data[0]);
	if (!is_custom_stage)
		ioasid_unregister_allocator(&ops);
	put_there(&things[FLAT], 5, INVALID_IOASID);
	put_there(&things[LINKED], 400000, 2000);
	victim = victim_spid = INVALID_IOASID;
	may_be_empty = false;
	wrong = NULL;
	looks = 0;
	look_at(&things[LINKED]);
	assert_null(wrong);
	return 0;
}

static int enter(void **state)
{
	is_custom_stage = false;
	return enter_stage(state);
}

static int enter_custom(void **state)
{
	is_custom_stage = true;
	return enter_stage(state);
}

static int leave(void **state)
{
	ioasid_set_put(own);
	ioasid_set_put(other);
	if (is_custom_stage)
		ioasid_unregister_allocator(&ops);
	alarm(0);
	return end_test(state);
}

#define STAGE_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)
#define BOTH_STAGES_TEST(f) \
	STAGE_TEST(f), \
	cmocka_unit_test_setup_teardown(f, enter_custom, leave)

/* ---- who is interrupted ---- */

/* What is changed. A writer has what it needs before, and changes nothing for good. */
struct writer {
	const char *name;
	void (*prepare)(void);
	void (*write)(void);
	void (*undo)(void);
};

static struct ioasid_set *made;
static struct mm_struct token;

static void nothing(void)
{
}

static void make_victim(void)
{
	victim = new_id(own, &victim_data[0]);
}

static void drop_victim(void)
{
	ioasid_free(NULL, victim);
}

static void make_linked_victim(void)
{
	make_victim();
	victim_spid = 3000;
	assert_int_equal(ioasid_attach_spid(victim, victim_spid), 0);
}

static void alloc_it(void)
{
	victim = 6;
	expect(ioasid_alloc(own, 6, 6, &victim_data[0]) == 6);
}

static void alloc_elsewhere(void)
{
	victim = 700000;
	expect(ioasid_alloc(own, victim, victim, &victim_data[0]) == victim);
}

static void free_it(void)
{
	ioasid_free(own, victim);
}

static void put_it(void)
{
	ioasid_put(own, victim);
}

static void hold_victim(void)
{
	make_linked_victim();
	assert_int_equal(ioasid_get(own, victim), 0);
}

static void free_and_put(void)
{
	ioasid_free(own, victim);
	expect(ioasid_put(own, victim));
}

static void attach_it(void)
{
	victim_spid = 3000;
	expect(ioasid_attach_spid(victim, victim_spid) == 0);
}

static void move_it(void)
{
	victim_spid = 3001;
	expect(ioasid_attach_spid(victim, 3001) == 0);
	expect(ioasid_attach_spid(victim, 3000) == 0);
}

static void detach_it(void)
{
	expect(ioasid_detach_spid(victim) == 0);
}

static void replace_data(void)
{
	may_be_empty = true;
	expect(ioasid_attach_data(victim, &victim_data[1]) == 0);
	expect(ioasid_detach_data(victim) == 0);
}

static void make_a_set(void)
{
	made = ioasid_set_alloc(NULL, 10, IOASID_SET_TYPE_NULL);
}

static void make_an_mm_set(void)
{
	made = ioasid_set_alloc(&token, 0, IOASID_SET_TYPE_MM);
}

static void put_made(void)
{
	ioasid_set_put(made);
}

static void make_full_set(void)
{
	make_a_set();
	for (ioasid_t spid = 0; spid < 5; spid++)
		assert_int_equal(ioasid_attach_spid(new_id(made, NULL), spid), 0);
}

static void empty_made(void)
{
	ioasid_free_all_in_set(made);
}

static int hear_nothing(struct notifier_block *nb, unsigned long event, void *args)
{
	(void)nb, (void)event, (void)args;
	return NOTIFY_OK;
}

static struct notifier_block nb = { .notifier_call = hear_nothing };

static void subscribe(void)
{
	expect(ioasid_register_notifier(own, &nb) == 0);
	expect(ioasid_register_notifier(NULL, &nb) == 0);
}

static void unsubscribe(void)
{
	ioasid_unregister_notifier(own, &nb);
	ioasid_unregister_notifier(NULL, &nb);
}

static void subscribe_mm(void)
{
	expect(ioasid_register_notifier_mm(&token, &nb) == 0);
	ioasid_unregister_notifier_mm(&token, &nb);
}

static void subscribe_with_replay(void)
{
	expect(ioasid_register_notifier_replay(NULL, &nb) == 0);
	ioasid_unregister_notifier(NULL, &nb);
}

/* The life of an id with a subscriber. */
static void tell(void)
{
	ioasid_t id = ioasid_alloc(own, 8, 8, NULL);

	expect(ioasid_attach_spid(id, 3000) == 0);
	expect(ioasid_notify(id, IOASID_NOTIFY_UNBIND, IOASID_NOTIFY_SET) == 0);
	ioasid_free(own, id);
}

static void visit(ioasid_t id, void *data)
{
	(void)id, (void)data;
}

static void walk(void)
{
	expect(ioasid_set_for_each_ioasid(own, visit, NULL) == 0);
}

static FILE *null_file;

static void open_null(void)
{
	null_file = fopen("/dev/null", "w");
	assert_non_null(null_file);
}

static void close_null(void)
{
	fclose(null_file);
}

static void dump(void)
{
	expect(ioasid_dump(null_file) == 0);
}

static void share(void)
{
	expect(ioasid_register_allocator(&sharing_ops) == (is_custom_stage ? 0 : -EAGAIN));
	ioasid_unregister_allocator(&sharing_ops);
}

static void take_spare(void)
{
	victim = spare;
	victim_spid = 3000;
	assert_int_equal(ioasid_attach_spid(victim, victim_spid), 0);
}

static void replace_spare(void)
{
	if (is_custom_stage)
		spare = new_id(own, &victim_data[0]);
}

static void adjust(void)
{
	expect(ioasid_adjust_set(made, 20) == 0);
	ioasid_set_get(made);
	ioasid_set_put(made);
	expect(ioasid_reserve_capacity(5) == 5);
	ioasid_cancel_capacity(5);
}

static void read_figures(void)
{
	read_stats();
}

/* What is safe may be interrupted by itself. */
static void be_safe(void)
{
	read_a_while();
	look_at_itself();
}

/* Many others, so that an index has a bucket more with each, and less again. */

static ioasid_t crowd_id;

static void make_crowd(ioasid_t size)
{
	crowd = new_set(0);
	for (ioasid_t spid = 0; spid < size; spid++) {
		void *data = spid < 1100 ? &crowd_ids[spid] : NULL;

		crowd_id = new_id(crowd, data);
		if (data)
			crowd_ids[spid] = crowd_id;
		assert_int_equal(ioasid_attach_spid(crowd_id, spid), 0);
	}
}

/* With those of the stage there are as many as there are buckets at first. */
static void nearly_fill_the_first_buckets(void)
{
	make_crowd(1022);
	crowd_size = 1022;
}

static void nearly_fill_the_first_memory(void)
{
	make_crowd(16380);
}

static ioasid_t latest[3];

static void grow(void)
{
	for (ioasid_t i = 0; i < 3; i++) {
		latest[i] = ioasid_alloc(crowd, ANY, NULL);
		expect(ioasid_attach_spid(latest[i], 100000 + i) == 0);
	}
	for (ioasid_t i = 0; i < 3; i++)
		ioasid_free(crowd, latest[i]);
}

static void end_crowd(void)
{
	crowd_size = 0;
	ioasid_set_put(crowd);
}

/* The same for the index of custom ids. */
static void nearly_fill_custom_buckets(void)
{
	make_crowd(1019);
	crowd_size = 1019;
}

static void grow_custom(void)
{
	for (ioasid_t i = 0; i < 3; i++)
		latest[i] = ioasid_alloc(crowd, ANY, NULL);
	for (ioasid_t i = 0; i < 3; i++)
		ioasid_free(crowd, latest[i]);
}

/* All the SPIDs there are: the index is empty for a moment, and its memory goes back. */
static void take_spids_away(void)
{
	things[CUSTOM].spid = things[LINKED].spid = INVALID_IOASID;
	assert_int_equal(ioasid_detach_spid(things[CUSTOM].id), 0);
	assert_int_equal(ioasid_detach_spid(things[LINKED].id), 0);
	make_crowd(1500);
	for (ioasid_t spid = 1; spid < 1500; spid++)
		ioasid_detach_spid(ioasid_find_by_spid_ref(crowd, spid, false));
}

static void empty_the_index(void)
{
	expect(ioasid_detach_spid(ioasid_find_by_spid_ref(crowd, 0, false)) == 0);
	expect(ioasid_attach_spid(crowd_id, 1) == 0);
}

static void give_spids_back(void)
{
	ioasid_set_put(crowd);
	things[CUSTOM].spid = 1000;
	things[LINKED].spid = 2000;
	assert_int_equal(ioasid_attach_spid(things[CUSTOM].id, 1000), 0);
	assert_int_equal(ioasid_attach_spid(things[LINKED].id, 2000), 0);
}

__attribute__((__unused__)) static const struct writer writers[] = {
	{ "alloc", nothing, alloc_it, drop_victim },
	{ "alloc in another stretch", nothing, alloc_elsewhere, drop_victim },
	{ "free", make_victim, free_it, nothing },
	{ "free with SPID", make_linked_victim, free_it, nothing },
	{ "put of the last", make_linked_victim, put_it, nothing },
	{ "free, then put", hold_victim, free_and_put, nothing },
	{ "attach_spid", make_victim, attach_it, drop_victim },
	{ "attach_spid over another", make_linked_victim, move_it, drop_victim },
	{ "detach_spid", make_linked_victim, detach_it, drop_victim },
	{ "attach_data", make_victim, replace_data, drop_victim },
	{ "set_alloc", nothing, make_a_set, put_made },
	{ "set_alloc of an mm", nothing, make_an_mm_set, put_made },
	{ "set_put", make_a_set, put_made, nothing },
	{ "set_put with ids", make_full_set, put_made, nothing },
	{ "free_all_in_set", make_full_set, empty_made, put_made },
	{ "adjust_set and capacity", make_a_set, adjust, put_made },
	{ "register_notifier", nothing, subscribe, unsubscribe },
	{ "unregister_notifier", subscribe, unsubscribe, nothing },
	{ "register_notifier_mm", nothing, subscribe_mm, nothing },
	{ "register_notifier_replay", nothing, subscribe_with_replay, nothing },
	{ "events", subscribe, tell, unsubscribe },
	{ "for_each", nothing, walk, nothing },
	{ "dump", open_null, dump, close_null },
	{ "get_stats", nothing, read_figures, nothing },
	{ "what is safe itself", nothing, be_safe, nothing },
	{ "register_allocator", nothing, share, nothing },
	{ "custom free", take_spare, free_it, replace_spare },
	{ "1024 SPIDs", nearly_fill_the_first_buckets, grow, end_crowd },
	{ "16384 SPIDs", nearly_fill_the_first_memory, grow, end_crowd },
	{ "1024 custom ids", nearly_fill_custom_buckets, grow_custom, end_crowd },
	{ "the last SPID", take_spids_away, empty_the_index, give_spids_back },
};
#define WRITERS (sizeof(writers) / sizeof(writers[0]))

/* ---- single steps ---- */

#if HAS_STEPS

#define TRAP_FLAG 0x100

/* Checking builds look at everything now and then: no writer is followed for longer than this. */
#define MOST_STEPS 16000

/* There is a look after each step; after each seventh with AddressSanitizer, which takes four times as many. */
#define STRIDE (UNDER_ASAN ? 7 : 1)
static unsigned long steps;

static void begin_steps(void)
{
	steps = 0;
	__asm__ volatile(
		"lea -128(%%rsp), %%rsp; pushfq; orl %0, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
		:
		: "i"(TRAP_FLAG)
		: "memory", "cc");
}

static void end_steps(void)
{
	__asm__ volatile(
		"lea -128(%%rsp), %%rsp; pushfq; andl %0, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
		:
		: "i"(~TRAP_FLAG)
		: "memory", "cc");
}

static void stop_stepping(void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

static void after_each_step(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	if (steps % STRIDE == 0)
		look();
	if (++steps == MOST_STEPS)
		stop_stepping(context);
}

static void on_each_step(void (*handler)(int signal, siginfo_t *info, void *context))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	assert_int_equal(sigaction(SIGTRAP, &action, NULL), 0);
}

static void follow(const struct writer *writer)
{
	victim = victim_spid = INVALID_IOASID;
	may_be_empty = false;
	writer->prepare();
	begin_steps();
	writer->write();
	end_steps();
	if (steps < 100)
		fail_msg("%s: only %lu steps", writer->name, steps);
	if (wrong)
		fail_msg("%s: not so: %s", writer->name, wrong);
	if (getenv("IOASID_TEST_STEPS"))
		print_message("%s: %lu steps\n", writer->name, steps);
	writer->undo();
}

static void a_handler_finds_what_is_there_wherever_it_interrupts(void **state)
{
	(void)state;
	if (!may_step())
		skip_because(NO_STEPS);
	on_each_step(after_each_step);
	for (size_t i = 0; i < WRITERS; i++)
		follow(&writers[i]);
	signal(SIGTRAP, SIG_DFL);
}

/* Refusals are logged, by a sink that runs in the handler as well. */
static atomic_t lines;

static void count_line(void *data, int level, const char *line)
{
	(void)data, (void)level, (void)line;
	atomic_inc_return(&lines);
}

static void a_handler_may_be_refused_and_logged(void **state)
{
	(void)state;
	if (!may_step())
		skip_because(NO_STEPS);
	atomic_set(&lines, 0);
	assert_int_equal(ioasid_set_log(count_line, NULL), 0);
	ioasid_set_log_level(4);
	on_each_step(after_each_step);
	for (size_t i = 0; i < 5; i++)
		follow(&writers[i]);
	signal(SIGTRAP, SIG_DFL);
	ioasid_set_log_level(-1);
	assert_int_equal(ioasid_set_log(NULL, NULL), 0);
	assert_true(atomic_read(&lines) > 0);
}

/* ---- a thread that stands still ---- */

/* It stops after each step, until this thread has looked. */
static sem_t has_stopped, may_step_on;
static bool is_over;

static void stop_after_each_step(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	if (steps % STRIDE == 0) {
		sem_post(&has_stopped);
		sem_wait(&may_step_on);
	}
	if (++steps == MOST_STEPS / 8)
		stop_stepping(context);
}

static void *write_stepwise(void *writer)
{
	begin_steps();
	((const struct writer *)writer)->write();
	end_steps();
	is_over = true;
	sem_post(&has_stopped);
	return NULL;
}

static void look_beside(const struct writer *writer)
{
	pthread_t thread;

	victim = victim_spid = INVALID_IOASID;
	may_be_empty = false;
	is_over = false;
	sem_init(&has_stopped, 0, 0);
	sem_init(&may_step_on, 0, 0);
	writer->prepare();
	assert_int_equal(pthread_create(&thread, NULL, write_stepwise, (void *)writer), 0);
	for (;;) {
		sem_wait(&has_stopped);
		if (is_over)
			break;
		look();
		sem_post(&may_step_on);
	}
	pthread_join(thread, NULL);
	if (wrong)
		fail_msg("beside %s: not so: %s", writer->name, wrong);
	writer->undo();
}

static void a_thread_that_stands_still_is_not_waited_for(void **state)
{
	static const char *const names[] = {
		"alloc",       "free with SPID",	   "put of the last", "free, then put",
		"attach_spid", "attach_spid over another", "detach_spid",     "custom free",
		"1024 SPIDs",  "1024 custom ids",	   "the last SPID",   "set_put with ids",
	};

	(void)state;
	if (!may_step())
		skip_because(NO_STEPS);
	on_each_step(stop_after_each_step);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t j = 0; j < WRITERS; j++)
			if (!strcmp(names[i], writers[j].name))
				look_beside(&writers[j]);
	signal(SIGTRAP, SIG_DFL);
}

/* ---- a reader that is overtaken ---- */

/* The opposite: the look-up is interrupted, once, and much has changed when it goes on. */
static unsigned long interrupted_at;
static void (*overtake)(void);

static void overtake_once(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	if (++steps != interrupted_at)
		return;
	stop_stepping(context);
	overtake();
}

#define OTHERS 1024
static ioasid_t target, shift;

/* All others of the index get other places in it. */
static void move_others(void)
{
	shift += 2 * OTHERS;
	for (ioasid_t i = 0; i < OTHERS; i++) {
		if (i == target)
			continue;
		expect(ioasid_detach_spid(crowd_ids[i]) == 0);
		expect(ioasid_attach_spid(crowd_ids[i], shift + i) == 0);
	}
}

/* All get new ids, or records of such. */
static void replace_others(void)
{
	shift += 2 * OTHERS;
	for (ioasid_t i = 0; i < OTHERS; i++)
		if (i != target)
			ioasid_free(crowd, crowd_ids[i]);
	for (ioasid_t i = OTHERS; i--;) {
		if (i == target)
			continue;
		crowd_ids[i] = ioasid_alloc(crowd, ANY, NULL);
		expect(ioasid_attach_spid(crowd_ids[i], shift + i) == 0);
	}
}

/* Twice the buckets. The index shrinks again only when it is empty. */
static struct ioasid_set *more;

static void grow_more(void)
{
	for (ioasid_t i = 0; i < OTHERS; i++)
		expect(ioasid_attach_spid(ioasid_alloc(more, ANY, NULL), i) == 0);
}

static void count_steps(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	steps++;
}

static unsigned long steps_of(void (*look_up)(void))
{
	on_each_step(count_steps);
	begin_steps();
	look_up();
	end_steps();
	return steps;
}

static void find_target_by_spid(void)
{
	expect(ioasid_find_by_spid(crowd, target) == crowd_ids[target]);
	expect(!ioasid_put(crowd, crowd_ids[target]));
}

static void find_target(void)
{
	expect(ioasid_find(crowd, crowd_ids[target], NULL) == &crowd_ids[target]);
}

static void find_nothing(void)
{
	expect(ioasid_find(crowd, 0xff00000, NULL) == ERR_PTR(-ENOENT));
	expect(!pasid_valid(ioasid_find_by_spid(crowd, INVALID_IOASID - 1)));
}

/* What takes the most steps is behind others in its bucket. Some will do. */
static void choose_target(void (*look_up)(void))
{
	unsigned long most = 0;
	ioasid_t chosen = 0;

	for (target = 0; target < 64; target++) {
		if (steps_of(look_up) <= most)
			continue;
		most = steps;
		chosen = target;
	}
	target = chosen;
}

static void overtake_at(unsigned long step, void (*look_up)(void), void (*how)(void))
{
	interrupted_at = step;
	overtake = how;
	on_each_step(overtake_once);
	begin_steps();
	look_up();
	end_steps();
	if (wrong)
		fail_msg("overtaken at step %lu: not so: %s", step, wrong);
}

static void overtake_at_each_step(void (*look_up)(void))
{
	unsigned long last;

	make_crowd(OTHERS);
	choose_target(look_up);
	last = steps_of(look_up);
	/* Behind the look-up itself comes what is noted of a refusal: thousands of steps with a sanitizer. */
	for (unsigned long step = 1, n = 0; step <= last; n++) {
		overtake_at(step, look_up, n % 2 ? replace_others : move_others);
		step += step < 600 ? 2 : 1 + last / 100;
	}
	end_crowd();
	/* Growing needs a new index each time. */
	for (unsigned long step = last / 3; step <= last; step += last / 12 + 1) {
		make_crowd(OTHERS);
		more = new_set(0);
		choose_target(look_up);
		overtake_at(step, look_up, grow_more);
		ioasid_set_put(more);
		end_crowd();
	}
}

static void a_reader_that_is_overtaken_finds_what_is_there(void **state)
{
	(void)state;
	if (!may_step())
		skip_because(NO_STEPS);
	overtake_at_each_step(find_target_by_spid);
	overtake_at_each_step(find_nothing);
	if (is_custom_stage)
		overtake_at_each_step(find_target);
	signal(SIGTRAP, SIG_DFL);
}

#else

static void a_reader_that_is_overtaken_finds_what_is_there(void **state)
{
	(void)state;
	skip_because(NO_STEPS);
}

static void a_handler_finds_what_is_there_wherever_it_interrupts(void **state)
{
	(void)state;
	skip_because(NO_STEPS);
}

static void a_handler_may_be_refused_and_logged(void **state)
{
	(void)state;
	skip_because(NO_STEPS);
}

static void a_thread_that_stands_still_is_not_waited_for(void **state)
{
	(void)state;
	skip_because(NO_STEPS);
}

#endif

/* ---- readers in a hurry ---- */

static atomic_t stop;

/* SPIDs beyond the number of buckets and back to none of them, again and again. */
static void *come_and_go(void *unused)
{
	ioasid_t ids[64];

	while (!atomic_read(&stop)) {
		for (ioasid_t i = 0; i < 64; i++) {
			ids[i] = ioasid_alloc(crowd, ANY, NULL);
			ioasid_attach_spid(ids[i], 100000 + i);
		}
		for (ioasid_t i = 0; i < 64; i++)
			ioasid_free(crowd, ids[i]);
	}
	return unused;
}

static void every_look_up_counts_however_many_come_and_go(void **state)
{
	pthread_t threads[2];

	(void)state;
	make_crowd(loops(1000));
	atomic_set(&stop, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (unsigned int i = 0; i < loops(60000) && !wrong; i++)
		look();
	atomic_set(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (wrong)
		fail_msg("not so: %s", wrong);
	end_crowd();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_STAGES_TEST(a_handler_finds_what_is_there_wherever_it_interrupts),
		STAGE_TEST(a_handler_may_be_refused_and_logged),
		BOTH_STAGES_TEST(a_thread_that_stands_still_is_not_waited_for),
		BOTH_STAGES_TEST(a_reader_that_is_overtaken_finds_what_is_there),
		BOTH_STAGES_TEST(every_look_up_counts_however_many_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
