// SPDX-License-Identifier: GPL-2.0
/*
 * delay_analysis_out's eBPF text. A packet is followed from where it is handed
 * to a device's queue, where it says when TCP has begun with it, to its driver.
 * What the queue splits into segments, each with an sk_buff of its own, is
 * known by its socket and its sequence numbers.
 */
#pragma netbcc types sk_buff sock inet_sock tcp_sock inet_connection_sock
#pragma netbcc types skb_shared_info net net_device pt_regs msghdr
#pragma netbcc types tcp_request_sock
#pragma netbcc types task_struct nsproxy mnt_namespace files_struct fdtable
#pragma netbcc types file socket_alloc
#pragma netbcc field sock sk_protocol
#pragma netbcc tracepoint net_dev_queue
#pragma netbcc tracepoint net_dev_start_xmit
#pragma netbcc tracepoint net_dev_xmit
#pragma netbcc tracepoint kfree_skb
#pragma netbcc tracepoint tcp_sendmsg_locked
#pragma netbcc tracepoint sock_send_length
#pragma netbcc func __tcp_transmit_skb
#pragma netbcc func __ip_queue_xmit
#pragma netbcc func inet6_csk_xmit
#pragma netbcc func tcp_sendmsg_locked
#pragma netbcc func tcp_sendpage_locked

#ifdef NB_TYPES_HEADERS
#include <linux/fdtable.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#endif

#include "delay_analysis_out.h"

#define NB_QUIET 32
#include "events.bpf.h"
#include "filter.bpf.h"
#include "func.bpf.h"
#include "kernel.bpf.h"
#include "sock.bpf.h"
#include "task.bpf.h"
#include "tp.bpf.h"

#define TURNS 4096
#define TX_BUSY 16 /* NETDEV_TX_BUSY, linux/netdevice.h: it comes again */
#define LATEST_NS 1000000000ULL /* for a driver to return */
#define XMIT_CN 2 /* NET_XMIT_CN: it has gone, another was dropped */

BPF_PERCPU_ARRAY(ends, u64, OUT_ENDS);

#include "delay.bpf.h"
#include "queues.bpf.h"
#include "segment.bpf.h"
#include "socket.bpf.h"

/* How far TCP has got with the packet that a socket sends. */
struct turn {
	u64 sk;
	u64 skb; /* once IP has it */
	u64 begun;
	u64 ip;
};

/* What a processor does. */
struct cpu {
	u64 sk;	   /* whose packet it has queued last, */
	u64 until; /* and when it was through with that */
	/* The packet that it has called a driver with; skb 0: none. */
	u64 skb;
	u64 dev;
	struct packet packet;
	struct out_event event;
	struct out_event inner; /* of a device below, meanwhile */
};

BPF_ARRAY(turns, struct turn, TURNS);
BPF_PERCPU_ARRAY(cpus, struct cpu, 1);

static inline struct cpu *this_cpu(void)
{
	int zero = 0;

	return cpus.lookup(&zero);
}

static inline struct turn *turn_of(u64 sk)
{
	u32 at = ((u32)(sk >> 6) * 0x9e3779b1U) >> 8 & (TURNS - 1);

	return turns.lookup(&at);
}

#if defined(NB_FENTRY) || defined(NB_KPROBE)
/* __tcp_transmit_skb(sk, skb, ...): with the socket's lock held */
int out_begun(NB_FUNC_CTX *ctx)
{
	u64 sk = address_of(NB_FUNC_ARG(ctx, 1));
	struct turn *t = turn_of(sk);

	if (!t)
		return 0;
	t->sk = sk;
	t->skb = 0;
	t->begun = bpf_ktime_get_ns();
	return 0;
}

/* __ip_queue_xmit(sk, skb, ...), inet6_csk_xmit(sk, skb, ...) */
int out_ip(NB_FUNC_CTX *ctx)
{
	u64 sk = address_of(NB_FUNC_ARG(ctx, 1));
	struct turn *t = turn_of(sk);

	if (!t)
		return 0;
	if (t->sk != sk)
		return 0;
	t->skb = address_of(NB_FUNC_ARG(ctx, 2));
	t->ip = bpf_ktime_get_ns();
	return 0;
}

/* A call that sends @size bytes begins, with the socket's lock held. */
static inline void sending(struct sock *sk, u32 size)
{
	u64 key = address_of(sk);
	u32 seq = read_write_seq(sk);
	struct calls *all = calls_of(key, NB_GET(sk, __sk_common.skc_hash));

	note_owner(sk, key);
	if (all)
		add_call(all, bpf_ktime_get_ns(), seq, seq + size);
}

