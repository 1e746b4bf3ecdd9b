// SPDX-License-Identifier: Apache-2.0
/*
 * tcptop: bytes that TCP connections carry, by process and connection, exact to
 * the byte. Costs a look into a hash map for each send and each receive call;
 * see OVERHEAD in tcptop(8).
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "counts.h"
#include "log.h"
#include "loop.h"
#include "plans.h"
#include "priv.h"
#include "prog.h"
#include "screen.h"
#include "view.h"

extern const char nb_text_tcptop[];

struct run {
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct top_counts counts;
	struct nb_filter filter;
	uint32_t outputs;
	int watch;     /* pidfd of -p, or -1 */
	bool in_place; /* it draws on a terminal, */
	bool quiet;    /* which is where messages would come, too */
};

static int show(struct run *run, const struct top_interval *interval)
{
	int err = top_view_print(&run->counts.lines, interval);

	if (err && err != -EPIPE)
		nb_error("cannot write standard output: %s", strerror(-err));
	return err;
}

static int output(struct run *run, bool last, bool even_empty)
{
	uint64_t start = nb_clock_now(), read;
	struct top_interval interval = { 0 };
	int err = top_counts_take(&run->counts, last, &interval), full;

	if (err) {
		nb_error("cannot read the rows: %s", strerror(-err));
		return err;
	}
	read = nb_clock_now();
	interval.incomplete = run->quiet && top_counts_incomplete(&run->counts);
	if (run->counts.lines.n || even_empty)
		err = show(run, &interval);
	nb_verbose("%zu rows: read in %" PRIu64 " us, printed in %" PRIu64
		   " us",
		   run->counts.lines.n, (read - start) / 1000,
		   (nb_clock_now() - read) / 1000);
	/* Only now, when nobody waits for it. */
	full = top_counts_forget(&run->counts);
	if (full)
		nb_error("cannot empty the rows: %s", strerror(-full));
	if (!run->quiet)
		top_counts_report(&run->counts);
	return err ? err : full;
}

static int on_interval(void *ctx)
{
	struct run *run = ctx;
	bool last = ++run->outputs == top_args.count;
	int err = output(run, last, true);

	return err || !last ? err : NB_LOOP_STOP;
}

static int on_exit_of_process(void *ctx)
{
	(void)ctx;
	nb_note("process %u has ended", top_args.filter.pid);
	return NB_LOOP_STOP;
}

/*
 * Entries of each of two maps between which @conns connections are divided: not
 * exactly in halves, and the kernel's tables are powers of two in any case.
 */
static uint32_t half_of(uint32_t conns)
{
	uint32_t half = 16;

	while (half < conns / 2)
		half *= 2;
	return half;
}

/* While it is opened, sockets of the command's show what a plain one is. */
static int open_prog(struct run *run)
{
	uint32_t half = top_args.max_conns ? half_of(top_args.max_conns) : 0;
	const struct nb_prog_map maps[] = {
		{ "even0", NULL, half },
		{ "even1", NULL, half },
		{ "odd0", NULL, half },
		{ "odd1", NULL, half },
		{ "seen", NULL, 2 * top_args.max_conns },
		NB_FILTER_MAPS(&top_args.filter),
	};
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = nb_text_tcptop,
		.plans = top_plans,
		.nplans = TOP_PLANS,
		.want = 1,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &top_args.prog,
	};
	int ip4 = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ip6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct nb_error why;
	int err = nb_prog_open(&spec, &run->prog, &why);

	if (ip4 >= 0)
		close(ip4);
	if (ip6 >= 0)
		close(ip6);
	return nb_error_say(err, &why);
}

static int open_loop(struct run *run)
{
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_every(run->loop, top_args.interval * 1000,
				    on_interval, run);
	if (err) {
		nb_error("cannot start the clock: %s", strerror(-err));
		return err;
	}
	nb_loop_output(run->loop, STDOUT_FILENO);
	if (run->watch >= 0)
		nb_loop_watch(run->loop, run->watch, on_exit_of_process, run);
	return 0;
}

/* Until the end; a part of an interval is shown unless it would hide a whole.
 */
static int count(struct run *run)
{
	int err = nb_loop_run(run->loop);

	nb_prog_detach(run->prog);
	if (err >= 0 && !run->in_place &&
	    (!top_args.count || run->outputs < top_args.count))
		err = output(run, true, false);
	return err == NB_LOOP_STOP || err == -EPIPE ? 0 : err;
}

static int trace(struct run *run)
{
	struct nb_screen_size size;
	int err;

	run->in_place = !top_args.no_clear && !top_args.json &&
			!nb_screen_size(STDOUT_FILENO, &size);
	run->quiet = run->in_place && isatty(STDERR_FILENO);
	err = top_counts_start(&run->counts, run->prog, &run->filter);
	if (err) {
		nb_error("cannot set the filters: %s", strerror(-err));
		return err;
	}
	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	err = count(run);
	top_counts_report(&run->counts);
	return err;
}

int main(int argc, char **argv)
{
	/* An interval may have many rows, and is flushed as a whole. */
	static char output[1 << 16];
	struct run run = { .watch = -1 };
	struct nb_error why;
	int err;

	top_args_parse(argc, argv);
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	err = nb_error_say(nb_priv_check(&why), &why);
	if (err)
		goto out;
	err = nb_filter_make(&top_args.filter, &run.filter, &why);
	if (!err)
		err = nb_filter_watch(&top_args.filter, &run.watch, &why);
	if (nb_error_say(err, &why))
		goto out;
	err = open_prog(&run);
	if (!err)
		err = open_loop(&run);
	if (!err)
		err = nb_error_say(nb_priv_drop(0, &why), &why);
	if (!err)
		err = trace(&run);
out:
	top_counts_free(&run.counts);
	nb_loop_free(run.loop);
	nb_prog_free(run.prog);
	if (run.watch >= 0)
		close(run.watch);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
