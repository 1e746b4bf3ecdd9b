// SPDX-License-Identifier: Apache-2.0
/*
 * parse_fuzz [COUNT [SEED]]: numbers and lists of ports as users mistype them,
 * and names of processes as attackers choose them, in the table and in JSON.
 * Each is judged by code of the fuzzer's own.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "opt.h"
#include "table.h"

#define WIDTH 8 /* of the first column */

static void make_number(char *s)
{
	static const char odd[] = "0000123456789999 +-x,./:\n\xb2";
	size_t len = fuzz_below(8) ? fuzz_below(6) : fuzz_below(24);

	if (!fuzz_below(8)) { /* near 2^64 */
		sprintf(s, "184467440737095%05u", (unsigned)fuzz_below(100000));
		return;
	}
	for (; len; len--)
		*s++ = fuzz_below(16) ? (char)('0' + fuzz_below(10))
				      : odd[fuzz_below(sizeof(odd) - 1)];
	*s = '\0';
}

static uint64_t some_bound(void)
{
	static const uint64_t bounds[] = { 0,	      1,	  100,
					   65535,     UINT32_MAX, INT64_MAX,
					   UINT64_MAX };

	return bounds[fuzz_below(sizeof(bounds) / sizeof(bounds[0]))];
}

static int check_number(void)
{
	uint64_t min = some_bound(), max = some_bound(), got = 4711, n;
	char s[64];
	int want = 0;

	make_number(s);
	errno = 0;
	n = strtoull(s, NULL, 10);
	if (!*s || strspn(s, "0123456789") != strlen(s))
		want = -EINVAL;
	else if (errno || n < min || n > max)
		want = -ERANGE;
	if (nb_parse_u64(s, min, max, &got) != want)
		return fuzz_fail("another result of a number", s);
	if (got != (want ? 4711 : n))
		return fuzz_fail("another number", s);
	return 0;
}

/* Is it a port? Then *ret is its number. */
static bool is_port(const char *s, unsigned *ret)
{
	char *end;
	unsigned long n;

	if (*s < '0' || *s > '9')
		return false;
	n = strtoul(s, &end, 10);
	*ret = (unsigned)n;
	return !*end && n >= 1 && n <= 65535;
}

static int check_ports(void)
{
	char s[512], copy[sizeof(s)], *p = s, *item, *rest = copy;
	struct nb_ports ports = { .n = 0 };
	static bool wanted[65536];
	unsigned list[16], n = 0;
	bool good = true;
	size_t distinct = 0;
	int err;

	for (uint64_t items = fuzz_below(12) + 1; items; items--) {
		if (fuzz_below(4))
			p += sprintf(p, "%u",
				     (unsigned)fuzz_below(40) +
					     (fuzz_below(8) ? 0 : 65500));
		else
			make_number(p);
		p += strlen(p);
		if (items > 1)
			*p++ = ',';
	}
	*p = '\0';
	strcpy(copy, s);
	while (good && (item = strsep(&rest, ","))) {
		/* A number may have brought a comma of its own. */
		good = n < 16 && is_port(item, &list[n]);
		n += good;
	}
	if (!good && n == 16)
		return 0;
	err = nb_parse_ports(s, &ports);
	if (good != !err)
		return fuzz_fail("another result of a list", s);
	if (!good)
		return ports.n ? fuzz_fail("a bad list was taken", s) : 0;
	for (unsigned i = 0; i < n; i++) {
		distinct += !wanted[list[i]];
		wanted[list[i]] = true;
	}
	for (size_t i = 0; i < ports.n; i++)
		good &= wanted[ports.port[i]];
	for (unsigned i = 0; i < n; i++)
		wanted[list[i]] = false;
	return good && distinct == ports.n ? 0 : fuzz_fail("other ports", s);
}

/*
 * The next character of *s: its number, or -1 with one byte consumed when what
 * stands there is no UTF-8. Counts in numbers, not in patterns of bytes.
 */
static long next_char(const char **s)
{
	static const long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*s;
	int len = p[0] < 0x80	? 1
		  : p[0] < 0xc0 ? 0
		  : p[0] < 0xe0 ? 2
		  : p[0] < 0xf0 ? 3
		  : p[0] < 0xf8 ? 4
				: 0;
	long n = len == 1 ? p[0] : p[0] & (0x7f >> len);

	for (int i = 1; i < len; i++) {
		if (p[i] / 64 != 2)
			len = 0;
		else
			n = n * 64 + p[i] % 64;
	}
	if (!len || n < least[len] || n > 0x10ffff ||
	    (n >= 0xd800 && n <= 0xdfff)) {
		++*s;
		return -1;
	}
	*s += len;
	return n;
}