/* tcp_sendmsg_locked(sk, msg, size) */
int out_sending(NB_FUNC_CTX *ctx)
{
	sending(NB_FUNC_ARG(ctx, 1), address_of(NB_FUNC_ARG(ctx, 3)));
	return 0;
}

/* tcp_sendpage_locked(sk, page, offset, size, flags) */
int out_sending_page(NB_FUNC_CTX *ctx)
{
	sending(NB_FUNC_ARG(ctx, 1), address_of(NB_FUNC_ARG(ctx, 4)));
	return 0;
}
#endif

/* A call has come to its first byte, or to more of them. */
static inline void calling(struct sock *sk, struct msghdr *msg)
{
	u64 key = address_of(sk);
	u32 begin = read_write_seq(sk), end;
	struct calls *all = calls_of(key, hash_of(sk));
	u32 last;

	if (!all)
		return;
	end = begin + NB_GET(msg, msg_iter.count);
	last = (all->n - 1) & (CALLS - 1);
	/* What has been sent, and is left, are the same in all of a call. */
	if (all->under_way && all->call[last].end == end)
		return;
	note_owner(sk, key);
	add_call(all, bpf_ktime_get_ns(), begin, end);
	all->under_way = 1;
}

/* tcp_sendmsg_locked(sk, msg, skb, size_goal): for each piece of it */
int out_called(NB_TP_CTX *ctx)
{
	calling((struct sock *)NB_TP_ARG(ctx, 1),
		(struct msghdr *)NB_TP_ARG(ctx, 2));
	return 0;
}

/* sock_send_length(sk, ret, flags): the call is over */
int out_returned(NB_TP_CTX *ctx)
{
	u64 key = address_of((void *)NB_TP_ARG(ctx, 1));
	struct calls *all = calls.lookup(&key);

	if (all)
		all->under_way = 0;
	return 0;
}

static inline void read_device(struct sk_buff *skb, char *name)
{
	u64 dev = address_of(FIELD(skb, dev));

	bpf_probe_read_kernel(
		name, 16,
		(void *)(dev + __builtin_offsetof(struct net_device, name)));
}

/* Is it on its way through a device below another, which has it now? */
static inline int is_below(const struct cpu *cpu, u64 sk,
			   const struct segment *s)
{
	const struct packet *p = &cpu->packet;

	return cpu->skb && p->sk == sk &&
	       (s->seq == p->seq || s->seq - p->seq < p->end - p->seq);
}

/* Behind the NUL there may be what is left of a longer name. */
static inline int device_wanted(const struct nb_delay_config *c,
				struct sk_buff *skb)
{
	char name[16] = {};

	read_device(skb, name);
#pragma unroll
	for (int i = 0; i < 16; i++) {
		if (name[i] != c->device[i])
			return 0;
		if (!name[i])
			return 1;
	}
	return 1;
}

/* Both as the socket and as the wire has it. */
static inline int ends_wanted(const struct nb_delay_config *c, struct sock *sk,
			      struct sk_buff *skb, const struct segment *s)
{
	struct nb_tuple t = {}, wire = {};

	if (every_sock_wanted(c))
		return 1;
	read_wire(skb, s, &wire);
	read_tuple(sk, &wire, &t);
	if (!nb_netns_wanted(&c->filter, sk) || is_own(c, &t))
		return 0;
	return tuple_matches(c, &t) || tuple_matches(c, &wire);
}

/* Who sends it is noted for the lines, and for -p. */
static inline int pid_wanted(const struct nb_delay_config *c, struct sock *sk,
			     u64 key)
{
	struct owner *o;

	if (c->flags & NB_DELAY_SUM && !(c->filter.flags & NB_ONLY_PID))
		return 1;
	note_owner(sk, key);
	if (!(c->filter.flags & NB_ONLY_PID))
		return 1;
	o = owner_of(sk, key);
	if (!o)
		return 0;
	return o->pid == c->filter.pid;
}

/*
 * Has TCP sent it before? Then what is to be sent next is behind it. That is
 * known while TCP sends it, not of one that had to wait for a neighbour's
 * address. SYN-ACKs say when the first one was.
 */
