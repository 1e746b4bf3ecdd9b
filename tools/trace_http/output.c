// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "stacks.h"
#include "svg.h"

/* Writing the files takes at most one part in so many of the time. */
#define PART_OF_TIME 20

struct http_output {
	struct http_stacks stacks;
	const char *dir_name;
	const char *speedscope; /* or NULL */
	const char *svg;
	FILE *traces;
	uint64_t written_ns; /* CLOCK_MONOTONIC, when files were last, */
	uint64_t took_ns;    /* and how long it took */
	int dir;
	bool news; /* since then */
	bool failed;
};

/* The first failure is said; after it nothing is written any more. */
static int failed(struct http_output *out, const char *name, int err)
{
	if (err && !out->failed)
		nb_error("cannot write '%s' in '%s': %s", name, out->dir_name,
			 err == -EEXIST ? "it is there and no regular file"
					: strerror(-err));
	out->failed = out->failed || err;
	return err;
}

/* stacks.folded, and speedscope's file. */
static int write_files(struct http_output *out)
{
	uint64_t start = nb_clock_now();
	int err;

	out->news = false;
	err = failed(out, HTTP_OUTPUT_FOLDED,
		     http_file_replace(out->dir, HTTP_OUTPUT_FOLDED,
				       http_folded_write, &out->stacks));
	if (!err && out->speedscope)
		err = failed(out, out->speedscope,
			     http_file_replace(out->dir, out->speedscope,
					       http_speedscope_write,
					       &out->stacks));
	out->written_ns = nb_clock_now();
	out->took_ns = out->written_ns - start;
	return err;
}

/* stack_traces.txt has its name from the beginning on. */
static int open_traces(struct http_output *out)
{
	struct http_file file;
	int fd = http_file_begin(out->dir, HTTP_OUTPUT_TRACES, &file), err;

	if (fd < 0)
		return fd;
	err = http_file_commit(&file, 0);
	out->traces = err ? NULL : fdopen(fd, "w");
	if (!out->traces) {
		close(fd);
		return err ? err : -ENOMEM;
	}
	return 0;
}

static int open_all(struct http_output *out)
{
	int err;

	out->dir = open(out->dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->dir < 0) {
		err = -errno;
		nb_error("cannot write to '%s': %s", out->dir_name,
			 strerror(-err));
		return err;
	}
	err = failed(out, HTTP_OUTPUT_TRACES, open_traces(out));
	return err ? err : write_files(out);
}

static void free_all(struct http_output *out)
{
	if (out->traces)
		fclose(out->traces);
	if (out->dir >= 0)
		close(out->dir);
	http_stacks_free(&out->stacks);
	free(out);
}

int http_output_open(const char *dir, const char *speedscope, const char *svg,
		     struct http_output **ret)
{
	struct http_output *out = calloc(1, sizeof(*out));
	int err;

	if (!out) {
		nb_error("cannot write files: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	out->stacks.max_bytes = HTTP_OUTPUT_BYTES;
	out->dir_name = dir ? dir : ".";
	out->speedscope = speedscope;
	out->svg = svg;
	err = open_all(out);
	if (err)
		free_all(out);
	else
		*ret = out;
	return err;
}

/* @us more for a stack of that call's process. Its number. */
static uint32_t count(struct http_output *out,
		      const struct http_call_info *info,
		      const struct http_frames *frames, uint64_t us)
{
	struct http_whose whose = { .server = info->server, .pid = info->pid };

	snprintf(whose.comm, sizeof(whose.comm), "%s",
		 info->comm ? info->comm : "");
	out->news = true;
	return http_stacks_add(&out->stacks, &whose, frames, us);
}

/* Pass on what was written, with @err, to stack_traces.txt. */
static int flush(struct http_output *out, int err)
{
	if (!err && fflush(out->traces))
		err = -errno;
	return failed(out, HTTP_OUTPUT_TRACES, err);
}

int http_output_call(struct http_output *out, const struct http_call_info *info,
		     const struct http_frames *frames, FILE *text)
{
	uint32_t id;
	int err;

	if (out->failed)
		return -EIO;
	id = count(out, info, frames, info->server ? 0 : info->latency_us);
	err = flush(out, http_report_call(out->traces, info, id, frames));
	if (!err && text)
		err = http_report_call(text, info, id, frames);
	return err;
}

int http_output_part(struct http_output *out, const struct http_call_info *info,
		     enum http_part part, const struct http_frames *frames,
		     uint64_t us, FILE *text)
{
	int err;

	if (out->failed)
		return -EIO;
	count(out, info, frames, us);
	err = flush(out, http_report_part(out->traces, part, us, frames));
	if (!err && text)
		err = http_report_part(text, part, us, frames);
	return err;
}

int http_output_offcpu(struct http_output *out,
		       const struct http_call_info *info,
		       const struct http_frames *frames, uint64_t us)
{
	return http_output_part(out, info, HTTP_WAITED, frames, us, NULL);
}

int http_output_tick(struct http_output *out)
{
	if (out->failed || !out->news ||
	    nb_clock_now() - out->written_ns <
		    (PART_OF_TIME - 1) * out->took_ns)
		return 0;
	return write_files(out);
}

static void report_others(const struct http_output *out)
{
	if (out->stacks.others)
		nb_error("%" PRIu64 " stacks counted as [other stacks]: there "
			 "were too many different ones",
			 out->stacks.others);
}

int http_output_close(struct http_output *out)
{
	int err = 0;

	if (!out)
		return 0;
	if (out->news)
		err = write_files(out);
	if (!out->failed && out->svg)
		err = http_svg_draw(out->dir, out->dir_name, HTTP_OUTPUT_FOLDED,
				    out->svg);
	report_others(out);
	free_all(out);
	return err;
}
