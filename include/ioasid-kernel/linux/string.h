/* SPDX-License-Identifier: MIT */
/* Compat: memory and strings, as the C library has them. */
#ifndef IOASID_LINUX_STRING_H
#define IOASID_LINUX_STRING_H

#include <string.h>

#include <linux/types.h>

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/string.h>
