// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

#include "trace_http.h"

#define ALWAYS (HTTP_WANT_CALLS | HTTP_WANT_WAITS)

/* Receive calls under way at once, whose end a kprobe is to see. */
#define MAX_CALLS 4096

#define TEXT(a) #a
#define HZ_TEXT(hz) TEXT(hz)

/* What looks through pieces of pipelined calls is a program of its own. */
#define MORE(name) .more = name "_more", .more_map = name "_next"

/* clang-format off */
/*
 * A connection's end, and which processes there are. What sends and receives
 * comes first: as long as the programs are not to run, they cost little.
 */
#define OTHER_HOOKS(knows)                                                   \
	{ NB_HOOK_RAW_TP, "tcp_destroy_sock", "http_destroy", ALWAYS,        \
	  .twice = true, .typed = knows, .config = "Linux 4.16" },           \
	{ NB_HOOK_RAW_TP, "sched_process_exec", "http_exec", ALWAYS },       \
	{ NB_HOOK_RAW_TP, "sched_process_fork", "http_fork", ALWAYS },       \
	{ NB_HOOK_RAW_TP, "task_rename", "http_rename", ALWAYS },            \
	{ NB_HOOK_RAW_TP, "sched_process_exit", "http_exit", ALWAYS },       \
	{ NB_HOOK_RAW_TP, "sched_switch", "http_switch", HTTP_WANT_WAITS,    \
	  .typed = knows, .config = "Linux 4.0" },                           \
	{ NB_HOOK_SAMPLE, HZ_TEXT(HTTP_SAMPLE_HZ), "http_sample",            \
	  HTTP_WANT_WAITS, .optional = true }
/* clang-format on */

static const struct nb_hook raw_hooks[] = {
	{ NB_HOOK_RAW_TP, "tcp_sendmsg_locked", "http_send", ALWAYS,
	  .typed = true, .config = "Linux 6.16", MORE("http_send") },
	{ NB_HOOK_RAW_TP, "sock_recv_length", "http_received", ALWAYS,
	  .typed = true, .config = "Linux 6.3", MORE("http_received") },
	OTHER_HOOKS(true),
};

/* clang-format off */
#define FUNC_HOOKS                                                          \
	{ NB_HOOK_ENTRY, "tcp_sendmsg_locked", "http_send", ALWAYS,         \
	  MORE("http_send") },                                              \
	{ NB_HOOK_ENTRY, "tcp_sendpage_locked", "http_send_page", ALWAYS,   \
	  .optional = true, MORE("http_send_page") },                       \
	{ NB_HOOK_ENTRY, "tcp_cleanup_rbuf", "http_receiving",              \
	  HTTP_WANT_WAITS, .optional = true, MORE("http_receiving") },      \
	{ NB_HOOK_RETURN, "tcp_recvmsg", "http_received", ALWAYS,           \
	  .calls = MAX_CALLS, MORE("http_received") }
/* clang-format on */

static const struct nb_hook fentry_hooks[] = {
	FUNC_HOOKS,
	OTHER_HOOKS(true),
};

static const struct nb_hook kprobe_hooks[] = {
	FUNC_HOOKS,
	{ NB_HOOK_ENTRY, "tcp_recvmsg", "http_receive", ALWAYS },
	OTHER_HOOKS(false),
};

#define HOOKS(array) array, sizeof(array) / sizeof(array[0])

const struct nb_plan http_plans[HTTP_PLANS] = {
	{ "raw", HOOKS(raw_hooks) },
	{ "fentry", HOOKS(fentry_hooks), NB_BY_FENTRY, .preempted = true },
	{ "kprobe", HOOKS(kprobe_hooks), NB_BY_KPROBE },
};

const char *const http_plan_names[] = { "raw", "fentry", "kprobe", NULL };

/* clang-format off */
#define CALLED(symbol, prog, ...)                                           \
	{ NB_HOOK_UPROBE, symbol, prog, ALWAYS, ##__VA_ARGS__ }
#define RETURNS(symbol, prog, ...)                                          \
	{ NB_HOOK_URETPROBE, symbol, prog, ALWAYS, ##__VA_ARGS__ }
/* clang-format on */

static const struct nb_hook tls_hooks[] = {
	CALLED("SSL_write", "http_tls_write", MORE("http_tls")),
	RETURNS("SSL_write", "http_tls_wrote"),
	CALLED("SSL_write_ex", "http_tls_write", MORE("http_tls")),
	RETURNS("SSL_write_ex", "http_tls_wrote"),
	CALLED("SSL_read", "http_tls_read"),
	RETURNS("SSL_read", "http_tls_got", MORE("http_tls")),
	CALLED("SSL_read_ex", "http_tls_read_ex"),
	RETURNS("SSL_read_ex", "http_tls_got", MORE("http_tls")),
	CALLED("SSL_free", "http_tls_free"),
};

const struct nb_plan http_tls_plan = { "tls", HOOKS(tls_hooks) };
