/* SPDX-License-Identifier: Apache-2.0 */
/* trace_http's command line. */
#ifndef NB_HTTP_ARGS_H
#define NB_HTTP_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "opt.h"
#include "prog.h"

struct http_args {
	uint32_t min_ms;
	struct nb_list names;
	struct nb_list pids; /* as text, checked: */
	uint32_t pid[NB_LIST_MAX];
	bool ip4; /* both, or none: either */
	bool ip6;
	bool client; /* likewise */
	bool server;
	bool no_tls;
	const char *status;
	struct http_statuses statuses;
	const char *path;  /* NULL: any */
	uint64_t min_size; /* bytes */
	uint64_t count;
	bool json;
	const char *dir; /* for files; NULL: none */
	const char *speedscope;
	const char *svg;
	uint32_t max_conns;
	struct nb_prog_args prog;
};

extern struct http_args http_args;

/* As nb_opt_parse(). */
void http_args_parse(int argc, char **argv);

/* http_config.flags, but HTTP_LIVE. */
uint32_t http_args_flags(void);

#endif
