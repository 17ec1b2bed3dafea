// SPDX-License-Identifier: MIT
// Binding guest PASIDs: what is checked, what is undone, and who is told what and how often.

#include "vtd_fixture.h"

/* The user interface of Linux 5.10. */
_Static_assert(offsetof(struct iommu_gpasid_bind_data, addr_width) == 12, "layout");
_Static_assert(offsetof(struct iommu_gpasid_bind_data, gpgd) == 24, "layout");
_Static_assert(offsetof(struct iommu_gpasid_bind_data, gpasid) == 40, "layout");
_Static_assert(offsetof(struct iommu_gpasid_bind_data, vendor.vtd.pat) == 64, "layout");
_Static_assert(sizeof(struct iommu_gpasid_bind_data) == 72, "layout");

static void test_normal_cycle(void **state)
{
	struct host *h = *state;
	u64 entry[VTD_PASID_ENTRY_WORDS], page;
	char text[] = "DMA of a guest", back[sizeof(text)] = "";

	assert_int_equal(dma(h, h->dev), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(vtd_pasid_entry(h->dev, h->pasid, entry), 0);
	assert_true((entry[0] & 0xfff) == (VTD_PE_P | VTD_AW_48 << VTD_PE_AW_SHIFT |
					   VTD_PGTT_NESTED << VTD_PE_PGTT_SHIFT));
	assert_true((entry[1] & VTD_PE_DID_MASK) >= 2);
	assert_true((entry[2] & VTD_PE_ADDRESS_MASK) == h->gpgd);
	assert_true(vtd_pasid_entry_address(h->dev, h->pasid) != VTD_NO_ADDRESS);

	assert_int_equal(vtd_dma_write(h->dev, h->pasid, GUEST_ADDRESS, text, sizeof(text)), 0);
	assert_int_equal(vtd_dma_read(h->dev, h->pasid, GUEST_ADDRESS, back, sizeof(back)), 0);
	assert_string_equal(back, text);
	memset(back, 0, sizeof(back));
	page = h->gpgd + VTD_PAGE_SIZE;
	assert_int_equal(vtd_guest_read(h->guest, page, back, sizeof(back)), 0);
	assert_string_equal(back, text);
	assert_int_equal(ioasid_find_by_spid(h->set, GUEST_PASID), h->pasid);
	ioasid_put(NULL, h->pasid);

	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	/* Nothing of the guest's is left to be read. */
	assert_int_equal(vtd_pasid_entry(h->dev, h->pasid, entry), 0);
	for (int word = 0; word < VTD_PASID_ENTRY_WORDS; word++)
		assert_true(entry[word] == 0);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_int_equal(ioasid_find_spid(h->pasid), INVALID_IOASID);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), -EINVAL);
	ioasid_free(h->set, h->pasid);
	assert_false(is_known(h->pasid));
}

/* Every field that can be wrong, and nothing left of the attempt. */
static void test_every_field_is_checked(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data good = binding_of(h), bad;
	struct recorder heard = { .answer = NOTIFY_OK };
	u64 used;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	used = vtd_blocks_used();
	listen_to(h->set, &heard, 0);
#define REFUSED(change, error) do {							\
		bad = good;								\
		change;									\
		assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &bad), error);\
	} while (0)
	REFUSED(bad.argsz = sizeof(bad) - 1, -EINVAL);
	REFUSED(bad.version = 2, -EINVAL);
	REFUSED(bad.format = 0, -EINVAL);
	REFUSED(bad.format = IOMMU_PASID_FORMAT_LAST, -EINVAL);
	REFUSED(bad.addr_width = 39, -EINVAL);
	REFUSED(bad.addr_width = 57, -EINVAL);
	REFUSED(bad.flags = 2, -EINVAL);
	REFUSED(bad.hpasid = 0, -EINVAL);
	REFUSED(bad.hpasid = PASID_MAX, -EINVAL);
	REFUSED(bad.hpasid = (1ULL << 32) + h->pasid, -EINVAL);
	REFUSED(bad.hpasid = 150, -EINVAL);
	REFUSED(bad.gpasid = PASID_MAX, -EINVAL);
	REFUSED(bad.gpgd = h->gpgd + 8, -EINVAL);
	REFUSED(bad.gpgd = 1ULL << 48, -EINVAL);
	REFUSED(bad.padding[7] = 1, -EINVAL);
	REFUSED(bad.vendor.vtd.flags = IOMMU_SVA_VTD_GPASID_LAST, -EINVAL);
	REFUSED(bad.vendor.vtd.flags = IOMMU_SVA_VTD_GPASID_SRE, -EINVAL);
	REFUSED(bad.vendor.vtd.flags = IOMMU_SVA_VTD_GPASID_EAFE, -EINVAL);
	REFUSED(bad.vendor.vtd.flags = IOMMU_SVA_VTD_GPASID_WPE, -EINVAL);
	REFUSED(bad.vendor.vtd.flags = IOMMU_SVA_VTD_GPASID_CD, -EINVAL);
	REFUSED(bad.vendor.vtd.emt = 8, -EINVAL);
