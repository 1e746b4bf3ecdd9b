// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "log.h"

/* clang-format off */
enum {
	COL_TIME, COL_PID, COL_TID, COL_COMM, COL_UID, COL_NETNS, COL_IP,
	COL_DADDR, COL_DPORT, COL_SADDR, COL_SPORT, COL_DIRECTION, COL_STATE,
	COL_LATENCY, COL_ERROR, COL_DURATION, COL_RX, COL_TX, COLS
};

static const struct nb_col columns[COLS] = {
	[COL_TIME]      = { "TIME", "time", 9 },
	[COL_PID]       = { "PID", "pid", 7 },
	[COL_TID]       = { NULL, "tid", 0 },
	[COL_COMM]      = { "COMM", "comm", 12 },
	[COL_UID]       = { NULL, "uid", 0 },
	[COL_NETNS]     = { NULL, "netns", 0 },
	[COL_IP]        = { "IP", "ip", 2 },
	[COL_DADDR]     = { "DADDR", "daddr", 16 },
	[COL_DPORT]     = { "DPORT", "dport", 5 },
	[COL_SADDR]     = { "SADDR", "saddr", 16 },
	[COL_SPORT]     = { "SPORT", "sport", 5 },
	[COL_DIRECTION] = { "DIRECTION", "direction", -10 },
	[COL_STATE]     = { "STATE", "state", 11 },
	[COL_LATENCY]   = { "LAT(ms)", "latency_us", -9 },
	[COL_ERROR]     = { "ERROR", "error", 13 },
	[COL_DURATION]  = { "DUR(ms)", "duration_us", -11 },
	[COL_RX]        = { "RX(B)", "rx_bytes", -9 },
	[COL_TX]        = { "TX(B)", "tx_bytes", -9 },
};
/* clang-format on */

static struct nb_cell usec_or_none(uint64_t ns)
{
	return ns == CONN_NONE ? nb_cell_none() : nb_cell_usec(ns / 1000);
}

static struct nb_cell u64_or_none(uint64_t n)
{
	return n == CONN_NONE ? nb_cell_none() : nb_cell_u64(n);
}

/* Why a connect came to nothing, by the errno's name. */
static struct nb_cell error_or_none(const struct conn_event *e, char *buf,
				    size_t size)
{
	const char *name;

	if (e->kind != CONN_FAILED)
		return nb_cell_none();
	if (!e->error) /* closed by the program before there was an answer */
		return nb_cell_str("CLOSED");
	name = strerrorname_np(e->error);
	if (name)
		return nb_cell_str(name);
	snprintf(buf, size, "%d", e->error);
	return nb_cell_str(buf);
}

int conn_rows_print(struct nb_table *table, const struct nb_clock *clock,
		    const struct conn_event *e)
{
	char comm[sizeof(e->comm) + 1], error[16];
	struct nb_cell c[COLS];

	if (e->direction != CONN_CONNECT && e->direction != CONN_ACCEPT)
		return -EBADMSG;
	memcpy(comm, e->comm, sizeof(e->comm));
	comm[sizeof(e->comm)] = '\0';
	c[COL_TIME] = nb_cell_time(nb_clock_real(clock, e->time_ns));
	c[COL_PID] = nb_cell_u64(e->pid);
	c[COL_TID] = nb_cell_u64(e->tid);
	c[COL_COMM] = nb_cell_str(comm);
	c[COL_UID] = nb_cell_u64(e->uid);
	c[COL_NETNS] = nb_cell_u64(e->netns);
	c[COL_IP] = nb_cell_u64(e->ip);
	c[COL_DADDR] = nb_cell_addr(e->ip, e->daddr);
	c[COL_DPORT] = nb_cell_u64(e->dport);
	c[COL_SADDR] = nb_cell_addr(e->ip, e->saddr);
	c[COL_SPORT] = nb_cell_u64(e->sport);
	c[COL_DIRECTION] = nb_cell_str(conn_directions[e->direction - 1]);
	c[COL_STATE] =
		nb_cell_str(e->kind == CONN_OPEN ? "ESTABLISHED" : "CLOSE");
	c[COL_LATENCY] = usec_or_none(e->latency_ns);
	c[COL_ERROR] = error_or_none(e, error, sizeof(error));
	c[COL_DURATION] = usec_or_none(e->duration_ns);
	c[COL_RX] = u64_or_none(e->rx_bytes);
	c[COL_TX] = u64_or_none(e->tx_bytes);
	return nb_table_row(table, c);
}

int conn_rows_new(struct nb_table **ret)
{
	const struct nb_table_opts table_opts = {
		.json = conn_args.json,
		.no_header = nb_log_is_quiet(),
		.micro = conn_args.micro,
	};
	int err = nb_table_new(columns, COLS, &table_opts, stdout, ret);

	if (err)
		return err;
	if (!conn_args.latency)
		nb_table_hide(*ret, COL_LATENCY);
	if (!conn_args.failed)
		nb_table_hide(*ret, COL_ERROR);
	if (!conn_args.life) {
		nb_table_hide(*ret, COL_STATE);
		nb_table_hide(*ret, COL_DURATION);
		nb_table_hide(*ret, COL_RX);
		nb_table_hide(*ret, COL_TX);
	}
	return 0;
}
