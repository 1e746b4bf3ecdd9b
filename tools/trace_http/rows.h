/* SPDX-License-Identifier: Apache-2.0 */
/* A call as it is shown. */
#ifndef NB_HTTP_ROWS_H
#define NB_HTTP_ROWS_H

#include <stdbool.h>

#include "clock.h"
#include "frames.h"
#include "report.h"
#include "table.h"
#include "trace_http.h"

/* The table for JSON lines, on standard output, as nb_table_new(). */
int http_rows_new(struct nb_table **ret);

/* Texts of a call. */
struct http_texts {
	char comm[17];
	char method[8];
	char path[HTTP_PREFIX + 4]; /* "..." behind one that was cut off */
};

/*
 * What of @call is known, whose end is @end or NULL. Its texts are in @texts.
 */
void http_rows_info(const struct http_call *call, const struct http_end *end,
		    struct http_texts *texts, struct http_call_info *ret);

/* Do the options want the call, as far as its beginning tells? */
bool http_rows_wanted(const struct http_call *call);

/* And its end? */
bool http_rows_large(const struct http_end *end);

/* Print the call as a JSON line, as nb_table_row(). */
int http_rows_print(struct nb_table *table, const struct nb_clock *clock,
		    const struct http_call *call, const struct http_end *end,
		    const struct http_frames *frames);

#endif
