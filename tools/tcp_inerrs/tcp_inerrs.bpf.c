// SPDX-License-Identifier: GPL-2.0
/*
 * tcp_inerrs' eBPF text: packets that TCP drops (kfree_skb, with the kernel's
 * reason), resets that it gets and sends, and connections that a listener has
 * no room for. Nothing runs for a packet that is in order, but where the
 * kernel does not hand over the socket with the packet (before 6.11).
 */
#pragma netbcc types sock inet_sock tcp_sock inet_connection_sock
#pragma netbcc types sk_buff net_device net socket_alloc request_sock
#pragma netbcc types iphdr ipv6hdr tcphdr task_struct nsproxy mnt_namespace
#pragma netbcc types files_struct fdtable file pt_regs
#pragma netbcc field sock sk_protocol
#pragma netbcc tracepoint kfree_skb
#pragma netbcc tracepoint tcp_receive_reset
#pragma netbcc tracepoint tcp_send_reset
#pragma netbcc tracepoint tcp_probe
#pragma netbcc func tcp_filter
#pragma netbcc func tcp_v4_do_rcv
#pragma netbcc func tcp_v6_do_rcv
#pragma netbcc func tcp_check_req
#pragma netbcc func tcp_conn_request
#pragma netbcc func tcp_timewait_state_process

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

#include "events.bpf.h"
#include "filter.bpf.h"
#include "func.bpf.h"
#include "kernel.bpf.h"
#include "packet.bpf.h"
#include "pairs.bpf.h"
#include "refine.bpf.h"
#include "sock.bpf.h"
#include "task.bpf.h"
#include "tcp_inerrs.h"
#include "tp.bpf.h"

#define WINDOW_NS 1000000000ULL

BPF_ARRAY(config, struct err_config, 1);
BPF_ARRAY(reasons, u32, ERR_KERNEL_REASONS);
BPF_HASH(lports, u16, u8, 1024);
BPF_HASH(rports, u16, u8, 1024);

/* All of one namespace's, wanted or not; and what came too fast. */
BPF_PERCPU_ARRAY(seen, u64, ERR_REASONS);
BPF_PERCPU_ARRAY(more, u64, ERR_REASONS);
/* One is counted in while the other one is read and emptied. */
BPF_HASH(sums0, struct err_sum_key, u64, 16384);
BPF_HASH(sums1, struct err_sum_key, u64, 16384);

/* How many records there were in the second that began at start_ns. */
struct window {
	u64 start_ns;
	u64 n;
};
BPF_ARRAY(window, struct window, 1);

static inline struct err_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

/* Not in get_config(), where it would be arithmetic with a pointer. */
static inline int is_live(const struct err_config *c)
{
	return c->flags & ERR_LIVE;
}

/* Of a socket, the peer's first: as in the packets that it gets. */
static inline void read_ends(struct err_event *e, struct sock *sk)
{
	struct nb_tuple t = {};

	nb_sk_tuple(sk, &t);
	e->ip = t.ip;
	__builtin_memcpy(e->saddr, t.daddr, 16);
	__builtin_memcpy(e->daddr, t.saddr, 16);
	e->sport = t.dport;
	e->dport = t.sport;
	e->has_ports = 1;
}

/*
 * A process that has locked the socket is working with it: the one that runs
 * here, unless that was interrupted by a packet on its way to the socket, which
 * is the case of those that are dropped before the lock is asked for (@early).
 */
static inline void read_owner(struct err_event *e, struct sock *sk, int early)
{
	struct socket *socket = NB_GET(sk, sk_socket);
	struct socket_alloc *alloc = (struct socket_alloc *)socket;

	if (socket)
		e->inode = NB_GET(alloc, vfs_inode.i_ino);
	if (early || e->state == STATE_LISTEN || !NB_GET(sk, sk_lock.owned))
		return;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	nb_task_process_comm(e->comm);
}

static inline void read_sock(struct err_event *e, struct sock *sk, int early)
{
	e->state = NB_GET(sk, __sk_common.skc_state);
	e->netns = nb_sk_netns(sk);
	/* These two have no more than what all sockets have in common. */
	if (e->state == STATE_TIME_WAIT)
		return;
	if (e->state == STATE_NEW_SYN_RECV) {
		e->state = STATE_SYN_RECV;
		return;
	}
	read_owner(e, sk, early);
}

