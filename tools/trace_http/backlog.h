/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait to be worked on. Names take 1000 times as long as taking a
 * record out of the kernel's buffer does, which would be full at once where
 * many calls end together.
 */
#ifndef HTTP_BACKLOG_H
#define HTTP_BACKLOG_H

#include <stddef.h>

/* The most that may wait, in bytes. */
#define HTTP_BACKLOG_MAX (64u << 20)

struct http_waiting_record;

/* Zero-initialise; http_backlog_free() at the end. */
struct http_backlog {
	struct http_waiting_record *first;
	struct http_waiting_record *last;
	size_t bytes;
};

/*
 * Put a copy of the @size bytes at @data behind the others. 0, -ENOSPC (too
 * much waits) or -ENOMEM.
 */
int http_backlog_add(struct http_backlog *b, const void *data, size_t size);

/*
 * The oldest record, of *ret_size bytes, which the caller frees with free();
 * NULL: none waits. Aligned as malloc(3) does.
 */
void *http_backlog_take(struct http_backlog *b, size_t *ret_size);

void http_backlog_free(struct http_backlog *b);

#endif
