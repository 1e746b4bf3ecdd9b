// SPDX-License-Identifier: Apache-2.0
/*
 * trace_http: slow HTTP calls, and the stacks that made them. Costs two looks
 * into hash maps for each piece that a traced process sends or receives; see
 * OVERHEAD in trace_http(8).
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "args.h"
#include "clock.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "losses.h"
#include "names.h"
#include "plans.h"
#include "priv.h"
#include "procs.h"
#include "prog.h"
#include "records.h"
#include "show.h"
#include "tls.h"
#include "trace_http.h"

extern const char nb_text_trace_http[];

/* To write files, and to look at the memory and the files of processes. */
#define HTTP_PRIVS                                 \
	(NB_PRIV_FDS | NB_PRIV(CAP_DAC_OVERRIDE) | \
	 NB_PRIV(CAP_CHECKPOINT_RESTORE))
/* And to hook files that are found later, which kernels see differently. */
#define TLS_PRIVS (NB_PRIV(CAP_PERFMON) | NB_PRIV(CAP_SYS_ADMIN))

#define TICK_MS 100
#define TICKS_A_SECOND (1000 / TICK_MS)

struct run {
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct http_show *show;
	struct http_names *names;
	struct http_tls *tls; /* NULL with --no-tls */
	struct http_records *records;
	struct http_pids pids;
	struct nb_losses losses;
	unsigned ticks;
};

static void on_second(struct run *run)
{
	nb_losses_report(&run->losses, run->prog, "connections", "--max-conns");
}

static int on_tick(void *ctx)
{
	struct run *run = ctx;
	int err = http_records_look(run->records, nb_clock_now());

	if (!err)
		err = http_show_flush(run->show);
	if (!err && ++run->ticks % TICKS_A_SECOND == 0) {
		on_second(run);
		err = http_show_second(run->show);
	}
	if (!err && !http_args.names.n && http_pids_ended(&run->pids)) {
		nb_note("every process of --pid has ended");
		return NB_LOOP_STOP;
	}
	return err;
}

static uint32_t young_room(void)
{
	int cpus = libbpf_num_possible_cpus();

	return HTTP_YOUNG_CPU * (cpus > 1 ? (uint32_t)cpus : 1);
}

static int open_prog(struct run *run)
{
	const struct nb_prog_map maps[] = {
		{ "socks", NULL, http_args.max_conns },
		{ "pipes", NULL, http_args.max_conns },
		{ "young", NULL, young_room() },
	};
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = nb_text_trace_http,
		.plans = http_plans,
		.nplans = HTTP_PLANS,
		.want = HTTP_WANT_CALLS | (http_args.client && !http_args.server
						   ? 0
						   : HTTP_WANT_WAITS),
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &http_args.prog,
	};
	struct nb_error why;
	int err = nb_error_say(nb_prog_open(&spec, &run->prog, &why), &why);

	if (err)
		return err;
	err = http_names_new(run->prog, &run->names);
	if (err)
		nb_error("cannot begin: %s", strerror(-err));
	return err;
}

/* What compiling takes is not there any more when a process is found. */
static int open_tls(struct run *run)
{
	struct nb_error why;
	int err;

	if (http_args.no_tls)
		return 0;
	err = http_tls_new(run->prog, &run->tls, &why);
	if (err == -ENOMEM || err == -EPERM)
		return nb_error_say(err, &why);
	if (err)
		nb_note("cannot look into TLS: %s", why.text);
	else
		http_tls_usual(run->tls);
	return 0;
}

static int open_loop(struct run *run)
{
	const struct http_records_to to = {
		.names = run->names,
		.tls = run->tls,
		.show = run->show,
	};
	int err = http_records_new(&to, &run->records);

	if (!err)
		err = nb_loop_new(&run->loop);
	if (!err)
		err = http_records_take(run->records, run->loop, run->prog);
	if (!err)
		err = nb_loop_every(run->loop, TICK_MS, on_tick, run);
	if (err) {
		nb_error("cannot read records: %s", strerror(-err));
		return err;
	}
	nb_loop_output(run->loop, STDOUT_FILENO);
	return 0;
}

static int drop_privileges(const struct run *run)
{
	uint64_t keep = HTTP_PRIVS | (run->tls ? TLS_PRIVS : 0);
	struct nb_error why;

	return nb_error_say(nb_priv_drop(keep, &why), &why);
}

/* Until the end; what is under way then is shown as far as it has come. */
static int run_loop(struct run *run)
{
	int err = nb_loop_run(run->loop);
	bool full = http_show_is_full(run->show);

	http_tls_detach(run->tls);
	nb_prog_detach(run->prog);
	if (err == NB_LOOP_STOP)
		err = 0;
	if (!err && !full)
		err = nb_loop_drain(run->loop);
	if (!err && !full)
		err = http_records_look(run->records, 0);
	if (err == NB_LOOP_STOP)
		err = 0;
	return err ? err : http_show_flush(run->show);
}

static int trace(struct run *run)
{
	int err = http_show_header();

	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	if (!err)
		err = run_loop(run);
	on_second(run);
	http_names_report(run->names);
	http_show_report(run->show);
	if (!http_show_is_full(run->show))
		http_account_report(run->prog);
	if (err == -EPIPE)
		return 0;
	if (err && ferror(stdout))
		nb_error("cannot write standard output: %s", strerror(-err));
	return err;
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	struct nb_error why;
	int err;

	http_args_parse(argc, argv);
	err = nb_error_say(nb_priv_check(&why), &why);
	if (err)
		goto out;
	err = nb_error_say(http_pids_open(&run.pids, &why), &why);
	if (err)
		goto out;
	err = http_show_open(&run.show);
	if (err)
		goto out;
	err = open_prog(&run);
	if (err)
		goto out;
	err = open_tls(&run);
	if (err)
		goto out;
	err = open_loop(&run);
	if (err)
		goto out;
	err = drop_privileges(&run);
	if (err)
		goto out;
	err = http_live_begin(run.prog, run.tls, run.names);
	if (err)
		goto out;
	err = trace(&run);
out:
	http_records_free(run.records);
	if (http_show_close(run.show) && !err)
		err = -EIO;
	http_names_free(run.names);
	nb_loop_free(run.loop);
	http_tls_free(run.tls);
	nb_prog_free(run.prog);
	http_pids_close(&run.pids);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
