/* SPDX-License-Identifier: MIT */
/* What happens to processes on two units, as a table: two drivers go through it and must show the same. */
#ifndef KERNEL_VTD_SCENARIO_H
#define KERNEL_VTD_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#define SCENARIO_PAGES 8
#define SCENARIO_ADDRESS 0x400000ULL

enum {
	SCENARIO_TLB = 1,
	SCENARIO_REQUESTS = 2,
	SCENARIO_CACHING = 4, /* a guest's units */
};

/* What whoever handles page requests does. */
enum scenario_plan { SCENARIO_GRANT, SCENARIO_REFUSE, SCENARIO_KEEP };
extern enum scenario_plan scenario_plan;

/* A driver, and processes as it knows them. */
struct scenario_driver {
	const char *name;
	/* The machine is there already, and still there. */
	void (*begin)(bool has_tlb, bool has_requests);
	void (*end)(void);
	void (*start)(int process);
	void (*finish)(int process);
	void (*map)(int process, int page);
	void (*unmap)(int process, int page, int count);
	int (*bind)(unsigned int unit, int process);
	void (*unbind)(unsigned int unit, int process);
	void (*exit)(int process);
	uint32_t (*pasid)(int process);
	uint64_t (*physical)(int process, int page);
};
extern const struct scenario_driver scenario_ours;

/* By the handler of a driver: which request it was told of. Returns what to do. */
enum scenario_plan scenario_told(const struct scenario_driver *driver, uint32_t pasid,
				 uint64_t address);

/* Goes through all of the table with both. Ends the program at a difference. */
void scenario_compare(const struct scenario_driver *a, const struct scenario_driver *b);

#endif
