// SPDX-License-Identifier: MIT
// A driver of one's own: registers, queues and interrupts alone, beside a unit of the library's driver.

#include <sched.h>
#include <stdatomic.h>
#include "vtd_bench.h"

#define MISSING (VIRTUAL + VTD_PAGE_SIZE)

static u64 get(struct intel_iommu *iommu, u32 offset)
{
	return vtd_register_read(iommu, offset, 8);
}

static u32 get32(struct intel_iommu *iommu, u32 offset)
{
	return (u32)vtd_register_read(iommu, offset, 4);
}

static void set(struct intel_iommu *iommu, u32 offset, u64 value)
{
	assert_int_equal(vtd_register_write(iommu, offset, 8, value), 0);
}

static void set32(struct intel_iommu *iommu, u32 offset, u32 value)
{
	assert_int_equal(vtd_register_write(iommu, offset, 4, value), 0);
}

#define GCMD_TE 0x80000000u
#define GCMD_SRTP 0x40000000u
#define GCMD_QIE 0x04000000u
#define TTM_SCALABLE (1ULL << 10)
#define FSTS_PFO 0x1
#define FSTS_PPF 0x2
#define FSTS_IQE 0x10

/* What the interrupts told. */
static int told[3];

static void count_interrupt(struct intel_iommu *iommu, enum vtd_interrupt which, void *data)
{
	assert_ptr_equal(data, told);
	assert_non_null(iommu);
	told[which]++;
}

/* Everything by registers: root, queue of @order pages, request queue, interrupts unmasked. */
struct driver {
	struct intel_iommu *iommu;
	char *memory;
	u64 queue, requests, status;
	u64 tail, slots;
};

static void take_over(struct driver *d, struct bench *b)
{
	u32 which;

	memset(told, 0, sizeof(told));
	d->iommu = b->iommu;
	d->memory = vtd_memory_map(b->machine);
	d->queue = vtd_page_alloc(b->machine, 2);
	d->requests = vtd_page_alloc(b->machine, 4);
	d->status = page_of(b->machine);
	d->tail = 0;
	d->slots = 256;
	assert_int_equal(vtd_unit_set_root(b->iommu, 0), 0);
	for (which = 0; which < 3; which++)
		assert_int_equal(vtd_unit_set_interrupt(d->iommu, which, count_interrupt, told), 0);
	set32(d->iommu, VTD_REG_FECTL, 0);
	set32(d->iommu, VTD_REG_IECTL, 0);
	set32(d->iommu, VTD_REG_PECTL, 0);
	set(d->iommu, VTD_REG_IQT, 0);
	set(d->iommu, VTD_REG_IQA, d->queue | 1 << 11 | 1);
	set32(d->iommu, VTD_REG_GCMD, GCMD_QIE);
	set(d->iommu, VTD_REG_PQH, 0);
	set(d->iommu, VTD_REG_PQT, 0);
	set(d->iommu, VTD_REG_PQA, d->requests | 2);
	set(d->iommu, VTD_REG_RTADDR, b->root | TTM_SCALABLE);
	set32(d->iommu, VTD_REG_GCMD, GCMD_QIE | GCMD_SRTP);
	set32(d->iommu, VTD_REG_GCMD, GCMD_QIE | GCMD_TE);
	assert_true(get32(d->iommu, VTD_REG_GSTS) == (GCMD_TE | GCMD_SRTP | GCMD_QIE));
}

static void leave(struct driver *d)
{
	u32 which;

	set32(d->iommu, VTD_REG_GCMD, 0);
	for (which = 0; which < 3; which++)
		assert_int_equal(vtd_unit_set_interrupt(d->iommu, which, NULL, NULL), 0);
}

static void put(struct driver *d, struct vtd_inv_desc desc)
{
	memcpy(d->memory + d->queue + d->tail * 32, &desc, 32);
	d->tail = (d->tail + 1) % d->slots;
	set(d->iommu, VTD_REG_IQT, d->tail * 32);
}

static int setup(void **state)
{
	return bench_setup(state, 0, VTD_CAP_DEFAULT);
}

static int setup_pri(void **state)
{
	int error = bench_setup(state, VTD_DEV_ATS | VTD_DEV_PRI, VTD_CAP_DEFAULT);
	struct bench *b = *state;
	u64 context = b->context + (SID & 0x7f) * 32;

	store(b->machine, context, load(b->machine, context) | CTX_PRE);
	return error;
}

