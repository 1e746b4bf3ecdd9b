// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "http.h"

/* clang-format off */
enum {
	COL_TIME, COL_PID, COL_TID, COL_COMM, COL_UID, COL_NETNS, COL_IP,
	COL_SADDR, COL_SPORT, COL_DADDR, COL_DPORT, COL_ROLE, COL_METHOD,
	COL_PATH, COL_STATUS, COL_LATENCY, COL_DURATION, COL_RX, COL_TX,
	COL_PIPELINED, COL_TLS, COL_STACK, COLS
};

static const struct nb_col columns[COLS] = {
	[COL_TIME]      = { NULL, "time", 0 },
	[COL_PID]       = { NULL, "pid", 0 },
	[COL_TID]       = { NULL, "tid", 0 },
	[COL_COMM]      = { NULL, "comm", 0 },
	[COL_UID]       = { NULL, "uid", 0 },
	[COL_NETNS]     = { NULL, "netns", 0 },
	[COL_IP]        = { NULL, "ip", 0 },
	[COL_SADDR]     = { NULL, "saddr", 0 },
	[COL_SPORT]     = { NULL, "sport", 0 },
	[COL_DADDR]     = { NULL, "daddr", 0 },
	[COL_DPORT]     = { NULL, "dport", 0 },
	[COL_ROLE]      = { NULL, "role", 0 },
	[COL_METHOD]    = { NULL, "method", 0 },
	[COL_PATH]      = { NULL, "path", 0 },
	[COL_STATUS]    = { NULL, "status", 0 },
	[COL_LATENCY]   = { NULL, "latency_us", 0 },
	[COL_DURATION]  = { NULL, "duration_us", 0 },
	[COL_RX]        = { NULL, "rx_bytes", 0 },
	[COL_TX]        = { NULL, "tx_bytes", 0 },
	[COL_PIPELINED] = { NULL, "pipelined", 0 },
	[COL_TLS]       = { NULL, "tls", 0 },
	[COL_STACK]     = { NULL, "stack", 0 },
};
/* clang-format on */

int http_rows_new(struct nb_table **ret)
{
	const struct nb_table_opts opts = { .json = true };

	return nb_table_new(columns, COLS, &opts, stdout, ret);
}

static int request_of(const struct http_call *call, struct http_request *ret)
{
	size_t len = call->prefix_len;

	if (len > HTTP_PREFIX)
		len = HTTP_PREFIX;
	return http_request_parse(call->prefix, len, ret);
}

static void put_path(const struct http_request *req, char *buf)
{
	size_t len = req->path_len;

	memcpy(buf, req->path, len);
	strcpy(buf + len, req->cut ? "..." : "");
}

/* The requests's source is the client, whoever of both is traced. */
static void put_ends(const struct http_call *call, struct http_call_info *info)
{
	bool server = call->role == HTTP_SERVER;

	info->ip = call->ip;
	memcpy(info->saddr, server ? call->daddr : call->saddr, 16);
	memcpy(info->daddr, server ? call->saddr : call->daddr, 16);
	info->sport = server ? call->dport : call->sport;
	info->dport = server ? call->sport : call->dport;
}

void http_rows_info(const struct http_call *call, const struct http_end *end,
		    struct http_texts *texts, struct http_call_info *ret)
{
	struct http_request req;

	memset(ret, 0, sizeof(*ret));
	memset(texts, 0, sizeof(*texts));
	memcpy(texts->comm, call->comm, sizeof(call->comm));
	ret->comm = texts->comm;
	if (!request_of(call, &req)) {
		strcpy(texts->method, req.method);
		put_path(&req, texts->path);
		ret->method = texts->method;
		ret->path = texts->path;
	}
	ret->pid = call->pid;
	ret->tid = call->tid;
	ret->status = (uint16_t)http_status_parse(call->answer, HTTP_ANSWER);
	ret->server = call->role == HTTP_SERVER;
	ret->latency_us = (call->first_ns - call->start_ns) / 1000;
	ret->duration_us = HTTP_NOT_MEASURED;
	if (end && end->last_ns >= call->first_ns)
		ret->duration_us = (end->last_ns - call->start_ns) / 1000;
	ret->size = end ? end->rx_bytes + end->tx_bytes : 0;
	put_ends(call, ret);
}

