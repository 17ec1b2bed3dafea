// SPDX-License-Identifier: MIT
// Every field of every structure, descriptor and table entry at its ends: refused and nothing changed, or accepted and undone.

#include <errno.h>
#include "vtd_bench.h"

static const u64 ends[] = { 0,		1,	    0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32,
			    1ULL << 47, 1ULL << 48, 1ULL << 52, 1ULL << 63, ~0xfffULL,	~0ULL };
#define ENDS (sizeof(ends) / sizeof(ends[0]))

/* ---- what is handed to functions ---- */

static void test_configurations(void **state)
{
	struct vtd_machine *machine = vtd_machine_create(1 << 20);
	struct vtd_unit_config config;
	u64 blocks = vtd_blocks_used();
	u32 bit;

	(void)state;
	for (size_t i = 0; i < ENDS; i++) {
		struct vtd_machine *other = vtd_machine_create(ends[i] & 0xffffff);

		if (!IS_ERR(other))
			assert_int_equal(vtd_machine_destroy(other), 0);
		assert_int_equal(vtd_page_alloc(machine, (unsigned int)ends[i]) == VTD_NO_ADDRESS,
				 (u32)ends[i] != 1);
	}
	vtd_page_free(machine, 0, 256);
	for (u32 bits = 0; bits <= 64; bits++) {
		struct intel_iommu *iommu;

		config = (struct vtd_unit_config){ VTD_CAP_DEFAULT, bits, NULL, NULL };
		iommu = vtd_unit_create(machine, &config);
		assert_int_equal(!IS_ERR(iommu), bits >= 7 && bits <= 20);
		if (!IS_ERR(iommu))
			assert_int_equal(vtd_unit_destroy(iommu), 0);
	}
	for (bit = 0; bit < 32; bit++) {
		struct intel_iommu *iommu;

		config = (struct vtd_unit_config){ 1u << bit, 20, NULL, NULL };
		iommu = vtd_unit_create(machine, &config);
		assert_int_equal(!IS_ERR(iommu), 1u << bit <= VTD_CAP_CM);
		if (!IS_ERR(iommu))
			assert_int_equal(vtd_unit_destroy(iommu), 0);
	}
	assert_int_equal(vtd_blocks_used(), blocks);
	assert_int_equal(vtd_machine_destroy(machine), 0);
}

static void test_devices(void **state)
{
	struct bench *b = *state;
	static const u16 sources[] = { 0, 1, 0x7fff, 0x8000, 0xffff };

	for (u32 bit = 0; bit < 32; bit++) {
		struct device *dev = vtd_device_create(b->iommu, 0x2000, 1u << bit);

		/* Page requests need ATS. */
		assert_int_equal(!IS_ERR(dev), 1u << bit == VTD_DEV_ATS);
		if (!IS_ERR(dev))
			assert_int_equal(vtd_device_destroy(dev), 0);
	}
	for (int i = 0; i < 5; i++) {
		struct device *dev = vtd_device_create(b->iommu, sources[i], 0);

		assert_false(IS_ERR(dev));
		assert_int_equal(PTR_ERR(vtd_device_create(b->iommu, sources[i], 0)), -EEXIST);
		assert_true(read_dma(dev, PASID, VIRTUAL) > 0);
		assert_int_equal(vtd_device_destroy(dev), 0);
	}
}

/* Whatever is asked for, a good request is answered after it. */
static void test_requests(void **state)
{
	struct bench *b = *state;
	struct vtd_fault fault;
	/* Filled up to the page that fails, which is the second. */
	static char buffer[2 * VTD_PAGE_SIZE];
	u64 physical;

	for (size_t i = 0; i < ENDS; i++) {
		for (u32 access = 0; access < 64; access++) {
			int result = vtd_dma(b->dev, PASID, ends[i], access, &physical);

			assert_true(result != 0);
			assert_int_equal(result == -EINVAL,
					 access == 0 || access > 15 || !(access & 7));
			while (vtd_fault_read(b->iommu, &fault))
				assert_string_not_equal(vtd_fault_name((int)fault.reason),
							"unknown");
		}
		assert_true(vtd_dma(b->dev, (ioasid_t)ends[i], VIRTUAL, VTD_DMA_READ, NULL) != 0);
		assert_true(vtd_dma_read(b->dev, PASID, ends[i], buffer, 1) != 0);
		assert_true(vtd_dma_write(b->dev, PASID, ends[i], buffer, 1) != 0);
		assert_true(vtd_dma_read(b->dev, PASID, VIRTUAL, buffer, (size_t)ends[i]) != 0 ||
			    ends[i] <= 1);
		while (vtd_fault_read(b->iommu, &fault))
			;
	}
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
}

