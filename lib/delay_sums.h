/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms and percentiles of stages. */
#ifndef NB_DELAY_SUMS_H
#define NB_DELAY_SUMS_H

#include "clock.h"
#include "delay_args.h"
#include "delays.h"
#include "table.h"

#define NB_DELAY_STAGES_MAX 8
#define NB_DELAY_UNKNOWN UINT64_MAX

/* What a command calls its stages. */
struct nb_stages {
	const char *const *heads; /* of columns, */
	const char *const *keys;  /* and in JSON */
	unsigned n;
	unsigned narrow; /* so many of them without --wide */
};

/* One of them in a table. */
static inline struct nb_cell nb_delay_cell(uint64_t delay)
{
	return delay == NB_DELAY_UNKNOWN ? nb_cell_none() : nb_cell_nsec(delay);
}

/* Of each stage. Zero-initialise. */
struct nb_delay_sums {
	struct nb_delay delay[NB_DELAY_STAGES_MAX];
};

/* @delays: of each stage, in nanoseconds; or NB_DELAY_UNKNOWN. */
void nb_delay_sums_add(struct nb_delay_sums *sums,
		       const struct nb_stages *stages, const uint64_t *delays);

/*
 * Print them on standard output as the options have it, histograms or
 * percentiles, of each stage that was measured; then they begin anew. 0 or
 * -errno.
 */
int nb_delay_sums_print(struct nb_delay_sums *sums,
			const struct nb_stages *stages,
			const struct nb_delay_args *args,
			struct nb_clock *clock);

#endif
