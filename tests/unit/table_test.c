// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "test.h"

/* 2026-11-21 07:31:05.123456 UTC */
#define THEN 1795246265123456789ULL

/* clang-format off */
static const struct nb_col cols[] = {
	{ "TIME", "time", 9 },
	{ "PID", "pid", 7 },
	{ NULL, "tid", 0 },
	{ "COMM", "comm", 12 },
	{ "IP", "ip", 2 },
	{ "DADDR", "daddr", 16 },
	{ "DPORT", "dport", 5 },
	{ "SADDR", "saddr", 16 },
	{ "SPORT", "sport", 5 },
	{ "DIRECTION", "direction", -10 },
	{ "LAT(ms)", "latency_us", -9 },
	{ "ERROR", "error", 7 },
};
/* clang-format on */

enum { TIME, PID, TID, COMM, IP, DADDR, DPORT, SADDR, SPORT, DIR, LAT, ERROR };
#define NCOLS (sizeof(cols) / sizeof(cols[0]))

/* 2001:db8:101:202:303:404:505:606 */
static const uint8_t long6[16] = "\x20\x01\x0d\xb8\1\1\2\2\3\3\4\4\5\5\6\6";
static const uint8_t local4[16] = { 127, 0, 0, 1 };
static const uint8_t remote4[16] = { 203, 0, 113, 255 };

static char *text;
static size_t text_len, text_seen;
static FILE *out;

static struct nb_table *table_of(const struct nb_col *c, size_t n,
				 struct nb_table_opts opts)
{
	struct nb_table *table = NULL;

	out = open_memstream(&text, &text_len);
	text_seen = 0;
	if (!out || nb_table_new(c, n, &opts, out, &table)) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	return table;
}

/* Compare what was printed since the last call. */
static void printed(struct nb_table *table, const char *want, const char *name)
{
	test_int(nb_table_flush(table), 0, "flushed");
	test_str(text + text_seen, want, name);
	text_seen = text_len;
}

static void done(struct nb_table *table)
{
	nb_table_free(table);
	fclose(out);
	free(text);
}

static void fill(struct nb_cell *cells)
{
	cells[TIME] = nb_cell_time(THEN);
	cells[PID] = nb_cell_u64(4194304);
	cells[TID] = nb_cell_u64(4194305);
	cells[COMM] = nb_cell_str("curl");
	cells[IP] = nb_cell_u64(4);
	cells[DADDR] = nb_cell_addr(4, remote4);
	cells[DPORT] = nb_cell_u64(443);
	cells[SADDR] = nb_cell_addr(4, local4);
	cells[SPORT] = nb_cell_u64(65535);
	cells[DIR] = nb_cell_str("connect");
	cells[LAT] = nb_cell_usec(12345);
	cells[ERROR] = nb_cell_none();
}

/* The format of old: printf's own words are the judge. */
static void seed_format(void)
{
	static const char format[] =
		"%-9s %-7s %-12s %-2s %-16s %-5s %-16s %-5s %10s\n";
	struct nb_table *table;
	struct nb_cell cells[NCOLS];
	char want[512];
	int n;

	table = table_of(cols, NCOLS, (struct nb_table_opts){ 0 });
	nb_table_hide(table, LAT);
	nb_table_hide(table, ERROR);
	nb_table_header(table);
	fill(cells);
	test_int(nb_table_row(table, cells), 0, "a row is printed");
	n = snprintf(want, sizeof(want), format, "TIME", "PID", "COMM", "IP",
		     "DADDR", "DPORT", "SADDR", "SPORT", "DIRECTION");
	snprintf(want + n, sizeof(want) - (size_t)n, format, "07:31:05",
		 "4194304", "curl", "4", "203.0.113.255", "443", "127.0.0.1",
		 "65535", "connect");
	printed(table, want, "the seed's format, to the byte");
	done(table);
}

static void extra_columns(void)
{
	struct nb_table *table;
	struct nb_cell cells[NCOLS];

	table = table_of(cols, NCOLS, (struct nb_table_opts){ 0 });
	nb_table_hide(table, DADDR);
	nb_table_hide(table, SADDR);
	nb_table_header(table);
	fill(cells);
	nb_table_row(table, cells);
	cells[LAT] = nb_cell_none();
	cells[ERROR] = nb_cell_str("ECONNREFUSED");
	nb_table_row(table, cells);
	cells[LAT] = nb_cell_usec(7);
	cells[ERROR] = nb_cell_str("");
	nb_table_row(table, cells);
	printed(table,
		"TIME      PID     COMM         IP DPORT SPORT  DIRECTION   LAT(ms) ERROR\n"
		"07:31:05  4194304 curl         4  443   65535    connect    12.345 -\n"
		"07:31:05  4194304 curl         4  443   65535    connect         - ECONNREFUSED\n"
		"07:31:05  4194304 curl         4  443   65535    connect     0.007 \n",
		"hidden columns; the last one is neither padded nor widened");
	done(table);
}