static void test_memory(void **state)
{
	struct bench *b = *state;
	u64 used = vtd_pages_used(b->machine);
	char bytes[2];

	for (size_t i = 0; i < ENDS; i++)
		for (size_t k = 0; k < ENDS; k++) {
			bool is_within = ends[i] < MEMORY && ends[k] <= MEMORY - ends[i];

			if (ends[k] > sizeof(bytes) && is_within)
				continue;
			assert_int_equal(
				vtd_memory_read(b->machine, ends[i], bytes, (size_t)ends[k]),
				is_within || (ends[k] == 0 && ends[i] <= MEMORY) ? 0 : -EINVAL);
			if (!is_within)
				vtd_page_free(b->machine, ends[i], (unsigned int)ends[k]);
		}
	assert_int_equal(vtd_pages_used(b->machine), used);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
}

/* Any type, with any word of it at its ends: done, or the queue stops there and goes on with the next. */
static void test_descriptors(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc nothing = vtd_inv_pasid_cache(VTD_INV_PASID_ONE, 999, 999);
	u64 page = page_of(b->machine);
	int accepted = 0, refused = 0;

	for (u64 type = 0; type < 16; type++)
		for (int word = 0; word < 4; word++)
			for (size_t i = 0; i < ENDS; i++)
				for (u64 granularity = 0; granularity < 4; granularity++) {
					struct vtd_inv_desc desc = { { type | granularity << 4,
								       page, 0, 0 } };
					int result;

					desc.qw[word] = word == 0 ? desc.qw[0] | ends[i] << 6
								  : ends[i];
					result = vtd_inv_submit(b->iommu, &desc, 1);
					assert_true(result == 0 || result == -EINVAL);
					/* What is in the upper half is private data of a response, or wrong. */
					if (word > 1 && ends[i] != 0 &&
					    type != VTD_INV_PAGE_RESPONSE)
						assert_int_equal(result, -EINVAL);
					if (type == 0 || type > VTD_INV_PAGE_RESPONSE)
						assert_int_equal(result, -EINVAL);
					accepted += result == 0;
					refused += result != 0;
					assert_int_equal(vtd_inv_submit(b->iommu, &nothing, 1), 0);
				}
	assert_true(accepted > 100 && refused > 1000);
	forget(b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 0);
	vtd_page_free(b->machine, page, 1);
}

/* ---- what hardware reads in memory ---- */

/* Every word on the way to the page, at its ends: a reason that has a name, or a page that is there. */
static void test_tables(void **state)
{
	struct bench *b = *state;
	u64 words[40], at = load(b->machine, b->entry + 16) & VTD_PE_ADDRESS_MASK;
	unsigned int count = 0;
	struct vtd_fault fault;

	words[count++] = b->root + (SID >> 8) * 16;
	for (int i = 0; i < 4; i++)
		words[count++] = b->context + (SID & 0x7f) * 32 + (u64)i * 8;
	words[count++] = b->directory + PASID / 64 * 8;
	for (int i = 0; i < 8; i++)
		words[count++] = b->entry + (u64)i * 8;
	for (int level = 4; level > 0; level--) {
		words[count++] = at + index_at(VIRTUAL, level);
		at = load(b->machine, at + index_at(VIRTUAL, level)) & VTD_PE_ADDRESS_MASK;
	}
	for (unsigned int w = 0; w < count; w++) {
		u64 good = load(b->machine, words[w]);

		for (size_t i = 0; i < ENDS + 64; i++) {
			u64 value = i < ENDS ? ends[i] : good ^ 1ULL << (i - ENDS);
			int result;

			/* Beside what it is, and instead of it. */
			store(b->machine, words[w], i < ENDS ? good | value : value);
			forget(b);
			result = vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, NULL);
			assert_true(result >= 0);
			assert_true(result == 0 || strcmp(vtd_fault_name(result), "unknown") != 0);
			store(b->machine, words[w], value);
			forget(b);
			result = vtd_dma(b->dev, PASID, VIRTUAL, VTD_DMA_READ, NULL);
			assert_true(result == 0 || strcmp(vtd_fault_name(result), "unknown") != 0);
			while (vtd_fault_read(b->iommu, &fault))
				assert_string_not_equal(vtd_fault_name((int)fault.reason),
							"unknown");
		}
		store(b->machine, words[w], good);
		forget(b);
		assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	}
}

