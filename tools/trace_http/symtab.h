/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of one ELF file, by address: from its .symtab, or that of its
 * separate debug file below /usr/lib/debug, or .dynsym and .gnu_debugdata.
 */
#ifndef NB_TRACE_HTTP_SYMTAB_H
#define NB_TRACE_HTTP_SYMTAB_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#include "binary.h"

/* More of a file's, and of a compressed .gnu_debugdata's bytes, is not read. */
#define HTTP_SYMTAB_MAX (8u << 20)
#define HTTP_MINIDEBUG_MAX (4u << 20)

struct http_entry {
	uint64_t addr;
	uint64_t size; /* 0: up to the next one */
	const char *name;
	uint8_t rank; /* of those at one address the highest is told */
};

/* Zero-initialise; http_symtab_free() once it was read, also on failure. */
struct http_symtab {
	struct http_entry *entries;
	size_t n;
	size_t room;
	size_t bytes; /* that libelf has of it, at most */
	/* What names are in: the file, and one that is about it. */
	Elf *elf;
	Elf *debug;
	int debug_fd;
};

/* 0, -ENOENT when it has none, or -ENOMEM. */
int http_symtab_read(struct http_symtab *tab, const struct http_binary *binary);
void http_symtab_free(struct http_symtab *tab);

/* The function that the file's address @vaddr is in, or NULL. */
const struct http_entry *http_symtab_find(const struct http_symtab *tab,
					  uint64_t vaddr);

#endif
