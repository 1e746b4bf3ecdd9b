/* SPDX-License-Identifier: Apache-2.0 */
/* What is at an address of one ELF file, as people write it. */
#ifndef NB_TRACE_HTTP_SYMBOLS_H
#define NB_TRACE_HTTP_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines are told from a file's own .debug_*, if those are no larger, in bytes.
 */
#define HTTP_LINES_MAX (32u << 20)

struct http_binary;
struct http_symbols;

/* Where an address is. The texts live as long as the struct http_symbols, and
 * until its next look-up. */
struct http_symbol {
	const char *name; /* demangled, without C++'s arguments */
	const char *file; /* its source, or NULL */
	uint32_t line;	  /* or 0 */
	bool eval;	  /* in CPython's loop */
};

/* 0, -ENOENT when it has no functions, or another -errno. On success
 * the caller frees *ret with http_symbols_free(). */
int http_symbols_new(const struct http_binary *binary,
		     struct http_symbols **ret);
void http_symbols_free(struct http_symbols *symbols);

/* The function that the file's address @vaddr is in. 0 or -ENOENT. */
int http_symbols_find(struct http_symbols *symbols, uint64_t vaddr,
		      struct http_symbol *ret);

/* Memory in use, in bytes, of its tables and of what they are made from. */
size_t http_symbols_bytes(const struct http_symbols *symbols);

/*
 * What a symbol is called in its source, of C++ without arguments, of Rust
 * without hash: a text that the caller frees with free(); NULL when there is no
 * memory.
 */
char *http_demangle(const char *name);

/* Is it _PyEval_EvalFrameDefault, or a part of it that the compiler made? */
bool http_symbol_is_eval(const char *name);

#endif
