// SPDX-License-Identifier: MIT
// Names of functions and variables, for people.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "core.h"
#include "module.h"

#define COLD __attribute__((cold, noinline))

/*
 * A trace needs names while it has the core lock. dladdr() takes the lock that dlopen() holds while it runs
 * constructors, which may wait for ours. dl_iterate_phdr() takes another one, which keeps the module where it is
 * while its symbols are read; so it is used where somebody is there who will give that lock back.
 */
bool cio_loader_is_alone;

struct search {
	uintptr_t address;
	char *text;
	size_t size;
};

/* What the dynamic section of a module says; addresses in it are relocated already, or not, as the loader likes. */
struct symbols {
	uintptr_t base;
	const ElfW(Sym) * table;
	const char *names;
	const uint32_t *gnu_hash, *hash;
};

COLD static const void *place(const struct symbols *of, ElfW(Addr) value)
{
	return (const void *)(value < of->base ? value + of->base : value);
}

COLD static struct symbols read_dynamic(uintptr_t base, const ElfW(Dyn) * dynamic)
{
	struct symbols of = { .base = base };

	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		const void *at = place(&of, dynamic->d_un.d_ptr);

		if (dynamic->d_tag == DT_SYMTAB)
			of.table = at;
		else if (dynamic->d_tag == DT_STRTAB)
			of.names = at;
		else if (dynamic->d_tag == DT_GNU_HASH)
			of.gnu_hash = at;
		else if (dynamic->d_tag == DT_HASH)
			of.hash = at;
	}
	return of;
}

/* How many there are is said nowhere: the chains of the hash table end with the last one. */
COLD static uint32_t count(const struct symbols *of)
{
	const uint32_t *gnu = of->gnu_hash, *buckets, *chains;
	uint32_t last = 0;

	if (!gnu)
		return of->hash ? of->hash[1] : 0;
	buckets = gnu + 4 + gnu[2] * (sizeof(ElfW(Addr)) / sizeof(*gnu));
	chains = buckets + gnu[0];
	for (uint32_t i = 0; i < gnu[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < gnu[1])
		return gnu[1];
	while (!(chains[last - gnu[1]] & 1))
		last++;
	return last + 1;
}

COLD static const ElfW(Sym) * nearest(const struct symbols *of, uintptr_t address)
{
	const ElfW(Sym) *best = NULL;
	uint32_t nr = of->table && of->names ? count(of) : 0;

	for (uint32_t i = 0; i < nr; i++) {
		const ElfW(Sym) *one = &of->table[i];
		uintptr_t start = of->base + one->st_value;

		/* One without a size, as the linker's _edata, is the end of something, not its name. */
		if (one->st_shndx == SHN_UNDEF || !one->st_value ||
		    (one->st_info & 0xf) == STT_TLS || address < start ||
		    address - start >= one->st_size)
			continue;
		if (!best || one->st_value > best->st_value)
			best = one;
	}
	return best;
}

/* A name that is too long is cut, not its offset. What would break a line, or quotes around it, is not shown. */
COLD static void write_place(const struct search *search, const char *name, size_t offset)
{
	char end[24] = "";
	int room;

	if (offset)
		snprintf(end, sizeof(end), "+0x%zx", offset);
	room = (int)(search->size - 1 - strlen(end));
	snprintf(search->text, search->size, "%.*s%s", room, name, end);
	for (char *at = search->text; *at; at++)
		if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
}

COLD static int look(struct dl_phdr_info *module, size_t size, void *data)
{
	const struct search *search = data;
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t base = module->dlpi_addr, offset;
	const ElfW(Sym) * symbol;
	struct symbols of;
	const char *file;
	bool is_here = false;

	(void)size;
	for (int i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];

		if (segment->p_type == PT_DYNAMIC)
			dynamic = (const void *)(base + segment->p_vaddr);
		if (segment->p_type == PT_LOAD &&
		    search->address - base - segment->p_vaddr < segment->p_memsz)
			is_here = true;
	}
	if (!is_here)
		return 0;
	of = read_dynamic(base, dynamic);
	symbol = nearest(&of, search->address);
	if (symbol) {
		offset = search->address - base - symbol->st_value;
		write_place(search, of.names + symbol->st_name, offset);
		return 1;
	}
	/* The program's own name is empty. */
	file = module->dlpi_name[0] ? module->dlpi_name : program_invocation_name;
	write_place(search, strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
		    (size_t)(search->address - base));
	return 1;
}

/* Only what a module exports has a name here; the rest is an offset that addr2line knows. */
COLD const char *cio_symbol(const void *address, char *text, size_t size)
{
	struct search search = { (uintptr_t)address, text, size };

	snprintf(text, size, "%p", address);
	if (!address)
		return text;
	if (cio_loader_is_alone)
		cio_visit_module(address, look, &search);
	else
		dl_iterate_phdr(look, &search);
	return text;
}
