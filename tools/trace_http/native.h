/* SPDX-License-Identifier: Apache-2.0 */
/* Native stacks with names. */
#ifndef NB_TRACE_HTTP_NATIVE_H
#define NB_TRACE_HTTP_NATIVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frames.h"
#include "stack.h"

/* Processes that are known at once; then those used last. */
#define HTTP_NATIVE_PROCESSES 1024

/* What was lost, and why. Frames but for the first three, which are stacks. */
enum http_native_loss {
	HTTP_LOST_STACK,    /* it could not be taken */
	HTTP_LOST_PROCESS,  /* it had gone before it was looked at */
	HTTP_LOST_REST,	    /* it could not be followed to where it begins */
	HTTP_LOST_UNMAPPED, /* in nothing that the process has mapped */
	HTTP_LOST_UNOPENED, /* in a file that could not be opened */
	HTTP_LOST_SYMBOL,   /* in a file that has no name for it */
	HTTP_LOST_JIT,	    /* made by the process, which says no name */
	HTTP_LOST_REASONS,
};

struct http_native;

/* 0 or -ENOMEM. The caller frees *ret with http_native_free(). */
int http_native_new(struct http_native **ret);
void http_native_free(struct http_native *native);

/*
 * Look at the process now, so that it may end later: read what it has mapped
 * and open those files. To be called at its first request, and again when it
 * has executed another program; costs little when nothing has changed. It takes
 * CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, and CAP_SYS_ADMIN or, since Linux 5.9,
 * CAP_CHECKPOINT_RESTORE for files that are deleted or hidden by mounts. 0;
 * -ESRCH when it has gone; or another -errno.
 */
int http_native_open(struct http_native *native, pid_t pid);

/* Forget the process. */
void http_native_close(struct http_native *native, pid_t pid);

/*
 * Put the frames of @stack behind what *out has, leaf first. What has no name
 * is
 * "[libc.so.6]", the base name of the file it is in, or "[unknown]". A process
 * that was not opened is. What is not where it was, as a module that was loaded
 * since, is looked for anew, up to ten times a second. 0; -ENODATA when @stack
 * has nothing; -ESRCH when nothing is known of the process; -ENOMEM.
 */
int http_native_resolve(struct http_native *native, pid_t pid,
			const struct http_stack *stack,
			struct http_frames *out);

/* How often that came to pass. */
uint64_t http_native_lost(const struct http_native *native,
			  enum http_native_loss why);

/* "frames in files without symbols": for a message "N ...". */
const char *http_native_loss_name(enum http_native_loss why);

#endif
