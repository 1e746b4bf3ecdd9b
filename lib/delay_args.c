// SPDX-License-Identifier: Apache-2.0
#include "delay_args.h"

#include <arpa/inet.h>
#include <string.h>

/* "10.0.0.0/8": the address and its length. */
static void parse_addr(struct nb_delay_args *args)
{
	const char *text = args->addr;
	char addr[INET6_ADDRSTRLEN + 1] = "";
	size_t len = strcspn(text, "/");
	uint64_t bits, most;

	if (len < sizeof(addr))
		memcpy(addr, text, len);
	if (inet_pton(AF_INET, addr, args->prefix) == 1)
		args->prefix_ip = 4;
	else if (inet_pton(AF_INET6, addr, args->prefix) == 1)
		args->prefix_ip = 6;
	else
		nb_opt_misuse("cannot use '--addr %s': no address", text);
	most = args->prefix_ip == 4 ? 32 : 128;
	bits = most;
	if (text[len] && nb_parse_u64(text + len + 1, 0, most, &bits))
		nb_opt_misuse(
			"cannot use '--addr %s': not between 0 and %u bits",
			text, (unsigned)most);
	args->prefix_bits = (uint32_t)bits;
}

void nb_delay_args_parse(const struct nb_cmd *cmd, int argc, char **argv,
			 struct nb_delay_args *args)
{
	uint32_t slots = NB_DELAY_MIN_PACKETS;

	nb_opt_parse(cmd, argc, argv);
	if (args->hist && args->summary)
		nb_opt_misuse("'--hist' and '--summary' exclude each other");
	if (args->interval && !args->hist && !args->summary)
		nb_opt_misuse("'--interval' wants --hist or --summary");
	if (args->summary && !args->interval)
		args->interval = 1;
	if (args->count && args->hist && !args->interval)
		nb_opt_misuse("'--count' with --hist wants --interval");
	if (args->addr)
		parse_addr(args);
	while (slots < args->max_packets)
		slots *= 2;
	args->max_packets = slots;
}

static void set_addr(const struct nb_delay_args *args,
		     struct nb_delay_config *c)
{
	c->flags |= NB_DELAY_ONLY_ADDR;
	c->addr_ip = args->prefix_ip;
	memcpy(c->addr, args->prefix, sizeof(c->addr));
	for (unsigned i = 0; i < 4; i++) {
		uint32_t bits = args->prefix_bits;
		uint32_t left = bits > 32 * i ? bits - 32 * i : 0;

		c->mask[i] = left >= 32 ? UINT32_MAX
			     : left	? htonl(~(UINT32_MAX >> left))
					: 0;
	}
}

int nb_delay_args_config(const struct nb_delay_args *args, bool out,
			 struct nb_delay_config *config, struct nb_error *why)
{
	const struct nb_ports *local = out ? &args->sports : &args->dports;
	const struct nb_ports *remote = out ? &args->dports : &args->sports;

	config->flags |= NB_DELAY_LIVE | (local->n ? NB_DELAY_ONLY_LPORT : 0) |
			 (remote->n ? NB_DELAY_ONLY_RPORT : 0) |
			 (args->hist || args->summary ? NB_DELAY_SUM : 0);
	if (args->rate > 1)
		config->below = UINT32_MAX / args->rate + 1;
	/* The fewer are followed, the more of them a processor's cache has. */
	config->slots = args->max_packets;
	for (uint32_t n = args->rate;
	     n > 1 && config->slots > NB_DELAY_MIN_PACKETS; n /= 2)
		config->slots /= 2;
	config->min_ns = args->min_us * 1000;
	if (args->addr)
		set_addr(args, config);
	return nb_filter_make(&args->filter, &config->filter, why);
}