static inline int wanted_ports(const struct err_config *c,
			       const struct err_event *e)
{
	int sent = e->reason == ERR_RESET_SENT;
	u16 local = sent ? e->sport : e->dport;
	u16 remote = sent ? e->dport : e->sport;

	if (c->flags & (ERR_ONLY_LPORT | ERR_ONLY_RPORT) && !e->has_ports)
		return 0;
	if (c->flags & ERR_ONLY_LPORT && !lports.lookup(&local))
		return 0;
	return !(c->flags & ERR_ONLY_RPORT) || rports.lookup(&remote);
}

static inline u64 *find_sum(u32 epoch, struct err_sum_key *key)
{
	u64 *n;

	if (epoch) {
		n = sums1.lookup(key);
		NB_APART(n, 1);
	} else {
		n = sums0.lookup(key);
		NB_APART(n, 0);
	}
	return n;
}

static inline void make_sum(u32 epoch, struct err_sum_key *key)
{
	u64 zero = 0;

	/* Somebody else may be doing the same. */
	if (epoch)
		sums1.insert(key, &zero);
	else
		sums0.insert(key, &zero);
}

static inline void add_to_sum(const struct err_config *c,
			      const struct err_event *e)
{
	struct err_sum_key key = {};
	u32 epoch = c->epoch;
	u64 *n;

	key.reason = e->reason;
	key.kernel_reason = e->reason == ERR_OTHER ? e->kernel_reason : 0;
	if (c->flags & ERR_SUM_PEERS) {
		key.ip = e->ip;
		__builtin_memcpy(
			key.peer,
			e->reason == ERR_RESET_SENT ? e->daddr : e->saddr, 16);
	}
	n = find_sum(epoch, &key);
	if (!n) {
		make_sum(epoch, &key);
		n = find_sum(epoch, &key);
	}
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		nb_count(NB_COUNT_FULL);
}

/* May there be one more record in this second? */
static inline int may_submit(const struct err_config *c, u64 now)
{
	int zero = 0;
	struct window *w = window.lookup(&zero);

	if (!c->max_rate || !w)
		return 1;
	if (now - w->start_ns >= WINDOW_NS) {
		w->start_ns = now;
		w->n = 0;
	}
	if (w->n >= c->max_rate)
		return 0;
	__sync_fetch_and_add(&w->n, 1);
	return 1;
}

static inline void bump(u64 *n)
{
	if (n)
		(*n)++;
}

/*
 * Is the event, which is complete but for its time, to be shown one by one?
 * All that is not, is counted.
 */
static inline int is_due(const struct err_config *c, struct err_event *e)
{
	int reason = e->reason;

	if (reason >= ERR_REASONS)
		return 0;
	if (e->netns == c->netns)
		bump(seen.lookup(&reason));
	if (c->flags & ERR_OWNED && !e->pid && !e->inode)
		return 0;
	if (!(c->wanted >> reason & 1) || !nb_ip_wanted(&c->filter, e->ip) ||
	    (c->filter.flags & NB_ONLY_NETNS && c->filter.netns != e->netns) ||
	    !wanted_ports(c, e))
		return 0;
	if (c->flags & ERR_SUM) {
		add_to_sum(c, e);
		return 0;
	}
	e->time_ns = bpf_ktime_get_ns();
	if (may_submit(c, e->time_ns))
		return 1;
	bump(more.lookup(&reason));
	return 0;
}

static inline int is_tcp_sock(struct sock *sk)
{
	u8 state = NB_GET(sk, __sk_common.skc_state);

	/* These are none but TCP's, and no whole sockets. */
	return state == STATE_TIME_WAIT || state == STATE_NEW_SYN_RECV ||
	       NB_GET(sk, sk_type) == SOCK_STREAM_TYPE;
}

/* @sk: as the kernel hands it over, if it does. 0: it is to be forgotten. */
static inline int fill_drop(struct err_event *e, struct sk_buff *skb,
			    struct sock *sk, u32 kernel_reason, u32 entry)
{
	u32 reason = entry & ERR_REASON_MASK;
	struct where w;
	int is_tcp;

