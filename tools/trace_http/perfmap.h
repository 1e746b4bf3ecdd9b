/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that a process has made itself, by the file /tmp/perf-PID.map that it
 * writes for that: node --perf-basic-prof, Java's perf-map-agent and
 * -XX:+DumpPerfMapAtExit, python -X perf.
 */
#ifndef NB_TRACE_HTTP_PERFMAP_H
#define NB_TRACE_HTTP_PERFMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of a process's file no more is read, in bytes; nor more lines. */
#define HTTP_PERFMAP_MAX (64u << 20)
#define HTTP_PERFMAP_LINES (1u << 20)

struct http_jit {
	uint64_t start;
	uint64_t end;
	size_t name;   /* in http_perfmap.text */
	uint32_t turn; /* the later one is there, where two overlap */
};

/* Zero-initialise with .fd -1; http_perfmap_free() at the end. */
struct http_perfmap {
	int fd; /* or -1: none seen yet */
	struct http_jit *jit;
	size_t n;
	size_t room;
	size_t sorted; /* as many from the first on */
	char *text;
	size_t text_len;
	size_t text_room;
	uint64_t read;	  /* bytes of the file */
	uint64_t inode;	  /* of the file */
	uint64_t bad;	  /* lines that could not be parsed */
	uint64_t dropped; /* lines beyond the limits */
	uint32_t turn;
};

/* A name, taken apart in *buf. */
struct http_jit_name {
	const char *name;
	const char *file; /* or NULL */
	uint32_t line;	  /* or 0 */
};

/*
 * Take in what the process has written since the last call, also when it has
 * begun anew. It must be a regular file of the process's user's or root's. 0,
 * -ENOENT, -EPERM or another -errno.
 */
int http_perfmap_read(struct http_perfmap *map, pid_t pid);

/* Take in @len bytes of whole lines; text of lines that are none is counted. */
int http_perfmap_parse(struct http_perfmap *map, const char *text, size_t len);

/* Put map->jit in order, so that none is over another. 0 or -ENOMEM. */
int http_perfmap_sort(struct http_perfmap *map);

/* What is at @addr: the name, which lives until the next read; or NULL. */
const char *http_perfmap_find(struct http_perfmap *map, uint64_t addr);

/*
 * Take @name apart, of which a copy is made in @buf: "JS:*f /srv/x.js:3:14" as
 * node has it, "py::f:/srv/x.py" as Python has it; others are only a name.
 */
void http_jit_name(const char *name, char *buf, size_t size,
		   struct http_jit_name *ret);

void http_perfmap_free(struct http_perfmap *map);

#endif
