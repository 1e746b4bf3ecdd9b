// SPDX-License-Identifier: Apache-2.0
#include "delays.h"

#include <inttypes.h>
#include <string.h>

#define SUBS (1 << NB_DELAY_SUB_BITS)
#define MICROSECOND 10 /* the power of two that it is, in 1/1024 of it */
#define BAR 40

static size_t bucket_of(uint64_t ns)
{
	uint64_t scaled = ns + ns * 24 / 1000;
	size_t power, i;

	if (scaled < SUBS)
		return scaled;
	power = 63 - (size_t)__builtin_clzll(scaled);
	i = (power - NB_DELAY_SUB_BITS + 1) * SUBS +
	    (scaled >> (power - NB_DELAY_SUB_BITS) & (SUBS - 1));
	return i < NB_DELAY_BUCKETS ? i : NB_DELAY_BUCKETS - 1;
}

/* The least power of two and eighth of it that the bucket @i has, in 1/1024 of
 * a microsecond. */
static uint64_t begin_of(size_t i)
{
	size_t power = i / SUBS;

	return power ? (SUBS + (uint64_t)i % SUBS) << (power - 1) : i;
}

void nb_delay_add(struct nb_delay *delay, uint64_t ns)
{
	delay->count[bucket_of(ns)]++;
	delay->n++;
	if (delay->max_ns < ns)
		delay->max_ns = ns;
}

uint64_t nb_delay_percentile(const struct nb_delay *delay, double part)
{
	double want = part * (double)delay->n, sum = 0, from, ns;

	for (size_t i = 0; i < NB_DELAY_BUCKETS; i++) {
		double n = (double)delay->count[i];

		if (!delay->count[i] || sum + n < want) {
			sum += n;
			continue;
		}
		from = (double)begin_of(i);
		ns = from + ((double)begin_of(i + 1) - from) * (want - sum) / n;
		ns *= 1000. / 1024;
		return ns < (double)delay->max_ns ? (uint64_t)ns
						  : delay->max_ns;
	}
	return delay->max_ns;
}

/* By powers of two of microseconds; returns how many, to the last. */
static size_t fold(const struct nb_delay *delay, uint64_t *rows)
{
	size_t n = 0;

	memset(rows, 0, NB_DELAY_POWERS * sizeof(*rows));
	for (size_t i = 0; i < NB_DELAY_BUCKETS; i++) {
		uint64_t us = begin_of(i) >> MICROSECOND;
		size_t row = us > 1 ? 63 - (size_t)__builtin_clzll(us) : 0;

		rows[row] += delay->count[i];
		if (delay->count[i])
			n = row + 1;
	}
	return n;
}

/* From 0, 2, 4, 8 ... on: "0 -> 1" has the first two microseconds. */
static uint64_t row_begin(size_t row)
{
	return row ? 1ULL << row : 0;
}

void nb_delay_print(const struct nb_delay *delay, const char *title, FILE *out)
{
	static const char stars[BAR + 1] =
		"****************************************";
	uint64_t rows[NB_DELAY_POWERS], most = 1;
	size_t n = fold(delay, rows);

	for (size_t i = 0; i < n; i++)
		most = rows[i] > most ? rows[i] : most;
	fprintf(out, "%s\n     %-20s: count     distribution\n", title,
		"usecs");
	for (size_t i = 0; i < n; i++)
		fprintf(out,
			"%10" PRIu64 " -> %-10" PRIu64 " : %-9" PRIu64
			"|%-*.*s|\n",
			row_begin(i), row_begin(i + 1) - 1, rows[i], BAR,
			(int)(rows[i] * BAR / most), stars);
}

void nb_delay_print_json(const struct nb_delay *delay, const char *prefix,
			 FILE *out)
{
	uint64_t rows[NB_DELAY_POWERS];
	size_t n = fold(delay, rows);

	for (size_t i = 0; i < n; i++)
		fprintf(out,
			"%s,\"from_us\":%" PRIu64 ",\"to_us\":%" PRIu64
			",\"count\":%" PRIu64 "}\n",
			prefix, row_begin(i), row_begin(i + 1) - 1, rows[i]);
}
