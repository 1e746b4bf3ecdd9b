/* SPDX-License-Identifier: Apache-2.0 */
/* What the command could not show, and what it has seen in all. */
#ifndef NB_TCP_INERRS_REPORT_H
#define NB_TCP_INERRS_REPORT_H

#include <stdint.h>

#include "losses.h"
#include "owner.h"
#include "prog.h"
#include "tcp_inerrs.h"

/* Zero-initialise. */
struct err_report {
	struct nb_losses losses;
	uint64_t unsummed; /* packets for which there was no room: the caller's
			      to count, and cleared as it is said */
	uint64_t untold;   /* of nb_owners, what has been said */
	uint64_t more[ERR_REASONS];
};

/*
 * Say on standard error what was lost, not remembered, not looked for among
 * @owners, or too fast to be shown, since the last call.
 */
void err_report_losses(struct err_report *said, const struct nb_prog *prog,
		       const struct nb_owners *owners);

#endif