static bool is_control(long c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* A character's first byte and others that it might have, at their limits. */
static char *make_char(char *s)
{
	static const char first[] = "\x7f\x80\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed"
				    "\xee\xef\xf0\xf1\xf3\xf4\xf5\xf8\xff";
	static const char other[] = "\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0";

	*s++ = first[fuzz_below(sizeof(first) - 1)];
	for (uint64_t n = fuzz_below(4); n; n--)
		*s++ = other[fuzz_below(sizeof(other) - 1)];
	return s;
}

static void make_name(char *s)
{
	static const char *const parts[] = {
		"\"",	    "\\",	   "\033[31m",	   "\n",
		"\x7f",	    "\xc2\x9b",	   "\xc3\xa4",	   "\xe2\x82\xac",
		"\xc2\xa0", "kworker/0:1", "\xef\xbf\xbd",
	};

	for (uint64_t n = fuzz_below(6); n; n--) {
		switch (fuzz_below(3)) {
		case 0:
			s = stpcpy(s, parts[fuzz_below(sizeof(parts) /
						       sizeof(parts[0]))]);
			s -= !fuzz_below(4);
			break;
		case 1:
			s = make_char(s);
			break;
		default:
			*s++ = (char)(1 + fuzz_below(255));
		}
	}
	*s = '\0';
}

static char line[4096];
static size_t line_len;

static ssize_t keep_line(void *cookie, const char *buf, size_t size)
{
	(void)cookie;
	if (size > sizeof(line) - 1 - line_len)
		return 0;
	memcpy(line + line_len, buf, size);
	line_len += size;
	line[line_len] = '\0';
	return (ssize_t)size;
}

/* The character that the JSON string at *s has next; -2: it is no JSON. */
static long next_json(const char **s)
{
	char digits[5] = "";
	char *end;
	long c;

	if (**s != '\\') {
		c = **s == '"' ? -2 : next_char(s);
		return is_control(c) ? -2 : c;
	}
	++*s;
	if (**s == '"' || **s == '\\')
		return *(*s)++;
	if (**s != 'u')
		return -2;
	strncpy(digits, *s + 1, 4);
	c = strtol(digits, &end, 16);
	*s += 5;
	return end == digits + 4 ? c : -2;
}

static int check_json(struct nb_table *table, const char *name)
{
	struct nb_cell cells[2] = { nb_cell_str(name), nb_cell_u64(7) };
	const char *want = name, *got = line + 6;

	line_len = 0;
	if (nb_table_row(table, cells) || strncmp(line, "{\"x\":\"", 6))
		return fuzz_fail("no JSON row", name);
	while (*want) {
		long c = next_char(&want);

		if (next_json(&got) != (c < 0 ? 0xfffd : c))
			return fuzz_fail("another character in JSON", name);
	}
	return strcmp(got, "\",\"y\":7}\n") ? fuzz_fail("more in JSON", name)
					    : 0;
}

/* How wide the first column is: as wide as the widest cell so far. */
static size_t widest = WIDTH;

static int check_text(struct nb_table *table, const char *name)
{
	struct nb_cell cells[2] = { nb_cell_str(name), nb_cell_u64(7) };
	const char *want = name, *got = line;
	char head[128] = "";
	size_t width = 0;

	line_len = 0;
	if (nb_table_row(table, cells))
		return fuzz_fail("no row", name);
	for (const char *p = name; *p; width++)
		next_char(&p);
	if (width > widest) {
		widest = width;
		snprintf(head, sizeof(head), "%-*s Y\n", (int)widest, "X");
		if (strncmp(line, head, strlen(head)))
			return fuzz_fail("no header for a wider cell", name);
		got += strlen(head);
	}
	while (*want) {
		long c = next_char(&want);

		if (next_char(&got) != (c < 0 || is_control(c) ? '?' : c))
			return fuzz_fail("another character in the table",
					 name);
	}
	for (; width < widest; width++)
		if (*got++ != ' ')
			return fuzz_fail("a cell that is not padded", name);
	return strcmp(got, " 7\n") ? fuzz_fail("more in the table", name) : 0;
}

static struct nb_table *make_table(bool json)
{
	static const struct nb_col cols[] = { { "X", "x", WIDTH },
					      { "Y", "y", 1 } };
	struct nb_table_opts opts = { .json = json };
	FILE *f = fopencookie(NULL, "w",
			      (cookie_io_functions_t){ .write = keep_line });
	struct nb_table *table;

	if (!f || setvbuf(f, NULL, _IONBF, 0) ||
	    nb_table_new(cols, 2, &opts, f, &table)) {
		printf("Bail out! no table\n");
		exit(1);
	}
	nb_table_header(table);
	return table;
}

int main(int argc, char **argv)
{
	uint64_t count = fuzz_args(argc, argv);
	struct nb_table *json = make_table(true), *text = make_table(false);
	unsigned numbers = 0, ports = 0, names = 0;
	char name[128];

	for (uint64_t i = 0; i < count && numbers + ports + names < 10; i++) {
		numbers += (unsigned)check_number();
		ports += (unsigned)check_ports();
		make_name(name);
		names += (unsigned)check_json(json, name);
		names += (unsigned)check_text(text, name);
	}
	nb_table_free(json);
	nb_table_free(text);
	printf("%sok 1 - %llu numbers\n", numbers ? "not " : "",
	       (unsigned long long)count);
	printf("%sok 2 - %llu lists of ports\n", ports ? "not " : "",
	       (unsigned long long)count);
	printf("%sok 3 - %llu names in the table and in JSON\n1..3\n",
	       names ? "not " : "", (unsigned long long)count);
	return numbers || ports || names;
}
