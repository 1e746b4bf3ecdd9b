// SPDX-License-Identifier: Apache-2.0
#include "counts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#include "args.h"
#include "drain.h"
#include "log.h"

static int set_config(struct top_counts *c)
{
	const uint32_t zero = 0;

	return nb_prog_set(c->prog, "config", &zero, sizeof(zero), &c->config,
			   sizeof(c->config));
}

static int on_row(void *ctx, const void *key, const void *value)
{
	const struct top_key *k = key;

	return top_part_add(ctx, k->pid, value, top_args.by == TOP_BY_PID);
}

/* What one thread reads. */
struct part {
	int map;
	int err;
	struct top_part *lines;
};

static void *read_part(void *ctx)
{
	struct part *part = ctx;

	part->err = nb_drain_read(part->map, sizeof(struct top_key),
				  sizeof(struct top_row), on_row, part->lines);
	return NULL;
}

/* The rows of both maps, by a thread each. */
static int read_rows(struct top_counts *c)
{
	struct part even = { .map = c->map[0], .lines = &c->lines.part[0] };
	struct part odd = { .map = c->map[1], .lines = &c->lines.part[1] };
	pthread_t thread;
	bool started = !pthread_create(&thread, NULL, read_part, &odd);

	read_part(&even);
	if (started)
		pthread_join(thread, NULL);
	else
		read_part(&odd);
	return even.err ? even.err : odd.err;
}

/* What found the map full is in no row: how much that is since it was told. */
static void get_unshown(const struct top_counts *c, uint64_t *ret)
{
	int map = nb_prog_map(c->prog, "unshown");

	for (uint32_t i = 0; i < TOP_UNSHOWN; i++) {
		uint64_t now = c->unshown[i];

		if (map >= 0)
			bpf_map_lookup_elem(map, &i, &now);
		ret[i] = now - c->unshown[i];
	}
}

void top_counts_report(struct top_counts *c)
{
	uint64_t bytes[TOP_UNSHOWN];

	nb_losses_report(&c->losses, c->prog, "reads", "--max-conns");
	get_unshown(c, bytes);
	if (!bytes[TOP_UNSHOWN_RX] && !bytes[TOP_UNSHOWN_TX])
		return;
	nb_error(
		"%" PRIu64 " bytes received and %" PRIu64
		" sent are in no row: there was no room (try a larger --max-conns)",
		bytes[TOP_UNSHOWN_RX], bytes[TOP_UNSHOWN_TX]);
	c->unshown[TOP_UNSHOWN_RX] += bytes[TOP_UNSHOWN_RX];
	c->unshown[TOP_UNSHOWN_TX] += bytes[TOP_UNSHOWN_TX];
}

bool top_counts_incomplete(const struct top_counts *c)
{
	uint64_t bytes[TOP_UNSHOWN];

	get_unshown(c, bytes);
	return bytes[TOP_UNSHOWN_RX] || bytes[TOP_UNSHOWN_TX] ||
	       nb_losses_any(&c->losses, c->prog);
}

int top_counts_start(struct top_counts *c, const struct nb_prog *prog,
		     const struct nb_filter *filter)
{
	const uint32_t zero = 0;
	int map = nb_prog_map(prog, "config");

	c->prog = prog;
	/* What the text has found out at the start stays as it is. */
	if (map < 0 || bpf_map_lookup_elem(map, &zero, &c->config))
		return -ENOENT;
	c->config.filter = *filter;
	c->config.live = 1;
	c->since_ns = nb_clock_now();
	return set_config(c);
}

int top_counts_take(struct top_counts *c, bool last, struct top_interval *ret)
{
	uint64_t now;
	int err;

	c->map[0] = nb_prog_map(c->prog, c->config.epoch ? "even1" : "even0");
	c->map[1] = nb_prog_map(c->prog, c->config.epoch ? "odd1" : "odd0");
	c->config.epoch = !c->config.epoch;
	err = set_config(c);
	now = nb_clock_now();
	nb_clock_sync(&c->clock);
	ret->end_ns = nb_clock_real(&c->clock, now);
	ret->length_ns = now > c->since_ns ? now - c->since_ns : 1;
	c->since_ns = now;
	if (last)
		nb_drain_wait();
	if (!err)
		err = read_rows(c);
	return err ? err
		   : top_lines_sort(&c->lines, top_args.sort,
				    top_args.by == TOP_BY_PID);
}

int top_counts_forget(struct top_counts *c)
{
	bool by_pid = top_args.by == TOP_BY_PID;
	int err = 0;

	top_lines_expect(&c->lines);
	nb_drain_wait();
	for (size_t i = 0; i < TOP_PARTS && !err; i++)
		err = nb_drain_clear(c->map[i], sizeof(struct top_key),
				     sizeof(struct top_row), on_row,
				     &c->lines.part[by_pid ? 0 : i]);
	top_lines_clear(&c->lines, by_pid);
	return err;
}