static inline int is_again(struct sock *sk, const struct segment *s, u64 tstamp)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	struct tcp_request_sock *req = (struct tcp_request_sock *)sk;
	u32 first;

	if (s->end == s->seq || !is_tcp_sock(sk))
		return 0;
	/* A SYN-ACK of a socket that is there before the handshake is over
	 * (fast open) is the first one: the request's are sent again. */
	if (FIELD(sk, __sk_common.skc_state) == SYN_RECV)
		return 0;
	if (is_full(sk))
		return is_locked(sk) &&
		       (s32)(s->end - NB_GET(tp, snd_nxt)) <= 0;
	if (FIELD(sk, __sk_common.skc_state) != NEW_SYN_RECV)
		return 0;
	first = NB_GET(req, snt_synack);
	return first && first != (u32)(tstamp / 1000);
}

/*
 * When TCP has begun with it, as far as that is known. Without functions that
 * is when it has begun with all that it sends at once; but not before this
 * processor was through with the packet before.
 */
static inline void read_begin(const struct cpu *cpu, struct sk_buff *skb,
			      struct sock *sk, const struct segment *s,
			      struct packet *p, u64 tstamp)
{
	u64 now = p->queued;
#if defined(NB_FENTRY) || defined(NB_KPROBE)
	struct turn *t = turn_of(p->sk);

	if (t && t->sk == p->sk && t->skb == address_of(skb)) {
		p->begun = t->begun;
		p->ip = t->ip;
		t->skb = 0;
		return;
	}
#endif
	p->ip = 0;
	/* With pacing it is in the future; of what a process acknowledges (as
	 * by TCP_QUICKACK) it may be that of what was sent before. */
	p->begun = 0;
	if (!tstamp || tstamp >= now ||
	    (s->end == s->seq && is_full(sk) && FIELD(sk, sk_lock.owned)))
		return;
	p->begun = tstamp;
	if (cpu->sk == p->sk && cpu->until > p->begun && cpu->until < now)
		p->begun = cpu->until;
}

static inline int may_be_split(struct sk_buff *skb, const struct segment *s)
{
	struct skb_shared_info *info = shared_info(skb);

	return s->length && NB_GET(info, gso_size);
}

/* @skb is handed to its device's queue. */
static inline void queue(const struct nb_delay_config *c, struct sk_buff *skb,
			 struct cpu *cpu)
{
	struct sock *sk = FIELD(skb, sk);
	struct packet new = {}, *p;
	struct segment s = {};
	u64 tstamp;

	/* Sent by somebody here, and not come in by a device before. */
	if (!sk || FIELD(skb, skb_iif) || !read_segment(skb, &s))
		return;
	new.sk = address_of(sk);
	if (c->flags & NB_DELAY_ONLY_DEVICE) {
		if (!device_wanted(c, skb))
			return;
	} else if (is_below(cpu, new.sk, &s)) {
		return;
	}
	new.queued = bpf_ktime_get_ns();
	tstamp = FIELD(skb, tstamp);
	new.stamp = tstamp;
	new.netns = netns_of(sk);
	read_begin(cpu, skb, sk, &s, &new, tstamp);
	cpu->sk = new.sk;
	cpu->until = new.queued;
	if (!is_sampled(c, s.end != s.seq ? s.seq : s.ack) ||
	    !ends_wanted(c, sk, skb, &s) || !pid_wanted(c, sk, new.sk))
		return;
	new.packets = !may_be_split(skb, &s);
	new.key = new.packets ? key_of(skb) : key_of_next(new.sk, s.seq);
	if (s.length && c->flags & NB_DELAY_CALLS)
		new.called = called_at(sk, new.sk, s.seq);
	new.seq = s.seq;
	new.end = s.end;
	new.again = is_again(sk, &s, tstamp);
	p = place_for(c, new.key, new.queued);
	if (!p)
		return;
	count_ends(OUT_BEGUN, 1);
	*p = new;
}

/* net_dev_queue(skb) */
int out_queued(NB_TP_CTX *ctx)
{
	struct nb_delay_config *c = get_config();
	struct cpu *cpu = this_cpu();

	if (!c || !cpu)
		return 0;
	if (is_live(c))
		queue(c, (struct sk_buff *)NB_TP_ARG(ctx, 1), cpu);
	return 0;
}

/* The packet of the queue that @skb is, or that it is the next segment of. */
static inline struct packet *in_queue(const struct nb_delay_config *c,
				      struct sk_buff *skb, struct sock *sk,
				      struct segment *s)
{
	struct packet *p = packet_of(c, key_of(skb));
	u64 key = address_of(sk);

	if (!p) {
		if (!read_segment(skb, s) || !s->length)
			return 0;
		p = packet_of(c, key_of_next(key, s->seq));
	}
	if (!p)
		return 0;
	/* What TCP has written into it is another for each that it sends. */
	if (p->sk != key || p->stamp != (u32)FIELD(skb, tstamp))
		return 0;
	return p;
}

