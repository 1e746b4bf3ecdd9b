/* SPDX-License-Identifier: Apache-2.0 */
/* Which process has a socket open, by the socket's inode number. */
#ifndef NB_OWNER_H
#define NB_OWNER_H

#include <stddef.h>
#include <stdint.h>

struct nb_owner {
	uint64_t inode;
	uint64_t checked_ns; /* CLOCK_MONOTONIC, when it was seen there last */
	uint32_t pid;
	int fd;	       /* its descriptor */
	char comm[16]; /* NUL-terminated */
};

/* Zero-initialise; nb_owners_free() at the end. What was found last. */
struct nb_owners {
	struct nb_owner *owner; /* by inode and pid */
	size_t n;
	size_t room;
	uint64_t looked_ns; /* CLOCK_MONOTONIC, when the last search began, */
	uint64_t ended_ns;  /* and ended; 0: there was none */
	uint64_t untold;    /* sockets that there was no time to look for */
};

/*
 * The process that has the socket @inode open, in all of /proc or, unless that
 * is 0, of @pid only (always the same one in one @owners); of several the one
 * with the lowest number. NULL: nobody has. What was found before is looked
 * at again, but for some milliseconds. The processes are searched when @inode
 * is not among what was found after @since_ns (CLOCK_MONOTONIC), at most a
 * fifth of the time: it waits for its turn up to a tenth of a second, and then
 * goes by what there is. What is returned lives until the next call.
 */
const struct nb_owner *nb_owners_find(struct nb_owners *owners, uint32_t pid,
				      uint64_t inode, uint64_t since_ns);

void nb_owners_free(struct nb_owners *owners);

#endif
