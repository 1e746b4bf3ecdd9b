/* SPDX-License-Identifier: GPL-2.0 */
/* What a packet says of itself. */
#ifndef NB_TCP_INERRS_PACKET_H
#define NB_TCP_INERRS_PACKET_H

#include "kernel.bpf.h"
#include "sock.bpf.h"
#include "tcp_inerrs.h"

#define ETH_IP 0x0800
#define ETH_IP6 0x86dd

/* Typed, what a packet's pointers lead to is read as in C. */
#ifdef NB_TYPED
#define SKB_GET(skb, field) ((skb)->field)
#else
#define SKB_GET(skb, field) NB_GET(skb, field)
#endif

/* Where a packet's headers are. */
struct where {
	void *network;
	void *transport;
	u32 left; /* bytes from the transport header on */
	u32 doff; /* bytes; 0 where there is no whole header */
	u8 at_header;
	u8 ip;
};

static inline void locate(struct where *w, struct sk_buff *skb)
{
	char *head = (char *)SKB_GET(skb, head);
	u64 data = (u64)SKB_GET(skb, data) - (u64)head;
	u16 network = SKB_GET(skb, network_header);
	u16 transport = SKB_GET(skb, transport_header);
	u16 protocol = SKB_GET(skb, protocol);

	w->network = head + network;
	w->transport = head + transport;
	w->left = data + SKB_GET(skb, len) - transport;
	w->at_header = data == transport;
	w->ip = 0;
	w->doff = 0;
	if (transport == 0xffff || transport <= network)
		return;
	if (protocol == bpf_htons(ETH_IP))
		w->ip = 4;
	else if (protocol == bpf_htons(ETH_IP6))
		w->ip = 6;
}

/* The last of an IPv6 packet's headers. */
static inline u8 upper_of(const struct where *w, u8 next)
{
	u8 *at = (u8 *)w->network + sizeof(struct ipv6hdr);
	u8 header[2] = {};

#pragma unroll
	for (int i = 0; i < 4; i++) {
		/* Hop-by-hop, routing, fragment, destination options. */
		if (next != 0 && next != 43 && next != 44 && next != 60)
			break;
		bpf_probe_read_kernel(header, 2, at);
		at += next == 44 ? 8 : 8 * (header[1] + 1);
		next = header[0];
	}
	return next;
}

/* Addresses, ports and what else the packet tells. 0: it is none of TCP's. */
static inline int read_packet(struct err_event *e, struct where *w)
{
	struct tcphdr th = {};

	e->ip = w->ip;
	if (w->ip == 4) {
		struct iphdr ih = {};

		bpf_probe_read_kernel(&ih, sizeof(ih), w->network);
		if (ih.protocol != NB_IPPROTO_TCP)
			return 0;
		__builtin_memcpy(e->saddr, &ih.saddr, 4);
		__builtin_memcpy(e->daddr, &ih.daddr, 4);
	} else if (w->ip == 6) {
		struct ipv6hdr ih = {};

		bpf_probe_read_kernel(&ih, sizeof(ih), w->network);
		if (upper_of(w, ih.nexthdr) != NB_IPPROTO_TCP)
			return 0;
		__builtin_memcpy(e->saddr, &ih.saddr, 16);
		__builtin_memcpy(e->daddr, &ih.daddr, 16);
	} else {
		return 0;
	}
	bpf_probe_read_kernel(&th, sizeof(th), w->transport);
	if (w->left >= 4) {
		e->has_ports = 1;
		e->sport = bpf_ntohs(th.source);
		e->dport = bpf_ntohs(th.dest);
	}
	if (w->left >= sizeof(th)) {
		u8 *raw = (u8 *)&th;

		e->has_header = 1;
		e->seq = bpf_ntohl(th.seq);
		e->flags = raw[13];
		w->doff = (raw[12] >> 4) * 4;
		e->length = w->left > w->doff ? w->left - w->doff : 0;
	}
	return 1;
}

/* The packet's namespace, where no socket is known. */
static inline u32 netns_of(struct sk_buff *skb)
{
	struct net_device *dev = SKB_GET(skb, dev);
	struct net *net = dev ? SKB_GET(dev, nd_net.net) : 0;

	return net ? SKB_GET(net, ns.inum) : 0;
}

#endif