#undef REFUSED
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, NULL), -EINVAL);
	assert_int_equal(intel_svm_bind_gpasid(NULL, h->dev, &good), -EINVAL);
	assert_int_equal(intel_svm_bind_gpasid((void *)h->dev, h->dev, &good), -EINVAL);
	assert_int_equal(intel_svm_bind_gpasid(h->domain, NULL, &good), -ENODEV);
	assert_int_equal(intel_svm_bind_gpasid(h->domain, (void *)h->iommu, &good), -ENODEV);
	assert_int_equal(intel_svm_unbind_gpasid((void *)h->iommu, h->pasid), -ENODEV);
	assert_int_equal(heard.count, 0);
	assert_int_equal(vtd_blocks_used(), used);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

static void test_flags_reach_the_entry_when_the_unit_can(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	u64 entry[VTD_PASID_ENTRY_WORDS];

	data.addr_width = 57;
	data.vendor.vtd.flags = IOMMU_SVA_VTD_GPASID_LAST - 1;
	data.vendor.vtd.emt = 5;
	data.vendor.vtd.pat = 0x00070406;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	assert_int_equal(vtd_pasid_entry(h->dev, h->pasid, entry), 0);
	assert_true((entry[1] & ~VTD_PE_DID_MASK) ==
		    (VTD_PE_PWSNP | VTD_PE_CD | VTD_PE_EMTE | VTD_PE_PWT | VTD_PE_PCD |
		     5ULL << VTD_PE_EMT_SHIFT | 0x00070406ULL << VTD_PE_PAT_SHIFT));
	assert_true(entry[2] ==
		    (h->gpgd | VTD_PE_SRE | VTD_PE_WPE | VTD_PE_EAFE | 1 << VTD_PE_FLPM_SHIFT));
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

static void test_domain_must_be_attached(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct iommu_domain *stranger = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);

	assert_int_equal(intel_svm_bind_gpasid(stranger, h->dev, &data), -EINVAL);
	iommu_domain_free(stranger);
}

/* D72: one reference a PASID, whatever the number of devices, and it is put. */
static void test_one_reference_for_all_devices(void **state)
{
	struct host *h = *state;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->second), 0);
	assert_int_equal(bind(h, h->far), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->second, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
	/* A reference too few would have reclaimed it, one too many would keep it. */
	assert_true(ioasid_is_active(h->pasid));
	assert_true(ioasid_put(h->set, h->pasid));
}

/* D78: each device is torn down on its own unit. */
static void test_devices_behind_two_units(void **state)
{
	struct host *h = *state;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->far), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(dma(h, h->far), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
	assert_int_equal(dma(h, h->far), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(stats_of(h->iommu).stale_hits + stats_of(h->other).stale_hits, 0);
}

/* D79: BIND with the first device and UNBIND with the last, and no BIND for a bind that failed. */
static void test_bind_is_told_once_and_only_after_success(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct recorder heard = { .answer = NOTIFY_OK };

	listen_to(h->set, &heard, 0);
	vtd_fail_nth(1);
	assert_int_equal(bind(h, h->dev), -ENOMEM);
	vtd_fail_nth(0);
	assert_int_equal(heard.count, 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->second), 0);
	assert_int_equal(bind(h, h->dev), -EBUSY);
	data.gpasid++;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->far, &data), -EINVAL);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.codes[0], IOASID_NOTIFY_BIND);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(intel_svm_unbind_gpasid(h->second, h->pasid), 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.codes[1], IOASID_NOTIFY_UNBIND);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

