// SPDX-License-Identifier: Apache-2.0
/*
 * Objects/lnotab_notes.txt and Objects/locations.md of CPython say what the
 * tables are. Lines are added up as unsigned numbers, which may wrap: what
 * comes of it is 0 unless it is a line.
 */
#include <stdbool.h>
#include <string.h>

#include "pylines.h"

/* Bytes of an instruction. */
#define UNIT 2

/* Of an entry of locations, how it has its line. */
#define LOC_NONE 15
#define LOC_LONG 14
#define LOC_NO_COLUMNS 13
#define LOC_ONE_LINE 10

static uint32_t good_line(uint32_t line)
{
	return line <= INT32_MAX ? line : 0;
}

static uint32_t signed_byte(uint8_t byte)
{
	return (uint32_t)(int8_t)byte;
}

/* Pairs of bytes: so many bytes of code further, so many lines further. */
static uint32_t in_lnotab(const uint8_t *table, size_t len, uint32_t line,
			  int64_t at)
{
	int64_t end = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		end += table[i];
		if (end > at)
			break;
		line += signed_byte(table[i + 1]);
	}
	return good_line(line);
}

/* Pairs of bytes: so many bytes of code have a line so many further. */
static uint32_t in_linetable(const uint8_t *table, size_t len, uint32_t line,
			     int64_t at)
{
	int64_t end = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		bool none = table[i + 1] == 0x80;

		end += table[i];
		if (!none)
			line += signed_byte(table[i + 1]);
		if (end > at)
			return none ? 0 : good_line(line);
	}
	return 0;
}

/* A number of six bits a byte, the lowest first; its lowest bit is its sign. */
static uint32_t read_signed(const uint8_t *p, const uint8_t *end)
{
	uint32_t n = 0;

	for (unsigned shift = 0; p < end && shift < 32; shift += 6) {
		n |= (uint32_t)(*p & 0x3f) << shift;
		if (!(*p++ & 0x40))
			break;
	}
	return n & 1 ? -(n >> 1) : n >> 1;
}

/* How many lines further the entry at @p is. */
static uint32_t location_step(const uint8_t *p, const uint8_t *end)
{
	unsigned kind = *p >> 3 & 15;

	if (kind == LOC_LONG || kind == LOC_NO_COLUMNS)
		return read_signed(p + 1, end);
	if (kind >= LOC_ONE_LINE && kind < LOC_NO_COLUMNS)
		return kind - LOC_ONE_LINE;
	return 0;
}

/* Entries: a byte with its highest bit set, then such without. */
static uint32_t in_locations(const uint8_t *table, size_t len, uint32_t line,
			     int64_t at)
{
	const uint8_t *p = table, *end = table + len;
	int64_t upto = 0;

	while (p < end) {
		line += location_step(p, end);
		upto += ((*p & 7) + 1) * UNIT;
		if (upto > at)
			return (*p >> 3 & 15) == LOC_NONE ? 0 : good_line(line);
		for (p++; p < end && !(*p & 0x80);)
			p++;
	}
	return 0;
}

uint32_t http_pylines_find(enum http_py_lines kind, const uint8_t *table,
			   size_t len, uint32_t first, int64_t at)
{
	if (at < 0)
		return good_line(first);
	switch (kind) {
	case HTTP_PY_LNOTAB:
		return in_lnotab(table, len, first, at);
	case HTTP_PY_LINETABLE:
		return in_linetable(table, len, first, at);
	case HTTP_PY_LOCATIONS:
		return in_locations(table, len, first, at);
	}
	return 0;
}
