// SPDX-License-Identifier: GPL-2.0
/*
 * nic_throughput's eBPF text: count packets by device, direction and queue.
 * Sent ones are looked at when the driver gets them, but count when it has
 * taken them. Received ones count where drivers hand them over, before GRO.
 *
 * It runs for every packet of the machine, so it reads a range of fields at
 * once and declares no types: their offsets are all it needs.
 */
#pragma netbcc field sk_buff dev
#pragma netbcc field sk_buff len
#pragma netbcc field sk_buff queue_mapping
#pragma netbcc field sk_buff pkt_type
#pragma netbcc field sk_buff protocol
#pragma netbcc field sk_buff inner_transport_header
#pragma netbcc field sk_buff transport_header
#pragma netbcc field sk_buff mac_header
#pragma netbcc field sk_buff end
#pragma netbcc field sk_buff head
#pragma netbcc field sk_buff data
#pragma netbcc field skb_shared_info gso_size
#pragma netbcc field skb_shared_info gso_segs
#pragma netbcc field skb_shared_info gso_type
#pragma netbcc field net_device ifindex
#pragma netbcc field net_device nd_net
#pragma netbcc field net ns
#pragma netbcc field ns_common inum

#ifdef NB_TYPES_HEADERS
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#define OFFSET(type, field) __builtin_offsetof(struct type, field)
#define NB_OFFSET_sk_buff_pkt_type PKT_TYPE_OFFSET_OF
#ifdef PKT_TYPE_OFFSET /* a name (5.18), before that a function's */
#define PKT_TYPE_OFFSET_OF PKT_TYPE_OFFSET
#else
#define PKT_TYPE_OFFSET_OF OFFSET(sk_buff, __pkt_type_offset)
#endif
#define NB_OFFSET_sk_buff_dev OFFSET(sk_buff, dev)
#define NB_OFFSET_sk_buff_len OFFSET(sk_buff, len)
#define NB_OFFSET_sk_buff_queue_mapping OFFSET(sk_buff, queue_mapping)
#define NB_OFFSET_sk_buff_protocol OFFSET(sk_buff, protocol)
#define NB_OFFSET_sk_buff_inner_transport_header \
	OFFSET(sk_buff, inner_transport_header)
#define NB_OFFSET_sk_buff_transport_header OFFSET(sk_buff, transport_header)
#define NB_OFFSET_sk_buff_mac_header OFFSET(sk_buff, mac_header)
#define NB_OFFSET_sk_buff_end OFFSET(sk_buff, end)
#define NB_OFFSET_sk_buff_head OFFSET(sk_buff, head)
#define NB_OFFSET_sk_buff_data OFFSET(sk_buff, data)
#define NB_OFFSET_skb_shared_info_gso_size OFFSET(skb_shared_info, gso_size)
#define NB_OFFSET_skb_shared_info_gso_segs OFFSET(skb_shared_info, gso_segs)
#define NB_OFFSET_skb_shared_info_gso_type OFFSET(skb_shared_info, gso_type)
#define NB_OFFSET_net_device_ifindex OFFSET(net_device, ifindex)
#define NB_OFFSET_net_device_nd_net OFFSET(net_device, nd_net)
#define NB_OFFSET_net_ns OFFSET(net, ns)
#define NB_OFFSET_ns_common_inum OFFSET(ns_common, inum)
#endif

#include "count.bpf.h"
#include "kernel.bpf.h"
#include "nic_throughput.h"

#define E2BIG 7
#define EEXIST 17
#define P_IP 0x0800 /* ETH_P_*, linux/if_ether.h */
#define P_IPV6 0x86dd
#define TYPE_LOOPBACK 5 /* PACKET_LOOPBACK, linux/if_packet.h */

/* SKB_GSO_*, linux/skbuff.h; the same since 4.18. */
#define GSO_TCP (1 << 0 | 1 << 4)
#define GSO_TUNNEL (1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11)
#define GSO_SCTP (1 << 14)
#define GSO_UDP_L4 (1 << 17)

/*
 * What is wanted of an skb, in one read: all lies between "len" and "data",
 * about 100 bytes.
 */
#define PART_AT NB_OFFSET_sk_buff_len
#define PART_SIZE (NB_OFFSET_sk_buff_data + 8 - PART_AT)
_Static_assert(PART_SIZE <= 192, "sk_buff is not as it used to be");

struct part {
	u8 raw[PART_SIZE] __attribute__((aligned(8)));
};

