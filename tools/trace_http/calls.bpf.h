/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls, by socket. What is sent is looked at before it is, with the socket
 * locked, so that no answer can be seen before its request.
 */
#ifndef NB_BPF_CALLS_H
#define NB_BPF_CALLS_H

#include "flow.bpf.h"
#include "kinds.bpf.h"
#include "loop.bpf.h"
#include "messages.bpf.h"
#include "news.bpf.h"
#include "socks.bpf.h"
#include "tell.bpf.h"
#include "trace_http.h"

#ifdef NB_MAY_LOOP
#define HAS_ROUND(i) nb_may_loop()
#else
#define HAS_ROUND(i) ((i) < HTTP_PREFIX / 7 + 1)
#endif

/*
 * Do the bytes of a request have the end of its head before their own? "\n\r"
 * is in it, and nowhere else: seven pairs at a time, all that end before the
 * last three.
 */
static inline u64 has_end(const u8 *text, u64 len)
{
	u64 found = 0, before, word, x, off, last = len - 10;
	u64 at = nb_forget(0);

#define LOOK(pos)                                             \
	off = (pos) & (HTTP_PREFIX - 1);                      \
	word = *(const u64 *)(text + off);                    \
	x = (word ^ EIGHT('\n')) | (word >> 8 ^ EIGHT('\r')); \
	found |= (x - EIGHT(1)) & ~x & EIGHT(0x80)
	if (len < 10)
		return 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; HAS_ROUND(i); i++) {
		/* Compared itself, the verifier would know it afterwards. */
		before = (at - last) >> 63;
		OPAQUE(before);
		if (!before)
			break;
		LOOK(at);
		at += 7;
	}
	LOOK(last);
#undef LOOK
	return nb_forget(found);
}

/* May there be another behind the request that the piece begins with? */
static inline int has_more(const struct event *e)
{
	u32 n = e->s->prefix_len;

	return e->p.all + e->part > n || has_end(e->s->prefix, n);
}

/*
 * There was more than one request at once. As soon as there is no more, its
 * pieces are like any other's.
 */
static inline int pipe_is_done(struct event *e)
{
	struct http_sock *s = e->s;
	u64 key = (u64)e->sk;
	struct pipe *p;

	if (s->no != s->last || s->phase != HTTP_RESPONSE ||
	    e->way != request_way(s))
		return 0;
	p = pipes.lookup(&key);
	if (p &&
	    (p->asked.state != FLOW_START || p->asked.tail ||
	     p->answered.state == FLOW_HEAD || p->answered.state == FLOW_BODY))
		return 0;
	pipes.delete(&key);
	s->piped = 0;
	return 1;
}

/* A piece goes over a socket that is no HTTP_NOT. */
static inline void on_piece(struct event *e)
{
	struct http_sock *s;

	e->park = 0;
	e->tell = 0;
	e->over = 0;
	e->next = 0;
	e->asked = 0;
	if (e->s && e->s->piped && !pipe_is_done(e)) {
		pipe_take(e, 0, 0);
		pipe_stack(e);
		return;
	}
	e->part = 0;
	if (!on_next_request(e))
		on_any_piece(e);
	s = e->s;
	if (!s)
		return;
	if (e->way == WAY_RX && !e->next)
		s->rx_bytes += e->p.all;
	if (e->park || e->tell || e->over)
		on_news(e);
	if (e->asked && has_more(e))
		pipe_take(e, 1, e->part);
#ifdef NB_PLAN_tls /* which has no sequence but this one */
	if (e->way == WAY_TX && !e->next)
#else
	if (e->way == WAY_TX && s->flags & HTTP_SLOW && !e->next)
#endif
		s->tx_end = next_tx(e->sk, s) + e->p.all;
}

/* All that is known of it is not, any more. */
static inline void forget_sock(const struct http_sock *s, u64 addr)
{
	struct queue_key key = {};

	key.sk = addr;
	if (s->piped)
		pipes.delete(&addr);
	if (s->role == HTTP_CLIENT)
		unpark_stack((struct sock *)addr, s->no, 0);
	for (int i = 0; i < QUEUE_MAX && s->no + i < s->last; i++) {
		key.no = s->no + 1 + i;
		queue.delete(&key);
		parked.delete(&key);
	}
	socks.delete(&addr);
}

/* The connection of libssl's is gone, or its socket @sk is. */
static inline void end_tls(void *ctx, u64 conn, u64 sk)
{
	struct http_sock *s = socks.lookup(&conn);

	if (!s || (sk && s->peer != sk))
		return;
	if (s->flags & HTTP_SLOW)
		tell_end(ctx, conn, s, HTTP_CLOSED, s->tx_end - s->tx_start);
	forget_sock(s, conn);
}

/* The socket is gone: so is all that is known of it. */
static inline void on_destroy(void *ctx, struct sock *sk)
{
	struct http_sock *s = find_sock(sk);

	if (!s)
		return;
	end_call(ctx, sk, s, HTTP_CLOSED);
	if (s->peer)
		end_tls(ctx, s->peer, (u64)sk);
	forget_sock(s, (u64)sk);
}

#endif
