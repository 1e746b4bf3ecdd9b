/* SPDX-License-Identifier: Apache-2.0 */
/* CPython's threads and frames, as user space reads them (python.bpf.h). */
#ifndef HTTP_PYWALK_H
#define HTTP_PYWALK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pyconfig.h"
#include "stack.h"

/*
 * Are CPython's structures where @config says? 0; -EAGAIN when the process has
 * none yet; -EINVAL when they are not; or as http_pymem_read().
 */
int http_pywalk_check(pid_t pid, const struct http_py_config *config);

/*
 * The frames of the thread whose pthread_self() is @self, leaf first, as the
 * eBPF text has them: @to has HTTP_STACK_PY, *ret_n is their number. They are
 * those of one moment only when the thread is at rest. 0; -E2BIG (there are
 * more) and -EFAULT (there may be more) with what there is; -ESRCH when no
 * thread is that; or another -errno.
 */
int http_pywalk_read(pid_t pid, const struct http_py_config *config,
		     uint64_t self, struct http_stack_py *to, size_t *ret_n);

/* Called with the frames of a thread, which live for the call only. */
typedef void (*http_pywalk_fn)(void *ctx, const struct http_stack_py *frames,
			       size_t n);

/*
 * Call @fn for up to @max (not 0) threads that have frames, the newest first.
 * Of those that run meanwhile it may be anything.
 */
void http_pywalk_each(pid_t pid, const struct http_py_config *config,
		      size_t max, http_pywalk_fn fn, void *ctx);

#endif
