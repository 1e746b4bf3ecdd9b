// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "stages.h"

const char *const out_stage_heads[OUT_STAGES] = {
	"TOTAL", "QDisc", "IP", "TCP", "SOCK", "DRIVER",
};
const char *const out_stage_keys[OUT_STAGES] = {
	"total", "qdisc", "ip", "tcp", "sock", "driver",
};

/* clang-format off */
enum {
	COL_FROM, COL_ARROW, COL_NAT, COL_ARROW_TOO, COL_TO, COL_SEQ, COL_ACK,
	COL_TIME, COL_STAMP, COL_STAGES, COL_DEVICE = COL_STAGES + OUT_STAGES,
	COL_AGAIN, COL_IS_AGAIN, COL_NETNS, COL_PID, COL_COMM, COL_IP,
	COL_SADDR, COL_SPORT, COL_DADDR, COL_DPORT, COL_NAT_SADDR,
	COL_NAT_SPORT, COL_NAT_DADDR, COL_NAT_DPORT, COL_FLAGS, COL_LENGTH,
	COL_PACKETS, COLS
};

static const struct nb_col columns[COLS] = {
	[COL_FROM]      = { "SADDR:SPORT", NULL, 22 },
	[COL_ARROW]     = { "->", NULL, 2 },
	[COL_NAT]       = { "NAT:PORT", NULL, 22 },
	[COL_ARROW_TOO] = { "->", NULL, 2 },
	[COL_TO]        = { "DADDR:DPORT", NULL, 22 },
	[COL_SEQ]       = { "SEQ", "seq", 12 },
	[COL_ACK]       = { "ACK", "ack", 12 },
	[COL_TIME]      = { NULL, "time", 0 },
	[COL_STAMP]     = { "TIME", NULL, 16 },
	[COL_STAGES + OUT_TOTAL]  = { "TOTAL", "total_us", 10 },
	[COL_STAGES + OUT_QDISC]  = { "QDisc", "qdisc_us", 10 },
	[COL_STAGES + OUT_IP]     = { "IP", "ip_us", 10 },
	[COL_STAGES + OUT_TCP]    = { "TCP", "tcp_us", 10 },
	[COL_STAGES + OUT_SOCK]   = { "SOCK", "sock_us", 10 },
	[COL_STAGES + OUT_DRIVER] = { "DRIVER", "driver_us", 10 },
	[COL_DEVICE]    = { "DEV", "device", 10 },
	[COL_AGAIN]     = { "RETRANS", NULL, 7 },
	[COL_IS_AGAIN]  = { NULL, "retransmitted", 0 },
	[COL_NETNS]     = { NULL, "netns", 0 },
	[COL_PID]       = { NULL, "pid", 0 },
	[COL_COMM]      = { NULL, "comm", 0 },
	[COL_IP]        = { NULL, "ip", 0 },
	[COL_SADDR]     = { NULL, "saddr", 0 },
	[COL_SPORT]     = { NULL, "sport", 0 },
	[COL_DADDR]     = { NULL, "daddr", 0 },
	[COL_DPORT]     = { NULL, "dport", 0 },
	[COL_NAT_SADDR] = { NULL, "nat_saddr", 0 },
	[COL_NAT_SPORT] = { NULL, "nat_sport", 0 },
	[COL_NAT_DADDR] = { NULL, "nat_daddr", 0 },
	[COL_NAT_DPORT] = { NULL, "nat_dport", 0 },
	[COL_FLAGS]     = { NULL, "flags", 0 },
	[COL_LENGTH]    = { NULL, "length", 0 },
	[COL_PACKETS]   = { NULL, "packets", 0 },
};
/* clang-format on */

/* As tcpdump(8) has them, into @ret of nine bytes. */
static void format_flags(uint8_t flags, char *ret)
{
	static const char letters[] = "FSRP.UEW";

	for (unsigned i = 0; i < 8; i++)
		if (flags & 1 << i)
			*ret++ = letters[i];
	*ret = '\0';
}

/* What the cells of a row point to. */
struct texts {
	char from[NB_ENDPOINT_STRLEN];
	char nat[NB_ENDPOINT_STRLEN];
	char to[NB_ENDPOINT_STRLEN];
	char device[sizeof(((struct out_event *)0)->device) + 1];
	char comm[sizeof(((struct out_event *)0)->comm) + 1];
	char flags[9];
};

