// SPDX-License-Identifier: Apache-2.0
#include "calls.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* a power of two */

struct waiting {
	struct waiting *next;
	uint64_t gone_ns; /* since when its socket serves something else */
	struct http_call call;
	struct http_frames frames;
};

struct http_calls {
	http_call_fn fn;
	void *ctx;
	struct waiting *bucket[BUCKETS];
};

int http_calls_new(http_call_fn fn, void *ctx, struct http_calls **ret)
{
	struct http_calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return -ENOMEM;
	calls->fn = fn;
	calls->ctx = ctx;
	*ret = calls;
	return 0;
}

static void free_one(struct waiting *w)
{
	http_frames_free(&w->frames);
	free(w);
}

void http_calls_free(struct http_calls *calls)
{
	struct waiting *w;

	if (!calls)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((w = calls->bucket[i])) {
			calls->bucket[i] = w->next;
			free_one(w);
		}
	}
	free(calls);
}

static struct waiting **bucket_of(struct http_calls *calls, uint64_t sk)
{
	return &calls->bucket[(sk * 0x9e3779b97f4a7c15ULL) >> 52];
}

struct http_frames *http_calls_begin(struct http_calls *calls,
				     const struct http_call *call)
{
	struct waiting **bucket = bucket_of(calls, call->sk);
	struct waiting *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->call = *call;
	w->next = *bucket;
	*bucket = w;
	return &w->frames;
}

/* Hand over the one at *@at, and forget it. */
static int finish(struct http_calls *calls, struct waiting **at,
		  const struct http_end *end)
{
	struct waiting *w = *at;
	int err = calls->fn(calls->ctx, &w->call, &w->frames, end);

	*at = w->next;
	free_one(w);
	return err;
}

int http_calls_end(struct http_calls *calls, const struct http_end *end)
{
	struct waiting **at = bucket_of(calls, end->sk);

	for (; *at; at = &(*at)->next)
		if ((*at)->call.sk == end->sk && (*at)->call.no == end->no)
			return finish(calls, at, end);
	return 0;
}

/*
 * Has the call ended by @now, as far as can be told without its end? Then *end
 * is filled.
 */
static bool is_over(struct waiting *w, int socks, uint64_t now,
		    struct http_end *end)
{
	struct http_sock s;

	memset(end, 0, sizeof(*end));
	end->sk = w->call.sk;
	end->no = w->call.no;
	if (!bpf_map_lookup_elem(socks, &end->sk, &s) && s.no == w->call.no) {
		end->last_ns = s.last_ns;
		end->rx_bytes = s.rx_bytes;
		end->tx_bytes = s.tx_end - s.tx_start;
		/* What has come since @now was is later. */
		return !now ||
		       (now > s.last_ns && now - s.last_ns >= HTTP_IDLE_NS);
	}
	/* Its end is on the way, unless the buffer was full. */
	if (!w->gone_ns)
		w->gone_ns = now;
	return !now || now - w->gone_ns >= HTTP_IDLE_NS;
}

int http_calls_look(struct http_calls *calls, int socks, uint64_t now)
{
	struct http_end end;
	int err;

	for (size_t i = 0; i < BUCKETS; i++) {
		struct waiting **at = &calls->bucket[i];

		while (*at) {
			if (!is_over(*at, socks, now, &end)) {
				at = &(*at)->next;
				continue;
			}
			err = finish(calls, at, &end);
			if (err)
				return err;
		}
	}
	return 0;
}
