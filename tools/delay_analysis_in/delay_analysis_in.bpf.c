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

#define P_IP 0x0800 /* ETH_P_*, linux/if_ether.h */
#define P_IPV6 0x86dd
#define P_8021Q 0x8100
#define P_8021AD 0x88a8
#define HOPOPTS 0 /* IPPROTO_*: headers of IPv6 that others follow */
#define ROUTING 43
#define DSTOPTS 60
#define OPTIONS_MAX 3
#define TAGS_MAX 2
#define SLOTS 16384
#define WAITING 128 /* of a socket: a power of two */
#define PLACES 3    /* where a piece may be, */
#define PLACES_APART 5003
#define NO_TRANSPORT 0xffff
#define FORGET_NS (60 * 1000000000ULL)

/*
 * Entries are made as they are needed where programs may do that (6.1), else
 * all of them at the start.
 */
#ifdef NB_OFFSET_bpf_mem_alloc_cache
#define SOCKETS 262144
#define SOCKET_FLAGS BPF_F_NO_PREALLOC
#else
#define SOCKETS 16384
#define SOCKET_FLAGS 0
#endif

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

/* A piece of a socket's data, until it is read. */
struct piece {
	struct in_times times;
	u64 sk;
	u32 number; /* of those of @sk */
	u32 seq;
	u32 end; /* of its data */
	u32 ack;
	u16 packets;
	u8 done;
	u8 pad[5];
};

/* Which of them are a socket's, first in, first out; both go on for ever. */
struct waiting {
	u32 head;
	u32 tail;
	u32 hash; /* whose these are, should the socket's end go unseen */
	u32 left; /* that are not done */
};

BPF_ARRAY(config, struct in_config, 1);
BPF_ARRAY(packets, struct packet, SLOTS);
BPF_ARRAY(pieces, struct piece, SLOTS);
BPF_F_TABLE("hash", u64, struct waiting, sockets, SOCKETS, SOCKET_FLAGS);
BPF_HASH(lports, u16, u8, 1024);
BPF_HASH(rports, u16, u8, 1024);
BPF_PERCPU_ARRAY(ends, u64, IN_ENDS);

#ifdef NB_TYPED
#define FIELD(ptr, field) ((ptr)->field)
#else
#define FIELD(ptr, field) NB_GET(ptr, field)
#endif

static inline struct in_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

static inline int is_live(const struct in_config *c)
{
	return c->flags & IN_LIVE;
}

static inline void count_ends(int which, u64 n)
{
	u64 *all = ends.lookup(&which);

	if (all)
		*all += n;
}

/* As a number: where the verifier knows types, there is no arithmetic with it.
 */
static inline u64 address_of(void *ptr)
{
#if defined(NB_TYPED) || defined(NB_FENTRY)
	u64 ret = 0;

	bpf_probe_read_kernel(&ret, sizeof(ret), &ptr);
	return ret;
#else
	return (u64)ptr;
#endif
}

