// SPDX-License-Identifier: GPL-2.0
/*
 * tcpconnection's eBPF text; NB_WITH_failed for -f. A connect is stamped where
 * the process makes it (CLOSE -> SYN_SENT runs in its context) and reported
 * when the handshake ends, mostly in softirq. An accept is reported when the
 * process has taken it.
 */
#pragma netbcc types sock inet_sock tcp_sock socket_alloc net
#pragma netbcc types task_struct files_struct fdtable file
#pragma netbcc types nsproxy mnt_namespace pt_regs sockaddr_in sockaddr_in6
#pragma netbcc field sock sk_protocol
#pragma netbcc field tcp_sock bytes_sent
#pragma netbcc field tcp_sock is_mptcp
#pragma netbcc func security_sock_graft
#pragma netbcc func security_socket_connect
#pragma netbcc func inet_stream_connect

#ifdef NB_TYPES_HEADERS
#include <linux/fdtable.h>
#include <linux/nsproxy.h>
#include <linux/tcp.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#endif

#include "events.bpf.h"
#include "filter.bpf.h"
#include "func.bpf.h"
#include "kernel.bpf.h"
#include "sock.bpf.h"
#include "syscall.bpf.h"
#include "task.bpf.h"
#include "tcpconnection.h"
#include "uring.bpf.h"

#if defined(NB_PLAN_fentry) || defined(NB_PLAN_kprobe)
#define NB_PLAN_FUNCTIONS
#endif
/* Does an accept by io_uring come through io_uring's own hook? */
#if defined(NB_URING) && !defined(NB_PLAN_FUNCTIONS)
#define BY_URING 1
#else
#define BY_URING 0
#endif

/* enum in net/tcp_states.h and linux/net.h: user-visible, so constant. */
#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT 2
#define STATE_SYN_RECV 3
#define STATE_CLOSE 7
#define STATE_LISTEN 10
#define SS_UNCONNECTED 1
#define SIN6_LEN_MIN 24 /* SIN6_LEN_RFC2133, net/ipv6.h */
#define E2BIG 7
#define EINPROGRESS 115

/* A connection under way, or open and to be reported when it ends. */
struct conn {
	u64 start_ns;
	u64 end_ns;
	u32 pid;
	u32 tid;
	u32 uid;
	u32 direction; /* enum conn_direction; 0: passive, not accepted yet */
	u32 state;     /* the bits below */
	u16 sport;     /* once open: whose entry this is, */
	u16 dport;     /* should the end of an earlier socket go unseen */
	char comm[16];
};

/*
 * A connection may be reset on one CPU while another accepts it. Each sets its
 * bit and then looks for the other's; who sees both and removes the entry
 * reports the end.
 */
#define CONN_IS_OPEN 1 /* reported, and its end is to be reported */
#define CONN_IS_CLOSED 2

/* A connect system call under way, to learn why it failed at once. */
struct call {
	struct sock *sk;
	u64 start_ns;
	u64 addr;     /* the caller's struct sockaddr, */
	u32 addr_len; /* and its size in bytes */
	u32 started;  /* it got as far as SYN_SENT, */
	u32 failed;   /* and back without an error on the socket */
	u32 pad;
};

BPF_ARRAY(config, struct conn_config, 1);
BPF_HASH(conns, struct sock *, struct conn, 16384);
BPF_HASH(calls, u64, struct call, 16384);
#if BY_URING
/*
 * Passive connections whose accept nobody has seen: has somebody accepted them
 * all the same?
 */
BPF_HASH(waiting, struct sock *, u32, 16384);
#endif
BPF_HASH(lports, u16, u8, 1024);
BPF_HASH(rports, u16, u8, 1024);

static inline struct conn_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

static inline int ports_wanted(const struct conn_config *c, u16 local,
			       u16 remote)
{
	if (c->flags & CONN_ONLY_LPORT && !lports.lookup(&local))
		return 0;
	if (c->flags & CONN_ONLY_RPORT && !rports.lookup(&remote))
		return 0;
	return 1;
}

