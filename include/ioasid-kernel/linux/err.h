/* SPDX-License-Identifier: MIT */
/* Compat: errors in pointers. The last 4095 addresses are error numbers. */
#ifndef IOASID_LINUX_ERR_H
#define IOASID_LINUX_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/errno.h>

#include "../../ioasid/linux/ioasid-casts.h"

#define MAX_ERRNO 4095

#define IOASID_MUST_CHECK __attribute__((__warn_unused_result__))

/* A number that would be an error, if a pointer had it. */
#define IS_ERR_VALUE(x) \
	__builtin_expect(IOASID_ADDRESS(unsigned long, IOASID_ADDRESS(const void *, x)) > \
				 ~0ul - MAX_ERRNO, \
			 0)

IOASID_MUST_CHECK static inline void *ERR_PTR(long error)
{
	return IOASID_ADDRESS(void *, error);
}

IOASID_MUST_CHECK static inline long PTR_ERR(const void *ptr)
{
	return IOASID_ADDRESS(long, ptr);
}

IOASID_MUST_CHECK static inline bool IS_ERR(const void *ptr)
{
	return __builtin_expect(IOASID_ADDRESS(unsigned long, ptr) > ~0ul - MAX_ERRNO, 0);
}

IOASID_MUST_CHECK static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

IOASID_MUST_CHECK static inline void *ERR_CAST(const void *ptr)
{
	return IOASID_ADDRESS(void *, IOASID_ADDRESS(unsigned long, ptr));
}

IOASID_MUST_CHECK static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? IOASID_NUMBER(int, PTR_ERR(ptr)) : 0;
}

#endif
