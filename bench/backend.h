/* SPDX-License-Identifier: MIT */
/* One face for all allocators, chosen when compiling: every one of them is called directly, across one library border. */
#ifndef BENCH_BACKEND_H
#define BENCH_BACKEND_H

#include <stdint.h>

#define ID_MIN	1u			/* as every user of PASIDs has it: 0 is reserved */
#define ID_MAX	((1u << 20) - 1)

#if defined(BACKEND_LIBIOASID)

#include <linux/ioasid.h>
#define CAN_FIND 1
static struct ioasid_set *the_set; /* with a quota: accounting is part of the work */

static inline int backend_init(void)
{
	static char token;

	the_set = ioasid_set_alloc(&token, ID_MAX, IOASID_SET_TYPE_NULL);
	return the_set && (uintptr_t)the_set < (uintptr_t)-4095 ? 0 : -1;
}

static inline uint32_t id_alloc(void *data)
{
	return ioasid_alloc(the_set, ID_MIN, ID_MAX, data);
}

static inline void id_free(uint32_t id)
{
	ioasid_free(the_set, id);
}

static inline void *id_find(uint32_t id)
{
	return ioasid_find(the_set, id, NULL);
}

static inline void backend_settle(void)
{
}

#elif defined(BACKEND_KERNEL)

/* The prototypes of the kernel 6.1's ioasid.h, which programs cannot include. */
struct ioasid_set {
	int dummy;
};
unsigned int ioasid_alloc(struct ioasid_set *set, unsigned int min, unsigned int max, void *data);
void ioasid_free(unsigned int id);
void *ioasid_find(struct ioasid_set *set, unsigned int id, _Bool (*getter)(void *));
int ioasid_set_data(unsigned int id, void *data);
void peer_settle(void);
#define CAN_FIND 1
static struct ioasid_set the_set;

static inline int backend_init(void)
{
	return 0;
}

static inline uint32_t id_alloc(void *data)
{
	return ioasid_alloc(&the_set, ID_MIN, ID_MAX, data);
}

static inline void id_free(uint32_t id)
{
	ioasid_free(id);
}

static inline void *id_find(uint32_t id)
{
	return ioasid_find(&the_set, id, (void *)0);
}

static inline void backend_settle(void)
{
	peer_settle();
}

#else /* BACKEND_PEER: whatever has peer.h's functions; -DCAN_FIND=0 where there is no data */

#include "peers/peer.h"

static inline int backend_init(void)
{
	return 0;
}

static inline uint32_t id_alloc(void *data)
{
	return peer_alloc(ID_MIN, ID_MAX, data);
}

static inline void id_free(uint32_t id)
{
	peer_free(id);
}

static inline void *id_find(uint32_t id)
{
#if CAN_FIND
	return peer_find(id);
#else
	return (void *)(uintptr_t)id;
#endif
}

static inline void backend_settle(void)
{
	peer_settle();
}

#endif
#endif
