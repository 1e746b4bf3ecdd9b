// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "log.h"

#define STACK_LEN 4096

/* clang-format off */
enum {
	COL_TIME, COL_PID, COL_COMM, COL_NETNS, COL_IP, COL_FROM, COL_ARROW,
	COL_TO, COL_SADDR, COL_SPORT, COL_DADDR, COL_DPORT, COL_REASON,
	COL_STATE, COL_FLAGS, COL_SEQ, COL_LENGTH, COL_STACK, COLS
};

static const struct nb_col columns[COLS] = {
	[COL_TIME]   = { "TIME", "time", 9 },
	[COL_PID]    = { "PID", "pid", 7 },
	[COL_COMM]   = { "COMM", "comm", 12 },
	[COL_NETNS]  = { NULL, "netns", 0 },
	[COL_IP]     = { "IP", "ip", 2 },
	[COL_FROM]   = { "SADDR:SPORT", NULL, 24 },
	[COL_ARROW]  = { ">", NULL, 1 },
	[COL_TO]     = { "DADDR:DPORT", NULL, 24 },
	[COL_SADDR]  = { NULL, "saddr", 0 },
	[COL_SPORT]  = { NULL, "sport", 0 },
	[COL_DADDR]  = { NULL, "daddr", 0 },
	[COL_DPORT]  = { NULL, "dport", 0 },
	[COL_REASON] = { "REASON", "reason", 20 },
	[COL_STATE]  = { "STATE", "state", 11 },
	[COL_FLAGS]  = { NULL, "flags", 0 },
	[COL_SEQ]    = { NULL, "seq", 0 },
	[COL_LENGTH] = { NULL, "length", 0 },
	[COL_STACK]  = { NULL, "stack", 0 },
};

/* enum in net/tcp_states.h */
static const char *const states[] = {
	NULL, "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
};
/* clang-format on */

/* FIN, SYN, RST, PSH, ACK, URG, ECE, CWR: as tcpdump(8) has them, first. */
static const char flag_letters[] = "FSRP.UEW";

const char *err_rows_reason(const struct err_names *names, unsigned reason,
			    unsigned kernel_reason)
{
	if (reason == ERR_OTHER && kernel_reason < ERR_KERNEL_REASONS &&
	    names->name[kernel_reason][0])
		return names->name[kernel_reason];
	return err_reason_name(reason);
}

static struct nb_cell endpoint(const struct err_event *e, const uint8_t *bytes,
			       uint16_t port, char *buf)
{
	struct nb_addr addr = { .ip = e->ip };

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	if (e->has_ports)
		nb_addr_format_port(&addr, port, 0, buf);
	else
		nb_addr_format(&addr, buf);
	return nb_cell_word(buf);
}

static struct nb_cell flags_cell(const struct err_event *e, char *buf)
{
	size_t n = 0;

	if (!e->has_header)
		return nb_cell_none();
	for (size_t i = 0; i < 8; i++)
		if (e->flags >> i & 1)
			buf[n++] = flag_letters[i];
	buf[n] = '\0';
	return nb_cell_word(buf);
}

static struct nb_cell port_cell(const struct err_event *e, uint16_t port)
{
	return e->has_ports ? nb_cell_u64(port) : nb_cell_none();
}

static struct nb_cell header_cell(const struct err_event *e, uint32_t n)
{
	return e->has_header ? nb_cell_u64(n) : nb_cell_none();
}

/* Is that frame the tracing's own? */
static bool is_tracing(const char *frame)
{
	static const char *const begins[] = { "bpf_", "__bpf_",
					      "__traceiter_" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(frame, begins[i], strlen(begins[i])))
			return true;
	return false;
}

/* The frames of what follows @e, in @buf of STACK_LEN bytes: from where in it
 * on. */
static char *format_stack(struct err_rows *rows, const struct err_event *e,
			  char *buf)
{
	const struct err_stack *stack = (const void *)e;
	uint64_t frames[ERR_FRAMES];
	size_t n = 0;

	for (; n < ERR_FRAMES && stack->ip[n]; n++)
		frames[n] = stack->ip[n];
	nb_ksyms_format(rows->ksyms, frames, n, buf, STACK_LEN);
	while (is_tracing(buf) && strchr(buf, ';'))
		buf = strchr(buf, ';') + 1;
	return buf;
}

/* A frame a line, below its row. */
static void print_stack(char *stack)
{
	char *save = NULL, *frame = strtok_r(stack, ";", &save);

	for (; frame; frame = strtok_r(NULL, ";", &save))
		printf("        %s\n", frame);
}

int err_rows_print(struct err_rows *rows, const struct err_event *e,
		   const struct nb_owner *owner)
{
	char from[NB_ENDPOINT_STRLEN], to[NB_ENDPOINT_STRLEN], flags[16];
	char buf[STACK_LEN], *stack = NULL;
	struct nb_cell c[COLS];
	int err;

	if (!e->reason || e->reason >= ERR_REASONS)
		return -EBADMSG;
	c[COL_TIME] = nb_cell_time(nb_clock_real(&rows->clock, e->time_ns));
	c[COL_PID] = owner ? nb_cell_u64(owner->pid) : nb_cell_none();
	c[COL_COMM] = nb_cell_str(owner ? owner->comm : NULL);
	c[COL_NETNS] = e->netns ? nb_cell_u64(e->netns) : nb_cell_none();
	c[COL_IP] = nb_cell_u64(e->ip);
	c[COL_FROM] = endpoint(e, e->saddr, e->sport, from);
	c[COL_ARROW] = nb_cell_word(">");
	c[COL_TO] = endpoint(e, e->daddr, e->dport, to);
	c[COL_SADDR] = nb_cell_addr(e->ip, e->saddr);
	c[COL_SPORT] = port_cell(e, e->sport);
	c[COL_DADDR] = nb_cell_addr(e->ip, e->daddr);
	c[COL_DPORT] = port_cell(e, e->dport);
	c[COL_REASON] = nb_cell_str(
		err_rows_reason(rows->names, e->reason, e->kernel_reason));
	c[COL_STATE] = nb_cell_str(e->state < sizeof(states) / sizeof(states[0])
					   ? states[e->state]
					   : NULL);
	c[COL_FLAGS] = flags_cell(e, flags);
	c[COL_SEQ] = header_cell(e, e->seq);
	c[COL_LENGTH] = header_cell(e, e->length);
	c[COL_STACK] = nb_cell_none();
	if (rows->ksyms) {
		stack = format_stack(rows, e, buf);
		c[COL_STACK] = nb_cell_str(stack);
	}
	err = nb_table_row(rows->table, c);
	if (!err && rows->ksyms && !err_args.json)
		print_stack(stack);
	return err;
}

int err_rows_new(struct err_rows *rows)
{
	const struct nb_table_opts opts = {
		.json = err_args.json,
		.no_header = nb_log_is_quiet(),
		.micro = err_args.micro,
	};

	return nb_table_new(columns, COLS, &opts, stdout, &rows->table);
}
