// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "args.h"
#include "clock.h"
#include "log.h"
#include "screen.h"
#include "table.h"

_Static_assert(NB_ENDPOINT_STRLEN <= NB_CELL_WORD_MAX, "endpoints are words");

/* clang-format off */
enum {
	COL_TIME, COL_DURATION, COL_PID, COL_COMM, COL_UID, COL_NETNS, COL_IP,
	COL_LOCAL, COL_REMOTE, COL_SADDR, COL_SPORT, COL_DADDR, COL_DPORT,
	COL_CONNS, COL_RX, COL_TX, COLS
};

/* Heads are left out or put in by make_columns(). */
static const struct nb_col all_columns[COLS] = {
	[COL_TIME]     = { NULL, "time", 0 },
	[COL_DURATION] = { NULL, "duration_us", 0 },
	[COL_PID]      = { "PID", "pid", 7 },
	[COL_COMM]     = { "COMM", "comm", 12 },
	[COL_UID]      = { NULL, "uid", 0 },
	[COL_NETNS]    = { NULL, "netns", 0 },
	[COL_IP]       = { NULL, "ip", 0 },
	[COL_LOCAL]    = { "SADDR", NULL, 21 },
	[COL_REMOTE]   = { "DADDR", NULL, 21 },
	[COL_SADDR]    = { NULL, "saddr", 0 },
	[COL_SPORT]    = { NULL, "sport", 0 },
	[COL_DADDR]    = { NULL, "daddr", 0 },
	[COL_DPORT]    = { NULL, "dport", 0 },
	[COL_CONNS]    = { "CONNS", "connections", -6 },
	[COL_RX]       = { "RX_KB", "rx_bytes", -6 },
	[COL_TX]       = { "TX_KB", "tx_bytes", -6 },
};
/* clang-format on */

#define WIDTH6 40   /* of a column of IPv6 addresses, where there is room */
#define SHORTEST 10 /* an address may become, where there is none */
#define AHEAD 8	    /* lines to be fetched into the processor's cache */

/* Which lines a table has. */
enum view_kind { VIEW_IP4, VIEW_IP6, VIEW_PID, VIEW_JSON };

struct view {
	enum view_kind kind;
	const struct top_lines *lines;
	const struct top_interval *interval;
	size_t wanted;	 /* lines of all kinds, from the first on, */
	size_t shown;	 /* and those for which there is room */
	size_t addr_max; /* characters of an address; 0: as many as it has */
	struct nb_col cols[COLS];
	struct nb_table *table;
};

/* Number @i of the lines in their order. */
static const struct top_line *line_at(const struct view *v, size_t i)
{
	return v->lines->order[i];
}

static bool belongs(const struct view *v, const struct top_line *line)
{
	return (v->kind != VIEW_IP4 || line->row.ip == 4) &&
	       (v->kind != VIEW_IP6 || line->row.ip != 4);
}

static struct nb_cell bytes_cell(const struct view *v, uint64_t bytes)
{
	if (v->kind != VIEW_JSON && top_args.rate)
		bytes = (uint64_t)((double)bytes * 1e9 /
					   (double)v->interval->length_ns +
				   0.5);
	return top_args.bytes ? nb_cell_u64(bytes) : nb_cell_kb(bytes);
}

/* Where the strings of a line's cells live. */
struct words {
	char comm[sizeof(((struct top_row *)NULL)->comm) + 1];
	char local[NB_ENDPOINT_STRLEN];
	char remote[NB_ENDPOINT_STRLEN];
};

static struct nb_cell endpoint(const struct view *v, const struct top_row *row,
			       const uint8_t *bytes, uint16_t port, char *buf)
{
	struct nb_addr addr = { .ip = row->ip };

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	nb_addr_format_port(&addr, port, v->addr_max, buf);
	return nb_cell_word(buf);
}

/* Those of @c that @line has; the others are to be none. */
static void make_cells(const struct view *v, const struct top_line *line,
		       struct words *w, struct nb_cell *c)
{
	const struct top_row *row = &line->row;

	_Static_assert(NB_CELL_NONE == 0, "what is not set is none");
	memcpy(w->comm, row->comm, sizeof(row->comm));
	w->comm[sizeof(row->comm)] = '\0';
	if (line->pid) {
		c[COL_PID] = nb_cell_u64(line->pid);
		c[COL_COMM] = nb_cell_str(w->comm);
		c[COL_UID] = nb_cell_u64(row->uid);
	} else {
		memset(&c[COL_PID], 0, sizeof(*c));
		memset(&c[COL_COMM], 0, sizeof(*c));
		memset(&c[COL_UID], 0, sizeof(*c));
	}
	c[COL_CONNS] = nb_cell_u64(line->conns);
	c[COL_RX] = bytes_cell(v, row->rx_bytes);
	c[COL_TX] = bytes_cell(v, row->tx_bytes);
	if (v->kind == VIEW_JSON) {
		c[COL_TIME] = nb_cell_time(v->interval->end_ns);
		c[COL_DURATION] = nb_cell_u64(v->interval->length_ns / 1000);
	}
	if (top_args.by == TOP_BY_PID)
		return;
	if (v->kind != VIEW_JSON) {
		c[COL_LOCAL] =
			endpoint(v, row, row->saddr, row->sport, w->local);
		c[COL_REMOTE] =
			endpoint(v, row, row->daddr, row->dport, w->remote);
		return;
	}
	c[COL_NETNS] = nb_cell_u64(row->netns);
	c[COL_IP] = nb_cell_u64(row->ip);
	c[COL_SADDR] = nb_cell_addr(row->ip, row->saddr);
	c[COL_SPORT] = nb_cell_u64(row->sport);
	c[COL_DADDR] = nb_cell_addr(row->ip, row->daddr);
	c[COL_DPORT] = nb_cell_u64(row->dport);
}

