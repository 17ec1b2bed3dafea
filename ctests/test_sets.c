/* SPDX-License-Identifier: MIT */
/* Sets: creation, tokens, references, and what is left when one dies. */
#include <linux/sched/mm.h>

#include "listener.h"

static void public_fields_are_live(void **state)
{
	char token;
	struct ioasid_set *set = ioasid_set_alloc(&token, 5, IOASID_SET_TYPE_NULL);
	ioasid_t id;

	(void)state;
	assert_ptr_equal(set->token, &token);
	assert_int_equal(set->type, IOASID_SET_TYPE_NULL);
	assert_int_equal(set->quota, 5);
	assert_int_equal(set->nr_ioasids, 0);
	assert_int_equal(set->sid, set->id);
	id = new_id(set, NULL);
	assert_int_equal(set->nr_ioasids, 1);
	assert_int_equal(ioasid_adjust_set(set, 7), 0);
	assert_int_equal(set->quota, 7);
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_int_equal(set->nr_ioasids, 1);
	assert_true(ioasid_put(set, id));
	assert_int_equal(set->nr_ioasids, 0);
	ioasid_set_put(set);
}

static void refuse(void *token, ioasid_t quota, int type, int err)
{
	struct ioasid_stats before = read_stats(), after;

	assert_int_equal(PTR_ERR(ioasid_set_alloc(token, quota, type)), err);
	after = read_stats();
	assert_true(same_state(&before, &after));
}

/* D49: v2 took an MM set without an mm. */
static void unknown_types_and_null_mm_tokens_are_refused(void **state)
{
	char token;

	(void)state;
	refuse(&token, 0, 0, -EINVAL);
	refuse(&token, 0, IOASID_SET_TYPE_NR, -EINVAL);
	refuse(&token, 0, -1, -EINVAL);
	refuse(NULL, 0, IOASID_SET_TYPE_MM, -EINVAL);
	assert_null(ioasid_find_mm_set(NULL));
}

/* D50: documents promised any token for TYPE_NULL, code took only NULL. */
static void type_null_takes_any_token_and_many_without(void **state)
{
	void *odd = (void *)1, *wild = (void *)-1;
	struct ioasid_set *one = ioasid_set_alloc(odd, 0, IOASID_SET_TYPE_NULL);
	struct ioasid_set *two = ioasid_set_alloc(wild, 0, IOASID_SET_TYPE_NULL);
	struct ioasid_set *three = new_set(0), *four = new_set(0);

	(void)state;
	assert_false(IS_ERR(one));
	assert_false(IS_ERR(two));
	assert_ptr_not_equal(three, four);
	ioasid_set_put(one);
	ioasid_set_put(two);
	ioasid_set_put(three);
	ioasid_set_put(four);
}

static void tokens_are_unique_within_their_type(void **state)
{
	char token;
	struct ioasid_set *set = ioasid_set_alloc(&token, 0, IOASID_SET_TYPE_NULL);
	struct ioasid_set *mm_set = ioasid_set_alloc(&token, 0, IOASID_SET_TYPE_MM);

	(void)state;
	assert_false(IS_ERR(set));
	assert_false(IS_ERR(mm_set));
	refuse(&token, 0, IOASID_SET_TYPE_NULL, -EEXIST);
	refuse(&token, 0, IOASID_SET_TYPE_MM, -EEXIST);
	/* D24: found by the token, of this type only. */
	assert_ptr_equal(ioasid_find_mm_set((struct mm_struct *)&token), mm_set);
	ioasid_set_put(mm_set);
	assert_null(ioasid_find_mm_set((struct mm_struct *)&token));
	mm_set = ioasid_set_alloc(&token, 0, IOASID_SET_TYPE_MM);
	assert_false(IS_ERR(mm_set));
	ioasid_set_put(mm_set);
	ioasid_set_put(set);
}

/* D7: a token that is not pinned may come back as somebody else's address space. */
static void mm_is_pinned_while_its_set_lives(void **state)
{
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);

	(void)state;
	assert_false(IS_ERR(set));
	assert_int_equal(atomic_read(&mm->mm_count), 2);
	mmput(mm);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	for (int i = 0; i < 1000; i++) {
		struct mm_struct *other = mm_alloc();

		assert_ptr_not_equal(other, mm);
		mmput(other);
	}
	assert_ptr_equal(ioasid_find_mm_set(mm), set);
	ioasid_set_put(set);
	assert_int_equal(atomic_read(&mm->mm_count), 0);
}

