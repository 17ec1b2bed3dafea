// SPDX-License-Identifier: MIT
// The host's own PASIDs: processes, page requests, the host's set, the virtual command allocator.

#include <linux/sched/mm.h>
#include "vtd_fixture.h"

#define ADDRESS 0x7f0000000000ULL

static int setup_pri(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
}

/* What came quietly after a process ended, or after FREE, is recorded again after the late unbind. */
static void test_late_unbind_ends_the_quiet(void **state)
{
	struct host *h = *state;
	struct mm_struct *before = current->mm, *mm = mm_alloc();
	struct vtd_fault fault;
	int pasid;

	current->mm = mm;
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	current->mm = before;
	mmput(mm);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, ADDRESS), VTD_FAULT_PASID_NOT_PRESENT);
	assert_false(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, ADDRESS), VTD_FAULT_PASID_NOT_PRESENT);
	expect_fault(h->iommu, VTD_FAULT_PASID_NOT_PRESENT, (ioasid_t)pasid, ADDRESS);

	assert_int_equal(bind(h, h->dev), 0);
	ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	assert_false(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), -EINVAL);
	assert_int_equal(dma(h, h->dev), VTD_FAULT_PASID_NOT_PRESENT);
	expect_fault(h->iommu, VTD_FAULT_PASID_NOT_PRESENT, h->pasid, GUEST_ADDRESS);
}

static int setup_caching(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS, VTD_CAP_DEFAULT | VTD_CAP_CM);
}

static void test_process_is_bound_and_unbound(void **state)
{
	struct host *h = *state;
	u64 page = page_of(h->machine), entry[VTD_PASID_ENTRY_WORDS];
	int pasid = 0, again = 0, own = 0, users = current->mm->mm_users.counter;

	assert_int_equal(intel_svm_bind_mm(h->dev, NULL, 0, NULL), 0);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, SVM_FLAG_SUPERVISOR_MODE, NULL),
			 -EINVAL);
	assert_int_equal(intel_svm_bind_mm((void *)h, &pasid, 0, NULL), -ENODEV);
	assert_int_equal(vtd_mm_map(current->mm, ADDRESS, page, VTD_DMA_READ), -ENOENT);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	assert_int_equal(intel_svm_bind_mm(h->far, &again, 0, NULL), 0);
	assert_int_equal(again, pasid);
	assert_int_equal(intel_svm_bind_mm(h->dev, &again, 0, NULL), 0);
	assert_int_equal(again, pasid);
	assert_int_equal(intel_svm_bind_mm(h->dev, &own, SVM_FLAG_PRIVATE_PASID, NULL), 0);
	assert_int_not_equal(own, pasid);
	assert_true(ioasid_is_in_set(host_pasid_set, (ioasid_t)pasid));
	assert_int_equal(intel_svm_is_pasid_valid(h->dev, pasid), 1);
	assert_int_equal(intel_svm_is_pasid_valid(h->second, pasid), -EINVAL);
	assert_int_equal(vtd_pasid_entry(h->dev, (ioasid_t)pasid, entry), 0);
	assert_int_equal(entry[0] >> VTD_PE_PGTT_SHIFT & VTD_PE_FIELD_MASK, VTD_PGTT_FIRST_LEVEL);

	assert_int_equal(vtd_mm_map(current->mm, ADDRESS + 1, page, VTD_DMA_READ), -EINVAL);
	assert_int_equal(vtd_mm_map(current->mm, 1ULL << 47, page, VTD_DMA_READ), -EINVAL);
	assert_int_equal(vtd_mm_map(current->mm, ADDRESS, page, VTD_DMA_READ), 0);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, ADDRESS), 0);
	assert_int_equal(read_dma(h->dev, (ioasid_t)own, ADDRESS), 0);
	assert_int_equal(read_dma(h->far, (ioasid_t)pasid, ADDRESS), 0);
	/* Another page in its place, which says less: nothing has the old one. */
	assert_int_equal(vtd_mm_map(current->mm, ADDRESS, page, VTD_DMA_READ | VTD_DMA_WRITE), 0);
	assert_int_equal(vtd_dma_write(h->dev, (ioasid_t)pasid, ADDRESS, &pasid, 4), 0);
	assert_int_equal(vtd_dma_write(h->far, (ioasid_t)pasid, ADDRESS, &pasid, 4), 0);
	assert_int_equal(vtd_mm_map(current->mm, ADDRESS, page, VTD_DMA_READ), 0);
	assert_int_not_equal(vtd_dma_write(h->dev, (ioasid_t)pasid, ADDRESS, &pasid, 4), 0);
	assert_int_not_equal(vtd_dma_write(h->dev, (ioasid_t)own, ADDRESS, &pasid, 4), 0);
	assert_int_not_equal(vtd_dma_write(h->far, (ioasid_t)pasid, ADDRESS, &pasid, 4), 0);
	assert_int_equal(vtd_mm_unmap(current->mm, ADDRESS), 0);
	assert_int_equal(vtd_mm_unmap(current->mm, ADDRESS), -ENOENT);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, ADDRESS), VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(read_dma(h->dev, (ioasid_t)own, ADDRESS), VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(read_dma(h->far, (ioasid_t)pasid, ADDRESS), VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(stats_of(h->iommu).stale_hits + stats_of(h->other).stale_hits, 0);

	assert_int_equal(intel_svm_unbind_mm(h->dev, own), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, (u32)pasid), -EINVAL);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(intel_svm_is_pasid_valid(h->dev, pasid), 1);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), -EINVAL);
	assert_int_equal(intel_iommu_disable(h->other), -EBUSY);
	assert_int_equal(intel_svm_unbind_mm(h->far, pasid), 0);
	assert_false(is_known((ioasid_t)pasid));
	assert_int_equal(current->mm->mm_users.counter, users);
	vtd_page_free(h->machine, page, 1);
}