/* Every length that a number may have; printf(3) is the judge. */
static void digits(void)
{
	static const struct nb_col one[] = { { "N", "n", 1 } };
	struct nb_table_opts opts = { .no_header = true };
	struct nb_table *table = table_of(one, 1, opts);
	char want[2048] = "";
	size_t len = 0;

	for (uint64_t n = 1;; n *= 10) {
		const uint64_t around[] = { n - 1, n, n + 1, n * 5 + n / 3 };

		for (size_t i = 0; i < 4; i++) {
			struct nb_cell cell = nb_cell_u64(around[i]);

			nb_table_row(table, &cell);
			len += (size_t)snprintf(want + len, sizeof(want) - len,
						"%llu\n",
						(unsigned long long)around[i]);
		}
		if (n == 10000000000000000000ULL)
			break;
	}
	printed(table, want, "numbers of 1 to 20 digits");
	done(table);
}

/* What is not printed is not looked at. */
static void unset_cells(void)
{
	static const struct nb_col few[] = {
		{ "A", "a", 40 },    { NULL, "json", 0 },
		{ "TEXT", NULL, 4 }, { "HIDDEN", "hidden", 6 },
		{ "B", "b", 1 },
	};
	const struct nb_cell bad = { .kind = NB_CELL_STR,
				     .str = (const char *)1 };
	struct nb_cell cells[5] = { nb_cell_word("x"), bad, nb_cell_u64(1), bad,
				    nb_cell_word("y") };
	struct nb_table *table = table_of(few, 5, (struct nb_table_opts){ 0 });

	nb_table_hide(table, 3);
	test_ok(!nb_table_is_json(table), "a table is no JSON");
	nb_table_header(table);
	nb_table_row(table, cells);
	printed(table,
		"A                                        TEXT B\n"
		"x                                        1    y\n",
		"cells of columns that are not shown; a wide gap");
	test_int((long long)nb_table_width(table), 47, "its width");
	done(table);
	table = table_of(few, 5, (struct nb_table_opts){ .json = true });
	cells[1] = nb_cell_u64(2);
	cells[2] = bad;
	cells[3] = nb_cell_u64(3);
	test_ok(nb_table_is_json(table), "JSON is");
	nb_table_row(table, cells);
	printed(table, "{\"a\":\"x\",\"json\":2,\"hidden\":3,\"b\":\"y\"}\n",
		"cells of columns without a key");
	done(table);
}

static void widening(void)
{
	static const struct nb_col few[] = {
		{ "A", "a", 2 },
		{ "ADDR", "addr", 16 },
		{ "N", "n", -3 },
	};
	struct nb_cell cells[3] = {
		nb_cell_str("ab"),
		nb_cell_addr(4, local4),
		nb_cell_u64(999),
	};
	struct nb_table *table = table_of(few, 3, (struct nb_table_opts){ 0 });

	nb_table_header(table);
	nb_table_row(table, cells);
	cells[1] = nb_cell_addr(6, long6);
	nb_table_row(table, cells);
	nb_table_row(table, cells);
	cells[1] = nb_cell_addr(4, local4);
	nb_table_row(table, cells);
	printed(table,
		"A  ADDR               N\n"
		"ab 127.0.0.1        999\n"
		"A  ADDR                               N\n"
		"ab 2001:db8:101:202:303:404:505:606 999\n"
		"ab 2001:db8:101:202:303:404:505:606 999\n"
		"ab 127.0.0.1                        999\n",
		"IPv6 widens its column; the header is printed again, once");
	cells[0] = nb_cell_str("abc");
	cells[2] = nb_cell_u64(10000);
	nb_table_row(table, cells);
	printed(table,
		"A   ADDR                                 N\n"
		"abc 127.0.0.1                        10000\n",
		"two columns at once; the last one too when it is flush right");
	done(table);
}

