/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes are traced; in procs.bpf.h is what the kernel does for it. */
#ifndef NB_HTTP_PROCS_H
#define NB_HTTP_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "opt.h"
#include "prog.h"

/*
 * The script that an interpreter with the arguments at @args runs, each ended
 * by a NUL, @len bytes in all, of which the last is one: its base name, which
 * is a part of them. NULL: none.
 */
const char *http_script_of(const char *args, size_t len);

/* Does the base name @exe belong to an interpreter of scripts? */
bool http_is_interp(const char *exe);

/* Does @name begin as one of @names does? */
bool http_name_wanted(const struct nb_list *names, const char *name);

/* Those of --pid, as descriptors that tell their end. Zero-initialise. */
struct http_pids {
	int fd[NB_LIST_MAX];
	size_t n;
};

/*
 * Open those of the command line. 0, or -errno with the reason in @why when
 * there is no such process. http_pids_close() at the end in any case.
 */
int http_pids_open(struct http_pids *pids, struct nb_error *why);
void http_pids_close(struct http_pids *pids);

/* Have all of them ended? */
bool http_pids_ended(const struct http_pids *pids);

/* Tell @prog the names that processes to come are looked up in. 0 or -errno. */
int http_procs_names(const struct nb_prog *prog);

/* Called for a process that is traced from the start; may it run Python? */
typedef void (*http_proc_fn)(void *ctx, uint32_t pid, bool script);

/*
 * Tell @prog the processes that are there, and @fn: those of the command line,
 * or without any all. *@ret_n: how many. 0 or -errno.
 */
int http_procs_find(const struct nb_prog *prog, http_proc_fn fn, void *ctx,
		    size_t *ret_n);

#endif