static void test_process_is_bound_in_one_machine(void **state)
{
	struct host *h = *state;
	struct vtd_machine *machine = vtd_machine_create(MEMORY);
	struct intel_iommu *iommu = vtd_unit_create(machine, NULL);
	struct device *dev = vtd_device_create(iommu, 8, 0);
	int pasid, other;

	assert_int_equal(intel_iommu_enable(iommu), 0);
	assert_int_equal(iommu_attach_device(h->domain, dev), -EINVAL);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	assert_int_equal(intel_svm_bind_mm(dev, &other, 0, NULL), -EINVAL);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(intel_svm_bind_mm(dev, &other, 0, NULL), 0);
	assert_int_equal(intel_svm_unbind_mm(dev, other), 0);
	assert_int_equal(intel_iommu_disable(iommu), 0);
	assert_int_equal(vtd_device_destroy(dev), 0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
}

/* A stray ioasid_free() of the driver's own PASID: torn down before the number is used again. */
static void test_stray_free_of_a_process_pasid(void **state)
{
	struct host *h = *state;
	struct vtd_fault fault;
	struct gate gate;
	int pasid;

	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	close_gate(&gate);
	ioasid_free(NULL, (ioasid_t)pasid);
	assert_true(is_known((ioasid_t)pasid));
	assert_int_equal(intel_svm_is_pasid_valid(h->dev, pasid), 0);
	open_gate(&gate);
	flush_queue();
	assert_false(is_known((ioasid_t)pasid));
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, ADDRESS), VTD_FAULT_PASID_NOT_PRESENT);
	/* Quiet, until the late unbind. */
	assert_false(vtd_fault_read(h->iommu, &fault));
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), -EINVAL);
	assert_int_equal(read_dma(h->dev, (ioasid_t)pasid, ADDRESS), VTD_FAULT_PASID_NOT_PRESENT);
	expect_fault(h->iommu, VTD_FAULT_PASID_NOT_PRESENT, (ioasid_t)pasid, ADDRESS);
}

static void test_process_bind_without_memory_leaves_nothing(void **state)
{
	struct host *h = *state;
	unsigned long blocks = vtd_blocks_used(), nth;
	int pasid, error = -ENOMEM, users = current->mm->mm_users.counter;
	struct ioasid_stats before, after;
	u64 pages = vtd_pages_used(h->machine);

	ioasid_get_stats(&before);
	for (nth = 1; error; nth++) {
		vtd_fail_nth(nth);
		error = intel_svm_bind_mm(h->dev, &pasid, 0, NULL);
		vtd_fail_nth(0);
		if (error) {
			assert_int_equal(error, -ENOMEM);
			ioasid_get_stats(&after);
			assert_int_equal(after.live, before.live);
			assert_int_equal(vtd_blocks_used(), blocks);
			assert_int_equal(vtd_pages_used(h->machine), pages);
			assert_int_equal(current->mm->mm_users.counter, users);
		}
	}
	assert_int_equal(nth - 1, 5); /* page table, its record, binding, device; then success */
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
}

/* ---- page requests ---- */

static struct host *faulting;
static u64 fault_page;
static int faults, callbacks;
static u32 fault_answer;

