/* SPDX-License-Identifier: MIT */
/* Compat: what a module exports. A C symbol that is not static is exported already. */
#ifndef IOASID_LINUX_EXPORT_H
#define IOASID_LINUX_EXPORT_H

/* Takes the semicolon that follows, and fails to compile if there is no such symbol. */
#define EXPORT_SYMBOL(symbol) extern __typeof__(symbol) symbol
#define EXPORT_SYMBOL_GPL(symbol) extern __typeof__(symbol) symbol

#endif
