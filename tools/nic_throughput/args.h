/* SPDX-License-Identifier: Apache-2.0 */
/* nic_throughput's command line. */
#ifndef NB_NIC_ARGS_H
#define NB_NIC_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "opt.h"
#include "prog.h"

struct nic_args {
	struct nb_list names;
	bool all; /* "all" is one of the names */
	uint32_t interval_s;
	uint64_t count;
	const char *netns; /* NULL: the one that the command is started in */
	bool raw;
	bool json;
	uint32_t max_queues;
	struct nb_prog_args prog;
};

extern struct nic_args nic_args;

#define NIC_PLANS 2

/* The ways to count, best first. */
extern const struct nb_plan nic_plans[NIC_PLANS];

/* Fill nic_args. As nb_opt_parse(). */
void nic_args_parse(int argc, char **argv);

#endif
