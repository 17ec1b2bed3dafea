/* SPDX-License-Identifier: MIT */
/* The library's read side: its readers, and those of the kernel's <linux/rcupdate.h>, are the same. */
#ifndef IOASID_LINUX_IOASID_RCU_H
#define IOASID_LINUX_IOASID_RCU_H

#include <stdbool.h>

/*
 * Threads need no registration: a thread's first section does it, and cannot fail. A section ends in
 * the thread that began it; a thread that ends inside one ends it. After fork() the child has the
 * sections of the thread that forked, and no others.
 *
 * Of more than 16,383 threads at a time, those that come then are counted only. If one of them ends
 * inside a section, whoever waits for readers waits for ever; if one calls fork() inside a section, the
 * child is not in it.
 *
 * A program may use liburcu as well. The two do not meet: neither waits for the other's readers.
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_rcu_read_lock() - begin a read-side section
 *
 * Sections may be nested. A reader may sleep; whoever waits for it then waits as long.
 *
 * Context: lock-free, async-signal-safe. Never fails.
 */
void ioasid_rcu_read_lock(void);

/**
 * ioasid_rcu_read_unlock() - end the innermost read-side section
 *
 * Outside of a section it does nothing; where there are more than 16,383 threads, it may end the
 * section of one of those beyond.
 *
 * Context: as ioasid_rcu_read_lock(), by the same thread.
 */
void ioasid_rcu_read_unlock(void);

/**
 * ioasid_rcu_read_lock_held() - whether the calling thread is in a read-side section
 *
 * Return: true also in a getter of ioasid_find(), which the library calls in one.
 * Context: lock-free, async-signal-safe.
 */
bool ioasid_rcu_read_lock_held(void);

/**
 * ioasid_rcu_synchronize() - wait for a grace period
 *
 * Returns when all read-side sections that were going on have ended. Those who call it at the same
 * time wait together. In a section, which the kernel forbids, it says so on the log and waits for
 * the others only.
 *
 * Context: waits for readers: not in a handler or with a lock that a reader may want, not in a
 *	signal handler. No cancellation point.
 */
void ioasid_rcu_synchronize(void);

/**
 * ioasid_may_wait() - whether the calling thread may wait for readers
 *
 * Return: false in a read-side section, and in a callback that the library makes with its core lock
 * held (handlers, allocators): there, whatever waits for readers refuses or does not wait.
 * Context: lock-free, async-signal-safe.
 */
bool ioasid_may_wait(void);

/*
 * What the kernel's rcu_read_lock() and rcu_read_unlock() need to do the common case in line: the library's own,
 * and the same for as long as its soname is. A thread's record is found by its id, in a directory
 * that may not know it yet; then the functions above do.
 */
struct ioasid_rcu_reader {
	unsigned int id;
	unsigned int life;
	unsigned long pointer;
	unsigned long section;
};

struct ioasid_rcu_words {
	struct ioasid_rcu_reader *const *readers;
	unsigned long phase;
	unsigned char fences;
};

#define IOASID_RCU_READERS 65536
#define IOASID_RCU_DEPTH 0xfffful

/**
 * ioasid_rcu_view() - where inline readers look
 *
 * Return: the same each time, never NULL.
 * Context: lock-free, async-signal-safe.
 */
const struct ioasid_rcu_words *ioasid_rcu_view(void);

#ifdef __cplusplus
}
#endif

#endif
