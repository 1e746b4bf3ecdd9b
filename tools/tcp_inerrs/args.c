// SPDX-License-Identifier: Apache-2.0
#include "args.h"

#include "plans.h"
#include "reasons.h"

struct err_args err_args = {
	.by = ERR_BY_REASON,
	.max_rate = 10000,
	.prog.buffer_kb = NB_PROG_BUFFER_KB,
};

static const char *const bys[] = { "reason", "peer", NULL };

#define MAX_INTERVAL (24 * 60 * 60)

/* clang-format off */
static const struct nb_opt opts[] = {
	{ NB_U32, 'p', "pid", .arg = "PID", .out = &err_args.filter.pid,
	  .help = "only sockets of this process", .min = 1, .max = 1 << 22 },
	{ NB_FLAG, '4', "ipv4", .out = &err_args.filter.ip4,
	  .help = "only IPv4" },
	{ NB_FLAG, '6', "ipv6", .out = &err_args.filter.ip6,
	  .help = "only IPv6" },
	{ NB_PORTS, 'P', "port", .arg = "LIST", .out = &err_args.lports,
	  .help = "only these local ports, as in 80,81" },
	{ NB_PORTS, 'D', "dport", .arg = "LIST", .out = &err_args.rports,
	  .help = "only these remote ports" },
	{ NB_STR, 'n', "netns", .arg = "NS", .out = &err_args.filter.netns,
	  .help = "only this network namespace (name, path or inode)" },
	{ NB_LIST, 'R', "reason", .arg = "LIST", .out = &err_args.reasons,
	  .help = "only these reasons, as in TCP_CSUM,NO_SOCKET" },
	{ NB_FLAG, 'a', "all", .out = &err_args.all,
	  .help = "also what is normal: duplicates, keepalives" },
	{ NB_FLAG, 's', "summary", .out = &err_args.summary,
	  .help = "count instead, and show the counts at the end" },
	{ NB_CHOICE, .lng = "by", .arg = "WORD", .out = &err_args.by,
	  .help = "count by \"reason\" (default) or by reason and \"peer\"",
	  .choices = bys },
	{ NB_U32, 'i', "interval", .arg = "SECONDS", .out = &err_args.interval,
	  .help = "show the counts, and begin anew, this often",
	  .min = 1, .max = MAX_INTERVAL },
	{ NB_U64, 'c', "count", .arg = "COUNT", .out = &err_args.count,
	  .help = "stop after COUNT lines, or tables of counts", .min = 1 },
	{ NB_FLAG, 'T', "timestamp", .out = &err_args.micro,
	  .help = "times with microseconds" },
	{ NB_FLAG, .lng = "stack", .out = &err_args.stack,
	  .help = "where in the kernel it was" },
	{ NB_FLAG, .lng = "json", .out = &err_args.json,
	  .help = "one JSON object a line" },
	{ NB_U64, .lng = "max-rate", .arg = "N", .out = &err_args.max_rate,
	  .help = "lines a second; the rest is counted (default 10000)",
	  .min = 1, .max = 100 * 1000 * 1000 },
	{ NB_U32, .lng = "max-peers", .arg = "N", .out = &err_args.max_peers,
	  .help = "reasons and peers counted at once (default 16384)",
	  .min = 1, .max = 1 << 24 },
	NB_PROG_OPTS(&err_args.prog, err_plan_names),
};
/* clang-format on */

static const char *const examples[] = {
	"tcp_inerrs                  bad packets, resets, packets for no socket",
	"tcp_inerrs -P 443 -T        those to port 443, with microseconds",
	"tcp_inerrs -R csum,paws     only these reasons",
	"tcp_inerrs --stack -c 1     where in the kernel the next one is dropped",
	"tcp_inerrs -s --by peer     who sends them, as a table at the end",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "tcp_inerrs",
	.about =
		"Show TCP packets that are bad, and the reason the kernel had.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

static void parse_reasons(void)
{
	static char names[2048];
	struct nb_error word;

	for (size_t i = 0; i < err_args.reasons.n; i++) {
		if (!err_reasons_parse(err_args.reasons.item[i],
				       &err_args.wanted, &word))
			continue;
		err_reasons_list(names, sizeof(names));
		nb_opt_misuse("--reason '%s' is none of %s", word.text, names);
	}
	if (err_args.reasons.n)
		return;
	for (unsigned i = 1; i < ERR_REASONS; i++)
		if (err_args.all || !err_reason_is_normal(i))
			err_args.wanted |= 1ULL << i;
}

void err_args_parse(int argc, char **argv)
{
	nb_opt_parse(&cmd, argc, argv);
	parse_reasons();
	if (err_args.interval && !err_args.summary)
		nb_opt_misuse("'--interval' wants --summary");
	if (err_args.by != ERR_BY_REASON && !err_args.summary)
		nb_opt_misuse("'--by' wants --summary");
	if (err_args.count && err_args.summary && !err_args.interval)
		nb_opt_misuse("'--count' with --summary wants --interval");
	if (err_args.stack && err_args.summary)
		nb_opt_misuse("'--stack' and '--summary' exclude each other");
}

int err_args_config(struct err_config *config, struct nb_error *why)
{
	/* Only a record tells whose its socket is. */
	bool counts = err_args.summary && !err_args.filter.pid;

	config->wanted = err_args.wanted;
	config->flags =
		ERR_LIVE | (err_args.lports.n ? ERR_ONLY_LPORT : 0) |
		(err_args.rports.n ? ERR_ONLY_RPORT : 0) |
		(counts ? ERR_SUM : 0) |
		(counts && err_args.by == ERR_BY_PEER ? ERR_SUM_PEERS : 0);
	/* Others' packets are not to take the place of the process'. */
	if (err_args.filter.pid)
		config->flags |= ERR_OWNED;
	else if (!err_args.summary)
		config->max_rate = err_args.max_rate;
	return nb_filter_make(&err_args.filter, &config->filter, why);
}