	locate(&w, skb);
	if (entry & ERR_AT_HEADER && (!w.at_header || !SKB_GET(skb, skb_iif)))
		return 0;
	is_tcp = read_packet(e, &w);
#ifndef HAS_SOCK
	if (is_tcp && e->has_ports && !is_before_functions(reason, w.left))
		sk = sock_of(skb, e, reason == ERR_TCP_OFO_QUEUE_PRUNE);
#endif
	/* Raw sockets get TCP's packets, too. */
	if (entry & ERR_SHARED && (!is_tcp || (sk && !is_tcp_sock(sk))))
		return 0;
	if (sk)
		read_sock(e, sk, is_early(reason));
	else if (w.at_header)
		e->netns = netns_of(skb);
	/* What was put together of several packets has no header. */
	if (!is_tcp) {
		if (!sk || e->state == STATE_TIME_WAIT)
			return 0;
		read_ends(e, sk);
	}
	e->kernel_reason = kernel_reason;
	e->reason = is_tcp ? refine(reason, e, &w, sk) : reason;
	return 1;
}

#ifdef NB_WITH_stack
#define RECORD struct err_stack
#define EVENT(rec) (&(rec)->event)
/* Without the program itself. */
#define SUBMIT(ctx, rec)                                             \
	({                                                           \
		bpf_get_stack(ctx, (rec)->ip, sizeof((rec)->ip), 0); \
		nb_submit(ctx, rec, sizeof(*(rec)));                 \
	})
#else
#define RECORD struct err_event
#define EVENT(rec) (rec)
#define SUBMIT(ctx, rec) nb_submit(ctx, rec, sizeof(*(rec)))
#endif

/* kfree_skb(skb, location, reason), rx_sk: 6.11 */
int err_drop(NB_TP_CTX *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)NB_TP_ARG(ctx, 1);
	u32 reason = NB_TP_ARG(ctx, 3);
	u32 *entry = reasons.lookup(&reason);
	struct err_config *c;
	struct sock *sk = 0;
	RECORD rec = {};

	if (!entry || !*entry)
		return 0;
	c = get_config();
	if (!c || !is_live(c))
		return 0;
#ifdef HAS_SOCK
	sk = (struct sock *)NB_TP_ARG(ctx, 4);
#endif
	if (fill_drop(EVENT(&rec), skb, sk, reason, *entry) &&
	    is_due(c, EVENT(&rec)))
		SUBMIT(ctx, &rec);
	return 0;
}

/*
 * Data that nobody will read is taken for a reset as well, by
 * tcp_rcv_state_process(): for a socket that is closed or shut down.
 */
static inline int may_be_data(u8 state, struct sock *sk)
{
	if (state != STATE_FIN_WAIT1 && state != STATE_FIN_WAIT2 &&
	    state != STATE_CLOSING && state != STATE_LAST_ACK)
		return 0;
	return NB_GET(sk, sk_shutdown) & RCV_SHUTDOWN;
}

/* tcp_receive_reset(sk): one that the socket has believed. */
int err_reset_received(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
	struct err_config *c = get_config();
	RECORD rec = {};

	if (!c || !is_live(c))
		return 0;
	read_sock(EVENT(&rec), sk, 0);
	EVENT(&rec)->reason = may_be_data(EVENT(&rec)->state, sk)
				      ? ERR_RESET_OR_DATA
				      : ERR_RESET_RECEIVED;
	read_ends(EVENT(&rec), sk);
	if (is_due(c, EVENT(&rec)))
		SUBMIT(ctx, &rec);
	return 0;
}

static inline void turn_around(struct err_event *e)
{
	u8 addr[16];
	u16 port = e->sport;

	__builtin_memcpy(addr, e->saddr, 16);
	__builtin_memcpy(e->saddr, e->daddr, 16);
	__builtin_memcpy(e->daddr, addr, 16);
	e->sport = e->dport;
	e->dport = port;
}

/* A reset for @sk, in answer to @skb, if any. 0: it can't be told. */
static inline int fill_reset(struct err_event *e, struct sock *sk,
			     struct sk_buff *skb)
{
	e->reason = ERR_RESET_SENT;
	read_sock(e, sk, 0);
	if (skb) {
		char *head = (char *)NB_GET(skb, head);
		struct where w = {};
		u16 protocol = NB_GET(skb, protocol);

		w.network = head + NB_GET(skb, network_header);
		w.transport = head + NB_GET(skb, transport_header);
		w.left = 4; /* it has ports; what else is in it is not ours */
		w.ip = protocol == bpf_htons(ETH_IP) ? 4 : 6;
		if (!read_packet(e, &w))
			return 0;
	} else if (e->state != STATE_TIME_WAIT) {
		read_ends(e, sk);
	} else {
		return 0;
	}
	turn_around(e);
	return 1;
}

