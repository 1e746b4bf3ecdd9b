/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of sockets, a piece of what goes over one, and where programs
 * work on it.
 */
#ifndef NB_BPF_SOCKS_H
#define NB_BPF_SOCKS_H

#include "count.bpf.h"
#include "flow.bpf.h"
#include "piece.bpf.h"
#include "procs.bpf.h"
#include "tp.bpf.h"
#include "trace_http.h"

enum way {
	WAY_TX = 1,
	WAY_RX = 2,
};

/* The bit of http_sock.flags that says so. */
#define NOT_HTTP(way) ((way) << 2)
_Static_assert(NOT_HTTP(WAY_TX) == HTTP_NO_TX, "bits");
_Static_assert(NOT_HTTP(WAY_RX) == HTTP_NO_RX, "bits");

/* Where eBPF's stack is too small. In process context only. */
struct scratch {
	u64 id; /* for whom on_stack() has something to do; 0: nobody */
	u32 users;
	u32 pad2;
	u32 park; /* as of struct event */
	u8 tell;
	u8 over;
	u8 pad[2];
	struct http_record rec;
	struct flow_work flow;
	struct pipe made;
};

BPF_F_TABLE("hash", u64, struct http_sock, socks, 65536, BPF_F_NO_PREALLOC);
/* Of clients' requests, until they are answered. */
BPF_F_TABLE("hash", struct queue_key, struct http_stack, parked, 4096,
	    BPF_F_NO_PREALLOC);
BPF_PERCPU_ARRAY(blank, struct http_sock, 1);
#ifdef NB_PLAN_tls /* which no other program has in use */
BPF_PERCPU_ARRAY(tls_scratches, struct scratch, 1);
#else
BPF_PERCPU_ARRAY(scratches, struct scratch, 1);
#endif
/*
 * The newest samples of young calls, HTTP_YOUNG_CPU of each CPU's. The command
 * makes it as large as that takes.
 */
BPF_ARRAY(young, struct http_wait, HTTP_YOUNG_CPU);

/* A piece of what goes over a socket. */
struct event {
	void *ctx;
	struct http_config *c;
	struct sock *sk;
	struct http_sock *s;
	u64 id;	 /* bpf_get_current_pid_tgid() */
	u64 now; /* CLOCK_MONOTONIC, ns */
	u32 way;
	u32 park; /* the stack is to be kept for this call; 0: none */
	u8 tell;  /* the call is late, and user space is to have it */
	u8 over;  /* and the connection serves something else from now on */
	u8 next;  /* the piece may be of the next call */
	u8 asked; /* a request has begun, no other waits, and of its first */
	u8 more;  /* the scratch says what is left to do */
	u32 part; /* bytes so many came before the piece */
	struct piece p;
	u64 word[2]; /* its first bytes */
#ifdef NB_PLAN_tls
	struct tls_thread *t;
#endif
};

/*
 * Has the call taken as long as those that are to be seen? What was received
 * may be older than what another thread has sent since.
 */
static inline int is_late(const struct event *e)
{
	return (s64)(e->now - e->s->start_ns - e->c->min_ns) >= 0;
}

/* Where in the sequence of its bytes the next one that is sent will be. */
static inline u32 next_tx(struct sock *sk, const struct http_sock *s)
{
#ifdef NB_PLAN_tls
	return s->tx_end;
#elif defined(NB_TYPED) && defined(NB_CAST_FUNC)
	return NB_CAST(tcp_sock, sk)->write_seq;
#elif defined(NB_TYPED)
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? tp->write_seq : 0;
#else
	return NB_GET((struct tcp_sock *)sk, write_seq);
#endif
}

/* A key of its own, of which no verifier forgets the type. */
static inline struct http_sock *find_sock(struct sock *sk)
{
	u64 key = (u64)sk;

	return socks.lookup(&key);
}

static inline struct http_sock *new_sock(struct sock *sk)
{
	u64 key = (u64)sk;
	int zero = 0;
	struct http_sock *empty = blank.lookup(&zero);

	if (!empty)
		return 0;
	if (socks.insert(&key, empty))
		nb_count(NB_COUNT_FULL);
	return socks.lookup(&key);
}

static inline struct scratch *get_scratch(void)
{
	int zero = 0;

#ifdef NB_PLAN_tls
	return tls_scratches.lookup(&zero);
#else
	return scratches.lookup(&zero);
#endif
}

/*
 * Programs on functions can be interrupted by others of another thread, where
 * the kernel is preemptible and these are no kprobes': who comes first has the
 * processor's scratch. 1: the caller has, until unclaim().
 */
static inline int claim(void)
{
#if defined(NB_PLAN_tls) || defined(NB_FENTRY)
	struct scratch *sc = get_scratch();

	if (!sc)
		return 0;
	__sync_fetch_and_add(&sc->users, 1);
	if (*(volatile u32 *)&sc->users == 1)
		return 1;
	__sync_fetch_and_add(&sc->users, -1);
	nb_count(NB_COUNT_MISSED);
	return 0;
#else
	return 1;
#endif
}

static inline void unclaim(void)
{
#if defined(NB_PLAN_tls) || defined(NB_FENTRY)
	struct scratch *sc = get_scratch();

	if (sc)
		__sync_fetch_and_add(&sc->users, -1);
#endif
}

#endif
