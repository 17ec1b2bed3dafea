/* SPDX-License-Identifier: MIT */
/* A flow is a table: what must happen in which order, and what the library says after each step. */
#ifndef GUEST_SVA_FLOW_H
#define GUEST_SVA_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/ioasid.h>

struct host;
struct vm;

/* Who does what; the words are in flow-steps.c. */
enum flow_step {
	IOMMU_LISTENS,
	KVM_LISTENS,
	VDCM_LISTENS,
	GUEST_ASKS,
	VFIO_ALLOCATES,
	VFIO_REFUSES,
	IOMMU_BINDS,
	BIND_IS_TOLD,
	VFIO_REFUSES_BIND,
	KVM_ENTERS,
	VDCM_PROGRAMS,
	VDCM_REFUSES,
	GUEST_ENQCMDS,
	GUEST_STARTS,
	GUEST_STOPS,
	VDCM_CLEARS,
	UNBIND_IS_TOLD,
	KVM_CLEARS,
	IOMMU_PUTS,
	VFIO_REFUSES_UNBIND,
	UNBIND_IS_LATE,
	KVM_LEAVES,
	GUEST_DIES,
	VFIO_SWEEPS,
	FREE_IS_TOLD,
	KVM_HEARS_FREE,
	IOMMU_QUEUES,
	VDCM_QUEUES,
	FREE_RETURNS,
	VFIO_REFUSES_FREE,
	GET_IS_TRIED,
	SPID_IS_LOOKED_UP,
	NUMBER_IS_WANTED,
	VDCM_WORKS,
	IOMMU_WORKS,
	VFIO_SAVES,
	VFIO_RESTORES,
	GUEST_MAPS,
	GUEST_UNMAPS,
	VFIO_INVALIDATES,
	VFIO_REFUSES_INVALIDATION,
	PROCESS_ENDS,
	VDCM_TOUCHES,
	GUEST_IS_ASKED,
	GUEST_ANSWERS,
	NR_FLOW_STEPS,
};

enum flow_actor { GUEST, VFIO, IOMMU, KVM, VDCM, CORE, NR_FLOW_ACTORS };

struct flow_words {
	enum flow_actor from;
	enum flow_actor to;
	const char *what;
};

extern const char *const flow_actors[NR_FLOW_ACTORS];
extern const struct flow_words flow_words[NR_FLOW_STEPS];

/* References of a step that is about no id. */
#define NO_ID (-1)
#define BLOCKED false
#define PASSES true

/**
 * struct flow_row - one step, and what must be seen when it is done
 * @step: what
 * @vm: number of the guest; 0 for none
 * @references: of the id, as the library dumps them; 0 is reclaimed
 * @dma: does DMA with this PASID reach the guest's memory?
 * @result: 0 or -errno
 */
struct flow_row {
	enum flow_step step;
	int vm;
	int references;
	bool dma;
	int result;
};

/**
 * struct flow - a story with its expected table
 * @name: of its files
 * @title: for people
 * @shows: what it proves, one sentence
 * @rows: the table
 * @nr_rows: its length
 * @run: makes it happen
 */
struct flow {
	const char *name;
	const char *title;
	const char *shows;
	const struct flow_row *rows;
	size_t nr_rows;
	void (*run)(void);
};
#define FLOW_ROWS(table) .rows = table, .nr_rows = sizeof(table) / sizeof((table)[0])

#define NR_FLOWS_MAX 32
/* Ends with NULL. */
extern const struct flow *const flows[];

/* What the library says about an id. */
struct seen {
	int references;
	ioasid_t spid;
	char state[16];
};
struct seen look_at(ioasid_t id);

/* The actors say what they do. Nothing happens outside of a flow. */
void flow_note(enum flow_step step, struct vm *vm, ioasid_t id, int result);
void flow_watch(struct vm *vm);

/* The flow's own part. */
int flow_run(const struct flow *flow, const char *directory);
bool flow_is_running(void);
void flow_record(bool on);
void flow_check(bool ok, const char *what);
void flow_picture(void);
void flow_hold(bool separate_queues);
void flow_let_vdcm_work(void);
void flow_let_iommu_work(void);

#endif
