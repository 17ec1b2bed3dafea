/* SPDX-License-Identifier: MIT */
/* The VT-d model for code that has the kernel's types: one machine, one or two units with a device each. */
#ifndef KERNEL_VTD_MACHINE_H
#define KERNEL_VTD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct intel_iommu;
struct vtd_machine;

#define MACHINE_UNITS 2
#define MACHINE_SOURCE_ID_OF(unit) (0x0138 + 8 * (unit))
#define MACHINE_SOURCE_ID MACHINE_SOURCE_ID_OF(0)
#define MACHINE_REFUSED UINT64_MAX
#define MACHINE_WAITING (UINT64_MAX - 1)

/* Units with all capabilities, and a device each, with a TLB or without, and with page requests. */
void machine_begin_with(bool has_tlb, bool has_requests);
void machine_begin(bool has_tlb);
/* The same in caching mode, as a guest sees them. */
void machine_begin_caching(bool has_tlb, bool has_requests);
/* And with PASIDs from a host that has four. */
#define MACHINE_FIRST_PASID 1000
void machine_begin_guest(void);
unsigned int machine_host_pasids(void);
/* Everything must have been given back. */
void machine_end(void);

void *machine_take(unsigned int pages);
void machine_give(void *start, unsigned int pages);
/* Pages come from this range from now on, a guest's memory; 0 pages: from all of the machine again. */
void machine_take_from(uint64_t first, unsigned int pages);
uint64_t machine_physical(const void *at);
void *machine_virtual(uint64_t address);

/* Registers: those of unit n begin at n << 16. */
uint64_t machine_read(uint32_t offset, unsigned int size);
void machine_write(uint32_t offset, unsigned int size, uint64_t value);
/* Called before each write, as a hypervisor traps it; NULL: no more. */
void machine_trap(void (*trap)(unsigned int unit, uint32_t offset, uint64_t value));

/*
 * Where a read of a unit's device ends; MACHINE_REFUSED if it is refused, MACHINE_WAITING if it has asked
 * for the page.
 */
uint64_t machine_dma_by(unsigned int unit, uint32_t pasid, uint64_t address);
uint64_t machine_dma(uint32_t pasid, uint64_t address);
/* One page request of a group; 0 if it was sent. Its answer: 0 granted, above 0 refused. */
int machine_ask(unsigned int unit, uint32_t pasid, uint64_t address, unsigned int group, bool last);
int machine_answer(unsigned int unit, uint32_t pasid, unsigned int group);

/* A thread that runs @handle for each interrupt of the page request queue, until it is stopped. */
void machine_listen(unsigned int unit, void (*handle)(void *data), void *data);
void machine_stop_listening(unsigned int unit);

/* For code that has the model's types. */
struct vtd_machine *machine_model(void);
struct intel_iommu *machine_unit(unsigned int unit);
struct device *machine_device(unsigned int unit);

/* Requests that a cache let through to where the tables no longer lead, so far, on all units. */
uint64_t machine_stale(void);
/* Faults that were recorded, taken. */
unsigned int machine_faults(void);

#endif
