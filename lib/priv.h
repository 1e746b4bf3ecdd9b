/* SPDX-License-Identifier: Apache-2.0 */
/* Privileges: what is needed, and giving up the rest. */
#ifndef NB_PRIV_H
#define NB_PRIV_H

#include <linux/capability.h>
#include <stdint.h>

#include "log.h"

/*
 * May this process load and attach tracing programs? CAP_BPF and CAP_PERFMON
 * (Linux 5.8), or CAP_SYS_ADMIN. 0 or -EPERM, with the reason in @why.
 */
int nb_priv_check(struct nb_error *why);

/* A bit of a set of capabilities. */
#define NB_PRIV(cap) (1ULL << (cap))

/* What reading the descriptors of all processes in /proc takes. */
#define NB_PRIV_FDS (NB_PRIV(CAP_DAC_READ_SEARCH) | NB_PRIV(CAP_SYS_PTRACE))

/*
 * Drop every capability but the one that reading a map takes (CAP_BPF, or
 * CAP_SYS_ADMIN before Linux 5.8) and those of @keep that there are, for good.
 * 0 or -EPERM, with the reason in @why.
 */
int nb_priv_drop(uint64_t keep, struct nb_error *why);

#endif