static void without_header(void)
{
	static const struct nb_col few[] = {
		{ "A", "a", 1 },
		{ "WIDE HEAD", "b", 1 },
		{ "C", "c", 1 },
	};
	struct nb_cell cells[3] = {
		nb_cell_str("ab"),
		nb_cell_u64(1),
		nb_cell_u64(22),
	};
	struct nb_table *table;

	table = table_of(few, 3, (struct nb_table_opts){ .no_header = true });
	nb_table_header(table);
	nb_table_row(table, cells);
	printed(table, "ab 1         22\n",
		"no header, and none for a wider cell; a head sets the width");
	done(table);
	table = table_of(few, 3, (struct nb_table_opts){ 0 });
	nb_table_row(table, cells);
	printed(table, "ab 1         22\n", "no header before the first one");
	done(table);
	table = table_of(few, 3, (struct nb_table_opts){ 0 });
	for (size_t i = 0; i < 3; i++)
		nb_table_hide(table, i);
	nb_table_header(table);
	nb_table_row(table, cells);
	printed(table, "", "nothing is shown");
	done(table);
}

static void times(void)
{
	static const struct nb_col few[] = {
		{ "TIME", "time", 9 },
		{ "N", "n", 1 },
		{ "M", "m", 1 },
	};
	struct nb_cell cells[3] = {
		nb_cell_time(THEN),
		nb_cell_u64(1),
		nb_cell_u64(2),
	};
	struct nb_table *table;

	table = table_of(few, 3, (struct nb_table_opts){ .micro = true });
	nb_table_header(table);
	nb_table_row(table, cells);
	nb_table_row(table, cells);
	printed(table,
		"TIME            N M\n"
		"07:31:05.123456 1 2\n"
		"07:31:05.123456 1 2\n",
		"times with microseconds, below one header");
	done(table);
}

/* One cell in both formats. */
static void cell_is(struct nb_cell cell, const char *want_text,
		    const char *want_json, const char *name)
{
	static const struct nb_col one[] = { { "X", "x", -4 } };
	char want[4096];
	struct nb_table *table;

	table = table_of(one, 1, (struct nb_table_opts){ 0 });
	nb_table_row(table, &cell);
	snprintf(want, sizeof(want), "%s\n", want_text);
	printed(table, want, name);
	done(table);
	table = table_of(one, 1, (struct nb_table_opts){ .json = true });
	nb_table_header(table);
	nb_table_row(table, &cell);
	snprintf(want, sizeof(want), "{\"x\":%s}\n", want_json);
	printed(table, want, name);
	done(table);
}

static void numbers(void)
{
	cell_is(nb_cell_none(), "   -", "null", "none");
	cell_is(nb_cell_str(NULL), "   -", "null", "no string");
	cell_is(nb_cell_addr(0, local4), "   -", "null", "no address");
	cell_is(nb_cell_addr(5, local4), "   -", "null", "IPv5");
	cell_is(nb_cell_u64(0), "   0", "0", "zero");
	cell_is(nb_cell_u64(1000), "1000", "1000", "as wide as the column");
	cell_is(nb_cell_u64(UINT64_MAX), "18446744073709551615",
		"18446744073709551615", "the largest number");
	cell_is(nb_cell_usec(0), "0.000", "0", "0 us");
	cell_is(nb_cell_usec(999), "0.999", "999", "999 us");
	cell_is(nb_cell_usec(1000), "1.000", "1000", "1000 us");
	cell_is(nb_cell_usec(60012034), "60012.034", "60012034", "a minute");
	cell_is(nb_cell_usec(UINT64_MAX), "18446744073709551.615",
		"18446744073709551615", "the longest duration");
	cell_is(nb_cell_addr(6, long6), "2001:db8:101:202:303:404:505:606",
		"\"2001:db8:101:202:303:404:505:606\"", "IPv6");
	cell_is(nb_cell_addr(4, local4), "127.0.0.1", "\"127.0.0.1\"", "IPv4");
}