static int on_fault(struct iommu_fault *fault, void *data)
{
	struct iommu_page_response answer = { .argsz = sizeof(answer),
					      .version = IOMMU_PAGE_RESP_VERSION_1,
					      .flags = IOMMU_PAGE_RESP_PASID_VALID,
					      .pasid = fault->prm.pasid,
					      .grpid = fault->prm.grpid,
					      .code = fault_answer };

	(void)data;
	faults++;
	assert_int_equal(fault->type, IOMMU_FAULT_PAGE_REQ);
	assert_int_equal(fault->prm.perm, IOMMU_FAULT_PERM_WRITE);
	assert_true(fault->prm.addr == ADDRESS);
	if (fault_answer == 99)
		return -1;
	if (fault_answer == IOMMU_PAGE_RESP_SUCCESS)
		assert_int_equal(vtd_mm_map(current->mm, ADDRESS, fault_page,
					    VTD_DMA_READ | VTD_DMA_WRITE),
				 0);
	assert_int_equal(iommu_page_response(faulting->dev, &answer), 0);
	assert_int_equal(iommu_page_response(faulting->dev, &answer), -EINVAL);
	return 0;
}

static void on_answer(struct device *dev, u32 pasid, u64 address, void *private_data, int rwxp,
		      int response)
{
	(void)pasid;
	assert_ptr_equal(dev, faulting->dev);
	assert_true(address == ADDRESS);
	assert_null(private_data);
	assert_int_equal(rwxp, SVM_REQ_WRITE);
	assert_int_equal(response, (int)fault_answer);
	callbacks++;
}

static void test_page_request_is_answered_and_tried_again(void **state)
{
	struct host *h = *state;
	struct svm_dev_ops ops = { on_answer };
	struct vtd_fault record;
	int pasid;

	faulting = h;
	faults = callbacks = 0;
	fault_page = page_of(h->machine);
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, &ops), 0);
	/* Nobody there to answer: the driver does. */
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, ADDRESS, VTD_DMA_WRITE, NULL),
			 VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(read_dma(h->dev, INVALID_IOASID, 1UL << 40), VTD_FAULT_SL_PERMISSION);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, NULL, NULL), -EINVAL);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, on_fault, NULL), 0);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, on_fault, NULL), -EBUSY);
	for (fault_answer = IOMMU_PAGE_RESP_INVALID; fault_answer <= IOMMU_PAGE_RESP_FAILURE;
	     fault_answer++)
		assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, ADDRESS, VTD_DMA_WRITE, NULL),
				 VTD_FAULT_FL_NOT_PRESENT);
	fault_answer = 99;
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, ADDRESS, VTD_DMA_WRITE, NULL),
			 VTD_FAULT_FL_NOT_PRESENT);
	fault_answer = IOMMU_PAGE_RESP_SUCCESS;
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, ADDRESS, VTD_DMA_WRITE, NULL), 0);
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, ADDRESS, VTD_DMA_WRITE, NULL), 0);
	assert_int_equal(faults, 4);
	assert_int_equal(callbacks, 3);
	/* Requests that are answered are no faults; those of a PASID that is not bound are. */
	assert_false(vtd_fault_read(h->iommu, &record));
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(vtd_dma(h->dev, (ioasid_t)pasid, ADDRESS, VTD_DMA_WRITE, NULL),
			 VTD_FAULT_PASID_NOT_PRESENT);
	assert_true(vtd_fault_read(h->iommu, &record));
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), -EINVAL);
	vtd_page_free(h->machine, fault_page, 1);
}

/* ---- the host's set ---- */

