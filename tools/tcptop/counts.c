// SPDX-License-Identifier: Apache-2.0
#include "counts.h"

#include <bpf/bpf.h>
#include <inttypes.h>

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
	struct top_counts *c = ctx;
	const struct top_key *k = key;

	return top_lines_add(&c->lines, k->pid, value,
			     top_args.by == TOP_BY_PID);
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
	c->prog = prog;
	c->config.filter = *filter;
	c->config.live = 1;
	c->since_ns = nb_clock_now();
	return set_config(c);
}

int top_counts_take(struct top_counts *c, struct top_interval *ret)
{
	uint64_t now;
	int err;

	c->map = nb_prog_map(c->prog, c->config.epoch ? "rows1" : "rows0");
	c->config.epoch = !c->config.epoch;
	err = set_config(c);
	now = nb_clock_now();
	nb_clock_sync(&c->clock);
	ret->end_ns = nb_clock_real(&c->clock, now);
	ret->length_ns = now > c->since_ns ? now - c->since_ns : 1;
	c->since_ns = now;
	nb_drain_wait();
	if (!err)
		err = nb_drain_read(c->map, sizeof(struct top_key),
				    sizeof(struct top_row), on_row, c);
	return err ? err : top_lines_sort(&c->lines, top_args.sort);
}

int top_counts_forget(struct top_counts *c)
{
	int err = c->lines.n ? nb_drain_clear(c->map, sizeof(struct top_key),
					      sizeof(struct top_row))
			     : 0;

	top_lines_clear(&c->lines);
	return err;
}
