/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where servers have waited, or computed, until it is known which of their
 * calls are slow.
 */
#ifndef NB_HTTP_WAITS_H
#define NB_HTTP_WAITS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "names.h"
#include "output.h"
#include "report.h"
#include "trace_http.h"

/* Zero-initialise; http_waits_free() at the end. */
struct http_waits {
	struct http_wait **wait; /* the oldest make room */
	size_t room;
	size_t next;
	uint64_t gone_ns; /* when the newest was that made room */
	uint64_t cut;	  /* calls that may lack some for it */
};

/* Make room for so many. 0 or -ENOMEM. */
int http_waits_init(struct http_waits *waits, size_t room);

/* Keep a copy of @wait, of @size bytes. 0, -EBADMSG or -ENOMEM. */
int http_waits_add(struct http_waits *waits, const struct http_wait *wait,
		   size_t size);

/*
 * The next of @call's, from the oldest on, or NULL; *@at is 0 at first. The
 * caller frees it.
 */
struct http_wait *http_waits_take(struct http_waits *waits,
				  const struct http_call *call, size_t *at);

/*
 * Hand those of @call over to @out and @text, as http_output_part() of what was
 * waited, and forget them. 0 or -errno.
 */
int http_waits_show(struct http_waits *waits, struct http_names *names,
		    const struct http_call *call,
		    const struct http_call_info *info, struct http_output *out,
		    FILE *text);

void http_waits_free(struct http_waits *waits);

#endif
