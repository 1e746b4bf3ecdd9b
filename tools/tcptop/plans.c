// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

/* Every hook is wanted. */
#define ALWAYS 1

/* Send or receive calls under way at once, whose end a kprobe is to see. */
#define MAX_CALLS 4096

/* clang-format off */
/*
 * How far sockets are read. The iterator comes last: what happens while it runs
 * is seen.
 */
#define READ_HOOKS(knows)                                                    \
	{ NB_HOOK_RAW_TP, "inet_sock_set_state", "top_birth", ALWAYS,        \
	  .twice = true, .typed = knows, .config = "Linux 4.16" },                           \
	{ NB_HOOK_RAW_TP, "tcp_destroy_sock", "top_end", ALWAYS,             \
	  .twice = true, .typed = knows, .config = "Linux 4.16" },                           \
	{ NB_HOOK_RAW_TP, "tcp_rcv_space_adjust", "top_copied", ALWAYS,      \
	  .typed = knows, .config = "Linux 4.18" },                       \
	{ NB_HOOK_ITER, "task_file", "top_seed", ALWAYS, .optional = true }
#define ENTRY(func, prog, opt)                                               \
	{ NB_HOOK_ENTRY, func, prog, ALWAYS, .optional = opt }
#define RETURN(func, prog, opt)                                              \
	{ NB_HOOK_RETURN, func, prog, ALWAYS, .optional = opt,               \
	  .calls = MAX_CALLS }
/* clang-format on */

static const struct nb_hook raw_hooks[] = {
	{ NB_HOOK_RAW_TP, "sock_send_length", "top_sent", ALWAYS, .typed = true,
	  .config = "Linux 6.3" },
	{ NB_HOOK_RAW_TP, "sock_recv_length", "top_received", ALWAYS,
	  .typed = true, .config = "Linux 6.3" },
	READ_HOOKS(true),
};

/* inet6_*: 5.3, and without IPv6 none; inet_sendpage: before 6.5. */
static const struct nb_hook fentry_hooks[] = {
	RETURN("inet_sendmsg", "top_sent", false),
	RETURN("inet6_sendmsg", "top_sent", true),
	RETURN("inet_sendpage", "top_sent_page", true),
	RETURN("inet_recvmsg", "top_received", false),
	RETURN("inet6_recvmsg", "top_received", true),
	READ_HOOKS(true),
};

static const struct nb_hook kprobe_hooks[] = {
	ENTRY("inet_sendmsg", "top_send_enter", false),
	RETURN("inet_sendmsg", "top_sent", false),
	ENTRY("inet6_sendmsg", "top_send_enter", true),
	RETURN("inet6_sendmsg", "top_sent", true),
	ENTRY("inet_sendpage", "top_send_enter", true),
	RETURN("inet_sendpage", "top_sent", true),
	ENTRY("inet_recvmsg", "top_recv_enter", false),
	RETURN("inet_recvmsg", "top_received", false),
	ENTRY("inet6_recvmsg", "top_recv_enter", true),
	RETURN("inet6_recvmsg", "top_received", true),
	READ_HOOKS(false),
};

#define HOOKS(array) array, sizeof(array) / sizeof(array[0])

const struct nb_plan top_plans[TOP_PLANS] = {
	/* Before 6.5 sendfile() does not come to the tracepoint. */
	{ "raw", HOOKS(raw_hooks), .without = "inet_sendpage" },
	{ "fentry", HOOKS(fentry_hooks), NB_BY_FENTRY },
	{ "kprobe", HOOKS(kprobe_hooks), NB_BY_KPROBE },
};

const char *const top_plan_names[] = { "raw", "fentry", "kprobe", NULL };