static void test_what_the_unit_says_it_can(void **state)
{
	struct bench *b = *state;
	struct vtd_unit_config full = { VTD_CAP_DEFAULT | VTD_CAP_FL5LP | VTD_CAP_SRS |
						VTD_CAP_EAFS | VTD_CAP_MTS | VTD_CAP_SL5LP |
						VTD_CAP_SLADS,
					16, NULL, NULL };
	struct intel_iommu *iommu = vtd_unit_create(b->machine, &full);
	u64 cap = get(b->iommu, VTD_REG_CAP), ecap = get(b->iommu, VTD_REG_ECAP);

	assert_int_equal(cap >> 8 & 0x1f, 0x6); /* SAGAW: 39 and 48 bits */
	assert_int_equal(cap >> 48 & 0x3f, 18); /* MAMV */
	assert_int_equal(cap >> 40 & 0xff, 63); /* NFR */
	assert_int_equal((cap >> 24 & 0x3ff) * 16, VTD_REG_FRCD);
	assert_int_equal(cap >> 60 & 1, 0);
	assert_int_equal(ecap >> 35 & 0x1f, 19); /* PSS */
	assert_true((ecap >> 43 & 1) && (ecap >> 46 & 3) == 3);
	assert_int_equal(ecap >> 45 & 1, 0);
	cap = get(iommu, VTD_REG_CAP);
	ecap = get(iommu, VTD_REG_ECAP);
	assert_int_equal(cap >> 8 & 0x1f, 0xe);
	assert_int_equal(cap >> 60 & 1, 1);
	assert_int_equal(ecap >> 35 & 0x1f, 15);
	assert_true((ecap >> 45 & 1) && (ecap >> 34 & 1) && (ecap >> 31 & 1) && (ecap >> 25 & 1));
	/* 32 bits at a time as well. */
	assert_true(get32(iommu, VTD_REG_CAP + 4) == cap >> 32);
	assert_true(get32(iommu, VTD_REG_CAP) == (cap & 0xffffffff));
	assert_int_equal(vtd_unit_destroy(iommu), 0);
}

static void test_bad_registers(void **state)
{
	struct bench *b = *state;

	assert_true(vtd_register_read(NULL, 0, 4) == ~0ULL);
	assert_true(vtd_register_read(b->iommu, 4, 8) == ~0ULL);
	assert_true(vtd_register_read(b->iommu, 0, 2) == ~0ULL);
	assert_true(vtd_register_read(b->iommu, VTD_REG_SPACE, 4) == ~0ULL);
	assert_true(vtd_register_read(b->iommu, 0xff8, 8) == 0);
	assert_int_equal(vtd_register_write(NULL, 0, 4, 0), -EINVAL);
	assert_int_equal(vtd_register_write(b->iommu, 2, 4, 0), -EINVAL);
	assert_int_equal(vtd_register_write(b->iommu, VTD_REG_SPACE, 8, 0), -EINVAL);
	assert_int_equal(vtd_register_write(b->iommu, VTD_REG_FSTS, 4, 1ULL << 32), -EINVAL);
	assert_int_equal(vtd_unit_set_interrupt(NULL, 0, NULL, NULL), -EINVAL);
	assert_int_equal(vtd_unit_set_interrupt(b->iommu, 3, NULL, NULL), -EINVAL);
	assert_null(vtd_memory_map(NULL));
}

static void test_reserved_bits_of_registers(void **state)
{
	struct bench *b = *state;
	static const u32 events[] = { VTD_REG_FECTL, VTD_REG_PECTL, VTD_REG_IECTL };
	size_t i;

	set(b->iommu, VTD_REG_RTADDR, ~0ULL);
	assert_true(get(b->iommu, VTD_REG_RTADDR) == 0x000ffffffffffc00);
	for (i = 0; i < 3; i++) {
		set32(b->iommu, events[i] + 4, ~0u);
		set(b->iommu, events[i] + 8, ~0ULL);
		assert_true(get32(b->iommu, events[i] + 4) == 0xffff);
		assert_true(get(b->iommu, events[i] + 8) == ~3ULL);
	}
	set(b->iommu, VTD_REG_CCMD, ~(1ULL << 63));
	assert_true(get(b->iommu, VTD_REG_CCMD) == (3ULL << 61 | 0x3ffffffff));
}

static void test_root_counts_when_it_is_set(void **state)
{
	struct bench *b = *state;
	struct driver d;

	take_over(&d, b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	set(d.iommu, VTD_REG_RTADDR, 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	set32(d.iommu, VTD_REG_GCMD, GCMD_QIE);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_ROOT_NOT_PRESENT);
	/* A root table of another mode is none. */
	set(d.iommu, VTD_REG_RTADDR, b->root);
	set32(d.iommu, VTD_REG_GCMD, GCMD_QIE | GCMD_SRTP);
	set32(d.iommu, VTD_REG_GCMD, GCMD_QIE | GCMD_TE);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_ROOT_MODE);
	leave(&d);
}