/* D82: it lives from the first unit to the last, and reserves nothing. */
static void test_host_set_lives_as_long_as_units_are_enabled(void **state)
{
	struct vtd_machine *machine = vtd_machine_create(MEMORY);
	struct vtd_unit_config small = { VTD_CAP_DEFAULT, 16, NULL, NULL };
	struct intel_iommu *first = vtd_unit_create(machine, NULL);
	struct intel_iommu *second = vtd_unit_create(machine, &small);
	struct ioasid_stats before, during, after;
	struct ioasid_set *set;

	(void)state;
	ioasid_get_stats(&before);
	assert_null(host_pasid_set);
	assert_int_equal(intel_pasid_max(), 0);
	assert_int_equal(intel_svm_add_pasid_notifier(), -ENODEV);
	assert_int_equal(intel_iommu_disable(first), -EINVAL);
	assert_int_equal(intel_iommu_enable(NULL), -EINVAL);
	assert_int_equal(intel_iommu_enable(first), 0);
	assert_int_equal(intel_iommu_enable(first), -EBUSY);
	assert_int_equal(vtd_unit_set_root(first, 0), -EBUSY);
	set = host_pasid_set;
	ioasid_get_stats(&during);
	assert_non_null(set);
	assert_int_equal(during.sets, before.sets + 1);
	assert_int_equal(during.available, before.available);
	assert_int_equal(during.subscribers, before.subscribers + 1);
	assert_int_equal(intel_pasid_max(), 1 << 20);
	assert_int_equal(intel_iommu_enable(second), 0);
	assert_ptr_equal(host_pasid_set, set);
	assert_int_equal(intel_pasid_max(), 1 << 16);
	assert_int_equal(intel_iommu_disable(first), 0);
	assert_ptr_equal(host_pasid_set, set);
	assert_int_equal(intel_iommu_disable(second), 0);
	assert_null(host_pasid_set);
	ioasid_get_stats(&after);
	assert_int_equal(after.sets, before.sets);
	assert_int_equal(after.subscribers, before.subscribers);
	assert_int_equal(vtd_unit_destroy(first), 0);
	assert_int_equal(vtd_unit_destroy(second), 0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
}

static void test_enable_without_memory_leaves_nothing(void **state)
{
	struct vtd_machine *machine = vtd_machine_create(MEMORY);
	struct intel_iommu *iommu = vtd_unit_create(machine, NULL);
	struct device *dev = vtd_device_create(iommu, 8, 0);
	unsigned long blocks = vtd_blocks_used(), nth;
	u64 pages = vtd_pages_used(machine);
	int error = -ENOMEM;

	(void)state;
	for (nth = 1; error; nth++) {
		vtd_fail_nth(nth);
		error = intel_iommu_enable(iommu);
		vtd_fail_nth(0);
		if (error) {
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(vtd_blocks_used(), blocks);
			assert_int_equal(vtd_pages_used(machine), pages);
			assert_null(host_pasid_set);
		}
	}
	assert_true(nth > 5);
	assert_int_equal(intel_iommu_disable(iommu), 0);
	assert_int_equal(vtd_device_destroy(dev), 0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
}

static void test_identity_domain_passes_through(void **state)
{
	struct host *h = *state;
	struct iommu_domain *identity = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_IDENTITY);
	struct device *dev = vtd_device_create(h->iommu, 0x2000, 0);
	u64 physical;

	assert_int_equal(read_dma(dev, INVALID_IOASID, 0x3000), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(iommu_attach_device(identity, dev), 0);
	assert_int_equal(iommu_attach_device(h->domain, dev), -EBUSY);
	assert_int_equal(iommu_aux_attach_device(identity, dev), -EINVAL);
	assert_int_equal(iommu_map(identity, 0, 0, VTD_PAGE_SIZE, IOMMU_READ), -EINVAL);
	assert_true(iommu_iova_to_phys(identity, 0x3000) == 0x3000);
	assert_int_equal(vtd_dma(dev, INVALID_IOASID, 0x3000, VTD_DMA_READ, &physical), 0);
	assert_true(physical == 0x3000);
	assert_int_equal(vtd_device_destroy(dev), -EBUSY);
	iommu_domain_free(identity); /* attached: stays */
	iommu_detach_device(identity, dev);
	assert_int_equal(read_dma(dev, INVALID_IOASID, 0x3000), VTD_FAULT_PASID_NOT_PRESENT);
	iommu_domain_free(identity);
	assert_int_equal(vtd_device_destroy(dev), 0);
}

static void test_guest_memory_is_the_domains(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	u64 pages = vtd_pages_used(h->machine), word = 42, back = 0;
	struct vtd_guest *guest;

	vtd_fail_nth(5);
	assert_int_equal(PTR_ERR(vtd_guest_create(domain, 16)), -ENOMEM);
	vtd_fail_nth(0);
	guest = vtd_guest_create(domain, 2);
	assert_int_equal(PTR_ERR(vtd_guest_create(domain, 2)), -EINVAL);
	assert_int_equal(PTR_ERR(vtd_guest_create(NULL, 2)), -EINVAL);
	assert_int_equal(vtd_guest_write(guest, VTD_PAGE_SIZE - 4, &word, 8), 0);
	assert_int_equal(vtd_guest_read(guest, VTD_PAGE_SIZE - 4, &back, 8), 0);
	assert_int_equal(back, 42);
	assert_int_equal(vtd_guest_read(guest, 2 * VTD_PAGE_SIZE - 4, &back, 8), -EINVAL);
	assert_true(vtd_guest_page(guest) == VTD_PAGE_SIZE);
	assert_true(vtd_guest_page(guest) == VTD_NO_ADDRESS);
	assert_int_equal(vtd_guest_map(guest, VTD_PAGE_SIZE, 0, 0, VTD_DMA_READ), -ENOMEM);
	assert_int_equal(vtd_guest_map(guest, VTD_PAGE_SIZE, 0, 0, VTD_DMA_EXEC), -EINVAL);
	vtd_guest_destroy(guest);
	iommu_domain_free(domain);
	assert_true(vtd_pages_used(h->machine) < pages);
}

/* ---- the virtual command ---- */

struct hypervisor {
	u32 next;
	u64 freed;
	int frees, empty;
};

static u64 answer_command(u64 command, void *data)
{
	struct hypervisor *hypervisor = data;

	if (VCMD_CMD(command) == VCMD_CMD_ALLOC)
		return hypervisor->empty ? VCMD_VRSP(VCMD_VRSP_SC_NO_PASID_AVAIL, 0)
					 : VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, hypervisor->next++);
	assert_int_equal(VCMD_CMD(command), VCMD_CMD_FREE);
	hypervisor->frees++;
	hypervisor->freed = VCMD_CMD_PASID(command);
	return VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, 0);
}

