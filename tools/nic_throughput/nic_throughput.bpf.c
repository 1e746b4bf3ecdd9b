// SPDX-License-Identifier: GPL-2.0
/*
 * nic_throughput's eBPF text: count packets by device, direction and queue.
 * Sent ones count when the driver gets them, and no more when it does not take
 * them. Received ones count where drivers hand them over, before GRO.
 *
 * It runs for every packet of the machine. Where the verifier knows the types
 * it follows pointers as C does (NB_TYPED); elsewhere it reads ranges of fields
 * at once, for which their offsets are all it needs.
 */
#pragma netbcc tracepoint net_dev_start_xmit
#pragma netbcc tracepoint net_dev_xmit
#pragma netbcc tracepoint napi_gro_receive_entry
#pragma netbcc tracepoint napi_gro_frags_entry
#pragma netbcc tracepoint netif_receive_skb_entry
#pragma netbcc tracepoint netif_receive_skb_list_entry
#pragma netbcc tracepoint netif_rx
#pragma netbcc types sk_buff net_device net
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
#define NB_OFFSET_sk_buff_pkt_type OFFSET(sk_buff, __pkt_type_offset)
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
#include "tp.bpf.h"

#define E2BIG 7
#define EEXIST 17
#define P_IP 0x0800 /* ETH_P_*, linux/if_ether.h */
#define P_IPV6 0x86dd
#define NET_XMIT_CN 2	/* linux/netdevice.h */
#define TYPE_LOOPBACK 5 /* PACKET_LOOPBACK, linux/if_packet.h */

/* SKB_GSO_*, linux/skbuff.h; the same since 4.18. */
#define GSO_TCP (1 << 0 | 1 << 4)
#define GSO_TUNNEL (1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11)
#define GSO_SCTP (1 << 14)
#define GSO_UDP_L4 (1 << 17)

/* What is wanted of an skb. */
struct part {
	u64 head;
	u64 data;
	u32 len;
	u32 end;
	u16 queue;
	u16 protocol;
	u16 mac; /* these three from head */
	u16 transport;
	u16 inner; /* transport header of what is in a tunnel */
	u8 pkt_type;
};

#ifdef NB_TYPED
static inline void read_part(struct sk_buff *skb, struct part *p)
{
	p->head = (u64)skb->head;
	p->data = (u64)skb->data;
	p->len = skb->len;
	p->end = skb->end;
	p->queue = skb->queue_mapping;
	p->protocol = skb->protocol;
	p->mac = skb->mac_header;
	p->transport = skb->transport_header;
	p->inner = skb->inner_transport_header;
	p->pkt_type = skb->pkt_type;
}

static inline struct net_device *dev_of(struct sk_buff *skb)
{
	return skb->dev;
}
#else
/* In one read: all lies between "len" and "data", about 100 bytes. */
#define PART_AT NB_OFFSET_sk_buff_len
#define PART_SIZE (NB_OFFSET_sk_buff_data + 8 - PART_AT)
_Static_assert(PART_SIZE <= 192, "sk_buff is not as it used to be");

#define PART(type, field) (*(type *)(raw + NB_OFFSET_sk_buff_##field - PART_AT))
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

static inline void read_part(struct sk_buff *skb, struct part *p)
{
	u8 raw[PART_SIZE] __attribute__((aligned(8)));

	bpf_probe_read_kernel(raw, sizeof(raw), (char *)skb + PART_AT);
	p->head = PART(u64, head);
	p->data = PART(u64, data);
	p->len = PART(u32, len);
	p->end = PART(u32, end);
	p->queue = PART(u16, queue_mapping);
	p->protocol = PART(u16, protocol);
	p->mac = PART(u16, mac_header);
	p->transport = PART(u16, transport_header);
	p->inner = PART(u16, inner_transport_header);
	p->pkt_type = PART(u8, pkt_type) & 7;
}

static inline struct net_device *dev_of(struct sk_buff *skb)
{
	struct net_device *dev = 0;

	bpf_probe_read_kernel(&dev, sizeof(dev),
			      (char *)skb + NB_OFFSET_sk_buff_dev);
	return dev;
}
#endif

_Static_assert(NB_OFFSET_skb_shared_info_gso_segs ==
		       NB_OFFSET_skb_shared_info_gso_size + 2,
	       "skb_shared_info is not as it used to be");

/* A device's fields, where it has them close to each other (6.8). */
#define DEV_AT NB_OFFSET_net_device_ifindex
#define DEV_SIZE (NB_OFFSET_net_device_nd_net + 8 - DEV_AT)
#define DEV_CLOSE (NB_OFFSET_net_device_nd_net > DEV_AT && DEV_SIZE <= 128)
/* And of what is behind the packet's data. */
#define INFO_AT NB_OFFSET_skb_shared_info_gso_size
#define INFO_SIZE (NB_OFFSET_skb_shared_info_gso_type + 4 - INFO_AT)
_Static_assert(NB_OFFSET_skb_shared_info_gso_type > INFO_AT && INFO_SIZE <= 64,
	       "skb_shared_info is not as it used to be");