static void test_queue_of_ones_own(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc wait = {
		{ VTD_INV_WAIT | VTD_INV_WAIT_SW | VTD_INV_WAIT_IF | 77ULL << 32, 0, 0, 0 }
	};
	struct driver d;
	int round;

	take_over(&d, b);
	wait.qw[1] = d.status + 4;
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry, 0);
	put(&d, vtd_inv_pasid_cache(VTD_INV_PASID_ONE, DID, PASID));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	put(&d, wait);
	assert_int_equal(*(u32 *)(d.memory + d.status + 4), 77);
	assert_int_equal(told[VTD_INTERRUPT_INVALIDATION], 1);
	assert_int_equal(get32(d.iommu, VTD_REG_ICS), 1);
	/* Told once until software says that it knows. */
	put(&d, wait);
	assert_int_equal(told[VTD_INTERRUPT_INVALIDATION], 1);
	set32(d.iommu, VTD_REG_ICS, 1);
	put(&d, wait);
	assert_int_equal(told[VTD_INTERRUPT_INVALIDATION], 2);
	/* Around the ring. */
	for (round = 0; round < 600; round++)
		put(&d, vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
	assert_int_equal(get(d.iommu, VTD_REG_IQH), d.tail * 32);
	assert_int_equal(get(d.iommu, VTD_REG_IQA), d.queue | 1 << 11 | 1);
	/* The unit's own queue is not for a program that has one. */
	assert_int_equal(vtd_inv_submit(d.iommu, &wait, 1), -EBUSY);
	leave(&d);
	assert_int_equal(vtd_inv_submit(d.iommu, &wait, 1), 0);
}

/* As qi_check_fault() does: another descriptor in the place, the error cleared, and on it goes. */
static void test_queue_stops_until_the_error_is_cleared(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc bad = { { 0xf, 0, 0, 0 } };
	struct vtd_inv_desc wait = { { VTD_INV_WAIT | VTD_INV_WAIT_SW | 5ULL << 32, 0, 0, 0 } };
	struct driver d;
	u64 place;

	take_over(&d, b);
	wait.qw[1] = d.status;
	place = d.tail * 32;
	put(&d, bad);
	assert_int_equal(get32(d.iommu, VTD_REG_FSTS) & FSTS_IQE, FSTS_IQE);
	assert_int_equal(get(d.iommu, VTD_REG_IQH), place);
	assert_int_equal(get(d.iommu, VTD_REG_IQER), 3);
	assert_int_equal(told[VTD_INTERRUPT_FAULT], 1);
	put(&d, wait);
	assert_int_equal(load(b->machine, d.status), 0);
	bad = vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0);
	memcpy(d.memory + d.queue + place, &bad, 32);
	set32(d.iommu, VTD_REG_FSTS, FSTS_IQE);
	assert_int_equal(load(b->machine, d.status), 5);
	assert_int_equal(get32(d.iommu, VTD_REG_FSTS) & FSTS_IQE, 0);
	assert_int_equal(get(d.iommu, VTD_REG_IQER), 0);
	leave(&d);
}

/* The queue has stopped for this reason (IQEI), with its head at @head. */
static void expect_stop(struct driver *d, int reason, u64 head)
{
	assert_int_equal(get32(d->iommu, VTD_REG_FSTS) & FSTS_IQE, FSTS_IQE);
	assert_int_equal(get(d->iommu, VTD_REG_IQER) & 15, reason);
	assert_true(get(d->iommu, VTD_REG_IQH) == head);
}

/* Writes the tail that was meant, and goes on. */
static void go_on(struct driver *d, u64 tail)
{
	set(d->iommu, VTD_REG_IQT, tail);
	set32(d->iommu, VTD_REG_FSTS, FSTS_IQE);
	assert_int_equal(get32(d->iommu, VTD_REG_FSTS) & FSTS_IQE, 0);
	assert_true(get(d->iommu, VTD_REG_IQH) == tail);
}

/* A tail that cannot be: nothing is carried out. */
static void test_tail_that_cannot_be(void **state)
{
	struct bench *b = *state;
	struct driver d;
	u64 done;

	take_over(&d, b);
	done = stats_of(d.iommu).invalidations;
	set(d.iommu, VTD_REG_IQT, 0x2000); /* two pages are the queue */
	expect_stop(&d, 1, 0);
	assert_true(get(d.iommu, VTD_REG_IQT) == 0x2000);
	go_on(&d, 0);
	set(d.iommu, VTD_REG_IQT, 0x10); /* between two of 256 bits */
	expect_stop(&d, 6, 0);
	assert_true(get(d.iommu, VTD_REG_IQT) == 0x10);
	/* Cleared alone, it stops again. */
	set32(d.iommu, VTD_REG_FSTS, FSTS_IQE);
	expect_stop(&d, 6, 0);
	go_on(&d, 0);
	assert_true(stats_of(d.iommu).invalidations == done);
	/* Bits that are none of the register's. */
	set(d.iommu, VTD_REG_IQT, ~0x7fff0ULL);
	assert_true(get(d.iommu, VTD_REG_IQT) == 0);
	leave(&d);
}

