// SPDX-License-Identifier: Apache-2.0
/*
 * delay_analysis_out: how long TCP packets that go out take, stage by stage,
 * until a driver has them. Costs a few look-ups for each packet; see OVERHEAD
 * in delay_analysis_out(8).
 */
#include <inttypes.h>
#include <string.h>

#include "delay_cmd.h"
#include "device.h"
#include "log.h"
#include "plans.h"
#include "rows.h"
#include "stages.h"

#define WAYS 4 /* packets in an entry of the map "buckets" */

extern const char nb_text_delay_analysis_out[];

static struct nb_delay_args args = NB_DELAY_ARGS;
static const char *device;

/* clang-format off */
static const struct nb_opt opts[] = {
	NB_DELAY_FILTER_OPTS(&args, "sends"),
	{ NB_STR, 'd', "dev", .arg = "DEV", .out = &device,
	  .help = "only what is sent by this device" },
	NB_DELAY_OPTS(&args, "SOCK and DRIVER", out_plan_names),
};
/* clang-format on */

static const char *const examples[] = {
	"delay_analysis_out -s            of one packet in 16",
	"delay_analysis_out -dp 443 -w    to port 443, also SOCK and DRIVER",
	"delay_analysis_out --min 10000   only those that took 10 ms",
	"delay_analysis_out -d eth0 -H    histograms, of one device",
	"delay_analysis_out --summary     percentiles, every second",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "delay_analysis_out",
	.about =
		"Show how long TCP packets that go out take: through TCP, through IP, and in the queues of devices.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

static int rows_new(struct nb_table **ret)
{
	return out_rows_new(args.json, args.wide, ret);
}

static void look(void)
{
	if (device)
		out_device_look(device, args.filter.netns);
}

static void report_ends(const struct nb_prog *prog)
{
	uint64_t n[OUT_ENDS], all, others;

	nb_prog_sums(prog, "ends", OUT_ENDS, n);
	all = n[OUT_BEGUN] + n[OUT_SPLIT];
	others = n[OUT_SENT] + n[OUT_DROPPED] + n[OUT_UNWANTED];
	others = all > others ? all - others : 0;
	nb_note("%" PRIu64 " packets followed: %" PRIu64 " sent, %" PRIu64
		" dropped, %" PRIu64 " left out, %" PRIu64
		" still queued, or lost sight of",
		all, n[OUT_SENT], n[OUT_DROPPED], n[OUT_UNWANTED], others);
}

static void report_room(const struct nb_prog *prog, uint64_t *said)
{
	uint64_t n[OUT_ENDS];

	nb_prog_sums(prog, "ends", OUT_ENDS, n);
	if (n[OUT_NO_ROOM] != *said)
		nb_error(
			"%" PRIu64
			" packets not followed to the end: too many were in queues (try a larger --max-packets)",
			n[OUT_NO_ROOM] - *said);
	*said = n[OUT_NO_ROOM];
}

int main(int argc, char **argv)
{
	struct nb_delay_config config = { 0 };
	struct nb_prog_map maps[] = {
		{ "buckets", NULL, 0 },
		NB_FILTER_MAPS(&args.filter),
	};
	struct nb_delay_cmd out = {
		.text = nb_text_delay_analysis_out,
		.plans = out_plans,
		.nplans = OUT_PLANS,
		.want = OUT_WANT_PACKETS,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &args,
		.stages = { out_stage_heads, out_stage_keys, OUT_STAGES,
			    OUT_SOCK },
		.out = true,
		.record_size = sizeof(struct out_event),
		.times_size = sizeof(struct out_times),
		.look = look,
		.stages_get = out_stages_get,
		.rows_new = rows_new,
		.rows_print = out_rows_print,
		.report_room = report_room,
		.report_ends = report_ends,
	};

	nb_delay_args_parse(&cmd, argc, argv, &args);
	/* Half full, they have room for nearly every one. */
	maps[0].max_entries = args.max_packets * 2 / WAYS;
	if (args.wide || args.json) {
		out.want |= OUT_WANT_CALLS;
		config.flags |= NB_DELAY_CALLS;
	}
	if (device && strlen(device) >= sizeof(config.device))
		nb_opt_misuse("cannot use '--dev %s': at most 15 characters",
			      device);
	if (device) {
		config.flags |= NB_DELAY_ONLY_DEVICE;
		strncpy(config.device, device, sizeof(config.device) - 1);
	}
	return nb_delay_cmd_run(&out, &config);
}
