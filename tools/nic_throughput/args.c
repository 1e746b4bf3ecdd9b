// SPDX-License-Identifier: Apache-2.0
#include "args.h"

#include <string.h>

struct nic_args nic_args = { .interval_s = 1, .max_queues = 1024 };

/* clang-format off */
#define RECEIVED(knows, tracepoint, ...)                                     \
	{ NB_HOOK_RAW_TP, tracepoint, "nic_receive", 1, .typed = knows,      \
	  __VA_ARGS__ }

/*
 * A packet that is received passes exactly one of the latter: netif_rx is where
 * all the functions of that name come together; the list came with 4.19.
 */
#define HOOKS(knows)                                                         \
	{ NB_HOOK_RAW_TP, "net_dev_start_xmit", "nic_start_xmit", 1,         \
	  .typed = knows },                                                  \
	{ NB_HOOK_RAW_TP, "net_dev_xmit", "nic_xmit", 1, .typed = knows },   \
	RECEIVED(knows, "netif_rx"),                                         \
	RECEIVED(knows, "netif_receive_skb_entry"),                          \
	RECEIVED(knows, "netif_receive_skb_list_entry", .optional = true),   \
	RECEIVED(knows, "napi_gro_receive_entry"),                           \
	RECEIVED(knows, "napi_gro_frags_entry")

static const struct nb_hook typed_hooks[] = { HOOKS(true) };
static const struct nb_hook untyped_hooks[] = { HOOKS(false) };

#define COUNT(array) (sizeof(array) / sizeof(array[0]))

const struct nb_plan nic_plans[NIC_PLANS] = {
	{ "raw", typed_hooks, COUNT(typed_hooks) },
	{ "nobtf", untyped_hooks, COUNT(untyped_hooks) },
};
static const char *const plan_names[] = { "raw", "nobtf", NULL };

static const struct nb_opt opts[] = {
	{ NB_LIST, 'n', "name", .arg = "NAME", .out = &nic_args.names,
	  .help = "this network device (again: another one too), or \"all\"" },
	{ NB_U32, 'i', "interval", .arg = "SECONDS", .out = &nic_args.interval_s,
	  .help = "between two outputs (default 1)", .min = 1, .max = 86400 },
	{ NB_U64, 'c', "count", .arg = "COUNT", .out = &nic_args.count,
	  .help = "stop after COUNT outputs", .min = 1 },
	{ NB_STR, .lng = "netns", .arg = "NS", .out = &nic_args.netns,
	  .help = "devices of this network namespace (name, path or inode)" },
	{ NB_FLAG, .lng = "raw", .out = &nic_args.raw,
	  .help = "plain numbers, without K, M, G" },
	{ NB_FLAG, .lng = "json", .out = &nic_args.json,
	  .help = "one JSON object a line" },
	{ NB_U32, .lng = "max-queues", .arg = "N", .out = &nic_args.max_queues,
	  .help = "queues counted at once, each way (default 1024)",
	  .min = 1, .max = 1 << 15 },
	NB_PROG_LOAD_OPTS(&nic_args.prog, plan_names),
};
/* clang-format on */

static const char *const examples[] = {
	"nic_throughput -n eth0               every second, by queue",
	"nic_throughput -n eth0 -n eth1 -i 5  of two devices, every five",
	"nic_throughput -n all --json         of all devices, for a program",
	"nic_throughput -n eth0 --netns web   of a container's device",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "nic_throughput",
	.about = "Show the packets and bytes of network devices, by queue.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

void nic_args_parse(int argc, char **argv)
{
	nb_opt_parse(&cmd, argc, argv);
	if (!nic_args.names.n)
		nb_opt_misuse("cannot start: no device is given with '-n'");
	for (size_t i = 0; i < nic_args.names.n; i++)
		nic_args.all |= !strcmp(nic_args.names.item[i], "all");
}
