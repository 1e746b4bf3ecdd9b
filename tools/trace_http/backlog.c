// SPDX-License-Identifier: Apache-2.0
#include "backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct http_waiting_record {
	struct http_waiting_record *next;
	size_t size;
	void *data;
};

int http_backlog_add(struct http_backlog *b, const void *data, size_t size)
{
	struct http_waiting_record *r;

	if (size > HTTP_BACKLOG_MAX - b->bytes)
		return -ENOSPC;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->data = malloc(size ? size : 1);
	if (!r->data) {
		free(r);
		return -ENOMEM;
	}
	memcpy(r->data, data, size);
	r->size = size;
	if (b->last)
		b->last->next = r;
	else
		b->first = r;
	b->last = r;
	b->bytes += size;
	return 0;
}

void *http_backlog_take(struct http_backlog *b, size_t *ret_size)
{
	struct http_waiting_record *r = b->first;
	void *data;

	if (!r)
		return NULL;
	b->first = r->next;
	if (!b->first)
		b->last = NULL;
	b->bytes -= r->size;
	*ret_size = r->size;
	data = r->data;
	free(r);
	return data;
}

void http_backlog_free(struct http_backlog *b)
{
	size_t size;
	void *data;

	while ((data = http_backlog_take(b, &size)))
		free(data);
}
