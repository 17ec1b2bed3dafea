/* SPDX-License-Identifier: MIT */
/*
 * A client of V4 as /dev/ioasid was to be: each open file has a set, ids are asked for and freed through it, and
 * close sweeps what is left and gives the set up, whoever still holds an id. Charged to the group.
 */
#define IOASID_API 4
#include <linux/ioasid-kernel.h>
#include <linux/ioasid.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "api.h"

struct file_state {
	struct mutex lock;
	struct ioasid_set *set;
	struct list_head users;
};

struct user_id {
	struct list_head node;
	ioasid_t id;
};

static struct file_state *file_open(int quota)
{
	struct file_state *file = kzalloc(sizeof(*file), GFP_KERNEL);

	assert_non_null(file);
	file->set = ioasid_set_alloc(NULL, quota, IOASID_SET_TYPE_NULL);
	assert_false(IS_ERR(file->set));
	mutex_init(&file->lock);
	INIT_LIST_HEAD(&file->users);
	return file;
}

static int file_alloc(struct file_state *file, ioasid_t min, ioasid_t max)
{
	struct user_id *user = kzalloc(sizeof(*user), GFP_KERNEL);
	int err = ioasid_cg_charge(file->set);

	if (err) {
		kfree(user);
		return err;
	}
	mutex_lock(&file->lock);
	user->id = ioasid_alloc(file->set, min, max, user);
	if (user->id == INVALID_IOASID) {
		ioasid_cg_uncharge(file->set);
		mutex_unlock(&file->lock);
		kfree(user);
		return -ENOSPC;
	}
	list_add_tail(&user->node, &file->users);
	mutex_unlock(&file->lock);
	return (int)user->id;
}

static void forget(struct file_state *file, struct user_id *user)
{
	list_del(&user->node);
	ioasid_cg_uncharge(file->set);
	ioasid_detach_data(user->id);
	kfree(user);
}

static int file_free(struct file_state *file, ioasid_t id)
{
	struct user_id *user, *next;
	int err = -EINVAL;

	mutex_lock(&file->lock);
	list_for_each_entry_safe(user, next, &file->users, node) {
		if (user->id != id)
			continue;
		forget(file, user);
		ioasid_free(file->set, id);
		err = 0;
	}
	mutex_unlock(&file->lock);
	return err;
}

/* The result of ioasid_set_free() is not looked at, as in the posted code. */
static void file_close(struct file_state *file)
{
	struct user_id *user, *next;

	list_for_each_entry_safe(user, next, &file->users, node)
		forget(file, user);
	ioasid_free_all_in_set(file->set);
	ioasid_set_free(file->set);
	mutex_destroy(&file->lock);
	kfree(file);
}

static void close_sweeps_what_is_left(void **state)
{
	struct file_state *file = file_open(8), *other = file_open(8);
	int kept, held, left = ioasid_reserve_capacity(0);
	struct ioasid_set *set = file->set;

	(void)state;
	kept = file_alloc(file, 1, 100);
	held = file_alloc(file, 1, 100);
	assert_int_equal(kept, 1);
	assert_int_equal(held, 2);
	assert_int_equal(file_alloc(other, 1, 100), 3);
	assert_int_equal(file_free(other, (ioasid_t)kept), -EINVAL);
	assert_int_equal(file_free(file, (ioasid_t)kept), 0);
	assert_int_equal(file_free(file, (ioasid_t)kept), -EINVAL);
	kept = file_alloc(file, 1, 100);
	assert_int_equal(kept, 1);

	/* KVM holds one when the file closes. */
	assert_int_equal(ioasid_get(set, (ioasid_t)held), 0);
	file_close(file);
	assert_int_equal(ioasid_get(NULL, (ioasid_t)kept), -EINVAL);
	assert_int_equal(ioasid_get(NULL, (ioasid_t)held), -EBUSY);
	/* The number is nobody else's until the holder is done; then the quota is back as well. */
	assert_int_equal(ioasid_reserve_capacity(0), left);
	assert_true(ioasid_put(NULL, (ioasid_t)held));
	assert_int_equal(ioasid_reserve_capacity(0), left + 8);
	file_close(other);
	assert_int_equal(ioasid_reserve_capacity(0), left + 16);
}

static void the_group_limits_all_files(void **state)
{
	struct file_state *file = file_open(8), *other = file_open(8);

	(void)state;
	assert_int_equal(ioasid_cg_set_max(3), 0);
	assert_int_equal(file_alloc(file, 1, 10), 1);
	assert_int_equal(file_alloc(other, 1, 10), 2);
	assert_int_equal(file_alloc(file, 1, 10), 3);
	assert_int_equal(file_alloc(other, 1, 10), -EBUSY);
	assert_int_equal(file_alloc(file, 10, 1), -EBUSY);
	assert_int_equal(file_free(file, 3), 0);
	assert_int_equal(file_alloc(file, 10, 1), -ENOSPC);
	assert_int_equal(file_alloc(other, 1, 10), 3);
	file_close(file);
	file_close(other);
	assert_int_equal(ioasid_cg_set_max(INT_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_sweeps_what_is_left),
		cmocka_unit_test(the_group_limits_all_files),
	};

	(void)keep_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