static void set_lives_until_its_last_reference(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	ioasid_set_get(set);
	ioasid_set_get_locked(set);
	ioasid_set_put(set);
	ioasid_set_put_locked(set);
	assert_true(ioasid_is_active(id));
	ioasid_set_put(set);
	assert_int_equal(read_stats().live, 0);
	assert_int_equal(read_stats().sets, 0);
}

/* D43: V4 destroyed the set with its last id, under the feet of its owner. */
static void set_survives_its_last_id(void **state)
{
	struct ioasid_set *set = new_set(3);

	(void)state;
	for (int i = 0; i < 3; i++) {
		free_id(new_id(set, NULL));
		assert_int_equal(read_stats().sets, 1);
		assert_int_equal(set->nr_ioasids, 0);
	}
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_alloc(set, 9, 9, NULL), 9);
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_set_free(set), 0);
}

/* D71: ids that others still hold do not keep the creator from giving the set up. */
static void set_free_leaves_pending_ids_to_their_holders(void **state)
{
	struct ioasid_set *set = new_set(5);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get(set, id), 0);
	ioasid_free(set, id);
	assert_int_equal(ioasid_set_free(set), 0);
	assert_int_equal(read_stats().dying, 1);
	assert_ptr_equal(ioasid_find_set(id), set);
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_true(ioasid_put(set, id));
	assert_int_equal(read_stats().dying, 0);
}

static void set_free_needs_no_active_id_and_works_once(void **state)
{
	struct ioasid_set *set = new_set(0);
	ioasid_t id = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_get(set, id), 0);
	assert_int_equal(ioasid_set_free(set), -EBUSY);
	ioasid_put(set, id);
	ioasid_free(set, id);
	ioasid_set_get(set);
	assert_int_equal(ioasid_set_free(set), 0);
	/* The creator's reference is dropped already; the other one is not his. */
	assert_int_equal(ioasid_set_free(set), -EINVAL);
	assert_int_equal(read_stats().sets, 1);
	ioasid_set_put(set);
	assert_int_equal(ioasid_set_free(set), -EINVAL);
}

/*
 * D41, D42, D45: ids that others hold kept a pointer to the freed set, put through it, and hit
 * whatever set had its number by then.
 */
static void ids_of_a_dead_set_stay_valid_for_their_holders(void **state)
{
	char token, data;
	struct ioasid_set *set = ioasid_set_alloc(&token, 10, IOASID_SET_TYPE_NULL), *next;
	ioasid_t held = new_id(set, &data), kin;
	struct ioasid_stats stats;

	(void)state;
	new_id(set, NULL);
	assert_int_equal(ioasid_get(set, held), 0);
	ioasid_set_put(set);
	stats = read_stats();
	assert_int_equal(stats.live, 1);
	assert_int_equal(stats.sets, 0);
	assert_int_equal(stats.dying, 1);
	assert_ptr_equal(ioasid_find(set, held, NULL), &data);
	assert_int_equal(ioasid_get(set, held), -EBUSY);

	/* The token is free at once, and the new set is another one. */
	next = ioasid_set_alloc(&token, 10, IOASID_SET_TYPE_NULL);
	assert_false(IS_ERR(next));
	assert_ptr_not_equal(next, set);
	kin = new_id(next, NULL);
	assert_false(ioasid_put(next, held));
	assert_true(ioasid_put(set, held));
	assert_int_equal(next->nr_ioasids, 1);
	assert_true(ioasid_is_active(kin));
	assert_int_equal(read_stats().dying, 0);
	ioasid_set_put(next);
}

/* D21: sets were checked by the number they say they have, after following the pointer. */
static void dead_sets_are_refused_everywhere(void **state)
{
	struct ioasid_set *set = new_set(0), *other = new_set(0);
	struct ioasid_stats before, after;

	(void)state;
	ioasid_set_put(set);
	before = read_stats();
	assert_int_equal(ioasid_alloc(set, ANY, NULL), INVALID_IOASID);
	assert_int_equal(ioasid_adjust_set(set, 10), -EINVAL);
	assert_int_equal(ioasid_set_free(set), -EINVAL);
	assert_int_equal(ioasid_find_by_spid(set, 1), INVALID_IOASID);
	ioasid_set_get(set);
	ioasid_set_put(set);
	ioasid_free_all_in_set(set);
	after = read_stats();
	assert_true(same_state(&before, &after));
	assert_int_equal(after.refused[IOASID_REFUSED_SET], before.refused[IOASID_REFUSED_SET] + 7);
	ioasid_set_put(other);
}

