/* SPDX-License-Identifier: MIT */
/* Internal to this folder: the loaded module that has an address. */
#ifndef CIOASID_MODULE_H
#define CIOASID_MODULE_H

#include <link.h>

/* As dl_iterate_phdr() calls it: 0 to go on. */
typedef int cio_module_visitor(struct dl_phdr_info *module, size_t size, void *data);

/*
 * Visits the module that has @address, or all modules where the C library has no way but that; the visitor
 * looks at the segments anyhow. Returns what it did, 0 if no module has the address.
 *
 * dl_iterate_phdr() takes a lock of the loader's. Its visitors and dlopen() have that lock, perhaps for long, and
 * it stays taken in a child of fork() if another thread had it. This does not take it, if it can do without; nor
 * does it then keep the module from being unloaded meanwhile.
 */
int cio_visit_module(const void *_Nonnull address, cio_module_visitor *_Nonnull visit,
		     void *_Nullable data);

#endif /* CIOASID_MODULE_H */
