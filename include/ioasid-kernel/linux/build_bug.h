/* SPDX-License-Identifier: MIT */
/* Compat: conditions that must be false at compile time. */
#ifndef IOASID_LINUX_BUILD_BUG_H
#define IOASID_LINUX_BUILD_BUG_H

#define BUILD_BUG_ON(condition) ((void)sizeof(char[1 - 2 * !!(condition)]))
#define BUILD_BUG_ON_MSG(condition, msg) BUILD_BUG_ON(condition)

#endif
