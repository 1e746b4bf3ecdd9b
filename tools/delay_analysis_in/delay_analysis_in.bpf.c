// SPDX-License-Identifier: GPL-2.0
/*
 * delay_analysis_in's eBPF text. A packet is followed by the address of its
 * sk_buff from where the driver hands it over to where TCP has it; from there
 * on its bytes are, in their socket, until copied_seq has passed them: that is
 * so for recvmsg(), splice() and zero-copy receives alike, and for data that
 * TCP has appended to what was there.
 */
#pragma netbcc types sk_buff sock inet_sock tcp_sock inet_connection_sock
#pragma netbcc types skb_shared_info iphdr ipv6hdr tcphdr net pt_regs
#pragma netbcc types task_struct nsproxy mnt_namespace files_struct fdtable
#pragma netbcc types file socket_alloc net_device
#pragma netbcc field sock sk_protocol
#pragma netbcc field tcp_sock is_mptcp
#pragma netbcc field bpf_mem_alloc cache
#pragma netbcc tracepoint napi_gro_receive_entry
#pragma netbcc tracepoint napi_gro_frags_entry
#pragma netbcc tracepoint netif_receive_skb_entry
#pragma netbcc tracepoint netif_receive_skb_list_entry
#pragma netbcc tracepoint netif_rx_entry
#pragma netbcc tracepoint netif_receive_skb
#pragma netbcc tracepoint tcp_probe
#pragma netbcc tracepoint tcp_rcv_space_adjust
#pragma netbcc tracepoint tcp_destroy_sock
#pragma netbcc tracepoint kfree_skb
#pragma netbcc func tcp_v4_rcv
#pragma netbcc func tcp_v6_rcv
#pragma netbcc func tcp_v4_do_rcv
#pragma netbcc func tcp_v6_do_rcv

#ifdef NB_TYPES_HEADERS
#include <linux/fdtable.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#endif

#include "delay_analysis_in.h"

#define NB_QUIET 32
#include "events.bpf.h"
#include "filter.bpf.h"
#include "func.bpf.h"
#include "kernel.bpf.h"
#include "sock.bpf.h"
#include "task.bpf.h"
#include "tp.bpf.h"

#define SLOTS 16384
#define NO_TRANSPORT 0xffff

/* A packet on its way, or after it. */
struct packet {
	u64 skb;    /* 0: none */
	u64 sk;	    /* once it waits there for the application; else 0 */
	u64 driver; /* when it was where, CLOCK_MONOTONIC; 0: not yet */
	u64 stack;
	u64 tcp;
	u64 unlocked;
	u32 seq;
	u32 ifindex;  /* of the device that it came by */
	u32 piece;    /* of @sk: its number */
	u16 cpu;      /* that the driver had, */
	u16 cpu_then; /* and the stack */
	u8 queued;    /* by netif_rx() */
	u8 has_seq;
	u8 pad[6];
};

BPF_ARRAY(packets, struct packet, SLOTS);
BPF_PERCPU_ARRAY(ends, u64, IN_ENDS);

#include "delay.bpf.h"
#include "headers.bpf.h"
#include "waiting.bpf.h"

/* The slot of @skb, of the two that it may have. @make: or one for it. */
static inline struct packet *slot_of(const struct nb_delay_config *c, u64 skb,
				     int make)
{
	u32 at = (u32)(skb >> 6) * 0x9e3779b1U >> 8 & (c->slots - 1);
	u32 other = at ^ 1;
	struct packet *p = packets.lookup(&at);
	struct packet *q = packets.lookup(&other);

	if (!p || !q)
		return 0;
	if (p->skb == skb)
		return p;
	if (q->skb == skb)
		return q;
	if (!make)
		return 0;
	if (!p->skb || p->sk)
		return p;
	if (!q->skb || q->sk)
		return q;
	return p->driver < q->driver ? p : q;
}

static inline u32 ifindex_of(struct sk_buff *skb)
{
	struct net_device *dev = FIELD(skb, dev);

	return FIELD(dev, ifindex);
}

