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

static void put(struct top_part *part, uint32_t pid, uint16_t sport,
		uint16_t dport, uint64_t rx, uint64_t tx, bool by_pid)
{
	struct top_row row = row_of(sport, dport, rx, tx);

	if (top_part_add(part, pid, &row, by_pid))
		abort();
}

/* "pid:sport=rx/tx " for each, after sorting by @sort. */
static void shows(struct top_lines *l, enum top_sort sort, const char *want,
		  const char *name)
{
	char got[512] = "";
	size_t len = 0;

	top_lines_sort(l, sort, false);
	for (size_t i = 0; i < l->n; i++) {
		const struct top_line *line = l->order[i];

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
	struct top_part *p = &l.part[0];
	struct top_row row = row_of(1, 80, 1, 1);

	put(p, 7, 1, 80, 1, 2, false);
	put(p, 7, 1, 80, 10, 20, false);
	shows(&l, TOP_SORT_ALL, "7:1=11/22 ",
	      "the same connection is one line");
	put(p, 8, 1, 80, 1, 0, false);
	put(p, 7, 1, 81, 2, 0, false);
	put(p, 7, 2, 80, 3, 0, false);
	row.saddr[3] = 9;
	top_part_add(p, 7, &row, false);
	row.saddr[3] = 1;
	row.netns = 5;
	top_part_add(p, 7, &row, false);
	row.netns = 0;
	row.ip = 6;
	top_part_add(p, 7, &row, false);
	top_lines_sort(&l, TOP_SORT_ALL, false);
	test_int((long long)l.n, 7, "whatever differs makes another");
	test_int((long long)l.rx_bytes, 11 + 6 + 3, "all received");
	test_int((long long)l.tx_bytes, 22 + 3, "all sent");
	test_int(l.conns, 7, "all connections");
	top_lines_free(&l);
}

static void processes(void)
{
	struct top_lines l = { 0 };

	put(&l.part[0], 7, 1, 80, 1, 2, true);
	put(&l.part[0], 7, 2, 80, 1, 2, true);
	put(&l.part[1], 9, 1, 80, 5, 5, true);
	put(&l.part[1], 7, 3, 80, 1, 2, true);
	put(&l.part[1], 7, 4, 80, 1, 2, true);
	top_lines_sort(&l, TOP_SORT_PID, true);
	test_int((long long)l.n, 2, "a line for each process, of all parts");
	test_int(l.order[0]->conns, 4, "which has four connections");
	test_int((long long)l.order[0]->row.rx_bytes, 4, "and all their bytes");
	test_int(l.conns, 5, "five in all");
	test_int((long long)l.tx_bytes, 13, "and all bytes");
	top_lines_free(&l);
}

static void sorting(void)
{
	struct top_lines l = { 0 };

	test_int(top_lines_sort(&l, TOP_SORT_ALL, false), 0,
		 "nothing is sorted");
	put(&l.part[0], 3, 1, 80, 10, 0, false);
	put(&l.part[0], 2, 2, 80, 4, 5, false);
	put(&l.part[1], 1, 3, 80, 0, 8, false);
	put(&l.part[0], 3, 5, 80, 8, 0, false);
	put(&l.part[1], 3, 4, 80, 8, 0, false);
	shows(&l, TOP_SORT_ALL, "3:1=10/0 2:2=4/5 1:3=0/8 3:4=8/0 3:5=8/0 ",
	      "by both");
	shows(&l, TOP_SORT_RX, "3:1=10/0 3:4=8/0 3:5=8/0 2:2=4/5 1:3=0/8 ",
	      "by received");
	shows(&l, TOP_SORT_TX, "1:3=0/8 2:2=4/5 3:1=10/0 3:4=8/0 3:5=8/0 ",
	      "by sent");
	shows(&l, TOP_SORT_PID, "1:3=0/8 2:2=4/5 3:1=10/0 3:4=8/0 3:5=8/0 ",
	      "by process");
	test_int(top_lines_at(&l, 2)->row.sport, 5, "as they are in memory");
	test_int(top_lines_at(&l, 3)->row.sport, 3, "part after part");
	top_lines_free(&l);
}

/* What has come since they were read is in the next lines, and nothing else. */
static void late(void)
{
	struct top_lines l = { 0 };

	put(&l.part[0], 1, 1, 80, 10, 5, false);
	put(&l.part[0], 2, 2, 80, 7, 7, false);
	put(&l.part[1], 3, 3, 80, 1, 1, false);
	shows(&l, TOP_SORT_PID, "1:1=10/5 2:2=7/7 3:3=1/1 ", "first");
	top_lines_expect(&l);
	put(&l.part[0], 1, 1, 80, 10, 5, false);
	put(&l.part[0], 2, 2, 80, 7, 9, false);
	put(&l.part[1], 3, 3, 80, 1, 1, false);
	put(&l.part[1], 4, 4, 80, 3, 0, false);
	top_lines_clear(&l, false);
	test_int((long long)l.n, 0, "forgotten");
	shows(&l, TOP_SORT_PID, "2:2=0/2 4:4=3/0 ", "the rest of them");
	test_int(l.conns, 2, "is of two connections");
	put(&l.part[0], 2, 2, 80, 1, 1, false);
	shows(&l, TOP_SORT_PID, "2:2=1/3 4:4=3/0 ", "with what else there is");
	top_lines_expect(&l);
	put(&l.part[0], 2, 2, 80, 1, 3, false);
	put(&l.part[1], 4, 4, 80, 3, 0, false);
	top_lines_clear(&l, false);
	shows(&l, TOP_SORT_PID, "", "nothing came late");
	put(&l.part[1], 5, 5, 80, 1, 1, false);
	shows(&l, TOP_SORT_PID, "5:5=1/1 ", "they can be used again");
	top_lines_free(&l);
}

static void late_by_pid(void)
{
	struct top_lines l = { 0 };

	put(&l.part[0], 1, 1, 80, 10, 5, true);
	put(&l.part[1], 1, 2, 80, 10, 5, true);
	top_lines_sort(&l, TOP_SORT_ALL, true);
	test_int((long long)l.rx_bytes, 20, "of both connections");
	top_lines_expect(&l);
	put(&l.part[0], 1, 1, 80, 10, 5, true);
	put(&l.part[0], 1, 2, 80, 14, 5, true);
	top_lines_clear(&l, true);
	top_lines_sort(&l, TOP_SORT_ALL, true);
	test_int((long long)l.n, 1, "a line of");
	test_int((long long)l.order[0]->row.rx_bytes, 4, "the rest");
	test_int((long long)l.order[0]->row.tx_bytes, 0, "and no more");
	test_int(l.conns, 0, "whose connection was in the lines before");
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
			put(&l.part[0], i / 7, (uint16_t)(i / 50),
			    (uint16_t)(i % 50), i, 1, false);
	top_lines_sort(&l, TOP_SORT_ALL, false);
	test_int((long long)l.n, n, "100,000 lines");
	for (unsigned i = 0; i < n; i++)
		wrong += top_lines_at(&l, i)->row.rx_bytes != 2 * (uint64_t)i;
	test_int(wrong, 0, "each with its own bytes");
	for (unsigned i = 1; i < n; i++)
		wrong +=
			l.order[i]->row.rx_bytes > l.order[i - 1]->row.rx_bytes;
	test_int(wrong, 0, "sorted");
	/* Of every thousandth, more has come. */
	top_lines_expect(&l);
	for (unsigned i = 0; i < n; i++)
		put(&l.part[0], i / 7, (uint16_t)(i / 50), (uint16_t)(i % 50),
		    2 * (uint64_t)i + !(i % 1000), 2, false);
	top_lines_clear(&l, false);
	top_lines_sort(&l, TOP_SORT_ALL, false);
	test_int((long long)l.n, n / 1000, "late ones");
	test_int((long long)l.rx_bytes, n / 1000, "of a byte each");
	top_lines_expect(&l);
	for (unsigned i = 0; i < n; i += 1000)
		put(&l.part[0], i / 7, (uint16_t)(i / 50), (uint16_t)(i % 50),
		    1, 0, false);
	top_lines_clear(&l, false);
	test_int((long long)l.part[0].blocks, 0,
		 "room for that many is not kept");
	top_lines_free(&l);
}

int main(void)
{
	merging();
	processes();
	sorting();
	late();
	late_by_pid();
	many();
	return test_done();
}