/* The heads that the options ask for, and room for the addresses. */
static void make_columns(struct view *v)
{
	static const char *const heads[2][2][2] = {
		{ { "RX_KB", "TX_KB" }, { "RX_KB/s", "TX_KB/s" } },
		{ { "RX_B", "TX_B" }, { "RX_B/s", "TX_B/s" } },
	};
	int width = v->kind == VIEW_IP6 ? WIDTH6 : all_columns[COL_LOCAL].width;

	memcpy(v->cols, all_columns, sizeof(all_columns));
	v->cols[COL_RX].head = heads[top_args.bytes][top_args.rate][0];
	v->cols[COL_TX].head = heads[top_args.bytes][top_args.rate][1];
	if (v->addr_max && v->addr_max < (size_t)width)
		width = (int)v->addr_max;
	v->cols[COL_LOCAL].width = width;
	v->cols[COL_REMOTE].width = width;
	if (v->kind == VIEW_IP6) {
		v->cols[COL_LOCAL].head = "SADDR6";
		v->cols[COL_REMOTE].head = "DADDR6";
	}
	if (v->kind == VIEW_PID) {
		v->cols[COL_LOCAL].head = NULL;
		v->cols[COL_REMOTE].head = NULL;
	} else {
		v->cols[COL_CONNS].head = NULL;
	}
}

/* A line as wide as any, but for its addresses. */
static struct top_line widest(const struct view *v)
{
	struct top_line widest = { .row.ip = 4 };
	size_t comm = 0;

	/* As they are in memory, when it is all of them. */
	for (size_t i = 0; i < v->shown; i++) {
		const struct top_line *line =
			v->shown == v->lines->n ? top_lines_at(v->lines, i)
						: line_at(v, i);
		const struct top_row *row = &line->row;
		size_t len = strnlen(row->comm, sizeof(row->comm));

		if (!belongs(v, line))
			continue;
		if (line->pid > widest.pid)
			widest.pid = line->pid;
		if (line->conns > widest.conns)
			widest.conns = line->conns;
		if (row->rx_bytes > widest.row.rx_bytes)
			widest.row.rx_bytes = row->rx_bytes;
		if (row->tx_bytes > widest.row.tx_bytes)
			widest.row.tx_bytes = row->tx_bytes;
		if (len > comm) {
			comm = len;
			memcpy(widest.row.comm, row->comm, sizeof(row->comm));
		}
	}
	return widest;
}

/* The table, wide enough for all of its lines. 0 or -errno. */
static int make_table(struct view *v, FILE *out)
{
	const struct nb_table_opts opts = {
		.json = v->kind == VIEW_JSON,
		.no_header = nb_log_is_quiet(),
	};
	struct top_line line = widest(v);
	struct nb_cell cells[COLS] = { 0 };
	struct words words;
	int err;

	nb_table_free(v->table);
	v->table = NULL;
	make_columns(v);
	err = nb_table_new(v->cols, COLS, &opts, out, &v->table);
	if (err || opts.json)
		return err;
	make_cells(v, &line, &words, cells);
	err = nb_table_fit(v->table, cells);
	/* IPv4 addresses have room enough, unless they are to be shortened. */
	if (v->kind == VIEW_PID || (v->kind == VIEW_IP4 && !v->addr_max))
		return err;
	for (size_t i = 0; i < v->shown && !err; i++) {
		if (!belongs(v, line_at(v, i)))
			continue;
		make_cells(v, line_at(v, i), &words, cells);
		err = nb_table_fit(v->table, cells);
	}
	return err;
}

static int put_table(struct view *v)
{
	struct nb_cell cells[COLS] = { 0 };
	struct words words;
	int err = 0;

	nb_table_header(v->table);
	for (size_t i = 0; i < v->shown && !err; i++) {
		/* In their order, lines are all over the memory. */
		if (i + AHEAD < v->shown) {
			__builtin_prefetch(line_at(v, i + AHEAD));
			__builtin_prefetch(&line_at(v, i + AHEAD)->row.comm);
			__builtin_prefetch(&line_at(v, i + AHEAD)->conns);
		}
		if (!belongs(v, line_at(v, i)))
			continue;
		make_cells(v, line_at(v, i), &words, cells);
		err = nb_table_row(v->table, cells);
	}
	return err ? err : nb_table_flush(v->table);
}

