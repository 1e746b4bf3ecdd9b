/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the kernel's, each to where it belongs: the begin of a slow call
 * and its end, what its server did, and processes that are met.
 */
#ifndef NB_HTTP_RECORDS_H
#define NB_HTTP_RECORDS_H

#include <stdint.h>

#include "loop.h"
#include "names.h"
#include "prog.h"
#include "show.h"
#include "tls.h"

struct http_records;

/* What they go to, which must outlive them. */
struct http_records_to {
	struct http_names *names;
	struct http_tls *tls; /* or NULL */
	struct http_show *show;
};

/* 0 or -ENOMEM. The caller frees *ret with http_records_free(). */
int http_records_new(const struct http_records_to *to,
		     struct http_records **ret);
void http_records_free(struct http_records *records);

/*
 * Let @loop, of which it is the idle function, take those of @prog. They leave
 * the kernel's buffer at once, and are worked on when that is empty; then what
 * was shown is flushed. What goes wrong ends the loop, and so does the last
 * call that is wanted (NB_LOOP_STOP). The loop must not run any more when
 * @records is freed. 0 or -errno.
 */
int http_records_take(struct http_records *records, struct nb_loop *loop,
		      const struct nb_prog *prog);

/*
 * End the calls of which nothing has come up to @now, or all with 0, as
 * http_calls_look(). 0, NB_LOOP_STOP or -errno.
 */
int http_records_look(struct http_records *records, uint64_t now);

#endif
