/* SPDX-License-Identifier: Apache-2.0 */
/* What a process has mapped that can be executed. */
#ifndef NB_TRACE_HTTP_MAPS_H
#define NB_TRACE_HTTP_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "binary.h"

/* Of a process; what is more is counted as dropped. */
#define HTTP_MAPS_MAX 8192

/* A line of /proc/PID/maps. */
struct http_map_line {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t dev;	 /* as stat(2) has it */
	uint64_t inode;	 /* 0: no file */
	bool exec;
	const char *path; /* in the line, up to its end; or "" */
};

struct http_map {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	uint64_t dev;
	uint64_t inode;
	char *path;		    /* as the kernel has it, with "(deleted)" */
	struct http_binary *binary; /* a reference; NULL: no file, or none that
				     * could be opened */
	uint64_t bias; /* address less the file's own; with @binary */
	bool jit;      /* code that is in no ELF file */
};

/* Zero-initialise; http_maps_free() at the end. */
struct http_maps {
	struct http_map *map; /* by address */
	size_t n;
	size_t room;
	size_t unopened; /* of files that could not be opened */
	size_t dropped;
};

/*
 * Parse @line, which may end with a newline; what it has is changed where the
 * path ends. 0 or -EINVAL.
 */
int http_maps_parse(char *line, struct http_map_line *ret);

/*
 * Read those of the process, whose files are opened: as it has them, whatever
 * else is at their names in its mount namespace or in this one. What *maps had
 * before is taken over where it is still the same, and stays on failure and
 * unless *ret_changed. 0;
 * -ESRCH when there is no such process (any more), or another -errno.
 */
int http_maps_read(struct http_maps *maps, struct http_binaries *binaries,
		   pid_t pid, bool *ret_changed);

/* That which @addr is in, or NULL. */
const struct http_map *http_maps_find(const struct http_maps *maps,
				      uint64_t addr);

/* Is it code with a symbol? Then its address in the file. 0 or -ENOENT. */
int http_map_vaddr(const struct http_map *map, uint64_t addr, uint64_t *ret);

/* "[libc.so.6]", or "[unknown]", to @buf. */
void http_map_label(const struct http_map *map, char *buf, size_t size);

void http_maps_free(struct http_maps *maps, struct http_binaries *binaries);

#endif
