/* SPDX-License-Identifier: MIT */
/* What the contract says, kept beside what happens: the other half of the random run. */
#ifndef GUEST_SVA_EXPECTED_H
#define GUEST_SVA_EXPECTED_H

#include "guest.h"

#define NR_GUESTS 3
#define QUOTA 6
/* Guest PASIDs that guests try; not all of them can be had at once. */
#define NR_NUMBERS (QUOTA + 2)
#define PASID_OF(index) (GUEST_PASID_FIRST + (ioasid_t)(index))
/* Host PASIDs that can be in use, and some that cannot. */
#define NR_HOST_IDS (NR_GUESTS * QUOTA + 2)
#define NO_INDEX (-1)

/**
 * enum expected_state - of a PASID of a guest
 * @ABSENT: the guest has it not
 * @ALLOCATED: not bound: DMA is blocked
 * @BOUND: DMA reaches the process it is bound to
 * @GOING: freed while bound, work not awaited: DMA is blocked, or still reaches that process
 */
enum expected_state { ABSENT, ALLOCATED, BOUND, GOING };

struct expected_pasid {
	enum expected_state state;
	int process;
	ioasid_t host;
};

struct expected_guest {
	struct vm *vm;
	struct expected_pasid pasids[NR_NUMBERS];
	int registers[NR_MDEVS]; /* index of the PASID, or NO_INDEX */
	bool running[NR_MDEVS];
};

void expect_new_guest(struct expected_guest *g, struct vm *vm);
void expect_base(void);

/* Each changes what is expected, and returns what the operation must return. */
int expected_alloc(struct expected_guest *g);
void expected_free(struct expected_guest *g, int index);
int expected_bind(struct expected_guest *g, int index, int process);
int expected_unbind(struct expected_guest *g, int index);
int expected_program(struct expected_guest *g, int mdev, int index);
int expected_start(struct expected_guest *g, int mdev);
void expected_settle(struct expected_guest *g);

/*
 * Each ends the process if it finds anything else than expected: of every host PASID, or only of
 * those of one guest, while others run.
 */
void check_dma(struct host *host, struct expected_guest *guests);
void check_own_dma(struct host *host, struct expected_guest *g);
void check_library(struct expected_guest *guests);
void check_caches(struct host *host);
unsigned long checked_dma(void);

#endif
