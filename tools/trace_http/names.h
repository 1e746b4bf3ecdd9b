/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks with names, of processes that are traced. */
#ifndef NB_HTTP_NAMES_H
#define NB_HTTP_NAMES_H

#include <stdint.h>
#include <sys/types.h>

#include "frames.h"
#include "prog.h"
#include "stack.h"

struct http_names;

/*
 * 0 or -ENOMEM. @prog, which is told how to walk interpreters, must outlive
 * *ret, which the caller frees with http_names_free().
 */
int http_names_new(const struct nb_prog *prog, struct http_names **ret);
void http_names_free(struct http_names *names);

/*
 * The process @pid executes a program, or was found as it did: see if that is
 * an interpreter. Waits some 30 ms at most for one that is about to start.
 */
void http_names_exec(struct http_names *names, pid_t pid);

/*
 * Its first request is under way: read what it takes to know its stacks when it
 * has gone.
 */
void http_names_open(struct http_names *names, pid_t pid);

/* Make frames of @stack, leaf first, in place of those of *@out. */
void http_names_resolve(struct http_names *names, pid_t pid,
			const struct http_stack *stack,
			struct http_frames *out);

/* Say on standard error what was lost, and why. */
void http_names_report(const struct http_names *names);

#endif