static inline void set_task(struct conn *n)
{
	u64 id = bpf_get_current_pid_tgid();

	n->pid = id >> 32;
	n->tid = (u32)id;
	n->uid = (u32)bpf_get_current_uid_gid();
	nb_task_comm(n->comm);
}

/* What a record of @n says; what is measured by the way it ends is added. */
static inline void event_init(struct conn_event *e, u8 kind, struct sock *sk,
			      const struct nb_tuple *t, const struct conn *n)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->time_ns = bpf_ktime_get_ns();
	e->latency_ns = CONN_NONE;
	e->duration_ns = CONN_NONE;
	e->rx_bytes = CONN_NONE;
	e->tx_bytes = CONN_NONE;
	__builtin_memcpy(e->saddr, t->saddr, sizeof(e->saddr));
	__builtin_memcpy(e->daddr, t->daddr, sizeof(e->daddr));
	e->sport = t->sport;
	e->dport = t->dport;
	e->ip = t->ip;
	e->netns = nb_sk_netns(sk);
	e->pid = n->pid;
	e->tid = n->tid;
	e->uid = n->uid;
	e->direction = n->direction;
	__builtin_memcpy(e->comm, n->comm, sizeof(e->comm));
}

/* An entry that could not be made is one of these two. */
static inline void count_update(int err)
{
	if (err)
		nb_count(err == -E2BIG ? NB_COUNT_FULL : NB_COUNT_MISSED);
}

static inline void remember(struct sock *sk, struct conn *n)
{
	count_update(conns.update(&sk, n));
}

#ifdef NB_WITH_failed
/*
 * Is the current thread in connect() on @sk? Then note how far that has got:
 * as far as SYN_SENT, or back with no error on the socket.
 */
static inline int in_call(struct sock *sk, int failed)
{
	u64 id = bpf_get_current_pid_tgid();
	struct call *call = calls.lookup(&id);

	if (!call)
		return 0;
	if (call->sk != sk)
		return 0;
	if (failed)
		call->failed = 1;
	else
		call->started = 1;
	return 1;
}
#else
#define in_call(sk, failed) 0
#endif

/* CLOSE -> SYN_SENT: the process is in connect() or its like. */
static inline void connect_begins(const struct conn_config *c, struct sock *sk)
{
	struct conn n = {};
	u16 rport;

	if (!(c->flags & CONN_WANT_CONNECT) ||
	    nb_sk_protocol(sk) != NB_IPPROTO_TCP)
		return;
	/* Before any filter: the address may have been rewritten on the way. */
	(void)in_call(sk, 0);
	if (!nb_task_wanted(&c->filter) || !nb_netns_wanted(&c->filter, sk) ||
	    !nb_ip_wanted(&c->filter, nb_sk_ip(sk)))
		return;
	rport = bpf_ntohs(NB_GET(sk, __sk_common.skc_dport));
	if (c->flags & CONN_ONLY_RPORT && !rports.lookup(&rport))
		return;
	n.start_ns = bpf_ktime_get_ns();
	n.direction = CONN_CONNECT;
	set_task(&n);
	remember(sk, &n);
}

/* A passive connection is on its way into the accept queue. */
static inline void queue_begins(const struct conn_config *c, struct sock *sk)
{
	int told = c->flags & (CONN_WANT_LATENCY | CONN_WANT_LIFE);
	struct conn n = {};

	if (!(c->flags & CONN_WANT_ACCEPT) || (!told && !BY_URING) ||
	    nb_sk_protocol(sk) != NB_IPPROTO_TCP ||
	    !nb_netns_wanted(&c->filter, sk))
		return;
#if BY_URING
	u32 no = 0;

	if (waiting.update(&sk, &no))
		nb_count(NB_COUNT_MISSED);
#endif
	n.start_ns = bpf_ktime_get_ns();
	if (told)
		remember(sk, &n);
}

