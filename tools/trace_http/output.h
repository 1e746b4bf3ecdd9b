/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a run: stack_traces.txt, stacks.folded, and on request one for
 * speedscope and a flame graph. They replace those of the run before, and no
 * link is followed: who else may write into the directory gains nothing.
 */
#ifndef NB_TRACE_HTTP_OUTPUT_H
#define NB_TRACE_HTTP_OUTPUT_H

#include <stdint.h>
#include <stdio.h>

#include "frames.h"
#include "report.h"

#define HTTP_OUTPUT_TRACES "stack_traces.txt"
#define HTTP_OUTPUT_FOLDED "stacks.folded"

/*
 * How much memory different stacks may take, for which some 15,000 of 60 frames
 * are enough. What comes later is counted as "[other stacks]".
 */
#define HTTP_OUTPUT_BYTES (8U << 20)

struct http_output;

/*
 * Make the files in the directory @dir; NULL is the current one. @speedscope
 * and @svg are names in it, or paths, or NULL for none; all live as long as
 * *ret, which the caller frees with http_output_close(). 0, or -errno after a
 * message.
 *
 * Whoever gives up capabilities keeps CAP_DAC_OVERRIDE, or writes to no
 * directory of others: files are made until the end.
 */
int http_output_open(const char *dir, const char *speedscope, const char *svg,
		     struct http_output **ret);

/*
 * Write the call with its stack to stack_traces.txt, which is there when this
 * returns, whatever happens then, and to @text, unless that is NULL. Its
 * latency counts for the stack of a client. That of a server is where it
 * answered, and not where it spent the time: its parts follow, by
 * http_output_part(). 0, or -errno, of @text as ferror(3) tells, or else of a
 * file, after a message: the command ends then.
 */
int http_output_call(struct http_output *out, const struct http_call_info *info,
		     const struct http_frames *frames, FILE *text);

/* The same of @us that the server of that call waited or computed there. */
int http_output_part(struct http_output *out, const struct http_call_info *info,
		     enum http_part part, const struct http_frames *frames,
		     uint64_t us, FILE *text);

/* A server's waiting: http_output_part(), to stack_traces.txt only. */
int http_output_offcpu(struct http_output *out,
		       const struct http_call_info *info,
		       const struct http_frames *frames, uint64_t us);

/*
 * Write what has come to stacks.folded and to speedscope's: to be called every
 * second. They are replaced as a whole. Writing them takes at most a twentieth
 * of the time, so that who is killed loses what came in the last second, or in
 * the last 20 times that it takes to write them. 0, or -errno after a message,
 * one in all; the files are those of the last time then.
 */
int http_output_tick(struct http_output *out);

/*
 * Write all, draw the flame graph, and free @out, which may be NULL. 0, or
 * -errno after a message, unless there has been one.
 */
int http_output_close(struct http_output *out);

#endif