struct info {
	u8 raw[INFO_SIZE] __attribute__((aligned(8)));
};

#define GSO_SIZE(i) (*(u16 *)(i)->raw)
#define GSO_SEGS(i) (*(u16 *)((i)->raw + 2))
#define GSO_TYPE(i) \
	(*(u32 *)((i)->raw + NB_OFFSET_skb_shared_info_gso_type - INFO_AT))

/* A packet on its way, as it counts. */
struct packet {
	struct nic_key key;
	u32 segs; /* packets on the wire */
	u32 pad;
	u64 bytes;
};

/* One that a driver has been given, in case that it does not take it. */
struct sent {
	u64 skb;
	struct packet packet;
};

/* A device's driver may send by another device, and that by a third. */
#define SENDING 16

BPF_ARRAY(config, struct nic_config, 1);
BPF_HASH(wanted, u32, u8, 256);
/* A place costs half as much as a look-up in a hash map. */
BPF_ARRAY(devices, struct nic_device, NIC_DEVICES);
BPF_PERCPU_ARRAY(places, struct nic_counts, 2048);
BPF_PERCPU_HASH(counts, struct nic_key, struct nic_counts, 1024);
/* Sending runs with softirqs off: only one packet's devices at a time. */
BPF_PERCPU_ARRAY(sending, struct sent, SENDING);

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

#ifdef NB_TYPED
static inline u32 read_dev(struct net_device *dev, u64 *ret_net)
{
	*ret_net = (u64)dev->nd_net.net;
	return dev->ifindex;
}
#else
static inline u32 read_dev(struct net_device *dev, u64 *ret_net)
{
	u64 at = (u64)dev;

	if (DEV_CLOSE) {
		u8 raw[DEV_CLOSE ? DEV_SIZE : 8] __attribute__((aligned(8)));

		bpf_probe_read_kernel(raw, sizeof(raw), (void *)(at + DEV_AT));
		*ret_net = *(u64 *)(raw + sizeof(raw) - 8);
		return *(u32 *)raw;
	}
	*ret_net = read_u64(at + NB_OFFSET_net_device_nd_net);
	return read_u32(at + DEV_AT);
}
#endif

/* The device's index, or 0 if it is in another namespace than the one asked
 * for. The command holds on to that one: no other can take its address. */
static inline u32 get_ifindex(struct nic_config *c, struct net_device *dev)
{
	u64 net;
	u32 ifindex = read_dev(dev, &net);

	if (net != c->net) {
		if (c->net || read_u32(net + NB_OFFSET_net_ns +
				       NB_OFFSET_ns_common_inum) != c->netns)
			return 0;
		c->net = net;
	}
	return ifindex;
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

static inline struct nic_counts *get_place(const struct nic_key *key)
{
	int at = key->ifindex & (NIC_DEVICES - 1);
	struct nic_device *d = devices.lookup(&at);

	if (!d)
		return 0;
	if (d->ifindex != key->ifindex || (u16)(key->queue + 1) >= d->queues)
		return 0;
	at = NIC_PLACE(d, key->queue, key->direction);
	return places.lookup(&at);
}

/* The packet's counters. */
static inline struct nic_counts *get_counts(struct nic_key *key)
{
	struct nic_counts *n = get_place(key);

	if (n)
		return n;
	return counts.lookup(key);
}

/* Its counters, if it is wanted: asked before anything is measured. */
static inline struct nic_counts *want_counts(struct nic_config *c,
					     struct nic_key *key)
{
	struct nic_counts *n = get_counts(key);

	if (n)
		return n;
	return new_counts(c, key);
}

static inline void add(struct nic_counts *n, const struct packet *p)
{
	n->packets += p->segs;
	n->bytes += p->bytes;
	n->skbs++;
}

/* Where the transport header is, from "head"; 0: not known. */
static inline u32 transport_at(const struct part *p, u32 type, u32 start,
			       u32 l3)
{
	u32 at = type & GSO_TUNNEL ? p->inner : p->transport;
	u16 protocol;

	if (at != 0xffff && at > start)
		return at;
	/* Hardware that merges packets; some drivers leave the rest to GRO. */
	if (!l3 || type & GSO_TUNNEL)
		return 0;
	protocol = bpf_ntohs(p->protocol);
	if (protocol == P_IP)
		return l3 + (read_u8(p->head + l3) & 15) * 4;
	if (protocol == P_IPV6)
		return l3 + 40;
	return 0;
}

/*
 * Fill in how much @to is: the skb of @len bytes that begins at @start from
 * "head" and has, if that is known, its network header at @l3. With GSO it
 * makes, or is made of, many packets, each with the same headers.
 */
static inline void measure(const struct part *p, u32 len, u32 start, u32 l3,
			   struct packet *to)
{
	u32 at, header = 0;
	struct info i;

	to->segs = 1;
	to->bytes = len;
	bpf_probe_read_kernel(&i, sizeof(i),
			      (void *)(p->head + p->end + INFO_AT));
	if (!GSO_SIZE(&i))
		return;
	if (GSO_SEGS(&i))
		to->segs = GSO_SEGS(&i);
	at = transport_at(p, GSO_TYPE(&i), start, l3);
	if (!at)
		return;
	if (GSO_TYPE(&i) & GSO_TCP)
		header = (read_u8(p->head + at + 12) >> 4) * 4;
	else if (GSO_TYPE(&i) & GSO_UDP_L4)
		header = 8;
	else if (GSO_TYPE(&i) & GSO_SCTP)
		header = 12;
	header += at - start;
	/* From a virtual machine, or a tap. */
	if (!GSO_SEGS(&i) && len > header)
		to->segs = (len - header + GSO_SIZE(&i) - 1) / GSO_SIZE(&i);
	to->bytes += (u64)(to->segs - 1) * header;
}

/* A packet is with one driver of a device at a time. */
static inline int place_of(u32 ifindex)
{
	return ifindex & (SENDING - 1);
}

/* Counted already here: how it ends is seldom of interest. */
static inline void start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic_config *c = get_config();
	struct packet packet = {};
	struct nic_counts *n;
	struct sent *sent;
	struct part p;
	int place;

	if (!c)
		return;
	if (!c->live)
		return;
	packet.key.ifindex = get_ifindex(c, dev);
	if (!packet.key.ifindex)
		return;
	read_part(skb, &p);
	packet.key.queue = p.queue;
	packet.key.direction = NIC_TX;
	n = want_counts(c, &packet.key);
	if (!n)
		return;
	measure(&p, p.len, p.data - p.head, 0, &packet);
	add(n, &packet);
	place = place_of(packet.key.ifindex);
	sent = sending.lookup(&place);
	if (!sent)
		return;
	sent->skb = (u64)skb;
	sent->packet = packet;
}

