/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a process whose stacks get names. */
#ifndef NB_TRACE_HTTP_PROCESS_H
#define NB_TRACE_HTTP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "binary.h"
#include "maps.h"
#include "perfmap.h"
#include "unwind.h"

/* Zero-initialise but for .pid, with .perfmap.fd -1; http_process_forget() at
 * the end. */
struct http_process {
	pid_t pid;
	uint64_t started; /* as /proc/PID/stat has it, to know it again */
	uint64_t exe;	  /* the inode number of what it executes */
	uint64_t used;	  /* when, in calls */
	uint64_t next_ns; /* CLOCK_MONOTONIC, when it may be read again */
	struct http_maps maps;
	struct http_perfmap perfmap;
	struct http_unwind *unwind; /* of these maps; NULL: not yet */
};

/* Which program of which process it is: 0, or -ESRCH. */
int http_process_identify(pid_t pid, uint64_t *started, uint64_t *exe);

/* Read what it has mapped by now, and what code it has made. 0 or -errno. */
int http_process_read(struct http_process *process,
		      struct http_binaries *binaries);

/* Is an address of @chain in nothing that is known, and may be by now? */
bool http_process_is_stale(struct http_process *process,
			   const struct http_chain *chain);

/* Give back all that was read. */
void http_process_forget(struct http_process *process,
			 struct http_binaries *binaries);

#endif