/* D81: UNBIND has the SPID and the private data, which stays its owner's throughout. */
static void test_unbind_is_told_with_everything(void **state)
{
	struct host *h = *state;
	struct recorder heard = { .answer = NOTIFY_OK };
	int owner;

	assert_int_equal(ioasid_attach_data(h->pasid, &owner), 0);
	listen_to(h->set, &heard, 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_ptr_equal(ioasid_find(h->set, h->pasid, NULL), &owner);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.args[1].id, h->pasid);
	assert_int_equal(heard.args[1].spid, GUEST_PASID);
	assert_ptr_equal(heard.args[1].set, h->set);
	assert_ptr_equal(heard.args[1].pdata, &owner);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

/* D80: a reference that is refused ends the bind. */
static void test_pasid_that_is_going_is_refused(void **state)
{
	struct host *h = *state;

	assert_int_equal(ioasid_get(h->set, h->pasid), 0);
	ioasid_free(h->set, h->pasid);
	assert_int_equal(bind(h, h->dev), -EBUSY);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_DIR_NOT_PRESENT);
	assert_true(ioasid_put(h->set, h->pasid));
	assert_int_equal(bind(h, h->dev), -EINVAL);
}

/* D80: a guest PASID that is refused undoes the bind. */
static void test_taken_guest_pasid_undoes_the_bind(void **state)
{
	struct host *h = *state;
	ioasid_t other = ioasid_alloc(h->set, 100, 200, NULL);
	unsigned long blocks = vtd_blocks_used();

	assert_int_equal(ioasid_attach_spid(other, GUEST_PASID), 0);
	assert_int_equal(bind(h, h->dev), -EINVAL);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_int_equal(vtd_blocks_used(), blocks);
	ioasid_free(h->set, other);
	assert_false(is_known(other));
	/* One that the owner gave it, and is not what the guest says, stays. */
	assert_int_equal(ioasid_attach_spid(h->pasid, GUEST_PASID + 1), 0);
	assert_int_equal(bind(h, h->dev), -EINVAL);
	assert_int_equal(ioasid_find_spid(h->pasid), GUEST_PASID + 1);
	assert_int_equal(ioasid_detach_spid(h->pasid), 0);
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

static void test_handler_can_refuse_a_bind_without_guest_pasid(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct recorder heard = { .answer = notifier_from_errno(-EPERM) };

	data.flags = 0;
	listen_to(h->set, &heard, 0);
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), -EPERM);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	heard.answer = NOTIFY_OK;
	heard.count = 0;
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.args[0].spid, INVALID_IOASID);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

