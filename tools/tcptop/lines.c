// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_ROOM 256 /* lines; a power of two */
#define LARGE (4 << 20)

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

static uint32_t hash_of(uint32_t pid, const struct top_row *row, bool by_pid)
{
	uint64_t hash = mix(0, pid), word;

	if (by_pid)
		return (uint32_t)hash;
	hash = mix(hash, (uint64_t)row->netns << 32 |
				 (uint32_t)row->sport << 16 | row->dport);
	for (size_t i = 0; i < sizeof(row->daddr); i += sizeof(word)) {
		memcpy(&word, row->daddr + i, sizeof(word));
		hash = mix(hash, word);
		memcpy(&word, row->saddr + i, sizeof(word));
		hash = mix(hash, word);
	}
	return (uint32_t)hash;
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
static struct top_slot *find_slot(const struct top_lines *l, uint32_t hash,
				  uint32_t pid, const struct top_row *row,
				  bool by_pid)
{
	for (size_t at = hash;; at++) {
		struct top_slot *slot = &l->slot[at & (l->slots - 1)];

		if (!slot->line ||
		    (slot->hash == hash &&
		     same(&l->line[slot->line - 1], pid, row, by_pid)))
			return slot;
	}
}

/* Twice the slots; the lines themselves are not looked at. */
static int grow_slots(struct top_lines *l, size_t slots)
{
	struct top_slot *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < l->slots; i++) {
		size_t at = l->slot[i].hash;

		if (!l->slot[i].line)
			continue;
		while (slot[at & (slots - 1)].line)
			at++;
		slot[at & (slots - 1)] = l->slot[i];
	}
	free(l->slot);
	l->slot = slot;
	l->slots = slots;
	return 0;
}

/* Of many pages, each would be a fault of its own; some kernels have larger. */
static void want_large_pages(void *mem, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = ((uintptr_t)mem + page - 1) & -page;
	uintptr_t end = ((uintptr_t)mem + size) & -page;

	if (size >= LARGE)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}

static int grow(struct top_lines *l)
{
	size_t room = l->room ? 2 * l->room : FIRST_ROOM;
	struct top_line *line = realloc(l->line, room * sizeof(*line));

	if (!line)
		return -ENOMEM;
	l->line = line;
	want_large_pages(line, room * sizeof(*line));
	if (grow_slots(l, 2 * room))
		return -ENOMEM;
	l->room = room;
	return 0;
}

int top_lines_add(struct top_lines *lines, uint32_t pid,
		  const struct top_row *row, bool by_pid)
{
	uint32_t hash = hash_of(pid, row, by_pid);
	struct top_line *line;
	struct top_slot *slot;

	if (lines->n == lines->room && grow(lines))
		return -ENOMEM;
	slot = find_slot(lines, hash, pid, row, by_pid);
	lines->rx_bytes += row->rx_bytes;
	lines->tx_bytes += row->tx_bytes;
	if (slot->line) {
		line = &lines->line[slot->line - 1];
		line->row.rx_bytes += row->rx_bytes;
		line->row.tx_bytes += row->tx_bytes;
		line->conns += by_pid;
		lines->conns += by_pid;
		return 0;
	}
	line = &lines->line[lines->n++];
	*slot = (struct top_slot){ .hash = hash, .line = (uint32_t)lines->n };
	line->row = *row;
	line->pid = pid;
	line->conns = 1;
	lines->conns++;
	return 0;
}

/* What a line is sorted by: least first, by @high and then by @low. */
struct rank {
	uint64_t high;
	uint64_t low; /* process and ports */
	uint32_t index;
};

#define DIGIT_BITS 11
#define DIGITS (1 << DIGIT_BITS)

/*
 * Sort @from by the digit at @shift of @high, or of @low, into @to, keeping the
 * order of those that are equal. False when all are, and nothing was done.
 */
static bool sort_by_digit(const struct rank *from, struct rank *to, size_t n,
			  bool high, unsigned shift)
{
	uint32_t at[DIGITS] = { 0 }, sum = 0;
#define DIGIT(r) (((high ? (r)->high : (r)->low) >> shift) & (DIGITS - 1))

	for (size_t i = 0; i < n; i++)
		at[DIGIT(&from[i])]++;
	if (at[DIGIT(&from[0])] == n)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		uint32_t count = at[i];

		at[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[DIGIT(&from[i])]++] = from[i];
	return true;
#undef DIGIT
}

/* By all digits, the least significant first. Returns which of both has it. */
static struct rank *sort_ranks(struct rank *ranks, struct rank *spare, size_t n)
{
	for (unsigned high = 0; high < 2; high++) {
		for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
			struct rank *sorted = spare;

			if (!sort_by_digit(ranks, spare, n, high, shift))
				continue;
			spare = ranks;
			ranks = sorted;
		}
	}
	return ranks;
}

static struct rank rank_of(const struct top_line *line, enum top_sort sort)
{
	const struct top_row *row = &line->row;
	uint64_t bytes = (sort != TOP_SORT_TX ? row->rx_bytes : 0) +
			 (sort != TOP_SORT_RX ? row->tx_bytes : 0);

	return (struct rank){ .high = ~bytes, /* most first */
			      .low = (uint64_t)line->pid << 32 |
				     (uint32_t)row->sport << 16 | row->dport };
}

/* As they are sorted, but process by process. */
static struct rank *group(struct rank *ranks, struct rank *spare, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ranks[i].high = ranks[i].low >> 32;
		ranks[i].low = 0;
	}
	return sort_ranks(ranks, spare, n);
}

int top_lines_sort(struct top_lines *lines, enum top_sort sort)
{
	size_t n = lines->n;
	struct rank *both, *ranks;
	uint32_t *order;

	if (!n)
		return 0;
	both = malloc(2 * n * sizeof(*both));
	order = realloc(lines->order, n * sizeof(*order));
	if (order)
		lines->order = order;
	if (!both || !order) {
		free(both);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		both[i] = rank_of(&lines->line[i], sort);
		both[i].index = (uint32_t)i;
	}
	ranks = sort_ranks(both, both + n, n);
	if (sort == TOP_SORT_PID)
		ranks = group(ranks, ranks == both ? both + n : both, n);
	for (size_t i = 0; i < n; i++)
		order[i] = ranks[i].index;
	free(both);
	return 0;
}

void top_lines_clear(struct top_lines *lines)
{
	/* What one interval wanted, the next may not. */
	if (lines->room > 16 * FIRST_ROOM && lines->n < lines->room / 16) {
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
