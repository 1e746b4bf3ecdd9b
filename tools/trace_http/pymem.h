/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process's memory, and the objects of CPython in it. What is there may be
 * anything: it is another's, and may change while it is read.
 */
#ifndef HTTP_PYMEM_H
#define HTTP_PYMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pyconfig.h"

/*
 * Read @len bytes at @addr of process @pid. 0, -EFAULT when not all of them are
 * there, -ESRCH when the process is not, or another -errno.
 */
int http_pymem_read(pid_t pid, uint64_t addr, void *buf, size_t len);

/* The pointer at @addr. As http_pymem_read(). */
int http_pymem_pointer(pid_t pid, uint64_t addr, uint64_t *ret);

/* Where a str has its text. */
struct http_pymem_str {
	uint64_t addr;
	size_t n;	/* characters */
	unsigned width; /* bytes of each: 1, 2 or 4 */
};

/*
 * Where the str object at @addr has its text, at most @max characters of it, of
 * a longer one its end when @tail, else its beginning. 0, -EINVAL when it can
 * be no str, or as http_pymem_read().
 */
int http_pymem_str(pid_t pid, const struct http_py_config *config,
		   uint64_t addr, bool tail, size_t max,
		   struct http_pymem_str *ret);

/*
 * Write @n characters of @width bytes (1, 2 or 4) at @from to @to of @size
 * bytes as UTF-8, with a NUL, as many as fit. Surrogates, which UTF-8 does not
 * have, become U+FFFD, and NUL '?'. Returns the length.
 */
size_t http_pymem_utf8(const void *from, size_t n, unsigned width, char *to,
		       size_t size);

#endif
