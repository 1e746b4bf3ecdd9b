/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1's own words, of bytes that anybody may have sent. */
#ifndef NB_HTTP_HTTP_H
#define NB_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_METHOD_MAX 8 /* with its NUL */

/* A request's first line. */
struct http_request {
	char method[HTTP_METHOD_MAX];
	const char *path; /* in the bytes, not terminated */
	size_t path_len;
	bool cut; /* the path goes on behind the bytes */
};

/*
 * Parse the line of the request that the @len bytes at @text begin with. 0, or
 * -EBADMSG when they don't. *ret points into the bytes.
 */
int http_request_parse(const uint8_t *text, size_t len,
		       struct http_request *ret);

/* The status of an answer's first @len bytes, 100 to 999; 0: there is none. */
unsigned http_status_parse(const uint8_t *text, size_t len);

#define HTTP_STATUS_MAX 1000

/* Which statuses are wanted. Zero-initialise: each. */
struct http_statuses {
	bool some; /* only those that are */
	bool wanted[HTTP_STATUS_MAX];
};

/*
 * Parse "404", "5xx" or a list as in "4xx,503". 0, or -EINVAL, then with *ret
 * untouched.
 */
int http_statuses_parse(const char *text, struct http_statuses *ret);
bool http_status_wanted(const struct http_statuses *statuses, unsigned status);

/*
 * Does the path, of @len bytes, match @glob as of a shell, where '*' is any
 * characters, also '/'? Behind a '?' or '#' it counts only if @glob has one.
 */
bool http_path_matches(const char *glob, const char *path, size_t len);

#endif
