/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which tcptop sees what is sent and received. */
#ifndef NB_TCPTOP_PLANS_H
#define NB_TCPTOP_PLANS_H

#include "prog.h"

#define TOP_PLANS 3

/* Best first. */
extern const struct nb_plan top_plans[TOP_PLANS];

/* Their names, NULL-terminated. */
extern const char *const top_plan_names[];

#endif
