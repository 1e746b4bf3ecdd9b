// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_SLOTS 512 /* a power of two */
#define LARGE_PAGE (2 << 20)

/*
 * Memory for free(), a lot of it: of large pages, as a fault for each small one
 * would take longer than what is done with it. NULL: there is none.
 */
static void *alloc_large(size_t size)
{
	void *mem;

	if (size < LARGE_PAGE)
		return malloc(size);
	size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	mem = aligned_alloc(LARGE_PAGE, size);
	if (mem)
		madvise(mem, size, MADV_HUGEPAGE);
	return mem;
}

static struct top_line *line_at(const struct top_part *p, size_t i)
{
	return &p->block[i / TOP_BLOCK][i % TOP_BLOCK];
}

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
static struct top_slot *find_slot(const struct top_part *p, uint32_t hash,
				  uint32_t pid, const struct top_row *row,
				  bool by_pid)
{
	for (size_t at = hash;; at++) {
		struct top_slot *slot = &p->slot[at & (p->slots - 1)];

		if (!slot->line ||
		    (slot->hash == hash &&
		     same(line_at(p, slot->line - 1), pid, row, by_pid)))
			return slot;
	}
}

/* The lines themselves are not looked at. */
static int grow_slots(struct top_part *p, size_t slots)
{
	struct top_slot *slot = alloc_large(slots * sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	memset(slot, 0, slots * sizeof(*slot));
	for (size_t i = 0; i < p->slots; i++) {
		size_t at = p->slot[i].hash;

		if (!p->slot[i].line)
			continue;
		while (slot[at & (slots - 1)].line)
			at++;
		slot[at & (slots - 1)] = p->slot[i];
	}
	free(p->slot);
	p->slot = slot;
	p->slots = slots;
	return 0;
}

/* The first block is of small pages, as it is seldom filled. */
static int add_block(struct top_part *p)
{
	size_t size = TOP_BLOCK * sizeof(**p->block);
	struct top_line **block =
		realloc(p->block, (p->blocks + 1) * sizeof(*block));

	if (!block)
		return -ENOMEM;
	p->block = block;
	block[p->blocks] = p->blocks ? alloc_large(size) : malloc(size);
	if (!block[p->blocks])
		return -ENOMEM;
	p->blocks++;
	return 0;
}

/* Room for one more line. */
static int make_room(struct top_part *p)
{
	int err = 0;

	if (p->n == p->blocks * TOP_BLOCK)
		err = add_block(p);
	if (!err && 2 * p->n >= p->slots)
		err = grow_slots(p, p->slots ? 4 * p->slots : FIRST_SLOTS);
	return err;
}

static int add(struct top_part *p, uint32_t pid, const struct top_row *row,
	       uint32_t conns, bool by_pid)
{
	uint32_t hash = hash_of(pid, row, by_pid);
	struct top_line *line;
	struct top_slot *slot;

	if (make_room(p))
		return -ENOMEM;
	slot = find_slot(p, hash, pid, row, by_pid);
	p->rx_bytes += row->rx_bytes;
	p->tx_bytes += row->tx_bytes;
	if (slot->line) {
		line = line_at(p, slot->line - 1);
		line->row.rx_bytes += row->rx_bytes;
		line->row.tx_bytes += row->tx_bytes;
		line->conns += by_pid ? conns : 0;
		p->conns += by_pid ? conns : 0;
		return 0;
	}
	line = line_at(p, p->n++);
	*slot = (struct top_slot){ .hash = hash, .line = (uint32_t)p->n };
	line->row = *row;
	line->pid = pid;
	line->conns = conns;
	p->conns += conns;
	return 0;
}

int top_part_add(struct top_part *part, uint32_t pid, const struct top_row *row,
		 bool by_pid)
{
	return add(part, pid, row, 1, by_pid);
}

static void free_part(struct top_part *p)
{
	for (size_t i = 0; i < p->blocks; i++)
		free(p->block[i]);
	free(p->block);
	free(p->slot);
	memset(p, 0, sizeof(*p));
}

static void clear_part(struct top_part *p)
{
	/* What one interval wanted, the next may not. */
	if (p->blocks > 1 && p->n < (p->blocks - 1) * TOP_BLOCK / 16) {
		free_part(p);
		return;
	}
	p->n = 0;
	p->rx_bytes = 0;
	p->tx_bytes = 0;
	p->conns = 0;
	if (p->slot)
		memset(p->slot, 0, p->slots * sizeof(*p->slot));
}

/* Clear @p, but for lines with bytes. They only move to the front. */
static void clear_all_but_late(struct top_part *p, bool by_pid)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct top_line *line = line_at(p, i);

		if (line->row.rx_bytes || line->row.tx_bytes)
			*line_at(p, n++) = *line;
	}
	if (!n) {
		clear_part(p);
		return;
	}
	p->n = 0;
	p->rx_bytes = 0;
	p->tx_bytes = 0;
	p->conns = 0;
	memset(p->slot, 0, p->slots * sizeof(*p->slot));
	for (size_t i = 0; i < n; i++) {
		struct top_line line = *line_at(p, i);

		add(p, line.pid, &line.row, by_pid ? 0 : 1, by_pid);
	}
}

