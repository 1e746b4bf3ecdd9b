// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

/* Every hook is wanted. */
#define ALWAYS 1

/* clang-format off */
#define RAW_HOOK(target, prog, knows, opt)                                   \
	{ NB_HOOK_RAW_TP, target, prog, ALWAYS, .typed = knows,              \
	  .optional = opt, .config = "Linux 4.16" }
/* Drivers use one of these, or another; lo and veth netif_rx(). */
#define PACKET_HOOKS(knows)                                                  \
	RAW_HOOK("netif_rx_entry", "in_queued", knows, false),               \
	RAW_HOOK("napi_gro_receive_entry", "in_received", knows, false),     \
	RAW_HOOK("napi_gro_frags_entry", "in_received", knows, true),        \
	RAW_HOOK("netif_receive_skb_entry", "in_received", knows, false),    \
	RAW_HOOK("netif_receive_skb_list_entry", "in_received", knows, true),\
	RAW_HOOK("netif_receive_skb", "in_stack", knows, false),             \
	RAW_HOOK("tcp_probe", "in_socket", knows, false),                    \
	RAW_HOOK("tcp_rcv_space_adjust", "in_read", knows, false),           \
	RAW_HOOK("tcp_destroy_sock", "in_closed", knows, false),             \
	RAW_HOOK("kfree_skb", "in_dropped", knows, false)
#define ENTRY_HOOK(func, prog, opt)                                          \
	{ NB_HOOK_ENTRY, func, prog, ALWAYS, .optional = opt }
#define FUNC_HOOKS                                                           \
	ENTRY_HOOK("tcp_v4_rcv", "in_tcp", false),                           \
	ENTRY_HOOK("tcp_v4_do_rcv", "in_unlocked", false),                   \
	ENTRY_HOOK("tcp_v6_rcv", "in_tcp", true),                            \
	ENTRY_HOOK("tcp_v6_do_rcv", "in_unlocked", true)
/* clang-format on */

static const struct nb_hook fentry_hooks[] = {
	PACKET_HOOKS(true),
	FUNC_HOOKS,
};

static const struct nb_hook kprobe_hooks[] = {
	PACKET_HOOKS(false),
	FUNC_HOOKS,
};

static const struct nb_hook typed_hooks[] = { PACKET_HOOKS(true) };
static const struct nb_hook raw_hooks[] = { PACKET_HOOKS(false) };

#define HOOKS(array) array, sizeof(array) / sizeof(array[0])

const struct nb_plan in_plans[IN_PLANS] = {
	{ "fentry", HOOKS(fentry_hooks), NB_BY_FENTRY },
	{ "kprobe", HOOKS(kprobe_hooks), NB_BY_KPROBE },
	{ "raw", HOOKS(typed_hooks) },
	{ "nobtf", HOOKS(raw_hooks) },
};

const char *const in_plan_names[] = { "fentry", "kprobe", "raw", "nobtf",
				      NULL };
