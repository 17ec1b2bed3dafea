// SPDX-License-Identifier: MIT
// Where the ports of devices are, and copies between the program's memory and a machine's.

#include <stdint.h>
#include <string.h>

#include "ports.h"

#define PORTS 1024
#define NEAR 8	/* how far from its place a device's port may be */

/* Devices of different threads do not share a cache line, nor one that the processor fetches beside it. */
static struct {
	struct civtd_port port;
} __attribute__((aligned(128))) ports[PORTS];

static struct civtd_port *place(const void *device, unsigned int step)
{
	u64 hash = ((uintptr_t)device >> 4) * 0x9e3779b97f4a7c15ULL >> 54;

	return &ports[(hash + step) % PORTS].port;
}

struct civtd_port *civtd_take_port(const void *device, struct civtd_passage *passages)
{
	unsigned int step;

	for (step = 0; step < NEAR; step++) {
		struct civtd_port *port = place(device, step);

		if (port->device)
			continue;
		civtd_lock(port);
		memset(port->passed, 0, sizeof(port->passed));
		port->passages = passages;
		port->is_used = false;
		port->epoch = 1;
		__atomic_store_n(&port->device, device, __ATOMIC_RELAXED);
		civtd_unlock(port);
		return port;
	}
	return NULL;
}

void civtd_return_port(struct civtd_port *port)
{
	civtd_lock(port);
	__atomic_store_n(&port->device, NULL, __ATOMIC_RELAXED);
	port->passages = NULL;
	civtd_unlock(port);
}

struct civtd_port *civtd_enter(const void *device)
{
	unsigned int step;

	for (step = 0; step < NEAR; step++) {
		struct civtd_port *port = place(device, step);

		if (__atomic_load_n(&port->device, __ATOMIC_RELAXED) != device)
			continue;
		civtd_lock(port);
		if (port->device == device)
			return port;
		civtd_unlock(port);
	}
	return NULL;
}

/* Words where both sides have them, bytes otherwise. */
#define IS_WORD(at, left) (!((uintptr_t)(at) % sizeof(u64)) && (left) >= sizeof(u64))

void civtd_copy_in(void *to, const void *from, size_t length)
{
	unsigned char *at = to;
	const unsigned char *source = from;

	for (; length; length--) {
		for (; IS_WORD(at, length);
		     at += sizeof(u64), source += sizeof(u64), length -= sizeof(u64)) {
			u64 word;

			memcpy(&word, source, sizeof(word));
			civtd_store(at, word);
		}
		if (!length)
			break;
		__atomic_store_n(at++, *source++, __ATOMIC_RELAXED);
	}
}

void civtd_copy_out(void *to, const void *from, size_t length)
{
	unsigned char *target = to;
	const unsigned char *at = from;

	for (; length; length--) {
		for (; IS_WORD(at, length);
		     at += sizeof(u64), target += sizeof(u64), length -= sizeof(u64)) {
			u64 word = civtd_load(at);

			memcpy(target, &word, sizeof(word));
		}
		if (!length)
			break;
		*target++ = __atomic_load_n(at++, __ATOMIC_RELAXED);
	}
}

void civtd_clear(void *words, size_t length)
{
	u64 *at = words;
	size_t left;

	for (left = length / sizeof(u64); left; left--)
		civtd_store(at++, 0);
}
