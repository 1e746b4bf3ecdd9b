/* SPDX-License-Identifier: GPL-2.0 */
/* What the headers of a packet that goes out say. */
#ifndef NB_BPF_SEGMENT_H
#define NB_BPF_SEGMENT_H

#define FIN 1 /* bits of TCP's flags */
#define SYN 2
#define HOPOPTS 0 /* IPPROTO_*: headers of IPv6 that others follow */
#define ROUTING 43
#define DSTOPTS 60
#define OPTIONS_MAX 3
#define IP6_HEADER 40

struct segment {
	u32 seq;
	u32 end; /* of what it takes of the sequence numbers */
	u32 ack;
	u32 length; /* of its data, bytes */
	u8 flags;
	u8 ip; /* 4 or 6 */
	u16 sport;
	u16 dport;
	u32 saddr; /* of IPv4, as they are */
	u32 daddr;
};

/* Is it TCP's? Behind IPv6's header there may be a few of options. */
static inline int is_tcp(const u8 *head, u32 network, const u8 *ip)
{
	u8 next[2] = { ip[6], 0 };
	u32 at = network + IP6_HEADER;

	if (ip[0] >> 4 == 4)
		return ip[9] == NB_IPPROTO_TCP && !(ip[6] & 0x1f) && !ip[7];
	if (ip[0] >> 4 != 6)
		return 0;
	for (int i = 0; i < OPTIONS_MAX; i++) {
		if (next[0] != HOPOPTS && next[0] != ROUTING &&
		    next[0] != DSTOPTS)
			break;
		bpf_probe_read_kernel(next, sizeof(next), head + at);
		at += next[1] * 8 + 8;
	}
	return next[0] == NB_IPPROTO_TCP;
}

/*
 * Fill *@s. 0 for what is no packet of TCP's: another protocol's, such as a
 * tunnel's, or a fragment but for the first.
 */
static inline int read_segment(struct sk_buff *skb, struct segment *s)
{
	u8 *head = FIELD(skb, head), *data = FIELD(skb, data);
	u32 network = FIELD(skb, network_header);
	u32 transport = FIELD(skb, transport_header);
	u8 ip[36] = {};
	u8 th[16] = {};
	u32 before, doff, len;

	bpf_probe_read_kernel(ip, sizeof(ip), head + network);
	if (!is_tcp(head, network, ip))
		return 0;
	s->ip = ip[0] >> 4;
	s->saddr = *(u32 *)(ip + 12);
	s->daddr = *(u32 *)(ip + 16);
	/* Without options of IP's it is here already. */
	if (ip[0] == 0x45)
		__builtin_memcpy(th, ip + 20, sizeof(th));
	else
		bpf_probe_read_kernel(th, sizeof(th), head + transport);
	doff = (th[12] >> 4) * 4;
	before = head + transport - data + doff;
	len = FIELD(skb, len);
	s->length = len > before ? len - before : 0;
	s->sport = bpf_ntohs(*(u16 *)th);
	s->dport = bpf_ntohs(*(u16 *)(th + 2));
	s->seq = bpf_ntohl(*(u32 *)(th + 4));
	s->ack = bpf_ntohl(*(u32 *)(th + 8));
	s->flags = th[13];
	s->end = s->seq + s->length + !!(th[13] & FIN) + !!(th[13] & SYN);
	return 1;
}

/* The packet's own addresses, after NAT. */
static inline void read_wire(struct sk_buff *skb, const struct segment *s,
			     struct nb_tuple *t)
{
	u8 *ip = FIELD(skb, head) + FIELD(skb, network_header);

	t->ip = s->ip;
	t->sport = s->sport;
	t->dport = s->dport;
	if (s->ip == 4) {
		__builtin_memcpy(t->saddr, &s->saddr, 4);
		__builtin_memcpy(t->daddr, &s->daddr, 4);
	} else {
		bpf_probe_read_kernel(t->saddr, 16, ip + 8);
		bpf_probe_read_kernel(t->daddr, 16, ip + 24);
	}
}

static inline struct skb_shared_info *shared_info(struct sk_buff *skb)
{
	return (struct skb_shared_info *)(FIELD(skb, head) + FIELD(skb, end));
}

#endif
