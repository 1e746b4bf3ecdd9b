/* SPDX-License-Identifier: Apache-2.0 */
/* delay_analysis_in's histograms, percentiles and its account of packets. */
#ifndef NB_DELAY_ANALYSIS_IN_SUMS_H
#define NB_DELAY_ANALYSIS_IN_SUMS_H

#include "clock.h"
#include "delays.h"
#include "prog.h"
#include "stages.h"

/* Of each stage. */
struct in_sums {
	struct nb_delay delay[IN_STAGES];
};

void in_sums_add(struct in_sums *sums, const uint64_t *delays);

/*
 * Print them as the options have it, histograms or percentiles, of each stage
 * that was measured; then they begin anew. 0 or -errno.
 */
int in_sums_print(struct in_sums *sums, struct nb_clock *clock);

/*
 * Say on standard error how many packets, since *@said, were followed no more
 * as there was no room for them while they wait.
 */
void in_room_report(const struct nb_prog *prog, uint64_t *said);

/* Say on standard error what has become of all packets. */
void in_ends_report(const struct nb_prog *prog);

#endif
