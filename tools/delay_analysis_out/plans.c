// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

#include "delay_analysis_out.h"

/* clang-format off */
#define RAW_HOOK(target, prog, knows, why)                                   \
	{ NB_HOOK_RAW_TP, target, prog, why, .typed = knows,                 \
	  .config = "Linux 4.16" }
#define PACKET_HOOKS(knows)                                                  \
	RAW_HOOK("net_dev_queue", "out_queued", knows, OUT_WANT_PACKETS),    \
	RAW_HOOK("net_dev_start_xmit", "out_started", knows,                 \
		 OUT_WANT_PACKETS),                                          \
	RAW_HOOK("net_dev_xmit", "out_sent", knows, OUT_WANT_PACKETS),       \
	RAW_HOOK("kfree_skb", "out_dropped", knows, OUT_WANT_PACKETS)
/* Where the application's call is: Linux 6.16 has a tracepoint in it, and
 * 6.3 one at its end. */
#define CALL_HOOK(knows)                                                     \
	{ NB_HOOK_RAW_TP, "tcp_sendmsg_locked", "out_called",                \
	  OUT_WANT_CALLS, .typed = knows, .optional = true },                \
	{ NB_HOOK_RAW_TP, "sock_send_length", "out_returned",                \
	  OUT_WANT_CALLS, .typed = knows, .optional = true }
#define ENTRY_HOOK(func, prog, why, opt)                                     \
	{ NB_HOOK_ENTRY, func, prog, why, .optional = opt }
#define FUNC_HOOKS                                                           \
	ENTRY_HOOK("__tcp_transmit_skb", "out_begun", OUT_WANT_PACKETS,      \
		   false),                                                   \
	ENTRY_HOOK("__ip_queue_xmit", "out_ip", OUT_WANT_PACKETS, false),    \
	ENTRY_HOOK("inet6_csk_xmit", "out_ip", OUT_WANT_PACKETS, true),      \
	ENTRY_HOOK("tcp_sendmsg_locked", "out_sending", OUT_WANT_CALLS, false),     \
	/* sendfile() and splice(), before Linux 6.5 */                      \
	ENTRY_HOOK("tcp_sendpage_locked", "out_sending_page", OUT_WANT_CALLS, true)
/* clang-format on */

static const struct nb_hook fentry_hooks[] = {
	PACKET_HOOKS(true),
	FUNC_HOOKS,
};

static const struct nb_hook kprobe_hooks[] = {
	PACKET_HOOKS(false),
	FUNC_HOOKS,
};

static const struct nb_hook typed_hooks[] = {
	PACKET_HOOKS(true),
	CALL_HOOK(true),
};

static const struct nb_hook raw_hooks[] = {
	PACKET_HOOKS(false),
	CALL_HOOK(false),
};

#define HOOKS(array) array, sizeof(array) / sizeof(array[0])

const struct nb_plan out_plans[OUT_PLANS] = {
	{ "fentry", HOOKS(fentry_hooks), NB_BY_FENTRY },
	{ "kprobe", HOOKS(kprobe_hooks), NB_BY_KPROBE },
	{ "raw", HOOKS(typed_hooks) },
	{ "nobtf", HOOKS(raw_hooks) },
};

const char *const out_plan_names[] = { "fentry", "kprobe", "raw", "nobtf",
				       NULL };
