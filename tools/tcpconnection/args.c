// SPDX-License-Identifier: Apache-2.0
#include "args.h"

#include "plans.h"

struct conn_args conn_args = { .prog.buffer_kb = NB_PROG_BUFFER_KB };
const char *const conn_directions[] = { "connect", "accept", NULL };

/* clang-format off */
static const struct nb_opt opts[] = {
	{ NB_U32, 'p', "pid", .arg = "PID", .out = &conn_args.filter.pid,
	  .help = "only this process", .min = 1, .max = 1 << 22 },
	{ NB_PORTS, 'P', "port", .arg = "LIST", .out = &conn_args.lports,
	  .help = "only these local ports, as in 80,81" },
	{ NB_PORTS, 'D', "dport", .arg = "LIST", .out = &conn_args.rports,
	  .help = "only these remote ports" },
	{ NB_CHOICE, 'r', "direction", .arg = "WORD", .out = &conn_args.direction,
	  .help = "only \"connect\" or only \"accept\"",
	  .choices = conn_directions },
	{ NB_FLAG, '4', "ipv4", .out = &conn_args.filter.ip4, .help = "only IPv4" },
	{ NB_FLAG, '6', "ipv6", .out = &conn_args.filter.ip6, .help = "only IPv6" },
	{ NB_STR, 'u', "uid", .arg = "USER", .out = &conn_args.filter.user,
	  .help = "only this user, by number or name" },
	{ NB_STR, 'n', "netns", .arg = "NS", .out = &conn_args.filter.netns,
	  .help = "only this network namespace (name, path or inode)" },
	{ NB_FLAG, 'f', "failed", .out = &conn_args.failed,
	  .help = "failed connects too, and why" },
	{ NB_FLAG, 't', "latency", .out = &conn_args.latency,
	  .help = "time to connect, or time in the accept queue" },
	{ NB_FLAG, 'l', "life", .out = &conn_args.life,
	  .help = "a second line at the end: duration and bytes" },
	{ NB_FLAG, 'T', "timestamp", .out = &conn_args.micro,
	  .help = "times with microseconds" },
	{ NB_U64, 'c', "count", .arg = "COUNT", .out = &conn_args.count,
	  .help = "stop after COUNT lines", .min = 1 },
	{ NB_STR, .lng = "cgroupmap", .arg = "PATH", .out = &conn_args.filter.cgroupmap,
	  .help = "only cgroups in this pinned map" },
	{ NB_STR, .lng = "mntnsmap", .arg = "PATH", .out = &conn_args.filter.mntnsmap,
	  .help = "only mount namespaces in this pinned map" },
	{ NB_U32, .lng = "max-conns", .arg = "N", .out = &conn_args.max_conns,
	  .help = "connections remembered at once (default 16384)",
	  .min = 1, .max = 1 << 24 },
	{ NB_FLAG, .lng = "json", .out = &conn_args.json,
	  .help = "one JSON object a line" },
	NB_PROG_OPTS(&conn_args.prog, conn_plan_names),
};
/* clang-format on */

static const char *const examples[] = {
	"tcpconnection                 every connection",
	"tcpconnection -P 80,81        those of local ports 80 and 81",
	"tcpconnection -r connect -t   what is connected to, and how fast",
	"tcpconnection -f -p 181       also what process 181 fails to reach",
	"tcpconnection -l --json       lives of connections, for a program",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "tcpconnection",
	.about = "Show TCP connections as they are made and accepted.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

void conn_args_parse(int argc, char **argv)
{
	nb_opt_parse(&cmd, argc, argv);
}

int conn_args_config(struct conn_config *config, struct nb_error *why)
{
	config->flags = CONN_LIVE |
			(conn_args.latency ? CONN_WANT_LATENCY : 0) |
			(conn_args.failed ? CONN_WANT_FAILED : 0) |
			(conn_args.life ? CONN_WANT_LIFE : 0) |
			(conn_args.lports.n ? CONN_ONLY_LPORT : 0) |
			(conn_args.rports.n ? CONN_ONLY_RPORT : 0);
	if (conn_args.direction != CONN_ACCEPT)
		config->flags |= CONN_WANT_CONNECT;
	if (conn_args.direction != CONN_CONNECT)
		config->flags |= CONN_WANT_ACCEPT;
	return nb_filter_make(&conn_args.filter, &config->filter, why);
}