static void other_sets_are_untouched_by_a_death(void **state)
{
	struct ioasid_set *dies = new_set(5), *stays = new_set(5);
	ioasid_t id = new_id(stays, NULL), system = new_id(NULL, NULL);

	(void)state;
	new_id(dies, NULL);
	assert_int_equal(ioasid_attach_spid(id, 1), 0);
	assert_int_equal(ioasid_attach_spid(new_id(dies, NULL), 1), 0);
	ioasid_set_put(dies);
	assert_int_equal(ioasid_find_by_spid(stays, 1), id);
	assert_false(ioasid_put(stays, id));
	assert_int_equal(stays->nr_ioasids, 1);
	assert_true(ioasid_is_active(system));
	assert_int_equal(read_stats().live, 2);
	ioasid_set_put(stays);
	free_id(system);
}

static void visit(ioasid_t id, void *visited)
{
	*(ioasid_t *)visited = id;
}

/* D56: V4 took ids out of the set while references were left, and tested outside the lock. */
static void free_all_in_set_keeps_held_ids_in_the_set(void **state)
{
	struct ioasid_set *set = new_set(10);
	ioasid_t held = new_id(set, NULL), visited = INVALID_IOASID;

	(void)state;
	new_id(set, NULL);
	new_id(set, NULL);
	assert_int_equal(ioasid_get(set, held), 0);
	ioasid_free_all_in_set(set);
	assert_int_equal(set->nr_ioasids, 1);
	assert_int_equal(ioasid_set_for_each_ioasid(set, visit, &visited), 0);
	assert_int_equal(visited, held);
	/* D60: again does not touch the holder's reference. */
	ioasid_free_all_in_set(set);
	assert_int_equal(read_stats().live, 1);
	assert_true(ioasid_put(set, held));
	ioasid_free_all_in_set(set);
	assert_int_equal(ioasid_set_free(set), 0);
}

static int allocate_again(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event == IOASID_NOTIFY_FREE)
		ioasid_alloc(args->set, 100, 200, NULL);
	return NOTIFY_OK;
}

static void free_all_in_set_ends_though_a_handler_allocates(void **state)
{
	struct notifier_block nb = { .notifier_call = allocate_again };
	struct ioasid_set *set = new_set(0);
	ioasid_t first = new_id(set, NULL), second = new_id(set, NULL);

	(void)state;
	assert_int_equal(ioasid_register_notifier(set, &nb), 0);
	ioasid_free_all_in_set(set);
	assert_false(ioasid_is_active(first));
	assert_false(ioasid_is_active(second));
	assert_int_equal(set->nr_ioasids, 2);
	/* A set that dies has no more to give. */
	ioasid_set_put(set);
	assert_int_equal(read_stats().live, 0);
}

static struct ioasid_set *dying;

static int resurrect(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event != IOASID_NOTIFY_SET_FREE && event != IOASID_NOTIFY_FREE)
		return NOTIFY_OK;
	assert_ptr_equal(args->set, dying);
	ioasid_set_get(dying);
	ioasid_set_put(dying);
	assert_int_equal(ioasid_set_free(dying), -EINVAL);
	assert_int_equal(ioasid_alloc(dying, ANY, NULL), INVALID_IOASID);
	ioasid_free_all_in_set(dying);
	return NOTIFY_OK;
}

/* D53: the set still looked alive to SET_FREE's handlers, who could take it up again. */
static void a_dying_set_cannot_be_brought_back(void **state)
{
	struct notifier_block nb = { .notifier_call = resurrect };

	(void)state;
	dying = new_set(0);
	new_id(dying, NULL);
	new_id(dying, NULL);
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	ioasid_set_put(dying);
	ioasid_unregister_notifier(NULL, &nb);
	assert_int_equal(read_stats().live, 0);
}

static struct ioasid_set *announced;

static int use_new_set(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event != IOASID_NOTIFY_SET_ALLOC)
		return NOTIFY_OK;
	announced = args->set;
	assert_int_equal(ioasid_find_by_spid(args->set, 1), INVALID_IOASID);
	assert_int_equal(ioasid_alloc(args->set, 77, 77, NULL), 77);
	assert_int_equal(ioasid_attach_spid(77, 1), 0);
	return NOTIFY_OK;
}

/* D51: v2 told of a set before it had been initialised. */
static void a_set_is_ready_when_it_is_announced(void **state)
{
	struct notifier_block nb = { .notifier_call = use_new_set };
	struct ioasid_set *set;

	(void)state;
	assert_int_equal(ioasid_register_notifier(NULL, &nb), 0);
	set = new_set(1);
	assert_ptr_equal(announced, set);
	assert_int_equal(ioasid_find_by_spid_ref(set, 1, false), 77);
	ioasid_unregister_notifier(NULL, &nb);
	ioasid_set_put(set);
}

