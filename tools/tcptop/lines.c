// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256 /* lines; a power of two */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

static size_t hash_of(uint32_t pid, const struct top_row *row, bool by_pid)
{
	uint64_t hash = mix(0, pid), word;

	if (by_pid)
		return (size_t)hash;
	hash = mix(hash, (uint64_t)row->netns << 32 |
				 (uint32_t)row->sport << 16 | row->dport);
	for (size_t i = 0; i < sizeof(row->daddr); i += sizeof(word)) {
		memcpy(&word, row->daddr + i, sizeof(word));
		hash = mix(hash, word);
		memcpy(&word, row->saddr + i, sizeof(word));
		hash = mix(hash, word);
	}
	return (size_t)hash;
}

static bool same(const struct top_line *line, uint32_t pid,
		 const struct top_row *row, bool by_pid)
{
	const struct top_row *other = &line->row;

	if (line->pid != pid || by_pid)
		return line->pid == pid;
	return other->sport == row->sport && other->dport == row->dport &&
	       other->netns == row->netns && other->ip == row->ip &&
	       !memcmp(other->saddr, row->saddr, sizeof(row->saddr)) &&
	       !memcmp(other->daddr, row->daddr, sizeof(row->daddr));
}

/* The slot of that line, or the one where it would be. */
static uint32_t *find_slot(const struct top_lines *l, uint32_t pid,
			   const struct top_row *row, bool by_pid)
{
	size_t at = hash_of(pid, row, by_pid);

	for (;; at++) {
		uint32_t *slot = &l->slot[at & (l->slots - 1)];

		if (!*slot || same(&l->line[*slot - 1], pid, row, by_pid))
			return slot;
	}
}

static int grow(struct top_lines *l, bool by_pid)
{
	size_t room = l->room ? 2 * l->room : FIRST_ROOM;
	struct top_line *line = realloc(l->line, room * sizeof(*line));
	uint32_t *slot;

	if (!line)
		return -ENOMEM;
	l->line = line;
	slot = calloc(2 * room, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(l->slot);
	l->slot = slot;
	l->slots = 2 * room;
	l->room = room;
	for (size_t i = 0; i < l->n; i++)
		*find_slot(l, line[i].pid, &line[i].row, by_pid) =
			(uint32_t)i + 1;
	return 0;
}

int top_lines_add(struct top_lines *lines, uint32_t pid,
		  const struct top_row *row, bool by_pid)
{
	struct top_line *line;
	uint32_t *slot;

	if (lines->n == lines->room && grow(lines, by_pid))
		return -ENOMEM;
	slot = find_slot(lines, pid, row, by_pid);
	lines->rx_bytes += row->rx_bytes;
	lines->tx_bytes += row->tx_bytes;
	if (*slot) {
		line = &lines->line[*slot - 1];
		line->row.rx_bytes += row->rx_bytes;
		line->row.tx_bytes += row->tx_bytes;
		line->conns += by_pid;
		lines->conns += by_pid;
		return 0;
	}
	line = &lines->line[lines->n++];
	*slot = (uint32_t)lines->n;
	line->row = *row;
	line->pid = pid;
	line->conns = 1;
	lines->conns++;
	return 0;
}

/* What a line is sorted by: most bytes first, then the least of the rest. */
struct rank {
	uint64_t bytes;
	uint64_t rest; /* process and ports */
	uint32_t index;
};

static int by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->rest > y->rest ? 1 : x->rest < y->rest ? -1 : 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->rest >> 32 != y->rest >> 32)
		return x->rest > y->rest ? 1 : -1;
	return by_rank(a, b);
}

int top_lines_sort(struct top_lines *lines, enum top_sort sort)
{
	struct rank *ranks;
	uint32_t *order;

	if (!lines->n)
		return 0;
	ranks = malloc(lines->n * sizeof(*ranks));
	order = realloc(lines->order, lines->n * sizeof(*order));
	if (order)
		lines->order = order;
	if (!ranks || !order) {
		free(ranks);
		return -ENOMEM;
	}
	for (size_t i = 0; i < lines->n; i++) {
		const struct top_row *row = &lines->line[i].row;

		ranks[i].bytes = (sort != TOP_SORT_TX ? row->rx_bytes : 0) +
				 (sort != TOP_SORT_RX ? row->tx_bytes : 0);
		ranks[i].rest = (uint64_t)lines->line[i].pid << 32 |
				(uint32_t)row->sport << 16 | row->dport;
		ranks[i].index = (uint32_t)i;
	}
	qsort(ranks, lines->n, sizeof(*ranks),
	      sort == TOP_SORT_PID ? by_pid : by_rank);
	for (size_t i = 0; i < lines->n; i++)
		order[i] = ranks[i].index;
	free(ranks);
	return 0;
}

void top_lines_clear(struct top_lines *lines)
{
	/* What one interval wanted, the next may not. */
	if (lines->room > 16 * FIRST_ROOM && lines->n < lines->room / 8) {
		top_lines_free(lines);
		return;
	}
	lines->n = 0;
	lines->rx_bytes = 0;
	lines->tx_bytes = 0;
	lines->conns = 0;
	if (lines->slot)
		memset(lines->slot, 0, lines->slots * sizeof(*lines->slot));
}

void top_lines_free(struct top_lines *lines)
{
	free(lines->line);
	free(lines->order);
	free(lines->slot);
	memset(lines, 0, sizeof(*lines));
}
