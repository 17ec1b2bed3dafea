// SPDX-License-Identifier: MIT
/* Features of devices, processes bound by handle, the domain of a device and its nesting attribute. */

#include <linux/sched/mm.h>
#include "vtd_fixture.h"

#define ADDRESS 0x7f0000000000ULL
#define UNKNOWN ((enum iommu_dev_features)3)

static int setup(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
}

static int enable(struct device *dev)
{
	return iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
}

/* A page of the process, whose memory the test does not look at. */
static void map(struct host *h, struct mm_struct *mm)
{
	u64 page = page_of(h->machine);

	assert_int_equal(vtd_mm_map(mm, ADDRESS, page, VTD_DMA_READ), 0);
	vtd_page_free(h->machine, page, 1);
}

static void test_features_are_switched(void **state)
{
	static const enum iommu_dev_features all[] = { IOMMU_DEV_FEAT_AUX, IOMMU_DEV_FEAT_SVA,
						       IOMMU_DEV_FEAT_IOPF };
	struct host *h = *state;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		assert_true(iommu_dev_has_feature(h->dev, all[i]));
		assert_false(iommu_dev_feature_enabled(h->dev, all[i]));
		assert_int_equal(iommu_dev_disable_feature(h->dev, all[i]), -EINVAL);
		assert_int_equal(iommu_dev_enable_feature(h->dev, all[i]), 0);
		assert_int_equal(iommu_dev_enable_feature(h->dev, all[i]), 0);
		assert_true(iommu_dev_feature_enabled(h->dev, all[i]));
		assert_false(iommu_dev_feature_enabled(h->second, all[i]));
	}
	/* A process's pages come and go. */
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_IOPF), -EBUSY);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_SVA), 0);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_IOPF), 0);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_AUX), 0);
	for (i = 0; i < 3; i++)
		assert_false(iommu_dev_feature_enabled(h->dev, all[i]));
	assert_false(iommu_dev_has_feature(h->dev, UNKNOWN));
	assert_false(iommu_dev_feature_enabled(h->dev, UNKNOWN));
	assert_int_equal(iommu_dev_enable_feature(h->dev, UNKNOWN), -EINVAL);
	assert_int_equal(iommu_dev_disable_feature(h->dev, UNKNOWN), -EINVAL);
	assert_int_equal(iommu_dev_enable_feature(h->dev, (enum iommu_dev_features) ~0u), -EINVAL);
	assert_int_equal(iommu_dev_disable_feature(h->dev, (enum iommu_dev_features)32), -EINVAL);
}

static void test_features_of_no_device(void **state)
{
	struct host *h = *state;
	struct device *none[] = { NULL, ERR_PTR(-ENODEV), (struct device *)h->iommu };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		assert_false(iommu_dev_has_feature(none[i], IOMMU_DEV_FEAT_AUX));
		assert_false(iommu_dev_feature_enabled(none[i], IOMMU_DEV_FEAT_AUX));
		assert_int_equal(iommu_dev_enable_feature(none[i], IOMMU_DEV_FEAT_AUX), -ENODEV);
		assert_int_equal(iommu_dev_disable_feature(none[i], IOMMU_DEV_FEAT_AUX), -ENODEV);
		assert_int_equal(PTR_ERR(iommu_sva_bind_device(none[i], current->mm, NULL)),
				 -ENODEV);
		assert_null(iommu_get_domain_for_dev(none[i]));
	}
}

static void test_devices_that_cannot(void **state)
{
	struct host *h = *state;
	struct device *plain = vtd_device_create(h->iommu, 0x3000, VTD_DEV_ATS);

	assert_true(iommu_dev_has_feature(plain, IOMMU_DEV_FEAT_AUX));
	assert_false(iommu_dev_has_feature(plain, IOMMU_DEV_FEAT_SVA));
	assert_false(iommu_dev_has_feature(plain, IOMMU_DEV_FEAT_IOPF));
	assert_int_equal(enable(plain), -ENODEV);
	assert_int_equal(iommu_dev_enable_feature(plain, IOMMU_DEV_FEAT_IOPF), -ENODEV);
	assert_int_equal(vtd_device_destroy(plain), 0);
	assert_int_equal(enable(plain), -ENODEV);
}

