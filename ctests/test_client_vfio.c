/* SPDX-License-Identifier: MIT */
/*
 * A client of v2 as VFIO was to be: a container with a set of the process's mm, PASIDs asked for one by one
 * within a quota, given back by ranges, and whatever is left when the container closes.
 */
#define IOASID_API 2
#include <linux/ioasid.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "api.h"

#define QUOTA 16

/* One for each mm, shared by the containers of a process. */
struct pasid_space {
	struct kref kref;
	struct mutex lock;
	struct mm_struct *mm;
	struct ioasid_set *set;
};

static struct pasid_space *space_open(struct mm_struct *mm)
{
	struct pasid_space *space = kzalloc(sizeof(*space), GFP_KERNEL);

	if (!space)
		return ERR_PTR(-ENOMEM);
	space->set = ioasid_alloc_set(mm, QUOTA, IOASID_SET_TYPE_MM);
	if (IS_ERR(space->set)) {
		void *err = space->set;

		kfree(space);
		return err;
	}
	kref_init(&space->kref);
	mutex_init(&space->lock);
	space->mm = mm;
	return space;
}

static void space_release(struct kref *kref)
{
	struct pasid_space *space = container_of(kref, struct pasid_space, kref);

	ioasid_set_put(space->set);
	mutex_destroy(&space->lock);
	kfree(space);
}

static int pasid_request_alloc(struct pasid_space *space, ioasid_t min, ioasid_t max)
{
	ioasid_t id;

	mutex_lock(&space->lock);
	id = ioasid_alloc(space->set, min, max, NULL);
	mutex_unlock(&space->lock);
	return id == INVALID_IOASID ? -ENOSPC : (int)id;
}

struct range {
	ioasid_t min, max;
	struct pasid_space *space;
};

static void free_if_inside(ioasid_t id, void *data)
{
	struct range *range = data;

	if (id >= range->min && id <= range->max)
		ioasid_free(range->space->set, id);
}

static void pasid_request_free(struct pasid_space *space, ioasid_t min, ioasid_t max)
{
	struct range range = { min, max, space };

	mutex_lock(&space->lock);
	ioasid_set_for_each_ioasid(space->set, free_if_inside, &range);
	mutex_unlock(&space->lock);
}

static void a_container_asks_within_its_quota_and_frees_ranges(void **state)
{
	struct mm_struct *mm = mm_alloc(), *other = mm_alloc();
	struct pasid_space *space = space_open(mm), *theirs = space_open(other);

	(void)state;
	assert_false(IS_ERR(space));
	assert_false(IS_ERR(theirs));
	/* A second container of the process shares the space. */
	assert_int_equal(PTR_ERR(space_open(mm)), -EEXIST);
	kref_get(&space->kref);

	for (int i = 0; i < QUOTA; i++)
		assert_int_equal(pasid_request_alloc(space, 100, 1000), 100 + i);
	assert_int_equal(pasid_request_alloc(space, 100, 1000), -ENOSPC);
	/* The quota of one is not that of the other. */
	assert_int_equal(pasid_request_alloc(theirs, 100, 1000), 100 + QUOTA);

	pasid_request_free(space, 104, 107);
	assert_int_equal(space->set->nr_ioasids, QUOTA - 4);
	assert_int_equal(pasid_request_alloc(space, 100, 1000), 104);
	/* A range that reaches into somebody else's takes nothing of theirs. */
	pasid_request_free(space, 0, 1 << 20);
	assert_int_equal(space->set->nr_ioasids, 0);
	assert_true(ioasid_is_active(100 + QUOTA));

	/* The process goes without a word: the space with its last container, the ids with it. */
	assert_int_equal(pasid_request_alloc(space, 5, 5), 5);
	mmput(mm);
	kref_put(&space->kref, space_release);
	assert_true(ioasid_is_active(5));
	kref_put(&space->kref, space_release);
	assert_false(ioasid_is_active(5));
	kref_put(&theirs->kref, space_release);
	mmput(other);
	assert_false(ioasid_is_active(100 + QUOTA));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_asks_within_its_quota_and_frees_ranges),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
