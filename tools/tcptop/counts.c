// SPDX-License-Identifier: Apache-2.0
#include "counts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "args.h"
#include "drain.h"
#include "log.h"

static int set_config(struct top_counts *c)
{
	const uint32_t zero = 0;

	return nb_prog_set(c->prog, "config", &zero, sizeof(zero), &c->config,
			   sizeof(c->config));
}

#define HOT_SIZE (2 * TOP_HOT * sizeof(struct top_hot))

/* What one thread reads. */
struct part {
	int map;
	int err;
	uint32_t epoch;
	const struct top_hot *hot; /* or NULL */
	struct top_part *lines;
};

/* What there is besides of the row with this key. Programs may be adding. */
static void add_hot(const struct part *part, const struct top_key *key,
		    struct top_row *row)
{
	const struct top_hot *hot =
		&part->hot[top_hot_index(part->epoch, key->hash, key->pid)];

	if (__atomic_load_n(&hot->sk, __ATOMIC_ACQUIRE) != key->sk ||
	    hot->hash != key->hash || hot->pid != key->pid)
		return;
	row->rx_bytes += __atomic_load_n(&hot->rx_bytes, __ATOMIC_RELAXED);
	row->tx_bytes += __atomic_load_n(&hot->tx_bytes, __ATOMIC_RELAXED);
}

static int on_row(void *ctx, const void *key, const void *value)
{
	const struct part *part = ctx;
	const struct top_key *k = key;
	struct top_row row = *(const struct top_row *)value;

	if (part->hot)
		add_hot(part, k, &row);
	return top_part_add(part->lines, k->pid, &row,
			    top_args.by == TOP_BY_PID);
}

static void *read_part(void *ctx)
{
	struct part *part = ctx;

	part->err = nb_drain_read(part->map, sizeof(struct top_key),
				  sizeof(struct top_row), on_row, part);
	return NULL;
}

/* Half of what was read last, that of the interval before the present one. */
static struct part part_of(struct top_counts *c, size_t i, bool by_pid)
{
	return (struct part){
		.map = c->map[i],
		.epoch = !c->config.epoch,
		.hot = c->hot,
		.lines = &c->lines.part[by_pid ? 0 : i],
	};
}

/* The rows of both maps, by a thread each. */
static int read_rows(struct top_counts *c)
{
	struct part even = part_of(c, 0, false), odd = part_of(c, 1, false);
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

/* 0; -1 and errno. */
static int map_hot(struct top_counts *c)
{
	int map = nb_prog_map(c->prog, "hot");
	void *hot;

	if (map < 0)
		return 0;
	hot = mmap(NULL, HOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (hot == MAP_FAILED)
		return -1;
	c->hot = hot;
	return 0;
}

void top_counts_free(struct top_counts *c)
{
	top_lines_free(&c->lines);
	if (c->hot)
		munmap(c->hot, HOT_SIZE);
}

/* Nobody adds to them any more. */
static void clear_hot(struct top_counts *c)
{
	struct top_hot *hot = c->hot + (c->config.epoch ? 0 : TOP_HOT);

	for (size_t i = 0; i < TOP_HOT; i++)
		if (hot[i].taken)
			memset(&hot[i], 0, sizeof(hot[i]));
}

int top_counts_start(struct top_counts *c, const struct nb_prog *prog,
		     const struct nb_filter *filter)
{
	const uint32_t zero = 0;
	int map = nb_prog_map(prog, "config");

	c->prog = prog;
	if (map_hot(c))
		return -errno;
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
	for (size_t i = 0; i < TOP_PARTS && !err; i++) {
		struct part part = part_of(c, i, by_pid);

		err = nb_drain_clear(part.map, sizeof(struct top_key),
				     sizeof(struct top_row), on_row, &part);
	}
	if (c->hot)
		clear_hot(c);
	top_lines_clear(&c->lines, by_pid);
	return err;
}
