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
 * The program headers: behind the header, which linkers put at the beginning; or where the kernel says, for a
 * program that was not linked to begin at 0. Not from dlfo_map_start: if there are gaps between the segments of
 * a module, that is where one of them begins. NULL if they are elsewhere, or not loaded.
 */
static const ElfW(Phdr) * segments(const struct link_map *module, int *nr)
{
	const ElfW(Ehdr) *header = (const void *)module->l_addr;
	const ElfW(Phdr) *told = (const void *)getauxval(AT_PHDR);

	if (is_in(module, header) && !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
	    header->e_phentsize == sizeof(ElfW(Phdr)) &&
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) <= 4096) {
		*nr = header->e_phnum;
		return (const void *)(module->l_addr + header->e_phoff);
	}
	*nr = (int)getauxval(AT_PHNUM);
	return is_in(module, told) ? told : NULL;
}

COLD static bool find(const void *address, struct dl_phdr_info *found)
{
	struct dl_find_object module;
	int nr;

	memset(found, 0, sizeof(*found));
	if (find_object((void *)(uintptr_t)address, &module) != 0)
		return true;
	found->dlpi_phdr = segments(module.dlfo_link_map, &nr);
	if (!found->dlpi_phdr)
		return false;
	found->dlpi_phnum = (ElfW(Half))nr;
	found->dlpi_addr = module.dlfo_link_map->l_addr;
	found->dlpi_name = module.dlfo_link_map->l_name;
	return true;
}

COLD int cio_visit_module(const void *address, cio_module_visitor *visit, void *data)
{
	struct dl_phdr_info module;

	if (!find_object || !find(address, &module))
		return dl_iterate_phdr(visit, data);
	return module.dlpi_phdr ? visit(&module, sizeof(module), data) : 0;
}
#else
COLD int cio_visit_module(const void *address, cio_module_visitor *visit, void *data)
{
	(void)address;
	return dl_iterate_phdr(visit, data);
}
#endif
