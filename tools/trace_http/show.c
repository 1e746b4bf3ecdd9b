// SPDX-License-Identifier: Apache-2.0
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "output.h"
#include "rows.h"
#include "samples.h"
#include "table.h"
#include "waits.h"

#define WAITS_MAX 1024

struct http_show {
	struct nb_table *table; /* with --json, or NULL */
	struct http_output *out;
	struct http_waits waits;
	struct http_waits samples;
	struct nb_clock clock;
	uint64_t lines;
};

static void free_all(struct http_show *show)
{
	http_waits_free(&show->waits);
	http_waits_free(&show->samples);
	nb_table_free(show->table);
	free(show);
}

int http_show_open(struct http_show **ret)
{
	struct http_show *show = calloc(1, sizeof(*show));
	int err = show ? http_waits_init(&show->waits, WAITS_MAX) : -ENOMEM;

	if (!err)
		err = http_waits_init(&show->samples, http_samples_room());
	if (!err && http_args.json)
		err = http_rows_new(&show->table);
	if (err)
		nb_error("cannot begin: %s", strerror(-err));
	else
		err = http_output_open(http_args.dir, http_args.speedscope,
				       http_args.svg, &show->out);
	if (!err)
		*ret = show;
	else if (show)
		free_all(show);
	return err;
}

int http_show_close(struct http_show *show)
{
	int err;

	if (!show)
		return 0;
	err = http_output_close(show->out);
	free_all(show);
	return err;
}

/* As the seed's commands began. */
int http_show_header(void)
{
	if (http_args.json || nb_log_is_quiet())
		return 0;
	printf("Tracing... Hit Ctrl-C to end. (Duration threshold: %" PRIu32
	       " ms)\n",
	       http_args.min_ms);
	if (http_args.names.n)
		printf("Process filters: ");
	for (size_t i = 0; i < http_args.names.n; i++)
		printf("%s%s", http_args.names.item[i],
		       i + 1 < http_args.names.n ? ", " : "\n");
	return fflush(stdout) ? -errno : 0;
}

int http_show_wait(struct http_show *show, const struct http_wait *wait,
		   size_t size)
{
	return http_waits_add(&show->waits, wait, size);
}

int http_show_sample(struct http_show *show, const struct http_wait *wait,
		     size_t size)
{
	return http_waits_add(&show->samples, wait, size);
}

static int print(struct http_show *show, struct http_names *names,
		 const struct http_call *call, const struct http_frames *frames,
		 const struct http_end *end)
{
	FILE *text = show->table ? NULL : stdout;
	struct http_call_info info;
	struct http_texts texts;
	int err;

	http_rows_info(call, end, &texts, &info);
	err = http_output_call(show->out, &info, frames, text);
	if (!err)
		err = http_waits_show(&show->waits, names, call, &info,
				      show->out, text);
	if (!err)
		err = http_samples_show(&show->samples, names, call, &info,
					show->out, text);
	if (err || !show->table)
		return err;
	nb_clock_sync(&show->clock);
	return http_rows_print(show->table, &show->clock, call, end, frames);
}

int http_show_call(struct http_show *show, struct http_names *names,
		   const struct http_call *call,
		   const struct http_frames *frames, const struct http_end *end)
{
	int err;

	if (!http_rows_large(end))
		return 0;
	err = print(show, names, call, frames, end);
	if (err)
		return err;
	return ++show->lines == http_args.count ? NB_LOOP_STOP : 0;
}

int http_show_flush(struct http_show *show)
{
	if (show->table)
		return nb_table_flush(show->table);
	return fflush(stdout) ? -errno : 0;
}

int http_show_second(struct http_show *show)
{
	return http_output_tick(show->out);
}

bool http_show_is_full(const struct http_show *show)
{
	return http_args.count && show->lines >= http_args.count;
}

void http_show_report(const struct http_show *show)
{
	uint64_t waits = show->waits.cut, samples = show->samples.cut;
	uint64_t n = waits > samples ? waits : samples;

	if (n)
		nb_error(
			"%" PRIu64
			" calls may lack where they waited or computed: there was no room",
			n);
}
