// SPDX-License-Identifier: Apache-2.0
#include "delay_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "losses.h"
#include "priv.h"
#include "session.h"

/* The command looks for records itself this often, while there are some. */
#define LINGER_MS 10

/* What is printed goes out whenever no record waits, or this is full. */
#define OUTPUT (1 << 16)

struct run {
	const struct nb_delay_cmd *cmd;
	const struct nb_delay_args *args;
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct nb_table *table; /* NULL: with sums */
	struct nb_delay_sums sums;
	struct nb_clock clock;
	struct nb_losses losses;
	struct nb_delay_config config;
	uint64_t no_room; /* that has been said */
	uint64_t outputs;
	uint64_t seconds;
	int watch;	   /* pidfd of -p, or -1 */
	bool clock_is_old; /* since the last records were handed over */
};

static int on_event(void *ctx, const void *data, size_t size)
{
	struct run *run = ctx;
	uint64_t delays[NB_DELAY_STAGES_MAX];
	int err;

	(void)size;
	run->cmd->stages_get(data, delays);
	if (!run->table) {
		nb_delay_sums_add(&run->sums, &run->cmd->stages, delays);
		return 0;
	}
	if (run->clock_is_old)
		nb_clock_sync(&run->clock);
	run->clock_is_old = false;
	err = run->cmd->rows_print(run->table, &run->clock, data, delays);
	if (err)
		return err;
	return ++run->outputs == run->args->count ? NB_LOOP_STOP : 0;
}

static int on_idle(void *ctx)
{
	struct run *run = ctx;

	run->clock_is_old = true;
	return nb_table_flush(run->table);
}

static int print_sums(struct run *run)
{
	return nb_delay_sums_print(&run->sums, &run->cmd->stages, run->args,
				   &run->clock);
}

static void report_losses(struct run *run)
{
	nb_losses_report(&run->losses, run->prog, "packets", "--max-packets");
	run->cmd->report_room(run->prog, &run->no_room);
}

static int on_second(void *ctx)
{
	struct run *run = ctx;
	/* Nobody wakes it up for sums, nor where a program was interrupted for
	 * so long that it has taken a record for one that is soon looked at. */
	int err = nb_loop_drain(run->loop);

	report_losses(run);
	if (err || !run->args->interval || ++run->seconds % run->args->interval)
		return err;
	err = print_sums(run);
	if (err)
		return err;
	return ++run->outputs == run->args->count ? NB_LOOP_STOP : 0;
}

static int on_exit_of_process(void *ctx)
{
	const struct run *run = ctx;

	nb_note("process %u has ended", run->args->filter.pid);
	return NB_LOOP_STOP;
}

/* What is printed goes there: it must not be packets to be printed. */
static void leave_out_session(struct nb_delay_config *config)
{
	struct nb_session session;
	char remote[NB_ENDPOINT_STRLEN];

	if (nb_session_find(&session))
		return;
	config->flags |= NB_DELAY_NOT_OWN;
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
		err = nb_delay_args_config(run->args, run->cmd->out,
					   &run->config, why);
	if (!err)
		err = nb_filter_watch(&run->args->filter, &run->watch, why);
	if (!err)
		leave_out_session(&run->config);
	return err;
}

static int open_prog(struct run *run)
{
	const struct nb_delay_cmd *cmd = run->cmd;
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = cmd->text,
		.plans = cmd->plans,
		.nplans = cmd->nplans,
		.want = cmd->want,
		.maps = cmd->maps,
		.nmaps = cmd->nmaps,
		.args = &run->args->prog,
	};
	struct nb_error why;

	return nb_error_say(nb_prog_open(&spec, &run->prog, &why), &why);
}

static int open_output(struct run *run)
{
	int err;

	if (run->args->hist || run->args->summary)
		return 0;
	err = run->cmd->rows_new(&run->table);
	if (err)
		nb_error("cannot make the table: %s", strerror(-err));
	return err;
}

/* Sooner where the buffer is smaller than it usually is. */
static int linger_ms(const struct nb_delay_args *args)
{
	uint32_t kb = args->prog.buffer_kb;
	uint32_t ms = LINGER_MS * kb / NB_PROG_BUFFER_KB;

	return kb >= NB_PROG_BUFFER_KB ? LINGER_MS : ms ? (int)ms : 1;
}

static int open_loop(struct run *run)
{
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_records(run->loop, run->prog,
				      run->table ? run->cmd->record_size
						 : run->cmd->times_size,
				      (size_t)run->args->prog.buffer_kb * 1024,
				      on_event, run);
	if (!err)
		err = nb_loop_every(run->loop, 1000, on_second, run);
	if (err) {
		nb_error("cannot read records: %s", strerror(-err));
		return err;
	}
	if (run->table) {
		nb_loop_idle(run->loop, on_idle, run);
		nb_loop_linger(run->loop, linger_ms(run->args));
	}
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
	bool out = run->cmd->out;
	int err = nb_filter_ports(run->prog, out ? "rports" : "lports",
				  &run->args->dports);

	if (!err)
		err = nb_filter_ports(run->prog, out ? "lports" : "rports",
				      &run->args->sports);
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
	bool full = run->args->count && run->outputs >= run->args->count;

	nb_prog_detach(run->prog);
	if (err == NB_LOOP_STOP)
		err = 0;
	if (!err && !full)
		err = nb_loop_drain(run->loop);
	if (err == NB_LOOP_STOP)
		err = 0;
	if (!err && !full && !run->table)
		err = print_sums(run);
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
		run->cmd->report_ends(run->prog);
	}
	if (err == -EPIPE)
		return 0;
	if (err && ferror(stdout))
		nb_error("cannot write standard output: %s", strerror(-err));
	else if (err)
		nb_error("cannot read records: %s", strerror(-err));
	return err;
}

int nb_delay_cmd_run(const struct nb_delay_cmd *cmd,
		     const struct nb_delay_config *config)
{
	static char output[OUTPUT];
	struct run *run = calloc(1, sizeof(*run));
	struct nb_error why;
	int err;

	setvbuf(stdout, output, _IOFBF, sizeof(output));
	if (!run) {
		nb_error("%s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	run->cmd = cmd;
	run->args = cmd->args;
	run->config = *config;
	run->watch = -1;
	err = nb_error_say(prepare(run, &why), &why);
	if (!err)
		err = open_prog(run);
	if (!err)
		err = open_output(run);
	if (!err)
		err = open_loop(run);
	if (!err && cmd->look)
		cmd->look();
	if (!err)
		err = nb_error_say(nb_priv_drop(0, &why), &why);
	if (!err)
		err = go_live(run);
	if (!err)
		err = trace(run);
	nb_table_free(run->table);
	nb_loop_free(run->loop);
	nb_prog_free(run->prog);
	if (run->watch >= 0)
		close(run->watch);
	free(run);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
