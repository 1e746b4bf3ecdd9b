// SPDX-License-Identifier: Apache-2.0
/*
 * delay_analysis_in: how long TCP packets that come in take, stage by stage,
 * until an application has read them. Costs a few look-ups for each packet; see
 * OVERHEAD in delay_analysis_in(8).
 */
#include <inttypes.h>

#include "delay_cmd.h"
#include "log.h"
#include "plans.h"
#include "rows.h"
#include "stages.h"

extern const char nb_text_delay_analysis_in[];

static struct nb_delay_args args = NB_DELAY_ARGS;

static const struct nb_opt opts[] = {
	NB_DELAY_FILTER_OPTS(&args, "reads"),
	NB_DELAY_OPTS(&args, "the parts of MAC and TCP", in_plan_names),
};

static const char *const examples[] = {
	"delay_analysis_in -s            of one packet in 16",
	"delay_analysis_in -dp 80 -w     to port 80, in smaller stages",
	"delay_analysis_in --min 10000   only those that took 10 ms",
	"delay_analysis_in -H -i 5       histograms, every five seconds",
	"delay_analysis_in --summary     percentiles, every second",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "delay_analysis_in",
	.about =
		"Show how long TCP packets that come in take: to the protocols, through IP, and until an application has them.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

static int rows_new(struct nb_table **ret)
{
	return in_rows_new(args.json, args.wide, ret);
}

static void report_ends(const struct nb_prog *prog)
{
	uint64_t n[IN_ENDS], others;

	nb_prog_sums(prog, "ends", IN_ENDS, n);
	others = n[IN_BEGUN];
	for (unsigned i = IN_BEGUN + 1; i < IN_ENDS; i++)
		if (i != IN_UNSEEN)
			others -= n[i] < others ? n[i] : others;
	nb_note("%" PRIu64 " packets followed: %" PRIu64
		" read by applications, %" PRIu64 " without data, %" PRIu64
		" dropped, %" PRIu64 " not read when closed, %" PRIu64
		" left out, %" PRIu64 " merged, of no connection, or under way",
		n[IN_BEGUN], n[IN_READ], n[IN_NO_DATA], n[IN_DROPPED],
		n[IN_CLOSED], n[IN_UNWANTED], others);
}

static void report_room(const struct nb_prog *prog, uint64_t *said)
{
	uint64_t n[IN_ENDS];

	nb_prog_sums(prog, "ends", IN_ENDS, n);
	if (n[IN_NO_ROOM] != *said)
		nb_error(
			"%" PRIu64
			" packets not followed to the end: too many waited for applications",
			n[IN_NO_ROOM] - *said);
	*said = n[IN_NO_ROOM];
}

int main(int argc, char **argv)
{
	const struct nb_delay_config config = { 0 };
	struct nb_prog_map maps[] = {
		{ "packets", NULL, 0 },
		{ "pieces", NULL, 0 },
		{ "sockets", NULL, 0 },
		NB_FILTER_MAPS(&args.filter),
	};
	const struct nb_delay_cmd in = {
		.text = nb_text_delay_analysis_in,
		.plans = in_plans,
		.nplans = IN_PLANS,
		.want = 1,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &args,
		.stages = { in_stage_heads, in_stage_keys, IN_STAGES, IN_GRO },
		.record_size = sizeof(struct in_event),
		.times_size = sizeof(struct in_times),
		.stages_get = in_stages_get,
		.rows_new = rows_new,
		.rows_print = in_rows_print,
		.report_room = report_room,
		.report_ends = report_ends,
	};

	nb_delay_args_parse(&cmd, argc, argv, &args);
	maps[0].max_entries = args.max_packets;
	maps[1].max_entries = args.max_packets;
	if (args.max_packets > NB_DELAY_PACKETS)
		maps[2].max_entries = 16 * args.max_packets;
	return nb_delay_cmd_run(&in, &config);
}
