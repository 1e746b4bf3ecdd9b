// SPDX-License-Identifier: Apache-2.0
#include "args.h"

#include <string.h>

#include "plans.h"
#include "trace_http.h"

/* Some 100 stacks, until they are taken out. */
#define HTTP_BUFFER_KB 2048

struct http_args http_args = {
	.min_ms = 100,
	.prog.buffer_kb = HTTP_BUFFER_KB,
};

/* clang-format off */
static const struct nb_opt opts[] = {
	{ NB_U32, 't', "threshold", .arg = "MS", .out = &http_args.min_ms,
	  .help = "only calls whose first byte took so long (default 100)",
	  .max = 24 * 60 * 60 * 1000 },
	{ NB_LIST, 'p', "process", .arg = "NAME", .out = &http_args.names,
	  .help = "only processes whose name begins so; may be repeated" },
	{ NB_LIST, .lng = "pid", .arg = "PID", .out = &http_args.pids,
	  .help = "only this process; may be repeated" },
	{ NB_FLAG, '4', "ipv4", .out = &http_args.ip4, .help = "only IPv4" },
	{ NB_FLAG, '6', "ipv6", .out = &http_args.ip6, .help = "only IPv6" },
	{ NB_FLAG, .lng = "client", .out = &http_args.client,
	  .help = "only calls that the process makes" },
	{ NB_FLAG, .lng = "server", .out = &http_args.server,
	  .help = "only calls that it serves" },
	{ NB_FLAG, .lng = "no-tls", .out = &http_args.no_tls,
	  .help = "no calls over TLS, and no hooks on libssl" },
	{ NB_STR, .lng = "status", .arg = "LIST", .out = &http_args.status,
	  .help = "only these, as in 404 or 4xx,5xx" },
	{ NB_STR, .lng = "path", .arg = "GLOB", .out = &http_args.path,
	  .help = "only paths that match, as in '/api/*'" },
	{ NB_U64, .lng = "min-size", .arg = "BYTES", .out = &http_args.min_size,
	  .help = "only calls of so many bytes, both ways" },
	{ NB_U64, 'c', "count", .arg = "COUNT", .out = &http_args.count,
	  .help = "stop after COUNT calls", .min = 1 },
	{ NB_FLAG, .lng = "json", .out = &http_args.json,
	  .help = "one JSON object a line" },
	{ NB_STR, 'o', "output", .arg = "DIR", .out = &http_args.dir,
	  .help = "stack_traces.txt and stacks.folded there" },
	{ NB_STR, .lng = "speedscope", .arg = "FILE",
	  .out = &http_args.speedscope, .help = "stacks for speedscope" },
	{ NB_STR, .lng = "svg", .arg = "FILE", .out = &http_args.svg,
	  .help = "a flame graph" },
	{ NB_U32, .lng = "max-conns", .arg = "N", .out = &http_args.max_conns,
	  .help = "connections followed at once (default 65536)",
	  .min = 1, .max = 1 << 24 },
	{ NB_U32, .lng = "buffer", .arg = "KB",
	  .out = &http_args.prog.buffer_kb,
	  .help = "size of the buffer for stacks (default 2048)",
	  .min = 64, .max = 1 << 20 },
	NB_PROG_LOAD_OPTS(&http_args.prog, http_plan_names),
	{ NB_FLAG, .lng = "perf-buffer", .out = &http_args.prog.perf_buffer },
};
/* clang-format on */

static const char *const examples[] = {
	"trace_http                  calls of 100 ms and more, of all processes",
	"trace_http -t 200 -p nova   of those whose name begins with nova",
	"trace_http --pid 181 --server --status 5xx   what 181 fails to serve",
	"trace_http -p node --path '/api/*' --json    for a program",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "trace_http",
	.about = "Show slow HTTP calls, and the stacks that made them.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

static void check_pids(void)
{
	for (size_t i = 0; i < http_args.pids.n; i++) {
		const char *word = http_args.pids.item[i];
		uint64_t pid;

		if (nb_parse_u64(word, 1, 1 << 22, &pid))
			nb_opt_misuse(
				"cannot use '--pid %s': no number of a process",
				word);
		http_args.pid[i] = (uint32_t)pid;
	}
}

void http_args_parse(int argc, char **argv)
{
	nb_opt_parse(&cmd, argc, argv);
	check_pids();
	for (size_t i = 0; i < http_args.names.n; i++)
		if (strlen(http_args.names.item[i]) >= HTTP_NAME)
			nb_opt_misuse(
				"cannot use '-p %s': longer than %d bytes",
				http_args.names.item[i], HTTP_NAME - 1);
	if (http_args.status &&
	    http_statuses_parse(http_args.status, &http_args.statuses))
		nb_opt_misuse(
			"cannot use '--status %s': neither 404 nor 4xx, nor a list of such",
			http_args.status);
}

uint32_t http_args_flags(void)
{
	const struct http_args *a = &http_args;

	return (a->names.n || a->pids.n ? HTTP_NAMED : 0U) |
	       (a->names.n ? HTTP_NAMES : 0U) |
	       (a->no_tls ? 0U : HTTP_SEES_TLS) |
	       (a->min_ms * 1000000ULL > HTTP_QUICK_NS ? HTTP_QUICK : 0U) |
	       (a->client && !a->server ? HTTP_ONLY_CLIENT : 0U) |
	       (a->server && !a->client ? HTTP_ONLY_SERVER : 0U) |
	       (a->ip4 && !a->ip6 ? HTTP_ONLY_IP4 : 0U) |
	       (a->ip6 && !a->ip4 ? HTTP_ONLY_IP6 : 0U);
}
