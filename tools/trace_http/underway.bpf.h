/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A receive that was under way as the programs came: a server waits in it for
 * the next request. What is hooked at the return of tcp_recvmsg() is told only
 * of calls that it has seen begin. But in such a call tcp_cleanup_rbuf() comes
 * to know how much there is, once it is where the process wants it.
 */
#ifndef NB_BPF_UNDERWAY_H
#define NB_BPF_UNDERWAY_H

#include "calls.bpf.h"
#include "piece.bpf.h"
#include "sniff.bpf.h"

/* Where in the sequence of its bytes the next one that is received will be. */
static inline u32 next_rx(struct sock *sk)
{
#ifdef NB_TYPED
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? tp->copied_seq : 0;
#else
	return NB_GET((struct tcp_sock *)sk, copied_seq);
#endif
}

/*
 * Of a socket of which nothing is known: with a request, or what may become
 * one, it is from here on, and all else is left to who sees it return.
 */
static inline void on_under_way(struct event *e, u32 bytes)
{
	u32 len;
	int kind;

	piece_of_call(&e->p, bytes);
	e->p.ptr = nb_forget(e->p.ptr);
	e->p.len = nb_forget(e->p.len);
	e->p.at = nb_forget(e->p.at);
	e->p.n = nb_forget(e->p.n);
	len = nb_forget(look(e));
	if (!len)
		return;
	kind = nb_forget(sniff(nb_forget(e->word[0]), len));
	if (kind != SNIFF_REQUEST && kind != SNIFF_SHORT)
		return;
	e->s = new_sock(e->sk);
	if (!e->s)
		return;
	e->way = WAY_RX;
	e->now = bpf_ktime_get_ns();
	if (kind == SNIFF_REQUEST) {
		on_new_request(e, 0);
		if (has_more(e))
			pipe_take(e, 1, 0);
	} else {
		keep_part(e, len);
	}
	e->s->rx_bytes += bytes;
	e->s->rx_seen = next_rx(e->sk);
}

/* Was the beginning of these @bytes seen so? Then the rest is more of it. */
static inline int was_under_way(struct event *e, u32 bytes)
{
	u32 end = next_rx(e->sk), seen = e->s->rx_seen;

	e->s->rx_seen = 0;
	if ((s32)(end - bytes - seen) >= 0)
		return 0;
	e->s->rx_bytes += end - seen;
	return 1;
}

#endif
