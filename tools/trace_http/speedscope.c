// SPDX-License-Identifier: Apache-2.0
#include "stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

/* The inside of a JSON string; what is no UTF-8 becomes U+FFFD. */
static void put_json(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t len = nb_utf8_len(s);

		if (!len)
			fputs("\xef\xbf\xbd", out);
		else if (nb_utf8_is_control(s))
			/* Its last byte is the character's number. */
			fprintf(out, "\\u%04x", s[len - 1]);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else
			fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
}

static void put_frame(FILE *out, const struct http_shared *f)
{
	fputs("{\"name\":\"", out);
	put_json(out, f->name);
	if (f->file && *f->file) {
		fputs("\",\"file\":\"", out);
		put_json(out, f->file);
	}
	putc('"', out);
	if (f->line)
		fprintf(out, ",\"line\":%" PRIu32, f->line);
	putc('}', out);
}

static int compare_whose(const void *a, const void *b)
{
	const struct http_stacked *x = *(struct http_stacked *const *)a;
	const struct http_stacked *y = *(struct http_stacked *const *)b;
	int diff = memcmp(&x->whose, &y->whose, sizeof(x->whose));

	return diff ? diff : (x->id > y->id) - (x->id < y->id);
}

/* "client curl 1234", and what comes before the samples. */
static void begin_profile(FILE *out, const struct http_whose *whose,
			  uint64_t us)
{
	char comm[sizeof(whose->comm) + 1] = "";

	memcpy(comm, whose->comm, sizeof(whose->comm));
	fprintf(out, "{\"type\":\"sampled\",\"name\":\"%s ",
		whose->server ? "server" : "client");
	put_json(out, comm);
	fprintf(out,
		" %" PRIu32 "\",\"unit\":\"microseconds\",\"startValue\":0,"
		"\"endValue\":%" PRIu64 ",\"samples\":[",
		whose->pid, us);
}

/* The frame "[other stacks]" is behind all the others. */
static void put_other_profile(FILE *out, uint32_t frame, const char *role,
			      uint64_t us, const char **comma)
{
	if (!us)
		return;
	fprintf(out,
		"%s\n{\"type\":\"sampled\",\"name\":\"other %s\","
		"\"unit\":\"microseconds\",\"startValue\":0,"
		"\"endValue\":%" PRIu64 ",\"samples\":[[%" PRIu32 "]],"
		"\"weights\":[%" PRIu64 "]}",
		*comma, role, us, frame, us);
	*comma = ",";
}

static void put_profile(FILE *out, struct http_stacked *const *list, uint32_t n)
{
	uint64_t us = 0;

	for (uint32_t i = 0; i < n; i++)
		us += list[i]->us;
	begin_profile(out, &list[0]->whose, us);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i ? ",[" : "[", out);
		for (uint32_t j = list[i]->n; j--;)
			fprintf(out, "%" PRIu32 "%s", list[i]->frame[j]->id,
				j ? "," : "]");
	}
	fputs("],\"weights\":[", out);
	for (uint32_t i = 0; i < n; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", list[i]->us);
	fputs("]}", out);
}

/* @list is of all stacks but those of no time, by whose they are. */
static void put_profiles(FILE *out, struct http_stacked *const *list,
			 uint32_t n, const struct http_stacks *stacks)
{
	const char *comma = "";
	uint32_t i = 0, first;

	fputs("\"profiles\":[", out);
	while (i < n) {
		for (first = i; i < n; i++)
			if (memcmp(&list[i]->whose, &list[first]->whose,
				   sizeof(list[i]->whose)) != 0)
				break;
		fprintf(out, "%s\n", comma);
		put_profile(out, list + first, i - first);
		comma = ",";
	}
	put_other_profile(out, stacks->nshared, "clients", stacks->others_us[0],
			  &comma);
	put_other_profile(out, stacks->nshared, "servers", stacks->others_us[1],
			  &comma);
	fputs("],", out);
}

int http_speedscope_write(FILE *out, void *ctx)
{
	const struct http_stacks *stacks = ctx;
	struct http_stacked **list;
	uint32_t n = 0;

	list = malloc((stacks->nstacked + 1) * sizeof(struct http_stacked *));
	if (!list)
		return -ENOMEM;
	errno = 0;
	for (uint32_t i = 0; i < stacks->nstacked; i++)
		if (stacks->stacked[i]->us)
			list[n++] = stacks->stacked[i];
	qsort(list, n, sizeof(list[0]), compare_whose);
	fputs("{\"$schema\":\"" SCHEMA "\",\"exporter\":\"netbcc " NB_VERSION
	      "\",\"name\":\"trace_http\",\"activeProfileIndex\":0,"
	      "\"shared\":{\"frames\":[",
	      out);
	for (uint32_t i = 0; i < stacks->nshared; i++) {
		put_frame(out, stacks->shared[i]);
		fputs(",\n", out);
	}
	fputs("{\"name\":\"[other stacks]\"}]},", out);
	put_profiles(out, list, n, stacks);
	fputs("\"version\":\"0.0.1\"}\n", out);
	free(list);
	if (ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