/*
 * tcp_send_reset(sk, skb): without a socket (since 6.11) it is the answer to a
 * packet that is dropped as NO_SOCKET.
 */
int err_reset_sent(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
	struct sk_buff *skb = (struct sk_buff *)NB_TP_ARG(ctx, 2);
	struct err_config *c = get_config();
	RECORD rec = {};

	if (!c || !is_live(c) || !sk)
		return 0;
	if (fill_reset(EVENT(&rec), sk, skb) && is_due(c, EVENT(&rec)))
		SUBMIT(ctx, &rec);
	return 0;
}

#if defined(NB_FENTRY) || defined(NB_KPROBE)
/* A request to a listener, on this CPU. */
struct request {
	u64 sk;
	u64 skb;
	u32 drops;
	u32 reason; /* that it would be dropped for */
};
BPF_PERCPU_ARRAY(requests, struct request, 1);

static inline u32 drops_of(struct sock *sk)
{
	return NB_GET(sk, sk_drops.counter);
}

/*
 * Why tcp_conn_request() may find no room in the listener's queues. Kernels
 * differ in how many requests fill one: so it is one that has been dropped,
 * too.
 */
static inline u32 why_no_room(struct sock *sk)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	u32 room = NB_GET(sk, sk_max_ack_backlog);
	struct net *net = NB_GET(sk, __sk_common.skc_net.net);

	if ((u32)NB_GET(icsk, icsk_accept_queue.qlen.counter) >= room &&
	    !NB_GET(net, ipv4.sysctl_tcp_syncookies))
		return ERR_SYN_QUEUE_FULL;
	return is_full(sk) ? ERR_TCP_LISTEN_OVERFLOW : 0;
}

/* tcp_conn_request(rsk_ops, af_ops, sk, skb) */
int err_request(NB_FUNC_CTX *ctx)
{
	struct sock *sk = NB_FUNC_ARG(ctx, 3);
	int zero = 0;
	struct request *r = requests.lookup(&zero);

	if (!r)
		return 0;
	r->sk = (u64)sk;
	r->skb = (u64)NB_FUNC_ARG(ctx, 4);
	r->reason = why_no_room(sk);
	r->drops = drops_of(sk);
	return 0;
}

int err_requested(NB_FUNC_CTX *ctx)
{
	int zero = 0;
	struct request *r = requests.lookup(&zero);
	struct err_config *c = get_config();
	struct sock *sk;
	RECORD rec = {};

	if (!r || !c || !is_live(c) || !r->reason)
		return 0;
	sk = (struct sock *)r->sk;
	if (drops_of(sk) == r->drops)
		return 0;
	if (!fill_reset(EVENT(&rec), sk, (struct sk_buff *)r->skb))
		return 0;
	turn_around(EVENT(&rec));
	EVENT(&rec)->reason = r->reason;
	if (is_due(c, EVENT(&rec)))
		SUBMIT(ctx, &rec);
	return 0;
}

#if !defined(NB_PLAN_raw)
/* tcp_filter, tcp_check_req, tcp_v4_do_rcv, tcp_v6_do_rcv: (sk, skb) */
int err_pair(NB_FUNC_CTX *ctx)
{
	struct sock *sk = NB_FUNC_ARG(ctx, 1);

	remember(sk, NB_FUNC_ARG(ctx, 2), NB_GET(sk, sk_lock.owned) != 0);
	return 0;
}

/* tcp_timewait_state_process(tw, skb): no whole socket */
int err_pair_over(NB_FUNC_CTX *ctx)
{
	remember(NB_FUNC_ARG(ctx, 1), NB_FUNC_ARG(ctx, 2), 0);
	return 0;
}
#endif
#else
/* tcp_probe(sk, skb): packets of established connections. */
int err_pair(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);

	remember(sk, (struct sk_buff *)NB_TP_ARG(ctx, 2),
		 NB_GET(sk, sk_lock.owned) != 0);
	return 0;
}
#endif