/* A driver, or a virtual device, hands over @skb. */
static inline void arrive(struct sk_buff *skb, int queued)
{
	struct nb_delay_config *c = get_config();
	struct packet *p;
	u32 ifindex, seq = 0;
	u64 address;
	int has_seq;

	if (!c || !is_live(c))
		return;
	has_seq = read_seq(skb, &seq);
	if (!has_seq ||
	    !is_sampled(c, has_seq > 0 ? seq : bpf_get_prandom_u32()))
		return;
	address = address_of(skb);
	p = slot_of(c, address, 1);
	if (!p)
		return;
	ifindex = ifindex_of(skb);
	/* From one device to another: it is on its way since the first. */
	if (p->skb == address && !p->sk && !p->tcp && p->has_seq &&
	    has_seq > 0 && p->seq == seq && p->ifindex != ifindex) {
		p->queued = queued;
		return;
	}
	count_ends(IN_BEGUN, 1);
	p->skb = address;
	p->sk = 0;
	p->driver = bpf_ktime_get_ns();
	p->stack = 0;
	p->tcp = 0;
	p->unlocked = 0;
	p->seq = seq;
	p->has_seq = has_seq > 0;
	p->ifindex = ifindex;
	p->queued = queued;
	p->cpu = bpf_get_smp_processor_id();
	p->cpu_then = p->cpu;
}

int in_received(NB_TP_CTX *ctx)
{
	arrive((struct sk_buff *)NB_TP_ARG(ctx, 1), 0);
	return 0;
}

int in_queued(NB_TP_CTX *ctx)
{
	arrive((struct sk_buff *)NB_TP_ARG(ctx, 1), 1);
	return 0;
}

/* The slot of a packet that is on its way. */
static inline struct packet *on_its_way(const struct nb_delay_config *c,
					struct sk_buff *skb)
{
	struct packet *p = slot_of(c, address_of(skb), 0);

	if (!p)
		return 0;
	if (p->sk)
		return 0;
	return p;
}

int in_stack(NB_TP_CTX *ctx)
{
	struct nb_delay_config *c = get_config();
	struct packet *p;

	if (!c)
		return 0;
	p = on_its_way(c, (struct sk_buff *)NB_TP_ARG(ctx, 1));
	if (!p)
		return 0;
	p->stack = bpf_ktime_get_ns();
	p->cpu_then = bpf_get_smp_processor_id();
	return 0;
}

#if defined(NB_FENTRY) || defined(NB_KPROBE)
/* tcp_v4_rcv(skb), tcp_v6_rcv(skb) */
int in_tcp(NB_FUNC_CTX *ctx)
{
	struct nb_delay_config *c = get_config();
	struct packet *p;

	if (!c)
		return 0;
	p = on_its_way(c, NB_FUNC_ARG(ctx, 1));
	if (!p)
		return 0;
	p->tcp = bpf_ktime_get_ns();
	return 0;
}

/* tcp_v4_do_rcv(sk, skb), tcp_v6_do_rcv(sk, skb) */
int in_unlocked(NB_FUNC_CTX *ctx)
{
	struct nb_delay_config *c = get_config();
	struct packet *p;

	if (!c)
		return 0;
	p = on_its_way(c, NB_FUNC_ARG(ctx, 2));
	if (!p)
		return 0;
	p->unlocked = bpf_ktime_get_ns();
	return 0;
}
#endif

/* Are packets for @sk wanted, whoever reads them? */
static inline int sock_wanted(const struct nb_delay_config *c, struct sock *sk)
{
	struct nb_tuple t = {};

	if (every_sock_wanted(c))
		return 1;
	sock_tuple(sk, &t);
	return !is_own(c, &t) && tuple_matches(c, &t) &&
	       nb_netns_wanted(&c->filter, sk);
}

static inline u32 read_copied(struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return NB_GET(tp, copied_seq);
}

/* What is to come next. */
static inline u32 read_next(struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return NB_GET(tp, rcv_nxt);
}

/* Its data, which waits at @sk. 0: there is no room. */
static inline int add_piece(const struct nb_delay_config *c, struct sock *sk,
			    struct packet *p, const struct segment *s)
{
	struct waiting *w = waiting_at(sk, 1);
	u64 now = bpf_ktime_get_ns(), key = address_of(sk);
	struct piece *piece;

	if (!w || w->tail - w->head >= WAITING)
		return 0;
	piece = place_for(c, key, w->tail, now);
	if (!piece)
		return 0;
	piece->times.driver = p->driver;
	piece->times.stack = p->stack;
	piece->times.tcp = p->tcp;
	piece->times.unlocked = p->unlocked;
	piece->times.socket = now;
	piece->times.queued = p->queued;
	piece->times.moved = p->cpu != p->cpu_then;
	piece->sk = key;
	piece->number = w->tail;
	piece->seq = s->seq;
	piece->end = s->seq + s->length;
	piece->ack = s->ack;
	piece->packets = s->packets;
	piece->done = 0;
	p->piece = w->tail;
	w->tail++;
	w->left++;
	return 1;
}

