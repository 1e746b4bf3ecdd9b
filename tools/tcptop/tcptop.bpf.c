// SPDX-License-Identifier: GPL-2.0
/*
 * tcptop's eBPF text. What is sent is what the send calls return. What is
 * received is how far a socket's copied_seq has moved: that takes in splice()
 * and zero-copy receives, which return through no receive call, and leaves out
 * MSG_PEEK. Where the two are not the same (TLS in the kernel, MPTCP,
 * sockmap), it is what the receive calls return.
 */
#pragma netbcc types sock inet_sock tcp_sock inet_connection_sock
#pragma netbcc types socket_alloc file net proto request_sock
#pragma netbcc types task_struct files_struct fdtable nsproxy mnt_namespace
#pragma netbcc types pt_regs
#pragma netbcc field sock sk_protocol
#pragma netbcc field bpf_mem_alloc cache
#pragma netbcc cast tcp_sock
#pragma netbcc tracepoint inet_sock_set_state
#pragma netbcc tracepoint sock_recv_length
#pragma netbcc tracepoint sock_send_length
#pragma netbcc tracepoint tcp_destroy_sock
#pragma netbcc tracepoint tcp_rcv_space_adjust
#pragma netbcc func bpf_iter_task_file
#pragma netbcc func inet_sendmsg
#pragma netbcc func inet6_sendmsg
#pragma netbcc func inet_sendpage
#pragma netbcc func inet_recvmsg
#pragma netbcc func inet6_recvmsg

#ifdef NB_TYPES_HEADERS
#include <linux/fdtable.h>
#include <linux/nsproxy.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/request_sock.h>
#include <net/sock.h>
#endif

#include "count.bpf.h"
#include "filter.bpf.h"
#include "func.bpf.h"
#include "kernel.bpf.h"
#include "rows.bpf.h"
#include "seen.bpf.h"
#include "sock.bpf.h"
#include "task.bpf.h"
#include "tcptop.h"
#include "tp.bpf.h"

/* enum in net/tcp_states.h, linux/socket.h: user-visible, so constant. */
#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT 2
#define STATE_SYN_RECV 3
#define STATE_FIN_WAIT1 4
#define STATE_FIN_WAIT2 5
#define STATE_LISTEN 10
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

/* Connections in the queue of a listener that are looked at. */
#define QUEUE 512

BPF_ARRAY(config, struct top_config, 1);

/* What an event asks of a socket. */
struct head {
	u32 hash;
	u16 family;
	u8 state;
	struct proto *proto;
};

/* Of any address, in one read. */
static inline void probe_head(struct head *h, struct sock *sk)
{
	struct sock_common c;

	bpf_probe_read_kernel(&c,
			      __builtin_offsetof(struct sock_common, skc_prot) +
				      sizeof(c.skc_prot),
			      &sk->__sk_common);
	h->hash = c.skc_hash;
	h->family = c.skc_family;
	h->state = c.skc_state;
	h->proto = c.skc_prot;
}

#ifdef NB_TYPED
static inline void read_head(struct head *h, struct sock *sk)
{
	h->hash = sk->__sk_common.skc_hash;
	h->family = sk->__sk_common.skc_family;
	h->state = sk->__sk_common.skc_state;
	h->proto = sk->__sk_common.skc_prot;
}

static inline u32 read_copied(struct sock *sk)
{
#ifdef NB_CAST_FUNC
	return NB_CAST(tcp_sock, sk)->copied_seq;
#else
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? tp->copied_seq : 0;
#endif
}

static inline int is_owned(struct sock *sk)
{
	return sk->sk_lock.owned;
}

static inline struct sock *sock_of(struct socket *sock)
{
	return sock->sk;
}
#else
#define read_head probe_head

static inline u32 read_copied(struct sock *sk)
{
	return NB_GET((struct tcp_sock *)sk, copied_seq);
}

static inline int is_owned(struct sock *sk)
{
	return NB_GET(sk, sk_lock.owned);
}

static inline struct sock *sock_of(struct socket *sock)
{
	return NB_GET(sock, sk);
}
#endif

static inline u32 protocol_of(const struct head *h, struct sock *sk)
{
	if (h->family != NB_AF_INET && h->family != NB_AF_INET6)
		return 0;
	return nb_sk_protocol(sk);
}

