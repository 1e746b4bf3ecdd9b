/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server's thread computed, as it was looked at now and then. */
#ifndef NB_HTTP_SAMPLES_H
#define NB_HTTP_SAMPLES_H

#include <stddef.h>
#include <stdio.h>

#include "waits.h"

/*
 * How many samples are kept at once: those of some seconds in which all
 * processors do nothing but serve calls that are no longer young.
 */
size_t http_samples_room(void);

/*
 * Hand those of @call over to @out and @text, as http_output_part() of what was
 * computed, once for each stack, the most frequent first, and forget them. 0 or
 * -errno.
 */
int http_samples_show(struct http_waits *samples, struct http_names *names,
		      const struct http_call *call,
		      const struct http_call_info *info,
		      struct http_output *out, FILE *text);

#endif
