/* SPDX-License-Identifier: MIT */
/* Internal: a device's port, by which requests pass that are known to be right without the hardware lock. */
#ifndef CIOASIDVTD_PORTS_H
#define CIOASIDVTD_PORTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/*
 * The generation of a machine's tables, which moves with every change of a page that a walk has read as
 * a table; then, from word civtd_watch_head on, a bit a page: is it such a page? Bit 0 of the generation
 * says that the program writes memory by itself, so that nobody can tell.
 */
enum { civtd_watch_head = 8 };
#define CIVTD_UNTOLD 1ull

/* What a device was answered by a cache, when the tables said the same. All zero is none. */
struct civtd_passage {
	u64 tag; /* the page's address; the lower bits say what may be done, and what was counted */
	u64 frame;
	u64 generation;
	u32 pasid;
	u32 epoch;
};

/*
 * One a device, in memory that is never given back, so that it may be looked at whatever a pointer from
 * outside is. All but @device is guarded by @mutex, which comes after the hardware lock.
 */
struct civtd_port {
	/* Of the passages that count: moves when the device's caches forget something. First, because TSan
	 * takes any change that Swift makes for one of the first word. */
	u32 epoch;
	bool is_used; /* there are some; read with the hardware lock */
	const void *device; /* whose it is; NULL: nobody's */
	pthread_mutex_t mutex;
	struct civtd_passage *passages;
	/* Requests that passed, by what answered: pass-through, IOTLB, device TLB. */
	u64 passed[3];
	/* What a walk from the root on needs. */
	void *memory;
	u64 size;
	u64 *watch;
	u64 root;
	u32 capabilities;
	u32 pasid_limit;
	u16 source;
	bool has_tlb;
};

/* For a device: a port of its own, or NULL if all near its place are taken. With the hardware lock. */
struct civtd_port *civtd_take_port(const void *device, struct civtd_passage *passages);
/* The opposite. After it no request is on its way through the port. */
void civtd_return_port(struct civtd_port *port);

/* The port of what may be a device, locked; NULL if it has none. */
struct civtd_port *civtd_enter(const void *device);

static inline void civtd_lock(struct civtd_port *port)
{
	pthread_mutex_lock(&port->mutex);
}

static inline void civtd_unlock(struct civtd_port *port)
{
	pthread_mutex_unlock(&port->mutex);
}

static inline u64 civtd_generation(const u64 *watch)
{
	return __atomic_load_n(watch, __ATOMIC_ACQUIRE);
}

static inline void civtd_is_untold(u64 *watch)
{
	__atomic_fetch_or(watch, CIVTD_UNTOLD, __ATOMIC_RELEASE);
}

/* Between a write without the hardware lock and the look whether it is to be told, and in civtd_watch(). */
static inline void civtd_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Acquires: who finds a page watched and then reads it sees what was there when the watch began. */
static inline bool civtd_is_watched(const u64 *watch, u64 page)
{
	return __atomic_load_n(&watch[civtd_watch_head + page / 64], __ATOMIC_ACQUIRE) >>
		       (page % 64) &
	       1;
}

/* Before the page is read: what is written from now on is told. */
static inline void civtd_watch(u64 *watch, u64 page)
{
	if (civtd_is_watched(watch, page))
		return;
	__atomic_fetch_or(&watch[civtd_watch_head + page / 64], 1ull << (page % 64),
			  __ATOMIC_RELEASE);
	/* As civtd_fence() in who writes: one of the two sees the other. */
	civtd_fence();
}

/* After a page was written. */
static inline void civtd_written(u64 *watch, u64 page)
{
	if (civtd_is_watched(watch, page))
		__atomic_fetch_add(watch, 2, __ATOMIC_RELEASE);
}

/* After a page was cleared, which is no table any more. */
static inline void civtd_cleared(u64 *watch, u64 page)
{
	if (!civtd_is_watched(watch, page))
		return;
	__atomic_fetch_and(&watch[civtd_watch_head + page / 64], ~(1ull << (page % 64)),
			   __ATOMIC_RELEASE);
	__atomic_fetch_add(watch, 2, __ATOMIC_RELEASE);
}

/*
 * Memory of a machine. Devices read and write it without the hardware lock, as they do the memory of a
 * computer, whose words do not tear.
 */
static inline u64 civtd_load(const void *word)
{
	return __atomic_load_n((const u64 *)word, __ATOMIC_RELAXED);
}

static inline void civtd_store(void *word, u64 value)
{
	__atomic_store_n((u64 *)word, value, __ATOMIC_RELAXED);
}

static inline void civtd_store_half(void *half, u32 value)
{
	__atomic_store_n((u32 *)half, value, __ATOMIC_RELEASE);
}

void civtd_copy_in(void *to, const void *from, size_t length);
void civtd_copy_out(void *to, const void *from, size_t length);
void civtd_clear(void *words, size_t length);

#endif