/*
 * Is it a TCP socket that is read by nothing but TCP's own functions? TLS,
 * MPTCP and sockmap put theirs in the place of recvmsg.
 */
static inline int is_plain(const struct top_config *c, const struct head *h,
			   struct sock *sk)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	const struct top_plain *plain = &c->plain[h->family == NB_AF_INET6];
	struct proto *proto = h->proto;

	if (plain->proto == (u64)proto)
		return 1;
	if (protocol_of(h, sk) != NB_IPPROTO_TCP)
		return 0;
	if (plain->recvmsg)
		return (u64)NB_GET(proto, recvmsg) == plain->recvmsg;
	return !NB_GET(icsk, icsk_ulp_ops);
}

static inline int is_tcp(const struct top_config *c, const struct head *h,
			 struct sock *sk)
{
	const struct top_plain *plain = &c->plain[h->family == NB_AF_INET6];
	u32 protocol;

	if (plain->proto == (u64)h->proto)
		return 1;
	protocol = protocol_of(h, sk);
	return protocol == NB_IPPROTO_TCP || protocol == NB_IPPROTO_MPTCP;
}

static inline struct top_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

/* An MPTCP socket is in no table of the kernel's, and so has no hash. */
static inline u32 hash_of(struct sock *sk, const struct head *h)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	struct in6_addr peer;
	u32 hash;

	if (h->hash)
		return h->hash;
	peer = NB_GET(sk, __sk_common.skc_v6_daddr);
	hash = NB_GET(sk, __sk_common.skc_portpair);
	hash = hash * 31 + NB_GET(inet, inet_sport);
	hash = hash * 31 + NB_GET(sk, __sk_common.skc_daddr);
	hash = hash * 31 + peer.in6_u.u6_addr32[0];
	hash = hash * 31 + peer.in6_u.u6_addr32[1];
	hash = hash * 31 + peer.in6_u.u6_addr32[2];
	return hash * 31 + peer.in6_u.u6_addr32[3];
}

/* @process: it is the current process that does it. */
static inline void add(const struct top_config *c, struct sock *sk,
		       const struct head *h, u64 rx, u64 tx, int process)
{
	struct top_key key = {};

	if (c->filter.flags & NB_ONLY_TASKS &&
	    (!process || !nb_task_wanted(&c->filter)))
		return;
	key.sk = (u64)sk;
	key.hash = hash_of(sk, h);
	key.pid = process ? bpf_get_current_pid_tgid() >> 32 : 0;
	count_bytes(c, sk, &key, rx, tx);
}

static inline void on_sent(struct sock *sk, long bytes)
{
	struct top_config *c = get_config();
	struct head h;

	if (bytes <= 0 || !c || !c->live)
		return;
	read_head(&h, sk);
	if (is_tcp(c, &h, sk))
		add(c, sk, &h, 0, bytes, 1);
}

/* A receive call has returned; of plain TCP see on_copied(). */
static inline void on_received(struct sock *sk, long bytes, u32 flags)
{
	struct top_config *c = get_config();
	struct head h;

	if (bytes <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE) || !c || !c->live)
		return;
	read_head(&h, sk);
	if (!is_plain(c, &h, sk) && is_tcp(c, &h, sk))
		add(c, sk, &h, bytes, 0, 1);
}

/* The next byte to be read, of which a FIN is none, though it counts as one. */
static inline u32 without_fin(struct sock *sk, const struct head *h, u32 copied)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	unsigned long flags;

	if (h->state == STATE_ESTABLISHED || h->state == STATE_FIN_WAIT1 ||
	    h->state == STATE_FIN_WAIT2)
		return copied; /* none has come */
	flags = NB_GET(sk, __sk_common.skc_flags);
	if (flags & (1UL << NB_SOCK_DONE) && copied == NB_GET(tp, rcv_nxt))
		copied--;
	return copied;
}

/* It was read, and by how much is unknown, but for the one that is so young. */
static inline u32 first_copied(const struct top_config *c, struct sock *sk,
			       const struct head *h, u32 copied)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	int err = see(sk, h->hash, copied);

	if (h->state == STATE_SYN_RECV) /* TCP fast open */
		return (u32)NB_GET(tp, bytes_received) -
		       (NB_GET(tp, rcv_nxt) - copied);
	if (!err && c->live && nb_netns_wanted(&c->filter, sk) &&
	    nb_task_wanted(&c->filter))
		nb_count(NB_COUNT_MISSED);
	return 0;
}