/*
 * Bytes of data each way. The kernel's counts take a FIN for a byte, and
 * bytes_sent takes each retransmission anew.
 */
static inline void set_bytes(struct sock *sk, struct conn_event *e)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	unsigned long flags = NB_GET(sk, __sk_common.skc_flags);
	u64 sent, again;

	if (nb_sk_protocol(sk) != NB_IPPROTO_TCP)
		return;
	e->rx_bytes = NB_GET(tp, bytes_received);
	if (flags & (1UL << NB_SOCK_DONE) && e->rx_bytes)
		e->rx_bytes--;
#if defined(NB_OFFSET_tcp_sock_bytes_sent) || defined(NB_TYPES_HEADERS)
	sent = NB_GET(tp, bytes_sent);
	again = NB_GET(tp, bytes_retrans); /* also what then failed to go */
	if (again <= sent)
		e->tx_bytes = sent - again;
#endif
}

/* Add what the end of @n tells to its record. */
static inline void event_close(struct conn_event *e, struct sock *sk,
			       const struct conn *n)
{
	e->kind = CONN_CLOSE;
	e->time_ns = n->end_ns;
	e->latency_ns = CONN_NONE;
	e->duration_ns = n->end_ns - n->start_ns;
	set_bytes(sk, e);
}

/* Remove the entry of @sk. Of two that try, one succeeds: 1. */
static inline int forget(struct sock *sk)
{
	return !conns.delete(&sk);
}

/*
 * The socket of entry @n is established, or closed: the kind of record that
 * makes, or -1. *@copy is the entry, removed already if it has ended.
 */
static inline int state_tells(const struct conn_config *c, struct sock *sk,
			      struct conn *n, int old, int new,
			      struct conn *copy)
{
	u64 now = bpf_ktime_get_ns();
	int pending =
		n->direction == CONN_CONNECT && !(n->state & CONN_IS_OPEN);

	if (new == STATE_ESTABLISHED) {
		if (!n->direction)
			n->start_ns = now;
		*copy = *n;
		return pending ? CONN_OPEN : -1;
	}
	if (pending) {
		*copy = *n;
		if (!forget(sk))
			return -1;
		if (old != STATE_SYN_SENT && old != STATE_SYN_RECV) {
			/* That it was established went unseen. */
			nb_count(NB_COUNT_MISSED);
			return -1;
		}
		if (!(c->flags & CONN_WANT_FAILED))
			return -1;
		/* Given up inside connect(), whose return value says why? */
		if (!NB_GET(sk, sk_err) && in_call(sk, 1))
			return -1;
		return CONN_FAILED;
	}
	if (n->state & CONN_IS_CLOSED)
		return -1; /* the other program's turn */
	n->end_ns = now;
	__sync_fetch_and_add(&n->state, CONN_IS_CLOSED);
	if (!(n->state & CONN_IS_OPEN))
		return -1; /* accept() or the socket's end will see to it */
	*copy = *n;
	return forget(sk) ? CONN_CLOSE : -1;
}

/* Established, or on its way from there to CLOSE. */
static inline int was_open(int state)
{
	return state == STATE_ESTABLISHED ||
	       (state > STATE_SYN_RECV && state < STATE_LISTEN &&
		state != STATE_CLOSE);
}

/*
 * A connection in the queue moves on: has it been accepted by then? If that
 * went unseen, it is counted when the socket goes.
 */
static inline void note_taken(struct sock *sk)
{
#if BY_URING
	u32 *taken = waiting.lookup(&sk);

	if (!taken)
		return;
	/* Of MPTCP another socket is accepted than that of the connection. */
	if (nb_sk_is_mptcp(sk))
		waiting.delete(&sk);
	else if (NB_GET(sk, sk_socket))
		*taken = 1;
#endif
}

/* Its accept is seen, or its end. Was it taken by then, and nobody saw? */
static inline int forget_waiting(struct sock *sk)
{
#if BY_URING
	u32 *taken = waiting.lookup(&sk), yes;

	if (!taken)
		return 0;
	yes = *taken;
	return !waiting.delete(&sk) && yes;
#else
	return 0;
#endif
}

