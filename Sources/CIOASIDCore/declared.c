/* SPDX-License-Identifier: MIT */
/* Tells a DECLARE_IOASID_SET() from any other pointer without following it on trust. */
#define _GNU_SOURCE
#include "core.h"
#include "module.h"

/* Does the object lie whole in writable memory of this loaded module? */
static int holds(struct dl_phdr_info *module, size_t size, void *data)
{
	uintptr_t want = *(const uintptr_t *)data;

	(void)size;
	for (int i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
		uintptr_t start = module->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W) ||
		    segment->p_memsz < sizeof(struct ioasid_set))
			continue;
		if (want >= start && want - start <= segment->p_memsz - sizeof(struct ioasid_set))
			return 1;
	}
	return 0;
}

/*
 * Static data of a loaded module can be read; whether it is a declared set, the set itself says:
 * it points at itself and carries a number that no set type has.
 */
bool cio_is_declared_set(const void *set)
{
	const struct ioasid_set *declared = set;
	uintptr_t address = (uintptr_t)set;

	if (address % _Alignof(struct ioasid_set) != 0 || !cio_visit_module(set, holds, &address))
		return false;
	return declared->token == declared && declared->type == IOASID_SET_DECLARED;
}