/*
 * A table in at most @columns characters a line (0: any number), for which
 * addresses are shortened.
 */
static int fit_table(struct view *v, size_t columns, FILE *out)
{
	int err = make_table(v, out);

	if (err || !columns || nb_table_width(v->table) <= columns)
		return err;
	v->addr_max = SHORTEST;
	err = make_table(v, out);
	if (err || nb_table_width(v->table) >= columns)
		return err;
	v->addr_max += (columns - nb_table_width(v->table)) / 2;
	return make_table(v, out);
}

static int print_view(const struct view *model, enum view_kind kind,
		      size_t columns, FILE *out)
{
	struct view v = *model;
	int err;

	v.kind = kind;
	err = fit_table(&v, columns, out);
	if (!err)
		err = put_table(&v);
	nb_table_free(v.table);
	return err;
}

/* How many of the lines to be shown are IPv4's. */
static size_t count_ip4(const struct view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->shown; i++)
		n += (v->shown == v->lines->n ? top_lines_at(v->lines, i)
					      : line_at(v, i))
			     ->row.ip == 4;
	return n;
}

/* The tables of an interval, as the seed has them: IPv4, then IPv6. */
static int print_tables(const struct view *v, size_t columns, FILE *out)
{
	size_t ip4 = count_ip4(v);
	int err = 0;

	if (top_args.by == TOP_BY_PID)
		return print_view(v, VIEW_PID, columns, out);
	if (ip4 || !v->shown)
		err = print_view(v, VIEW_IP4, columns, out);
	if (err || ip4 == v->shown)
		return err;
	if (ip4)
		putc('\n', out);
	return print_view(v, VIEW_IP6, columns, out);
}

/* "14:05:09 loadavg: 0.12 0.09 0.02 2/98 4711  RX_KB 12  TX_KB 7  CONNS 2" */
static void print_summary(const struct view *v, FILE *out)
{
	const struct top_lines *l = v->lines;
	struct nb_clock clock = { 0 };
	char now[NB_CLOCK_STRLEN], load[64] = "-";
	FILE *in = fopen("/proc/loadavg", "re");

	if (in && fgets(load, sizeof(load), in))
		load[strcspn(load, "\n")] = '\0';
	if (in)
		fclose(in);
	nb_clock_local(&clock, v->interval->end_ns, 0, now);
	fprintf(out, "%s loadavg: %s", now, load);
	if (top_args.bytes)
		fprintf(out, "  RX_B %" PRIu64 "  TX_B %" PRIu64, l->rx_bytes,
			l->tx_bytes);
	else
		fprintf(out, "  RX_KB %" PRIu64 "  TX_KB %" PRIu64,
			(l->rx_bytes + 512) / 1024, (l->tx_bytes + 512) / 1024);
	fprintf(out, "  CONNS %" PRIu32 "\n", l->conns);
}

/*
 * Rows of a terminal that are no line's: the summary, the headers and what is
 * between them, what was left out, the last one.
 */
static size_t overhead(void)
{
	return (top_args.summary ? 1 : 0) +
	       (top_args.by == TOP_BY_PID ? 1 : 3) + 1 + 1;
}

/* The summary, the tables, and what was left out. */
static int print_interval(const struct view *v,
			  const struct nb_screen_size *size, bool in_place,
			  FILE *out)
{
	int err;

	if (top_args.summary)
		print_summary(v, out);
	err = print_tables(v, size->columns, out);
	if (!in_place)
		putc('\n', out);
	else if (v->interval->incomplete)
		fprintf(out,
			"(%zu more; some were not counted, as will be said at the end)\n",
			v->wanted - v->shown);
	else if (v->shown < v->wanted)
		fprintf(out, "(%zu more)\n", v->wanted - v->shown);
	return err;
}

static int draw(struct view *v, const struct nb_screen_size *size)
{
	size_t most = size->rows > overhead() ? size->rows - overhead() : 1;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return -ENOMEM;
	if (v->shown > most)
		v->shown = most;
	err = print_interval(v, size, true, out);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err)
		err = nb_screen_draw(stdout, size, text, len);
	free(text);
	return err;
}

static int append(const struct view *v, const struct nb_screen_size *size)
{
	int err = print_interval(v, size, false, stdout);

	errno = 0;
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = errno ? -errno : -EIO;
	return err;
}

int top_view_print(const struct top_lines *lines,
		   const struct top_interval *interval)
{
	struct view v = { .lines = lines, .interval = interval };
	struct nb_screen_size size = { 0 };
	bool terminal = !nb_screen_size(STDOUT_FILENO, &size);

	v.wanted = lines->n;
	if (top_args.top && v.wanted > top_args.top)
		v.wanted = top_args.top;
	v.shown = v.wanted;
	if (top_args.json)
		return print_view(&v, VIEW_JSON, 0, stdout);
	return terminal && !top_args.no_clear ? draw(&v, &size)
					      : append(&v, &size);
}