/* What becomes of @skb, now that TCP has it. */
static inline int come_to_tcp(const struct nb_delay_config *c, struct sock *sk,
			      struct sk_buff *skb, struct packet *p)
{
	struct segment s = {};

	read_segment(skb, &s);
	/* What had this address before has come to an end that nobody saw. */
	if (p->has_seq && p->seq != s.seq)
		return IN_UNSEEN;
	/* Multipath TCP reads in another way. */
	if (!sock_wanted(c, sk) || nb_sk_is_mptcp(sk))
		return IN_UNWANTED;
	if (!s.length)
		return IN_NO_DATA;
	/* It has come before: nobody will read it again. */
	if ((s32)(s.seq + s.length - read_next(sk)) <= 0)
		return IN_DROPPED;
	if (!add_piece(c, sk, p, &s))
		return IN_NO_ROOM;
	p->seq = s.seq;
	p->has_seq = 1;
	return IN_BEGUN;
}

/* tcp_probe(sk, skb): in a connection, with the socket's lock held */
int in_socket(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
	struct sk_buff *skb = (struct sk_buff *)NB_TP_ARG(ctx, 2);
	struct nb_delay_config *c = get_config();
	struct packet *p;
	int end;

	if (!c)
		return 0;
	p = on_its_way(c, skb);
	if (!p)
		return 0;
	end = come_to_tcp(c, sk, skb, p);
	if (end == IN_BEGUN) {
		p->sk = address_of(sk);
		return 0;
	}
	count_ends(end, 1);
	p->skb = 0;
	return 0;
}

/* From the peer's side, as the packet had it. */
static inline void read_ends(struct in_event *e, struct sock *sk)
{
	struct nb_tuple t = {};

	sock_tuple(sk, &t);
	__builtin_memcpy(e->saddr, t.daddr, 16);
	__builtin_memcpy(e->daddr, t.saddr, 16);
	e->sport = t.dport;
	e->dport = t.sport;
	e->ip = t.ip;
	e->netns = netns_of(sk);
}

/* @piece has been read. */
static inline void show(void *ctx, const struct nb_delay_config *c,
			struct sock *sk, const struct piece *piece, u64 now)
{
	struct in_event e = {};

	if (now - piece->times.driver < c->min_ns)
		return;
	__builtin_memcpy(&e.times, &piece->times, sizeof(e.times));
	e.times.read = now;
	if (c->flags & NB_DELAY_SUM) {
		nb_submit_quietly(ctx, &e, sizeof(e.times));
		return;
	}
	read_ends(&e, sk);
	e.seq = piece->seq;
	e.ack = piece->ack;
	e.length = piece->end - piece->seq;
	e.packets = piece->packets;
	e.pid = bpf_get_current_pid_tgid() >> 32;
	nb_task_process_comm(e.comm);
	nb_submit_soon(ctx, &e, sizeof(e), now);
}

/* tcp_rcv_space_adjust(sk): data has been read, with the socket's lock held */
int in_read(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
	struct nb_delay_config *c = get_config();
	struct waiting *w;
	u64 now, key;
	u32 copied, at, n = 0;
	int wanted;

	if (!c)
		return 0;
	w = waiting_at(sk, 0);
	if (!w)
		return 0;
	if (w->head == w->tail)
		return 0;
	now = bpf_ktime_get_ns();
	key = address_of(sk);
	copied = read_copied(sk);
	wanted = nb_task_wanted(&c->filter);
	at = w->head;
	for (int i = 0; i < WAITING; i++, at++) {
		struct piece *p;

		if (at == w->tail)
			break;
		p = piece_at(c, key, at);
		/* Where it is not, it was forgotten to make room. */
		if (!p) {
			w->head += at == w->head;
			continue;
		}
		if (!p->done && (s32)(p->end - copied) <= 0) {
			p->done = 1;
			n++;
			if (wanted)
				show(ctx, c, sk, p, now);
		}
		if (p->done && at == w->head)
			w->head++;
	}
	w->left -= n;
	count_ends(wanted ? IN_READ : IN_UNWANTED, n);
	return 0;
}

