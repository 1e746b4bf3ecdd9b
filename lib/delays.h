/* SPDX-License-Identifier: Apache-2.0 */
/* How delays are distributed. */
#ifndef NB_DELAYS_H
#define NB_DELAYS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Eight buckets for each power of two of 1/1024 microseconds, so that the
 * powers of two of microseconds are bounds.
 */
#define NB_DELAY_SUB_BITS 3
#define NB_DELAY_POWERS 42 /* more than an hour */
#define NB_DELAY_BUCKETS (NB_DELAY_POWERS << NB_DELAY_SUB_BITS)

/* Zero-initialise, also to begin anew. */
struct nb_delay {
	uint64_t count[NB_DELAY_BUCKETS];
	uint64_t n;
	uint64_t max_ns;
};

/* One more, of @ns nanoseconds. */
void nb_delay_add(struct nb_delay *delay, uint64_t ns);

/*
 * What @part (0.5: the median) of the delays do not exceed, in nanoseconds and
 * within an eighth of it; 0 when there are none.
 */
uint64_t nb_delay_percentile(const struct nb_delay *delay, double part);

/*
 * Print @delay as a histogram on @out: a line for each power of two of
 * microseconds, up to the last one there is; @title is above them.
 */
void nb_delay_print(const struct nb_delay *delay, const char *title, FILE *out);

/* The same as JSON lines: @prefix ('{"time":"..."'), then what it is. */
void nb_delay_print_json(const struct nb_delay *delay, const char *prefix,
			 FILE *out);

#endif
