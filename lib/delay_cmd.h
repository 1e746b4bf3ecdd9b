/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the commands that follow packets: delay_analysis_in and _out. */
#ifndef NB_DELAY_CMD_H
#define NB_DELAY_CMD_H

#include "delay_sums.h"
#include "table.h"

/* What makes one of them. All of it must live as long as it runs. */
struct nb_delay_cmd {
	const char *text; /* eBPF, with what bpf/delay.bpf.h has */
	const struct nb_plan *plans;
	size_t nplans;
	unsigned want; /* as nb_prog_spec.want */
	const struct nb_prog_map *maps;
	size_t nmaps;
	const struct nb_delay_args *args;
	struct nb_stages stages;
	bool out; /* it follows packets that go out */

	/* Bytes of a record, and of one that is of times only, with which
	 * every record begins. */
	size_t record_size;
	size_t times_size;

	/* Say on standard error what is strange before it traces, or NULL. */
	void (*look)(void);

	/* Fill @delays, by stage, with nanoseconds or NB_DELAY_UNKNOWN. */
	void (*stages_get)(const void *times, uint64_t *delays);

	/* The table for rows, on standard output, as nb_table_new(). */
	int (*rows_new)(struct nb_table **ret);

	/* Print the record @rec, as nb_table_row(). */
	int (*rows_print)(struct nb_table *table, const struct nb_clock *clock,
			  const void *rec, const uint64_t *delays);

	/*
	 * Say on standard error for how many packets, since *@said, there was
	 * no room.
	 */
	void (*report_room)(const struct nb_prog *prog, uint64_t *said);

	/* Say on standard error what has become of all packets. */
	void (*report_ends)(const struct nb_prog *prog);
};

/*
 * Do what the options say, from the check of privileges to the account at the
 * end, with @config->device and its flag set. The exit status.
 */
int nb_delay_cmd_run(const struct nb_delay_cmd *cmd,
		     const struct nb_delay_config *config);

#endif
