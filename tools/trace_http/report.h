/* SPDX-License-Identifier: Apache-2.0 */
/* A slow call and its stack, as text. */
#ifndef NB_TRACE_HTTP_REPORT_H
#define NB_TRACE_HTTP_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "frames.h"

#define HTTP_NOT_MEASURED UINT64_MAX

/* What is known of a call. Texts may be any bytes. */
struct http_call_info {
	const char *comm;   /* of the thread */
	const char *method; /* NULL: not known, as the path */
	const char *path;
	uint64_t latency_us;  /* until the first byte of the answer */
	uint64_t duration_us; /* until its last, or HTTP_NOT_MEASURED */
	uint64_t size;	      /* bytes, for "Size" */
	uint32_t pid;	      /* the process, */
	uint32_t tid;	      /* and its thread */
	uint16_t status;      /* 0: not known */
	uint16_t sport;	      /* host order */
	uint16_t dport;
	uint8_t ip; /* 4 or 6 */
	bool server;
	uint8_t saddr[16];
	uint8_t daddr[16];
};

/* What a server's thread did for a part of the call. */
enum http_part { HTTP_WAITED, HTTP_COMPUTED };

/*
 * Write the call to @out: an empty line, what is known of it, and its stack,
 * leaf first. @id is the stack's number in this run, 0 for none. 0, or -errno
 * of the write that failed, also of an earlier one; what the stream buffers is
 * passed on by the caller.
 */
int http_report_call(FILE *out, const struct http_call_info *info, uint32_t id,
		     const struct http_frames *frames);

/* The same of a part of the call that was written before, of @us. */
int http_report_part(FILE *out, enum http_part part, uint64_t us,
		     const struct http_frames *frames);

#endif
