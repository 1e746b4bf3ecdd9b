// SPDX-License-Identifier: Apache-2.0
#include "binary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols.h"

/* Not mapped, as a file that is cut while it is mapped ends who reads it. */
Elf *http_binary_open_elf(const struct http_binary *b)
{
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = b->image ? elf_memory(b->image, b->size)
		       : elf_begin(b->fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		elf = NULL;
	}
	return elf;
}

static void open_elf(struct http_binary *b)
{
	b->elf = http_binary_open_elf(b);
	if (b->elf && http_binary_measure(b)) {
		elf_end(b->elf);
		b->elf = NULL;
		b->nsegments = 0;
	}
	b->no_symbols = !b->elf || b->symbol_size > HTTP_SECTIONS_MAX;
	b->no_unwind = !b->elf || b->frame_size > HTTP_SECTIONS_MAX ||
		       b->debug_size > HTTP_SECTIONS_MAX;
}

static void drop_symbols(struct http_binaries *all, struct http_binary *b)
{
	if (b->symbols)
		all->symbol_bytes -= http_symbols_bytes(b->symbols);
	http_symbols_free(b->symbols);
	b->symbols = NULL;
}

static void free_binary(struct http_binaries *all, struct http_binary *b)
{
	struct http_binary **at = &all->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	drop_symbols(all, b);
	elf_end(b->elf);
	if (b->fd >= 0)
		close(b->fd);
	free(b->segments);
	free(b);
}

static struct http_binary *find(struct http_binaries *all,
				const struct http_binary *like)
{
	struct http_binary *b;

	for (b = all->first; b; b = b->next)
		if (b->inode == like->inode && b->dev == like->dev &&
		    b->size == like->size && b->mtime_ns == like->mtime_ns &&
		    b->image == like->image)
			return b;
	return NULL;
}

/* The one that is like @like, whose descriptor is taken over. */
static int get(struct http_binaries *all, const struct http_binary *like,
	       struct http_binary **ret)
{
	struct http_binary *b = find(all, like);

	if (b) {
		if (like->fd >= 0)
			close(like->fd);
	} else {
		b = malloc(sizeof(*b));
		if (!b) {
			if (like->fd >= 0)
				close(like->fd);
			return -ENOMEM;
		}
		*b = *like;
		open_elf(b);
		b->next = all->first;
		all->first = b;
	}
	b->refs++;
	b->used = ++all->calls;
	*ret = b;
	return 0;
}

int http_binary_get(struct http_binaries *all, int fd, struct http_binary **ret)
{
	struct http_binary like = { .fd = fd };
	struct stat st;
	int err = 0;

	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	if (err) {
		close(fd);
		return err;
	}
	like.dev = st.st_dev;
	like.inode = st.st_ino;
	like.size = (uint64_t)st.st_size;
	like.mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 +
			(uint64_t)st.st_mtim.tv_nsec;
	return get(all, &like, ret);
}

int http_binary_get_vdso(struct http_binaries *all, struct http_binary **ret)
{
	struct http_binary like = { .fd = -1 };
	const Elf64_Ehdr *ehdr = (void *)getauxval(AT_SYSINFO_EHDR);

	if (!ehdr)
		return -ENOENT;
	like.image = (void *)ehdr;
	/* The section headers are last (arch/x86/entry/vdso). */
	like.size = ehdr->e_shoff + (uint64_t)ehdr->e_shnum * ehdr->e_shentsize;
	return get(all, &like, ret);
}

void http_binary_hold(struct http_binary *binary)
{
	binary->refs++;
}

void http_binary_put(struct http_binaries *all, struct http_binary *binary)
{
	struct http_binary *oldest = NULL;
	size_t idle = 0;

	if (!binary || --binary->refs)
		return;
	for (struct http_binary *b = all->first; b; b = b->next) {
		if (b->refs)
			continue;
		idle++;
		if (!oldest || b->used < oldest->used)
			oldest = b;
	}
	if (idle > HTTP_BINARIES_IDLE)
		free_binary(all, oldest);
}

/* Forget those of others than @keep, if all are too many. */
static void make_room(struct http_binaries *all, struct http_binary *keep)
{
	while (all->symbol_bytes > HTTP_SYMBOLS_MAX) {
		struct http_binary *oldest = NULL;

		for (struct http_binary *b = all->first; b; b = b->next)
			if (b->symbols && b != keep &&
			    (!oldest || b->used < oldest->used))
				oldest = b;
		if (!oldest)
			return;
		drop_symbols(all, oldest);
	}
}

struct http_symbols *http_binary_symbols(struct http_binaries *all,
					 struct http_binary *b)
{
	b->used = ++all->calls;
	if (b->symbols || b->no_symbols)
		return b->symbols;
	if (http_symbols_new(b, &b->symbols)) {
		b->no_symbols = true;
		return NULL;
	}
	all->symbol_bytes += http_symbols_bytes(b->symbols);
	make_room(all, b);
	return b->symbols;
}

void http_binaries_free(struct http_binaries *all)
{
	while (all->first)
		free_binary(all, all->first);
	memset(all, 0, sizeof(*all));
}
