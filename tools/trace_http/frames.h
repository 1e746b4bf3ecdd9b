/* SPDX-License-Identifier: Apache-2.0 */
/* A stack with names, as the parts that resolve it hand it over. */
#ifndef NB_TRACE_HTTP_FRAMES_H
#define NB_TRACE_HTTP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_FRAMES_MAX 256

/* The most of a name, and of a file's name, that is kept, with its NUL. */
#define HTTP_TEXT_MAX 1024

/* Fits a frame as http_frame_format() writes it, with its NUL. */
#define HTTP_FRAME_STRLEN (2 * HTTP_TEXT_MAX + 16)

enum http_frame_kind { HTTP_NATIVE, HTTP_PYTHON, HTTP_JIT, HTTP_UNKNOWN };

struct http_frame {
	const char *name; /* never NULL; what could not be resolved is the
			     module, as "[libc.so.6]", or "[unknown]" */
	const char *file; /* its source, or NULL */
	uint32_t line;	  /* in it; 0: not known */
	uint8_t kind;	  /* enum http_frame_kind */
	bool eval;	  /* native, of an interpreter's loop: where frames of
			     its language belong */
};

struct http_text;

/* Zero-initialise; http_frames_free() at the end. Large: not for a stack. */
struct http_frames {
	struct http_frame f[HTTP_FRAMES_MAX]; /* leaf first */
	size_t n;
	bool truncated;		 /* there were more, towards the root */
	struct http_text *text;	 /* what the frames' texts are in */
	struct http_text *spare; /* rooms of cleared ones, for the next */
};

/* Forget them, but keep the room for as many others. */
void http_frames_clear(struct http_frames *frames);

/*
 * Put a copy of @frame behind the others, texts included, which may be those of
 * another struct http_frames. A text longer than HTTP_TEXT_MAX is cut, where a
 * character of UTF-8 begins; an empty name is "[unknown]". 0; -ENOSPC when
 * there are HTTP_FRAMES_MAX, and then @frames is marked truncated; or -ENOMEM.
 */
int http_frames_add(struct http_frames *frames, const struct http_frame *frame);

void http_frames_free(struct http_frames *frames);

/* The file's name without its directories. */
const char *http_frame_base(const char *file);

/*
 * Write "name (file:line)", with the file's base name, "name (file)" or "name",
 * to @buf, which has HTTP_FRAME_STRLEN bytes. Control characters, and bytes
 * that are no UTF-8, become '?'. Returns the length.
 */
size_t http_frame_format(const struct http_frame *frame, char *buf);

#endif