/*
 * @p has come out, up to @end. What is left of it has its place elsewhere; the
 * segments that follow may have been dropped before.
 */
static inline void take_out(const struct nb_delay_config *c, struct packet *p,
			    u32 end, u64 now)
{
	struct packet rest, *at;

	if (!(p->key & 1)) {
		p->key = 0;
		return;
	}
	rest = *p;
	p->key = 0;
	for (int i = 0; i < SEGMENTS; i++) {
		if ((s32)(rest.end - end) <= 0)
			return;
		count_ends(OUT_SPLIT, 1);
		at = packet_of(c, key_of_next(rest.sk, end));
		if (!at)
			break;
		/* Of what was sent then, and no other time. */
		if (!at->gap || at->stamp != rest.stamp)
			break;
		count_ends(OUT_DROPPED, 1);
		end = at->end;
		at->key = 0;
	}
	rest.key = key_of_next(rest.sk, end);
	at = place_for(c, rest.key, now);
	if (!at)
		return;
	/* Another processor has just dropped the next one. */
	if (at->key == rest.key && at->gap && at->stamp == rest.stamp) {
		count_ends(OUT_SPLIT, 1);
		count_ends(OUT_DROPPED, 1);
		end = at->end;
		at->key = 0;
		if ((s32)(rest.end - end) <= 0)
			return;
		rest.key = key_of_next(rest.sk, end);
		at = place_for(c, rest.key, now);
		if (!at)
			return;
	}
	rest.seq = end;
	*at = rest;
}

/* The driver is done with @e, or nobody has seen that. */
static inline void show(void *ctx, const struct nb_delay_config *c,
			struct out_event *e, u64 now)
{
	u64 begun = e->times.begun ? e->times.begun : e->times.queued;

	if (e->times.sent - begun < c->min_ns) {
		count_ends(OUT_UNWANTED, 1);
		return;
	}
	count_ends(OUT_SENT, 1);
	if (c->flags & NB_DELAY_SUM)
		nb_submit_quietly(ctx, e, sizeof(e->times));
	else
		nb_submit_soon(ctx, e, sizeof(*e), now);
}

static inline u32 packets_of(struct sk_buff *skb)
{
	struct skb_shared_info *info = shared_info(skb);
	u32 segs = NB_GET(info, gso_segs);

	return segs ? segs : 1;
}

/* All but the times. */
static inline void read_line(struct out_event *e, struct sk_buff *skb,
			     struct sock *sk, const struct segment *s)
{
	struct nb_tuple t = {}, wire = {};
	struct owner *o = owner_of(sk, address_of(sk));

	read_wire(skb, s, &wire);
	read_tuple(sk, &wire, &t);
	__builtin_memcpy(e->saddr, t.saddr, 16);
	__builtin_memcpy(e->daddr, t.daddr, 16);
	__builtin_memcpy(e->nat_saddr, wire.saddr, 16);
	__builtin_memcpy(e->nat_daddr, wire.daddr, 16);
	e->sport = t.sport;
	e->dport = t.dport;
	e->nat_sport = wire.sport;
	e->nat_dport = wire.dport;
	e->ip = wire.ip;
	e->seq = s->seq;
	e->ack = s->ack;
	e->length = s->length;
	e->flags = s->flags;
	if (!e->packets)
		e->packets = packets_of(skb);
	e->pid = 0;
	if (o) {
		e->pid = o->pid;
		__builtin_memcpy(e->comm, o->comm, sizeof(e->comm));
	}
	read_device(skb, e->device);
}

static inline void read_packet(struct out_event *e, const struct packet *p,
			       u64 now)
{
	e->times.called = p->called;
	e->times.begun = p->begun;
	e->times.ip = p->ip;
	e->times.queued = p->queued;
	e->times.sent = now;
	e->times.done = 0;
	e->again = p->again;
	e->netns = p->netns;
	e->packets = p->packets;
}

/*
 * A driver is called with @skb. Where another one of this processor's has not
 * returned, this is a device below its device, with a packet that waited there.
 */
static inline void start(void *ctx, const struct nb_delay_config *c,
			 struct sk_buff *skb, u64 dev, struct cpu *cpu)
{
	struct sock *sk = FIELD(skb, sk);
	struct segment s = {};
	struct packet *p;
	u64 now;
	u32 end;

