/* SPDX-License-Identifier: Apache-2.0 */
/* Saying what a command could not show. */
#ifndef NB_LOSSES_H
#define NB_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

struct nb_prog;

/* Zero-initialise. What has been said so far. */
struct nb_losses {
	uint64_t lost;
	uint64_t full;
	uint64_t missed;
};

/*
 * Say on standard error, also when quiet, what the counters of @prog have
 * gained since the last call: events that no program ran for, records that
 * found the buffer full, and entries that found a map full, as "N @what not
 * remembered", with the option @remedy to enlarge it. Says nothing when they
 * stand still.
 */
void nb_losses_report(struct nb_losses *said, const struct nb_prog *prog,
		      const char *what, const char *remedy);

/* Is there anything that nb_losses_report() would say? */
bool nb_losses_any(const struct nb_losses *said, const struct nb_prog *prog);

#endif