static void test_why_a_queue_stops(void **state)
{
	struct bench *b = *state;
	const struct {
		u64 low, high;
		int reason;
	} rows[] = {
		{ 0, 0, 3 },
		{ 10, 0, 3 },
		{ VTD_INV_WAIT | 1 << 9, 0, 3 },
		{ VTD_INV_WAIT | 1 << 8, 0, 4 },
		{ VTD_INV_WAIT | VTD_INV_WAIT_SW, MEMORY, 4 },
		{ VTD_INV_IOTLB, 0, 4 },
		{ VTD_INV_IOTLB | 3 << VTD_INV_GRAN_SHIFT, 19, 4 },
	};
	struct driver d;
	u64 place;
	size_t i;

	take_over(&d, b);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		place = d.tail * 32;
		put(&d, (struct vtd_inv_desc){ { rows[i].low, rows[i].high, 0, 0 } });
		expect_stop(&d, rows[i].reason, place);
		*(u64 *)(d.memory + d.queue + place) = VTD_INV_WAIT;
		*(u64 *)(d.memory + d.queue + place + 8) = 0;
		go_on(&d, place + 32);
	}
	/* A queue outside memory. */
	set(d.iommu, VTD_REG_IQA, MEMORY | 1 << 11);
	set(d.iommu, VTD_REG_IQT, 32);
	expect_stop(&d, 2, 0);
	go_on(&d, 0);
	leave(&d);
}

