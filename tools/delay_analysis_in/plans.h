/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which delay_analysis_in sees where a packet is. */
#ifndef NB_DELAY_ANALYSIS_IN_PLANS_H
#define NB_DELAY_ANALYSIS_IN_PLANS_H

#include "prog.h"

#define IN_PLANS 4

/* Best first. */
extern const struct nb_plan in_plans[IN_PLANS];

/* Their names, NULL-terminated. */
extern const char *const in_plan_names[];

#endif
