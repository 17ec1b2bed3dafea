/* SPDX-License-Identifier: MIT */
/* Internal: the public interface, as all layers of the library see it. Never installed. */
#ifndef CIOASID_H
#define CIOASID_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/ioasid-debug.h>
#include <linux/ioasid-hooks.h>
#include <linux/ioasid-log.h>
#include <linux/ioasid-rcu.h>
#include <linux/ioasid.h>

/* Swift wants to know which pointers may be NULL; gcc does not know the words. */
#ifndef __clang__
#define _Nonnull
#define _Nullable
#define _Null_unspecified
#endif

/* The kernel's error pointers, under names that Swift can import. */
static inline bool cio_is_err(const void *_Nullable ptr)
{
	return (uintptr_t)ptr >= (uintptr_t)-4095;
}

#endif /* CIOASID_H */
