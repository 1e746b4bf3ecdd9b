/* SPDX-License-Identifier: Apache-2.0 */
/* What an interval has come to: lines that are added up and sorted. */
#ifndef NB_TCPTOP_LINES_H
#define NB_TCPTOP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcptop.h"

struct top_line {
	struct top_row row;
	uint32_t pid;
	uint32_t conns; /* connections in it */
};

/* 1 + the index of the word of --sort. */
enum top_sort {
	TOP_SORT_ALL = 1, /* received and sent, most first */
	TOP_SORT_RX,
	TOP_SORT_TX,
	TOP_SORT_PID, /* least first, and then as TOP_SORT_ALL */
};

/* Of a hash table of lines. */
struct top_slot {
	uint32_t hash;
	uint32_t line; /* 1 + its number; 0: none */
};

/* Lines that one thread adds up. All of it is ours alone. */
struct top_part {
	struct top_line **block; /* of TOP_BLOCK lines, as they came */
	size_t blocks;
	size_t n; /* lines */
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint32_t conns;
	struct top_slot *slot;
	size_t slots; /* a power of two */
};

#define TOP_BLOCK ((2 << 20) / sizeof(struct top_line))
#define TOP_PARTS 2

/* Zero-initialise; top_lines_free() at the end. */
struct top_lines {
	/* Since top_lines_sort(): */
	const struct top_line **order;
	size_t n;
	uint64_t rx_bytes; /* of all of them */
	uint64_t tx_bytes;
	uint32_t conns;
	/* Until then: */
	struct top_part part[TOP_PARTS];
};

/*
 * Add what the process @pid and @row->comm did on one connection: to the line
 * of the same process and connection, or of the same process when @by_pid, or
 * as a new line. 0 or -ENOMEM.
 */
int top_part_add(struct top_part *part, uint32_t pid, const struct top_row *row,
		 bool by_pid);

/*
 * Put all parts' lines in order; those that are equal in that go by pid and
 * ports. Without @by_pid, no two parts may have lines of the same process and
 * connection. 0 or -ENOMEM.
 */
int top_lines_sort(struct top_lines *lines, enum top_sort sort, bool by_pid);

/* Number @i of @lines->n, not sorted but as they are in memory. */
const struct top_line *top_lines_at(const struct top_lines *lines, size_t i);

/*
 * Forget them all but for what has come since they were read: after
 * top_lines_expect(), top_part_add() is to be called again for every row as it
 * is now; top_lines_clear() then leaves the differences as the first of the
 * next lines (of no connections, when @by_pid). With @by_pid, all rows go to
 * the first part.
 */
void top_lines_expect(struct top_lines *lines);
void top_lines_clear(struct top_lines *lines, bool by_pid);
void top_lines_free(struct top_lines *lines);

#endif
