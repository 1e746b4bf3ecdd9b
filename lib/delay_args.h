/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines of the commands that follow packets. */
#ifndef NB_DELAY_ARGS_H
#define NB_DELAY_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/delay.h"
#include "filter_args.h"
#include "opt.h"
#include "prog.h"

#define NB_DELAY_PACKETS 16384 /* unless --max-packets says more */
#define NB_DELAY_MIN_PACKETS 1024
#define NB_DELAY_MAX_INTERVAL (24 * 60 * 60)

struct nb_delay_args {
	struct nb_filter_args filter;
	struct nb_ports sports;
	struct nb_ports dports;
	const char *addr;   /* "ADDR[/LEN]"; NULL: any */
	uint8_t prefix_ip;  /* 4 or 6: what it says */
	uint8_t prefix[16]; /* network order */
	uint32_t prefix_bits;
	uint32_t rate; /* one packet in so many */
	uint64_t min_us;
	uint64_t count;
	bool wide;
	bool hist;
	bool summary;
	uint32_t interval; /* seconds; 0: at the end only */
	bool json;
	uint32_t max_packets;
	struct nb_prog_args prog;
};

/* Initialises one. */
#define NB_DELAY_ARGS                                       \
	{                                                   \
		.rate = 1, .max_packets = NB_DELAY_PACKETS, \
		.prog.buffer_kb = NB_PROG_BUFFER_KB,        \
	}

/*
 * Options for the struct nb_delay_args at @a, to be put into a command's table,
 * before and behind its own filters. @does: what a process does with packets;
 * @parts: what --wide shows; @plans: as for NB_PROG_OPTS.
 */
/* clang-format off */
#define NB_DELAY_FILTER_OPTS(a, does)                                        \
	{ NB_PORTS, .lng = "sport", .legacy = "sp", .arg = "LIST",           \
	  .out = &(a)->sports,                                               \
	  .help = "only packets from these ports, as in 80,81" },            \
	{ NB_PORTS, .lng = "dport", .legacy = "dp", .arg = "LIST",           \
	  .out = &(a)->dports, .help = "only packets to these ports" },      \
	{ NB_STR, 'a', "addr", .arg = "ADDR[/LEN]", .out = &(a)->addr,       \
	  .help = "only from or to this address, or network" },              \
	{ NB_U32, 'p', "pid", .arg = "PID", .out = &(a)->filter.pid,         \
	  .help = "only what this process " does, .min = 1,                  \
	  .max = 1 << 22 },                                                  \
	{ NB_FLAG, '4', "ipv4", .out = &(a)->filter.ip4,                     \
	  .help = "only IPv4" },                                             \
	{ NB_FLAG, '6', "ipv6", .out = &(a)->filter.ip6,                     \
	  .help = "only IPv6" },                                             \
	{ NB_STR, 'n', "netns", .arg = "NS", .out = &(a)->filter.netns,      \
	  .help = "only this network namespace (name, path or inode)" }
#define NB_DELAY_OPTS(a, parts, plans)                                       \
	{ NB_U32, 's', "sample", .arg = "RATE", .out = &(a)->rate,           \
	  .help = "follow one packet in RATE (16 without a number)",         \
	  .min = 1, .max = 1 << 20, .bare = "16" },                          \
	{ NB_U64, .lng = "min", .arg = "US", .out = &(a)->min_us,            \
	  .help = "only packets that took so many microseconds",             \
	  .max = 3600ULL * 1000 * 1000 },                                    \
	{ NB_U64, 'c', "count", .arg = "COUNT", .out = &(a)->count,          \
	  .help = "stop after COUNT lines, histograms or summaries",         \
	  .min = 1 },                                                        \
	{ NB_FLAG, 'w', "wide", .out = &(a)->wide, .help = "also " parts },  \
	{ NB_FLAG, 'H', "hist", .out = &(a)->hist,                           \
	  .help = "a histogram of each stage instead" },                     \
	{ NB_FLAG, .lng = "summary", .out = &(a)->summary,                   \
	  .help = "percentiles of each stage instead" },                     \
	{ NB_U32, 'i', "interval", .arg = "SECONDS", .out = &(a)->interval,  \
	  .help = "show these this often (default: 1 for --summary, at the end for --hist)", \
	  .min = 1, .max = NB_DELAY_MAX_INTERVAL },                          \
	{ NB_FLAG, .lng = "json", .out = &(a)->json,                         \
	  .help = "one JSON object a line" },                                \
	{ NB_U32, .lng = "max-packets", .arg = "N",                          \
	  .out = &(a)->max_packets,                                          \
	  .help = "packets on their way at once (default 16384)",            \
	  .min = NB_DELAY_MIN_PACKETS, .max = 1 << 24 },                     \
	NB_PROG_OPTS(&(a)->prog, plans)
/* clang-format on */

/* Fill in @args, whose options are in @cmd. As nb_opt_parse(). */
void nb_delay_args_parse(const struct nb_cmd *cmd, int argc, char **argv,
			 struct nb_delay_args *args);

/*
 * The options as the eBPF text knows them, but for the connection to be left
 * out. Ports are of packets that come in, or with @out of those that go out. As
 * nb_filter_make().
 */
int nb_delay_args_config(const struct nb_delay_args *args, bool out,
			 struct nb_delay_config *config, struct nb_error *why);

#endif
