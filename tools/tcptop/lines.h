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
	uint32_t line; /* 1 + its index; 0: none */
};

/* Zero-initialise; top_lines_free() at the end. */
struct top_lines {
	struct top_line *line; /* as they came */
	uint32_t *order;       /* their indices as they were sorted */
	size_t n;
	uint64_t rx_bytes; /* of all of them */
	uint64_t tx_bytes;
	uint32_t conns;
	/* Ours alone. */
	size_t room;
	struct top_slot *slot;
	size_t slots; /* a power of two */
};

/*
 * Add what the process @pid and @row->comm did on one connection: to the line
 * of the same process and connection, or of the same process when @by_pid, or
 * as a new line. 0 or -ENOMEM.
 */
int top_lines_add(struct top_lines *lines, uint32_t pid,
		  const struct top_row *row, bool by_pid);

/* Put them in order; lines that are equal in that go by pid and ports. 0
 * or -ENOMEM. */
int top_lines_sort(struct top_lines *lines, enum top_sort sort);

/* Forget them all, and keep room for the next. */
void top_lines_clear(struct top_lines *lines);
void top_lines_free(struct top_lines *lines);

#endif
