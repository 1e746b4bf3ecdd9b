// SPDX-License-Identifier: Apache-2.0
#include "symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary.h"
#include "lines.h"
#include "module.h"
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
	struct http_module module;
	Dwfl *dwfl; /* NULL: it has no lines */
	Dwfl_Module *mod;
	struct known known[KNOWN];
};

static bool has_lines(const struct http_binary *b)
{
	return b->debug_size && b->debug_size <= HTTP_LINES_MAX;
}

/*
 * For lines: the file as libdwfl has it, where its own addresses are. The
 * handle is its own, as sections of it are decompressed.
 */
static int report(struct http_symbols *s)
{
	struct http_module *m = &s->module;

	m->binary = s->binary;
	m->elf = http_binary_open_elf(s->binary);
	if (!m->elf || !http_lines_are_sound(m->elf))
		return 0;
	s->dwfl = http_module_begin();
	if (!s->dwfl)
		return -ENOMEM;
	s->mod = http_module_report(s->dwfl, "file", m);
	if (!s->mod || dwfl_report_end(s->dwfl, NULL, NULL))
		return -EBADMSG;
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
	elf_end(s->module.elf);
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