/* IQH is 0 while there is no queue: enabled again, it begins at its start. */
static void test_head_is_reset_with_the_queue(void **state)
{
	struct bench *b = *state;
	struct driver d;
	u64 done;

	take_over(&d, b);
	put(&d, vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
	put(&d, vtd_inv_iotlb(VTD_INV_IOTLB_GLOBAL, 0));
	assert_int_equal(get(d.iommu, VTD_REG_IQH), 64);
	set32(d.iommu, VTD_REG_GCMD, GCMD_TE);
	assert_int_equal(get(d.iommu, VTD_REG_IQH), 0);
	assert_int_equal(get(d.iommu, VTD_REG_IQT), 64);
	done = stats_of(d.iommu).invalidations;
	set32(d.iommu, VTD_REG_GCMD, GCMD_TE | GCMD_QIE);
	assert_int_equal(get(d.iommu, VTD_REG_IQH), 64);
	assert_true(stats_of(d.iommu).invalidations == done + 2);
	leave(&d);
}

static void test_queue_of_short_descriptors(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc desc = vtd_inv_pasid_cache(VTD_INV_PASID_GLOBAL, 0, 0);
	struct driver d;

	take_over(&d, b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, b->entry, 0);
	set(d.iommu, VTD_REG_IQA, d.queue);
	memset(d.memory + d.queue, 0xff, 64);
	memcpy(d.memory + d.queue, &desc, 16);
	/* Descriptors of scalable mode have 256 bits. */
	set(d.iommu, VTD_REG_IQT, 16);
	expect_stop(&d, 5, 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	/* With a root table of another mode, 128 will do. */
	set(d.iommu, VTD_REG_RTADDR, b->root);
	set32(d.iommu, VTD_REG_GCMD, GCMD_QIE | GCMD_SRTP | GCMD_TE);
	set32(d.iommu, VTD_REG_FSTS, FSTS_IQE);
	assert_int_equal(get(d.iommu, VTD_REG_IQH), 16);
	set(d.iommu, VTD_REG_RTADDR, b->root | TTM_SCALABLE);
	set32(d.iommu, VTD_REG_GCMD, GCMD_QIE | GCMD_SRTP | GCMD_TE);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	leave(&d);
}

static void test_contexts_without_a_queue(void **state)
{
	struct bench *b = *state;
	u64 context = b->context + (SID & 0x7f) * 32;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	store(b->machine, context, 0);
	set(b->iommu, VTD_REG_CCMD, 1ULL << 63 | 3ULL << 61 | (SID + 1) << 16);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	set(b->iommu, VTD_REG_CCMD, 1ULL << 63 | 3ULL << 61 | SID << 16);
	assert_true(get(b->iommu, VTD_REG_CCMD) >> 59 == (3 << 2 | 3));
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_CONTEXT_NOT_PRESENT);
}

/* As dmar_fault() does: from the index on, each record cleared, then the status. */
static void test_faults_by_registers(void **state)
{
	struct bench *b = *state;
	struct driver d;
	u32 status, index, i;

	take_over(&d, b);
	for (i = 0; i < 70; i++)
		read_dma(b->dev, PASID, MISSING + i * VTD_PAGE_SIZE);
	/* The first, and the first that was lost. */
	assert_int_equal(told[VTD_INTERRUPT_FAULT], 2);
	status = get32(d.iommu, VTD_REG_FSTS);
	assert_int_equal(status & 3, FSTS_PPF | FSTS_PFO);
	index = status >> 8 & 0xff;
	for (i = 0; i < 64; i++) {
		u32 at = VTD_REG_FRCD + (index + i) % 64 * 16;

		assert_true(get32(d.iommu, at + 12) >> 31);
		assert_int_equal(get32(d.iommu, at + 12) & 0xff, VTD_FAULT_FL_NOT_PRESENT);
		assert_int_equal(get32(d.iommu, at + 12) >> 8 & 0xfffff, PASID);
		assert_int_equal(get32(d.iommu, at + 8) & 0xffff, SID);
		assert_true(get(d.iommu, at) == MISSING + i * VTD_PAGE_SIZE);
		set32(d.iommu, at + 12, 1u << 31);
		assert_int_equal(get32(d.iommu, at + 12), 0);
	}
	/* Until the overflow is cleared, nothing is recorded. */
	read_dma(b->dev, PASID, MISSING);
	assert_int_equal(get32(d.iommu, VTD_REG_FSTS) & 3, FSTS_PFO);
	set32(d.iommu, VTD_REG_FSTS, FSTS_PFO);
	read_dma(b->dev, PASID, MISSING);
	assert_int_equal(get32(d.iommu, VTD_REG_FSTS) & 3, FSTS_PPF);
	assert_int_equal(told[VTD_INTERRUPT_FAULT], 3);
	/* 64 bits at a time as well. */
	index = get32(d.iommu, VTD_REG_FSTS) >> 8 & 0xff;
	set(d.iommu, VTD_REG_FRCD + index * 16 + 8, 1ULL << 63);
	assert_int_equal(get32(d.iommu, VTD_REG_FSTS) & 3, 0);
	leave(&d);
}

static void test_interrupts_wait_while_they_are_masked(void **state)
{
	struct bench *b = *state;
	struct driver d;

	take_over(&d, b);
	set32(d.iommu, VTD_REG_FECTL, 1u << 31);
	read_dma(b->dev, PASID, MISSING);
	assert_int_equal(told[VTD_INTERRUPT_FAULT], 0);
	assert_true(get32(d.iommu, VTD_REG_FECTL) == 3u << 30);
	set32(d.iommu, VTD_REG_FECTL, 0);
	assert_int_equal(told[VTD_INTERRUPT_FAULT], 1);
	assert_int_equal(get32(d.iommu, VTD_REG_FECTL), 0);
	set32(d.iommu, VTD_REG_FEDATA, 0x41);
	set(d.iommu, VTD_REG_FEADDR, 0x1fee00000);
	assert_int_equal(get32(d.iommu, VTD_REG_FEDATA), 0x41);
	assert_int_equal(get32(d.iommu, VTD_REG_FEUADDR), 1);
	leave(&d);
}

/* IP goes with the status that it stands for: what is serviced while it is masked is told to nobody. */
static void test_interrupts_end_with_their_status(void **state)
{
	struct bench *b = *state;
	static const u32 controls[] = { VTD_REG_FECTL, VTD_REG_PECTL, VTD_REG_IECTL };
	struct driver d;
	u32 which;

	take_over(&d, b);
	for (which = 0; which < 3; which++)
		set32(d.iommu, controls[which], 1u << 31);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(vtd_page_request(b->dev, PASID, MISSING, VTD_DMA_READ, 3, true), 0);
	assert_int_equal(read_dma(b->dev, PASID + 1, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	put(&d, (struct vtd_inv_desc){ { VTD_INV_WAIT | VTD_INV_WAIT_IF, 0, 0, 0 } });
	for (which = 0; which < 3; which++)
		assert_true(get32(d.iommu, controls[which]) == 3u << 30);
	set(d.iommu, VTD_REG_FRCD + 8, 1ULL << 63);
	set32(d.iommu, VTD_REG_PRS, 1);
	set32(d.iommu, VTD_REG_ICS, 1);
	for (which = 0; which < 3; which++) {
		assert_true(get32(d.iommu, controls[which]) == 1u << 31);
		set32(d.iommu, controls[which], 0);
		assert_int_equal(told[which], 0);
	}
	/* What comes after it is told again. */
	assert_int_equal(read_dma(b->dev, PASID + 1, VIRTUAL), VTD_FAULT_PASID_NOT_PRESENT);
	put(&d, (struct vtd_inv_desc){ { VTD_INV_WAIT | VTD_INV_WAIT_IF, 0, 0, 0 } });
	assert_int_equal(vtd_page_request(b->dev, PASID, MISSING + 4096, VTD_DMA_READ, 4, true), 0);
	for (which = 0; which < 3; which++)
		assert_int_equal(told[which], 1);
	leave(&d);
}

/* ---- page requests ---- */

/* A queue of 512 requests is emptied by software: the head moves, and nothing waits for ever. */
static void test_request_queue_of_ones_own(void **state)
{
	struct bench *b = *state;
	struct vtd_inv_desc answer;
	struct driver d;
	u64 head = 0, seen = 0;
	u32 i;

	take_over(&d, b);
	for (i = 0; i < 2000; i++) {
		u64 *request;

		assert_int_equal(read_dma(b->dev, PASID, MISSING + i * VTD_PAGE_SIZE), -EAGAIN);
		if (i % 16 != 15)
			continue;
		assert_int_equal(get32(d.iommu, VTD_REG_PRS), 1);
		set32(d.iommu, VTD_REG_PRS, 1);
		while (head != get(d.iommu, VTD_REG_PQT)) {
			request = (u64 *)(d.memory + d.requests + head);
			assert_int_equal(request[0] & 0xff, 1);
			assert_int_equal(request[0] >> 16 & 0xffff, SID);
			assert_int_equal(request[0] >> 32 & 0xfffff, PASID);
			assert_true((request[1] & VTD_PE_ADDRESS_MASK) ==
				    MISSING + seen * VTD_PAGE_SIZE);
			/* A code that is none is a failure. */
			answer = vtd_inv_page_response(SID, PASID, request[1] >> 3 & 0x1ff, 1);
			if (seen % 2 == 0)
				answer.qw[0] |= 7 << 12;
			put(&d, answer);
			assert_int_equal(vtd_page_answer(b->dev, PASID, request[1] >> 3 & 0x1ff),
					 seen % 2 ? 1 : 15);
			head = (head + 32) & 0x3fff;
			seen++;
		}
		set(d.iommu, VTD_REG_PQH, head);
	}
	assert_int_equal(seen, 2000);
	assert_int_equal(told[VTD_INTERRUPT_PAGE_REQUEST], 2000 / 16);
	assert_false(vtd_fault_read(d.iommu, &(struct vtd_fault){ 0 }));
	leave(&d);
}

static void answer_in_interrupt(struct intel_iommu *iommu, enum vtd_interrupt which, void *data)
{
	struct driver *d = data;
	u64 head = get(iommu, VTD_REG_PQH), *request = (u64 *)(d->memory + d->requests + head);
	u64 page = *(u64 *)(d->memory + d->status);

	assert_int_equal(which, VTD_INTERRUPT_PAGE_REQUEST);
	set32(iommu, VTD_REG_PRS, 1);
	*(u64 *)(d->memory + page) = *(u64 *)(d->memory + d->status + 8);
	set(iommu, VTD_REG_PQH, (head + 32) & 0x3fff);
	put(d, vtd_inv_page_response(SID, PASID, request[1] >> 3 & 0x1ff, 0));
	told[which]++;
}

/* The page is there when the interrupt's handler returns: the request is tried again at once. */
static void test_page_comes_in_the_interrupt(void **state)
{
	struct bench *b = *state;
	struct driver d;
	u64 physical;

	take_over(&d, b);
	assert_int_equal(vtd_unit_set_interrupt(d.iommu, VTD_INTERRUPT_PAGE_REQUEST,
						answer_in_interrupt, &d),
			 0);
	store(b->machine, d.status, b->pages[1] + index_at(MISSING, 1));
	store(b->machine, d.status + 8, b->pages[0] | PT_P | PT_U);
	assert_int_equal(vtd_dma(b->dev, PASID, MISSING, VTD_DMA_READ, &physical), 0);
	assert_true(physical == b->pages[0]);
	assert_int_equal(told[VTD_INTERRUPT_PAGE_REQUEST], 1);
	leave(&d);
}

static void test_request_queue_overflows(void **state)
{
	struct bench *b = *state;
	struct driver d;
	u32 i;

	take_over(&d, b);
	set(d.iommu, VTD_REG_PQH, 0x3fe0); /* room for 510 */
	set(d.iommu, VTD_REG_PQT, 0x3fc0 - 3 * 32);
	for (i = 0; i < 5; i++)
		read_dma(b->dev, PASID, MISSING + i * VTD_PAGE_SIZE);
	assert_int_equal(get32(d.iommu, VTD_REG_PRS), 3);
	assert_int_equal(get(d.iommu, VTD_REG_PQT), 0x3fc0);
	/* Room alone does not help: the overflow is to be cleared. */
	set(d.iommu, VTD_REG_PQH, 0x3fc0);
	assert_int_equal(read_dma(b->dev, PASID, MISSING + 9 * VTD_PAGE_SIZE), -EAGAIN);
	assert_int_equal(get(d.iommu, VTD_REG_PQT), 0x3fc0);
	set32(d.iommu, VTD_REG_PRS, 3);
	assert_int_equal(read_dma(b->dev, PASID, MISSING + 9 * VTD_PAGE_SIZE), -EAGAIN);
	assert_int_equal(get(d.iommu, VTD_REG_PQT), 0x3fe0);
	leave(&d);
}

/* Nobody is called for a unit that nobody has taken: what is asked stays in the queue. */
static void test_unit_of_nobody_is_left_alone(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_dma(b->dev, PASID, MISSING), -EAGAIN);
	assert_int_equal(vtd_unit_mask_page_requests(b->iommu, false), 0);
	assert_int_equal(read_dma(b->dev, PASID, MISSING), -EAGAIN);
	assert_int_equal(get(b->iommu, VTD_REG_PQT), 32);
	assert_int_equal(get(b->iommu, VTD_REG_PQH), 0);
}

/* ---- two drivers ---- */

static void test_one_unit_each(void **state)
{
	struct bench *b = *state;
	struct intel_iommu *ours = vtd_unit_create(b->machine, NULL);
	struct device *dev = vtd_device_create(ours, 0x8000, 0);
	struct iommu_domain *domain;
	struct driver d;
	u64 used;

	take_over(&d, b);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	used = get(d.iommu, VTD_REG_IQH);
	/* Whoever is at work on a unit keeps it. */
	assert_int_equal(intel_iommu_enable(d.iommu), -EBUSY);
	assert_int_equal(intel_iommu_enable(ours), 0);
	assert_int_equal(vtd_register_write(ours, VTD_REG_GCMD, 4, 0), -EBUSY);
	assert_int_equal(vtd_unit_set_interrupt(ours, 0, count_interrupt, NULL), -EBUSY);
	assert_true(get32(ours, VTD_REG_GSTS) == (GCMD_TE | GCMD_SRTP | GCMD_QIE));
	domain = vtd_domain_alloc(b->machine, IOMMU_DOMAIN_UNMANAGED);
	assert_int_equal(iommu_attach_device(domain, dev), 0);
	assert_int_equal(iommu_attach_device(domain, b->dev), -ENODEV);
	assert_int_equal(iommu_map(domain, 0, 0, VTD_PAGE_SIZE, IOMMU_READ), 0);
	assert_int_equal(iommu_unmap(domain, 0, VTD_PAGE_SIZE), VTD_PAGE_SIZE);
	iommu_detach_device(domain, dev);
	iommu_domain_free(domain);
	assert_int_equal(intel_iommu_disable(ours), 0);
	assert_int_equal(get(d.iommu, VTD_REG_IQH), used);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	leave(&d);
	assert_int_equal(vtd_device_destroy(dev), 0);
	assert_int_equal(vtd_unit_destroy(ours), 0);
}

/* Whoever gets a unit makes it forget what the last one's tables said, and so does who leaves it. */
static void test_unit_has_no_past(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(vtd_unit_set_root(b->iommu, 0), 0);
	assert_int_equal(intel_iommu_enable(b->iommu), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), VTD_FAULT_DIR_NOT_PRESENT);
	assert_int_equal(intel_iommu_disable(b->iommu), 0);
	assert_int_equal(vtd_unit_set_root(b->iommu, b->root), 0);
	assert_int_equal(read_dma(b->dev, PASID, VIRTUAL), 0);
	assert_int_equal(stats_of(b->iommu).stale_hits, 0);
}

/* What our driver sends when a PASID is torn down, by the kernel's rule. */
static int sent(struct host *h, u64 from, enum vtd_inv_type type, u32 granularity)
{
	u64 base = get(h->iommu, VTD_REG_IQA) & VTD_PE_ADDRESS_MASK;
	u64 end = get(h->iommu, VTD_REG_IQT);
	int count = 0;

	for (; from != end; from = (from + 32) & 0x1fff) {
		u64 low = load(h->machine, base + from);

		count += (low & 15) == type && (low >> VTD_INV_GRAN_SHIFT & 3) == granularity;
	}
	return count;
}

static void test_teardown_forgets_what_the_kernels_does(void **state)
{
	struct host *h = *state;
	int pasid;
	u64 from;

	/* Nested: the PASID's entry, and the domain's translations. */
	assert_int_equal(bind(h, h->dev), 0);
	from = get(h->iommu, VTD_REG_IQT);
	assert_int_equal(intel_svm_unbind_gpasid(h->dev, h->pasid), 0);
	assert_int_equal(sent(h, from, VTD_INV_PASID_CACHE, VTD_INV_PASID_ONE), 1);
	assert_int_equal(sent(h, from, VTD_INV_IOTLB, VTD_INV_IOTLB_DOMAIN), 1);
	assert_int_equal(sent(h, from, VTD_INV_PIOTLB, VTD_INV_PIOTLB_PASID), 0);
	/* The device, before its requests are drained, and again for what it was answered. */
	assert_int_equal(sent(h, from, VTD_INV_DEV_PTLB, 0), 2);
	/* A process: the PASID's translations. */
	assert_int_equal(intel_svm_bind_mm(h->dev, &pasid, 0, NULL), 0);
	from = get(h->iommu, VTD_REG_IQT);
	assert_int_equal(intel_svm_unbind_mm(h->dev, pasid), 0);
	assert_int_equal(sent(h, from, VTD_INV_PASID_CACHE, VTD_INV_PASID_ONE), 1);
	assert_int_equal(sent(h, from, VTD_INV_IOTLB, VTD_INV_IOTLB_DOMAIN), 0);
	assert_int_equal(sent(h, from, VTD_INV_PIOTLB, VTD_INV_PIOTLB_PASID), 1);
}

/* ---- the virtual command ---- */

static u64 echo_command(u64 command, void *data)
{
	*(u64 *)data = command;
	return VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, 42);
}

