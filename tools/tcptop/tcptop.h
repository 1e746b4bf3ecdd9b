/* SPDX-License-Identifier: Apache-2.0 */
/* What tcptop and its eBPF text share. */
#ifndef NB_TCPTOP_H
#define NB_TCPTOP_H

#include <linux/types.h>

#include "bpf/filter.h"

/* A plain TCP socket's functions; addresses in the kernel. */
struct top_plain {
	__u64 proto;
	__u64 recvmsg;
};

/* The one entry of the map "config". */
struct top_config {
	struct nb_filter filter;
	__u32 live;  /* set last: before it nothing is counted */
	__u32 epoch; /* 0 or 1: bytes go to the maps even0 and odd0, or 1 */
	struct top_plain plain[2]; /* IPv4's and IPv6's; 0: not known. Set by
				    * the eBPF text at the start. */
};
_Static_assert(sizeof(struct top_config) == 56, "shared with eBPF");

/*
 * One process' use of one connection. A socket's address in memory may serve
 * several connections within an interval, which have another hash then.
 */
struct top_key {
	__u64 sk;
	__u32 hash; /* of the connection's addresses and ports */
	__u32 pid;  /* thread group; 0: the kernel, in no process' name */
};
_Static_assert(sizeof(struct top_key) == 16, "shared with eBPF");

struct top_row {
	__u64 rx_bytes;
	__u64 tx_bytes;
	__u8 saddr[16]; /* local; IPv4 in the first four bytes */
	__u8 daddr[16]; /* remote */
	__u16 sport;	/* host order */
	__u16 dport;
	__u32 uid;
	__u32 netns;
	char comm[16]; /* of the process, not of the thread */
	__u8 ip;       /* 4 or 6 */
	__u8 pad[3];
};
_Static_assert(sizeof(struct top_row) == 80, "shared with eBPF");

/*
 * More bytes of the row with this key, whose connection is busy: an entry of
 * the map "hot", which has TOP_HOT for each epoch. A cache line.
 */
struct top_hot {
	__u64 taken; /* not 0: this place is given */
	__u64 sk;    /* 0: to nobody yet */
	__u32 hash;
	__u32 pid;
	__u64 rx_bytes;
	__u64 tx_bytes;
	__u64 pad[3];
};
_Static_assert(sizeof(struct top_hot) == 64, "shared with eBPF");

#define TOP_HOT_BITS 13
#define TOP_HOT (1 << TOP_HOT_BITS)

/* The entry of "hot" for such a key. */
static inline __u32 top_hot_index(__u32 epoch, __u32 hash, __u32 pid)
{
	__u32 at = (hash ^ pid * 0x85ebca6bU) * 0x9e3779b1U;

	return (at >> (32 - TOP_HOT_BITS)) + (epoch ? TOP_HOT : 0);
}

/* Entries of the map "unshown": bytes for which there was no room. */
enum top_unshown {
	TOP_UNSHOWN_RX,
	TOP_UNSHOWN_TX,
	TOP_UNSHOWN,
};

#endif
