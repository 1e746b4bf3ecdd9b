// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "utf8.h"

/* "HH:MM:SS.uuuuuu": known before the header is printed. */
#define MICRO_WIDTH 15

/* Spaces that are put behind a cell at once. */
#define GAP 32

/* The most bytes of a cell that is no string, and of what is put around it. */
#define CELL_MAX 64
_Static_assert(NB_ADDR_STRLEN < CELL_MAX - 8 &&
		       NB_CLOCK_STRLEN < CELL_MAX - 8 &&
		       NB_CELL_WORD_MAX <= CELL_MAX - 8,
	       "an address, a time and a word are cells");

struct nb_table {
	const struct nb_col *cols;
	size_t n;
	struct nb_table_opts opts;
	FILE *out;
	struct nb_clock clock;
	size_t width[NB_TABLE_MAX_COLS]; /* in characters */
	bool shown[NB_TABLE_MAX_COLS];
	size_t show[NB_TABLE_MAX_COLS]; /* the shown ones, from the left */
	size_t nshow;
	size_t last;	 /* shown column, or n when there is none */
	bool has_header; /* printed: to be printed again for wider columns */
	int err;	 /* of the first failure; sticky */
	char *buf;
	size_t len;
	size_t size;
	size_t need; /* bytes of a row and a header, but for strings */
};

/* Which columns are shown, and how much room they take. */
static void lay_out(struct nb_table *t)
{
	t->last = t->n;
	t->nshow = 0;
	t->need = CELL_MAX + GAP;
	for (size_t i = 0; i < t->n; i++) {
		t->need += 2 * (CELL_MAX + t->width[i]);
		t->need += t->cols[i].key ? strlen(t->cols[i].key) : 0;
		if (!t->shown[i])
			continue;
		t->show[t->nshow++] = i;
		t->last = i;
	}
}

int nb_table_new(const struct nb_col *cols, size_t n,
		 const struct nb_table_opts *opts, FILE *out,
		 struct nb_table **ret)
{
	struct nb_table *t;

	if (n > NB_TABLE_MAX_COLS)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->cols = cols;
	t->n = n;
	t->opts = *opts;
	t->out = out;
	for (size_t i = 0; i < n; i++) {
		size_t head = cols[i].head ? strlen(cols[i].head) : 0;

		t->width[i] = (size_t)abs(cols[i].width);
		if (t->width[i] < head)
			t->width[i] = head;
		if (opts->micro && t->width[i] < MICRO_WIDTH && cols[i].key &&
		    !strcmp(cols[i].key, "time"))
			t->width[i] = MICRO_WIDTH;
		t->shown[i] = cols[i].head;
	}
	lay_out(t);
	*ret = t;
	return 0;
}

void nb_table_free(struct nb_table *table)
{
	if (!table)
		return;
	free(table->buf);
	free(table);
}

bool nb_table_is_json(const struct nb_table *table)
{
	return table->opts.json;
}

void nb_table_hide(struct nb_table *table, size_t col)
{
	table->shown[col] = false;
	lay_out(table);
}

/* A byte is at most 6 in JSON (\u001b), a character 1 wide. */
static size_t string_need(const struct nb_cell *cell)
{
	size_t need = 0;

	if (cell->kind == NB_CELL_STR && cell->str)
		return 7 * strlen(cell->str);
	if (cell->kind != NB_CELL_LIST)
		return 0;
	for (size_t k = 0; k < cell->list.n; k++)
		need += 7 * strlen(cell->list.item[k]) + 3;
	return need;
}

/*
 * Make room for a row of @cells, or for a header when that is NULL, in either
 * format and with the header that it may need again.
 */
static int reserve(struct nb_table *t, const struct nb_cell *cells)
{
	size_t need = t->need;
	char *buf;

	for (size_t i = 0; cells && t->opts.json && i < t->n; i++)
		if (t->cols[i].key)
			need += string_need(&cells[i]);
	for (size_t i = 0; cells && !t->opts.json && i < t->nshow; i++)
		need += string_need(&cells[t->show[i]]);
	if (need <= t->size)
		return 0;
	buf = realloc(t->buf, need);
	if (!buf)
		return -ENOMEM;
	t->buf = buf;
	t->size = need;
	return 0;
}

static unsigned count_digits(uint64_t n)
{
	unsigned count = 1;

	for (; n >= 10000; n /= 10000)
		count += 4;
	return count + (n >= 10) + (n >= 100) + (n >= 1000);
}

/* Two digits at a time. */
static char *put_u64(char *p, uint64_t n)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";
	char *end = p + count_digits(n), *at = end;

	for (; n >= 10; n /= 100)
		at = memcpy(at - 2, &pairs[n % 100 * 2], 2);
	if (at > p)
		*p = (char)('0' + n);
	return end;
}

