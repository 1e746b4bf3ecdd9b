// SPDX-License-Identifier: Apache-2.0
/*
 * trace_http: slow HTTP calls, and the stacks that made them. Costs two looks
 * into hash maps for each piece that a traced process sends or receives; see
 * OVERHEAD in trace_http(8).
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "args.h"
#include "backlog.h"
#include "calls.h"
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
#include "rows.h"
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
	struct http_calls *calls;
	struct http_names *names;
	struct http_tls *tls; /* NULL with --no-tls */
	struct http_pids pids;
	struct http_backlog backlog;
	bool busy; /* with the backlog */
	struct nb_losses losses;
	unsigned ticks;
	int socks; /* the map, which is the prog's */
};

static int on_end(void *ctx, const struct http_call *call,
		  const struct http_frames *frames, const struct http_end *end)
{
	struct run *run = ctx;

	return http_show_call(run->show, run->names, call, frames, end);
}

/*
 * A call's stack gets its names at once: its process may not live for as long
 * as the call.
 */
static int on_call(struct run *run, const struct http_record *rec, size_t size)
{
	const struct http_call *call = &rec->call;
	struct http_frames *frames;
	bool has_stack = call->flags & HTTP_STACK;

	if (size < sizeof(*call) ||
	    (has_stack &&
	     (size < sizeof(*call) + HTTP_STACK_HEAD ||
	      size < sizeof(*call) + http_stack_size(&rec->stack))))
		return -EBADMSG;
	if (!http_rows_wanted(call))
		return 0;
	frames = http_calls_begin(run->calls, call);
	if (!frames)
		return -ENOMEM;
	if (has_stack)
		http_names_resolve(run->names, (pid_t)call->pid, &rec->stack,
				   frames);
	return 0;
}

static int work_on(struct run *run, const void *data, size_t size)
{
	const struct http_proc_rec *proc = data;

	switch (proc->kind) {
	case HTTP_REC_CALL:
		return on_call(run, data, size);
	case HTTP_REC_END:
		return http_calls_end(run->calls, data);
	case HTTP_REC_WAIT:
		return http_show_wait(run->show, data, size);
	case HTTP_REC_SAMPLE:
		return http_show_sample(run->show, data, size);
	case HTTP_REC_PROC:
		http_tls_look(run->tls, (pid_t)proc->pid);
		if (proc->is_new)
			http_names_exec(run->names, (pid_t)proc->pid);
		else
			http_names_open(run->names, (pid_t)proc->pid);
		return 0;
	default:
		return -EBADMSG;
	}
}

/* Work on the oldest record that waits, if any does. */
static int work_on_oldest(struct run *run)
{
	size_t size;
	void *data = http_backlog_take(&run->backlog, &size);
	int err = data ? work_on(run, data, size) : 0;

	free(data);
	return err;
}

/* Take it out of the buffer; it is worked on when that is empty. */
static int on_event(void *ctx, const void *data, size_t size)
{
	struct run *run = ctx;
	int err;

	while ((err = http_backlog_add(&run->backlog, data, size)) &&
	       run->backlog.first) {
		err = work_on_oldest(run);
		if (err)
			return err;
	}
	return err ? work_on(run, data, size) : 0;
}

/* Between two records the buffer is emptied again. */
static int work_on_all(struct run *run)
{
	int err = 0;

	run->busy = true;
	while (!err && run->backlog.first) {
		err = work_on_oldest(run);
		if (!err)
			err = nb_loop_drain(run->loop);
	}
	run->busy = false;
	return err;
}

static int on_idle(void *ctx)
{
	struct run *run = ctx;
	int err = run->busy ? 0 : work_on_all(run);

	return err || run->busy ? err : http_show_flush(run->show);
}

static void on_second(struct run *run)
{
	nb_losses_report(&run->losses, run->prog, "connections", "--max-conns");
}

static int on_tick(void *ctx)
{
	struct run *run = ctx;
	int err = http_calls_look(run->calls, run->socks, nb_clock_now());

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
	run->socks = nb_prog_map(run->prog, "socks");
	err = http_names_new(run->prog, &run->names);
	if (!err)
		err = http_calls_new(on_end, run, &run->calls);
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
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_records(
			run->loop, run->prog, sizeof(struct http_proc_rec),
			(size_t)http_args.prog.buffer_kb * 1024, on_event, run);
	if (!err)
		err = nb_loop_every(run->loop, TICK_MS, on_tick, run);
	if (err) {
		nb_error("cannot read records: %s", strerror(-err));
		return err;
	}
	nb_loop_idle(run->loop, on_idle, run);
	nb_loop_output(run->loop, STDOUT_FILENO);
	return 0;
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
		err = http_calls_look(run->calls, run->socks, 0);
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
	if (!err)
		err = nb_error_say(http_pids_open(&run.pids, &why), &why);
	if (!err)
		err = http_show_open(&run.show);
	if (!err)
		err = open_prog(&run);
	if (!err)
		err = open_tls(&run);
	if (!err)
		err = open_loop(&run);
	if (!err)
		err = nb_error_say(
			nb_priv_drop(HTTP_PRIVS | (run.tls ? TLS_PRIVS : 0),
				     &why),
			&why);
	if (!err)
		err = http_live_begin(run.prog, run.tls, run.names);
	if (!err)
		err = trace(&run);
	if (http_show_close(run.show) && !err)
		err = -EIO;
	http_backlog_free(&run.backlog);
	http_calls_free(run.calls);
	http_names_free(run.names);
	nb_loop_free(run.loop);
	http_tls_free(run.tls);
	nb_prog_free(run.prog);
	http_pids_close(&run.pids);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
