// SPDX-License-Identifier: MIT
// The loaded module that has an address, also where the loader's lock is not to be had.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <string.h>

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

/* The program headers, if they are loaded where linkers put them; it also says how many they are. */
static const ElfW(Phdr) * segments(const struct dl_find_object *module, int *nr)
{
	const char *start = module->dlfo_map_start;
	const ElfW(Ehdr) *header = module->dlfo_map_start;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_phentsize != sizeof(ElfW(Phdr)) ||
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > 4096)
		return NULL;
	*nr = header->e_phnum;
	return (const void *)(start + header->e_phoff);
}

COLD static bool find(const void *address, struct dl_phdr_info *found)
{
	struct dl_find_object module;
	int nr;

	memset(found, 0, sizeof(*found));
	if (find_object((void *)(uintptr_t)address, &module) != 0)
		return true;
	found->dlpi_phdr = segments(&module, &nr);
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
