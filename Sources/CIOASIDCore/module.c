// SPDX-License-Identifier: MIT
// The loaded module that has an address, also where the loader's lock is not to be had.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "core.h"
#include "module.h"

#define COLD __attribute__((cold, noinline))

#ifdef DLFO_EH_SEGMENT_TYPE
/* glibc's since 2.35: without a lock. By its name, so that an older one does; looked up when nothing is held. */
static __typeof__(_dl_find_object) *find_object;

__attribute__((constructor)) static void begin(void)
{
	void *function = dlsym(RTLD_DEFAULT, "_dl_find_object");

	memcpy(&find_object, &function, sizeof(function));
}

static bool is_in(const struct link_map *module, const void *address)
{
	struct dl_find_object found;

	return find_object((void *)(uintptr_t)address, &found) == 0 &&
	       found.dlfo_link_map == module;
}

/*
 * What dl_iterate_phdr() would say of it. The program headers are behind the header, which linkers put at the
 * beginning; or where the kernel says, for a program that was not linked to begin at 0. Not from dlfo_map_start: if
 * there are gaps between the segments of a module, that is where one of them begins. False if they are elsewhere, or
 * not loaded.
 */
COLD static bool describe(const struct link_map *module, struct dl_phdr_info *as)
{
	const ElfW(Ehdr) *header = (const void *)module->l_addr;
	const ElfW(Phdr) *told = (const void *)getauxval(AT_PHDR);

	memset(as, 0, sizeof(*as));
	as->dlpi_addr = module->l_addr;
	as->dlpi_name = module->l_name;
	if (is_in(module, header) && !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
	    header->e_phentsize == sizeof(ElfW(Phdr)) &&
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) <= 4096) {
		as->dlpi_phdr = (const void *)(module->l_addr + header->e_phoff);
		as->dlpi_phnum = header->e_phnum;
		return true;
	}
	as->dlpi_phdr = told;
	as->dlpi_phnum = (ElfW(Half))getauxval(AT_PHNUM);
	return is_in(module, told);
}

COLD int cio_visit_module(const void *address, cio_module_visitor *visit, void *data)
{
	struct dl_find_object found;
	struct dl_phdr_info module;

	if (find_object) {
		if (find_object((void *)(uintptr_t)address, &found) != 0)
			return 0;
		if (describe(found.dlfo_link_map, &module))
			return visit(&module, sizeof(module), data);
	}
	return dl_iterate_phdr(visit, data);
}
#else
COLD int cio_visit_module(const void *address, cio_module_visitor *visit, void *data)
{
	(void)address;
	return dl_iterate_phdr(visit, data);
}
#endif
