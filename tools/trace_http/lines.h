/* SPDX-License-Identifier: Apache-2.0 */
/* What DWARF tells of a source, and where there is some. */
#ifndef NB_TRACE_HTTP_LINES_H
#define NB_TRACE_HTTP_LINES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Do texts of @elf's debug sections end where they should? libdw 0.188 does not
 * look. Compressed ones are not any more, then.
 */
bool http_lines_are_sound(Elf *elf);

/*
 * Where @vaddr of @mod is in the source of its function, also where another
 * one is inlined. What is not known stays as it is; the text lives as long as
 * @mod.
 */
void http_line_find(Dwfl_Module *mod, uint64_t vaddr, const char **ret_file,
		    uint32_t *ret_line);

/*
 * Open the separate debug file of what has the build id of @n bytes at @id. A
 * descriptor, which the caller closes, with its size in bytes; or -errno.
 */
int http_debug_open(const unsigned char *id, size_t n, size_t *ret_size);

#endif