/*
 * The driver has not taken it: it is busy and will get it again, or says that
 * it has dropped it, and so freed.
 */
static inline void fail_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic_config *c = get_config();
	struct nic_counts *n;
	struct packet packet;
	struct sent *sent;
	u32 ifindex;
	int place;

	if (!c)
		return;
	ifindex = get_ifindex(c, dev);
	place = place_of(ifindex);
	sent = sending.lookup(&place);
	if (!sent)
		return;
	if (sent->skb != (u64)skb || sent->packet.key.ifindex != ifindex)
		return;
	packet = sent->packet;
	sent->skb = 0;
	n = get_counts(&packet.key);
	if (!n)
		return;
	n->packets -= packet.segs;
	n->bytes -= packet.bytes;
	n->skbs--;
}

static inline void receive(struct sk_buff *skb)
{
	struct nic_config *c = get_config();
	struct packet packet = {};
	struct nic_counts *n;
	struct part p;
	u32 mac, at;

	if (!c)
		return;
	if (!c->live)
		return;
	packet.key.ifindex = get_ifindex(c, dev_of(skb));
	if (!packet.key.ifindex)
		return;
	read_part(skb, &p);
	/* The sender's own copy of a multicast packet. */
	if (p.pkt_type == TYPE_LOOPBACK)
		return;
	/* The driver has taken the link-layer header off, if there is one. */
	at = p.data - p.head;
	mac = p.mac;
	if (mac > at || at - mac > 32)
		mac = at;
	/* 0 is none, which makes NIC_NO_QUEUE. */
	packet.key.queue = p.queue - 1;
	packet.key.direction = NIC_RX;
	n = want_counts(c, &packet.key);
	if (!n)
		return;
	measure(&p, p.len + at - mac, mac, at, &packet);
	add(n, &packet);
}

/* net_dev_start_xmit: skb, dev */
int nic_start_xmit(NB_TP_CTX *ctx)
{
	start_xmit((struct sk_buff *)NB_TP_ARG(ctx, 1),
		   (struct net_device *)NB_TP_ARG(ctx, 2));
	return 0;
}

/* net_dev_xmit: skb (may be freed by now), rc, dev, length */
int nic_xmit(NB_TP_CTX *ctx)
{
	int rc = NB_TP_ARG(ctx, 2);

	/* With congestion it is sent, and perhaps another one was not. */
	if (rc && rc != NET_XMIT_CN)
		fail_xmit((struct sk_buff *)NB_TP_ARG(ctx, 1),
			  (struct net_device *)NB_TP_ARG(ctx, 3));
	return 0;
}

/* All where a driver hands a packet over: skb */
int nic_receive(NB_TP_CTX *ctx)
{
	receive((struct sk_buff *)NB_TP_ARG(ctx, 1));
	return 0;
}