/* ---- what is handed to the driver ---- */

/* Each 32 bits of a binding: bound and unbound again, or refused; the set has its PASID as before. */
static void test_bindings(void **state)
{
	struct host *h = *state;
	struct iommu_gpasid_bind_data good = binding_of(h), data;
	u64 blocks, pages;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	blocks = vtd_blocks_used();
	pages = vtd_pages_used(h->machine);
	for (size_t at = 0; at + 4 <= sizeof(good); at += 4)
		for (size_t i = 0; i < ENDS; i++) {
			u32 value = (u32)ends[i];
			int error;

			data = good;
			memcpy((char *)&data + at, &value, 4);
			error = intel_svm_bind_gpasid(h->domain, h->dev, &data);
			if (error == 0)
				assert_int_equal(intel_svm_unbind_gpasid(h->dev, (u32)data.hpasid),
						 0);
			else
				assert_int_equal(error, -EINVAL);
			assert_int_equal(vtd_blocks_used(), blocks);
			assert_int_equal(vtd_pages_used(h->machine), pages);
			assert_int_equal(ioasid_find_spid(h->pasid), INVALID_IOASID);
		}
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* Each 32 bits of an invalidation: nothing but caches changes, whatever it says. */
static void test_invalidations(void **state)
{
	struct host *h = *state;
	struct iommu_cache_invalidate_info good = { .argsz = sizeof(good),
						    .version = 1,
						    .cache = 1,
						    .granularity = IOMMU_INV_GRANU_ADDR },
					   info;
	u64 blocks;

	good.granu.addr_info = (struct iommu_inv_addr_info){
		IOMMU_INV_ADDR_FLAGS_PASID, 0, GUEST_PASID, GUEST_ADDRESS, VTD_PAGE_SIZE, 1
	};
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(dma(h, h->dev), 0);
	assert_int_equal(intel_iommu_sva_invalidate(h->domain, h->dev, &good), 0);
	blocks = vtd_blocks_used();
	for (u8 granularity = 0; granularity <= IOMMU_INV_GRANU_NR; granularity++)
		for (size_t at = 0; at + 4 <= sizeof(good); at += 4)
			for (size_t i = 0; i < ENDS; i++) {
				u32 value = (u32)ends[i];
				int error;

				info = good;
				info.granularity = granularity;
				memcpy((char *)&info + at, &value, 4);
				error = intel_iommu_sva_invalidate(h->domain, h->dev, &info);
				assert_true(error == 0 || error == -EINVAL);
				if (granularity == IOMMU_INV_GRANU_NR && at != 8)
					assert_int_equal(error, -EINVAL);
				assert_int_equal(dma(h, h->dev), 0);
			}
	assert_int_equal(vtd_blocks_used(), blocks);
	assert_int_equal(stats_of(h->iommu).stale_hits, 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* Only its own answer ends a request. */
static int keep(struct iommu_fault *fault, void *data)
{
	*(struct iommu_fault *)data = *fault;
	return 0;
}

static void test_answers(void **state)
{
	struct host *h = *state;
	struct iommu_page_response good = { sizeof(good),
					    IOMMU_PAGE_RESP_VERSION_1,
					    IOMMU_PAGE_RESP_PASID_VALID,
					    h->pasid,
					    0,
					    IOMMU_PAGE_RESP_INVALID },
				   msg;
	u64 missing = GUEST_ADDRESS + VTD_PAGE_SIZE;
	struct iommu_fault fault;

	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, keep, &fault), 0);
	assert_int_equal(read_dma(h->dev, h->pasid, missing), -EAGAIN);
	good.grpid = fault.prm.grpid;
	for (size_t at = 0; at + 4 <= sizeof(good); at += 4)
		for (size_t i = 0; i < ENDS; i++) {
			u32 value = (u32)ends[i];

			/* A larger structure is one of the future; codes 0 to 2 are answers. */
			if ((at == 0 && value >= sizeof(good)) || (at == 20 && value <= 2))
				continue;
			msg = good;
			memcpy((char *)&msg + at, &value, 4);
			if (memcmp(&msg, &good, sizeof(msg)) == 0)
				continue;
			assert_int_equal(iommu_page_response(h->dev, &msg), -EINVAL);
			assert_int_equal(read_dma(h->dev, h->pasid, missing), -EAGAIN);
		}
	assert_int_equal(iommu_page_response(h->dev, NULL), -EINVAL);
	assert_int_equal(iommu_page_response(h->dev, &good), 0);
	assert_true(read_dma(h->dev, h->pasid, missing) > 0);
	assert_int_equal(iommu_page_response(h->dev, &good), -EINVAL);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

/* Each 32 bits of a fault that somebody reports: told as it is, or refused and not told. */
static int count_told(struct iommu_fault *fault, void *data)
{
	(void)fault;
	++*(int *)data;
	return -1;
}

static void test_reports(void **state)
{
	struct host *h = *state;
	struct iommu_fault_event good, event;
	int told = 0;
	u64 blocks;

	memset(&good, 0, sizeof(good));
	good.fault.type = IOMMU_FAULT_PAGE_REQ;
	good.fault.prm.flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
			       IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	good.fault.prm.pasid = h->pasid;
	good.fault.prm.perm = IOMMU_FAULT_PERM_READ;
	good.fault.prm.addr = GUEST_ADDRESS;
	assert_int_equal(bind(h, h->dev), 0);
	assert_int_equal(iommu_register_device_fault_handler(h->dev, count_told, &told), 0);
	blocks = vtd_blocks_used();
	for (size_t at = 0; at + 4 <= sizeof(good.fault); at += 4)
		for (size_t i = 0; i < ENDS; i++) {
			u32 value = (u32)ends[i];
			int before = told, error;

			event = good;
			memcpy((char *)&event.fault + at, &value, 4);
			error = iommu_report_device_fault(h->dev, &event);
			assert_int_equal(error, told > before ? -1 : -EINVAL);
			assert_int_equal(vtd_blocks_used(), blocks);
		}
	assert_true(told > 0);
	assert_int_equal(iommu_unregister_device_fault_handler(h->dev), 0);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
}

static void test_mappings(void **state)
{
	struct host *h = *state;
	struct iommu_domain *domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	u64 blocks = vtd_blocks_used(), pages = vtd_pages_used(h->machine);

	for (size_t i = 0; i < ENDS; i++)
		for (int prot = -1; prot <= 8; prot++) {
			bool is_prot = prot > 0 && prot <= (IOMMU_READ | IOMMU_WRITE);
			int error;

			assert_int_equal(iommu_map(domain, 0, 0, (size_t)ends[i], prot), -EINVAL);
			assert_int_equal(iommu_map(domain, 0, ends[i], VTD_PAGE_SIZE, prot),
					 ends[i] == 0 && is_prot ? 0 : -EINVAL);
			iommu_unmap(domain, 0, VTD_PAGE_SIZE);
			error = iommu_map(domain, ends[i], 0, VTD_PAGE_SIZE, prot);
			if (error == 0)
				assert_int_equal(iommu_unmap(domain, ends[i], VTD_PAGE_SIZE),
						 VTD_PAGE_SIZE);
			else
				assert_int_equal(error, -EINVAL);
			assert_true(iommu_iova_to_phys(domain, ends[i]) == 0);
			assert_int_equal(iommu_unmap(domain, ends[i], (size_t)ends[i]), 0);
		}
	iommu_domain_free(domain);
	assert_int_equal(vtd_blocks_used(), blocks - 1);
	assert_true(vtd_pages_used(h->machine) < pages);
}

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT);
}

static int setup_pri(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
}

#define HARDWARE(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
#define DRIVER(name) cmocka_unit_test_setup_teardown(name, setup_pri, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configurations),
		HARDWARE(test_devices),
		HARDWARE(test_requests),
		HARDWARE(test_memory),
		HARDWARE(test_descriptors),
		HARDWARE(test_tables),
		DRIVER(test_bindings),
		DRIVER(test_invalidations),
		DRIVER(test_answers),
		DRIVER(test_reports),
		DRIVER(test_mappings),
	};

	return cmocka_run_group_tests_name("vtd fields", tests, NULL, NULL);
}
