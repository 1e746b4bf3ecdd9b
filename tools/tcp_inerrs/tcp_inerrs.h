/* SPDX-License-Identifier: Apache-2.0 */
/* What tcp_inerrs and its eBPF text share. */
#ifndef NB_TCP_INERRS_H
#define NB_TCP_INERRS_H

#include <linux/types.h>

#include "bpf/filter.h"

/*
 * Why a packet was bad, the same word for every kernel: as the newest one has
 * it in enum skb_drop_reason, or as the command derives it (marked *).
 */
enum err_reason {
	ERR_NONE,  /* not one of these */
	ERR_OTHER, /* of TCP's, in a kernel newer than the command */
	ERR_NOT_SPECIFIED,
	ERR_PKT_TOO_SMALL,
	ERR_BAD_DOFF, /* * */
	ERR_TCP_CSUM,
	ERR_NO_SOCKET,
	ERR_TCP_MINTTL,
	ERR_XFRM_POLICY,
	ERR_TCP_AUTH_HDR,
	ERR_TCP_MD5NOTFOUND,
	ERR_TCP_MD5UNEXPECTED,
	ERR_TCP_MD5FAILURE,
	ERR_TCP_AONOTFOUND,
	ERR_TCP_AOUNEXPECTED,
	ERR_TCP_AOKEYNOTFOUND,
	ERR_TCP_AOFAILURE,
	ERR_SOCKET_FILTER,
	ERR_SOCKET_BACKLOG,
	ERR_PROTO_MEM,
	ERR_TCP_FLAGS,
	ERR_TCP_INVALID_SYN,
	ERR_TCP_RESET,
	ERR_TCP_RFC7323_PAWS,
	ERR_TCP_RFC7323_TW_PAWS,
	ERR_TCP_RFC7323_TSECR,
	ERR_TCP_INVALID_SEQUENCE,
	ERR_TCP_INVALID_END_SEQUENCE,
	ERR_TCP_INVALID_ACK_SEQUENCE,
	ERR_TCP_ACK_UNSENT_DATA,
	ERR_TCP_TOO_OLD_ACK,
	ERR_TCP_ZEROWINDOW,
	ERR_TCP_OVERWINDOW,
	ERR_TCP_OFO_QUEUE_PRUNE,
	ERR_TCP_ABORT_ON_DATA,
	ERR_TCP_CLOSE,
	ERR_TCP_FASTOPEN,
	ERR_TCP_LISTEN_OVERFLOW,
	ERR_SYN_QUEUE_FULL, /* * */
	ERR_COOKIE_FAILED,  /* * */
	ERR_RESET_RECEIVED, /* * */
	ERR_RESET_SENT,	    /* * */
	/* What is normal, from here on. */
	ERR_TCP_OLD_SEQUENCE,
	ERR_TCP_OLD_DATA,
	ERR_TCP_OLD_ACK,
	ERR_TCP_RFC7323_PAWS_ACK,
	ERR_PAWS_DUPLICATE,    /* * */
	ERR_TW_PAWS_DUPLICATE, /* * */
	ERR_TCP_OFOMERGE,
	ERR_TCP_OFO_DROP,
	ERR_TIME_WAIT,	   /* * */
	ERR_DEFER_ACCEPT,  /* * */
	ERR_CLOSING_ACK,   /* * */
	ERR_RESET_OR_DATA, /* * */
	ERR_REASONS,
};
_Static_assert(ERR_REASONS <= 64, "a mask has 64 bits");

/* Of the map "reasons", by the kernel's number: enum err_reason, and flags. */
#define ERR_KERNEL_REASONS                                \
	256 /* of the core's; subsystems' are above 65535 \
	     */
#define ERR_REASON_MASK 0xff
/* Other protocols' packets have it, too. */
#define ERR_SHARED 0x100
/* Given before TCP has taken its header off. */
#define ERR_AT_HEADER 0x200

/* Bits of err_config.flags. */
enum err_flags {
	ERR_LIVE = 1 << 0, /* set last: before it nothing is seen */
	ERR_ONLY_LPORT = 1 << 1,
	ERR_ONLY_RPORT = 1 << 2,
	ERR_SUM = 1 << 3,	/* count, instead of one by one */
	ERR_SUM_PEERS = 1 << 4, /* by peer, too */
	ERR_OWNED = 1 << 5,	/* only what may be some process' */
};

/* The one entry of the map "config". */
struct err_config {
	struct nb_filter filter;
	__u64 wanted; /* by enum err_reason */
	__u32 flags;
	__u32 netns;	/* whose packets "seen" counts */
	__u64 max_rate; /* records a second; 0: any number */
	__u32 epoch;	/* 0 or 1: count in the map "sums0", or 1 */
	__u32 pad;
};
_Static_assert(sizeof(struct err_config) == 48, "shared with eBPF");

/* Of the maps "sums0" and "sums1". */
struct err_sum_key {
	__u8 peer[16]; /* zero unless ERR_SUM_PEERS */
	__u8 ip;
	__u8 reason;
	__u16 kernel_reason;
	__u32 pad;
};
_Static_assert(sizeof(struct err_sum_key) == 24, "shared with eBPF");

#define ERR_FRAMES 24

/* A packet, from its source to its destination. */
struct err_event {
	__u64 time_ns;	/* CLOCK_MONOTONIC */
	__u64 inode;	/* of the socket, in sockfs; 0: none, or no process' */
	__u8 saddr[16]; /* IPv4 in the first four bytes */
	__u8 daddr[16];
	__u16 sport; /* host order */
	__u16 dport;
	__u32 netns;
	__u32 pid; /* that was working with the socket; 0: nobody was */
	__u32 seq;
	__u32 length; /* of its data, bytes */
	__u16 kernel_reason;
	__u8 reason; /* enum err_reason */
	__u8 ip;     /* 4 or 6 */
	__u8 state;  /* TCP_* of tcp_states.h; 0: no socket was found */
	__u8 flags;  /* as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 */
	__u8 has_header; /* seq, length and flags are the packet's */
	__u8 has_ports;
	char comm[16]; /* of pid */
	__u32 pad;
};
_Static_assert(sizeof(struct err_event) == 96, "shared with eBPF");

/* With -DNB_WITH_stack, what follows an event. */
struct err_stack {
	struct err_event event;
	__u64 ip[ERR_FRAMES]; /* innermost first; 0: there are no more */
};

#endif