/* tcp_destroy_sock(sk) */
int in_closed(NB_TP_CTX *ctx)
{
	u64 key = address_of((void *)NB_TP_ARG(ctx, 1));
	struct waiting *w = sockets.lookup(&key);
	struct nb_delay_config *c;
	u32 at;

	if (!w)
		return 0;
	c = get_config();
	if (!c)
		return 0;
	count_ends(IN_CLOSED, w->left);
	at = w->head;
	for (int i = 0; i < WAITING && at != w->tail; i++, at++) {
		struct piece *p = piece_at(c, key, at);

		if (p)
			p->done = 1;
	}
	sockets.delete(&key);
	return 0;
}

/* What waits of @p is not going to be read. 0: nothing does. */
static inline int take_back(const struct nb_delay_config *c,
			    const struct packet *p)
{
	u64 key = p->sk;
	struct waiting *w = sockets.lookup(&key);
	struct piece *piece = piece_at(c, key, p->piece);

	if (!w || !piece || piece->done)
		return 0;
	piece->done = 1;
	w->left--;
	return 1;
}

/* Of the device that it is at; where it has left that, nothing is known. */
static inline int skb_netns_wanted(const struct nb_filter *f,
				   struct sk_buff *skb)
{
	u64 dev = address_of(FIELD(skb, dev)), net = 0;
	u32 inum = 0;

	if (!(f->flags & NB_ONLY_NETNS))
		return 1;
	bpf_probe_read_kernel(
		&net, sizeof(net),
		(void *)(dev + __builtin_offsetof(struct net_device, nd_net)));
	bpf_probe_read_kernel(
		&inum, sizeof(inum),
		(void *)(net + __builtin_offsetof(struct net, ns.inum)));
	return !inum || inum == f->netns;
}

/* The same as sock_wanted() of what has not come to a socket. */
static inline int skb_wanted(const struct nb_delay_config *c,
			     struct sk_buff *skb, const u8 *th)
{
	u8 *head = FIELD(skb, head) + FIELD(skb, network_header);
	struct nb_tuple t = {};
	u8 ip[40] = {};

	if (every_sock_wanted(c))
		return 1;
	bpf_probe_read_kernel(ip, sizeof(ip), head);
	t.ip = ip[0] >> 4;
	t.sport = bpf_ntohs(*(u16 *)(th + 2));
	t.dport = bpf_ntohs(*(u16 *)th);
	if (t.ip == 4) {
		__builtin_memcpy(t.saddr, ip + 16, 4);
		__builtin_memcpy(t.daddr, ip + 12, 4);
	} else {
		__builtin_memcpy(t.saddr, ip + 24, 16);
		__builtin_memcpy(t.daddr, ip + 8, 16);
	}
	return !is_own(c, &t) && tuple_matches(c, &t) &&
	       skb_netns_wanted(&c->filter, skb);
}

/* How @p, of which @skb is dropped, ends. */
static inline int drop(const struct nb_delay_config *c, struct sk_buff *skb,
		       const struct packet *p)
{
	u16 transport = FIELD(skb, transport_header);
	u8 *head = FIELD(skb, head), *data = FIELD(skb, data);
	u32 len = FIELD(skb, len), before, doff;
	u8 th[16] = {};

	/* Before IP has looked at it, all that is known is the address. */
	if (transport == NO_TRANSPORT)
		return p->sk ? IN_BEGUN : IN_UNSEEN;
	bpf_probe_read_kernel(th, sizeof(th), head + transport);
	if (bpf_ntohl(*(u32 *)(th + 4)) != p->seq)
		return p->sk ? IN_BEGUN : IN_UNSEEN;
	if (p->sk)
		return take_back(c, p) ? IN_DROPPED : IN_BEGUN;
	if (!skb_wanted(c, skb, th))
		return IN_UNWANTED;
	doff = (th[12] >> 4) * 4;
	before = head + transport > data ? head + transport - data : 0;
	return len > before + doff ? IN_DROPPED : IN_NO_DATA;
}

/* kfree_skb(skb, location, ...) */
int in_dropped(NB_TP_CTX *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)NB_TP_ARG(ctx, 1);
	struct nb_delay_config *c = get_config();
	struct packet *p;
	int end;

	if (!c)
		return 0;
	p = slot_of(c, address_of(skb), 0);
	if (!p)
		return 0;
	end = drop(c, skb, p);
	if (end != IN_BEGUN && end != IN_UNSEEN)
		count_ends(end, 1);
	p->skb = 0;
	return 0;
}