static void get_if_owned_asks_whose_address_space_it_is(void **state)
{
	struct mm_struct *mine = current->mm, *mm = mm_alloc();
	struct ioasid_set *set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM), *null = new_set(0);
	ioasid_t id = new_id(set, NULL), other = new_id(null, NULL);

	(void)state;
	assert_int_equal(ioasid_get_if_owned(INVALID_IOASID), -ENOENT);
	assert_int_equal(ioasid_get_if_owned(other), -EINVAL);
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	current->mm = NULL;
	assert_int_equal(ioasid_get_if_owned(id), -EPERM);
	current->mm = mm;
	assert_int_equal(ioasid_get_if_owned(id), 0);
	ioasid_free(set, id);
	assert_int_equal(ioasid_get_if_owned(id), -EBUSY);
	current->mm = mine;
	assert_true(ioasid_put(set, id));
	ioasid_set_put(set);
	ioasid_set_put(null);
	mmput(mm);
}

/* A set that ends in a sweep of it: what comes after it in its place is nobody's to sweep. */

static struct ioasid_set *swept;
static unsigned int others_made;

static void end_swept(struct listener *self, enum ioasid_notify_val event,
		      const struct ioasid_nb_args *args)
{
	(void)self, (void)args;
	if (event == IOASID_NOTIFY_FREE && swept) {
		struct ioasid_set *set = swept;

		swept = NULL;
		ioasid_set_put(set);
	}
}

static ioasid_t count_from_zero(ioasid_t min, ioasid_t max, void *data)
{
	static ioasid_t next;

	(void)min, (void)max, (void)data;
	return next++;
}

/* Its records come and go, so that the memory of the set that is gone goes back. */
static void make_others(ioasid_t id, void *data)
{
	(void)data;
	for (int i = 0; id == 1 && i < 8; i++, others_made++)
		ioasid_set_put(new_set(0));
}

static void a_sweep_ends_with_its_set(void **state)
{
	static struct ioasid_set *sets[1100];
	struct ioasid_allocator_ops ops = { .alloc = count_from_zero, .free = make_others };
	struct listener ender = LISTENER(NULL, 0, .act = end_swept);
	struct ioasid_set *other = new_set(0), *of;

	(void)state;
	assert_int_equal(ioasid_register_allocator(&ops), 0);
	assert_int_equal(new_id(other, NULL), 0);
	/* Alone in its stretch of records. */
	for (int i = 0; i < 1100; i++)
		sets[i] = new_set(0);
	swept = of = sets[1023];
	for (int i = 0; i < 1100; i++)
		if (sets[i] != of)
			ioasid_set_put(sets[i]);
	listen(of, &ender);
	for (int i = 0; i < 3; i++)
		new_id(of, NULL);
	ioasid_free_all_in_set(of);
	assert_int_equal(others_made, 8);
	assert_true(ioasid_is_active(0));
	assert_int_equal(read_stats().live, 1);
	ioasid_set_put(other);
	ioasid_unregister_allocator(&ops);
}

/* A set that its SET_ALLOC handler ended is not handed out, though another has its number by then. */

static struct ioasid_set *replacement;

static void replace_new_set(struct listener *self, enum ioasid_notify_val event,
			    const struct ioasid_nb_args *args)
{
	(void)self;
	if (event != IOASID_NOTIFY_SET_ALLOC || replacement)
		return;
	replacement = args->set;
	ioasid_set_put(args->set);
	replacement = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
}

static void assert_not_handed_out(void)
{
	struct listener replacer = LISTENER(NULL, 0, .act = replace_new_set);

	listen(NULL, &replacer);
	assert_int_equal(PTR_ERR(ioasid_set_alloc(NULL, 5, IOASID_SET_TYPE_NULL)), -EINVAL);
	leave(NULL, &replacer);
	assert_false(IS_ERR(replacement));
	ioasid_set_put(replacement);
}

/* D47: the room for set numbers shrank with the capacity that was left. */
static void as_many_sets_as_there_are_numbers(void **state)
{
	enum { NUMBERS = 1 << 18 };
	static struct ioasid_set *sets[NUMBERS];
	uint64_t refusals = refused(IOASID_REFUSED_CAPACITY);
	int made = 0;

	(void)state;
	if (loops(NUMBERS) != NUMBERS)
		skip();
	while (made < NUMBERS &&
	       !IS_ERR(sets[made] = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL)))
		made++;
	/* One is the system set; declared ones may exist. */
	assert_true(made >= NUMBERS - 10 && made < NUMBERS);
	assert_int_equal(PTR_ERR(sets[made]), -ENOSPC);
	assert_int_equal(refused(IOASID_REFUSED_CAPACITY), refusals + 1);
	ioasid_set_put(sets[--made]);
	assert_not_handed_out();
	while (made--)
		ioasid_set_put(sets[made]);
	assert_int_equal(read_stats().sets, 0);
	ioasid_set_put(new_set(0));
}