#define PART(p, type, field) \
	(*(type *)((p)->raw + NB_OFFSET_sk_buff_##field - PART_AT))
#define PART_HAS(field)                                        \
	_Static_assert(NB_OFFSET_sk_buff_##field >= PART_AT && \
			       NB_OFFSET_sk_buff_##field <     \
				       PART_AT + PART_SIZE,    \
		       "sk_buff is not as it used to be")
PART_HAS(queue_mapping);
PART_HAS(pkt_type);
PART_HAS(protocol);
PART_HAS(inner_transport_header);
PART_HAS(transport_header);
PART_HAS(mac_header);
PART_HAS(end);
PART_HAS(head);
_Static_assert(NB_OFFSET_skb_shared_info_gso_segs ==
		       NB_OFFSET_skb_shared_info_gso_size + 2,
	       "skb_shared_info is not as it used to be");

/* A packet that a driver has been given, until it is known to have taken it. */
struct frame {
	u64 skb;
	u64 dev;
	u32 ifindex;
	u32 segs;   /* packets on the wire */
	u32 header; /* bytes that each of them but one repeats */
	u16 queue;
	u16 pad;
};

/* A device's driver may send by another device, and that by a third. */
#define DEPTH 8

struct stack {
	u32 depth;
	u32 pad;
	struct frame frame[DEPTH];
};

BPF_ARRAY(config, struct nic_config, 1);
BPF_HASH(wanted, u32, u8, 256);
BPF_PERCPU_HASH(counts, struct nic_key, struct nic_counts, 1024);
/* Sending runs with softirqs off, so one a CPU is enough. */
BPF_PERCPU_ARRAY(sending, struct stack, 1);

static inline u64 read_u64(u64 from)
{
	u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (void *)from);
	return v;
}

static inline u32 read_u32(u64 from)
{
	u32 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (void *)from);
	return v;
}

static inline u32 read_u8(u64 from)
{
	u8 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (void *)from);
	return v;
}

static inline struct nic_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

/* The device's index, or 0 if it is in another namespace than the one asked
 * for. The command holds on to that one: no other can take its address. */
static inline u32 get_ifindex(struct nic_config *c, u64 dev)
{
	u64 net = read_u64(dev + NB_OFFSET_net_device_nd_net);

	if (net != c->net) {
		if (c->net || read_u32(net + NB_OFFSET_net_ns +
				       NB_OFFSET_ns_common_inum) != c->netns)
			return 0;
		c->net = net;
	}
	return read_u32(dev + NB_OFFSET_net_device_ifindex);
}

/* The first packet of a queue. */
static struct nic_counts *new_counts(struct nic_config *c, struct nic_key *key)
{
	struct nic_counts zero = {};
	u32 ifindex = key->ifindex;
	int err;

	if (!c->all) {
		if (!wanted.lookup(&ifindex))
			return 0;
	}
	err = counts.insert(key, &zero);
	if (err && err != -EEXIST)
		nb_count(err == -E2BIG ? NB_COUNT_FULL : NB_COUNT_MISSED);
	return counts.lookup(key);
}

static inline void add(struct nic_config *c, u32 ifindex, u16 direction,
		       u16 queue, u32 packets, u64 bytes)
{
	struct nic_key key = {};
	struct nic_counts *n;

	key.ifindex = ifindex;
	key.queue = queue;
	key.direction = direction;
	n = counts.lookup(&key);
	if (!n) {
		n = new_counts(c, &key);
		if (!n)
			return;
	}
	n->packets += packets;
	n->bytes += bytes;
	n->skbs++;
}

/* Where the transport header is, from "head"; 0: not known. */
static inline u32 transport_at(const struct part *p, u32 type, u32 start,
			       u32 l3)
{
	u64 head = PART(p, u64, head);
	u32 at = type & GSO_TUNNEL ? PART(p, u16, inner_transport_header)
				   : PART(p, u16, transport_header);
	u16 protocol;

	if (at != 0xffff && at > start)
		return at;
	/* Hardware that merges packets; some drivers leave the rest to GRO. */
	if (!l3 || type & GSO_TUNNEL)
		return 0;
	protocol = bpf_ntohs(PART(p, u16, protocol));
	if (protocol == P_IP)
		return l3 + (read_u8(head + l3) & 15) * 4;
	if (protocol == P_IPV6)
		return l3 + 40;
	return 0;
}

/*
 * The packets on the wire that an skb with GSO of @len bytes makes or is made
 * of, and the headers that each of them has, to *@header. It begins at @start
 * from "head" and, if that is known, the network header at @l3.
 */
static inline u32 segments(const struct part *p, u64 info, u32 gso, u32 len,
			   u32 start, u32 l3, u32 *header)
{
	u32 type = read_u32(info + NB_OFFSET_skb_shared_info_gso_type);
	u32 at = transport_at(p, type, start, l3);
	u32 size = gso & 0xffff, segs = gso >> 16, own = 0;

	if (!at)
		return segs ? segs : 1;
	if (type & GSO_TCP)
		own = (read_u8(PART(p, u64, head) + at + 12) >> 4) * 4;
	else if (type & GSO_UDP_L4)
		own = 8;
	else if (type & GSO_SCTP)
		own = 12;
	*header = at + own - start;
	if (!segs && len > *header) /* from a virtual machine, or a tap */
		segs = (len - *header + size - 1) / size;
	return segs ? segs : 1;
}