/* A process may call itself anything: 15 bytes that are not NUL. */
static void hostile(void)
{
	cell_is(nb_cell_str(""), "    ", "\"\"", "an empty string");
	cell_is(nb_cell_str("a b~"), "a b~", "\"a b~\"",
		"the first and the last that are none");
	cell_is(nb_cell_str("a\"b\\c/"), "a\"b\\c/", "\"a\\\"b\\\\c/\"",
		"quote and backslash");
	cell_is(nb_cell_str("a\nb\tc\rd"), "a?b?c?d",
		"\"a\\u000ab\\u0009c\\u000dd\"", "newline, tab, return");
	cell_is(nb_cell_str("\033[31m\001\x7f"), "?[31m??",
		"\"\\u001b[31m\\u0001\\u007f\"", "escape sequence, DEL");
	cell_is(nb_cell_str("\xc2\x9b"
			    "31m"),
		"?31m", "\"\\u009b31m\"", "C1 control character");
	cell_is(nb_cell_str("\xc2\x9f\xc2\xa0"), "  ?\xc2\xa0",
		"\"\\u009f\xc2\xa0\"", "the last one, and what follows it");
	cell_is(nb_cell_str("\xff\xfe"), "  ??", "\"\xef\xbf\xbd\xef\xbf\xbd\"",
		"bytes that are never UTF-8");
	cell_is(nb_cell_str("a\x80z"), " a?z", "\"a\xef\xbf\xbdz\"",
		"a stray continuation");
	cell_is(nb_cell_str("\xc3"), "   ?", "\"\xef\xbf\xbd\"",
		"cut after one byte of two");
	cell_is(nb_cell_str("\xe2\x82"), "  ??", "\"\xef\xbf\xbd\xef\xbf\xbd\"",
		"cut after two bytes of three");
	cell_is(nb_cell_str("\xf0\x9f\x98"), " ???",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		"cut after three bytes of four");
	cell_is(nb_cell_str("\xc3\""), "  ?\"", "\"\xef\xbf\xbd\\\"\"",
		"a lead byte doesn't swallow the quote");
	cell_is(nb_cell_str("\xe0\x80\xaf"), " ???",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		"overlong, three bytes");
	cell_is(nb_cell_str("\xc0\xaf\xc1\xbf"), "????",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		"overlong, two bytes");
	cell_is(nb_cell_str("\xf0\x8f\xbf\xbf"), "????",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		"overlong, four bytes");
	cell_is(nb_cell_str("\xed\xa0\x80"), " ???",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "a surrogate");
	cell_is(nb_cell_str("\xf4\x90\x80\x80"), "????",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		"above U+10FFFF");
	cell_is(nb_cell_str("\xf5\x80\x80\x80"), "????",
		"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		"far above it");
}

static void valid_utf8(void)
{
	cell_is(nb_cell_str("\xc2\xa2"), "   \xc2\xa2", "\"\xc2\xa2\"",
		"two bytes are one character wide");
	cell_is(nb_cell_str("\xe0\xa0\x80"), "   \xe0\xa0\x80",
		"\"\xe0\xa0\x80\"", "the first of three bytes");
	cell_is(nb_cell_str("\xed\x9f\xbf\xee\x80\x80"),
		"  \xed\x9f\xbf\xee\x80\x80", "\"\xed\x9f\xbf\xee\x80\x80\"",
		"both sides of the surrogates");
	cell_is(nb_cell_str("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
		"  \xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		"\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
		"the first and the last of four bytes");
}

static void json_line(void)
{
	static const struct nb_col some[] = {
		{ "T", NULL, 3 }, { "A", "a", 2 }, { "B", NULL, 3 },
		{ NULL, "c", 0 }, { "D", "d", 2 },
	};
	struct nb_cell cells[NCOLS];
	struct nb_table *table;

	table = table_of(cols, NCOLS, (struct nb_table_opts){ .json = true });
	nb_table_hide(table, PID);
	nb_table_hide(table, ERROR);
	nb_table_header(table);
	fill(cells);
	cells[SADDR] = nb_cell_addr(6, long6);
	nb_table_row(table, cells);
	printed(table,
		"{\"time\":\"2026-11-21T07:31:05.123456Z\",\"pid\":4194304,"
		"\"tid\":4194305,\"comm\":\"curl\",\"ip\":4,"
		"\"daddr\":\"203.0.113.255\",\"dport\":443,"
		"\"saddr\":\"2001:db8:101:202:303:404:505:606\","
		"\"sport\":65535,\"direction\":\"connect\","
		"\"latency_us\":12345,\"error\":null}\n",
		"JSON has every key, hidden or not, and no header");
	done(table);

	for (size_t i = 0; i < 5; i++)
		cells[i] = nb_cell_u64(i);
	table = table_of(some, 5, (struct nb_table_opts){ .json = true });
	nb_table_row(table, cells);
	nb_table_row(table, cells);
	printed(table, "{\"a\":1,\"c\":3,\"d\":4}\n{\"a\":1,\"c\":3,\"d\":4}\n",
		"columns without a key are not in JSON");
	done(table);
	table = table_of(some, 5, (struct nb_table_opts){ 0 });
	nb_table_row(table, cells);
	printed(table, "0   1  2   4\n", "those without a head only there");
	done(table);
}

/* Longer than any buffer that was made before. */
static void long_strings(void)
{
	static char str[100001], want[600100];
	static const struct nb_col one[] = { { "X", "x", 1 }, { "Y", "y", 1 } };
	struct nb_cell cells[2] = { nb_cell_str(str), nb_cell_u64(1) };
	struct nb_table *table;
	char *p = want;

	memset(str, '\001', sizeof(str) - 1);
	table = table_of(one, 2, (struct nb_table_opts){ .json = true });
	nb_table_row(table, cells);
	p += sprintf(p, "{\"x\":\"");
	for (size_t i = 0; i < sizeof(str) - 1; i++)
		p = stpcpy(p, "\\u0001");
	strcpy(p, "\",\"y\":1}\n");
	fflush(out);
	test_ok(!strcmp(text, want), "a long string in JSON");
	done(table);

	table = table_of(one, 2, (struct nb_table_opts){ 0 });
	nb_table_header(table);
	nb_table_row(table, cells);
	fflush(out);
	/* "X Y", the header again, as wide as the row that follows. */
	test_int((long long)text_len, 4 + 2 * (100000 + 3),
		 "and in the table, with a header as wide");
	done(table);
}

/* Two lines that are mostly blanks must fit, the row and its header. */
static void wide_column(void)
{
	static const struct nb_col wide[] = { { "X", "x", 5000 },
					      { "Y", "y", -1 } };
	struct nb_cell cells[2] = { nb_cell_u64(1), nb_cell_u64(22) };
	struct nb_table *table;

	table = table_of(wide, 2, (struct nb_table_opts){ 0 });
	nb_table_header(table);
	nb_table_row(table, cells);
	fflush(out);
	test_int((long long)text_len, 3 * 5000 + 3 + 2 * 4,
		 "a header, and a row with a wider one");
	test_str(text + text_len - 4, " 22\n", "its end");
	done(table);
}

static ssize_t fail_once(void *cookie, const char *buf, size_t size)
{
	unsigned *calls = cookie;

	(void)buf;
	if (++*calls > 1)
		return (ssize_t)size;
	errno = EPIPE;
	return 0;
}

static void failures(void)
{
	struct nb_table_opts opts = { 0 };
	struct nb_cell cells[NCOLS];
	struct nb_table *table;
	unsigned calls = 0;

	fill(cells);
	out = fopencookie(&calls, "w",
			  (cookie_io_functions_t){ .write = fail_once });
	setvbuf(out, NULL, _IONBF, 0);
	test_int(nb_table_new(cols, NCOLS, &opts, out, &table), 0, "a table");
	test_int(nb_table_row(table, cells), -EPIPE, "a write fails");
	test_int(nb_table_row(table, cells), -EPIPE, "and stays failed");
	test_int(nb_table_flush(table), -EPIPE, "for a flush too");
	test_int(calls, 1, "nothing is written any more");
	nb_table_free(table);
	fclose(out);

	calls = 0;
	out = fopencookie(&calls, "w",
			  (cookie_io_functions_t){ .write = fail_once });
	test_int(nb_table_new(cols, NCOLS, &opts, out, &table), 0, "a table");
	test_int(nb_table_row(table, cells), 0, "a buffered row");
	test_int(nb_table_flush(table), -EPIPE, "a flush fails");
	test_int(nb_table_flush(table), -EPIPE, "and stays failed");
	test_int(calls, 1, "nothing is flushed any more");
	nb_table_free(table);
	fclose(out);
}

static void failing_files(void)
{
	struct nb_table_opts opts = { 0 };
	struct nb_cell cells[NCOLS];
	struct nb_table *table;
	int fd[2];

	fill(cells);
	out = fopen("/dev/full", "w");
	test_int(nb_table_new(cols, NCOLS, &opts, out, &table), 0, "a table");
	nb_table_header(table);
	test_int(nb_table_row(table, cells), 0, "a buffered row");
	test_int(nb_table_flush(table), -ENOSPC, "cannot be flushed");
	test_int(nb_table_row(table, cells), -ENOSPC, "the next one fails");
	nb_table_free(table);
	fclose(out);

	out = fopen("/dev/full", "w");
	fputs("somebody else's", out);
	fflush(out);
	test_int(nb_table_new(cols, NCOLS, &opts, out, &table), 0, "a table");
	test_int(nb_table_row(table, cells), -EIO,
		 "a stream that has failed before");
	nb_table_free(table);
	fclose(out);

	signal(SIGPIPE, SIG_IGN);
	if (pipe2(fd, O_CLOEXEC))
		exit(1);
	out = fdopen(fd[1], "w");
	setvbuf(out, NULL, _IOLBF, 0);
	close(fd[0]);
	test_int(nb_table_new(cols, NCOLS, &opts, out, &table), 0, "a table");
	nb_table_header(table);
	test_int(nb_table_row(table, cells), -EPIPE,
		 "a header nobody reads shows in the first row");
	nb_table_free(table);
	fclose(out);
}

static void too_many(void)
{
	static const struct nb_col many[NB_TABLE_MAX_COLS + 1];
	struct nb_table_opts opts = { 0 };
	struct nb_table *table = NULL;

	test_int(nb_table_new(many, NB_TABLE_MAX_COLS + 1, &opts, stdout,
			      &table),
		 -EINVAL, "too many columns");
	test_ok(!table, "and the table is untouched");
	test_int(nb_table_new(many, NB_TABLE_MAX_COLS, &opts, stdout, &table),
		 0, "just as many as can be");
	nb_table_free(table);
	nb_table_free(NULL);
}

static void kilobytes(void)
{
	static const struct nb_col kb_cols[] = { { "RX_KB", "rx_bytes", -6 } };
	static const struct {
		uint64_t bytes;
		const char *text;
	} kb[] = {
		{ 0, "     0\n" },
		{ 1, " 0.001\n" },
		{ 512, " 0.500\n" },
		{ 1023, " 0.999\n" },
		{ 1024, "     1\n" },
		{ 1025, " 1.001\n" },
		{ 10239, " 9.999\n" },
		{ 10240, "    10\n" },
		{ 10241, "  10.0\n" },
		{ 102399, " 100.0\n" },
		{ 102401, "   100\n" },
		{ 1024ULL * 999999, "999999\n" },
		{ 1024ULL * 999999 + 1, "999999\n" },
		{ UINT64_MAX, "18014398509481984\n" },
	};
	struct nb_table *table;
	struct nb_cell cell;

	for (size_t i = 0; i < sizeof(kb) / sizeof(kb[0]); i++) {
		table = table_of(kb_cols, 1, (struct nb_table_opts){ 0 });
		cell = nb_cell_kb(kb[i].bytes);
		nb_table_row(table, &cell);
		printed(table, kb[i].text, "bytes as kB");
		done(table);
	}
	table = table_of(kb_cols, 1, (struct nb_table_opts){ .json = true });
	cell = nb_cell_kb(1025);
	nb_table_row(table, &cell);
	printed(table, "{\"rx_bytes\":1025}\n", "and as bytes in JSON");
	done(table);
}

/* Measured first, the header is there once. */
static void fitting(void)
{
	static const struct nb_col two[] = { { "PID", "pid", 7 },
					     { "COMM", "comm", -6 } };
	struct nb_table *table;
	struct nb_cell small[] = { nb_cell_u64(1), nb_cell_str("sh") };
	struct nb_cell large[] = { nb_cell_u64(123456789),
				   nb_cell_str("a long name") };

	table = table_of(two, 2, (struct nb_table_opts){ 0 });
	test_int((long long)nb_table_width(table), 14,
		 "as wide as it was made");
	test_int(nb_table_fit(table, small), 0, "a small row fits");
	test_int((long long)nb_table_width(table), 14, "as it is");
	test_int(nb_table_fit(table, large), 0, "a large one, too");
	test_int((long long)nb_table_width(table), 21, "when it is wider");
	printed(table, "", "nothing is printed yet");
	nb_table_header(table);
	nb_table_row(table, small);
	nb_table_row(table, large);
	printed(table,
		"PID              COMM\n"
		"1                  sh\n"
		"123456789 a long name\n",
		"one header, wide enough");
	done(table);
}

int main(void)
{
	kilobytes();
	fitting();
	setenv("TZ", "UTC0", 1);
	tzset();
	seed_format();
	extra_columns();
	widening();
	digits();
	unset_cells();
	without_header();
	times();
	numbers();
	hostile();
	valid_utf8();
	json_line();
	long_strings();
	wide_column();
	failures();
	failing_files();
	too_many();
	return test_done();
}
