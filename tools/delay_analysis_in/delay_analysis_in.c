// SPDX-License-Identifier: Apache-2.0
/*
 * delay_analysis_in: how long TCP packets that come in take, stage by stage,
 * until an application has read them. Costs a few look-ups for each packet; see
 * OVERHEAD in delay_analysis_in(8).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "delay_analysis_in.h"
#include "log.h"
#include "loop.h"
#include "losses.h"
#include "plans.h"
#include "priv.h"
#include "prog.h"
#include "rows.h"
#include "session.h"
#include "stages.h"
#include "sums.h"

extern const char nb_text_delay_analysis_in[];

struct run {
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct nb_table *table; /* NULL: with sums */
	struct in_sums sums;
	struct nb_clock clock;
	struct nb_losses losses;
	struct in_config config;
	uint64_t no_room; /* that has been said */
	uint64_t outputs;
	uint64_t seconds;
	int watch;	   /* pidfd of -p, or -1 */
	bool clock_is_old; /* since the last records were handed over */
};

static int on_event(void *ctx, const void *data, size_t size)
{
	struct run *run = ctx;
	uint64_t delays[IN_STAGES];
	int err;

	(void)size;
	in_stages_get(data, delays);
	if (!run->table) {
		in_sums_add(&run->sums, delays);
		return 0;
	}
	if (run->clock_is_old)
		nb_clock_sync(&run->clock);
	run->clock_is_old = false;
	err = in_rows_print(run->table, &run->clock, data, delays);
	if (err)
		return err;
	return ++run->outputs == in_args.count ? NB_LOOP_STOP : 0;
}

static int on_idle(void *ctx)
{
	struct run *run = ctx;

	run->clock_is_old = true;
	return nb_table_flush(run->table);
}

static void report_losses(struct run *run)
{
	nb_losses_report(&run->losses, run->prog, "packets", "--max-packets");
	in_room_report(run->prog, &run->no_room);
}

static int on_second(void *ctx)
{
	struct run *run = ctx;
	/* Nobody wakes it up for sums. */
	int err = run->table ? 0 : nb_loop_drain(run->loop);

	report_losses(run);
	if (err || !in_args.interval || ++run->seconds % in_args.interval)
		return err;
	err = in_sums_print(&run->sums, &run->clock);
	if (err)
		return err;
	return ++run->outputs == in_args.count ? NB_LOOP_STOP : 0;
}

static int on_exit_of_process(void *ctx)
{
	(void)ctx;
	nb_note("process %u has ended", in_args.filter.pid);
	return NB_LOOP_STOP;
}

/* What is printed goes there: it must not be packets to be printed. */
static void leave_out_session(struct in_config *config)
{
	struct nb_session session;
	char remote[NB_ENDPOINT_STRLEN];

	if (nb_session_find(&session))
		return;
	config->flags |= IN_NOT_OWN;
	config->own[0] = session.lport;
	config->own[1] = session.rport;
	memcpy(config->own_addr, session.remote.bytes,
	       sizeof(config->own_addr));
	nb_addr_format_port(&session.remote, session.rport, 0, remote);
	nb_verbose("leaving out this session's connection, with %s", remote);
}

static int prepare(struct run *run, struct nb_error *why)
{
	int err = nb_priv_check(why);

	if (!err)
		err = in_args_config(&run->config, why);
	if (!err)
		err = nb_filter_watch(&in_args.filter, &run->watch, why);
	if (!err)
		leave_out_session(&run->config);
	return err;
}

static int open_prog(struct run *run)
{
	bool more = in_args.max_packets > IN_PACKETS;
	const struct nb_prog_map maps[] = {
		{ "packets", NULL, in_args.max_packets },
		{ "pieces", NULL, in_args.max_packets },
		{ "sockets", NULL, more ? 16 * in_args.max_packets : 0 },
		NB_FILTER_MAPS(&in_args.filter),
	};
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = nb_text_delay_analysis_in,
		.plans = in_plans,
		.nplans = IN_PLANS,
		.want = 1,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &in_args.prog,
	};
	struct nb_error why;

	return nb_error_say(nb_prog_open(&spec, &run->prog, &why), &why);
}

static int open_output(struct run *run)
{
	int err;

	if (in_args.hist || in_args.summary)
		return 0;
	err = in_rows_new(&run->table);
	if (err)
		nb_error("cannot make the table: %s", strerror(-err));
	return err;
}

static int open_loop(struct run *run)
{
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_records(run->loop, run->prog,
				      run->table ? sizeof(struct in_event)
						 : sizeof(struct in_times),
				      (size_t)in_args.prog.buffer_kb * 1024,
				      on_event, run);
	if (!err)
		err = nb_loop_every(run->loop, 1000, on_second, run);
	if (err) {
		nb_error("cannot read records: %s", strerror(-err));
		return err;
	}
	if (run->table)
		nb_loop_idle(run->loop, on_idle, run);
	nb_loop_output(run->loop, STDOUT_FILENO);
	if (run->watch >= 0)
		nb_loop_watch(run->loop, run->watch, on_exit_of_process, run);
	return 0;
}

static int set_config(const struct run *run)
{
	const uint32_t zero = 0;

	return nb_prog_set(run->prog, "config", &zero, sizeof(zero),
			   &run->config, sizeof(run->config));
}

/* Fill the filters, and with the configuration let the programs go. */
static int go_live(const struct run *run)
{
	int err = nb_filter_ports(run->prog, "lports", &in_args.dports);

	if (!err)
		err = nb_filter_ports(run->prog, "rports", &in_args.sports);
	if (!err)
		err = set_config(run);
	if (err)
		nb_error("cannot set the filters: %s", strerror(-err));
	return err;
}

/* Until the end; what the buffer has by then is shown, too. */
static int run_loop(struct run *run)
{
	int err = nb_loop_run(run->loop);
	bool full = in_args.count && run->outputs >= in_args.count;

	nb_prog_detach(run->prog);
	if (err == NB_LOOP_STOP)
		err = 0;
	if (!err && !full)
		err = nb_loop_drain(run->loop);
	if (err == NB_LOOP_STOP)
		err = 0;
	if (!err && !full && !run->table)
		err = in_sums_print(&run->sums, &run->clock);
	if (!err && run->table)
		err = nb_table_flush(run->table);
	return err;
}

static int trace(struct run *run)
{
	int err = 0;

	run->clock_is_old = true;
	if (run->table) {
		nb_table_header(run->table);
		err = nb_table_flush(run->table);
	}
	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	if (!err) {
		err = run_loop(run);
		report_losses(run);
		in_ends_report(run->prog);
	}
	if (err == -EPIPE)
		return 0;
	if (err && ferror(stdout))
		nb_error("cannot write standard output: %s", strerror(-err));
	else if (err)
		nb_error("cannot read records: %s", strerror(-err));
	return err;
}

int main(int argc, char **argv)
{
	struct run run = { .watch = -1 };
	struct nb_error why;
	int err;

	in_args_parse(argc, argv);
	err = nb_error_say(prepare(&run, &why), &why);
	if (!err)
		err = open_prog(&run);
	if (!err)
		err = open_output(&run);
	if (!err)
		err = open_loop(&run);
	if (!err)
		err = nb_error_say(nb_priv_drop(0, &why), &why);
	if (!err)
		err = go_live(&run);
	if (!err)
		err = trace(&run);
	nb_table_free(run.table);
	nb_loop_free(run.loop);
	nb_prog_free(run.prog);
	if (run.watch >= 0)
		close(run.watch);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
