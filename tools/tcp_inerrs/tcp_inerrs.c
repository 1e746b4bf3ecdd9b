// SPDX-License-Identifier: Apache-2.0
/*
 * tcp_inerrs: TCP packets that are bad, with the kernel's reason and the
 * process whose socket they were for. Costs nothing for a packet that is in
 * order; see OVERHEAD in tcp_inerrs(8).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "counters.h"
#include "log.h"
#include "loop.h"
#include "plans.h"
#include "priv.h"
#include "prog.h"
#include "reasons.h"
#include "report.h"
#include "rows.h"
#include "sums.h"
#include "tcp_inerrs.h"

extern const char nb_text_tcp_inerrs[];

#define MAX_PEERS 16384 /* unless --max-peers is given */

struct run {
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct err_rows rows;
	struct err_sums sums;
	struct err_names names;
	struct err_counters counters;
	struct nb_owners owners;
	struct err_report report;
	struct err_config config;
	uint64_t outputs;
	uint64_t seconds;
	int watch;	   /* pidfd of -p, or -1 */
	bool clock_is_old; /* since the last records were handed over */
};

/* The process' that was working with the socket, or that has it open. */
static const struct nb_owner *
find_owner(struct run *run, const struct err_event *e, struct nb_owner *buf)
{
	if (!e->pid)
		return nb_owners_find(&run->owners, err_args.filter.pid,
				      e->inode, e->time_ns);
	buf->pid = e->pid;
	memcpy(buf->comm, e->comm, sizeof(buf->comm));
	buf->comm[sizeof(buf->comm) - 1] = '\0';
	return buf;
}

static int count_event(struct run *run, const struct err_event *e)
{
	struct err_sum_key key;
	int err;

	err_sums_key(e, &key);
	err = err_sums_add(&run->sums, &key, err_args.max_peers);
	if (err == -ENOSPC)
		run->report.unsummed++;
	return err == -ENOSPC ? 0 : err;
}

static int on_event(void *ctx, const void *data, size_t size)
{
	struct run *run = ctx;
	const struct err_event *e = data;
	const struct nb_owner *owner;
	struct nb_owner buf;
	int err;

	(void)size;
	if (e->reason >= ERR_REASONS)
		return -EBADMSG;
	owner = find_owner(run, e, &buf);
	if (err_args.filter.pid &&
	    (!owner || owner->pid != err_args.filter.pid))
		return 0;
	if (err_args.summary)
		return count_event(run, e);
	if (run->clock_is_old)
		nb_clock_sync(&run->rows.clock);
	run->clock_is_old = false;
	err = err_rows_print(&run->rows, e, owner);
	if (err)
		return err;
	return ++run->outputs == err_args.count ? NB_LOOP_STOP : 0;
}

static int on_idle(void *ctx)
{
	struct run *run = ctx;

	run->clock_is_old = true;
	return nb_table_flush(run->rows.table);
}

/* The sums since the last time; @last: there will be no others. */
static int print_sums(struct run *run, bool last)
{
	struct nb_clock *clock = &run->rows.clock;
	uint64_t now = nb_clock_now();
	int err = 0;

	if (run->config.flags & ERR_SUM)
		err = err_sums_take(&run->sums, run->prog, &run->config, last);
	nb_clock_sync(clock);
	if (!err && run->outputs && !err_args.json && !nb_log_is_quiet())
		putchar('\n');
	if (!err)
		err = err_sums_print(&run->sums, &run->names,
				     nb_clock_real(clock, now));
	err_sums_clear(&run->sums);
	run->outputs++;
	return err;
}

static int on_second(void *ctx)
{
	struct run *run = ctx;
	int err;

	err_report_losses(&run->report, run->prog, &run->owners);
	if (!err_args.interval || ++run->seconds % err_args.interval)
		return 0;
	err = print_sums(run, false);
	if (err)
		return err;
	return run->outputs == err_args.count ? NB_LOOP_STOP : 0;
}

static int on_exit_of_process(void *ctx)
{
	(void)ctx;
	nb_note("process %u has ended", err_args.filter.pid);
	return NB_LOOP_STOP;
}

static int set_reasons(const struct run *run)
{
	int err = 0;

	for (uint32_t i = 0; i < ERR_KERNEL_REASONS && !err; i++) {
		uint32_t entry = err_names_entry(run->names.name[i]);

		if (run->names.name[i][0] && entry)
			err = nb_prog_set(run->prog, "reasons", &i, sizeof(i),
					  &entry, sizeof(entry));
	}
	return err;
}

static int set_config(const struct run *run)
{
	const uint32_t zero = 0;

	return nb_prog_set(run->prog, "config", &zero, sizeof(zero),
			   &run->config, sizeof(run->config));
}

/* Fill the filters, and with the configuration let the programs go. */
static int go_live(struct run *run)
{
	int err = set_reasons(run);

	if (!err)
		err = nb_filter_ports(run->prog, "lports", &err_args.lports);
	if (!err)
		err = nb_filter_ports(run->prog, "rports", &err_args.rports);
	err_counters_start(&run->counters);
	if (!err)
		err = set_config(run);
	if (err)
		nb_error("cannot set the filters: %s", strerror(-err));
	return err;
}