static void test_virtual_command_by_register(void **state)
{
	struct bench *b = *state;
	u64 command = 0;
	struct vtd_unit_config config = { VTD_CAP_DEFAULT, 20, echo_command, &command };
	struct intel_iommu *iommu = vtd_unit_create(b->machine, &config);

	assert_int_equal(get(b->iommu, VTD_REG_VCCAP), 0);
	assert_int_equal(get(iommu, VTD_REG_VCCAP), 1);
	assert_int_equal(get(iommu, VTD_REG_ECAP) >> 44 & 1, 1);
	set(iommu, VTD_REG_VCMD, VCMD_CMD_ALLOC);
	assert_int_equal(command, VCMD_CMD_ALLOC);
	assert_int_equal(VCMD_VRSP_RESULT_PASID(get(iommu, VTD_REG_VCRSP)), 42);
	set(iommu, VTD_REG_VCMD, VCMD_CMD_FREE | VCMD_CMD_OPERAND(42));
	assert_int_equal(VCMD_CMD_PASID(command), 42);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
}

/* ---- interrupts that run elsewhere ---- */

static atomic_int running, late;
static atomic_bool over, alive;

static void slow_interrupt(struct intel_iommu *iommu, enum vtd_interrupt which, void *data)
{
	int turn;

	(void)which, (void)data;
	atomic_fetch_add(&running, 1);
	for (turn = 0; turn < 50; turn++)
		sched_yield();
	if (!atomic_load(&alive))
		atomic_fetch_add(&late, 1);
	(void)iommu;
}

