/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the programs in the kernel what to trace, and letting them go. */
#ifndef NB_HTTP_LIVE_H
#define NB_HTTP_LIVE_H

#include "names.h"
#include "prog.h"
#include "tls.h"

/*
 * Hand the filters of the command line, and the processes that there are, to
 * @prog, which traces from here on, and the latter to @tls, which may be NULL,
 * and to @names. Notes when no process has a name that is wanted. 0, or -errno
 * after a message.
 */
int http_live_begin(const struct nb_prog *prog, struct http_tls *tls,
		    struct http_names *names);

#endif
