// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

/* Every hook is wanted. */
#define ALWAYS 1

/* Requests looked at at once: one a CPU. */
#define MAX_CALLS 4096

/* clang-format off */
/* @nargs: of kfree_skb; the third is the reason, the fourth the socket. */
#define DROP_HOOKS(knows, nargs, since)                                      \
	{ NB_HOOK_RAW_TP, "kfree_skb", "err_drop", ALWAYS, .typed = knows,   \
	  .args = nargs, .config = since },                                  \
	{ NB_HOOK_RAW_TP, "tcp_receive_reset", "err_reset_received", ALWAYS, \
	  .config = "Linux 4.16" },                                          \
	{ NB_HOOK_RAW_TP, "tcp_send_reset", "err_reset_sent", ALWAYS,        \
	  .config = "Linux 4.16" }
/* What a listener has no room for is in no tracepoint. */
#define REQUEST_HOOKS                                                        \
	{ NB_HOOK_ENTRY, "tcp_conn_request", "err_request", ALWAYS,          \
	  .optional = true },                                                \
	{ NB_HOOK_RETURN, "tcp_conn_request", "err_requested", ALWAYS,       \
	  .optional = true, .calls = MAX_CALLS }
#define PAIR_HOOK(func, prog, opt)                                           \
	{ NB_HOOK_ENTRY, func, prog, ALWAYS, .optional = opt }
#define PAIR_HOOKS                                                           \
	PAIR_HOOK("tcp_filter", "err_pair", false),                          \
	PAIR_HOOK("tcp_check_req", "err_pair", false),                       \
	PAIR_HOOK("tcp_v4_do_rcv", "err_pair", false),                       \
	PAIR_HOOK("tcp_v6_do_rcv", "err_pair", true),                        \
	PAIR_HOOK("tcp_timewait_state_process", "err_pair_over", false)
/* clang-format on */

static const struct nb_hook raw_hooks[] = {
	DROP_HOOKS(true, 4, "Linux 6.11"),
	REQUEST_HOOKS,
};

static const struct nb_hook fentry_hooks[] = {
	DROP_HOOKS(true, 3, "Linux 5.17"),
	REQUEST_HOOKS,
	PAIR_HOOKS,
};

/* Without BTF nobody tells how many arguments there are; reasons do. */
static const struct nb_hook kprobe_hooks[] = {
	DROP_HOOKS(false, 0, "Linux 5.17"),
	REQUEST_HOOKS,
	PAIR_HOOKS,
};

static const struct nb_hook probe_hooks[] = {
	DROP_HOOKS(true, 3, "Linux 5.17"),
	{ NB_HOOK_RAW_TP, "tcp_probe", "err_pair", ALWAYS,
	  .config = "Linux 4.16" },
};

#define HOOKS(array) array, sizeof(array) / sizeof(array[0])

const struct nb_plan err_plans[ERR_PLANS] = {
	{ "raw", HOOKS(raw_hooks), NB_BY_FENTRY },
	{ "fentry", HOOKS(fentry_hooks), NB_BY_FENTRY },
	{ "kprobe", HOOKS(kprobe_hooks), NB_BY_KPROBE },
	{ "probe", HOOKS(probe_hooks) },
};

const char *const err_plan_names[] = { "raw", "fentry", "kprobe", "probe",
				       NULL };
