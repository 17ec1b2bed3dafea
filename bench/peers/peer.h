/* SPDX-License-Identifier: MIT */
/* The interface of the peers that have none of their own: what an id allocator must do, at the least. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#define PEER_NONE (~0u)

/* The lowest free id in [min, max], or PEER_NONE. */
unsigned int peer_alloc(unsigned int min, unsigned int max, void *data);
void peer_free(unsigned int id);
/* NULL where the id is not allocated. */
void *peer_find(unsigned int id);
/* Gives back what frees have put off. */
void peer_settle(void);

#endif
