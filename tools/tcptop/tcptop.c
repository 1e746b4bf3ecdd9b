// SPDX-License-Identifier: Apache-2.0
/*
 * tcptop: bytes that TCP connections carry, by process and connection, exact to
 * the byte. Costs a look into a hash map for each send and each receive call;
 * see OVERHEAD in tcptop(8).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "drain.h"
#include "log.h"
#include "loop.h"
#include "losses.h"
#include "plans.h"
#include "priv.h"
#include "prog.h"
#include "screen.h"
#include "tcptop.h"
#include "view.h"

extern const char nb_text_tcptop[];

struct run {
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct nb_clock clock;
	struct top_config config;
	struct top_lines lines;
	struct nb_losses losses;
	uint64_t unshown[TOP_UNSHOWN]; /* told so far */
	uint64_t since_ns;	       /* CLOCK_MONOTONIC */
	uint32_t outputs;
	int watch; /* pidfd of -p, or -1 */
};

#define STOP 1 /* what a callback returns to end without an error */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int set_config(struct run *run)
{
	const uint32_t zero = 0;

	return nb_prog_set(run->prog, "config", &zero, sizeof(zero),
			   &run->config, sizeof(run->config));
}

static int on_row(void *ctx, const void *key, const void *value)
{
	struct run *run = ctx;
	const struct top_key *k = key;

	return top_lines_add(&run->lines, k->pid, value,
			     top_args.by == TOP_BY_PID);
}

/* What found the map full is in no row. */
static void report_unshown(struct run *run)
{
	int map = nb_prog_map(run->prog, "unshown");
	uint64_t now[TOP_UNSHOWN], rx, tx;

	for (uint32_t i = 0; i < TOP_UNSHOWN; i++)
		if (map < 0 || bpf_map_lookup_elem(map, &i, &now[i]))
			return;
	rx = now[TOP_UNSHOWN_RX] - run->unshown[TOP_UNSHOWN_RX];
	tx = now[TOP_UNSHOWN_TX] - run->unshown[TOP_UNSHOWN_TX];
	if (rx || tx)
		nb_error(
			"%" PRIu64 " bytes received and %" PRIu64
			" sent are in no row: the map was full (try a larger --max-conns)",
			rx, tx);
	memcpy(run->unshown, now, sizeof(now));
}

/*
 * Let the programs count into the other map, and take what is in this one: so
 * nothing is changed while it is read, and nothing is counted twice.
 */
static int take_interval(struct run *run, struct top_interval *ret)
{
	const char *map = run->config.epoch ? "rows1" : "rows0";
	uint64_t now;
	int err;

	run->config.epoch = !run->config.epoch;
	err = set_config(run);
	now = now_ns();
	nb_clock_sync(&run->clock);
	ret->end_ns = nb_clock_real(&run->clock, now);
	ret->length_ns = now > run->since_ns ? now - run->since_ns : 1;
	run->since_ns = now;
	nb_drain_wait();
	if (!err)
		err = nb_drain(nb_prog_map(run->prog, map),
			       sizeof(struct top_key), sizeof(struct top_row),
			       on_row, run);
	if (!err)
		err = top_lines_sort(&run->lines, top_args.sort);
	if (err)
		nb_error("cannot read the map '%s': %s", map, strerror(-err));
	return err;
}

static int output(struct run *run, bool even_empty)
{
	uint64_t start = now_ns(), read;
	struct top_interval interval;
	int err = take_interval(run, &interval);

	if (err)
		return err;
	read = now_ns();
	if (run->lines.n || even_empty) {
		err = top_view_print(&run->lines, &interval);
		if (err && err != -EPIPE)
			nb_error("cannot write standard output: %s",
				 strerror(-err));
	}
	nb_verbose(
		"%zu rows: read in %" PRIu64 " us, printed in %" PRIu64 " us",
		run->lines.n, (read - start) / 1000, (now_ns() - read) / 1000);
	top_lines_clear(&run->lines);
	nb_losses_report(&run->losses, run->prog, "reads", "--max-conns");
	report_unshown(run);
	return err;
}

static int on_interval(void *ctx)
{
	struct run *run = ctx;
	int err = output(run, true);

	if (err)
		return err;
	return ++run->outputs == top_args.count ? STOP : 0;
}

static int on_exit_of_process(void *ctx)
{
	(void)ctx;
	nb_note("process %u has ended", top_args.filter.pid);
	return STOP;
}

/* While it is opened, sockets of the command's show what a plain one is. */
static int open_prog(struct run *run)
{
	const struct nb_prog_map maps[] = {
		{ "rows0", NULL, top_args.max_conns },
		{ "rows1", NULL, top_args.max_conns },
		{ "seen", NULL, top_args.max_conns },
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
	if (err)
		nb_error("%s", why.text);
	return err;
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

/* Count until the end, and show what the last interval has come to by then. */
static int trace(struct run *run)
{
	struct nb_screen_size size;
	bool in_place = !top_args.no_clear && !top_args.json &&
			!nb_screen_size(STDOUT_FILENO, &size);
	int err;

	run->config.live = 1;
	run->since_ns = now_ns();
	err = set_config(run);
	if (err) {
		nb_error("cannot set the filters: %s", strerror(-err));
		return err;
	}
	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	err = nb_loop_run(run->loop);
	if (err < 0)
		return err == -EPIPE ? 0 : err;
	nb_prog_detach(run->prog);
	if (top_args.count && run->outputs == top_args.count)
		return 0;
	/* A part of an interval, which in place would hide a whole one. */
	err = in_place ? 0 : output(run, false);
	return err == -EPIPE ? 0 : err;
}

int main(int argc, char **argv)
{
	struct run run = { .watch = -1 };
	struct nb_error why;
	int err;

	top_args_parse(argc, argv);
	err = nb_priv_check();
	if (err) {
		nb_error(
			"cannot trace: %s (run as root, or with CAP_BPF and CAP_PERFMON)",
			strerror(-err));
		goto out;
	}
	err = nb_filter_make(&top_args.filter, &run.config.filter, &why);
	if (!err)
		err = nb_filter_watch(&top_args.filter, &run.watch, &why);
	if (err) {
		nb_error("%s", why.text);
		goto out;
	}
	err = open_prog(&run);
	if (!err)
		err = open_loop(&run);
	if (!err) {
		err = nb_priv_drop();
		if (err)
			nb_error("cannot drop capabilities: %s",
				 strerror(-err));
	}
	if (!err)
		err = trace(&run);
out:
	top_lines_free(&run.lines);
	nb_loop_free(run.loop);
	nb_prog_free(run.prog);
	if (run.watch >= 0)
		close(run.watch);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
