/* SPDX-License-Identifier: MIT */
/* Compat: where a member of a structure ends. */
#ifndef IOASID_LINUX_STDDEF_H
#define IOASID_LINUX_STDDEF_H

#include <stddef.h>

#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))

#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <linux/stddef.h>
