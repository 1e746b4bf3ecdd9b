// SPDX-License-Identifier: Apache-2.0
#include "args.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"

#define MAX_INTERVAL (24 * 60 * 60)
#define MIN_PACKETS 1024

struct in_args in_args = {
	.rate = 1,
	.max_packets = IN_PACKETS,
	.prog.buffer_kb = NB_PROG_BUFFER_KB,
};

/* clang-format off */
static const struct nb_opt opts[] = {
	{ NB_PORTS, .lng = "sport", .legacy = "sp", .arg = "LIST",
	  .out = &in_args.sports,
	  .help = "only packets from these ports, as in 80,81" },
	{ NB_PORTS, .lng = "dport", .legacy = "dp", .arg = "LIST",
	  .out = &in_args.dports, .help = "only packets to these ports" },
	{ NB_STR, 'a', "addr", .arg = "ADDR[/LEN]", .out = &in_args.addr,
	  .help = "only from or to this address, or network" },
	{ NB_U32, 'p', "pid", .arg = "PID", .out = &in_args.filter.pid,
	  .help = "only what this process reads", .min = 1, .max = 1 << 22 },
	{ NB_FLAG, '4', "ipv4", .out = &in_args.filter.ip4,
	  .help = "only IPv4" },
	{ NB_FLAG, '6', "ipv6", .out = &in_args.filter.ip6,
	  .help = "only IPv6" },
	{ NB_STR, 'n', "netns", .arg = "NS", .out = &in_args.filter.netns,
	  .help = "only this network namespace (name, path or inode)" },
	{ NB_U32, 's', "sample", .arg = "RATE", .out = &in_args.rate,
	  .help = "follow one packet in RATE (16 without a number)",
	  .min = 1, .max = 1 << 20, .bare = "16" },
	{ NB_U64, .lng = "min", .arg = "US", .out = &in_args.min_us,
	  .help = "only packets that took so many microseconds",
	  .max = 3600ULL * 1000 * 1000 },
	{ NB_U64, 'c', "count", .arg = "COUNT", .out = &in_args.count,
	  .help = "stop after COUNT lines, histograms or summaries", .min = 1 },
	{ NB_FLAG, 'w', "wide", .out = &in_args.wide,
	  .help = "also the parts of MAC and TCP" },
	{ NB_FLAG, 'H', "hist", .out = &in_args.hist,
	  .help = "a histogram of each stage instead" },
	{ NB_FLAG, .lng = "summary", .out = &in_args.summary,
	  .help = "percentiles of each stage instead" },
	{ NB_U32, 'i', "interval", .arg = "SECONDS", .out = &in_args.interval,
	  .help = "show these this often (default: 1 for --summary, at the end for --hist)",
	  .min = 1, .max = MAX_INTERVAL },
	{ NB_FLAG, .lng = "json", .out = &in_args.json,
	  .help = "one JSON object a line" },
	{ NB_U32, .lng = "max-packets", .arg = "N",
	  .out = &in_args.max_packets,
	  .help = "packets on their way at once (default 16384)",
	  .min = MIN_PACKETS, .max = 1 << 24 },
	NB_PROG_OPTS(&in_args.prog, in_plan_names),
};
/* clang-format on */

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

/* "10.0.0.0/8": the address and its length, into in_args. */
static void parse_addr(const char *text)
{
	char addr[INET6_ADDRSTRLEN + 1] = "";
	size_t len = strcspn(text, "/");
	uint64_t bits, most;

	if (len < sizeof(addr))
		memcpy(addr, text, len);
	if (inet_pton(AF_INET, addr, in_args.prefix) == 1)
		in_args.prefix_ip = 4;
	else if (inet_pton(AF_INET6, addr, in_args.prefix) == 1)
		in_args.prefix_ip = 6;
	else
		nb_opt_misuse("cannot use '--addr %s': no address", text);
	most = in_args.prefix_ip == 4 ? 32 : 128;
	bits = most;
	if (text[len] && nb_parse_u64(text + len + 1, 0, most, &bits))
		nb_opt_misuse(
			"cannot use '--addr %s': not between 0 and %u bits",
			text, (unsigned)most);
	in_args.prefix_bits = (uint32_t)bits;
}

void in_args_parse(int argc, char **argv)
{
	uint32_t slots = MIN_PACKETS;

	nb_opt_parse(&cmd, argc, argv);
	if (in_args.hist && in_args.summary)
		nb_opt_misuse("'--hist' and '--summary' exclude each other");
	if (in_args.interval && !in_args.hist && !in_args.summary)
		nb_opt_misuse("'--interval' wants --hist or --summary");
	if (in_args.summary && !in_args.interval)
		in_args.interval = 1;
	if (in_args.count && in_args.hist && !in_args.interval)
		nb_opt_misuse("'--count' with --hist wants --interval");
	if (in_args.addr)
		parse_addr(in_args.addr);
	while (slots < in_args.max_packets)
		slots *= 2;
	in_args.max_packets = slots;
}

static void set_addr(struct in_config *c)
{
	c->flags |= IN_ONLY_ADDR;
	c->addr_ip = in_args.prefix_ip;
	memcpy(c->addr, in_args.prefix, sizeof(c->addr));
	for (unsigned i = 0; i < 4; i++) {
		uint32_t bits = in_args.prefix_bits;
		uint32_t left = bits > 32 * i ? bits - 32 * i : 0;

		c->mask[i] = left >= 32 ? UINT32_MAX
			     : left	? htonl(~(UINT32_MAX >> left))
					: 0;
	}
}

int in_args_config(struct in_config *config, struct nb_error *why)
{
	config->flags = IN_LIVE | (in_args.sports.n ? IN_ONLY_RPORT : 0) |
			(in_args.dports.n ? IN_ONLY_LPORT : 0) |
			(in_args.hist || in_args.summary ? IN_SUM : 0);
	if (in_args.rate > 1)
		config->below = UINT32_MAX / in_args.rate + 1;
	config->slots = in_args.max_packets;
	config->min_ns = in_args.min_us * 1000;
	if (in_args.addr)
		set_addr(config);
	return nb_filter_make(&in_args.filter, &config->filter, why);
}
