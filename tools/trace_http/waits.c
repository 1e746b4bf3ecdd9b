// SPDX-License-Identifier: Apache-2.0
#include "waits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int http_waits_init(struct http_waits *waits, size_t room)
{
	waits->wait = calloc(room, sizeof(*waits->wait));
	if (!waits->wait)
		return -ENOMEM;
	waits->room = room;
	return 0;
}

int http_waits_add(struct http_waits *waits, const struct http_wait *wait,
		   size_t size)
{
	struct http_wait **at = &waits->wait[waits->next];

	if (size < offsetof(struct http_wait, stack.bytes) ||
	    size < offsetof(struct http_wait, stack) +
			    http_stack_size(&wait->stack))
		return -EBADMSG;
	waits->next = (waits->next + 1) % waits->room;
	if (*at)
		waits->gone_ns = (*at)->at_ns;
	free(*at);
	*at = malloc(size);
	if (!*at)
		return -ENOMEM;
	memcpy(*at, wait, size);
	return 0;
}

struct http_wait *http_waits_take(struct http_waits *waits,
				  const struct http_call *call, size_t *at)
{
	if (!*at && call->role == HTTP_SERVER &&
	    call->start_ns < waits->gone_ns)
		waits->cut++;
	while (*at < waits->room) {
		size_t k = (waits->next + (*at)++) % waits->room;
		struct http_wait *w = waits->wait[k];

		if (!w || w->sk != call->sk || w->no != call->no ||
		    w->start_ns != call->start_ns)
			continue;
		waits->wait[k] = NULL;
		return w;
	}
	return NULL;
}

static int show_one(const struct http_wait *wait, struct http_names *names,
		    const struct http_call_info *info, struct http_output *out,
		    FILE *text)
{
	struct http_frames *frames = calloc(1, sizeof(*frames));
	int err;

	if (!frames)
		return -ENOMEM;
	http_names_resolve(names, (pid_t)wait->pid, &wait->stack, frames);
	err = http_output_part(out, info, HTTP_WAITED, frames, wait->ns / 1000,
			       text);
	http_frames_free(frames);
	free(frames);
	return err;
}

int http_waits_show(struct http_waits *waits, struct http_names *names,
		    const struct http_call *call,
		    const struct http_call_info *info, struct http_output *out,
		    FILE *text)
{
	struct http_wait *w;
	size_t at = 0;
	int err = 0;

	while (!err && (w = http_waits_take(waits, call, &at))) {
		err = show_one(w, names, info, out, text);
		free(w);
	}
	return err;
}

void http_waits_free(struct http_waits *waits)
{
	for (size_t i = 0; i < waits->room; i++)
		free(waits->wait[i]);
	free(waits->wait);
}
