// SPDX-License-Identifier: MIT
// The VT-d model behind machine.h.

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <linux/err.h>
#include <linux/ioasid-vtd.h>
#include "machine.h"

static struct vtd_machine *machine;
static struct intel_iommu *iommu[MACHINE_UNITS];
static struct device *dev[MACHINE_UNITS];
static u64 own_pages;

struct vtd_machine *machine_model(void)
{
	return machine;
}

struct intel_iommu *machine_unit(unsigned int unit)
{
	return iommu[unit];
}

struct device *machine_device(unsigned int unit)
{
	return dev[unit];
}

static void begin(struct vtd_unit_config config, bool has_tlb, bool has_requests)
{
	unsigned int features = (has_tlb ? VTD_DEV_ATS : 0) | (has_requests ? VTD_DEV_PRI : 0);
	int unit;

	machine = vtd_machine_create(64 << 20);
	for (unit = 0; unit < MACHINE_UNITS; unit++) {
		iommu[unit] = vtd_unit_create(machine, &config);
		dev[unit] = vtd_device_create(iommu[unit], MACHINE_SOURCE_ID_OF(unit), features);
		assert(!IS_ERR(dev[unit]));
	}
	own_pages = vtd_pages_used(machine);
}

void machine_begin_with(bool has_tlb, bool has_requests)
{
	struct vtd_unit_config config = { VTD_CAP_DEFAULT | VTD_CAP_SRS, 20, NULL, NULL };

	begin(config, has_tlb, has_requests);
}

void machine_begin_caching(bool has_tlb, bool has_requests)
{
	struct vtd_unit_config config = { VTD_CAP_DEFAULT | VTD_CAP_SRS | VTD_CAP_CM, 20, NULL,
					  NULL };

	begin(config, has_tlb, has_requests);
}

/* The host: bit n is set while MACHINE_FIRST_PASID + n is the guest's. */
static unsigned int host_pasids;

static u64 host(u64 command, void *data)
{
	u32 index;

	(void)data;
	switch (VCMD_CMD(command)) {
	case VCMD_CMD_ALLOC:
		for (index = 0; index < 4; index++) {
			if (host_pasids & (1u << index))
				continue;
			host_pasids |= 1u << index;
			return VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, MACHINE_FIRST_PASID + index);
		}
		return VCMD_VRSP(VCMD_VRSP_SC_NO_PASID_AVAIL, 0);
	case VCMD_CMD_FREE:
		index = VCMD_CMD_PASID(command) - MACHINE_FIRST_PASID;
		if (index >= 4 || !(host_pasids & (1u << index)))
			return VCMD_VRSP(VCMD_VRSP_SC_INVALID_PASID, 0);
		host_pasids &= ~(1u << index);
		return VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, 0);
	}
	return VCMD_VRSP(VCMD_VRSP_SC_INVALID_PASID, 0);
}

void machine_begin_guest(void)
{
	struct vtd_unit_config config = { VTD_CAP_DEFAULT | VTD_CAP_SRS | VTD_CAP_CM, 20, host,
					  NULL };

	host_pasids = 0;
	begin(config, false, false);
}

unsigned int machine_host_pasids(void)
{
	return (unsigned int)__builtin_popcount(host_pasids);
}

void machine_begin(bool has_tlb)
{
	machine_begin_with(has_tlb, false);
}

void machine_end(void)
{
	int unit;

	assert(vtd_pages_used(machine) == own_pages);
	for (unit = 0; unit < MACHINE_UNITS; unit++) {
		assert(vtd_device_destroy(dev[unit]) == 0);
		assert(vtd_unit_destroy(iommu[unit]) == 0);
	}
	assert(vtd_machine_destroy(machine) == 0);
	assert(vtd_blocks_used() == 0);
}

/* ---- memory ---- */

#define RAM_PAGES 1024
static struct {
	uint64_t first;
	unsigned int pages;
	bool taken[RAM_PAGES];
} ram;

void machine_take_from(uint64_t first, unsigned int pages)
{
	assert(pages <= RAM_PAGES);
	memset(&ram, 0, sizeof(ram));
	ram.first = first;
	ram.pages = pages;
}

/* The first of so many adjacent pages that are free. */
static unsigned int ram_find(unsigned int pages)
{
	unsigned int first, count = 0;

	for (first = 0; count < pages; first++) {
		assert(first < ram.pages);
		count = ram.taken[first] ? 0 : count + 1;
	}
	return first - pages;
}

static void ram_mark(unsigned int first, unsigned int pages, bool is_taken)
{
	memset(ram.taken + first, is_taken, pages);
}

void *machine_take(unsigned int pages)
{
	void *start;

	if (ram.pages == 0)
		return machine_virtual(vtd_page_alloc(machine, pages));
	unsigned int index = ram_find(pages);

	ram_mark(index, pages, true);
	start = machine_virtual(ram.first + (uint64_t)index * VTD_PAGE_SIZE);
	memset(start, 0, (size_t)pages * VTD_PAGE_SIZE);
	return start;
}

