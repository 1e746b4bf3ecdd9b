/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which tcpconnection gets at connections. */
#ifndef CONN_PLANS_H
#define CONN_PLANS_H

#include "prog.h"

/* Best first. */
enum conn_plan {
	CONN_PLAN_FENTRY,
	CONN_PLAN_TRACEPOINT,
	CONN_PLAN_RAW,
	CONN_PLAN_KPROBE,
	CONN_PLANS,
};

extern const struct nb_plan conn_plans[CONN_PLANS];

/* Their names, NULL-terminated. */
extern const char *const conn_plan_names[];

/* The hooks that the invocation takes (conn_args), for nb_prog_spec.want. */
unsigned conn_hooks_wanted(void);

#endif
