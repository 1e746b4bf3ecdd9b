// SPDX-License-Identifier: Apache-2.0
#include "stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* In the order of what is written of them, so that equals are neighbours. */
static int compare_lines(const void *a, const void *b)
{
	const struct http_stacked *x = *(struct http_stacked *const *)a;
	const struct http_stacked *y = *(struct http_stacked *const *)b;
	int diff = strcmp(x->whose.comm, y->whose.comm);

	for (uint32_t i = 1; !diff && i <= x->n && i <= y->n; i++) {
		const struct http_shared *f = x->frame[x->n - i];
		const struct http_shared *g = y->frame[y->n - i];

		if (f != g)
			diff = strcmp(f->text, g->text);
	}
	return diff ? diff : (x->n > y->n) - (x->n < y->n);
}

/* What separates frames, and what begins a comment, is in no name. */
static void put_name(FILE *out, const char *text)
{
	for (; *text; text++)
		putc_unlocked(*text == ';' ? ',' : *text, out);
}

static void put_line(FILE *out, const struct http_stacked *s, uint64_t us)
{
	char comm[sizeof(s->whose.comm)];

	memcpy(comm, s->whose.comm, sizeof(comm));
	comm[sizeof(comm) - 1] = '\0';
	nb_utf8_clean(comm);
	put_name(out, *comm ? comm : "?");
	for (uint32_t i = s->n; i--;) {
		putc_unlocked(';', out);
		put_name(out, s->frame[i]->text);
	}
	fprintf(out, " %" PRIu64 "\n", us);
}

static void put_others(FILE *out, const char *role, uint64_t us)
{
	if (us)
		fprintf(out, "[other stacks];%s %" PRIu64 "\n", role, us);
}

int http_folded_write(FILE *out, void *ctx)
{
	const struct http_stacks *stacks = ctx;
	uint32_t n = stacks->nstacked;
	struct http_stacked **list;

	list = malloc((n + 1) * sizeof(struct http_stacked *));
	if (!list)
		return -ENOMEM;
	errno = 0;
	if (n)
		memcpy(list, stacks->stacked, n * sizeof(list[0]));
	qsort(list, n, sizeof(list[0]), compare_lines);
	for (uint32_t i = 0; i < n;) {
		const struct http_stacked *first = list[i];
		uint64_t us = 0;

		for (; i < n && !compare_lines(&first, &list[i]); i++)
			us += list[i]->us;
		if (us)
			put_line(out, first, us);
	}
	put_others(out, "clients", stacks->others_us[0]);
	put_others(out, "servers", stacks->others_us[1]);
	free(list);
	if (ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
