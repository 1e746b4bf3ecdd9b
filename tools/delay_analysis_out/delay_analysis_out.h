/* SPDX-License-Identifier: Apache-2.0 */
/* What delay_analysis_out and its eBPF text share. */
#ifndef NB_DELAY_ANALYSIS_OUT_H
#define NB_DELAY_ANALYSIS_OUT_H

#include <linux/types.h>

#include "bpf/delay.h"

/* Where a packet has been; TOTAL is QDISC, IP and TCP. */
enum out_stage {
	OUT_TOTAL,
	OUT_QDISC,  /* in the queueing discipline, until the driver is called */
	OUT_IP,	    /* until it is handed to the device's queue */
	OUT_TCP,    /* until IP has it */
	OUT_SOCK,   /* before all of these: since the application has sent it */
	OUT_DRIVER, /* after them: in the driver's function */
	OUT_STAGES,
};

/* What nb_prog_spec.want has. */
enum out_want {
	OUT_WANT_PACKETS = 1 << 0,
	OUT_WANT_CALLS = 1 << 1, /* for OUT_SOCK */
};

/* What has become of the packets that were followed: the map "ends". */
enum out_end {
	OUT_BEGUN,    /* all that were queued: with their segments */
	OUT_SENT,     /* handed to a driver */
	OUT_DROPPED,  /* by the queue, or by the driver */
	OUT_UNWANTED, /* left out by --min */
	OUT_NO_ROOM,  /* too many in queues at once */
	OUT_SPLIT,    /* segments, but for the first, of what was queued */
	OUT_ENDS,
};

/* When a packet was where, CLOCK_MONOTONIC; 0: that is not known. */
struct out_times {
	__u64 called; /* the application */
	__u64 begun;  /* TCP has */
	__u64 ip;
	__u64 queued;
	__u64 sent;
	__u64 done; /* the driver is */
};
_Static_assert(sizeof(struct out_times) == 48, "shared with eBPF");

/* A packet that a driver has got; with NB_DELAY_SUM only the times. */
struct out_event {
	struct out_times times;
	__u8 saddr[16]; /* the socket's; IPv4 in the first four bytes */
	__u8 daddr[16];
	__u8 nat_saddr[16]; /* the packet's */
	__u8 nat_daddr[16];
	__u16 sport; /* host order */
	__u16 dport;
	__u16 nat_sport;
	__u16 nat_dport;
	__u32 seq;
	__u32 ack;
	__u32 length;  /* of its data, bytes */
	__u32 packets; /* that the device makes of it */
	__u32 netns;
	__u32 pid;  /* who has used the socket; 0: not known */
	__u8 ip;    /* 4 or 6 */
	__u8 again; /* TCP has sent it before */
	__u8 flags; /* of TCP: byte 13 of its header */
	__u8 pad[5];
	char device[16];
	char comm[16];
};
_Static_assert(sizeof(struct out_event) == 184, "shared with eBPF");

#endif
