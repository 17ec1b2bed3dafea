/* SPDX-License-Identifier: MIT */
/* The VT-d model for code that has the kernel's types: one machine, one unit, one device. */
#ifndef KERNEL_VTD_MACHINE_H
#define KERNEL_VTD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_SOURCE_ID 0x0138
#define MACHINE_REFUSED UINT64_MAX

/* A unit with all capabilities, and a device with a TLB or without. */
void machine_begin(bool has_tlb);
/* Everything must have been given back. */
void machine_end(void);

void *machine_take(unsigned int pages);
void machine_give(void *start, unsigned int pages);
uint64_t machine_physical(const void *at);
void *machine_virtual(uint64_t address);

uint64_t machine_read(uint32_t offset, unsigned int size);
void machine_write(uint32_t offset, unsigned int size, uint64_t value);

/* Where a read of the device ends; MACHINE_REFUSED if it is refused. */
uint64_t machine_dma(uint32_t pasid, uint64_t address);
/* Requests that a cache let through to where the tables no longer lead, so far. */
uint64_t machine_stale(void);
/* Faults that were recorded, taken. */
unsigned int machine_faults(void);

#endif
