// SPDX-License-Identifier: Apache-2.0
#include "../../tools/tcptop/lines.c"

#include "test.h"

static struct top_row row_of(uint16_t sport, uint16_t dport, uint64_t rx,
			     uint64_t tx)
{
	return (struct top_row){ .rx_bytes = rx,
				 .tx_bytes = tx,
				 .saddr = { 10, 0, 0, 1 },
				 .daddr = { 10, 0, 0, 2 },
				 .sport = sport,
				 .dport = dport,
				 .ip = 4 };
}

static void add(struct top_lines *l, uint32_t pid, uint16_t sport,
		uint16_t dport, uint64_t rx, uint64_t tx, bool by_pid_only)
{
	struct top_row row = row_of(sport, dport, rx, tx);

	if (top_lines_add(l, pid, &row, by_pid_only))
		abort();
}

/* "pid:sport=rx/tx " for each. */
static void shows(const struct top_lines *l, const char *want, const char *name)
{
	char got[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct top_line *line =
			&l->line[l->order ? l->order[i] : i];

		len += (size_t)snprintf(got + len, sizeof(got) - len,
					"%u:%u=%llu/%llu ", line->pid,
					line->row.sport,
					(unsigned long long)line->row.rx_bytes,
					(unsigned long long)line->row.tx_bytes);
	}
	test_str(got, want, name);
}

static void merging(void)
{
	struct top_lines l = { 0 };
	struct top_row row = row_of(1, 80, 1, 1);

	add(&l, 7, 1, 80, 1, 2, false);
	add(&l, 7, 1, 80, 10, 20, false);
	shows(&l, "7:1=11/22 ", "the same connection is one line");
	add(&l, 8, 1, 80, 1, 0, false);
	add(&l, 7, 1, 81, 2, 0, false);
	add(&l, 7, 2, 80, 3, 0, false);
	row.saddr[3] = 9;
	top_lines_add(&l, 7, &row, false);
	row.saddr[3] = 1;
	row.netns = 5;
	top_lines_add(&l, 7, &row, false);
	row.netns = 0;
	row.ip = 6;
	top_lines_add(&l, 7, &row, false);
	test_int((long long)l.n, 7, "whatever differs makes another");
	test_int((long long)l.rx_bytes, 11 + 6 + 3, "all received");
	test_int((long long)l.tx_bytes, 22 + 3, "all sent");
	test_int(l.conns, 7, "all connections");
	top_lines_clear(&l);
	test_int((long long)l.n + (long long)l.rx_bytes + l.conns, 0,
		 "and none after");
	add(&l, 7, 1, 80, 1, 2, false);
	shows(&l, "7:1=1/2 ", "it can be used again");
	top_lines_free(&l);
}

static void processes(void)
{
	struct top_lines l = { 0 };

	add(&l, 7, 1, 80, 1, 2, true);
	add(&l, 7, 2, 80, 1, 2, true);
	add(&l, 9, 1, 80, 5, 5, true);
	test_int((long long)l.n, 2, "a line for each process");
	test_int(l.line[0].conns, 2, "which has two connections");
	test_int((long long)l.line[0].row.rx_bytes, 2, "and all their bytes");
	test_int(l.conns, 3, "three in all");
	top_lines_free(&l);
}

static void sorting(void)
{
	struct top_lines l = { 0 };

	test_int(top_lines_sort(&l, TOP_SORT_ALL), 0, "nothing is sorted");
	add(&l, 3, 1, 80, 10, 0, false);
	add(&l, 2, 2, 80, 4, 5, false);
	add(&l, 1, 3, 80, 0, 8, false);
	add(&l, 3, 5, 80, 8, 0, false);
	add(&l, 3, 4, 80, 8, 0, false);
	top_lines_sort(&l, TOP_SORT_ALL);
	shows(&l, "3:1=10/0 2:2=4/5 1:3=0/8 3:4=8/0 3:5=8/0 ", "by both");
	top_lines_sort(&l, TOP_SORT_RX);
	shows(&l, "3:1=10/0 3:4=8/0 3:5=8/0 2:2=4/5 1:3=0/8 ", "by received");
	top_lines_sort(&l, TOP_SORT_TX);
	shows(&l, "1:3=0/8 2:2=4/5 3:1=10/0 3:4=8/0 3:5=8/0 ", "by sent");
	top_lines_sort(&l, TOP_SORT_PID);
	shows(&l, "1:3=0/8 2:2=4/5 3:1=10/0 3:4=8/0 3:5=8/0 ", "by process");
	top_lines_clear(&l);
	add(&l, 1, 1, 80, 1, 1, false);
	add(&l, 1, 1, 80, 1, 1, false);
	top_lines_sort(&l, TOP_SORT_ALL);
	shows(&l, "1:1=2/2 ", "lines are found after that");
	top_lines_free(&l);
}

/* Every line is found again, and room is given back. */
static void many(void)
{
	const unsigned n = 100000;
	struct top_lines l = { 0 };
	unsigned wrong = 0;

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < n; i++)
			add(&l, i / 7, (uint16_t)(i / 50), (uint16_t)(i % 50),
			    i, 1, false);
	test_int((long long)l.n, n, "100,000 lines");
	for (unsigned i = 0; i < n; i++)
		wrong += l.line[i].row.rx_bytes != 2 * (uint64_t)i;
	test_int(wrong, 0, "each with its own bytes");
	top_lines_sort(&l, TOP_SORT_ALL);
	for (unsigned i = 1; i < n; i++)
		wrong += l.line[l.order[i]].row.rx_bytes >
			 l.line[l.order[i - 1]].row.rx_bytes;
	test_int(wrong, 0, "sorted");
	top_lines_clear(&l);
	add(&l, 1, 1, 80, 1, 1, false);
	top_lines_clear(&l);
	test_int((long long)l.room, 0, "room for that many is not kept");
	top_lines_free(&l);
}

int main(void)
{
	merging();
	processes();
	sorting();
	many();
	return test_done();
}
