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
#include "words.bpf.h"

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
	return found;
}

/* Is a head of @n bytes, fewer than HTTP_PREFIX, all of the request? */
static inline int is_all(const u8 *head, u64 n)
{
	u64 end = n - 4;

	/* Others have a body more often than not. */
	if (head[0] != 'G' && head[0] != 'H')
		return 0;
	OPAQUE(end);
	end &= HTTP_PREFIX - 1;
	return *(const u32 *)(head + end) ==
	       (u32)WORD('\r', '\n', '\r', '\n', 0, 0, 0, 0);
}

/*
 * May there be another behind the request that the piece begins with, or come
 * in one piece with what is left of it?
 */
static inline int has_more(const struct event *e)
{
	const u8 *head = e->s->prefix;
	u32 n = e->s->prefix_len;

	return NB_RARE(e->p.all + e->part > n) || NB_RARE(!is_all(head, n)) ||
	       NB_RARE(has_end(head, n));
}

/* The socket's pieces are like any other's from now on. */
static inline void pipe_drop(struct http_sock *s, u64 addr)
{
	pipes.delete(&addr);
	s->piped = 0;
}

/* Are no bytes under way that are not known to be a message's beginning? */
static inline int is_between(const struct flow *f)
{
	return f->state == FLOW_START && !f->tail;
}

/* Bytes that were to be sent in this direction, and that TCP did not take. */
static inline s32 untaken(struct event *e, const struct flow *f)
{
	return f->has_seq ? f->seq - next_tx(e->sk, e->s) : 0;
}

/*
 * A request that was alone has been received, and its answer has not begun. (Of
 * one that is sent, bytes may have to be sent again.)
 */
static inline void pipe_leave(struct event *e)
{
	struct http_sock *s = e->s;
	u64 addr = (u64)e->sk;
	struct pipe *p = pipes.lookup(&addr);

	if (p && e->way == WAY_RX && s->no == s->last &&
	    s->phase == HTTP_REQUEST && is_between(&p->asked) &&
	    is_between(&p->answered))
		pipe_drop(s, addr);
}

/*
 * The next request begins, and all before it have been answered: its pieces are
 * like any other's. What went unseen of a request (recv() may drop
 * it, splice() move it) does not hide the next one, behind the answer.
 */
static inline int pipe_is_done(struct event *e, const struct pipe *p)
{
	struct http_sock *s = e->s;
	u64 word[2] = {};
	u32 n;

	if (s->no != s->last || s->phase != HTTP_RESPONSE ||
	    e->way != request_way(s))
		return 0;
	if (p->answered.state == FLOW_HEAD || p->answered.state == FLOW_BODY)
		return 0;
	if (is_between(&p->asked) && !untaken(e, &p->asked))
		return 1;
	n = piece_head(&e->p, word, sizeof(word));
	return sniff(word[0], n) == SNIFF_REQUEST;
}

/* The answer begins to a request that was alone, all of which TCP has. */
static inline int pipe_is_answered(struct event *e, const struct pipe *p)
{
	struct http_sock *s = e->s;

	if (s->no != s->last || s->phase != HTTP_REQUEST ||
	    e->way == request_way(s))
		return 0;
	return is_between(&p->asked) && is_between(&p->answered) &&
	       untaken(e, &p->asked) <= 0; /* less where a FIN counts */
}

/* All of the piece is of the body of a request that is alone. */
static inline int is_body(struct event *e, struct pipe *p)
{
	struct http_sock *s = e->s;
	struct flow *f = &p->asked;

	if (s->no != s->last || e->way != request_way(s) ||
	    f->state != FLOW_BODY || f->inside || f->left < e->p.all)
		return 0;
	if (untaken(e, f))
		return 0;
	f->seq += e->p.all;
	f->left -= e->p.all;
	f->done += e->p.all;
	if (!f->left)
		f->state = f->chunked ? FLOW_OPEN : FLOW_START;
	pipe_leave(e);
	return 1;
}

/* Where the call's bytes will end, with @all that are to be sent now. */
static inline void count_sent(struct event *e, u32 all)
{
	struct http_sock *s = e->s;

#ifndef NB_PLAN_tls /* which has no sequence but this one */
	if (s->flags & HTTP_SLOW)
#endif
		s->tx_end = next_tx(e->sk, s) + all;
}

/* The socket is piped. 0: no more, and this is a piece like any other. */
static inline int on_piped(struct event *e)
{
	u64 key = (u64)e->sk;
	struct pipe *p = pipes.lookup(&key);

	if (!p || pipe_is_done(e, p) || pipe_is_answered(e, p)) {
		pipe_drop(e->s, key);
		return 0;
	}
	if (is_body(e, p)) {
		if (e->way == WAY_RX)
			e->s->rx_bytes += e->p.all;
		else
			count_sent(e, e->p.all);
		return 1;
	}
	pipe_take(e, 0, 0);
	pipe_stack(e);
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
	e->more = 0;
	if (e->s && NB_RARE(e->s->piped) && on_piped(e))
		return;
	e->part = 0;
	if (!on_next_request(e))
		on_any_piece(e);
	s = e->s;
	if (NB_RARE(!s))
		return;
	if (e->way == WAY_RX && !e->next)
		s->rx_bytes += e->p.all;
	if (e->park || e->tell || e->over)
		on_news(e);
	if (e->asked && has_more(e))
		pipe_take(e, 1, e->part);
	if (e->way == WAY_TX && !e->next)
		count_sent(e, e->p.all);
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
		tell_end(ctx, conn, s, HTTP_CLOSED, bytes_until(s, s->tx_end));
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
