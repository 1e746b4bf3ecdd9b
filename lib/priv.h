/* SPDX-License-Identifier: Apache-2.0 */
/* Privileges: what is needed, and giving up the rest. */
#ifndef NB_PRIV_H
#define NB_PRIV_H

#include "log.h"

/*
 * May this process load and attach tracing programs? CAP_BPF and CAP_PERFMON
 * (Linux 5.8), or CAP_SYS_ADMIN. 0 or -EPERM, with the reason in @why.
 */
int nb_priv_check(struct nb_error *why);

/*
 * Drop every capability but the one that reading a map takes (CAP_BPF, or
 * CAP_SYS_ADMIN before Linux 5.8), for good. 0 or -EPERM, with the reason in
 * @why.
 */
int nb_priv_drop(struct nb_error *why);

#endif