/* The slot of @skb, of the two that it may have. @make: or one for it. */
static inline struct packet *slot_of(const struct in_config *c, u64 skb,
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

/* The same for a packet wherever it is seen, and whoever looks. */
static inline int is_sampled(const struct in_config *c, int has_seq, u32 seq)
{
	u32 random;

	if (!c->below)
		return 1;
	random = has_seq > 0 ? seq * 0x9e3779b1U : bpf_get_prandom_u32();
	return random < c->below;
}

static inline u32 ifindex_of(struct sk_buff *skb)
{
	struct net_device *dev = FIELD(skb, dev);

	return FIELD(dev, ifindex);
}

/* A driver, or a virtual device, hands over @skb. */
static inline void arrive(struct sk_buff *skb, int queued)
{
	struct in_config *c = get_config();
	struct packet *p;
	u32 ifindex, seq = 0;
	u64 address;
	int has_seq;

	if (!c || !is_live(c))
		return;
	has_seq = read_seq(skb, &seq);
	if (!has_seq || !is_sampled(c, has_seq, seq))
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
static inline struct packet *on_its_way(const struct in_config *c,
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
	struct in_config *c = get_config();
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
	struct in_config *c = get_config();
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
	struct in_config *c = get_config();
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

static inline int addr_wanted(const struct in_config *c, const u8 *bytes)
{
	u32 addr[4];

	__builtin_memcpy(addr, bytes, sizeof(addr));
	return !(((addr[0] ^ c->addr[0]) & c->mask[0]) |
		 ((addr[1] ^ c->addr[1]) & c->mask[1]) |
		 ((addr[2] ^ c->addr[2]) & c->mask[2]) |
		 ((addr[3] ^ c->addr[3]) & c->mask[3]));
}

static inline int is_own(const struct in_config *c, const struct nb_tuple *t)
{
	u32 addr[4];

	if (t->sport != c->own[0] || t->dport != c->own[1])
		return 0;
	__builtin_memcpy(addr, t->daddr, sizeof(addr));
	return addr[0] == c->own_addr[0] && addr[1] == c->own_addr[1] &&
	       addr[2] == c->own_addr[2] && addr[3] == c->own_addr[3];
}

/* Are packets for @sk wanted, whoever reads them? */
static inline int sock_wanted(const struct in_config *c, struct sock *sk)
{
	struct nb_tuple t = {};
	u32 flags = c->flags;

	if (!(flags &
	      (IN_ONLY_LPORT | IN_ONLY_RPORT | IN_ONLY_ADDR | IN_NOT_OWN)) &&
	    !(c->filter.flags & ~NB_ONLY_PID))
		return 1;
	nb_sk_tuple(sk, &t);
	if (!nb_ip_wanted(&c->filter, t.ip) || !nb_netns_wanted(&c->filter, sk))
		return 0;
	if (flags & IN_ONLY_LPORT && !lports.lookup(&t.sport))
		return 0;
	if (flags & IN_ONLY_RPORT && !rports.lookup(&t.dport))
		return 0;
	if (flags & IN_NOT_OWN && is_own(c, &t))
		return 0;
	return !(flags & IN_ONLY_ADDR) ||
	       (t.ip == c->addr_ip &&
		(addr_wanted(c, t.saddr) || addr_wanted(c, t.daddr)));
}

static inline u32 hash_of(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_hash);
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

/* What waits at @sk; @make: or nothing yet. */
static inline struct waiting *waiting_at(struct sock *sk, int make)
{
	struct waiting none = {}, *w;
	u64 key = (u64)sk;
	u32 hash = hash_of(sk);

	w = sockets.lookup(&key);
	if (!w && make) {
		none.hash = hash;
		if (sockets.insert(&key, &none))
			nb_count(NB_COUNT_FULL);
		w = sockets.lookup(&key);
	}
	if (!w || w->hash == hash)
		return w;
	/* Another connection had the address. */
	count_ends(IN_CLOSED, w->left);
	w->head = 0;
	w->tail = 0;
	w->left = 0;
	w->hash = hash;
	return w;
}

/* Number @n of @sk's pieces, in one of the places where it may be. */
static inline struct piece *piece_at(const struct in_config *c, u64 sk, u32 n)
{
	u32 at = ((u32)(sk >> 6) * 0x9e3779b1U >> 8) + (n & (WAITING - 1));

#pragma unroll
	for (int i = 0; i < PLACES; i++, at += PLACES_APART) {
		u32 slot = at & (c->slots - 1);
		struct piece *p = pieces.lookup(&slot);

		if (p && p->sk == sk && p->number == n)
			return p;
	}
	return 0;
}

/* A place for it. 0: others' pieces are in all of them. */
static inline struct piece *place_for(const struct in_config *c, u64 sk, u32 n,
				      u64 now)
{
	u32 at = ((u32)(sk >> 6) * 0x9e3779b1U >> 8) + (n & (WAITING - 1));

#pragma unroll
	for (int i = 0; i < PLACES; i++, at += PLACES_APART) {
		u32 slot = at & (c->slots - 1);
		struct piece *p = pieces.lookup(&slot);

		if (p &&
		    (!p->sk || p->done || now - p->times.socket > FORGET_NS))
			return p;
	}
	return 0;
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

/* Its data, which waits at @sk. 0: there is no room. */
static inline int add_piece(const struct in_config *c, struct sock *sk,
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
static inline int come_to_tcp(const struct in_config *c, struct sock *sk,
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
	struct in_config *c = get_config();
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

	nb_sk_tuple(sk, &t);
	__builtin_memcpy(e->saddr, t.daddr, 16);
	__builtin_memcpy(e->daddr, t.saddr, 16);
	e->sport = t.dport;
	e->dport = t.sport;
	e->ip = t.ip;
	e->netns = nb_sk_netns(sk);
}

/* @piece has been read. */
static inline void show(void *ctx, const struct in_config *c, struct sock *sk,
			const struct piece *piece, u64 now)
{
	struct in_event e = {};

	if (now - piece->times.driver < c->min_ns)
		return;
	__builtin_memcpy(&e.times, &piece->times, sizeof(e.times));
	e.times.read = now;
	if (c->flags & IN_SUM) {
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
	nb_submit(ctx, &e, sizeof(e));
}

/* tcp_rcv_space_adjust(sk): data has been read, with the socket's lock held */
int in_read(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
	struct in_config *c = get_config();
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
	struct in_config *c;
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
static inline int take_back(const struct in_config *c, const struct packet *p)
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

/* How @p, of which @skb is dropped, ends. */
static inline int drop(const struct in_config *c, struct sk_buff *skb,
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
	doff = (th[12] >> 4) * 4;
	before = head + transport > data ? head + transport - data : 0;
	return len > before + doff ? IN_DROPPED : IN_NO_DATA;
}

/* kfree_skb(skb, location, ...) */
int in_dropped(NB_TP_CTX *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)NB_TP_ARG(ctx, 1);
	struct in_config *c = get_config();
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
