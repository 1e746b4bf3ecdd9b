/* SPDX-License-Identifier: Apache-2.0 */
/* What delay_analysis_in and its eBPF text share. */
#ifndef NB_DELAY_ANALYSIS_IN_H
#define NB_DELAY_ANALYSIS_IN_H

#include <linux/types.h>

#include "bpf/delay.h"

/* Where a packet has been; TOTAL is MAC, IP and TCP, of which the rest are
 * parts. */
enum in_stage {
	IN_TOTAL,
	IN_MAC, /* from the driver to the protocols: GRO, and queues to other
		 * processors or of virtual devices */
	IN_IP,
	IN_TCP,	    /* until the application has it */
	IN_GRO,	    /* of MAC, on the processor that the driver had */
	IN_SOFTIRQ, /* of MAC, in a queue to a softirq */
	IN_BACKLOG, /* of TCP: to the socket, which a process may have locked */
	IN_APP,	    /* of TCP: in the socket, until the application has it */
	IN_STAGES,
};

/* What has become of the packets that were followed: the map "ends". */
enum in_end {
	IN_BEGUN,    /* all of them */
	IN_READ,     /* by the application */
	IN_NO_DATA,  /* acknowledgements and the like */
	IN_DROPPED,  /* by TCP, or before */
	IN_CLOSED,   /* their socket was, before they were read */
	IN_UNWANTED, /* left out by options */
	IN_NO_ROOM,  /* too many waiting for the application */
	IN_UNSEEN,   /* others, as far as it was noticed */
	IN_ENDS,
};

/* When a packet was where, CLOCK_MONOTONIC; 0: that is not known. */
struct in_times {
	__u64 driver;
	__u64 stack;
	__u64 tcp;
	__u64 unlocked;
	__u64 socket;
	__u64 read;
	__u8 queued; /* by netif_rx(): to a softirq, without GRO */
	__u8 moved;  /* from one processor to another before the stack */
	__u8 pad[6];
};
_Static_assert(sizeof(struct in_times) == 56, "shared with eBPF");

/* A packet that the application has read; with NB_DELAY_SUM only the times. */
struct in_event {
	struct in_times times;
	__u8 saddr[16]; /* its source; IPv4 in the first four bytes */
	__u8 daddr[16];
	__u16 sport; /* host order */
	__u16 dport;
	__u32 seq;
	__u32 ack;
	__u32 length;  /* of its data, bytes */
	__u32 packets; /* on the wire, of which GRO has made it */
	__u32 netns;
	__u32 pid; /* who has read it */
	__u8 ip;   /* 4 or 6 */
	__u8 pad[3];
	char comm[16];
};
_Static_assert(sizeof(struct in_event) == 136, "shared with eBPF");

#endif
