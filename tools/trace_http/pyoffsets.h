/* SPDX-License-Identifier: Apache-2.0 */
/* Where CPython has what: a table for each version, or what it says itself. */
#ifndef HTTP_PYOFFSETS_H
#define HTTP_PYOFFSETS_H

#include <stddef.h>
#include <stdint.h>

#include "pyconfig.h"

/* From this version on, CPython says so itself (_Py_DebugOffsets, 3.13). */
#define HTTP_PY_SELF 0x030d0000

/* Bytes of _PyRuntime that http_pyoffsets_self() wants. */
#define HTTP_PY_SELF_SIZE 568

/*
 * The offsets of CPython @version (as PY_VERSION_HEX), up to 3.12, into *ret,
 * whose "runtime" is 0. 0, or -EOPNOTSUPP when there is no table of it.
 */
int http_pyoffsets_of(uint32_t version, struct http_py_config *ret);

/*
 * The same from the @len bytes that _PyRuntime begins with. -EOPNOTSUPP when it
 * is another version's than 3.13, or of its kind without a global lock;
 * -EINVAL when it is no such thing, or says what can't be.
 */
int http_pyoffsets_self(const void *runtime, size_t len,
			struct http_py_config *ret);

#endif
