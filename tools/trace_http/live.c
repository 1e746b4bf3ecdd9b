// SPDX-License-Identifier: Apache-2.0
#include "live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "log.h"
#include "procs.h"
#include "tcpclock.h"
#include "trace_http.h"

/* A server's wait counts from such a part of the threshold on. */
#define WAIT_PART 16
#define WAIT_MIN_NS 1000000ULL

/* Its call is young for so long. */
#define YOUNG_PART 4

/* Who is told of a process that is there. */
struct met {
	struct http_tls *tls;
	struct http_names *names;
};

/* Shorter ones would not be seen in a graph of calls of that length. */
static uint64_t wait_ns(void)
{
	uint64_t ns = http_args.min_ms * 1000000ULL / WAIT_PART;

	return ns > WAIT_MIN_NS ? ns : WAIT_MIN_NS;
}

static uint64_t young_ns(void)
{
	uint64_t ns = http_args.min_ms * 1000000ULL / YOUNG_PART;

	return ns < HTTP_YOUNG_NS ? ns : HTTP_YOUNG_NS;
}

static int set_config(const struct nb_prog *prog, uint32_t flags,
		      unsigned clock_port)
{
	const struct http_config config = {
		.flags = http_args_flags() | flags,
		.clock_port = clock_port,
		.min_ns = http_args.min_ms * 1000000ULL,
		.wait_ns = wait_ns(),
		.young_ns = young_ns(),
	};
	const uint32_t zero = 0;

	return nb_prog_set(prog, "config", &zero, sizeof(zero), &config,
			   sizeof(config));
}

/* What the kernel can do shows only as it does it: a flag, or 0. */
static uint32_t tcp_clock(const struct nb_prog *prog)
{
	struct http_tcpclock *clock = NULL;
	bool works = false;
	int err = nb_prog_map(prog, "clock_tries");

	if (err >= 0)
		err = http_tcpclock_open(&clock);
	if (!err)
		err = set_config(prog, 0, http_tcpclock_port(clock));
	if (!err)
		works = http_tcpclock_try(clock, prog);
	http_tcpclock_close(clock);
	nb_verbose("TCP %s when a request was received",
		   works ? "knows" : "is not asked");
	return works ? HTTP_TCP_CLOCK : 0;
}

static void say_none(void)
{
	const struct nb_list *names = &http_args.names;
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < names->n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s'%s'", i ? ", " : "",
					names->item[i]);
	nb_note("no process is named %s yet: waiting for one", text);
}

static void on_found(void *ctx, uint32_t pid, bool script)
{
	const struct met *met = ctx;

	http_tls_look(met->tls, (pid_t)pid);
	if (script)
		http_names_exec(met->names, (pid_t)pid);
}

int http_live_begin(const struct nb_prog *prog, struct http_tls *tls,
		    struct http_names *names)
{
	struct met met = { .tls = tls, .names = names };
	const uint32_t clock = tcp_clock(prog);
	size_t n = 0;
	int err = http_procs_names(prog);

	if (!err)
		err = set_config(prog, 0, 0);
	if (!err)
		err = http_procs_find(prog, on_found, &met, &n);
	if (!err)
		err = set_config(prog, HTTP_LIVE | clock, 0);
	if (err)
		nb_error("cannot set the filters: %s", strerror(-err));
	else if (http_args.names.n && !n)
		say_none();
	else if (http_args.names.n)
		nb_verbose("%zu processes are traced", n);
	return err;
}