/* ---- a record that is another set's by now: where all numbers but one are in use ---- */

static struct ioasid_set *successor;

static int replace_while_freeing(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event != IOASID_NOTIFY_FREE || successor)
		return NOTIFY_OK;
	successor = args->set;
	assert_int_equal(ioasid_put_locked(args->set, args->id), true);
	ioasid_set_put(args->set);
	assert_ptr_equal(new_set(0), successor);
	assert_int_equal(ioasid_alloc(successor, 50, 50, NULL), 50);
	assert_int_equal(ioasid_alloc(successor, 51, 51, NULL), 51);
	return NOTIFY_OK;
}

static void a_set_is_not_taken_for_the_next_one_of_its_record(void **state)
{
	enum { NUMBERS = 1 << 18 };
	static struct ioasid_set *sets[NUMBERS];
	struct notifier_block freeing = { .notifier_call = replace_while_freeing };
	struct mm_struct *mm = mm_alloc();
	struct ioasid_set *set;
	int made = 0;

	(void)state;
	if (loops(NUMBERS) != NUMBERS)
		skip();
	while (!IS_ERR(sets[made] = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL)))
		made++;
	ioasid_set_put(sets[--made]);

	/* Who frees all ids of a set does not go on with those of the next. */
	set = new_set(0);
	for (int i = 0; i < 3; i++)
		new_id(set, NULL);
	assert_int_equal(ioasid_register_notifier(NULL, &freeing), 0);
	ioasid_free_all_in_set(set);
	ioasid_unregister_notifier(NULL, &freeing);
	assert_true(ioasid_is_active(50));
	assert_true(ioasid_is_active(51));
	assert_int_equal(successor->nr_ioasids, 2);
	ioasid_free_all_in_set(successor);

	/* Nothing of a set goes to the next one. */
	assert_int_equal(ioasid_set_free(successor), 0);
	set = new_set(5);
	assert_ptr_equal(set, successor);
	assert_int_equal(ioasid_adjust_set(set, 3), 0);
	assert_int_equal(ioasid_set_free(set), 0);
	set = ioasid_set_alloc(mm, 0, IOASID_SET_TYPE_MM);
	assert_ptr_equal(set, successor);
	assert_ptr_equal(ioasid_find_mm_set(mm), set);
	assert_int_equal(ioasid_set_free(set), 0);
	set = new_set(0);
	assert_int_equal(set->quota, 0);
	assert_int_equal(set->type, IOASID_SET_TYPE_NULL);
	assert_null(set->token);
	ioasid_set_put(set);

	while (made--)
		ioasid_set_put(sets[made]);
	assert_int_equal(atomic_read(&mm->mm_count), 1);
	mmput(mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN_TEST(public_fields_are_live),
		CLEAN_TEST(unknown_types_and_null_mm_tokens_are_refused),
		CLEAN_TEST(type_null_takes_any_token_and_many_without),
		CLEAN_TEST(tokens_are_unique_within_their_type),
		CLEAN_TEST(mm_is_pinned_while_its_set_lives),
		CLEAN_TEST(set_lives_until_its_last_reference),
		CLEAN_TEST(set_survives_its_last_id),
		CLEAN_TEST(set_free_leaves_pending_ids_to_their_holders),
		CLEAN_TEST(set_free_needs_no_active_id_and_works_once),
		CLEAN_TEST(ids_of_a_dead_set_stay_valid_for_their_holders),
		CLEAN_TEST(dead_sets_are_refused_everywhere),
		CLEAN_TEST(other_sets_are_untouched_by_a_death),
		CLEAN_TEST(free_all_in_set_keeps_held_ids_in_the_set),
		CLEAN_TEST(free_all_in_set_ends_though_a_handler_allocates),
		CLEAN_TEST(a_dying_set_cannot_be_brought_back),
		CLEAN_TEST(a_set_is_ready_when_it_is_announced),
		CLEAN_TEST(get_if_owned_asks_whose_address_space_it_is),
		CLEAN_TEST(a_sweep_ends_with_its_set),
		CLEAN_TEST(as_many_sets_as_there_are_numbers),
		CLEAN_TEST(a_set_is_not_taken_for_the_next_one_of_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
