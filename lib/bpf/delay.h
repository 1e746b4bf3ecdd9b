/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that follow packets share with their eBPF texts. */
#ifndef NB_DELAY_H
#define NB_DELAY_H

#include <linux/types.h>

#include "filter.h"

/* Bits of nb_delay_config.flags. */
enum nb_delay_flags {
	NB_DELAY_LIVE = 1 << 0, /* set last: before it nothing is followed */
	NB_DELAY_ONLY_LPORT = 1 << 1,
	NB_DELAY_ONLY_RPORT = 1 << 2,
	NB_DELAY_ONLY_ADDR = 1 << 3,
	NB_DELAY_NOT_OWN = 1 << 4, /* leave out the connection "own" */
	NB_DELAY_SUM = 1 << 5,	   /* records are of times only */
	NB_DELAY_ONLY_DEVICE = 1 << 6,
	NB_DELAY_CALLS = 1 << 7, /* calls of applications are noted */
};

/* The one entry of the map "config". */
struct nb_delay_config {
	struct nb_filter filter;
	__u32 flags;
	__u32 below;  /* of 2^32, so many packets are followed; 0: all */
	__u32 slots;  /* of the maps of packets: a power of two */
	__u8 addr_ip; /* with NB_DELAY_ONLY_ADDR: 4 or 6, */
	__u8 pad[3];
	__u32 addr[4]; /* the prefix in network order, */
	__u32 mask[4]; /* and its bits */
	__u64 min_ns;  /* TOTAL at least */
	__u16 own[2];  /* local and remote port, and the remote address */
	__u32 own_addr[4];
	__u32 pad2;
	char device[16]; /* its name, filled up with NUL */
};
_Static_assert(sizeof(struct nb_delay_config) == 112, "shared with eBPF");

#endif
