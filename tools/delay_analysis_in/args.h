/* SPDX-License-Identifier: Apache-2.0 */
/* delay_analysis_in's command line. */
#ifndef NB_DELAY_ANALYSIS_IN_ARGS_H
#define NB_DELAY_ANALYSIS_IN_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "delay_analysis_in.h"
#include "filter_args.h"
#include "opt.h"
#include "prog.h"

#define IN_PACKETS 16384 /* unless --max-packets says more */

struct in_args {
	struct nb_filter_args filter;
	struct nb_ports sports;
	struct nb_ports dports;
	const char *addr;   /* "ADDR[/LEN]"; NULL: any */
	uint8_t prefix_ip;  /* 4 or 6: what it says */
	uint8_t prefix[16]; /* network order */
	uint32_t prefix_bits;
	uint32_t rate; /* one packet in so many */
	uint64_t min_us;
	uint64_t count;
	bool wide;
	bool hist;
	bool summary;
	uint32_t interval; /* seconds; 0: at the end only */
	bool json;
	uint32_t max_packets;
	struct nb_prog_args prog;
};

extern struct in_args in_args;

/* Fill in_args. As nb_opt_parse(). */
void in_args_parse(int argc, char **argv);

/*
 * The options as the eBPF text knows them, but for the connection to be left
 * out. As nb_filter_make().
 */
int in_args_config(struct in_config *config, struct nb_error *why);

#endif
