/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files as modules of libdwfl's, which has nothing else than they have. */
#ifndef NB_TRACE_HTTP_MODULE_H
#define NB_TRACE_HTTP_MODULE_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "binary.h"

struct http_module {
	Elf *elf; /* of @binary, or one more handle of the same file */
	const struct http_binary *binary;
	uint64_t bias; /* what is added to the file's addresses */
};

/*
 * A Dwfl for such modules, and no others, whose report has begun; NULL: out of
 * memory. The caller ends the report with dwfl_report_end(), and frees it with
 * dwfl_end().
 */
Dwfl *http_module_begin(void);

/*
 * Report @module, which must outlive @dwfl with all that it points to, under
 * the name @name, which is copied. NULL: libdwfl does not take it.
 */
Dwfl_Module *http_module_report(Dwfl *dwfl, const char *name,
				struct http_module *module);

/* The module that @addr is in, or NULL. */
const struct http_module *http_module_find(Dwfl *dwfl, uint64_t addr);

#endif
