/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_inerrs' command line. */
#ifndef NB_TCP_INERRS_ARGS_H
#define NB_TCP_INERRS_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "filter_args.h"
#include "opt.h"
#include "prog.h"
#include "tcp_inerrs.h"

/* What is counted together: 1 + the index of the word. */
enum err_by {
	ERR_BY_REASON = 1,
	ERR_BY_PEER,
};

struct err_args {
	struct nb_filter_args filter;
	struct nb_ports lports;
	struct nb_ports rports;
	struct nb_list reasons;
	uint64_t wanted; /* the reasons, by enum err_reason */
	bool all;
	bool summary;
	unsigned by;	   /* enum err_by */
	uint32_t interval; /* seconds; 0: at the end only */
	uint64_t count;
	bool micro;
	bool stack;
	bool json;
	uint64_t max_rate; /* rows a second; 0: any number */
	uint32_t max_peers;
	struct nb_prog_args prog;
};

extern struct err_args err_args;

/* Fill err_args. As nb_opt_parse(). */
void err_args_parse(int argc, char **argv);

/* The options as the eBPF text knows them. As nb_filter_make(). */
int err_args_config(struct err_config *config, struct nb_error *why);

#endif