static void test_auxiliary_domains_keep_the_feature(void **state)
{
	struct host *h = *state;
	struct iommu_domain *more = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);

	assert_int_equal(iommu_dev_enable_feature(h->dev, IOMMU_DEV_FEAT_AUX), 0);
	assert_int_equal(iommu_aux_attach_device(more, h->dev), 0);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_AUX), -EBUSY);
	iommu_aux_detach_device(more, h->dev);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_AUX), 0);
	iommu_domain_free(more);
}

static void test_process_is_bound_by_handle(void **state)
{
	struct host *h = *state;
	struct iommu_sva *handle, *again, *far;
	u32 pasid;
	int number;

	assert_int_equal(PTR_ERR(iommu_sva_bind_device(h->dev, current->mm, NULL)), -EINVAL);
	assert_int_equal(enable(h->dev), 0);
	assert_int_equal(enable(h->far), 0);
	assert_int_equal(PTR_ERR(iommu_sva_bind_device(h->dev, NULL, NULL)), -EINVAL);
	assert_int_equal(PTR_ERR(iommu_sva_bind_device(h->dev, ERR_PTR(-ESRCH), NULL)), -EINVAL);
	handle = iommu_sva_bind_device(h->dev, current->mm, NULL);
	assert_false(IS_ERR_OR_NULL(handle));
	pasid = iommu_sva_get_pasid(handle);
	assert_true(ioasid_is_in_set(host_pasid_set, pasid));
	map(h, current->mm);
	assert_int_equal(read_dma(h->dev, pasid, ADDRESS), 0);
	again = iommu_sva_bind_device(h->dev, current->mm, h);
	assert_ptr_equal(again, handle);
	far = iommu_sva_bind_device(h->far, current->mm, NULL);
	assert_ptr_not_equal(far, handle);
	assert_int_equal(iommu_sva_get_pasid(far), pasid);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_SVA), -EBUSY);
	assert_int_equal(intel_iommu_disable(h->other), -EBUSY);

	/* Who bound it the other way takes that back, and no more. */
	assert_int_equal(intel_svm_unbind_mm(h->dev, (int)pasid), -EINVAL);
	assert_int_equal(intel_svm_bind_mm(h->dev, &number, 0, NULL), 0);
	assert_int_equal(number, pasid);
	assert_int_equal(intel_svm_unbind_mm(h->dev, number), 0);
	assert_int_equal(intel_svm_unbind_mm(h->dev, number), -EINVAL);
	iommu_sva_unbind_device(handle);
	assert_int_equal(intel_svm_unbind_mm(h->dev, number), -EINVAL);
	assert_int_equal(read_dma(h->dev, pasid, ADDRESS), 0);
	assert_int_equal(iommu_sva_get_pasid(handle), pasid);
	iommu_sva_unbind_device(handle);
	assert_int_equal(read_dma(h->dev, pasid, ADDRESS), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(read_dma(h->far, pasid, ADDRESS), 0);
	/* It is gone: a handle more or less changes nothing. */
	assert_int_equal(iommu_sva_get_pasid(handle), IOMMU_PASID_INVALID);
	iommu_sva_unbind_device(handle);
	iommu_sva_unbind_device(NULL);
	iommu_sva_unbind_device(ERR_PTR(-EINVAL));
	iommu_sva_unbind_device((struct iommu_sva *)h->dev);
	assert_int_equal(iommu_sva_get_pasid(NULL), IOMMU_PASID_INVALID);
	assert_int_equal(iommu_sva_get_pasid(ERR_PTR(-EINVAL)), IOMMU_PASID_INVALID);
	assert_int_equal(iommu_sva_get_pasid(far), pasid);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_SVA), 0);
	iommu_sva_unbind_device(far);
	assert_false(is_known(pasid));
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
}

