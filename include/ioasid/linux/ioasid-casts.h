/* SPDX-License-Identifier: MIT */
/* Casts in headers that C++ programs include too, which may have warnings for those of C. */
#ifndef IOASID_LINUX_IOASID_CASTS_H
#define IOASID_LINUX_IOASID_CASTS_H

/* IOASID_NUMBER is between numbers; IOASID_ADDRESS is between a pointer and a number of its size. */
#ifdef __cplusplus
#define IOASID_NUMBER(type, value) static_cast<type>(value)
#define IOASID_ADDRESS(type, value) reinterpret_cast<type>(value)
#define IOASID_NULL nullptr
#else
#define IOASID_NUMBER(type, value) ((type)(value))
#define IOASID_ADDRESS(type, value) ((type)(value))
#define IOASID_NULL ((void *)0)
#endif

#endif
