/* SPDX-License-Identifier: Apache-2.0 */
/* The tables in which a code object of CPython has its lines. */
#ifndef HTTP_PYLINES_H
#define HTTP_PYLINES_H

#include <stddef.h>
#include <stdint.h>

#include "pyconfig.h"

/*
 * The line of the instruction at byte @at of code that begins in line @first;
 * @table, of @len bytes, is any bytes. A negative @at is before the first
 * instruction. 0: the table has none for it.
 */
uint32_t http_pylines_find(enum http_py_lines kind, const uint8_t *table,
			   size_t len, uint32_t first, int64_t at);

#endif