/* Microseconds as milliseconds with three decimals. */
static char *put_msec(char *p, uint64_t us)
{
	p = put_u64(p, us / 1000);
	*p++ = '.';
	*p++ = (char)('0' + us / 100 % 10);
	*p++ = (char)('0' + us / 10 % 10);
	*p++ = (char)('0' + us % 10);
	return p;
}

/* Bytes as kB, rounded, and up when that would be 0: 0.001, 9.766, 97.7, 977 */
static char *put_kb(char *p, uint64_t bytes)
{
	static const struct {
		uint64_t below; /* bytes */
		unsigned scale; /* of the last decimal */
	} forms[] = { { 10 << 10, 1000 }, { 100 << 10, 10 } };
	unsigned scale = 1;
	uint64_t n;

	if (!bytes || bytes % 1024 == 0)
		return put_u64(p, bytes / 1024);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (bytes < forms[i].below) {
			scale = forms[i].scale;
			break;
		}
	}
	n = bytes / 1024 * scale + (bytes % 1024 * scale + 512) / 1024;
	p = put_u64(p, n / scale);
	if (scale == 1)
		return p;
	*p++ = '.';
	for (scale /= 10; scale; scale /= 10)
		*p++ = (char)('0' + n / scale % 10);
	return p;
}

/* @str, as a JSON string or for the table; *ret_width counts characters. */
static char *put_str(char *p, const char *str, bool json, size_t *ret_width)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)str;
	size_t width = 0;

	for (; *s; width++) {
		size_t len = nb_utf8_len(s);
		bool bad = !len;

		if (bad || nb_utf8_is_control(s)) {
			s += bad ? 1 : len;
			if (!json) {
				*p++ = '?';
			} else if (bad) {
				p = mempcpy(p, "\xef\xbf\xbd", 3); /* U+FFFD */
			} else {
				/* Its last byte is the character's number. */
				p = mempcpy(p, "\\u00", 4);
				*p++ = hex[s[-1] >> 4];
				*p++ = hex[s[-1] & 15];
			}
			continue;
		}
		if (json && (*s == '"' || *s == '\\'))
			*p++ = '\\';
		while (len--)
			*p++ = (char)*s++;
	}
	*ret_width = width;
	return p;
}

static char *put_list(char *p, const struct nb_cell *cell)
{
	char *start = p;
	size_t width;

	*p++ = '[';
	for (size_t i = 0; i < cell->list.n; i++) {
		if (p != start + 1)
			*p++ = ',';
		*p++ = '"';
		p = put_str(p, cell->list.item[i], true, &width);
		*p++ = '"';
	}
	*p++ = ']';
	return p;
}

static bool is_none(const struct nb_cell *cell)
{
	switch (cell->kind) {
	case NB_CELL_STR:
	case NB_CELL_WORD:
		return !cell->str;
	case NB_CELL_ADDR:
		return cell->addr.ip != 4 && cell->addr.ip != 6;
	default:
		return cell->kind == NB_CELL_NONE;
	}
}

/* @cell in the table's format; *ret_width is in characters. */
static char *put_cell(struct nb_table *t, char *p, const struct nb_cell *cell,
		      size_t *ret_width)
{
	bool json = t->opts.json;
	char *start = p;

	switch (cell->kind) {
	case NB_CELL_NONE:
		break;
	case NB_CELL_U64:
		p = put_u64(p, cell->u64);
		break;
	case NB_CELL_USEC:
		p = json ? put_u64(p, cell->u64) : put_msec(p, cell->u64);
		break;
	case NB_CELL_NSEC:
		p = put_msec(p, cell->u64);
		break;
	case NB_CELL_KB:
		p = json ? put_u64(p, cell->u64) : put_kb(p, cell->u64);
		break;
	case NB_CELL_BOOL:
		p = stpcpy(p, cell->u64 ? "true" : "false");
		break;
	case NB_CELL_LIST:
		p = json ? put_list(p, cell) : put_u64(p, cell->list.n);
		break;
	case NB_CELL_STR:
		return put_str(p, cell->str, json, ret_width);
	case NB_CELL_WORD:
		p = mempcpy(p, cell->str, strnlen(cell->str, NB_CELL_WORD_MAX));
		break;
	case NB_CELL_TIME:
		p += json ? nb_clock_rfc3339(&t->clock, cell->u64, p)
			  : nb_clock_local(&t->clock, cell->u64, t->opts.micro,
					   p);
		break;
	case NB_CELL_ADDR:
		p += nb_addr_format(&cell->addr, p);
		break;
	}
	*ret_width = (size_t)(p - start);
	return p;
}

/*
 * Pad the cell of @width characters from @start to @end, both in the buffer,
 * and end it. There is room. Returns what is behind it; *@wider is set when the
 * column became wider.
 */
