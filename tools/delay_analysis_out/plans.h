/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which delay_analysis_out sees where a packet is. */
#ifndef NB_DELAY_ANALYSIS_OUT_PLANS_H
#define NB_DELAY_ANALYSIS_OUT_PLANS_H

#include "prog.h"

#define OUT_PLANS 4

/* Best first. */
extern const struct nb_plan out_plans[OUT_PLANS];

/* Their names, NULL-terminated. */
extern const char *const out_plan_names[];

#endif
