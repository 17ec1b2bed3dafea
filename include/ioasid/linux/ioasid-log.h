/* SPDX-License-Identifier: MIT */
/* The library's log: where its lines go, which of them, and how often one place may speak. */
#ifndef IOASID_LINUX_IOASID_LOG_H
#define IOASID_LINUX_IOASID_LOG_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Levels are the kernel's: the smaller, the more serious. */
#define IOASID_LOG_ERR		3
#define IOASID_LOG_WARNING	4
#define IOASID_LOG_INFO		6
#define IOASID_LOG_DEBUG	7

/**
 * typedef ioasid_log_fn - a sink for log lines
 * @data: as given to ioasid_set_log()
 * @level: 0 (emergency) to 7 (debug)
 * @line: one line without newline, valid during the call only
 *
 * Context: runs in the thread that logs, perhaps in several at once, perhaps with the library's
 * lock held, and in signal handlers if functions that are refused there are called there. It may
 * call the library, but must not wait for another thread that needs it, and must return: no
 * longjmp(), pthread_exit() or exception. What is logged from inside a sink is dropped.
 */
typedef void (*ioasid_log_fn)(void *data, int level, const char *line);

/**
 * ioasid_set_log() - send the log elsewhere
 * @fn: the new sink, or NULL for the default one: a line each on stderr
 * @data: handed to every call of @fn; the caller keeps it alive
 *
 * When this returns 0 the previous sink is not running in any thread and will not run again: it
 * and its data may go away.
 *
 * Return: 0; -EDEADLK from inside a sink (it would wait for itself), or if another thread is in the
 * previous sink and the caller in a read-side section or a callback with the core lock (handlers,
 * allocators): that thread may be waiting for the caller.
 * Context: waits for running sinks; not in a signal handler.
 */
int ioasid_set_log(ioasid_log_fn fn, void *data);

/**
 * ioasid_set_log_level() - choose how much is logged
 * @level: lines of this level and the more serious ones pass; below 0: none
 *
 * The default is 4 (warnings and errors), or what the environment variable IOASID_LOG says: a
 * level from 0 to 7, or one of none, err, warning, info, debug. Anything else is ignored, and the first
 * line or change of the level says so on stderr.
 *
 * Return: the level until now.
 * Context: lock-free, async-signal-safe. What is first in a process, a line or this, reads the environment.
 */
int ioasid_set_log_level(int level);

/**
 * ioasid_printk() - log a formatted line
 * @fmt: printf format, with one of the KERN_ prefixes of the kernel's <linux/printk.h> for the level; without
 *	one the line is a warning. A trailing newline is taken off; beyond 255 bytes it is cut.
 *
 * Return: the length of the line, whether it passed the level or not; 0 for a NULL @fmt.
 * Context: any thread, also a callback; not a signal handler. Takes no lock but what the sink takes.
 */
int ioasid_printk(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

/**
 * struct ioasid_ratelimit_state - how often one place may speak
 * @interval_ms: length of a window
 * @burst: lines that pass in each
 * @begin_ms: when this window began (library's own)
 * @printed: lines that asked in this window (library's own)
 * @missed: refused since the last report (library's own)
 */
struct ioasid_ratelimit_state {
	unsigned int interval_ms;
	unsigned int burst;
	unsigned int begin_ms;
	unsigned int printed;
	unsigned int missed;
};

/**
 * ioasid_ratelimit() - whether a place of the program may log a line now
 * @rs: the state of the place; NULL always may
 *
 * When a new window opens after lines were refused, their number is logged.
 *
 * Return: true if it may.
 * Context: lock-free; async-signal-safe if the log sink is.
 */
bool ioasid_ratelimit(struct ioasid_ratelimit_state *rs);

#ifdef __cplusplus
}
#endif

#endif