/* It ends, accepted unseen; by whom, and so whether it was wanted, is unknown.
 */
static inline void count_taken(const struct conn_config *c, struct sock *sk)
{
	struct nb_tuple t = {};

	if (!forget_waiting(sk) || !(c->flags & CONN_WANT_ACCEPT) ||
	    c->filter.flags & NB_ONLY_TASKS)
		return;
	nb_sk_tuple(sk, &t);
	if (nb_ip_wanted(&c->filter, t.ip) && ports_wanted(c, t.sport, t.dport))
		nb_count(NB_COUNT_MISSED);
}

static inline void on_state(void *ctx, struct sock *sk, int old, int new)
{
	struct conn_config *c = get_config();
	struct nb_tuple t = {};
	struct conn_event e;
	struct conn *n, copy;
	int kind;

	if (!c || !(c->flags & CONN_LIVE))
		return;
	if (old == STATE_CLOSE && new == STATE_SYN_SENT)
		return connect_begins(c, sk);
	if (old == STATE_LISTEN && new == STATE_SYN_RECV)
		return queue_begins(c, sk);
	if (BY_URING && (was_open(old) || new == STATE_ESTABLISHED))
		note_taken(sk);
	if (new != STATE_ESTABLISHED &&new != STATE_CLOSE)
		return;
	n = conns.lookup(&sk);
	if (!n)
		return;
	kind = state_tells(c, sk, n, old, new, &copy);
	if (kind < 0)
		return;

	nb_sk_tuple(sk, &t);
	if (!ports_wanted(c, t.sport, t.dport)) {
		forget(sk);
		return;
	}
	event_init(&e, kind, sk, &t, &copy);
	if (kind == CONN_CLOSE) {
		if (t.sport != copy.sport || t.dport != copy.dport) {
			nb_count(NB_COUNT_MISSED);
			return;
		}
		event_close(&e, sk, &copy);
	} else {
		if (c->flags & CONN_WANT_LATENCY)
			e.latency_ns = e.time_ns - copy.start_ns;
		if (kind == CONN_FAILED)
			e.error = NB_GET(sk, sk_err);
	}
	if (kind == CONN_OPEN && c->flags & CONN_WANT_LIFE) {
		n->start_ns = e.time_ns;
		n->sport = t.sport;
		n->dport = t.dport;
		n->state = CONN_IS_OPEN;
	} else if (kind == CONN_OPEN) {
		forget(sk);
	}
	nb_submit(ctx, &e, sizeof(e));
}

/*
 * The kernel does not run a program inside itself (bpf_trace_run() in
 * kernel/trace/bpf_trace.c), and a process that changes a socket's state may be
 * interrupted by a softirq that changes others'. So conn_state is attached
 * twice: the event inside one is served by the other, and what the first has
 * done the second finds done. The start of a connect, never in a softirq, has a
 * program of its own.
 */
int conn_begin(struct bpf_raw_tracepoint_args *ctx)
{
	struct conn_config *c;

	if (ctx->args[1] != STATE_CLOSE || ctx->args[2] != STATE_SYN_SENT)
		return 0;
	c = get_config();
	if (c && c->flags & CONN_LIVE)
		connect_begins(c, (struct sock *)ctx->args[0]);
	return 0;
}

int conn_state(struct bpf_raw_tracepoint_args *ctx)
{
	u32 old = ctx->args[1], new = ctx->args[2];

	if (new == STATE_ESTABLISHED || new == STATE_CLOSE ||
	    (old == STATE_LISTEN && new == STATE_SYN_RECV) ||
	    (BY_URING && was_open(old)))
		on_state(ctx, (struct sock *)ctx->args[0], old, new);
	return 0;
}

/*
 * The socket goes: what is still known of it is of no more use. Attached twice,
 * too.
 */