static void set_common(struct nb_cell *c, const struct out_event *e,
		       const uint64_t *delays, struct texts *texts)
{
	c[COL_SEQ] = nb_cell_u64(e->seq);
	c[COL_ACK] = nb_cell_u64(e->ack);
	for (unsigned i = 0; i < OUT_STAGES; i++)
		c[COL_STAGES + i] = nb_delay_cell(delays[i]);
	memcpy(texts->device, e->device, sizeof(e->device));
	texts->device[sizeof(e->device)] = '\0';
	c[COL_DEVICE] = nb_cell_str(texts->device);
}

/* The columns that are not in JSON. */
static void set_text(struct nb_cell *c, const struct out_event *e,
		     uint64_t real_ns, struct texts *texts)
{
	c[COL_FROM] = nb_cell_endpoint(e->ip, e->saddr, e->sport, texts->from);
	c[COL_ARROW] = nb_cell_word("->");
	c[COL_NAT] =
		nb_cell_endpoint(e->ip, e->nat_saddr, e->nat_sport, texts->nat);
	c[COL_ARROW_TOO] = nb_cell_word("->");
	c[COL_TO] =
		nb_cell_endpoint(e->ip, e->nat_daddr, e->nat_dport, texts->to);
	c[COL_STAMP] = nb_cell_u64(real_ns / 1000);
	c[COL_AGAIN] = e->again ? nb_cell_word("R") : nb_cell_none();
}

/* Those that are only there. */
static void set_json(struct nb_cell *c, const struct out_event *e,
		     uint64_t real_ns, struct texts *texts)
{
	memcpy(texts->comm, e->comm, sizeof(e->comm));
	texts->comm[sizeof(e->comm)] = '\0';
	format_flags(e->flags, texts->flags);
	c[COL_TIME] = nb_cell_time(real_ns);
	c[COL_IS_AGAIN] = nb_cell_u64(e->again);
	c[COL_NETNS] = nb_cell_u64(e->netns);
	c[COL_PID] = e->pid ? nb_cell_u64(e->pid) : nb_cell_none();
	c[COL_COMM] = e->pid ? nb_cell_str(texts->comm) : nb_cell_none();
	c[COL_IP] = nb_cell_u64(e->ip);
	c[COL_SADDR] = nb_cell_addr(e->ip, e->saddr);
	c[COL_SPORT] = nb_cell_u64(e->sport);
	c[COL_DADDR] = nb_cell_addr(e->ip, e->daddr);
	c[COL_DPORT] = nb_cell_u64(e->dport);
	c[COL_NAT_SADDR] = nb_cell_addr(e->ip, e->nat_saddr);
	c[COL_NAT_SPORT] = nb_cell_u64(e->nat_sport);
	c[COL_NAT_DADDR] = nb_cell_addr(e->ip, e->nat_daddr);
	c[COL_NAT_DPORT] = nb_cell_u64(e->nat_dport);
	c[COL_FLAGS] = nb_cell_word(texts->flags);
	c[COL_LENGTH] = nb_cell_u64(e->length);
	c[COL_PACKETS] = nb_cell_u64(e->packets);
}

int out_rows_print(struct nb_table *table, const struct nb_clock *clock,
		   const void *rec, const uint64_t *delays)
{
	const struct out_event *e = rec;
	uint64_t real_ns = nb_clock_real(
		clock, e->times.begun ? e->times.begun : e->times.queued);
	struct nb_cell c[COLS];
	struct texts texts;

	set_common(c, e, delays, &texts);
	if (nb_table_is_json(table))
		set_json(c, e, real_ns, &texts);
	else
		set_text(c, e, real_ns, &texts);
	return nb_table_row(table, c);
}

int out_rows_new(bool json, bool wide, struct nb_table **ret)
{
	const struct nb_table_opts opts = {
		.json = json,
		.no_header = nb_log_is_quiet(),
	};
	int err = nb_table_new(columns, COLS, &opts, stdout, ret);

	for (size_t i = OUT_SOCK; !err && !wide && i < OUT_STAGES; i++)
		nb_table_hide(*ret, COL_STAGES + i);
	return err;
}
