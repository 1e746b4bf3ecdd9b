// SPDX-License-Identifier: Apache-2.0
#include "sums.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "drain.h"
#include "rows.h"
#include "table.h"

struct err_sum {
	struct err_sum_key key;
	uint64_t n;
	uint64_t of_reason; /* all peers' */
};

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct err_sum_key));
}

void err_sums_key(const struct err_event *e, struct err_sum_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->reason = e->reason;
	ret->kernel_reason = e->reason == ERR_OTHER ? e->kernel_reason : 0;
	if (err_args.by != ERR_BY_PEER)
		return;
	ret->ip = e->ip;
	memcpy(ret->peer, e->reason == ERR_RESET_SENT ? e->daddr : e->saddr,
	       sizeof(ret->peer));
}

/* The sum of @key, an old or a new one; NULL when there are @max or no memory.
 */
static struct err_sum *find(struct err_sums *sums,
			    const struct err_sum_key *key, size_t max)
{
	struct err_sum **found = tfind(key, &sums->tree, compare_keys), *sum;

	if (found)
		return *found;
	sum = sums->n < max ? calloc(1, sizeof(*sum)) : NULL;
	if (!sum)
		return NULL;
	sum->key = *key;
	if (!tsearch(sum, &sums->tree, compare_keys)) {
		free(sum);
		return NULL;
	}
	sums->n++;
	return sum;
}

int err_sums_add(struct err_sums *sums, const struct err_sum_key *key,
		 size_t max)
{
	struct err_sum *sum = find(sums, key, max);

	if (!sum)
		return sums->n < max ? -ENOMEM : -ENOSPC;
	sum->n++;
	return 0;
}

int err_sums_set(struct err_sums *sums, const struct err_sum_key *key,
		 uint64_t n)
{
	struct err_sum *sum = find(sums, key, SIZE_MAX);

	if (!sum)
		return -ENOMEM;
	sum->n = n;
	return 0;
}

static int on_sum(void *ctx, const void *key, const void *value)
{
	return err_sums_set(ctx, key, *(const uint64_t *)value);
}

int err_sums_take(struct err_sums *sums, const struct nb_prog *prog,
		  struct err_config *config, bool last)
{
	int map = nb_prog_map(prog, config->epoch ? "sums1" : "sums0");
	const uint32_t zero = 0;
	int err = 0;

	if (!last) {
		config->epoch = !config->epoch;
		err = nb_prog_set(prog, "config", &zero, sizeof(zero), config,
				  sizeof(*config));
	}
	if (err)
		return err;
	nb_drain_wait();
	return nb_drain_clear(map, sizeof(struct err_sum_key), sizeof(uint64_t),
			      on_sum, sums);
}

/* twalk_r(3) hands over a node and what is collected. */
struct list {
	struct err_sum *sum;
	size_t n;
};

static void collect(const void *node, VISIT visit, void *ctx)
{
	struct list *list = ctx;
	struct err_sum *sum = *(struct err_sum *const *)node;

	if (visit == postorder || visit == leaf)
		list->sum[list->n++] = *sum;
}

static int compare_sums(const void *a, const void *b)
{
	const struct err_sum *x = a, *y = b;

	if (x->of_reason != y->of_reason)
		return x->of_reason > y->of_reason ? -1 : 1;
	if (x->key.reason != y->key.reason)
		return x->key.reason < y->key.reason ? -1 : 1;
	if (x->key.kernel_reason != y->key.kernel_reason)
		return x->key.kernel_reason < y->key.kernel_reason ? -1 : 1;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return compare_keys(x, y);
}

static void add_up_reasons(struct list *list)
{
	uint64_t of[ERR_REASONS] = { 0 };

	for (size_t i = 0; i < list->n; i++)
		of[list->sum[i].key.reason % ERR_REASONS] += list->sum[i].n;
	for (size_t i = 0; i < list->n; i++)
		list->sum[i].of_reason =
			of[list->sum[i].key.reason % ERR_REASONS];
}

enum { COL_TIME, COL_COUNT, COL_REASON, COL_IP, COL_PEER, COLS };

static const struct nb_col columns[COLS] = {
	[COL_TIME] = { "TIME", "time", 9 },
	[COL_COUNT] = { "COUNT", "count", -9 },
	[COL_REASON] = { "REASON", "reason", 24 },
	[COL_IP] = { "IP", "ip", 2 },
	[COL_PEER] = { "PEER", "peer", 24 },
};

static int print(struct nb_table *table, const struct list *list,
		 const struct err_names *names, uint64_t time_ns)
{
	int err = 0;

	nb_table_header(table);
	for (size_t i = 0; i < list->n && !err; i++) {
		const struct err_sum_key *key = &list->sum[i].key;
		struct nb_cell c[COLS];

		c[COL_TIME] = nb_cell_time(time_ns);
		c[COL_COUNT] = nb_cell_u64(list->sum[i].n);
		c[COL_REASON] = nb_cell_str(err_rows_reason(
			names, key->reason, key->kernel_reason));
		c[COL_IP] = key->ip ? nb_cell_u64(key->ip) : nb_cell_none();
		c[COL_PEER] = nb_cell_addr(key->ip, key->peer);
		err = nb_table_row(table, c);
	}
	return err ? err : nb_table_flush(table);
}

int err_sums_print(const struct err_sums *sums, const struct err_names *names,
		   uint64_t time_ns)
{
	const struct nb_table_opts opts = {
		.json = err_args.json,
		.no_header = nb_log_is_quiet(),
		.micro = err_args.micro,
	};
	struct list list = { 0 };
	struct nb_table *table;
	int err;

	list.sum = calloc(sums->n + 1, sizeof(*list.sum));
	if (!list.sum)
		return -ENOMEM;
	twalk_r(sums->tree, collect, &list);
	add_up_reasons(&list);
	qsort(list.sum, list.n, sizeof(*list.sum), compare_sums);
	err = nb_table_new(columns, COLS, &opts, stdout, &table);
	if (!err) {
		if (err_args.by != ERR_BY_PEER) {
			nb_table_hide(table, COL_IP);
			nb_table_hide(table, COL_PEER);
		}
		err = print(table, &list, names, time_ns);
		nb_table_free(table);
	}
	free(list.sum);
	return err;
}

void err_sums_clear(struct err_sums *sums)
{
	tdestroy(sums->tree, free);
	memset(sums, 0, sizeof(*sums));
}
