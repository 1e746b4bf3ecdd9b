/* SPDX-License-Identifier: Apache-2.0 */
/* tcpconnection's command line. */
#ifndef NB_TCPCONNECTION_ARGS_H
#define NB_TCPCONNECTION_ARGS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "filter_args.h"
#include "opt.h"
#include "prog.h"
#include "tcpconnection.h"

struct conn_args {
	struct nb_filter_args filter;
	struct nb_ports lports;
	struct nb_ports rports;
	unsigned direction; /* enum conn_direction; 0: both */
	bool failed;
	bool latency;
	bool life;
	bool micro;
	uint64_t count;
	uint32_t max_conns;
	bool json;
	struct nb_prog_args prog;
};

extern struct conn_args conn_args;

/* The words of -r, by enum conn_direction - 1. */
extern const char *const conn_directions[];

/* Fill conn_args. As nb_opt_parse(). */
void conn_args_parse(int argc, char **argv);

/*
 * The options as the eBPF text knows them, users and namespaces looked up. 0
 * or -errno, with the reason in @why.
 */
int conn_args_config(struct conn_config *config, struct nb_error *why);

#endif