static void *keep_faulting(void *data)
{
	struct bench *b = data;
	struct vtd_fault fault;

	while (!atomic_load(&over)) {
		read_dma(b->dev, PASID, MISSING);
		vtd_fault_read(b->iommu, &fault);
	}
	return NULL;
}

static void test_no_interrupt_runs_once_it_is_taken_back(void **state)
{
	struct bench *b = *state;
	int round, rounds = getenv("IOASID_TEST_SLOW") ? 20 : 200;
	pthread_t thread;

	set32(b->iommu, VTD_REG_FECTL, 0);
	assert_int_equal(pthread_create(&thread, NULL, keep_faulting, b), 0);
	for (round = 0; round < rounds; round++) {
		int before = atomic_load(&running);

		atomic_store(&alive, true);
		assert_int_equal(vtd_unit_set_interrupt(b->iommu, VTD_INTERRUPT_FAULT,
							slow_interrupt, NULL),
				 0);
		while (atomic_load(&running) == before)
			sched_yield();
		assert_int_equal(vtd_unit_set_interrupt(b->iommu, VTD_INTERRUPT_FAULT, NULL, NULL),
				 0);
		atomic_store(&alive, false);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&late), 0);
}

static void destroy_in_interrupt(struct intel_iommu *iommu, enum vtd_interrupt which, void *data)
{
	struct bench *b = data;

	assert_int_equal(which, VTD_INTERRUPT_FAULT);
	assert_int_equal(vtd_device_destroy(b->dev), 0);
	assert_int_equal(vtd_unit_destroy(iommu), 0);
	assert_int_equal(vtd_machine_destroy(b->machine), 0);
}

