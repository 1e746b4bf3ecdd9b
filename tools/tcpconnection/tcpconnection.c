// SPDX-License-Identifier: Apache-2.0
/*
 * tcpconnection: TCP connections as they are made and accepted, with the
 * process that did it. Costs one map update and one record a connection, and
 * nothing per packet; see OVERHEAD in tcpconnection(8).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "losses.h"
#include "plans.h"
#include "priv.h"
#include "prog.h"
#include "rows.h"
#include "table.h"
#include "tcpconnection.h"

extern const char nb_text_tcpconnection[];

struct run {
	struct nb_table *table;
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct nb_clock clock;
	uint64_t lines;
	struct nb_losses losses;
	struct conn_config config;
	int watch;	   /* pidfd of -p, or -1 */
	bool clock_is_old; /* since the last records were handed over */
};

static int on_event(void *ctx, const void *data, size_t size)
{
	struct run *run = ctx;
	int err;

	(void)size;
	if (run->clock_is_old)
		nb_clock_sync(&run->clock);
	run->clock_is_old = false;
	err = conn_rows_print(run->table, &run->clock, data);
	if (err)
		return err;
	return ++run->lines == conn_args.count ? NB_LOOP_STOP : 0;
}

static int on_second(void *ctx)
{
	struct run *run = ctx;

	nb_losses_report(&run->losses, run->prog, "connections", "--max-conns");
	return 0;
}

static int on_idle(void *ctx)
{
	struct run *run = ctx;

	run->clock_is_old = true;
	return nb_table_flush(run->table);
}

/* Fill the filters, and with the configuration let the programs go (or stop).
 */
static int go_live(const struct nb_prog *prog, const struct conn_config *config)
{
	const uint32_t zero = 0;
	int err = nb_filter_ports(prog, "lports", &conn_args.lports);

	if (!err)
		err = nb_filter_ports(prog, "rports", &conn_args.rports);
	if (!err)
		err = nb_prog_set(prog, "config", &zero, sizeof(zero), config,
				  sizeof(*config));
	if (err)
		nb_error("cannot set the filters: %s", strerror(-err));
	return err;
}

static int on_exit_of_process(void *ctx)
{
	struct run *run = ctx;

	if (!conn_args.life) {
		nb_note("process %u has ended", conn_args.filter.pid);
		return NB_LOOP_STOP;
	}
	nb_note("process %u has ended; its connections may not have (Ctrl-C to stop)",
		conn_args.filter.pid);
	nb_loop_unwatch(run->loop);
	/* Its number may come to be another process's. */
	run->config.flags &= ~(unsigned)(CONN_WANT_CONNECT | CONN_WANT_ACCEPT);
	go_live(run->prog, &run->config);
	return 0;
}

static int open_prog(struct run *run)
{
	const struct nb_prog_map maps[] = {
		{ "conns", NULL, conn_args.max_conns },
		{ "calls", NULL, conn_args.failed ? conn_args.max_conns : 1 },
		NB_FILTER_MAPS(&conn_args.filter),
	};
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = nb_text_tcpconnection,
		.plans = conn_plans,
		.nplans = CONN_PLANS,
		.want = conn_hooks_wanted(),
		.variant = conn_args.failed ? "failed" : NULL,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &conn_args.prog,
	};
	struct nb_error why;

	return nb_error_say(nb_prog_open(&spec, &run->prog, &why), &why);
}

static int open_loop(struct run *run)
{
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_records(
			run->loop, run->prog, sizeof(struct conn_event),
			(size_t)conn_args.prog.buffer_kb * 1024, on_event, run);
	if (!err)
		err = nb_loop_every(run->loop, 1000, on_second, run);
	if (err) {
		nb_error("cannot read records: %s", strerror(-err));
		return err;
	}
	nb_loop_idle(run->loop, on_idle, run);
	nb_loop_output(run->loop, STDOUT_FILENO);
	if (run->watch >= 0)
		nb_loop_watch(run->loop, run->watch, on_exit_of_process, run);
	return 0;
}

static int open_rows(struct run *run)
{
	int err = conn_rows_new(&run->table);

	if (err)
		nb_error("cannot make the table: %s", strerror(-err));
	return err;
}

/* Trace until the end, and show what was under way then. */
static int trace(struct run *run)
{
	int err;

	run->clock_is_old = true;
	nb_table_header(run->table);
	err = nb_table_flush(run->table);
	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	if (!err)
		err = nb_loop_run(run->loop);
	/* Detaching takes a while, for which nothing more is wanted. */
	run->config.flags = 0;
	go_live(run->prog, &run->config);
	nb_prog_detach(run->prog);
	if (err == NB_LOOP_STOP &&
	    (!conn_args.count || run->lines < conn_args.count))
		err = 0; /* the process of -p has ended */
	if (!err)
		err = nb_loop_drain(run->loop);
	if (err == NB_LOOP_STOP)
		err = nb_table_flush(run->table);
	on_second(run);
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

	conn_args_parse(argc, argv);
	err = nb_error_say(nb_priv_check(&why), &why);
	if (err)
		goto out;
	err = conn_args_config(&run.config, &why);
	if (!err)
		err = nb_filter_watch(&conn_args.filter, &run.watch, &why);
	if (nb_error_say(err, &why))
		goto out;
	err = open_prog(&run);
	if (!err)
		err = open_loop(&run);
	if (!err)
		err = open_rows(&run);
	if (!err)
		err = nb_error_say(nb_priv_drop(0, &why), &why);
	if (!err)
		err = go_live(run.prog, &run.config);
	if (!err)
		err = trace(&run);
out:
	nb_table_free(run.table);
	nb_loop_free(run.loop);
	nb_prog_free(run.prog);
	if (run.watch >= 0)
		close(run.watch);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
