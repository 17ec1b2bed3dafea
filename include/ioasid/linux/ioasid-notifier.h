/* SPDX-License-Identifier: MIT */
/* What a subscriber is and may return. */
#ifndef IOASID_LINUX_IOASID_NOTIFIER_H
#define IOASID_LINUX_IOASID_NOTIFIER_H

/**
 * struct notifier_block - a subscriber
 * @notifier_call: its handler: gets the block, the event and the event's arguments. Must return: no
 *	longjmp(), pthread_exit() or C++ exception
 * @next: belongs to who keeps the block
 * @priority: the higher, the earlier it is told
 */
struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
	struct notifier_block *next;
	int priority;
};

/* What a handler returns; an errno may be packed in beside NOTIFY_STOP_MASK. */
#define NOTIFY_DONE 0x0000
#define NOTIFY_OK 0x0001
#define NOTIFY_STOP_MASK 0x8000
#define NOTIFY_BAD (NOTIFY_STOP_MASK | 0x0002)
#define NOTIFY_STOP (NOTIFY_OK | NOTIFY_STOP_MASK)

static inline int notifier_from_errno(int err)
{
	return err ? NOTIFY_STOP_MASK | (NOTIFY_OK - err) : NOTIFY_OK;
}

static inline int notifier_to_errno(int ret)
{
	ret &= ~NOTIFY_STOP_MASK;
	return ret > NOTIFY_OK ? NOTIFY_OK - ret : 0;
}

#endif
