/* SPDX-License-Identifier: GPL-2.0 */
/* What is known of a socket whose packets go out: its process, and its calls.
 */
#ifndef NB_BPF_SOCKET_H
#define NB_BPF_SOCKET_H

#define SYN_RECV 3 /* TCP_*, net/tcp_states.h */
#define TIME_WAIT 6
#define NEW_SYN_RECV 12
#define SOCKETS 4096
#define CALLS 32 /* a power of two */

/* Who has used it last. */
struct owner {
	u32 pid;
	u32 hash; /* whose this is, should the socket's end go unseen */
	char comm[16];
};

/* What an application has sent in one call. */
struct call {
	u64 at;	   /* when it began, CLOCK_MONOTONIC */
	u32 begin; /* sequence numbers */
	u32 end;
};

/* A socket's last calls. */
struct calls {
	u32 n; /* goes on for ever */
	u32 hash;
	u32 under_way; /* the last one, as far as its end is known */
	u32 pad;
	struct call call[CALLS];
};

BPF_TABLE("lru_hash", u64, struct owner, owners, SOCKETS);
BPF_TABLE("lru_hash", u64, struct calls, calls, SOCKETS);
BPF_ARRAY(no_calls, struct calls, 1); /* for new ones: nothing */

static inline u32 hash_of(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_hash);
}

/*
 * A request for a connection, and one that only waits for its time to pass,
 * have little more of a socket than its addresses.
 */
static inline int is_full(struct sock *sk)
{
	u8 state = FIELD(sk, __sk_common.skc_state);

	return state != TIME_WAIT && state != NEW_SYN_RECV;
}

/*
 * The kernel's own answers (RST) and raw packets are sent by sockets without a
 * connection, which are none of TCP's.
 */
static inline int is_tcp_sock(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_dport) != 0;
}

/*
 * Local and remote end: of the socket; of a packet without one, or of another
 * protocol's, as @wire has it. A request for a connection, of IPv4 to a socket
 * for both, has IPv4's addresses, and a family that is not its own.
 */
static inline void read_tuple(struct sock *sk, const struct nb_tuple *wire,
			      struct nb_tuple *t)
{
	sock_tuple(sk, t);
	if (is_tcp_sock(sk) && !is_full(sk)) {
		t->sport = FIELD(sk, __sk_common.skc_num);
		if (t->ip == 6 && wire->ip == 4) {
			*t = (struct nb_tuple){ .ip = 4,
						.sport = t->sport,
						.dport = t->dport };
			bpf_probe_read_kernel(t->saddr, 4,
					      &sk->__sk_common.skc_rcv_saddr);
			bpf_probe_read_kernel(t->daddr, 4,
					      &sk->__sk_common.skc_daddr);
		}
	}
	if (!is_tcp_sock(sk) || t->ip != wire->ip)
		*t = *wire;
}

/*
 * A process holds the lock of a socket that it works with (sk_lock.owned,
 * net/core/sock.c): then it is the one who sends. What the kernel sends for it
 * otherwise, in a softirq, comes in the middle of any process.
 */
static inline void note_owner(struct sock *sk, u64 key)
{
	struct owner now = {}, *o;

	if (!is_tcp_sock(sk) || !is_full(sk) || !FIELD(sk, sk_lock.owned))
		return;
	now.pid = bpf_get_current_pid_tgid() >> 32;
	now.hash = hash_of(sk);
	o = owners.lookup(&key);
	if (o && o->pid == now.pid && o->hash == now.hash)
		return;
	nb_task_process_comm(now.comm);
	owners.update(&key, &now);
}

/*
 * Does anybody hold the socket's lock, a process or, with the spinlock that is
 * its first part, a softirq?
 */
static inline int is_locked(struct sock *sk)
{
	u32 spinlock = 0;

	bpf_probe_read_kernel(
		&spinlock, sizeof(spinlock),
		(void *)(address_of(sk) +
			 __builtin_offsetof(struct sock, sk_lock)));
	return spinlock || FIELD(sk, sk_lock.owned);
}

static inline struct owner *owner_of(struct sock *sk, u64 key)
{
	struct owner *o = owners.lookup(&key);

	if (!o || o->hash != hash_of(sk))
		return 0;
	return o;
}

static inline u32 read_write_seq(struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return NB_GET(tp, write_seq);
}

/* The calls that have sent at @sk, which has this @hash. */
static inline struct calls *calls_of(u64 key, u32 hash)
{
	struct calls *none, *all = calls.lookup(&key);
	int zero = 0;

	if (!all) {
		none = no_calls.lookup(&zero);
		if (!none)
			return 0;
		calls.update(&key, none);
		all = calls.lookup(&key);
	}
	if (!all || all->hash == hash)
		return all;
	/* Another connection had the address. */
	all->hash = hash;
	all->n = 0;
	all->under_way = 0;
	return all;
}

static inline void add_call(struct calls *all, u64 at, u32 begin, u32 end)
{
	u32 last = (all->n - 1) & (CALLS - 1);
	struct call *call;

	/* One that could send nothing is forgotten. */
	if (all->n && all->call[last].begin == begin)
		all->n--;
	call = &all->call[all->n++ & (CALLS - 1)];
	call->at = at;
	call->begin = begin;
	call->end = end;
}

/* When the call was that has sent @seq; 0: it is not known. */
static inline u64 called_at(struct sock *sk, u64 key, u32 seq)
{
	struct calls *all = calls.lookup(&key);
	u32 at;

	if (!all || all->hash != hash_of(sk))
		return 0;
	at = all->n;
	for (int i = 0; i < CALLS; i++) {
		struct call *call = &all->call[--at & (CALLS - 1)];

		if (at >= all->n)
			return 0;
		if ((s32)(seq - call->begin) >= 0)
			return (s32)(seq - call->end) < 0 ? call->at : 0;
	}
	return 0;
}

#endif