	if (!sk)
		return;
	p = in_queue(c, skb, sk, &s);
	if (!p)
		return;
	if (!s.ip && !(c->flags & NB_DELAY_SUM) && !read_segment(skb, &s))
		return;
	now = bpf_ktime_get_ns();
	end = p->key & 1 ? s.end : p->end;
	if (cpu->skb && now - cpu->event.times.sent < LATEST_NS) {
		read_packet(&cpu->inner, p, now);
		take_out(c, p, end, now);
		if (!(c->flags & NB_DELAY_SUM))
			read_line(&cpu->inner, skb, sk, &s);
		show(ctx, c, &cpu->inner, now);
		return;
	}
	/* Its end has gone unseen. */
	if (cpu->skb)
		show(ctx, c, &cpu->event, now);
	cpu->skb = address_of(skb);
	cpu->dev = dev;
	cpu->packet = *p;
	cpu->packet.end = end;
	read_packet(&cpu->event, p, now);
	take_out(c, p, end, now);
	if (!(c->flags & NB_DELAY_SUM))
		read_line(&cpu->event, skb, sk, &s);
}

/* net_dev_start_xmit(skb, dev) */
int out_started(NB_TP_CTX *ctx)
{
	struct nb_delay_config *c = get_config();
	struct cpu *cpu = this_cpu();

	if (!c || !cpu)
		return 0;
	start(ctx, c, (struct sk_buff *)NB_TP_ARG(ctx, 1),
	      address_of((void *)NB_TP_ARG(ctx, 2)), cpu);
	return 0;
}

/* The driver has no place for it: it goes back to the queue's head. */
static inline void put_back(const struct nb_delay_config *c, struct cpu *cpu,
			    u64 now)
{
	struct packet *p = place_for(c, cpu->packet.key, now);

	if (p)
		*p = cpu->packet;
}

/* net_dev_xmit(skb, rc, dev, len): @skb may be gone */
int out_sent(NB_TP_CTX *ctx)
{
	u64 skb = address_of((void *)NB_TP_ARG(ctx, 1));
	u64 dev = address_of((void *)NB_TP_ARG(ctx, 3));
	int rc = NB_TP_ARG(ctx, 2);
	struct nb_delay_config *c = get_config();
	struct cpu *cpu = this_cpu();
	u64 now;

	if (!c || !cpu)
		return 0;
	now = bpf_ktime_get_ns();
	cpu->until = now;
	/* Of a device below it may be the same sk_buff. */
	if (cpu->skb != skb || cpu->dev != dev)
		return 0;
	cpu->skb = 0;
	if (rc == TX_BUSY) {
		put_back(c, cpu, now);
	} else if (rc && rc != XMIT_CN) {
		count_ends(OUT_DROPPED, 1);
	} else {
		cpu->event.times.done = now;
		show(ctx, c, &cpu->event, now);
	}
	return 0;
}

/* A segment that is not the next to come out is dropped; @at: in its place. */
static inline void leave_gap(const struct segment *s, u64 key, u64 sk,
			     u32 stamp, struct packet *at)
{
	struct packet gap = {};

	gap.key = key;
	gap.sk = sk;
	gap.stamp = stamp;
	gap.seq = s->seq;
	gap.end = s->end;
	gap.gap = 1;
	*at = gap;
}

/* @skb is dropped. */
static inline void drop(const struct nb_delay_config *c, struct sk_buff *skb)
{
	struct sock *sk = FIELD(skb, sk);
	struct segment s = {};
	struct packet *p;
	u64 now, key;
	u32 stamp;

	if (!sk || FIELD(skb, skb_iif))
		return;
	p = in_queue(c, skb, sk, &s);
	if (!p && !s.length)
		return;
	now = bpf_ktime_get_ns();
	stamp = FIELD(skb, tstamp);
	if (!p) {
		key = key_of_next(address_of(sk), s.seq);
		p = place_for(c, key, now);
		if (!p)
			return;
		/* By now another processor may have come to it. */
		if (p->key != key || p->stamp != stamp || p->gap) {
			leave_gap(&s, key, address_of(sk), stamp, p);
			return;
		}
	}
	if (p->gap)
		return;
	count_ends(OUT_DROPPED, 1);
	take_out(c, p, p->key & 1 ? s.end : p->end, now);
}

/* kfree_skb(skb, location, ...) */
int out_dropped(NB_TP_CTX *ctx)
{
	struct nb_delay_config *c = get_config();

	if (c)
		drop(c, (struct sk_buff *)NB_TP_ARG(ctx, 1));
	return 0;
}