/* D83: a PASID with private data goes back to the hypervisor; one in use does not. */
static void test_virtual_command_gives_every_pasid_back(void **state)
{
	struct hypervisor hypervisor = { .next = 500 };
	struct vtd_unit_config config = { VTD_CAP_DEFAULT, 20, answer_command, &hypervisor };
	struct vtd_machine *machine = vtd_machine_create(MEMORY);
	struct intel_iommu *iommu = vtd_unit_create(machine, &config);
	int owner;
	ioasid_t id;

	(void)state;
	assert_int_equal(intel_iommu_enable(iommu), 0);
	id = ioasid_alloc(NULL, 1, 1000, &owner);
	assert_int_equal(id, 500);
	intel_vcmd_ioasid_free(id, iommu); /* in use: refused */
	assert_int_equal(hypervisor.frees, 0);
	ioasid_free(NULL, id);
	assert_int_equal(hypervisor.frees, 1);
	assert_int_equal(hypervisor.freed, 500);
	id = ioasid_alloc(NULL, 1, 1000, NULL); /* without private data */
	assert_int_equal(id, 501);
	intel_vcmd_ioasid_free(id, iommu);
	assert_int_equal(hypervisor.frees, 1);
	ioasid_free(NULL, id);
	assert_int_equal(hypervisor.frees, 2);
	/* The register knows no range: what does not fit is given back, not leaked. */
	assert_int_equal(ioasid_alloc(NULL, 1, 400, NULL), INVALID_IOASID);
	assert_int_equal(hypervisor.frees, 3);
	assert_int_equal(hypervisor.freed, 502);
	assert_int_equal(intel_vcmd_ioasid_alloc(0, 10, iommu), INVALID_IOASID);
	assert_int_equal(intel_vcmd_ioasid_alloc(1, PASID_MAX + 1, iommu), INVALID_IOASID);
	assert_int_equal(intel_vcmd_ioasid_alloc(1, 10, NULL), INVALID_IOASID);
	hypervisor.empty = 1;
	assert_int_equal(ioasid_alloc(NULL, 1, 1000, NULL), INVALID_IOASID);
	assert_int_equal(hypervisor.frees, 3);
	assert_int_equal(intel_iommu_disable(iommu), 0);
	id = ioasid_alloc(NULL, 7, 7, NULL);
	assert_int_equal(id, 7);
	/* Ids of the default allocator are out: the hypervisor's could be the same. */
	assert_int_equal(intel_iommu_enable(iommu), -EAGAIN);
	assert_null(host_pasid_set);
	ioasid_free(NULL, id);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	assert_int_equal(vtd_machine_destroy(machine), 0);
	assert_int_equal(vtd_blocks_used(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_process_is_bound_and_unbound),
		TEST(test_late_unbind_ends_the_quiet),
		cmocka_unit_test_setup_teardown(test_late_unbind_ends_the_quiet, setup_caching,
						host_teardown),
		TEST(test_process_is_bound_in_one_machine),
		TEST(test_stray_free_of_a_process_pasid),
		TEST(test_process_bind_without_memory_leaves_nothing),
		cmocka_unit_test_setup_teardown(test_page_request_is_answered_and_tried_again,
						setup_pri, host_teardown),
		cmocka_unit_test(test_host_set_lives_as_long_as_units_are_enabled),
		cmocka_unit_test(test_enable_without_memory_leaves_nothing),
		TEST(test_identity_domain_passes_through),
		TEST(test_guest_memory_is_the_domains),
		cmocka_unit_test(test_virtual_command_gives_every_pasid_back),
	};

	return cmocka_run_group_tests_name("vtd process", tests, NULL, NULL);
}
