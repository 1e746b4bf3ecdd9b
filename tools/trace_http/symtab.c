// SPDX-License-Identifier: Apache-2.0
#include "symtab.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lines.h"

/* How far back an enclosing function is looked for. */
#define BACK 16

static bool is_code(const struct http_binary *b, uint64_t addr)
{
	for (size_t i = 0; i < b->nsegments; i++)
		if (b->segments[i].exec && addr >= b->segments[i].vaddr &&
		    addr - b->segments[i].vaddr < b->segments[i].memsz)
			return true;
	return false;
}

/* "write" rather than "__GI___write", which is local, or "__write". */
static uint8_t rank_of(const GElf_Sym *sym, const char *name)
{
	return (uint8_t)((sym->st_size != 0) * 8 +
			 (GELF_ST_TYPE(sym->st_info) != STT_NOTYPE) * 4 +
			 (GELF_ST_BIND(sym->st_info) != STB_LOCAL) * 2 +
			 (*name != '_'));
}

/* Assemblers' own labels, as "$x" and ".L1", are no functions. */
static bool is_function(const struct http_binary *b, const GElf_Sym *sym,
			const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	if (!name || !*name || sym->st_shndx == SHN_UNDEF)
		return false;
	if (type != STT_FUNC && type != STT_GNU_IFUNC &&
	    (type != STT_NOTYPE || *name == '$' || *name == '.'))
		return false;
	return is_code(b, sym->st_value);
}

/* Room for @more. 0 or -errno. */
static int grow(struct http_symtab *tab, size_t more)
{
	size_t room = tab->n + more;
	struct http_entry *entries;

	if (room > HTTP_SYMTAB_MAX)
		return -ENOMEM;
	if (room <= tab->room)
		return 0;
	entries = realloc(tab->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	tab->entries = entries;
	tab->room = room;
	return 0;
}

/* Those of a section. 0 or -errno. */
static int add_section(struct http_symtab *tab, const struct http_binary *b,
		       Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Sym sym;
	int err;

	if (!data || !sh->sh_entsize)
		return 0;
	err = grow(tab, data->d_size / sh->sh_entsize);
	if (err)
		return err;
	for (int i = 0; gelf_getsym(data, i, &sym) && tab->n < tab->room; i++) {
		/* NULL for a name that does not end where it should. */
		const char *name = elf_strptr(elf, sh->sh_link, sym.st_name);

		if (is_function(b, &sym, name))
			tab->entries[tab->n++] = (struct http_entry){
				.addr = sym.st_value,
				.size = sym.st_size,
				.name = name,
				.rank = rank_of(&sym, name),
			};
	}
	return 0;
}

/* Those of @elf's section of the type. How many, or -errno. */
static long add(struct http_symtab *tab, const struct http_binary *b, Elf *elf,
		unsigned type)
{
	size_t before = tab->n;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	int err = 0;

	while (!err && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == type)
			err = add_section(tab, b, elf, scn, &sh);
	return err ? err : (long)(tab->n - before);
}

/* The separate debug file: as many symbols as it has, or -errno. */
static long add_debug_file(struct http_symtab *tab, const struct http_binary *b)
{
	const void *id;
	ssize_t n = dwelf_elf_gnu_build_id(tab->elf, &id);
	size_t size;

	tab->debug_fd = n > 0 ? http_debug_open(id, (size_t)n, &size) : -1;
	if (tab->debug_fd < 0)
		return 0;
	tab->bytes += size;
	tab->debug = elf_begin(tab->debug_fd, ELF_C_READ, NULL);
	return tab->debug ? add(tab, b, tab->debug, SHT_SYMTAB) : 0;
}

/* The section .gnu_debugdata, which is an ELF file, compressed; or NULL. */
static Elf_Data *find_minidebug(Elf *elf)
{
	Elf_Scn *scn = NULL;
	const char *name;
	size_t names;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS ||
		    sh.sh_size > HTTP_MINIDEBUG_MAX)
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (name && !strcmp(name, ".gnu_debugdata"))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

static long add_minidebug(struct http_symtab *tab, const struct http_binary *b)
{
	Elf_Data *data = find_minidebug(tab->elf);
	int fd;

	if (!data || !data->d_buf || tab->debug)
		return 0;
	fd = memfd_create("minidebug", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	tab->debug_fd = fd;
	if (write(fd, data->d_buf, data->d_size) == (ssize_t)data->d_size)
		tab->debug = dwelf_elf_begin(fd);
	if (!tab->debug || elf_kind(tab->debug) != ELF_K_ELF)
		return 0;
	return add(tab, b, tab->debug, SHT_SYMTAB);
}

static int compare(const void *a, const void *b)
{
	const struct http_entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->rank < y->rank) - (x->rank > y->rank);
}

/* Of those at one address, one. */
static void sort(struct http_symtab *tab)
{
	struct http_entry *e = tab->entries;
	size_t n = 0;

	qsort(e, tab->n, sizeof(*e), compare);
	for (size_t i = 0; i < tab->n; i++)
		if (!n || e[n - 1].addr != e[i].addr)
			e[n++] = e[i];
	tab->n = n;
	e = realloc(e, n * sizeof(*e));
	if (e) {
		tab->entries = e;
		tab->room = n;
	}
}

int http_symtab_read(struct http_symtab *tab, const struct http_binary *b)
{
	long n;

	tab->debug_fd = -1;
	tab->bytes = b->symbol_size;
	tab->elf = http_binary_open_elf(b);
	if (!tab->elf)
		return -ENOENT;
	n = add(tab, b, tab->elf, SHT_SYMTAB);
	if (!n)
		n = add_debug_file(tab, b);
	if (!n) {
		n = add(tab, b, tab->elf, SHT_DYNSYM);
		if (n >= 0)
			n = add_minidebug(tab, b);
	}
	if (n < 0)
		return (int)n;
	if (!tab->n)
		return -ENOENT;
	sort(tab);
	return 0;
}

const struct http_entry *http_symtab_find(const struct http_symtab *tab,
					  uint64_t vaddr)
{
	size_t low = 0, high = tab->n;
	const struct http_entry *e;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (tab->entries[mid].addr <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i && low - i < BACK; i--) {
		e = &tab->entries[i - 1];
		if (e->size ? vaddr - e->addr < e->size : i == low)
			return e;
	}
	return NULL;
}

void http_symtab_free(struct http_symtab *tab)
{
	elf_end(tab->debug);
	elf_end(tab->elf);
	if (tab->debug_fd >= 0)
		close(tab->debug_fd);
	free(tab->entries);
}
