// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

#include "args.h"
#include "tcpconnection.h"

/* Which hooks an invocation takes. */
enum {
	WANT_STATE = 1,
	WANT_ACCEPT = 2,
	WANT_FAILED = 4,
	WANT_BEGIN = 8,
};

/* Connects under way at once, whose end a kprobe is to see. */
#define MAX_CALLS 4096

/* clang-format off */
#define STATE_HOOKS(why)                                                     \
	{ NB_HOOK_RAW_TP, "inet_sock_set_state", "conn_begin", WANT_BEGIN,   \
	  .nested_ok = true, .config = "Linux 4.16" },                       \
	{ NB_HOOK_RAW_TP, "inet_sock_set_state", "conn_state", why,          \
	  .twice = true, .config = "Linux 4.16" },                           \
	{ NB_HOOK_RAW_TP, "tcp_destroy_sock", "conn_destroy", why,           \
	  .twice = true, .config = "Linux 4.16" }
/* Accepts that are no system calls; Linux 5.5, CONFIG_IO_URING. */
#define URING_HOOK                                                           \
	{ NB_HOOK_RAW_TP, "io_uring_complete", "conn_uring", WANT_ACCEPT,    \
	  .nested_ok = true, .optional = true }
#define SYSCALL_HOOK(call, prog, why)                                        \
	{ NB_HOOK_TP, "syscalls/" call, prog, why,                           \
	  .config = "CONFIG_FTRACE_SYSCALLS" }
#define FUNC_HOOK(kind, func, prog, why)                                     \
	{ kind, func, prog, why, .calls = MAX_CALLS,                         \
	  .config = "CONFIG_SECURITY_NETWORK" }
/* clang-format on */

/*
 * What a connect or an accept comes to, by whatever way the process asks for
 * it; and who asks for something else pays nothing.
 */
static const struct nb_hook function_hooks[] = {
	STATE_HOOKS(WANT_STATE),
	FUNC_HOOK(NB_HOOK_ENTRY, "security_sock_graft", "conn_graft",
		  WANT_ACCEPT),
	FUNC_HOOK(NB_HOOK_ENTRY, "security_socket_connect",
		  "conn_connect_enter", WANT_FAILED),
	FUNC_HOOK(NB_HOOK_RETURN, "security_socket_connect",
		  "conn_connect_denied", WANT_FAILED),
	FUNC_HOOK(NB_HOOK_RETURN, "inet_stream_connect", "conn_connect_exit",
		  WANT_FAILED),
};

/* Every system call gets a little slower while one of these is in use. */
static const struct nb_hook tracepoint_hooks[] = {
	STATE_HOOKS(WANT_STATE | WANT_ACCEPT),
	SYSCALL_HOOK("sys_exit_accept", "conn_accept", WANT_ACCEPT),
	SYSCALL_HOOK("sys_exit_accept4", "conn_accept", WANT_ACCEPT),
	SYSCALL_HOOK("sys_enter_connect", "conn_connect_enter", WANT_FAILED),
	SYSCALL_HOOK("sys_exit_connect", "conn_connect_exit", WANT_FAILED),
	URING_HOOK,
};

/* Where tracefs can't be read: a program on every system call. */
static const struct nb_hook raw_hooks[] = {
	STATE_HOOKS(WANT_STATE | WANT_ACCEPT),
	{ NB_HOOK_RAW_TP, "sys_exit", "conn_sys_exit", WANT_ACCEPT },
	{ NB_HOOK_RAW_TP, "sys_enter", "conn_sys_enter", WANT_FAILED },
	{ NB_HOOK_RAW_TP, "sys_exit", "conn_sys_exit_failed", WANT_FAILED },
	URING_HOOK,
};

#define HOOKS(array) array, sizeof(array) / sizeof(array[0])

const struct nb_plan conn_plans[CONN_PLANS] = {
	[CONN_PLAN_FENTRY] = { "fentry", HOOKS(function_hooks), NB_BY_FENTRY },
	[CONN_PLAN_TRACEPOINT] = { "tracepoint", HOOKS(tracepoint_hooks) },
	[CONN_PLAN_RAW] = { "raw", HOOKS(raw_hooks) },
	[CONN_PLAN_KPROBE] = { "kprobe", HOOKS(function_hooks), NB_BY_KPROBE },
};

const char *const conn_plan_names[] = {
	[CONN_PLAN_FENTRY] = "fentry",
	[CONN_PLAN_TRACEPOINT] = "tracepoint",
	[CONN_PLAN_RAW] = "raw",
	[CONN_PLAN_KPROBE] = "kprobe",
	NULL,
};

unsigned conn_hooks_wanted(void)
{
	bool connects = conn_args.direction != CONN_ACCEPT;
	bool accepts = conn_args.direction != CONN_CONNECT;
	bool remembers = conn_args.latency || conn_args.life;

	return (connects || remembers ? WANT_STATE : 0) |
	       (accepts ? WANT_ACCEPT : 0) | (connects ? WANT_BEGIN : 0) |
	       (connects && conn_args.failed ? WANT_FAILED : 0);
}