void machine_give(void *start, unsigned int pages)
{
	if (!start)
		return;
	if (ram.pages == 0)
		vtd_page_free(machine, machine_physical(start), pages);
	else
		ram_mark((machine_physical(start) - ram.first) / VTD_PAGE_SIZE, pages, false);
}

uint64_t machine_physical(const void *at)
{
	return (uint64_t)((const char *)at - (const char *)vtd_memory_map(machine));
}

void *machine_virtual(uint64_t address)
{
	return (char *)vtd_memory_map(machine) + address;
}

uint64_t machine_read(uint32_t offset, unsigned int size)
{
	return vtd_register_read(iommu[offset >> 16], offset & 0xffff, size);
}

static void (*trap_writes)(unsigned int unit, uint32_t offset, uint64_t value);

void machine_trap(void (*trap)(unsigned int unit, uint32_t offset, uint64_t value))
{
	trap_writes = trap;
}

void machine_write(uint32_t offset, unsigned int size, uint64_t value)
{
	if (trap_writes)
		trap_writes(offset >> 16, offset & 0xffff, value);
	assert(vtd_register_write(iommu[offset >> 16], offset & 0xffff, size, value) == 0);
}

uint64_t machine_dma_by(unsigned int unit, uint32_t pasid, uint64_t address)
{
	u64 physical;
	int result = vtd_dma(dev[unit], pasid, address, VTD_DMA_READ, &physical);

	return result == 0 ? physical : result == -EAGAIN ? MACHINE_WAITING : MACHINE_REFUSED;
}

uint64_t machine_dma(uint32_t pasid, uint64_t address)
{
	return machine_dma_by(0, pasid, address);
}

int machine_ask(unsigned int unit, uint32_t pasid, uint64_t address, unsigned int group, bool last)
{
	return vtd_page_request(dev[unit], pasid, address, VTD_DMA_READ, group, last);
}

int machine_answer(unsigned int unit, uint32_t pasid, unsigned int group)
{
	return vtd_page_answer(dev[unit], pasid, group);
}

/* ---- interrupts ---- */

static struct listener {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool has_raised, is_over;
	void (*handle)(void *data);
	void *data;
} listeners[MACHINE_UNITS];

static void raise_one(struct intel_iommu *unit, enum vtd_interrupt which, void *data)
{
	struct listener *listener = data;

	(void)unit, (void)which;
	pthread_mutex_lock(&listener->mutex);
	listener->has_raised = true;
	pthread_cond_signal(&listener->changed);
	pthread_mutex_unlock(&listener->mutex);
}

static void *listen(void *data)
{
	struct listener *listener = data;

	pthread_mutex_lock(&listener->mutex);
	while (!listener->is_over) {
		if (!listener->has_raised) {
			pthread_cond_wait(&listener->changed, &listener->mutex);
			continue;
		}
		listener->has_raised = false;
		pthread_mutex_unlock(&listener->mutex);
		listener->handle(listener->data);
		pthread_mutex_lock(&listener->mutex);
	}
	pthread_mutex_unlock(&listener->mutex);
	return NULL;
}

void machine_listen(unsigned int unit, void (*handle)(void *data), void *data)
{
	struct listener *listener = &listeners[unit];

	listener->handle = handle;
	listener->data = data;
	listener->has_raised = listener->is_over = false;
	pthread_mutex_init(&listener->mutex, NULL);
	pthread_cond_init(&listener->changed, NULL);
	assert(pthread_create(&listener->thread, NULL, listen, listener) == 0);
	assert(vtd_unit_set_interrupt(iommu[unit], VTD_INTERRUPT_PAGE_REQUEST, raise_one,
				      listener) == 0);
	machine_write(unit << 16 | VTD_REG_PECTL, 4, 0);
}

void machine_stop_listening(unsigned int unit)
{
	struct listener *listener = &listeners[unit];

	assert(vtd_unit_set_interrupt(iommu[unit], VTD_INTERRUPT_PAGE_REQUEST, NULL, NULL) == 0);
	pthread_mutex_lock(&listener->mutex);
	listener->is_over = true;
	pthread_cond_signal(&listener->changed);
	pthread_mutex_unlock(&listener->mutex);
	pthread_join(listener->thread, NULL);
}

uint64_t machine_stale(void)
{
	struct vtd_stats stats;
	uint64_t stale = 0;
	int unit;

	for (unit = 0; unit < MACHINE_UNITS; unit++) {
		vtd_get_stats(iommu[unit], &stats);
		stale += stats.stale_hits;
	}
	return stale;
}

unsigned int machine_faults(void)
{
	struct vtd_fault fault;
	unsigned int count = 0;
	int unit;

	for (unit = 0; unit < MACHINE_UNITS; unit++)
		while (vtd_fault_read(iommu[unit], &fault))
			count++;
	return count;
}