static inline char *pad(struct nb_table *t, size_t col, char *start, char *end,
			size_t width, bool *wider)
{
	bool right = t->cols[col].width < 0;
	size_t gap;

	if (col == t->last && !right) {
		*end = '\n';
		return end + 1;
	}
	if (width > t->width[col]) {
		t->need += 2 * (width - t->width[col]);
		t->width[col] = width;
		*wider = true;
	}
	gap = t->width[col] - width;
	if (right) {
		memmove(start + gap, start, (size_t)(end - start));
		memset(start, ' ', gap);
	} else if (gap <= GAP) {
		memset(end, ' ', GAP); /* a few instructions */
	} else {
		memset(end, ' ', gap);
	}
	end += gap;
	*end = col == t->last ? '\n' : ' ';
	return end + 1;
}

static int emit(struct nb_table *t, size_t start)
{
	size_t len = t->len - start;

	errno = 0;
	if (fwrite_unlocked(t->buf + start, 1, len, t->out) != len ||
	    ferror_unlocked(t->out))
		t->err = errno ? -errno : -EIO;
	return t->err;
}

/* Print the header; what is in the buffer stays. */
static int print_header(struct nb_table *t)
{
	size_t before = t->len;
	char *p = t->buf + before;
	bool wider;
	int err;

	for (size_t k = 0; k < t->nshow; k++) {
		size_t i = t->show[k], len = strlen(t->cols[i].head);

		p = pad(t, i, p, mempcpy(p, t->cols[i].head, len), len, &wider);
	}
	t->len = (size_t)(p - t->buf);
	err = emit(t, before);
	t->len = before;
	return err;
}

void nb_table_header(struct nb_table *table)
{
	if (table->opts.json || table->opts.no_header || table->err)
		return;
	table->has_header = true;
	table->err = reserve(table, NULL);
	if (!table->err)
		print_header(table);
}

int nb_table_fit(struct nb_table *table, const struct nb_cell *cells)
{
	if (!table->err)
		table->err = reserve(table, cells);
	for (size_t k = 0; k < table->nshow && !table->err; k++) {
		size_t i = table->show[k], width = 1;

		if (table->opts.json)
			continue;
		if (!is_none(&cells[i]))
			put_cell(table, table->buf, &cells[i], &width);
		if (width > table->width[i])
			table->width[i] = width;
	}
	lay_out(table);
	return table->err;
}

size_t nb_table_width(const struct nb_table *table)
{
	size_t width = 0;

	for (size_t k = 0; k < table->nshow; k++)
		width += table->width[table->show[k]] + 1;
	return width ? width - 1 : 0;
}

static int text_row(struct nb_table *t, const struct nb_cell *cells)
{
	char *p = t->buf;
	bool wider = false;

	for (size_t k = 0; k < t->nshow; k++) {
		const struct nb_cell *cell = &cells[t->show[k]];
		char *start = p;
		size_t width = 1;

		if (is_none(cell))
			*p++ = '-';
		else
			p = put_cell(t, p, cell, &width);
		p = pad(t, t->show[k], start, p, width, &wider);
	}
	t->len = (size_t)(p - t->buf);
	if (wider && t->has_header && print_header(t))
		return t->err;
	return emit(t, 0);
}

static int json_row(struct nb_table *t, const struct nb_cell *cells)
{
	char *p = t->buf, sep = '{';
	size_t width;

	for (size_t i = 0; i < t->n; i++) {
		bool quoted = cells[i].kind == NB_CELL_STR ||
			      cells[i].kind == NB_CELL_WORD ||
			      cells[i].kind == NB_CELL_TIME ||
			      cells[i].kind == NB_CELL_ADDR;

		if (!t->cols[i].key)
			continue;
		*p++ = sep;
		*p++ = '"';
		p = stpcpy(p, t->cols[i].key);
		p = mempcpy(p, "\":", 2);
		sep = ',';
		if (is_none(&cells[i])) {
			p = mempcpy(p, "null", 4);
			continue;
		}
		if (quoted)
			*p++ = '"';
		p = put_cell(t, p, &cells[i], &width);
		if (quoted)
			*p++ = '"';
	}
	p = mempcpy(p, "}\n", 2);
	t->len = (size_t)(p - t->buf);
	return emit(t, 0);
}

int nb_table_row(struct nb_table *table, const struct nb_cell *cells)
{
	if (!table->err)
		table->err = reserve(table, cells);
	if (table->err)
		return table->err;
	table->len = 0;
	return table->opts.json ? json_row(table, cells)
				: text_row(table, cells);
}

int nb_table_flush(struct nb_table *table)
{
	if (!table->err && fflush_unlocked(table->out))
		table->err = errno ? -errno : -EIO;
	return table->err;
}
