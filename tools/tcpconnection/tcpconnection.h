/* SPDX-License-Identifier: Apache-2.0 */
/* What tcpconnection and its eBPF text share. */
#ifndef NB_TCPCONNECTION_H
#define NB_TCPCONNECTION_H

#include <linux/types.h>

#include "bpf/filter.h"

/* What a record tells. */
enum conn_kind {
	CONN_OPEN, /* established (connect) or taken from the queue (accept) */
	CONN_FAILED, /* a connect that came to nothing */
	CONN_CLOSE,  /* the end of one that was reported open */
};

enum conn_direction {
	CONN_CONNECT = 1,
	CONN_ACCEPT = 2,
};

/* Not measured. */
#define CONN_NONE (~0ULL)

/* Bits of conn_config.flags. */
enum conn_flags {
	CONN_LIVE = 1 << 0, /* set last: before it nothing is recorded */
	CONN_WANT_LATENCY = 1 << 1,
	CONN_WANT_FAILED = 1 << 2,
	CONN_WANT_LIFE = 1 << 3,
	CONN_ONLY_LPORT = 1 << 4,
	CONN_ONLY_RPORT = 1 << 5,
	CONN_WANT_CONNECT = 1 << 6,
	CONN_WANT_ACCEPT = 1 << 7,
};

/* The one entry of the map "config". */
struct conn_config {
	struct nb_filter filter;
	__u32 flags;
};
_Static_assert(sizeof(struct conn_config) == 20, "shared with eBPF");

struct conn_event {
	__u64 time_ns;	  /* CLOCK_MONOTONIC */
	__u64 latency_ns; /* CONN_NONE: not measured */
	__u64 duration_ns;
	__u64 rx_bytes;
	__u64 tx_bytes;
	__u8 saddr[16]; /* local; IPv4 in the first four bytes */
	__u8 daddr[16]; /* remote */
	__u16 sport;	/* host order */
	__u16 dport;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 netns;
	__s32 error; /* errno of a failed connect, 0: none known */
	char comm[16];
	__u8 kind;	/* enum conn_kind */
	__u8 direction; /* enum conn_direction */
	__u8 ip;	/* 4 or 6 */
	__u8 pad[5];
};
_Static_assert(sizeof(struct conn_event) == 120, "shared with eBPF");

#endif
