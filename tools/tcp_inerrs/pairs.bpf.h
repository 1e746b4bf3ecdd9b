/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sockets of packets, where the kernel does not hand them over: from the
 * functions that get both.
 */
#ifndef NB_TCP_INERRS_PAIRS_H
#define NB_TCP_INERRS_PAIRS_H

#include "refine.bpf.h"

/* Does the kernel hand over the socket with the packet? Since 6.11. */
#if defined(NB_PLAN_raw) || \
	(defined(NB_TP_ARGS_kfree_skb) && NB_TP_ARGS_kfree_skb >= 4)
#define HAS_SOCK
#endif

/* A packet and its socket, on this CPU: of a softirq, and of a process. */
struct pair {
	u64 skb;
	u64 sk;
};
BPF_PERCPU_ARRAY(pairs, struct pair, 2);

/* @in_process: which is not interrupted by another one, but by a softirq. */
static inline void remember(struct sock *sk, struct sk_buff *skb,
			    int in_process)
{
	struct pair *p = pairs.lookup(&in_process);

	if (p) {
		p->skb = (u64)skb;
		p->sk = (u64)sk;
	}
}

#ifndef HAS_SOCK
/* Is it given up before the functions that remember() is for? */
static inline int is_before_functions(u32 reason, u32 left)
{
	/* Small packets are summed up first: CHECKSUM_BREAK, linux/skbuff.h. */
	if (reason == ERR_TCP_CSUM)
		return left <= 76;
	return is_early(reason) && reason != ERR_NOT_SPECIFIED &&
	       reason != ERR_SOCKET_FILTER && reason != ERR_SOCKET_BACKLOG &&
	       reason != ERR_TCP_LISTEN_OVERFLOW;
}

/* Is it a socket for these ports (2), or one that listens there (1)? */
static inline int is_for(struct sock *sk, const struct err_event *e)
{
	u16 local = NB_GET(sk, __sk_common.skc_num);
	u16 remote = bpf_ntohs(NB_GET(sk, __sk_common.skc_dport));

	/* Already given back, by a reset: that is a whole socket. */
	if (!local)
		local = bpf_ntohs(NB_GET((struct inet_sock *)sk, inet_sport));
	if (local != e->dport)
		return 0;
	return remote == e->sport ? 2 : !remote;
}

/*
 * The socket of the packet @skb, of which @e has the ports. What was remembered
 * may be of another packet that had the same place in memory. What makes room
 * for the packet that is looked at here (@other) is another one.
 */
static inline struct sock *sock_of(struct sk_buff *skb,
				   const struct err_event *e, int other)
{
	struct sock *listener = 0;

	for (int i = 0; i < 2; i++) {
		int at = i, fits;
		struct pair *p = pairs.lookup(&at);

		if (!p || !p->sk || (!other && p->skb != (u64)skb))
			continue;
		fits = is_for((struct sock *)p->sk, e);
		if (fits == 2)
			return (struct sock *)p->sk;
		if (fits && !other)
			listener = (struct sock *)p->sk;
	}
	return listener;
}

#endif

#endif
