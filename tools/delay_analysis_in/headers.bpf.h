/* SPDX-License-Identifier: GPL-2.0 */
/* What the headers of a packet that comes in say, wherever it has got to. */
#ifndef NB_BPF_HEADERS_H
#define NB_BPF_HEADERS_H

#define P_IP 0x0800 /* ETH_P_*, linux/if_ether.h */
#define P_IPV6 0x86dd
#define P_8021Q 0x8100
#define P_8021AD 0x88a8
#define HOPOPTS 0 /* IPPROTO_*: headers of IPv6 that others follow */
#define ROUTING 43
#define DSTOPTS 60
#define OPTIONS_MAX 3
#define TAGS_MAX 2

/* Where what comes after the link layer's header begins. */
struct where {
	u8 *data;
	u32 left; /* bytes that are not in fragments */
	u16 protocol;
};

static inline void find_network(struct sk_buff *skb, struct where *w)
{
	u16 inner[2] = {};

	w->data = FIELD(skb, data);
	w->left = FIELD(skb, len) - FIELD(skb, data_len);
	w->protocol = bpf_ntohs(FIELD(skb, protocol));
#pragma unroll
	for (int i = 0; i < TAGS_MAX; i++) {
		if (w->protocol != P_8021Q && w->protocol != P_8021AD)
			return;
		if (w->left < sizeof(inner))
			return;
		bpf_probe_read_kernel(inner, sizeof(inner), w->data);
		w->protocol = bpf_ntohs(inner[1]);
		w->data += sizeof(inner);
		w->left -= sizeof(inner);
	}
}

/* How long the headers before TCP's are; 0: it is another protocol's packet. */
static inline u32 network_length(const struct where *w)
{
	u8 ip[20];
	u8 next[2];
	u32 at;

	bpf_probe_read_kernel(ip, sizeof(ip), w->data);
	if (w->protocol == P_IP)
		/* Of fragments only the first would have it. */
		return ip[9] == NB_IPPROTO_TCP && !(ip[6] & 0x3f) && !ip[7]
			       ? (ip[0] & 15) * 4
			       : 0;
	at = sizeof(struct ipv6hdr);
	next[0] = ip[6];
	for (int i = 0; i < OPTIONS_MAX; i++) {
		if (next[0] != HOPOPTS && next[0] != ROUTING &&
		    next[0] != DSTOPTS)
			break;
		if (bpf_probe_read_kernel(next, sizeof(next), w->data + at))
			return 0;
		at += next[1] * 8 + 8;
	}
	return next[0] == NB_IPPROTO_TCP ? at : 0;
}

/*
 * The packet's sequence number. 0: it is none of TCP's; -1: the driver has left
 * its headers where they can't be read here.
 */
static inline int read_seq(struct sk_buff *skb, u32 *ret)
{
	struct where w = {};
	u32 at, seq = 0;

	find_network(skb, &w);
	if (w.protocol != P_IP && w.protocol != P_IPV6)
		return 0;
	if (w.left < (w.protocol == P_IP ? sizeof(struct iphdr)
					 : sizeof(struct ipv6hdr)))
		return -1;
	at = network_length(&w);
	if (!at)
		return 0;
	if (at + 8 > w.left)
		return -1;
	bpf_probe_read_kernel(&seq, sizeof(seq), w.data + at + 4);
	*ret = bpf_ntohl(seq);
	return 1;
}

/*
 * How many packets of the wire it is made of. Some virtual devices say only how
 * long each was.
 */
static inline u32 packets_of(struct sk_buff *skb, u32 length)
{
	u32 end = FIELD(skb, end);
	struct skb_shared_info *info =
		(struct skb_shared_info *)(FIELD(skb, head) + end);
	u16 segs = NB_GET(info, gso_segs), size;

	if (segs)
		return segs;
	size = NB_GET(info, gso_size);
	return size ? (length + size - 1) / size : 1;
}

/* A packet has come to TCP: what is of interest in it. */
struct segment {
	u32 seq;
	u32 ack;
	u32 length;
	u32 packets;
};

static inline void read_segment(struct sk_buff *skb, struct segment *s)
{
	u8 th[20] = {};
	u32 doff, len = FIELD(skb, len);

	bpf_probe_read_kernel(th, sizeof(th), FIELD(skb, data));
	doff = (th[12] >> 4) * 4;
	s->seq = bpf_ntohl(*(u32 *)(th + 4));
	s->ack = bpf_ntohl(*(u32 *)(th + 8));
	s->length = len > doff ? len - doff : 0;
	s->packets = packets_of(skb, s->length);
}

#endif