/* The processes' lines of all parts, into the first one. */
static int join(struct top_lines *l)
{
	int err = 0;

	for (size_t i = 1; i < TOP_PARTS; i++) {
		struct top_part *p = &l->part[i];

		for (size_t n = 0; n < p->n && !err; n++)
			err = add(&l->part[0], line_at(p, n)->pid,
				  &line_at(p, n)->row, line_at(p, n)->conns,
				  true);
		clear_part(p);
	}
	return err;
}

/* What a line is sorted by: least first, by @high and then by @low. */
struct rank {
	uint64_t high;
	uint64_t low; /* process and ports */
	const struct top_line *line;
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

	return (struct rank){ .line = line,
			      .high = ~bytes, /* most first */
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

static int put_in_order(struct top_lines *l, enum top_sort sort)
{
	size_t n = l->n, at = 0;
	struct rank *both = alloc_large(2 * n * sizeof(*both)), *ranks;
	const struct top_line **order =
		realloc(l->order, n * sizeof(const struct top_line *));

	if (order)
		l->order = order;
	if (!both || !order) {
		free(both);
		return -ENOMEM;
	}
	for (size_t i = 0; i < TOP_PARTS; i++)
		for (size_t k = 0; k < l->part[i].n; k++)
			both[at++] = rank_of(line_at(&l->part[i], k), sort);
	ranks = sort_ranks(both, both + n, n);
	if (sort == TOP_SORT_PID)
		ranks = group(ranks, ranks == both ? both + n : both, n);
	for (size_t i = 0; i < n; i++)
		order[i] = ranks[i].line;
	free(both);
	return 0;
}

int top_lines_sort(struct top_lines *lines, enum top_sort sort, bool by_pid)
{
	int err = by_pid ? join(lines) : 0;

	lines->n = 0;
	lines->rx_bytes = 0;
	lines->tx_bytes = 0;
	lines->conns = 0;
	for (size_t i = 0; i < TOP_PARTS; i++) {
		lines->n += lines->part[i].n;
		lines->rx_bytes += lines->part[i].rx_bytes;
		lines->tx_bytes += lines->part[i].tx_bytes;
		lines->conns += lines->part[i].conns;
	}
	if (!err && lines->n)
		err = put_in_order(lines, sort);
	return err;
}

const struct top_line *top_lines_at(const struct top_lines *lines, size_t i)
{
	const struct top_part *p = lines->part;

	while (i >= p->n)
		i -= p++->n;
	return line_at(p, i);
}

void top_lines_expect(struct top_lines *lines)
{
	for (size_t i = 0; i < TOP_PARTS; i++) {
		struct top_part *p = &lines->part[i];

		for (size_t k = 0; k < p->n; k++) {
			struct top_line *line = line_at(p, k);

			line->row.rx_bytes = -line->row.rx_bytes;
			line->row.tx_bytes = -line->row.tx_bytes;
		}
	}
}

void top_lines_clear(struct top_lines *lines, bool by_pid)
{
	for (size_t i = 0; i < TOP_PARTS; i++)
		clear_all_but_late(&lines->part[i], by_pid);
	lines->n = 0;
	lines->rx_bytes = 0;
	lines->tx_bytes = 0;
	lines->conns = 0;
}

void top_lines_free(struct top_lines *lines)
{
	for (size_t i = 0; i < TOP_PARTS; i++)
		free_part(&lines->part[i]);
	free(lines->order);
	memset(lines, 0, sizeof(*lines));
}
