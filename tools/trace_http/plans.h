/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which trace_http sees what is sent and received. */
#ifndef NB_HTTP_PLANS_H
#define NB_HTTP_PLANS_H

#include "prog.h"

#define HTTP_PLANS 3

/* Which hooks an invocation takes. */
enum {
	HTTP_WANT_CALLS = 1,
	HTTP_WANT_WAITS = 2, /* of servers */
};

/* Best first; names are NULL-terminated. */
extern const struct nb_plan http_plans[HTTP_PLANS];
extern const char *const http_plan_names[];

/* Functions of libssl's; attached to files. */
extern const struct nb_plan http_tls_plan;

#endif
