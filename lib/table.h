/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of columns, printed as an aligned table or as JSON lines. A column is
 * described once, as data.
 */
#ifndef NB_TABLE_H
#define NB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"

#define NB_CELL_WORD_MAX 56

/* The most columns a table may have. */
#define NB_TABLE_MAX_COLS 48

struct nb_col {
	const char *head; /* in the table; NULL: only in JSON */
	const char *key;  /* in JSON; NULL: only in the table */
	int width;	  /* of the table's cell; negative: flush right */
};

enum nb_cell_kind {
	NB_CELL_NONE, /* not measured: "-" and null */
	NB_CELL_U64,  /* a number in both */
	NB_CELL_STR,  /* any bytes up to NUL; may be no UTF-8 */
	NB_CELL_WORD, /* at most NB_CELL_WORD_MAX printable ASCII characters up
		       * to NUL, with nothing to escape */
	NB_CELL_TIME, /* ns since the Epoch: local time, RFC 3339 in JSON */
	NB_CELL_USEC, /* us: milliseconds with three decimals, us in JSON */
	NB_CELL_NSEC, /* ns: microseconds with three decimals, in both */
	NB_CELL_ADDR, /* an address; ip 0 is like NB_CELL_NONE */
	NB_CELL_BOOL, /* true or false, in both */
	NB_CELL_LIST, /* in JSON an array of strings as of NB_CELL_STR; in the
		       * table how many */
	NB_CELL_KB, /* bytes: kB (1024) in the table, with decimals when few, so
		     * that only 0 is shown as 0; bytes in JSON */
};

struct nb_cell {
	enum nb_cell_kind kind;
	union {
		uint64_t u64;
		const char *str;
		struct nb_addr addr;
		struct {
			const char *const *item;
			size_t n;
		} list;
	};
};

static inline struct nb_cell nb_cell_none(void)
{
	return (struct nb_cell){ .kind = NB_CELL_NONE };
}

static inline struct nb_cell nb_cell_u64(uint64_t n)
{
	return (struct nb_cell){ .kind = NB_CELL_U64, .u64 = n };
}

/* @s must live until the row is printed. */
static inline struct nb_cell nb_cell_str(const char *s)
{
	return (struct nb_cell){ .kind = NB_CELL_STR, .str = s };
}

/* As nb_cell_str(), but faster. */
static inline struct nb_cell nb_cell_word(const char *s)
{
	return (struct nb_cell){ .kind = NB_CELL_WORD, .str = s };
}

static inline struct nb_cell nb_cell_time(uint64_t real_ns)
{
	return (struct nb_cell){ .kind = NB_CELL_TIME, .u64 = real_ns };
}

static inline struct nb_cell nb_cell_usec(uint64_t us)
{
	return (struct nb_cell){ .kind = NB_CELL_USEC, .u64 = us };
}

static inline struct nb_cell nb_cell_nsec(uint64_t ns)
{
	return (struct nb_cell){ .kind = NB_CELL_NSEC, .u64 = ns };
}

static inline struct nb_cell nb_cell_kb(uint64_t bytes)
{
	return (struct nb_cell){ .kind = NB_CELL_KB, .u64 = bytes };
}

static inline struct nb_cell nb_cell_bool(bool is)
{
	return (struct nb_cell){ .kind = NB_CELL_BOOL, .u64 = is };
}

/* @items, @n of them, must live until the row is printed. */
static inline struct nb_cell nb_cell_list(const char *const *items, size_t n)
{
	return (struct nb_cell){ .kind = NB_CELL_LIST, .list = { items, n } };
}

/* @bytes: 16, of which IPv4 uses four. */
static inline struct nb_cell nb_cell_addr(uint8_t ip, const uint8_t *bytes)
{
	struct nb_cell c = { .kind = NB_CELL_ADDR, .addr = { .ip = ip } };

	memcpy(c.addr.bytes, bytes, sizeof(c.addr.bytes));
	return c;
}

/*
 * "ADDR:PORT" of @bytes as above and @port in host order, in @buf of
 * NB_ENDPOINT_STRLEN bytes, which must live until the row is printed.
 */
static inline struct nb_cell nb_cell_endpoint(uint8_t ip, const uint8_t *bytes,
					      uint16_t port, char *buf)
{
	struct nb_addr addr = { .ip = ip };

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	nb_addr_format_port(&addr, port, 0, buf);
	return nb_cell_word(buf);
}

struct nb_table_opts {
	bool json; /* one object a line, every key in every line */
	bool no_header;
	bool micro; /* times with microseconds too, in the column "time" */
};

struct nb_table;

/*
 * A table of the @n columns at @cols, written to @out; both must outlive it.
 * 0, -EINVAL (too many columns) or -ENOMEM. The caller frees *ret with
 * nb_table_free().
 */
int nb_table_new(const struct nb_col *cols, size_t n,
		 const struct nb_table_opts *opts, FILE *out,
		 struct nb_table **ret);
void nb_table_free(struct nb_table *table);

/* Does it print JSON? */
bool nb_table_is_json(const struct nb_table *table);

/* Leave column @col out of the table; JSON keeps it. Before any row. */
void nb_table_hide(struct nb_table *table, size_t col);

/*
 * Widen the columns for a row of these cells, which is to come: who does so for
 * all of them before the header has them all below that one. Nothing for JSON.
 * 0 or -errno as nb_table_row().
 */
int nb_table_fit(struct nb_table *table, const struct nb_cell *cells);

/* How wide a line of the table is, in characters; as wide as it may be where
 * the last column is flush left. */
size_t nb_table_width(const struct nb_table *table);

/* Print the header, unless JSON or no_header. */
void nb_table_header(struct nb_table *table);

/*
 * Print one row of as many cells as there are columns; those of columns that
 * are not shown (or for JSON, have no key) may be left unset. A cell wider than
 * its column widens the column from then on, and the header is printed again,
 * so that what stands below a header is always aligned with it. The last shown
 * column is never padded on the right. Control characters (U+0080 to U+009F
 * too), and bytes that are no UTF-8, are shown as '?' in the table; in JSON the
 * former are escaped and the latter become U+FFFD. 0, or -errno of the write
 * that failed (-EPIPE: the reader has gone), also of an earlier one.
 */
int nb_table_row(struct nb_table *table, const struct nb_cell *cells);

/* Pass on what is buffered. 0 or -errno as above. */
int nb_table_flush(struct nb_table *table);

#endif
