/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which tcp_inerrs gets at bad packets. */
#ifndef NB_TCP_INERRS_PLANS_H
#define NB_TCP_INERRS_PLANS_H

#include "prog.h"

/* Best first. */
#define ERR_PLANS 4

extern const struct nb_plan err_plans[ERR_PLANS];

/* Their names, NULL-terminated. */
extern const char *const err_plan_names[];

#endif