static inline void start_xmit(u64 skb, u64 dev)
{
	struct nic_config *c = get_config();
	struct frame f = {};
	struct stack *s;
	struct part p;
	u64 info;
	u32 gso, depth;
	int zero = 0;

	if (!c)
		return;
	if (!c->live)
		return;
	f.ifindex = get_ifindex(c, dev);
	if (!f.ifindex)
		return;
	s = sending.lookup(&zero);
	if (!s)
		return;
	bpf_probe_read_kernel(&p, sizeof(p), (void *)(skb + PART_AT));
	f.skb = skb;
	f.dev = dev;
	f.segs = 1;
	f.queue = PART(&p, u16, queue_mapping);
	info = PART(&p, u64, head) + PART(&p, u32, end);
	gso = read_u32(info + NB_OFFSET_skb_shared_info_gso_size);
	if (gso & 0xffff)
		f.segs = segments(&p, info, gso, PART(&p, u32, len),
				  PART(&p, u64, data) - PART(&p, u64, head), 0,
				  &f.header);
	depth = s->depth;
	if (depth >= DEPTH) { /* the ends of some went unseen */
		nb_count(NB_COUNT_MISSED);
		depth = 0;
	}
	s->frame[depth & (DEPTH - 1)] = f;
	s->depth = depth + 1;
}

/* Is frame @n of the stack that of @skb and @dev? */
static inline int is_frame(struct stack *s, u32 n, u64 skb, u64 dev)
{
	struct frame *f;

	asm volatile("" : "+r"(n)); /* clang would know that it is in bounds */
	f = &s->frame[n & (DEPTH - 1)];
	return f->skb == skb && f->dev == dev;
}

static inline void end_xmit(u64 skb, int rc, u64 dev, u32 len)
{
	struct nic_config *c = get_config();
	struct stack *s;
	struct frame *f;
	int zero = 0;
	u32 at;

	s = sending.lookup(&zero);
	if (!s || !c)
		return;
	/* Most often none, or the last; beyond that, ends went unseen. */
	at = s->depth;
	if (!at)
		return;
	at--;
	if (!is_frame(s, at, skb, dev)) {
		if (!at)
			return;
		at--;
		if (!is_frame(s, at, skb, dev)) {
			if (!at)
				return;
			at--;
			if (!is_frame(s, at, skb, dev))
				return;
		}
	}
	s->depth = at;
	/* A driver that is busy gets it again; one that drops it says so. */
	if (rc || !c->live)
		return;
	asm volatile("" : "+r"(at));
	f = &s->frame[at & (DEPTH - 1)];
	add(c, f->ifindex, NIC_TX, f->queue, f->segs,
	    len + (u64)(f->segs - 1) * f->header);
}

static inline void receive(u64 skb)
{
	struct nic_config *c = get_config();
	u32 ifindex, gso, len, mac, at, header = 0, segs = 1;
	struct part p;
	u64 info;

	if (!c)
		return;
	if (!c->live)
		return;
	ifindex = get_ifindex(c, read_u64(skb + NB_OFFSET_sk_buff_dev));
	if (!ifindex)
		return;
	bpf_probe_read_kernel(&p, sizeof(p), (void *)(skb + PART_AT));
	/* The sender's own copy of a multicast packet. */
	if ((PART(&p, u8, pkt_type) & 7) == TYPE_LOOPBACK)
		return;
	/* The driver has taken the link-layer header off, if there is one. */
	at = PART(&p, u64, data) - PART(&p, u64, head);
	mac = PART(&p, u16, mac_header);
	if (mac > at || at - mac > 32)
		mac = at;
	len = PART(&p, u32, len) + at - mac;
	info = PART(&p, u64, head) + PART(&p, u32, end);
	gso = read_u32(info + NB_OFFSET_skb_shared_info_gso_size);
	if (gso & 0xffff)
		segs = segments(&p, info, gso, len, mac, at, &header);
	/* 0 is none, which makes NIC_NO_QUEUE. */
	add(c, ifindex, NIC_RX, PART(&p, u16, queue_mapping) - 1, segs,
	    len + (u64)(segs - 1) * header);
}

/* net_dev_start_xmit: skb, dev */
int nic_start_xmit(struct bpf_raw_tracepoint_args *ctx)
{
	start_xmit(ctx->args[0], ctx->args[1]);
	return 0;
}

/* net_dev_xmit: skb (may be freed), rc, dev, length */
int nic_xmit(struct bpf_raw_tracepoint_args *ctx)
{
	end_xmit(ctx->args[0], (int)ctx->args[1], ctx->args[2],
		 (u32)ctx->args[3]);
	return 0;
}

/* All where a driver hands a packet over: skb */
int nic_receive(struct bpf_raw_tracepoint_args *ctx)
{
	receive(ctx->args[0]);
	return 0;
}