static void test_interrupt_destroys_everything(void **state)
{
	void *mine = NULL;
	struct bench *b;

	(void)state;
	assert_int_equal(setup(&mine), 0);
	b = mine;
	set32(b->iommu, VTD_REG_FECTL, 0);
	assert_int_equal(vtd_unit_set_interrupt(b->iommu, VTD_INTERRUPT_FAULT, destroy_in_interrupt,
						b),
			 0);
	assert_int_equal(read_dma(b->dev, PASID, MISSING), VTD_FAULT_FL_NOT_PRESENT);
	assert_int_equal(vtd_blocks_used(), 0);
	free(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
#define TEST_PRI(name) cmocka_unit_test_setup_teardown(name, setup_pri, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_the_unit_says_it_can),
		TEST(test_bad_registers),
		TEST(test_reserved_bits_of_registers),
		TEST(test_root_counts_when_it_is_set),
		TEST(test_queue_of_ones_own),
		TEST(test_queue_stops_until_the_error_is_cleared),
		TEST(test_tail_that_cannot_be),
		TEST(test_why_a_queue_stops),
		TEST(test_head_is_reset_with_the_queue),
		TEST(test_queue_of_short_descriptors),
		TEST(test_contexts_without_a_queue),
		TEST(test_faults_by_registers),
		TEST(test_interrupts_wait_while_they_are_masked),
		TEST_PRI(test_interrupts_end_with_their_status),
		TEST_PRI(test_request_queue_of_ones_own),
		TEST_PRI(test_page_comes_in_the_interrupt),
		TEST_PRI(test_request_queue_overflows),
		TEST_PRI(test_unit_of_nobody_is_left_alone),
		TEST(test_one_unit_each),
		TEST(test_unit_has_no_past),
		cmocka_unit_test_setup_teardown(test_teardown_forgets_what_the_kernels_does,
						host_setup, host_teardown),
		TEST(test_virtual_command_by_register),
		TEST(test_no_interrupt_runs_once_it_is_taken_back),
		cmocka_unit_test(test_interrupt_destroys_everything),
	};

	return cmocka_run_group_tests_name("vtd registers", tests, NULL, NULL);
}
