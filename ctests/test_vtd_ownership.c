// SPDX-License-Identifier: MIT
// Whose PASID it is: a guest's process binds its own, the host's code any, user space asks.

#include <linux/sched/mm.h>
#include "vtd_fixture.h"

/* Two guests' processes, each with a set; the first one's has the fixture's guest. */
struct guests {
	struct host *h;
	struct mm_struct *mm[2], *before;
	struct ioasid_set *set[2];
	ioasid_t pasid[2];
};

static void begin(struct guests *g, struct host *h)
{
	int i;

	g->h = h;
	g->before = current->mm;
	for (i = 0; i < 2; i++) {
		g->mm[i] = mm_alloc();
		g->set[i] = ioasid_set_alloc(g->mm[i], 10, IOASID_SET_TYPE_MM);
		assert_false(IS_ERR(g->set[i]));
		g->pasid[i] = ioasid_alloc(g->set[i], 1000, 2000, NULL);
	}
}

static void end(struct guests *g)
{
	int i;

	current->mm = g->before;
	for (i = 0; i < 2; i++) {
		ioasid_free(g->set[i], g->pasid[i]);
		assert_int_equal(ioasid_set_free(g->set[i]), 0);
		mmput(g->mm[i]);
	}
}

static struct iommu_gpasid_bind_data binding(struct guests *g, int of)
{
	struct iommu_gpasid_bind_data data = binding_of(g->h);

	data.hpasid = g->pasid[of];
	data.gpasid = (u64)(GUEST_PASID + of);
	return data;
}

static int bind_of(struct guests *g, struct device *dev, int of)
{
	struct iommu_gpasid_bind_data data = binding(g, of);

	return intel_svm_bind_gpasid(g->h->domain, dev, &data);
}

static int ask(struct guests *g, struct device *dev, int of)
{
	struct iommu_gpasid_bind_data data = binding(g, of);

	return iommu_uapi_sva_bind_gpasid(g->h->domain, dev, &data);
}

static int ask_end(struct guests *g, struct device *dev, int of)
{
	struct iommu_gpasid_bind_data data = binding(g, of);

	return iommu_uapi_sva_unbind_gpasid(g->h->domain, dev, &data);
}

/* The process of a guest must not bind another's PASID, bound already or not. */
static void test_guest_binds_its_own(void **state)
{
	struct guests g;

	begin(&g, *state);
	current->mm = g.mm[1];
	assert_int_equal(bind_of(&g, g.h->dev, 0), -EPERM);
	assert_int_equal(bind_of(&g, g.h->dev, 1), 0);
	/* The fixture's set is nobody's in particular, so not this process's either. */
	assert_int_equal(bind(g.h, g.h->dev), -EPERM);
	current->mm = g.mm[0];
	assert_int_equal(bind_of(&g, g.h->dev, 0), 0);
	assert_int_equal(bind_of(&g, g.h->far, 1), -EPERM);
	assert_int_equal(read_dma(g.h->far, g.pasid[1], GUEST_ADDRESS), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(intel_svm_unbind_gpasid(g.h->dev, g.pasid[0]), 0);
	/* Nor must it end another's. */
	assert_int_equal(intel_svm_unbind_gpasid(g.h->dev, g.pasid[1]), -EPERM);
	assert_int_equal(read_dma(g.h->dev, g.pasid[1], GUEST_ADDRESS), 0);
	current->mm = g.mm[1];
	assert_int_equal(intel_svm_unbind_gpasid(g.h->dev, g.pasid[1]), 0);
	end(&g);
}

/* Code of the host, with an address space that has no set or with none, binds for others. */
static void test_host_is_trusted(void **state)
{
	struct guests g;

	begin(&g, *state);
	assert_int_equal(bind_of(&g, g.h->dev, 0), 0);
	current->mm = NULL;
	assert_int_equal(bind_of(&g, g.h->dev, 1), 0);
	assert_int_equal(intel_svm_unbind_gpasid(g.h->dev, g.pasid[0]), 0);
	assert_int_equal(intel_svm_unbind_gpasid(g.h->dev, g.pasid[1]), 0);
	end(&g);
}

/* A request of user space is for the process that makes it, and for no other. */
static void test_user_space_asks_for_itself(void **state)
{
	struct guests g;
	struct iommu_gpasid_bind_data data;

	begin(&g, *state);
	assert_int_equal(ask(&g, g.h->dev, 0), -EPERM);
	current->mm = g.mm[1];
	assert_int_equal(ask(&g, g.h->dev, 0), -EPERM);
	current->mm = g.mm[0];
	assert_int_equal(ask(&g, g.h->dev, 0), 0);
	assert_int_equal(ask(&g, g.h->dev, 0), -EBUSY);
	assert_int_equal(read_dma(g.h->dev, g.pasid[0], GUEST_ADDRESS), 0);
	current->mm = g.mm[1];
	assert_int_equal(ask_end(&g, g.h->dev, 0), -EPERM);
	current->mm = g.mm[0];
	assert_int_equal(ask_end(&g, g.h->dev, 0), 0);
	assert_int_equal(ask_end(&g, g.h->dev, 0), -EINVAL);

	data = binding(&g, 0);
	assert_int_equal(iommu_uapi_sva_bind_gpasid(g.h->domain, g.h->dev, NULL), -EINVAL);
	assert_int_equal(iommu_uapi_sva_unbind_gpasid(NULL, g.h->dev, &data), -EINVAL);
	assert_int_equal(iommu_uapi_sva_bind_gpasid(NULL, g.h->dev, &data), -EINVAL);
	data.version = 0;
	assert_int_equal(iommu_uapi_sva_bind_gpasid(g.h->domain, g.h->dev, &data), -EINVAL);
	data = binding(&g, 0);
	data.hpasid = g.h->pasid; /* of no process's set */
	assert_int_equal(iommu_uapi_sva_bind_gpasid(g.h->domain, g.h->dev, &data), -EINVAL);
	data.hpasid = 3000;
	assert_int_equal(iommu_uapi_sva_bind_gpasid(g.h->domain, g.h->dev, &data), -ENOENT);
	end(&g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guest_binds_its_own),
		TEST(test_host_is_trusted),
		TEST(test_user_space_asks_for_itself),
	};

	return cmocka_run_group_tests_name("vtd ownership", tests, NULL, NULL);
}
