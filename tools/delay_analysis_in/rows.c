// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "stages.h"

const char *const in_stage_heads[IN_STAGES] = {
	"TOTAL", "MAC", "IP", "TCP", "GRO", "SOFTIRQ", "BACKLOG", "APP",
};
const char *const in_stage_keys[IN_STAGES] = {
	"total", "mac", "ip", "tcp", "gro", "softirq", "backlog", "app",
};

/* clang-format off */
enum {
	COL_FROM, COL_ARROW, COL_TO, COL_SEQ, COL_ACK, COL_TIME, COL_STAMP,
	COL_STAGES, COL_NETNS = COL_STAGES + IN_STAGES, COL_PID, COL_COMM,
	COL_IP, COL_SADDR, COL_SPORT, COL_DADDR, COL_DPORT, COL_LENGTH,
	COL_PACKETS, COLS
};

static const struct nb_col columns[COLS] = {
	[COL_FROM]    = { "SADDR:SPORT", NULL, 22 },
	[COL_ARROW]   = { "->", NULL, 2 },
	[COL_TO]      = { "DADDR:DPORT", NULL, 22 },
	[COL_SEQ]     = { "SEQ", "seq", 12 },
	[COL_ACK]     = { "ACK", "ack", 12 },
	[COL_TIME]    = { NULL, "time", 0 },
	[COL_STAMP]   = { "TIME", NULL, 16 },
	[COL_STAGES + IN_TOTAL]   = { "TOTAL", "total_us", 10 },
	[COL_STAGES + IN_MAC]     = { "MAC", "mac_us", 10 },
	[COL_STAGES + IN_IP]      = { "IP", "ip_us", 10 },
	[COL_STAGES + IN_TCP]     = { "TCP", "tcp_us", 10 },
	[COL_STAGES + IN_GRO]     = { "GRO", "gro_us", 10 },
	[COL_STAGES + IN_SOFTIRQ] = { "SOFTIRQ", "softirq_us", 10 },
	[COL_STAGES + IN_BACKLOG] = { "BACKLOG", "backlog_us", 10 },
	[COL_STAGES + IN_APP]     = { "APP", "app_us", 10 },
	[COL_NETNS]   = { NULL, "netns", 0 },
	[COL_PID]     = { NULL, "pid", 0 },
	[COL_COMM]    = { NULL, "comm", 0 },
	[COL_IP]      = { NULL, "ip", 0 },
	[COL_SADDR]   = { NULL, "saddr", 0 },
	[COL_SPORT]   = { NULL, "sport", 0 },
	[COL_DADDR]   = { NULL, "daddr", 0 },
	[COL_DPORT]   = { NULL, "dport", 0 },
	[COL_LENGTH]  = { NULL, "length", 0 },
	[COL_PACKETS] = { NULL, "packets", 0 },
};
/* clang-format on */

/* What the cells of a row point to. */
struct texts {
	char from[NB_ENDPOINT_STRLEN];
	char to[NB_ENDPOINT_STRLEN];
	char comm[sizeof(((struct in_event *)0)->comm) + 1];
};

/* The columns that are not in JSON. */
static void set_text(struct nb_cell *c, const struct in_event *e,
		     uint64_t real_ns, struct texts *texts)
{
	c[COL_FROM] = nb_cell_endpoint(e->ip, e->saddr, e->sport, texts->from);
	c[COL_ARROW] = nb_cell_word("->");
	c[COL_TO] = nb_cell_endpoint(e->ip, e->daddr, e->dport, texts->to);
	c[COL_STAMP] = nb_cell_u64(real_ns / 1000);
}

/* Those that are only there. */
static void set_json(struct nb_cell *c, const struct in_event *e,
		     uint64_t real_ns, struct texts *texts)
{
	memcpy(texts->comm, e->comm, sizeof(e->comm));
	texts->comm[sizeof(e->comm)] = '\0';
	c[COL_TIME] = nb_cell_time(real_ns);
	c[COL_NETNS] = nb_cell_u64(e->netns);
	c[COL_PID] = nb_cell_u64(e->pid);
	c[COL_COMM] = nb_cell_str(texts->comm);
	c[COL_IP] = nb_cell_u64(e->ip);
	c[COL_SADDR] = nb_cell_addr(e->ip, e->saddr);
	c[COL_SPORT] = nb_cell_u64(e->sport);
	c[COL_DADDR] = nb_cell_addr(e->ip, e->daddr);
	c[COL_DPORT] = nb_cell_u64(e->dport);
	c[COL_LENGTH] = nb_cell_u64(e->length);
	c[COL_PACKETS] = nb_cell_u64(e->packets);
}

int in_rows_print(struct nb_table *table, const struct nb_clock *clock,
		  const void *rec, const uint64_t *delays)
{
	const struct in_event *e = rec;
	uint64_t real_ns = nb_clock_real(clock, e->times.driver);
	struct nb_cell c[COLS];
	struct texts texts;

	c[COL_SEQ] = nb_cell_u64(e->seq);
	c[COL_ACK] = nb_cell_u64(e->ack);
	for (unsigned i = 0; i < IN_STAGES; i++)
		c[COL_STAGES + i] = nb_delay_cell(delays[i]);
	if (nb_table_is_json(table))
		set_json(c, e, real_ns, &texts);
	else
		set_text(c, e, real_ns, &texts);
	return nb_table_row(table, c);
}

int in_rows_new(bool json, bool wide, struct nb_table **ret)
{
	const struct nb_table_opts opts = {
		.json = json,
		.no_header = nb_log_is_quiet(),
	};
	int err = nb_table_new(columns, COLS, &opts, stdout, ret);

	for (size_t i = IN_GRO; !err && !wide && i < IN_STAGES; i++)
		nb_table_hide(*ret, COL_STAGES + i);
	return err;
}
