/* SPDX-License-Identifier: Apache-2.0 */
/* An interval's lines as tables or JSON. */
#ifndef NB_TCPTOP_VIEW_H
#define NB_TCPTOP_VIEW_H

#include <stdint.h>

#include "lines.h"

struct top_interval {
	uint64_t end_ns;    /* since the Epoch */
	uint64_t length_ns; /* as it was, not as it was asked for; not 0 */
	bool incomplete;    /* say that some has not been counted */
};

/*
 * Print the sorted @lines on standard output, as top_args has it: in place on a
 * terminal, in as much of a line and as many rows as that has. 0, -ENOMEM, or
 * -errno of the write (-EPIPE: the reader has gone).
 */
int top_view_print(const struct top_lines *lines,
		   const struct top_interval *interval);

#endif
