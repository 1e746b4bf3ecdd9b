// SPDX-License-Identifier: Apache-2.0
#include "account.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "args.h"
#include "clock.h"
#include "drain.h"
#include "http.h"
#include "log.h"
#include "trace_http.h"

/* Calls that wait for an answer. */
struct waiting {
	uint64_t n;
	struct http_sock oldest;
};

static int on_sock(void *ctx, const void *key, const void *value)
{
	const struct http_sock *s = value;
	struct waiting *w = ctx;

	(void)key;
	if (s->phase != HTTP_REQUEST || !s->start_ns)
		return 0;
	if (http_args.client != http_args.server &&
	    (s->role == HTTP_CLIENT) != http_args.client)
		return 0;
	if (!w->n++ || s->start_ns < w->oldest.start_ns)
		w->oldest = *s;
	return 0;
}

static void report_waiting(const struct nb_prog *prog)
{
	struct waiting w = { 0 };
	struct http_request req;
	size_t len;

	nb_drain_read(nb_prog_map(prog, "socks"), sizeof(uint64_t),
		      sizeof(struct http_sock), on_sock, &w);
	if (!w.n)
		return;
	len = w.oldest.prefix_len < HTTP_PREFIX ? w.oldest.prefix_len
						: HTTP_PREFIX;
	if (http_request_parse(w.oldest.prefix, len, &req))
		return;
	nb_note("calls without an answer yet: %" PRIu64
		"; the oldest, %s %.*s of process %u, since %" PRIu64 " ms",
		w.n, req.method, (int)req.path_len, req.path,
		(unsigned)(w.oldest.pid_tgid >> 32),
		(nb_clock_now() - (uint64_t)w.oldest.start_ns) / 1000000);
}

void http_account_report(const struct nb_prog *prog)
{
	static const char *const notes[HTTP_UNSEEN] = {
		[HTTP_UNSEEN_TLS] = "connections with TLS, not looked into",
		[HTTP_UNSEEN_H2] = "connections with HTTP/2, not looked into",
	};
	static const char *const losses[HTTP_UNSEEN] = {
		[HTTP_UNSEEN_UNREAD] =
			"pieces not looked at: they were not in memory",
		[HTTP_UNSEEN_WAY] =
			"reads not looked at: their bytes can't be found (io_uring, 32-bit programs)",
		[HTTP_UNSEEN_PIPE] =
			"pipelined calls not followed: there was too much of them at once",
		[HTTP_UNSEEN_PARK] =
			"stacks of requests not remembered: there was no room",
		[HTTP_UNSEEN_STACK] =
			"calls without their stacks: the buffer was full (try a larger --buffer)",
		[HTTP_UNSEEN_YOUNG] =
			"samples of servers not remembered: there was no room",
	};
	uint64_t n[HTTP_UNSEEN];

	report_waiting(prog);
	nb_prog_sums(prog, "unseen", HTTP_UNSEEN, n);
	for (size_t i = 0; i < HTTP_UNSEEN; i++) {
		if (n[i] && notes[i])
			nb_note("%" PRIu64 " %s", n[i], notes[i]);
		else if (n[i] && losses[i])
			nb_error("%" PRIu64 " %s", n[i], losses[i]);
	}
}
