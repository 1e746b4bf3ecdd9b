/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow calls that have ended, on standard output and in files, with where
 * their servers waited and computed.
 */
#ifndef NB_HTTP_SHOW_H
#define NB_HTTP_SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "frames.h"
#include "names.h"
#include "trace_http.h"

struct http_show;

/*
 * Make the files that the command line asks for. 0, or -errno after a message.
 * The caller frees *ret with http_show_close().
 */
int http_show_open(struct http_show **ret);

/*
 * Write the files for the last time, and free @show, which may be NULL. 0, or
 * -errno after a message.
 */
int http_show_close(struct http_show *show);

/* Say on standard output what is traced, as the options want. 0 or -errno. */
int http_show_header(void);

/*
 * Keep a copy of where a server has waited, or was seen to compute, for the
 * call that it belongs to; @wait has @size bytes. 0, -EBADMSG or -ENOMEM.
 */
int http_show_wait(struct http_show *show, const struct http_wait *wait,
		   size_t size);
int http_show_sample(struct http_show *show, const struct http_wait *wait,
		     size_t size);

/*
 * Show the call, unless the options don't want one with that @end, with what
 * was kept for it, which gets its names by @names. 0; NB_LOOP_STOP when it is
 * the last one that is wanted; or -errno.
 */
int http_show_call(struct http_show *show, struct http_names *names,
		   const struct http_call *call,
		   const struct http_frames *frames,
		   const struct http_end *end);

/* Pass on to standard output what was shown. 0 or -errno. */
int http_show_flush(struct http_show *show);

/* To be called every second, for the files. 0, or -errno after a message. */
int http_show_second(struct http_show *show);

/* Have all the calls been shown that --count wants? */
bool http_show_is_full(const struct http_show *show);

/* Say on standard error of how many calls not all may have been kept. */
void http_show_report(const struct http_show *show);

#endif
