/* SPDX-License-Identifier: Apache-2.0 */
/* A code object of another process. */
#ifndef HTTP_PYOBJ_H
#define HTTP_PYOBJ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pyconfig.h"
#include "pymem.h"

/* The process. Zero-initialise "type". */
struct http_pyreader {
	pid_t pid;
	const struct http_py_config *config;
	uint64_t type; /* the address of PyCode_Type, when it is known */
};

/* What a frame's code is called. */
struct http_pycode {
	const char *name; /* __qualname__ (from 3.11 on), or __name__ */
	const char *file; /* the end of it if it is long */
	const uint8_t *table;
	size_t table_len;
	uint32_t first;	    /* line */
	uint32_t traceable; /* as http_py_config.code_traceable says */
};

/* What a code object points to, and what it is itself. */
struct http_pystamp {
	uint64_t type;
	uint64_t name;
	uint64_t file;
	uint64_t table;
	uint64_t first;
	uint64_t traceable;
	uint64_t name_len;
	uint64_t file_len;
	uint64_t table_len;
};
_Static_assert(sizeof(struct http_pystamp) == 9 * 8, "compared as bytes");

/*
 * A code object may be freed and another be where it was, with all that it
 * points to. So everything is kept that is used, to be compared.
 */
struct http_pyobj {
	struct http_pyobj *next; /* its owner's */
	uint64_t addr;
	struct http_pystamp stamp;
	struct http_pymem_str name; /* where they are in the process, */
	struct http_pymem_str file;
	uint8_t *bytes; /* and their bytes: the table's are the first */
	size_t nbytes;
	char *texts;
	struct http_pycode code;
};

/*
 * Read the code object at @addr. 0; -EINVAL when it can be none; -ENOMEM; or as
 * http_pymem_read(). The caller frees *ret with http_pyobj_free().
 */
int http_pyobj_read(struct http_pyreader *reader, uint64_t addr,
		    struct http_pyobj **ret);
void http_pyobj_free(struct http_pyobj *obj);

/*
 * Is what is at its address still @obj? 1; 0; -ESRCH when the process has
 * ended; or -ENOMEM.
 */
int http_pyobj_same(struct http_pyreader *reader, const struct http_pyobj *obj);

#endif
