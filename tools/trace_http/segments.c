// SPDX-License-Identifier: Apache-2.0
/* Where in an ELF file things are, and how large. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary.h"

#define SEGMENTS_MAX 256

/* 0 or -errno. */
static int read_segments(struct http_binary *b)
{
	size_t n = 0;
	GElf_Phdr ph;

	if (elf_getphdrnum(b->elf, &n) || n > SEGMENTS_MAX)
		return -EBADMSG;
	b->segments = calloc(n ? n : 1, sizeof(*b->segments));
	if (!b->segments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(b->elf, (int)i, &ph))
			return -EBADMSG;
		if (ph.p_type != PT_LOAD)
			continue;
		b->segments[b->nsegments++] = (struct http_segment){
			.vaddr = ph.p_vaddr,
			.offset = ph.p_offset,
			.filesz = ph.p_filesz,
			.memsz = ph.p_memsz,
			.align = ph.p_align ? ph.p_align : 1,
			.exec = ph.p_flags & PF_X,
			.write = ph.p_flags & PF_W,
		};
	}
	return b->nsegments ? 0 : -EBADMSG;
}

/* How large is what would be read of it? */
static void add_section(struct http_binary *b, const GElf_Shdr *sh,
			const char *name)
{
	if (sh->sh_type == SHT_NOBITS)
		return;
	if (!strncmp(name, ".debug_", 7) || !strncmp(name, ".zdebug_", 8))
		b->debug_size += sh->sh_size;
	else if (!strncmp(name, ".eh_frame", 9))
		b->frame_size += sh->sh_size;
	else if (sh->sh_type == SHT_SYMTAB || sh->sh_type == SHT_DYNSYM ||
		 sh->sh_type == SHT_STRTAB || !strcmp(name, ".gnu_debugdata"))
		b->symbol_size += sh->sh_size;
}

int http_binary_measure(struct http_binary *b)
{
	int err = read_segments(b);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t names;

	if (err)
		return err;
	if (elf_getshdrstrndx(b->elf, &names))
		return 0; /* there are no sections */
	while ((scn = elf_nextscn(b->elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			continue;
		name = elf_strptr(b->elf, names, sh.sh_name);
		add_section(b, &sh, name ? name : "");
	}
	return 0;
}

int http_binary_vaddr(const struct http_binary *b, uint64_t offset,
		      uint64_t *ret)
{
	for (size_t i = 0; i < b->nsegments; i++) {
		const struct http_segment *s = &b->segments[i];

		/* The page in which it ends may have the next one's, too. */
		if (s->exec && offset >= s->offset &&
		    offset - s->offset < s->filesz) {
			*ret = s->vaddr + (offset - s->offset);
			return 0;
		}
	}
	return -ENOENT;
}

int http_binary_bias(const struct http_binary *b, uint64_t start,
		     uint64_t offset, uint64_t len, uint64_t *ret)
{
	for (size_t i = 0; i < b->nsegments; i++) {
		const struct http_segment *s = &b->segments[i];

		if (s->exec && s->offset < offset + len &&
		    s->offset + s->filesz > offset) {
			*ret = start - offset + s->offset - s->vaddr;
			return 0;
		}
	}
	return -ENOENT;
}

void http_binary_extent(const struct http_binary *b, uint64_t *low,
			uint64_t *high)
{
	*low = 0;
	*high = 0;
	if (!b->nsegments)
		return;
	*low = b->segments[0].vaddr & -b->segments[0].align;
	for (size_t i = 0; i < b->nsegments; i++)
		if (b->segments[i].vaddr + b->segments[i].memsz > *high)
			*high = b->segments[i].vaddr + b->segments[i].memsz;
}

int http_binary_read(const struct http_binary *b, uint64_t vaddr, void *to,
		     size_t size)
{
	for (size_t i = 0; i < b->nsegments; i++) {
		const struct http_segment *s = &b->segments[i];
		uint64_t at = vaddr - s->vaddr;

		if (s->write || vaddr < s->vaddr || at >= s->filesz ||
		    size > s->filesz - at)
			continue;
		if (b->image) {
			memcpy(to, (char *)b->image + s->offset + at, size);
			return 0;
		}
		return pread(b->fd, to, size, (off_t)(s->offset + at)) ==
				       (ssize_t)size
			       ? 0
			       : -EFAULT;
	}
	return -EFAULT;
}