/*
 * Something may have been read, by any way. As with all that changes this,
 * the socket is locked.
 */
static inline void on_copied(struct sock *sk)
{
	struct top_config *c = get_config();
	struct head h;
	struct seen *s;
	u32 copied;
	s32 bytes;

	if (!c)
		return;
	read_head(&h, sk);
	if (!is_plain(c, &h, sk))
		return;
	copied = without_fin(sk, &h, read_copied(sk));
	s = find_seen(sk);
	if (s && s->hash == h.hash) {
		bytes = copied - s->copied_seq;
		s->copied_seq = copied;
	} else {
		bytes = first_copied(c, sk, &h, copied);
	}
	/*
	 * Who reads without holding the socket's lock is a softirq, for the
	 * kernel, in the middle of a process that has nothing to do with it.
	 */
	if (bytes > 0 && c->live)
		add(c, sk, &h, bytes, 0, is_owned(sk));
}

/* tcp_rcv_space_adjust(sk) */
int top_copied(NB_TP_CTX *ctx)
{
	on_copied((struct sock *)NB_TP_ARG(ctx, 1));
	return 0;
}

/*
 * inet_sock_set_state(sk, old, new): a connection is there, and nothing of it
 * has been read, unless it was by TCP fast open.
 */
int top_birth(NB_TP_CTX *ctx)
{
	struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
	struct head h;
	struct seen *s;

	if (NB_TP_ARG(ctx, 3) != STATE_ESTABLISHED)
		return 0;
	read_head(&h, sk);
	if (protocol_of(&h, sk) != NB_IPPROTO_TCP)
		return 0;
	s = find_seen(sk);
	if (s && NB_TP_ARG(ctx, 2) == STATE_SYN_RECV && s->hash == h.hash)
		return 0;
	see(sk, h.hash, read_copied(sk));
	return 0;
}

/* tcp_destroy_sock(sk) */
int top_end(NB_TP_CTX *ctx)
{
	forget_seen((struct sock *)NB_TP_ARG(ctx, 1));
	return 0;
}

static inline void seed(struct sock *sk, const struct head *h)
{
	if (protocol_of(h, sk) == NB_IPPROTO_TCP && h->state != STATE_LISTEN)
		see_first(
			sk, h->hash,
			without_fin(sk, h,
				    NB_GET((struct tcp_sock *)sk, copied_seq)));
}

/* What waits to be accepted is in no file. */
static inline void seed_queue(struct sock *listener)
{
	struct inet_connection_sock *icsk =
		(struct inet_connection_sock *)listener;
	struct request_sock *req =
		NB_GET(icsk, icsk_accept_queue.rskq_accept_head);
	struct head h;
	struct sock *sk;

	for (int i = 0; i < QUEUE && req; i++) {
		sk = NB_GET(req, sk);
		probe_head(&h, sk);
		seed(sk, &h);
		req = NB_GET(req, dl_next);
	}
}

/*
 * Each file of each task, once, at the start (meta, task, fd, file): how far
 * its socket has been read. Those of the command itself are to show what a
 * plain socket is.
 */
int top_seed(unsigned long long *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[1];
	struct file *file = (struct file *)ctx[3];
	struct top_config *c = get_config();
	struct top_plain *plain;
	struct socket *sock;
	struct sock *sk;
	struct head h;

	if (!file || !task || !c)
		return 0;
	sock = NB_GET(file, private_data);
	if (!sock || NB_GET(sock, file) != file)
		return 0;
	sk = NB_GET(sock, sk);
	probe_head(&h, sk);
	if (NB_GET(task, tgid) != bpf_get_current_pid_tgid() >> 32) {
		seed(sk, &h);
		if (h.state == STATE_LISTEN &&
		    protocol_of(&h, sk) == NB_IPPROTO_TCP)
			seed_queue(sk);
	} else if (protocol_of(&h, sk) == NB_IPPROTO_TCP) {
		plain = &c->plain[h.family == NB_AF_INET6];
		plain->proto = (u64)h.proto;
		plain->recvmsg = (u64)NB_GET(h.proto, recvmsg);
	}
	return 0;
}

