/* SPDX-License-Identifier: Apache-2.0 */
/* tcptop's command line. */
#ifndef NB_TCPTOP_ARGS_H
#define NB_TCPTOP_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "filter_args.h"
#include "lines.h"
#include "prog.h"

/* What a row is for: 1 + the index of the word. */
enum top_by {
	TOP_BY_CONN = 1,
	TOP_BY_PID,
};

struct top_args {
	struct nb_filter_args filter;
	uint32_t interval; /* seconds */
	uint32_t count;	   /* of intervals; 0: no end */
	unsigned sort;	   /* enum top_sort */
	uint32_t top;	   /* rows; 0: all */
	unsigned by;	   /* enum top_by */
	bool rate;
	bool bytes;
	bool summary;
	bool no_clear;
	bool json;
	uint32_t max_conns;
	struct nb_prog_args prog;
};

extern struct top_args top_args;

/* Fill top_args. As nb_opt_parse(). */
void top_args_parse(int argc, char **argv);

#endif
