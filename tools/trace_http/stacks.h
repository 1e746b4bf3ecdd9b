/* SPDX-License-Identifier: Apache-2.0 */
/* The stacks of a run, each once, with the time that counts for it. */
#ifndef NB_TRACE_HTTP_STACKS_H
#define NB_TRACE_HTTP_STACKS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "frames.h"

/* A frame that stacks share: they are the same if the pointers are. */
struct http_shared {
	uint32_t id; /* from 0 on */
	uint32_t line;
	const char *name; /* any bytes, as in struct http_frame */
	const char *file; /* or NULL */
	const char *text; /* as http_frame_format() writes it */
};

/* Whose stack it is. */
struct http_whose {
	uint8_t server; /* 0 or 1 */
	uint8_t pad[3];
	uint32_t pid;
	char comm[16]; /* padded with NULs; any bytes */
};

struct http_stacked {
	struct http_whose whose;
	uint32_t id; /* from 1 on */
	uint32_t n;
	uint64_t us;
	const struct http_shared *frame[]; /* leaf first */
};

/* Zero-initialise, with max_bytes set; http_stacks_free() at the end. */
struct http_stacks {
	size_t max_bytes;  /* of memory that they may take */
	size_t bytes;	   /* that they take */
	void *shared_tree; /* as tsearch(3) has them */
	void *stacked_tree;
	const struct http_shared **shared; /* by id */
	struct http_stacked **stacked;	   /* by id - 1 */
	uint32_t nshared;
	uint32_t nstacked;
	uint64_t others_us[2]; /* of those there was no room for; clients',
				  servers' */
	uint64_t others;       /* how many times */
};

/*
 * @us more for that stack of @whose, all of whose bytes count. Its number; 0
 * when there is no room, and it counts as one of the others.
 */
uint32_t http_stacks_add(struct http_stacks *stacks,
			 const struct http_whose *whose,
			 const struct http_frames *frames, uint64_t us);

void http_stacks_free(struct http_stacks *stacks);

/*
 * Write them as FlameGraph's folded lines, "comm;root;...;leaf microseconds",
 * those that read the same as one, those of no time not at all. In names ';' is
 * ','. 0, -ENOMEM, or -errno of the write.
 */
int http_folded_write(FILE *out, void *stacks);

/*
 * Write them as speedscope's file format has it: a "sampled" profile for each
 * role and process, in microseconds. 0, -ENOMEM, or -errno of the write.
 */
int http_speedscope_write(FILE *out, void *stacks);

#endif
