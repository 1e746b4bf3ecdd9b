/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in a directory that others may write into: always new ones, which are
 * renamed over what has the name. Links are not followed, and what is there and
 * is no regular file stays as it is (-EEXIST).
 */
#ifndef NB_TRACE_HTTP_FILE_H
#define NB_TRACE_HTTP_FILE_H

#include <limits.h>
#include <stdio.h>

/* A file that has not its name yet. */
struct http_file {
	int dir;
	const char *name;
	char temporary[PATH_MAX];
};

/*
 * Make a new file, which http_file_commit() gives the name @name in the
 * directory @dir. A descriptor, close-on-exec, which the caller closes; or
 * -errno. @name must outlive *@ret.
 */
int http_file_begin(int dir, const char *name, struct http_file *ret);

/* Give it its name, unless @err, which is returned then: the file is removed.
 * 0 or -errno. */
int http_file_commit(struct http_file *file, int err);

/*
 * Replace the file @name in @dir by what @write, given @ctx, writes. What there
 * was remains when that fails. 0 or -errno.
 */
int http_file_replace(int dir, const char *name,
		      int (*write)(FILE *out, void *ctx), void *ctx);

#endif
