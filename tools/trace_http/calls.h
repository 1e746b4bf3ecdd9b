/* SPDX-License-Identifier: Apache-2.0 */
/* Slow calls of which the end is still to come. */
#ifndef NB_HTTP_CALLS_H
#define NB_HTTP_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "trace_http.h"

/* A second without a byte ends an answer of which nobody knows the end. */
#define HTTP_IDLE_NS 1000000000ULL

struct http_calls;

/* Called for a call that has ended. Not 0 ends what called it. */
typedef int (*http_call_fn)(void *ctx, const struct http_call *call,
			    const struct http_frames *frames,
			    const struct http_end *end);

/* 0 or -ENOMEM. The caller frees *ret with http_calls_free(). */
int http_calls_new(http_call_fn fn, void *ctx, struct http_calls **ret);
void http_calls_free(struct http_calls *calls);

/*
 * Keep a copy of @call. The frames of its stack, of which there are none yet,
 * for the caller to fill; or NULL: out of memory.
 */
struct http_frames *http_calls_begin(struct http_calls *calls,
				     const struct http_call *call);

/* The end of one of them, or of one that is not. 0, or what fn returned. */
int http_calls_end(struct http_calls *calls, const struct http_end *end);

/*
 * End those for which nothing has come for HTTP_IDLE_NS before @now (with 0:
 * all), as the map @socks (a descriptor) has it. As http_calls_end().
 */
int http_calls_look(struct http_calls *calls, int socks, uint64_t now);

#endif
