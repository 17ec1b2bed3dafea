/* SPDX-License-Identifier: MIT */
/* Compat: from a member back to the structure around it. */
#ifndef IOASID_LINUX_CONTAINER_OF_H
#define IOASID_LINUX_CONTAINER_OF_H

#include <stddef.h>

/* The comparison only checks the type: @ptr must point to what the member is. */
#define container_of(ptr, type, member) \
	__extension__({ \
		const __typeof__(((type *)0)->member) *ioasid_member = (ptr); \
		(type *)((char *)ioasid_member - offsetof(type, member)); \
	})

#endif