bool http_rows_wanted(const struct http_call *call)
{
	unsigned status = http_status_parse(call->answer, HTTP_ANSWER);
	struct http_request req;

	if (!http_status_wanted(&http_args.statuses, status))
		return false;
	if (!http_args.path)
		return true;
	return !request_of(call, &req) &&
	       http_path_matches(http_args.path, req.path, req.path_len);
}

bool http_rows_large(const struct http_end *end)
{
	return end->rx_bytes + end->tx_bytes >= http_args.min_size;
}

/* The stack as texts, of which *ret are the pointers; both are one piece. */
static struct nb_cell stack_cell(const struct http_frames *frames, void **ret)
{
	const char **text;
	char *p;

	*ret = NULL;
	if (!frames->n)
		return nb_cell_none();
	text = malloc(frames->n * (sizeof(*text) + HTTP_FRAME_STRLEN));
	if (!text)
		return nb_cell_none();
	*ret = text;
	p = (char *)(text + frames->n);
	for (size_t i = 0; i < frames->n; i++) {
		text[i] = p;
		p += http_frame_format(&frames->f[i], p) + 1;
	}
	return nb_cell_list(text, frames->n);
}

static struct nb_cell duration_cell(uint64_t us)
{
	return us == HTTP_NOT_MEASURED ? nb_cell_none() : nb_cell_usec(us);
}

int http_rows_print(struct nb_table *table, const struct nb_clock *clock,
		    const struct http_call *call, const struct http_end *end,
		    const struct http_frames *frames)
{
	struct http_call_info info;
	struct http_texts texts;
	struct nb_cell c[COLS];
	void *stack;
	int err;

	http_rows_info(call, end, &texts, &info);
	c[COL_TIME] = nb_cell_time(nb_clock_real(clock, call->start_ns));
	c[COL_PID] = nb_cell_u64(info.pid);
	c[COL_TID] = nb_cell_u64(info.tid);
	c[COL_COMM] = nb_cell_str(info.comm);
	c[COL_UID] = nb_cell_u64(call->uid);
	c[COL_NETNS] = nb_cell_u64(call->netns);
	c[COL_IP] = info.ip ? nb_cell_u64(info.ip) : nb_cell_none();
	c[COL_SADDR] = nb_cell_addr(info.ip, info.saddr);
	c[COL_SPORT] = info.ip ? nb_cell_u64(info.sport) : nb_cell_none();
	c[COL_DADDR] = nb_cell_addr(info.ip, info.daddr);
	c[COL_DPORT] = info.ip ? nb_cell_u64(info.dport) : nb_cell_none();
	c[COL_ROLE] = nb_cell_word(info.server ? "server" : "client");
	c[COL_METHOD] = nb_cell_str(info.method);
	c[COL_PATH] = nb_cell_str(info.path);
	c[COL_STATUS] = info.status ? nb_cell_u64(info.status) : nb_cell_none();
	c[COL_LATENCY] = nb_cell_usec(info.latency_us);
	c[COL_DURATION] = duration_cell(info.duration_us);
	c[COL_RX] = nb_cell_u64(end->rx_bytes);
	c[COL_TX] = nb_cell_u64(end->tx_bytes);
	c[COL_PIPELINED] = nb_cell_bool(call->flags & HTTP_PIPELINED);
	c[COL_TLS] = nb_cell_bool(call->flags & HTTP_TLS);
	c[COL_STACK] = stack_cell(frames, &stack);
	err = nb_table_row(table, c);
	free(stack);
	return err;
}
