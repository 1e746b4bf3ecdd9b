/* SPDX-License-Identifier: Apache-2.0 */
/* The code objects of a process, kept as long as they are the same. */
#ifndef HTTP_PYCODE_H
#define HTTP_PYCODE_H

#include <stdint.h>
#include <sys/types.h>

#include "pyconfig.h"
#include "pyobj.h"

struct http_pycodes;

/* 0 or -ENOMEM. The caller frees *ret with http_pycodes_free(). */
int http_pycodes_new(pid_t pid, const struct http_py_config *config,
		     struct http_pycodes **ret);
void http_pycodes_free(struct http_pycodes *codes);

/* That of http_pycodes_new(); it lives as long as @codes. */
const struct http_py_config *
http_pycodes_config(const struct http_pycodes *codes);

/*
 * The code object at @addr, which is looked at again each time, as it may have
 * been freed, and another one be there; of a process that has ended, or where
 * there is none any more, as it was.
 * *ret lives until the next call. 0; -EINVAL when it can be none; -ENOMEM; or
 * as http_pymem_read().
 */
int http_pycodes_get(struct http_pycodes *codes, uint64_t addr,
		     const struct http_pycode **ret);

#endif
