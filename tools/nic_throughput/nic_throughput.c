// SPDX-License-Identifier: Apache-2.0
/*
 * nic_throughput: packets and bytes of network devices, by queue, at an
 * interval. The eBPF text runs for each packet of the machine (a look-up in a
 * map for those of the devices asked for, a few reads for others); here it is
 * some system calls a queue and interval.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "links.h"
#include "log.h"
#include "loop.h"
#include "losses.h"
#include "nic_throughput.h"
#include "nics.h"
#include "priv.h"
#include "prog.h"
#include "rows.h"

extern const char nb_text_nic_throughput[];

struct run {
	struct nic_links *links;
	struct nics nics;
	struct nb_prog *prog;
	struct nb_loop *loop;
	struct nb_table *json; /* NULL: tables */
	struct nb_losses losses;
	uint32_t netns;
	uint64_t outputs;
};

/* Show what there was since the last time. */
static int on_interval(void *ctx)
{
	struct run *run = ctx;
	int err = nics_take(&run->nics);

	if (err) {
		nb_error("cannot read the counters: %s", strerror(-err));
		return err;
	}
	err = nic_rows_print(run->json, &run->nics, run->netns);
	if (err && err != -EPIPE)
		nb_error("cannot write standard output: %s", strerror(-err));
	if (err)
		return err;
	err = nics_forget_gone(&run->nics);
	if (err) {
		nb_error("cannot set the filters: %s", strerror(-err));
		return err;
	}
	nb_losses_report(&run->losses, run->prog, "packets", "--max-queues");
	return ++run->outputs == nic_args.count ? NB_LOOP_STOP : 0;
}

/* Devices have come, gone or changed. */
static int on_change(void *ctx)
{
	struct run *run = ctx;
	int err;

	nic_links_seen(run->links);
	err = nics_scan(&run->nics);
	if (err == -EAGAIN) /* ever changing: there will be another event */
		return 0;
	if (err)
		nb_error("cannot list the devices: %s", strerror(-err));
	return err;
}

static int find_devices(struct run *run)
{
	struct nb_error why;
	int err = nic_links_open(nic_args.netns, &run->netns, &run->links);

	if (err && !nic_args.netns) {
		nb_error("cannot ask for the devices: %s", strerror(-err));
		return err;
	}
	if (err) {
		nb_error("cannot use --netns '%s': %s", nic_args.netns,
			 err == -EINVAL ? "it is no network namespace"
					: strerror(-err));
		return err;
	}
	err = nics_find(&run->nics, run->links, &why);
	return nb_error_say(err, &why);
}

static int open_prog(struct run *run)
{
	const struct nb_prog_map maps[] = {
		{ "counts", NULL, nic_args.max_queues * NIC_DIRECTIONS },
		{ "places", NULL, nic_args.max_queues * NIC_DIRECTIONS },
	};
	const struct nb_prog_spec spec = {
		.tool = nb_log_name(),
		.text = nb_text_nic_throughput,
		.plans = nic_plans,
		.nplans = NIC_PLANS,
		.want = 1,
		.maps = maps,
		.nmaps = sizeof(maps) / sizeof(maps[0]),
		.args = &nic_args.prog,
	};
	struct nb_error why;

	return nb_error_say(nb_prog_open(&spec, &run->prog, &why), &why);
}

static int open_loop(struct run *run)
{
	int err = nb_loop_new(&run->loop);

	if (!err)
		err = nb_loop_every(run->loop, nic_args.interval_s * 1000,
				    on_interval, run);
	if (!err)
		err = nic_rows_new(&run->json);
	if (err) {
		nb_error("cannot start: %s", strerror(-err));
		return err;
	}
	nb_loop_output(run->loop, STDOUT_FILENO);
	nb_loop_watch(run->loop, nic_links_fd(run->links), on_change, run);
	return 0;
}

/* Let the text count, and begin the first interval. */
static int go_live(struct run *run)
{
	const struct nic_config config = { .netns = run->netns,
					   .live = 1,
					   .all = nic_args.all };
	const uint32_t zero = 0;
	int err = nics_count(&run->nics, run->prog);

	if (!err)
		err = nb_prog_set(run->prog, "config", &zero, sizeof(zero),
				  &config, sizeof(config));
	if (!err)
		err = nics_take(&run->nics);
	if (err)
		nb_error("cannot start to count: %s", strerror(-err));
	return err;
}

static int watch(struct run *run)
{
	int err;

	nb_verbose("tracing with plan '%s' (%s start)", nb_prog_plan(run->prog),
		   nb_prog_warm(run->prog) ? "warm" : "cold");
	err = nb_loop_run(run->loop);
	if (!err) /* a signal: the interval that it has cut short */
		err = on_interval(run);
	return err == NB_LOOP_STOP || err == -EPIPE ? 0 : err;
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	struct nb_error why;
	int err;

	nic_args_parse(argc, argv);
	err = nb_error_say(nb_priv_check(&why), &why);
	if (err)
		goto out;
	err = find_devices(&run);
	if (!err)
		err = open_prog(&run);
	if (!err)
		err = open_loop(&run);
	if (!err)
		err = nb_error_say(nb_priv_drop(0, &why), &why);
	if (!err)
		err = go_live(&run);
	if (!err)
		err = watch(&run);
out:
	nb_table_free(run.json);
	nb_loop_free(run.loop);
	nics_free(&run.nics);
	nb_prog_free(run.prog);
	nic_links_free(run.links);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
