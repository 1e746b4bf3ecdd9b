/* SPDX-License-Identifier: Apache-2.0 */
/* What nic_throughput and its eBPF text share. */
#ifndef NB_NIC_THROUGHPUT_H
#define NB_NIC_THROUGHPUT_H

#include <linux/types.h>

enum nic_direction { NIC_RX, NIC_TX, NIC_DIRECTIONS };

/* The queue of a packet for which none is recorded (received ones only). */
#define NIC_NO_QUEUE 0xffff

/* The one entry of the map "config". */
struct nic_config {
	__u64 net;   /* the namespace's struct net, once the text has met it */
	__u32 netns; /* its inode number */
	__u8 live;   /* set last: before it nothing is counted */
	__u8 all;    /* every device; otherwise those in the map "wanted" */
	__u8 pad[2];
};
_Static_assert(sizeof(struct nic_config) == 16, "shared with eBPF");

/*
 * Where the queues of a device are in the map "places", each with one entry for
 * each direction: first that of packets without a queue, then 0 and up. The map
 * "devices" has one of these for what an ifindex is modulo its size.
 */
struct nic_device {
	__u32 ifindex;
	__u16 first;
	__u16 queues; /* with the one that is none */
};
_Static_assert(sizeof(struct nic_device) == 8, "shared with eBPF");
#define NIC_DEVICES 64

/* Index in "places"; @queue may be NIC_NO_QUEUE. */
#define NIC_PLACE(device, queue, direction) \
	((device)->first + (__u16)((queue) + 1) * NIC_DIRECTIONS + (direction))

/*
 * Keys of the map "counts", which takes what has no place: devices that are too
 * many, or too young. The values of both have one copy a CPU.
 */
struct nic_key {
	__u32 ifindex;
	__u16 queue;
	__u16 direction; /* enum nic_direction */
};
_Static_assert(sizeof(struct nic_key) == 8, "shared with eBPF");

/* Since the command has started. */
struct nic_counts {
	__u64 packets; /* as on the wire: GSO and GRO undone */
	__u64 bytes;   /* theirs, with link-layer headers */
	__u64 skbs;    /* as the stack hands them over */
};
_Static_assert(sizeof(struct nic_counts) == 24, "shared with eBPF");

#endif
