/* SPDX-License-Identifier: MIT */
/* Compat: the running thread, and the address space it stands for. */
#ifndef IOASID_LINUX_SCHED_H
#define IOASID_LINUX_SCHED_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct task_struct - a thread
 * @mm: its address space; may be assigned. At first that of the process, one for all threads,
 *	made at the first use; NULL in threads of work queues, and for want of memory. The thread
 *	holds no reference of its own: whoever assigns keeps it alive.
 * @pid: number of the thread
 * @tgid: number of the process; the child of fork() finds both numbers changed
 */
struct task_struct {
	struct mm_struct *mm;
	pid_t pid;
	pid_t tgid;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_current() - the calling thread
 *
 * More than 16,383 threads at a time share one structure: those that come then.
 *
 * Return: its structure, never NULL, valid as long as the thread lives.
 * Context: any thread; not a signal handler: a thread's first call takes a lock. Does not wait for
 *	readers.
 */
struct task_struct *ioasid_current(void);

#ifdef __cplusplus
}

/* The word is a member's name in headers of C++: an object instead of a macro, used the same way. */
/* clang-format off */
struct ioasid_current_thread {
	operator struct task_struct *() const { return ioasid_current(); }
	struct task_struct *operator->() const { return ioasid_current(); }
};
static constexpr struct ioasid_current_thread current{};
/* clang-format on */
#else
#define current ioasid_current()
#endif

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/sched.h>