int conn_destroy(struct bpf_raw_tracepoint_args *ctx)
{
	struct sock *sk = (struct sock *)ctx->args[0];
	struct conn_config *c = get_config();
	struct conn *n, copy;
	struct nb_tuple t = {};
	struct conn_event e;

	if (!c || !(c->flags & CONN_LIVE))
		return 0;
	count_taken(c, sk);
	n = conns.lookup(&sk);
	if (!n)
		return 0;
	copy = *n;
	if (!forget(sk) || !copy.direction)
		return 0;
	nb_sk_tuple(sk, &t);
	if (!(copy.state & CONN_IS_OPEN) || t.sport != copy.sport ||
	    t.dport != copy.dport) {
		nb_count(NB_COUNT_MISSED);
		return 0;
	}
	event_init(&e, CONN_CLOSE, sk, &t, &copy);
	if (copy.end_ns) {
		event_close(&e, sk, &copy);
	} else {
		/* Its close went unseen: when that was is not known. */
		set_bytes(sk, &e);
	}
	nb_submit(ctx, &e, sizeof(e));
	return 0;
}

/*
 * Have the end of the connection reported that has just been accepted, or do
 * it now, when it has ended in the accept queue.
 */
static inline void life_begins(void *ctx, struct sock *sk, struct conn *queued,
			       struct conn *n, struct conn_event *e)
{
	if (queued) {
		queued->pid = n->pid;
		queued->tid = n->tid;
		queued->uid = n->uid;
		queued->direction = n->direction;
		queued->sport = n->sport;
		queued->dport = n->dport;
		__builtin_memcpy(queued->comm, n->comm, sizeof(n->comm));
		__sync_fetch_and_add(&queued->state, CONN_IS_OPEN);
		if (!(queued->state & CONN_IS_CLOSED))
			return;
		n->end_ns = queued->end_ns;
	} else {
		n->state = CONN_IS_OPEN;
		remember(sk, n);
		if (NB_GET(sk, __sk_common.skc_state) != STATE_CLOSE)
			return;
		n->end_ns = e->time_ns;
	}
	if (!forget(sk))
		return;
	event_close(e, sk, n);
	nb_submit(ctx, e, sizeof(*e));
}

/* The process has accepted @sk. */
static inline void on_accept(void *ctx, const struct conn_config *c,
			     struct sock *sk)
{
	struct conn n = {}, *queued;
	struct nb_tuple t = {};
	struct conn_event e;
	u32 protocol = nb_sk_protocol(sk);

	if (protocol != NB_IPPROTO_TCP && protocol != NB_IPPROTO_MPTCP)
		return;
	(void)forget_waiting(sk);
	queued = conns.lookup(&sk);
	if (queued && queued->direction) {
		/* Left by an earlier socket, whose end went unseen. */
		forget(sk);
		queued = 0;
	}
	nb_sk_tuple(sk, &t);
	if (!nb_task_wanted(&c->filter) || !nb_ip_wanted(&c->filter, t.ip) ||
	    !nb_netns_wanted(&c->filter, sk) ||
	    !ports_wanted(c, t.sport, t.dport)) {
		if (queued)
			forget(sk);
		return;
	}

	set_task(&n);
	n.direction = CONN_ACCEPT;
	n.sport = t.sport;
	n.dport = t.dport;
	event_init(&e, CONN_OPEN, sk, &t, &n);
	n.start_ns = e.time_ns;
	/* By TCP fast open it may be taken from the queue, by another
	 * processor, in the moment when it gets there. */
	if (queued && queued->start_ns < e.time_ns)
		n.start_ns = queued->start_ns;
	if (queued && c->flags & CONN_WANT_LATENCY)
		e.latency_ns = e.time_ns - n.start_ns;
	nb_submit(ctx, &e, sizeof(e));
	if (c->flags & CONN_WANT_LIFE)
		life_begins(ctx, sk, queued, &n, &e);
	else if (queued)
		forget(sk);
}

