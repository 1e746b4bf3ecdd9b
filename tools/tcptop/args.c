// SPDX-License-Identifier: Apache-2.0
#include "args.h"

#include "opt.h"
#include "plans.h"

struct top_args top_args = {
	.interval = 1,
	.sort = TOP_SORT_ALL,
	.by = TOP_BY_CONN,
};

#define MAX_INTERVAL (24 * 60 * 60)

static const char *const sorts[] = { "all", "rx", "tx", "pid", NULL };
static const char *const bys[] = { "conn", "pid", NULL };

/* clang-format off */
static const struct nb_opt opts[] = {
	{ NB_U32, 'p', "pid", .arg = "PID", .out = &top_args.filter.pid,
	  .help = "only this process", .min = 1, .max = 1 << 22 },
	{ NB_FLAG, '4', "ipv4", .out = &top_args.filter.ip4,
	  .help = "only IPv4" },
	{ NB_FLAG, '6', "ipv6", .out = &top_args.filter.ip6,
	  .help = "only IPv6" },
	{ NB_STR, 'u', "uid", .arg = "USER", .out = &top_args.filter.user,
	  .help = "only this user, by number or name" },
	{ NB_STR, .lng = "netns", .arg = "NS", .out = &top_args.filter.netns,
	  .help = "only this network namespace (name, path or inode)" },
	{ NB_STR, .lng = "cgroupmap", .arg = "PATH",
	  .out = &top_args.filter.cgroupmap,
	  .help = "only cgroups in this pinned map" },
	{ NB_STR, .lng = "mntnsmap", .arg = "PATH",
	  .out = &top_args.filter.mntnsmap,
	  .help = "only mount namespaces in this pinned map" },
	{ NB_U32, 'i', "interval", .arg = "SECONDS", .out = &top_args.interval,
	  .help = "time between outputs (default 1)",
	  .min = 1, .max = MAX_INTERVAL },
	{ NB_U32, 'c', "count", .arg = "COUNT", .out = &top_args.count,
	  .help = "stop after COUNT outputs", .min = 1 },
	{ NB_CHOICE, 's', "sort", .arg = "WORD", .out = &top_args.sort,
	  .help = "by \"all\" (both ways, the default), \"rx\", \"tx\" or \"pid\"",
	  .choices = sorts },
	{ NB_U32, 'n', "top", .arg = "N", .out = &top_args.top,
	  .help = "only the first N rows", .min = 1 },
	{ NB_CHOICE, .lng = "by", .arg = "WORD", .out = &top_args.by,
	  .help = "a row for each \"conn\" (default), or for each \"pid\"",
	  .choices = bys },
	{ NB_FLAG, .lng = "rate", .out = &top_args.rate,
	  .help = "per second, whatever the interval" },
	{ NB_FLAG, 'b', "bytes", .out = &top_args.bytes,
	  .help = "bytes, not kB (1024 bytes)" },
	{ NB_FLAG, 'S', "summary", .out = &top_args.summary,
	  .help = "a line with time, load average and totals" },
	{ NB_FLAG, 'C', "noclear", .out = &top_args.no_clear,
	  .help = "append, also on a terminal" },
	{ NB_FLAG, .lng = "json", .out = &top_args.json,
	  .help = "one JSON object a line" },
	{ NB_U32, .lng = "max-conns", .arg = "N", .out = &top_args.max_conns,
	  .help = "connections counted at once (default 131072)",
	  .min = 1, .max = 1 << 24 },
	NB_PROG_LOAD_OPTS(&top_args.prog, top_plan_names),
};

static const struct nb_opt args[] = {
	{ NB_U32, .arg = "INTERVAL", .out = &top_args.interval,
	  .help = "as -i", .min = 1, .max = MAX_INTERVAL },
	{ NB_U32, .arg = "COUNT", .out = &top_args.count,
	  .help = "as -c", .min = 1 },
};
/* clang-format on */

static const char *const examples[] = {
	"tcptop                 who sends and receives, each second",
	"tcptop -p 181          only process 181",
	"tcptop -C 5 12         a minute, in steps of five seconds, appended",
	"tcptop --by pid -n 10  the ten processes with the most traffic",
	"tcptop --json | jq .   for a program",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "tcptop",
	.about = "Show how many bytes TCP connections carry, by process.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
	.args = args,
	.nargs = sizeof(args) / sizeof(args[0]),
};

void top_args_parse(int argc, char **argv)
{
	nb_opt_parse(&cmd, argc, argv);
}
