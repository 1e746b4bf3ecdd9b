// SPDX-License-Identifier: Apache-2.0
#include "symbols.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary.h"
#include "lines.h"
#include "symtab.h"

/* Answers that are kept: what programs wait in is few places. */
#define KNOWN 512

struct known {
	uint64_t vaddr;
	char *name; /* NULL: nothing is known; "": it is in no function */
	const char *file;
	uint32_t line;
	bool eval;
};

struct http_symbols {
	const struct http_binary *binary;
	struct http_symtab tab;
	Elf *elf;   /* for libdwfl, until it asks */
	Dwfl *dwfl; /* NULL: it has no lines */
	Dwfl_Module *mod;
	struct known known[KNOWN];
};

static int find_elf(Dwfl_Module *mod, void **userdata, const char *name,
		    Dwarf_Addr base, char **file, Elf **elf)
{
	struct http_symbols *s = *userdata;

	(void)mod, (void)name, (void)base;
	*file = NULL;
	*elf = s->elf; /* handed over */
	s->elf = NULL;
	return -1;
}

/* Lines are told where the file itself has them. */
static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name,
			  Dwarf_Addr base, const char *file, const char *link,
			  GElf_Word crc, char **ret)
{
	(void)mod, (void)userdata, (void)name, (void)base;
	(void)file, (void)link, (void)crc, (void)ret;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};

static bool has_lines(const struct http_binary *b)
{
	return b->debug_size && b->debug_size <= HTTP_LINES_MAX;
}

/* For lines: the file as libdwfl has it, where its own addresses are. */
static int report(struct http_symbols *s)
{
	uint64_t low, high;
	void **userdata;

	s->elf = http_binary_open_elf(s->binary);
	if (!s->elf || !http_lines_are_sound(s->elf))
		return 0;
	http_binary_extent(s->binary, &low, &high);
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl)
		return -ENOMEM;
	dwfl_report_begin(s->dwfl);
	s->mod = dwfl_report_module(s->dwfl, "file", low, high);
	if (!s->mod || dwfl_report_end(s->dwfl, NULL, NULL))
		return -EBADMSG;
	dwfl_module_info(s->mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = s;
	return 0;
}

int http_symbols_new(const struct http_binary *binary,
		     struct http_symbols **ret)
{
	struct http_symbols *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->binary = binary;
	err = http_symtab_read(&s->tab, binary);
	if (!err && has_lines(binary))
		err = report(s);
	if (err)
		http_symbols_free(s);
	else
		*ret = s;
	return err;
}

void http_symbols_free(struct http_symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < KNOWN; i++)
		free(s->known[i].name);
	if (s->dwfl)
		dwfl_end(s->dwfl);
	elf_end(s->elf);
	http_symtab_free(&s->tab);
	free(s);
}

int http_symbols_find(struct http_symbols *s, uint64_t vaddr,
		      struct http_symbol *ret)
{
	size_t slot = vaddr * 0x9e3779b97f4a7c15 >> 55;
	struct known *k = &s->known[slot];

	if (!k->name || k->vaddr != vaddr) {
		const struct http_entry *e = http_symtab_find(&s->tab, vaddr);

		free(k->name);
		*k = (struct known){ .vaddr = vaddr };
		k->name = e ? http_demangle(e->name) : strdup("");
		if (!k->name)
			return -ENOENT;
		k->eval = e && http_symbol_is_eval(e->name);
		if (e && s->mod)
			http_line_find(s->mod, vaddr, &k->file, &k->line);
	}
	if (!*k->name)
		return -ENOENT;
	*ret = (struct http_symbol){ .name = k->name,
				     .file = k->file,
				     .line = k->line,
				     .eval = k->eval };
	return 0;
}

size_t http_symbols_bytes(const struct http_symbols *s)
{
	return sizeof(*s) + s->tab.n * sizeof(*s->tab.entries) + s->tab.bytes +
	       (s->dwfl ? s->binary->debug_size : 0);
}
