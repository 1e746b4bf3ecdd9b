/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over TLS: hooks on the copies of libssl that there are. */
#ifndef NB_HTTP_TLS_H
#define NB_HTTP_TLS_H

#include <sys/types.h>

#include "prog.h"

struct http_tls;

/*
 * Load the hooks' programs, which share the maps of @prog. 0, or -errno with
 * the reason in @why. On success the caller frees *ret with http_tls_free().
 */
int http_tls_new(const struct nb_prog *prog, struct http_tls **ret,
		 struct nb_error *why);
void http_tls_free(struct http_tls *tls);

/*
 * Hook this system's own libssl: before a process has it there is time for
 * that. What goes wrong is said.
 */
void http_tls_usual(struct http_tls *tls);

/* Hook what the process has of it, wherever that is. @tls may be NULL. */
void http_tls_look(struct http_tls *tls, pid_t pid);

void http_tls_detach(struct http_tls *tls);

#endif
