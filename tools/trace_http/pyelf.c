// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pyelf.h"

/* Far more than there are in any file worth looking at. */
#define HEADERS_MAX 4096
#define SECTION_MAX (256u << 20)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_HERE ELFDATA2LSB
#else
#define BYTE_ORDER_HERE ELFDATA2MSB
#endif

static int read_at(int fd, uint64_t offset, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		if (offset + done > INT64_MAX)
			return -ENOEXEC;
		n = pread(fd, (char *)buf + done, len - done,
			  (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENOEXEC;
		done += (size_t)n;
	}
	return 0;
}

/* As read_at(), to memory that the caller frees, with a NUL behind. */
static int read_new(int fd, uint64_t offset, uint64_t len, void **ret)
{
	char *buf;
	int err;

	if (len > SECTION_MAX)
		return -ENOEXEC;
	buf = malloc(len + 1);
	if (!buf)
		return -ENOMEM;
	err = read_at(fd, offset, buf, len);
	if (err) {
		free(buf);
		return err;
	}
	buf[len] = '\0';
	*ret = buf;
	return 0;
}

static int read_header(int fd, Elf64_Ehdr *ret)
{
	int err = read_at(fd, 0, ret, sizeof(*ret));

	if (err)
		return err;
	if (memcmp(ret->e_ident, ELFMAG, SELFMAG) ||
	    ret->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ret->e_ident[EI_DATA] != BYTE_ORDER_HERE ||
	    ret->e_phnum > HEADERS_MAX || ret->e_shnum > HEADERS_MAX ||
	    (ret->e_phnum && ret->e_phentsize != sizeof(Elf64_Phdr)) ||
	    (ret->e_shnum && ret->e_shentsize != sizeof(Elf64_Shdr)))
		return -ENOEXEC;
	return 0;
}

static void match(const char *name, uint64_t value, const char *const *names,
		  size_t n, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			ret[i] = value;
}

static int search_table(int fd, const Elf64_Shdr *symbols,
			const Elf64_Shdr *strings, const char *const *names,
			size_t n, uint64_t *ret)
{
	void *syms = NULL, *text = NULL;
	int err;

	err = read_new(fd, symbols->sh_offset, symbols->sh_size, &syms);
	if (err == 0)
		err = read_new(fd, strings->sh_offset, strings->sh_size, &text);
	for (size_t i = 0; !err && i < symbols->sh_size / sizeof(Elf64_Sym);
	     i++) {
		const Elf64_Sym *sym = (const Elf64_Sym *)syms + i;

		if (sym->st_shndx != SHN_UNDEF &&
		    sym->st_name < strings->sh_size)
			match((const char *)text + sym->st_name, sym->st_value,
			      names, n, ret);
	}
	free(text);
	free(syms);
	return err;
}

/* Search all tables of @type. */
static int search_type(int fd, const Elf64_Shdr *sections, size_t nsections,
		       uint32_t type, const char *const *names, size_t n,
		       uint64_t *ret)
{
	for (size_t i = 0; i < nsections; i++) {
		const Elf64_Shdr *s = &sections[i];
		int err;

		if (s->sh_type != type || s->sh_link >= nsections ||
		    sections[s->sh_link].sh_type != SHT_STRTAB)
			continue;
		err = search_table(fd, s, &sections[s->sh_link], names, n, ret);
		if (err)
			return err;
	}
	return 0;
}

int http_pyelf_symbols(int fd, bool all, const char *const *names, size_t n,
		       uint64_t *ret)
{
	void *sections = NULL;
	Elf64_Ehdr head;
	int err;

	memset(ret, 0, n * sizeof(*ret));
	err = read_header(fd, &head);
	if (err == 0)
		err = read_new(fd, head.e_shoff,
			       (uint64_t)head.e_shnum * sizeof(Elf64_Shdr),
			       &sections);
	if (err == 0)
		err = search_type(fd, sections, head.e_shnum, SHT_DYNSYM, names,
				  n, ret);
	if (err == 0 && ret[0] == 0 && all)
		err = search_type(fd, sections, head.e_shnum, SHT_SYMTAB, names,
				  n, ret);
	free(sections);
	return err;
}

/* Does what is mapped of the segment have the file's byte @at? */
static bool has_offset(const Elf64_Phdr *seg, uint64_t at)
{
	/* It begins with the page that the segment is in. */
	return at + 65536 > seg->p_offset && at < seg->p_offset + seg->p_filesz;
}

static bool has_address(const Elf64_Phdr *seg, uint64_t at)
{
	return at >= seg->p_vaddr && at - seg->p_vaddr < seg->p_filesz;
}

/* The first executable segment that @has finds @at in. 0 or -errno. */
static int find_segment(int fd, bool (*has)(const Elf64_Phdr *, uint64_t),
			uint64_t at, Elf64_Phdr *ret)
{
	Elf64_Ehdr head;
	int err = read_header(fd, &head);

	for (size_t i = 0; err == 0 && i < head.e_phnum; i++) {
		err = read_at(fd, head.e_phoff + i * sizeof(*ret), ret,
			      sizeof(*ret));
		if (err == 0 && ret->p_type == PT_LOAD && ret->p_flags & PF_X &&
		    has(ret, at))
			return 0;
	}
	return err ? err : -ENOENT;
}

int http_pyelf_address(int fd, uint64_t offset, uint64_t *ret)
{
	Elf64_Phdr seg;
	int err = find_segment(fd, has_offset, offset, &seg);

	if (err == 0)
		*ret = seg.p_vaddr + offset - seg.p_offset;
	return err;
}

int http_pyelf_offset(int fd, uint64_t addr, uint64_t *ret)
{
	Elf64_Phdr seg;
	int err = find_segment(fd, has_address, addr, &seg);

	if (err == 0)
		*ret = addr - seg.p_vaddr + seg.p_offset;
	return err;
}