#ifdef NB_PLAN_raw
/* sock_send_length(sk, ret, flags), sock_recv_length(sk, ret, flags) */
int top_sent(NB_TP_CTX *ctx)
{
	on_sent((struct sock *)NB_TP_ARG(ctx, 1), (int)NB_TP_ARG(ctx, 2));
	return 0;
}

int top_received(NB_TP_CTX *ctx)
{
	on_received((struct sock *)NB_TP_ARG(ctx, 1), (int)NB_TP_ARG(ctx, 2),
		    NB_TP_ARG(ctx, 3));
	return 0;
}
#elif defined(NB_FENTRY)
/* inet_sendmsg(sock, msg, size), inet_recvmsg(sock, msg, size, flags) */
int top_sent(NB_FUNC_CTX *ctx)
{
	struct socket *sock = NB_FUNC_ARG(ctx, 1);

	on_sent(sock_of(sock), (int)NB_FUNC_RET(ctx, inet_sendmsg));
	return 0;
}

int top_received(NB_FUNC_CTX *ctx)
{
	struct socket *sock = NB_FUNC_ARG(ctx, 1);

	on_received(sock_of(sock), (int)NB_FUNC_RET(ctx, inet_recvmsg),
		    (u64)NB_FUNC_ARG(ctx, 4));
	return 0;
}

/* Before 6.5; inet_sendpage(sock, page, offset, size, flags) */
#ifdef NB_ARGS_inet_sendpage
int top_sent_page(NB_FUNC_CTX *ctx)
{
	struct socket *sock = NB_FUNC_ARG(ctx, 1);
	struct sock *sk = sock_of(sock);

	/* Of MPTCP it calls inet_sendmsg(). */
	if (nb_sk_protocol(sk) == NB_IPPROTO_TCP)
		on_sent(sk, (int)NB_FUNC_RET(ctx, inet_sendpage));
	return 0;
}
#endif
#else
/*
 * At its return a function's arguments are forgotten. One call inside another
 * (MPTCP's inet_sendpage) takes its place, so that one of the two counts.
 */
struct call {
	struct sock *sk;
	u64 flags;
};
BPF_HASH(calls, u64, struct call, 16384);

static inline void on_enter(struct socket *sock, u64 flags)
{
	u64 id = bpf_get_current_pid_tgid();
	struct top_config *c = get_config();
	struct head h;
	struct call call = {};

	call.sk = NB_GET(sock, sk);
	call.flags = flags;
	read_head(&h, call.sk);
	if (!c || !is_tcp(c, &h, call.sk))
		calls.delete(&id); /* of one whose return went unseen */
	else if (calls.update(&id, &call))
		nb_count(NB_COUNT_MISSED);
}

/* The call that returns, into *@ret; 0: its beginning went unseen. */
static inline int end_call(struct call *ret)
{
	u64 id = bpf_get_current_pid_tgid();
	struct call *call = calls.lookup(&id);

	if (!call)
		return 0;
	*ret = *call;
	calls.delete(&id);
	return 1;
}

int top_send_enter(NB_FUNC_CTX *ctx)
{
	on_enter(NB_FUNC_ARG(ctx, 1), 0);
	return 0;
}

int top_sent(NB_FUNC_CTX *ctx)
{
	struct call call;

	if (!end_call(&call))
		return 0;
	on_sent(call.sk, (int)NB_FUNC_RET(ctx, inet_sendmsg));
	return 0;
}

int top_recv_enter(NB_FUNC_CTX *ctx)
{
	struct socket *sock = NB_FUNC_ARG(ctx, 1);
	struct sock *sk = NB_GET(sock, sk);
	struct top_config *c = get_config();
	struct head h;

	on_enter(sock, (u64)NB_FUNC_ARG(ctx, 4));
	read_head(&h, sk);
	/* Where there is no top_seed. */
	if (c && is_plain(c, &h, sk) && !find_seen(sk))
		see_first(sk, h.hash, without_fin(sk, &h, read_copied(sk)));
	return 0;
}

int top_received(NB_FUNC_CTX *ctx)
{
	struct call call;

	if (!end_call(&call))
		return 0;
	on_received(call.sk, (int)NB_FUNC_RET(ctx, inet_recvmsg), call.flags);
	return 0;
}
#endif
