/* SPDX-License-Identifier: MIT */
/* What goes over the socket between a guest and its host, and the host's end of it. */
#ifndef GUEST_SVA_GUEST_H
#define GUEST_SVA_GUEST_H

#include "host.h"

/**
 * enum guest_op - what a guest can be told to do, and what it asks of its host
 * @GUEST_ALLOC: ioasid_alloc() in the guest, which becomes a GUEST_VCMD
 * @GUEST_FREE: ioasid_free() of a: the same
 * @GUEST_EXIT: the guest ends
 * @GUEST_VCMD: the virtual command register is written with a
 * @GUEST_BIND: PASID a is bound to the page table at b
 * @GUEST_UNBIND: PASID a is unbound
 * @GUEST_PROGRAM: PASID b goes into the register of mediated device a; INVALID_IOASID clears it
 * @GUEST_START: mediated device a does DMA from now on
 * @GUEST_STOP: no longer
 * @GUEST_ENQCMD: a virtual CPU submits work to mediated device a with PASID b
 *
 * @GUEST_MAP: the process of PASID a gets a page at b, without a word to anybody
 * @GUEST_UNMAP: the opposite
 * @GUEST_INVALIDATE: the guest's unit is told to forget page b of PASID a
 * @GUEST_PROCESS_EXIT: the guest's unit is told to forget PASID a, whose process is gone
 * @GUEST_TOUCH: mediated device a accesses the page on demand of PASID b
 * @GUEST_FETCH: what is in the guest's page request queue: the address, with the group in its lower bits
 * @GUEST_RESPOND: the page request of group a is answered with code b
 * @GUEST_PAGE: the guest has device a access the page on demand of PASID b, and handles the request
 *
 * The host tells (an order), the guest does, asking its host where hardware would trap (a call).
 * From GUEST_VCMD on an order is a call as it stands: a guest that behaves well or not.
 */
enum guest_op {
	GUEST_ALLOC,
	GUEST_FREE,
	GUEST_EXIT,
	GUEST_PAGE,
	GUEST_VCMD,
	GUEST_BIND,
	GUEST_UNBIND,
	GUEST_PROGRAM,
	GUEST_START,
	GUEST_STOP,
	GUEST_ENQCMD,
	GUEST_MAP,
	GUEST_UNMAP,
	GUEST_INVALIDATE,
	GUEST_PROCESS_EXIT,
	GUEST_TOUCH,
	GUEST_FETCH,
	GUEST_RESPOND,
};

void guest_start(struct vm *vm);
void guest_start_on(struct vm *vm, int sockets[2]);
long guest_do(struct vm *vm, enum guest_op op, u64 a, u64 b);
void guest_kill(struct vm *vm);
void guest_end(struct vm *vm);
int guest_main(int fd);

#endif
