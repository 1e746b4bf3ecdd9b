// SPDX-License-Identifier: Apache-2.0
#include "samples.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_CPU 512
#define ROOM_MAX 8192 /* of up to 19 kB */

/* A stack, and what the samples that had it stand for. */
struct place {
	struct http_frames *frames;
	uint64_t ns;
};

struct places {
	struct place *place;
	size_t n;
};

size_t http_samples_room(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t room = ROOM_CPU * (cpus > 1 ? (size_t)cpus : 1);

	return room < ROOM_MAX ? room : ROOM_MAX;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_frames(const struct http_frames *a,
			const struct http_frames *b)
{
	if (a->n != b->n || a->truncated != b->truncated)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->f[i].line != b->f[i].line ||
		    !same_text(a->f[i].name, b->f[i].name) ||
		    !same_text(a->f[i].file, b->f[i].file))
			return false;
	return true;
}

/* @ns more there; the frames are the place's from now on. 0 or -ENOMEM. */
static int add(struct places *places, struct http_frames *frames, uint64_t ns)
{
	struct place *grown;
	size_t i;

	for (i = 0; i < places->n; i++)
		if (same_frames(places->place[i].frames, frames))
			break;
	if (i == places->n) {
		grown = realloc(places->place, (i + 1) * sizeof(*grown));
		if (!grown)
			goto drop;
		places->place = grown;
		places->place[places->n++] = (struct place){ frames, ns };
		return 0;
	}
	places->place[i].ns += ns;
drop:
	http_frames_free(frames);
	free(frames);
	return i < places->n ? 0 : -ENOMEM;
}

static int by_ns(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->ns < y->ns) - (x->ns > y->ns);
}

static int find(struct places *places, struct http_waits *samples,
		struct http_names *names, const struct http_call *call)
{
	struct http_frames *frames;
	struct http_wait *w;
	size_t at = 0;
	int err = 0;

	while (!err && (w = http_waits_take(samples, call, &at))) {
		frames = calloc(1, sizeof(*frames));
		if (frames)
			http_names_resolve(names, (pid_t)w->pid, &w->stack,
					   frames);
		err = frames ? add(places, frames, w->ns) : -ENOMEM;
		free(w);
	}
	return err;
}

static void free_places(struct places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		http_frames_free(places->place[i].frames);
		free(places->place[i].frames);
	}
	free(places->place);
}

int http_samples_show(struct http_waits *samples, struct http_names *names,
		      const struct http_call *call,
		      const struct http_call_info *info,
		      struct http_output *out, FILE *text)
{
	struct places places = { 0 };
	int err = find(&places, samples, names, call);

	if (places.n)
		qsort(places.place, places.n, sizeof(*places.place), by_ns);
	for (size_t i = 0; i < places.n && !err; i++)
		err = http_output_part(out, info, HTTP_COMPUTED,
				       places.place[i].frames,
				       places.place[i].ns / 1000, text);
	free_places(&places);
	return err;
}
