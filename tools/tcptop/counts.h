/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs count, interval by interval. They write to one of two pairs
 * of maps while the other one is read, by two threads, as the kernel takes long
 * to find all entries of a large map. Programs that were running as the
 * interval ended may still write to it while it is read, or after that: this is
 * found when the maps are emptied, and part of the next interval.
 */
#ifndef NB_TCPTOP_COUNTS_H
#define NB_TCPTOP_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "lines.h"
#include "losses.h"
#include "prog.h"
#include "tcptop.h"
#include "view.h"

/* Zero-initialise; top_counts_free() at the end. */
struct top_counts {
	struct top_lines lines; /* of the interval that was taken last */
	/* Ours alone. */
	const struct nb_prog *prog;
	struct top_config config;
	struct nb_clock clock;
	struct nb_losses losses;
	uint64_t unshown[TOP_UNSHOWN]; /* told so far */
	uint64_t since_ns;	       /* CLOCK_MONOTONIC */
	struct top_hot *hot;	       /* the map's memory; NULL: no such */
	int map[TOP_PARTS];	       /* that were read last */
};

/*
 * From now on @prog, which must outlive @c, counts what passes @filter. 0 or
 * -errno.
 */
int top_counts_start(struct top_counts *c, const struct nb_prog *prog,
		     const struct nb_filter *filter);

/*
 * End the interval, begin the next one, and add what the former has come to to
 * c->lines, sorted as top_args has it. When there is no next one (@last), this
 * waits for the programs that are running. 0 or -errno.
 */
int top_counts_take(struct top_counts *c, bool last, struct top_interval *ret);

/* Forget it, in the kernel too, which must be before the next. 0 or -errno. */
int top_counts_forget(struct top_counts *c);

void top_counts_free(struct top_counts *c);

/* Say on standard error what could not be counted since the last time. */
void top_counts_report(struct top_counts *c);

/* Is there something to be said? */
bool top_counts_incomplete(const struct top_counts *c);

#endif