static int open_prog(struct run *run)
{
	bool sums = run->config.flags & ERR_SUM;
	bool in_turn = sums && err_args.interval;
	const struct nb_prog_map maps[] = {
		{ "sums0", NULL, sums ? err_args.max_peers : 1 },
		{ "sums1", NULL, in_turn ? err_args.max_peers : 1 },
	};
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = nb_text_tcp_inerrs,
		.plans = err_plans,
		.nplans = ERR_PLANS,
		.want = 1,
		.variant = err_args.stack ? "stack" : NULL,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &err_args.prog,
	};
	struct nb_error why;

	return nb_error_say(nb_prog_open(&spec, &run->prog, &why), &why);
}

static int open_loop(struct run *run)
{
	size_t size = err_args.stack ? sizeof(struct err_stack)
				     : sizeof(struct err_event);
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_records(run->loop, run->prog, size,
				      (size_t)err_args.prog.buffer_kb * 1024,
				      on_event, run);
	if (!err)
		err = nb_loop_every(run->loop, 1000, on_second, run);
	if (err) {
		nb_error("cannot read records: %s", strerror(-err));
		return err;
	}
	if (!err_args.summary)
		nb_loop_idle(run->loop, on_idle, run);
	nb_loop_output(run->loop, STDOUT_FILENO);
	if (run->watch >= 0)
		nb_loop_watch(run->loop, run->watch, on_exit_of_process, run);
	return 0;
}

static int open_rows(struct run *run)
{
	int err = 0;

	if (err_args.stack)
		err = nb_ksyms_new(&run->rows.ksyms);
	if (err) {
		nb_error("cannot read the kernel's symbols: %s%s",
			 strerror(-err),
			 err == -EPERM ? " (kernel.kptr_restrict)" : "");
		return err;
	}
	if (err_args.summary)
		return 0;
	err = err_rows_new(&run->rows);
	if (err)
		nb_error("cannot make the table: %s", strerror(-err));
	return err;
}

/* Until the end; what the buffer has by then is shown, too. */
static int run_loop(struct run *run)
{
	int err = nb_loop_run(run->loop);
	bool full = err_args.count && run->outputs >= err_args.count;

	run->config.flags &= ~(unsigned)ERR_LIVE;
	set_config(run);
	err_counters_stop(&run->counters);
	nb_prog_detach(run->prog);
	if (err == NB_LOOP_STOP)
		err = 0;
	if (!err && !full)
		err = nb_loop_drain(run->loop);
	if (err == NB_LOOP_STOP)
		err = 0;
	full = err_args.count && run->outputs >= err_args.count;
	if (!err && err_args.summary && !full)
		err = print_sums(run, true);
	if (!err && !err_args.summary)
		err = nb_table_flush(run->rows.table);
	return err;
}

static int trace(struct run *run)
{
	uint64_t seen[ERR_REASONS];
	int err = 0;

	run->clock_is_old = true;
	if (!err_args.summary) {
		nb_table_header(run->rows.table);
		err = nb_table_flush(run->rows.table);
	}
	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	if (!err) {
		err = run_loop(run);
		err_report_losses(&run->report, run->prog, &run->owners);
		nb_prog_sums(run->prog, "seen", ERR_REASONS, seen);
		err_counters_report(&run->counters, seen);
	}
	if (err == -EPIPE)
		return 0;
	if (err && ferror(stdout))
		nb_error("cannot write standard output: %s", strerror(-err));
	else if (err)
		nb_error("cannot read records: %s", strerror(-err));
	return err;
}

/* Say which of the reasons that were asked for will not come. */
static void note_untold(const struct run *run)
{
	for (unsigned r = 1; r < ERR_REASONS && err_args.reasons.n; r++)
		if (err_args.wanted >> r & 1 &&
		    !err_reason_is_told(&run->names, r))
			nb_note("this kernel does not tell %s (see REASONS in the manual)",
				err_reason_name(r));
}

/* What the options ask for, before anything is loaded. */
static int prepare(struct run *run, struct nb_error *why)
{
	int err = nb_priv_check(why);

	if (!err)
		err = err_names_get(&run->names, why);
	if (!err)
		err = err_args_config(&run->config, why);
	if (!err)
		err = nb_filter_watch(&err_args.filter, &run->watch, why);
	if (err)
		return err;
	note_untold(run);
	err = err_counters_open(&run->counters, err_args.filter.netns,
				&run->config.netns);
	if (err)
		nb_verbose("cannot read the kernel's counters: %s",
			   strerror(-err));
	return 0;
}

int main(int argc, char **argv)
{
	struct run run = { .watch = -1 };
	struct nb_error why;
	int err;

	err_args_parse(argc, argv);
	if (!err_args.max_peers)
		err_args.max_peers = MAX_PEERS;
	/* What there is room for in any case. */
	if (err_args.by != ERR_BY_PEER)
		err_args.max_peers = ERR_REASONS + ERR_KERNEL_REASONS;
	run.rows.names = &run.names;
	err = nb_error_say(prepare(&run, &why), &why);
	if (!err)
		err = open_prog(&run);
	if (!err)
		err = open_loop(&run);
	if (!err)
		err = open_rows(&run);
	if (!err)
		err = nb_error_say(nb_priv_drop(NB_PRIV_FDS, &why), &why);
	if (!err)
		err = go_live(&run);
	if (!err)
		err = trace(&run);
	nb_table_free(run.rows.table);
	nb_ksyms_free(run.rows.ksyms);
	err_sums_clear(&run.sums);
	nb_owners_free(&run.owners);
	err_counters_close(&run.counters);
	nb_loop_free(run.loop);
	nb_prog_free(run.prog);
	if (run.watch >= 0)
		close(run.watch);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