/* D76: memory that fails in the middle of a bind, at every allocation there is. */
static void test_bind_without_memory_leaves_nothing(void **state)
{
	struct host *h = *state;
	struct recorder heard = { .answer = NOTIFY_OK };
	unsigned long blocks = vtd_blocks_used(), nth;
	u64 pages;
	int error = -ENOMEM;

	assert_int_equal(bind(h, h->far), 0); /* what stays: a page of the PASID table */
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
	pages = vtd_pages_used(h->machine);
	listen_to(h->set, &heard, 0);
	for (nth = 1; error; nth++) {
		vtd_fail_nth(nth);
		error = bind(h, h->dev);
		vtd_fail_nth(0);
		if (error) {
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(vtd_blocks_used(), blocks);
			assert_int_equal(vtd_pages_used(h->machine), pages);
			assert_int_equal(heard.count, 0);
			assert_int_not_equal(dma(h, h->dev), 0);
		}
	}
	assert_int_equal(nth - 1, 4); /* record, device, table page; then success */
	/* The second device of a PASID. */
	for (nth = 1; nth <= 2; nth++) {
		vtd_fail_nth(nth);
		assert_int_equal(bind(h, h->second), -ENOMEM);
		vtd_fail_nth(0);
	}
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

/* D84: the driver knows its lock's owner, so that a handler that binds is told, not hung. */
static int nested_error;

static void unbind_in_handler(unsigned long code, struct ioasid_nb_args *args, void *data)
{
	struct host *h = data;

	if (code == IOASID_NOTIFY_BIND)
		nested_error = intel_svm_unbind_gpasid(h->dev, args->id);
}

static void test_handler_that_unbinds_is_told(void **state)
{
	struct host *h = *state;
	struct recorder heard = { .answer = NOTIFY_OK, .act = unbind_in_handler, .data = h };

	listen_to(h->set, &heard, 0);
	nested_error = 0;
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(nested_error, -EDEADLK);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	ioasid_unregister_notifier(h->set, &heard.nb);
}

/* D85: a PASID is for the devices that bound it, however warm the caches are. */
static void test_pasid_is_for_the_devices_that_bound_it(void **state)
{
	struct host *h = *state;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(dma(h, h->second), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(dma(h, h->far), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(intel_svm_unbind_gpasid(h->second, h->pasid), -EINVAL);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

static void test_mediated_devices_count(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	struct vtd_guest *guest = vtd_guest_create(domain, 16);
	int pasid;

	data.gpgd = vtd_guest_page(guest);
	vtd_guest_map(guest, data.gpgd, GUEST_ADDRESS, 0, VTD_DMA_READ | VTD_DMA_WRITE);
	assert_int_equal(iommu_aux_get_pasid(domain, h->dev), -EINVAL);
	assert_int_equal(iommu_aux_attach_device(domain, h->dev), 0);
	assert_int_equal(iommu_aux_attach_device(domain, h->dev), 0);
	assert_int_equal(iommu_aux_attach_device(h->domain, h->dev), -EBUSY);
	pasid = iommu_aux_get_pasid(domain, h->dev);
	assert_true(pasid > 0);
	assert_true(ioasid_is_in_set(host_pasid_set, (ioasid_t)pasid));
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, 0), 0);
	assert_int_equal(intel_svm_bind_gpasid(domain, h->dev, &data), 0);
	assert_int_equal(intel_svm_bind_gpasid(domain, h->dev, &data), 0);
	assert_int_equal(bind(h, h->dev), -EINVAL);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), 0);
	iommu_aux_detach_device(domain, h->dev);
	iommu_aux_detach_device(domain, h->dev); /* bound: stays */
	assert_int_equal(iommu_aux_get_pasid(domain, h->dev), pasid);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	iommu_aux_detach_device(domain, h->dev);
	assert_false(is_known((ioasid_t)pasid));
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, 0), VTD_FAULT_PASID_NOT_PRESENT);
	vtd_guest_destroy(guest);
	iommu_domain_free(domain);
}

static void test_unmapping_reaches_every_cache(void **state)
{
	struct host *h = *state;
	u64 page = h->gpgd + VTD_PAGE_SIZE;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(bind(h, h->far), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(dma(h, h->far), 0);
	/* The guest's own change is the guest's to flush. */
	assert_int_equal(vtd_guest_unmap(h->guest, h->gpgd, GUEST_ADDRESS), 0);
	assert_int_equal(vtd_guest_unmap(h->guest, h->gpgd, GUEST_ADDRESS), -ENOENT);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(stats_of(h->iommu).stale_hits, 1);
	assert_int_equal(vtd_guest_map(h->guest, h->gpgd, GUEST_ADDRESS, page,
				       VTD_DMA_READ | VTD_DMA_WRITE),
			 0);
	/* The host's is the driver's. */
	assert_int_equal(iommu_map(h->domain, 1UL << 30, 0, VTD_PAGE_SIZE, IOMMU_READ), 0);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, 1UL << 30), 0);
	assert_int_equal(read_dma(h->far, INVALID_IOASID, 1UL << 30), 0);
	assert_int_equal(iommu_map(h->domain, (1UL << 30) - VTD_PAGE_SIZE, 0, 2 * VTD_PAGE_SIZE,
				   IOMMU_READ),
			 -EEXIST);
	assert_true(iommu_iova_to_phys(h->domain, (1UL << 30) - VTD_PAGE_SIZE) == 0);
	assert_int_equal(iommu_unmap(h->domain, 1UL << 30, VTD_PAGE_SIZE), VTD_PAGE_SIZE);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, 1UL << 30), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(read_dma(h->far, INVALID_IOASID, 1UL << 30), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(stats_of(h->iommu).stale_hits, 1);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->far, h->pasid), 0);
}