/* accept() or accept4() has returned the descriptor @fd, or an error. */
static inline void on_accept_exit(void *ctx, long fd)
{
	struct conn_config *c = get_config();
	struct sock *sk;

	if (!c || !(c->flags & CONN_WANT_ACCEPT) || fd < 0)
		return;
	sk = nb_task_sock(fd);
	if (sk)
		on_accept(ctx, c, sk);
	else if (!BY_URING && nb_task_wanted(&c->filter))
		/* Another thread has closed or replaced it already. */
		nb_count(NB_COUNT_MISSED);
}

#if BY_URING
/*
 * io_uring has a result. One of many (multishot) does not say of what: it is an
 * accept when it is the descriptor of a connection that nobody has accepted.
 */
int conn_uring(struct bpf_raw_tracepoint_args *ctx)
{
	struct conn_config *c;
	struct nb_uring u;
	struct sock *sk;

	nb_uring_result(ctx, &u);
	if (u.res < 0 || (u.opcode >= 0 && u.opcode != NB_URING_OP_ACCEPT))
		return 0;
	c = get_config();
	if (!c || !(c->flags & CONN_WANT_ACCEPT))
		return 0;
	if (u.slot)
		return 0; /* no descriptor; conn_destroy() counts it */
	sk = nb_task_sock(u.res);
	if (!sk)
		return 0;
	if (u.opcode >= 0 || waiting.lookup(&sk))
		on_accept(ctx, c, sk);
	return 0;
}
#endif

#ifdef NB_WITH_failed
/* connect() is called, on a socket that has no connection under way. */
static inline void on_connect_enter(struct sock *sk, u64 addr, u32 addr_len)
{
	struct conn_config *c = get_config();
	u64 id = bpf_get_current_pid_tgid();
	struct call call = {};

	if (!c || !(c->flags & CONN_WANT_CONNECT) ||
	    !nb_task_wanted(&c->filter))
		return;
	call.sk = sk;
	if (!call.sk || nb_sk_protocol(call.sk) != NB_IPPROTO_TCP ||
	    NB_GET(NB_GET(call.sk, sk_socket), state) != SS_UNCONNECTED)
		return;
	call.addr = addr;
	call.addr_len = addr_len;
	call.start_ns = bpf_ktime_get_ns();
	count_update(calls.update(&id, &call));
}

/* With functions, what connect() was given is the kernel's copy. */
#ifdef NB_PLAN_FUNCTIONS
#define READ_ADDR bpf_probe_read_kernel
#else
#define READ_ADDR bpf_probe_read_user
#endif

/* The address that connect() was given; 0 when it is none of IP. */
static inline int read_peer(u64 addr, u32 len, struct nb_tuple *t)
{
	struct sockaddr_in6 sa = {};
	struct sockaddr_in *in = (struct sockaddr_in *)&sa;
	u32 *a = (u32 *)&sa.sin6_addr;

	t->ip = 0;
	if (len < sizeof(*in))
		return 0;
	READ_ADDR(&sa, sizeof(*in), (void *)addr);
	if (sa.sin6_family == NB_AF_INET) {
		t->ip = 4;
		__builtin_memcpy(t->daddr, &in->sin_addr, 4);
	} else if (sa.sin6_family == NB_AF_INET6 && len >= SIN6_LEN_MIN) {
		READ_ADDR(&sa, sizeof(sa), (void *)addr);
		if (!a[0] && !a[1] && a[2] == bpf_htonl(0xffff)) {
			t->ip = 4;
			__builtin_memcpy(t->daddr, &a[3], 4);
		} else {
			t->ip = 6;
			__builtin_memcpy(t->daddr, a, 16);
		}
	}
	t->dport = bpf_ntohs(sa.sin6_port);
	return t->ip;
}

