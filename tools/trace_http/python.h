/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that run CPython, and the names of their frames. */
#ifndef HTTP_PYTHON_H
#define HTTP_PYTHON_H

#include <stdint.h>
#include <sys/types.h>

#include "frames.h"
#include "pyconfig.h"
#include "stack.h"

/*
 * Does process @pid run CPython, from 3.8 to 3.13? 0 with what it takes to walk
 * it in *ret, which is valid until it executes another program, and for what it
 * forks until that does. -ENOENT: no
 * CPython is in it; -EOPNOTSUPP: one that can't be walked, whose version (0:
 * not known, 0x030e0000: 3.14) is then all that is set in *ret; -EAGAIN: it has
 * begun to start, ask again; -ESRCH: no such process; or another -errno.
 *
 * Takes some 0.3 ms. Wants CAP_SYS_PTRACE, and CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE for files that were removed (/proc/PID/map_files).
 */
int http_python_probe(pid_t pid, struct http_py_config *ret);

/* Processes whose frames get names. */
struct http_python;

/* 0 or -ENOMEM. The caller frees *ret with http_python_free(). */
int http_python_new(struct http_python **ret);
void http_python_free(struct http_python *py);

/*
 * From now on @config, which is copied, is that of process @pid, of which
 * nothing else is known any more. What its threads run now is read in advance,
 * so that it may end: to be called while its first request is under way. 0 or
 * -ENOMEM.
 */
int http_python_open(struct http_python *py, pid_t pid,
		     const struct http_py_config *config);

/* Forget the process, if it is there. */
void http_python_close(struct http_python *py, pid_t pid);

/*
 * Put the names of the Python frames of @stack behind those in @out, leaf
 * first, as HTTP_PYTHON, with "eval" set for the last one that a loop of the
 * interpreter runs (for http_merge()). One whose code object is gone, or can be
 * none, is "[unknown]", as HTTP_UNKNOWN. Where the process has ended, what was
 * known of it is used. @out is marked truncated when there are more. A code
 * object that was freed since, with another in its place by now, has that one's
 * name, so call this soon. 0, -ENOENT when @pid is none of @py's, or
 * -ENOMEM.
 */
int http_python_resolve(struct http_python *py, pid_t pid,
			const struct http_stack *stack,
			struct http_frames *out);

/* What could not be resolved, since http_python_new(). */
struct http_python_lost {
	uint64_t frames;    /* "[unknown]" */
	uint64_t truncated; /* stacks that are longer than what was taken */
	uint64_t faults;    /* stacks cut where memory could not be read */
	uint64_t threads;   /* stacks of threads without any state */
};

void http_python_lost(const struct http_python *py,
		      struct http_python_lost *ret);

#endif