/* A PASID used again leads where its new owner says, not where a cache of the old one does. */
static void test_pasid_used_again_has_no_past(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data data = binding_of(h);
	u64 old, new;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(vtd_dma(h->dev, h->pasid, GUEST_ADDRESS, VTD_DMA_READ, &old), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	data.gpgd = vtd_guest_page(h->guest);
	assert_int_equal(vtd_guest_map(h->guest, data.gpgd, GUEST_ADDRESS, vtd_guest_page(h->guest),
				       VTD_DMA_READ),
			 0);
	assert_int_equal(intel_svm_bind_gpasid(h->domain, h->dev, &data), 0);
	assert_int_equal(vtd_dma(h->dev, h->pasid, GUEST_ADDRESS, VTD_DMA_READ, &new), 0);
	assert_true(new != old);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* The same of a domain: its number and its PASID are the next one's. */
static void test_domain_used_again_has_no_past(void **state)
{
	struct host *h = *state;
	u64 page = page_of(h->machine), other = page_of(h->machine), physical;
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	int pasid;

	assert_int_equal(iommu_map(domain, 0, page, VTD_PAGE_SIZE, IOMMU_READ), 0);
	assert_int_equal(iommu_aux_attach_device(domain, h->dev), 0);
	pasid = iommu_aux_get_pasid(domain, h->dev);
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, 0, VTD_DMA_READ, &physical), 0);
	assert_true(physical == page);
	iommu_aux_detach_device(domain, h->dev);
	iommu_domain_free(domain);
	domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	assert_int_equal(iommu_map(domain, 0, other, VTD_PAGE_SIZE, IOMMU_READ), 0);
	assert_int_equal(iommu_aux_attach_device(domain, h->dev), 0);
	assert_int_equal(iommu_aux_get_pasid(domain, h->dev), pasid);
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, 0, VTD_DMA_READ, &physical), 0);
	assert_true(physical == other);
	iommu_aux_detach_device(domain, h->dev);
	iommu_domain_free(domain);
	vtd_page_free(h->machine, page, 1);
	vtd_page_free(h->machine, other, 1);
}

static int setup_without_tlb(void **state)
{
	return host_setup_with(state, 0, VTD_CAP_DEFAULT);
}

static int setup_everything(void **state)
{
	return host_setup_with(state, 0,
			       VTD_CAP_DEFAULT | VTD_CAP_FL5LP | VTD_CAP_SRS | VTD_CAP_EAFS |
				       VTD_CAP_MTS);
}

static int setup_without_nesting(void **state)
{
	return host_setup_with(state, 0, 0);
}

static void test_unit_must_nest(void **state)
{
	struct host *h = *state;

	assert_int_equal(bind(h, h->dev), -EOPNOTSUPP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
/* The unit's caches alone; a device TLB would answer before them. */
#define TEST_WITHOUT_TLB(name) \
	cmocka_unit_test_setup_teardown(name, setup_without_tlb, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_normal_cycle),
		TEST(test_every_field_is_checked),
		cmocka_unit_test_setup_teardown(test_flags_reach_the_entry_when_the_unit_can,
						setup_everything, host_teardown),
		TEST(test_domain_must_be_attached),
		TEST(test_one_reference_for_all_devices),
		TEST(test_devices_behind_two_units),
		TEST(test_bind_is_told_once_and_only_after_success),
		TEST(test_unbind_is_told_with_everything),
		TEST(test_pasid_that_is_going_is_refused),
		TEST(test_taken_guest_pasid_undoes_the_bind),
		TEST(test_handler_can_refuse_a_bind_without_guest_pasid),
		TEST(test_bind_without_memory_leaves_nothing),
		TEST(test_handler_that_unbinds_is_told),
		TEST(test_pasid_is_for_the_devices_that_bound_it),
		TEST(test_mediated_devices_count),
		TEST(test_unmapping_reaches_every_cache),
		TEST(test_pasid_used_again_has_no_past),
		TEST_WITHOUT_TLB(test_pasid_used_again_has_no_past),
		TEST(test_domain_used_again_has_no_past),
		TEST_WITHOUT_TLB(test_domain_used_again_has_no_past),
		cmocka_unit_test_setup_teardown(test_unit_must_nest, setup_without_nesting,
						host_teardown),
	};

	return cmocka_run_group_tests_name("vtd bind", tests, NULL, NULL);
}