/* Each process has its own PASID, whoever binds it; its end clears the entry, and the handle stays. */
static void test_process_that_ends(void **state)
{
	struct host *h = *state;
	struct mm_struct *mm = mm_alloc();
	struct iommu_sva *handle, *own;
	struct vtd_fault fault;
	u32 pasid;

	assert_int_equal(enable(h->dev), 0);
	handle = iommu_sva_bind_device(h->dev, mm, NULL);
	own = iommu_sva_bind_device(h->dev, current->mm, NULL);
	assert_false(IS_ERR(handle));
	assert_false(IS_ERR(own));
	pasid = iommu_sva_get_pasid(handle);
	assert_int_not_equal(pasid, iommu_sva_get_pasid(own));
	map(h, mm);
	assert_int_equal(read_dma(h->dev, pasid, ADDRESS), 0);
	mmput(mm);
	assert_int_equal(read_dma(h->dev, pasid, ADDRESS), VTD_FAULT_PASID_NOT_PRESENT);
	assert_false(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_int_equal(PTR_ERR(iommu_sva_bind_device(h->dev, mm, NULL)), -EINVAL);
	assert_int_equal(iommu_sva_get_pasid(handle), pasid);
	iommu_sva_unbind_device(handle);
	assert_int_equal(iommu_sva_get_pasid(handle), IOMMU_PASID_INVALID);
	iommu_sva_unbind_device(own);
}

/* A PASID freed by force, and its number used again: the old handle is not for the new binding. */
static void test_handle_is_not_of_the_next_owner(void **state)
{
	struct host *h = *state;
	struct mm_struct *mm = mm_alloc();
	struct iommu_sva *handle, *next;
	u32 pasid;

	assert_int_equal(enable(h->dev), 0);
	handle = iommu_sva_bind_device(h->dev, mm, NULL);
	pasid = iommu_sva_get_pasid(handle);
	ioasid_free(host_pasid_set, pasid);
	flush_queue();
	assert_false(is_known(pasid));
	assert_int_equal(iommu_sva_get_pasid(handle), IOMMU_PASID_INVALID);
	/* Nothing is bound by it any more. */
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_SVA), 0);
	assert_int_equal(enable(h->dev), 0);
	next = iommu_sva_bind_device(h->dev, current->mm, NULL);
	assert_int_equal(iommu_sva_get_pasid(next), pasid);
	map(h, current->mm);
	iommu_sva_unbind_device(handle);
	assert_int_equal(read_dma(h->dev, pasid, ADDRESS), 0);
	iommu_sva_unbind_device(next);
	mmput(mm);
}

static void test_handle_without_memory(void **state)
{
	struct host *h = *state;
	unsigned long blocks, nth;
	struct iommu_sva *handle = ERR_PTR(-ENOMEM);
	struct mm_struct *mm = mm_alloc();
	int users = mm->mm_users.counter, count = mm->mm_count.counter;
	u64 pages;

	assert_int_equal(enable(h->dev), 0);
	/* The table of the first PASIDs stays. */
	iommu_sva_unbind_device(iommu_sva_bind_device(h->dev, mm, NULL));
	blocks = vtd_blocks_used();
	pages = vtd_pages_used(h->machine);
	for (nth = 1; IS_ERR(handle); nth++) {
		assert_int_equal(vtd_blocks_used(), blocks);
		assert_int_equal(vtd_pages_used(h->machine), pages);
		assert_int_equal(mm->mm_users.counter, users);
		assert_int_equal(mm->mm_count.counter, count);
		vtd_fail_nth(nth);
		handle = iommu_sva_bind_device(h->dev, mm, NULL);
		if (IS_ERR(handle))
			assert_int_equal(PTR_ERR(handle), -ENOMEM);
	}
	vtd_fail_nth(0);
	assert_true(nth > 4);
	iommu_sva_unbind_device(handle);
	mmput(mm);
}

static void test_domain_of_a_device(void **state)
{
	struct host *h = *state;
	struct iommu_domain *more = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);

	assert_ptr_equal(iommu_get_domain_for_dev(h->dev), h->domain);
	assert_int_equal(iommu_aux_attach_device(more, h->dev), 0);
	assert_ptr_equal(iommu_get_domain_for_dev(h->dev), h->domain);
	iommu_detach_device(h->domain, h->dev);
	assert_null(iommu_get_domain_for_dev(h->dev));
	iommu_aux_detach_device(more, h->dev);
	assert_int_equal(iommu_attach_device(more, h->dev), 0);
	assert_ptr_equal(iommu_get_domain_for_dev(h->dev), more);
	iommu_detach_device(more, h->dev);
	assert_int_equal(iommu_attach_device(h->domain, h->dev), 0);
	iommu_domain_free(more);
}