/* connect() returns: report what failed before any handshake. */
static inline void on_connect_exit(void *ctx, long ret)
{
	struct conn_config *c = get_config();
	u64 id = bpf_get_current_pid_tgid();
	struct nb_tuple t = {};
	struct call call = {}, *found;
	struct conn n = {};
	struct conn_event e;
	u8 own_ip;

	found = calls.lookup(&id);
	if (!found)
		return;
	call = *found;
	calls.delete(&id);
	if (!c || ret >= 0 || ret == -EINPROGRESS ||
	    (call.started && !call.failed))
		return;
	nb_sk_tuple(call.sk, &t);
	own_ip = t.ip;
	if (!read_peer(call.addr, call.addr_len, &t) ||
	    !nb_ip_wanted(&c->filter, t.ip) ||
	    !nb_netns_wanted(&c->filter, call.sk) ||
	    !ports_wanted(c, t.sport, t.dport))
		return;
	if (t.ip != own_ip)
		__builtin_memset(t.saddr, 0, sizeof(t.saddr));
	set_task(&n);
	n.direction = CONN_CONNECT;
	event_init(&e, CONN_FAILED, call.sk, &t, &n);
	e.error = (int)-ret;
	if (c->flags & CONN_WANT_LATENCY)
		e.latency_ns = e.time_ns - call.start_ns;
	nb_submit(ctx, &e, sizeof(e));
}
#endif

#ifdef NB_PLAN_FUNCTIONS
/* However it is accepted (accept(), io_uring, the 32-bit ABI, the kernel). */
int conn_graft(NB_FUNC_CTX *ctx)
{
	struct conn_config *c = get_config();

	if (c && c->flags & CONN_WANT_ACCEPT)
		on_accept(ctx, c, NB_FUNC_ARG(ctx, 1));
	return 0;
}

#ifdef NB_WITH_failed
/* security_socket_connect(sock, address, addrlen) */
int conn_connect_enter(NB_FUNC_CTX *ctx)
{
	struct socket *sock = NB_FUNC_ARG(ctx, 1);

	on_connect_enter(NB_GET(sock, sk), (u64)NB_FUNC_ARG(ctx, 2),
			 (u64)NB_FUNC_ARG(ctx, 3));
	return 0;
}

/* Denied; or inet_stream_connect() is next. */
int conn_connect_denied(NB_FUNC_CTX *ctx)
{
	long ret = (int)NB_FUNC_RET(ctx, security_socket_connect);

	if (ret)
		on_connect_exit(ctx, ret);
	return 0;
}

int conn_connect_exit(NB_FUNC_CTX *ctx)
{
	on_connect_exit(ctx, (int)NB_FUNC_RET(ctx, inet_stream_connect));
	return 0;
}
#endif
#elif defined(NB_PLAN_raw)
/* One hook each for all system calls: dearer, but needs no tracefs. */
int conn_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	long ret = ctx->args[1];
	u32 nr = NB_SYSCALL_NR(regs);

	if ((nr == NB_NR_accept || nr == NB_NR_accept4) && !nb_task_compat())
		on_accept_exit(ctx, ret);
	return 0;
}

#ifdef NB_WITH_failed
int conn_sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];

	if (ctx->args[1] == NB_NR_connect && !nb_task_compat())
		on_connect_enter(nb_task_sock(NB_SYSCALL_ARG1(regs)),
				 NB_SYSCALL_ARG2(regs), NB_SYSCALL_ARG3(regs));
	return 0;
}

int conn_sys_exit_failed(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];

	if (NB_SYSCALL_NR(regs) == NB_NR_connect && !nb_task_compat())
		on_connect_exit(ctx, ctx->args[1]);
	return 0;
}
#endif
#else
int conn_accept(struct nb_sys_exit *ctx)
{
	on_accept_exit(ctx, ctx->ret);
	return 0;
}

#ifdef NB_WITH_failed
int conn_connect_enter(struct nb_sys_enter *ctx)
{
	on_connect_enter(nb_task_sock(ctx->args[0]), ctx->args[1],
			 ctx->args[2]);
	return 0;
}

int conn_connect_exit(struct nb_sys_exit *ctx)
{
	on_connect_exit(ctx, ctx->ret);
	return 0;
}
#endif
#endif
