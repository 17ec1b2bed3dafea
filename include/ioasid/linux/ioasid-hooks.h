/* SPDX-License-Identifier: MIT */
/* For who has address spaces and threads of its own: what the core asks it. libioasid-kernel does. */
#ifndef IOASID_LINUX_IOASID_HOOKS_H
#define IOASID_LINUX_IOASID_HOOKS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mm_struct;

/**
 * struct ioasid_hooks - what somebody does for the core
 * @pin: if this is one of its live address spaces, take a reference and return true. Any pointer may
 *	come: it must be known by its value. Called with the core lock held
 * @unpin: drop that reference. Called with the core lock held
 * @current_mm: the address space that the calling thread stands for, or NULL
 * @before_fork: take whatever locks the child must find free; called in fork() with the core lock held
 * @after_fork: give them back; in the child, put right what belonged to threads that are not there
 *
 * None may call the library, but for ioasid_printk(), nor wait for a thread that does.
 */
struct ioasid_hooks {
	bool (*pin)(struct mm_struct *mm);
	void (*unpin)(struct mm_struct *mm);
	const struct mm_struct *(*current_mm)(void);
	void (*before_fork)(void);
	void (*after_fork)(bool in_child);
};

/**
 * ioasid_install_hooks() - say who has address spaces
 * @hooks: its functions, all of them; it is kept, and must stay for the life of the process
 *
 * Without hooks the token of a set of IOASID_SET_TYPE_MM is a number to compare, and no thread owns
 * one. Sets that exist already go on as they began.
 *
 * Return: 0; -EINVAL @hooks or a function of it is NULL; -EBUSY there are hooks already.
 * Context: takes the core lock. Not in any kernel version.
 */
int ioasid_install_hooks(const struct ioasid_hooks *hooks);

/* One more than the highest number of ioasid_thread(). */
#define IOASID_THREADS 16384

/**
 * ioasid_thread() - a small number for the calling thread
 * @life: whose the number is now: it goes to another thread when this one has ended, with another life
 *
 * Return: 1 to IOASID_THREADS - 1; 0 for all threads that come when so many are there, @life is
 * UINT_MAX then.
 * Context: lock-free, async-signal-safe.
 */
unsigned int ioasid_thread(unsigned int *life);

#ifdef __cplusplus
}
#endif

#endif