static void test_nesting_attribute(void **state)
{
	struct host *h = *state;
	struct iommu_domain *more = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	struct iommu_domain *around = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_IDENTITY);
	struct vtd_unit_config flat = { VTD_CAP_DEFAULT & ~VTD_CAP_NEST, 20, NULL, NULL };
	struct intel_iommu *iommu;
	int yes = 1, no = 0, value = 7;

	assert_int_equal(iommu_domain_get_attr(more, DOMAIN_ATTR_NESTING, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, &yes), 0);
	assert_int_equal(iommu_domain_get_attr(more, DOMAIN_ATTR_NESTING, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(iommu_attach_device(more, h->far), -EBUSY);
	assert_int_equal(iommu_aux_attach_device(more, h->far), 0);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, &no), -ENODEV);
	iommu_aux_detach_device(more, h->far);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, &no), 0);
	iommu = vtd_unit_create(h->machine, &flat);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, &yes), -ENODEV);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, &no), 0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);

	assert_int_equal(iommu_domain_set_attr(around, DOMAIN_ATTR_NESTING, &yes), -EINVAL);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_GEOMETRY, &yes), -EINVAL);
	assert_int_equal(iommu_domain_get_attr(more, DOMAIN_ATTR_MAX, &yes), -EINVAL);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, NULL), -EINVAL);
	assert_int_equal(iommu_domain_get_attr(more, DOMAIN_ATTR_NESTING, NULL), -EINVAL);
	assert_int_equal(iommu_domain_set_attr(NULL, DOMAIN_ATTR_NESTING, &yes), -EINVAL);
	assert_int_equal(iommu_domain_get_attr(ERR_PTR(-EINVAL), DOMAIN_ATTR_NESTING, &yes),
			 -EINVAL);
	iommu_domain_free(around);
	iommu_domain_free(more);
	assert_int_equal(iommu_domain_set_attr(more, DOMAIN_ATTR_NESTING, &yes), -EINVAL);
	assert_int_equal(iommu_domain_get_attr(more, DOMAIN_ATTR_NESTING, &yes), -EINVAL);
}

/* In a handler that a binding of this thread causes: refused, not stuck. */
static void ask_everything(unsigned long code, struct ioasid_nb_args *args, void *data)
{
	struct host *h = data;

	(void)args;
	if (code != IOASID_NOTIFY_BIND)
		return;
	assert_int_equal(PTR_ERR(iommu_sva_bind_device(h->dev, current->mm, NULL)), -EDEADLK);
	assert_int_equal(enable(h->dev), -EDEADLK);
	assert_int_equal(iommu_dev_disable_feature(h->dev, IOMMU_DEV_FEAT_SVA), -EDEADLK);
	assert_null(iommu_get_domain_for_dev(h->dev));
	assert_int_equal(iommu_sva_get_pasid((struct iommu_sva *)h), IOMMU_PASID_INVALID);
	iommu_sva_unbind_device((struct iommu_sva *)h);
}

static void test_in_a_handler(void **state)
{
	struct host *h = *state;
	struct recorder recorder = { .act = ask_everything, .data = h };

	listen_to(h->set, &recorder, IOASID_PRIO_CPU);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(recorder.count, 1);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	ioasid_unregister_notifier(h->set, &recorder.nb);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_features_are_switched),
		CASE(test_features_of_no_device),
		CASE(test_devices_that_cannot),
		CASE(test_auxiliary_domains_keep_the_feature),
		CASE(test_process_is_bound_by_handle),
		CASE(test_process_that_ends),
		CASE(test_handle_is_not_of_the_next_owner),
		CASE(test_handle_without_memory),
		CASE(test_domain_of_a_device),
		CASE(test_nesting_attribute),
		CASE(test_in_a_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
