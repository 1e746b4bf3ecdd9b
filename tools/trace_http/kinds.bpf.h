/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A piece, by what it begins with and by what the socket is used for.
 */
#ifndef NB_BPF_KINDS_H
#define NB_BPF_KINDS_H

#include "messages.bpf.h"
#include "piece.bpf.h"
#include "sniff.bpf.h"
#include "socks.bpf.h"
#include "tell.bpf.h"
#include "thread.bpf.h"
#include "trace_http.h"
#include "waits.bpf.h"

/* A connection of which nothing is known yet. */
static inline void on_unknown(struct event *e, int kind, u32 part)
{
	struct http_sock *s = e->s;

	switch (kind) {
	case SNIFF_REQUEST:
		on_new_request(e, part);
		break;
	case SNIFF_RESPONSE: /* to a request before the start */
		s->role = e->way == WAY_TX ? HTTP_SERVER : HTTP_CLIENT;
		s->phase = HTTP_RESPONSE;
		s->flags |= HTTP_ANSWERED;
		break;
	case SNIFF_TLS:
		s->tls = HTTP_TLS_COUNTED;
		count_unseen(HTTP_UNSEEN_TLS);
		give_up(s);
		tell_proc(e);
#ifndef NB_PLAN_tls
		if (e->c->flags & HTTP_SEES_TLS)
			tls_use(e->sk, e->id);
#endif
		break;
	case SNIFF_H2:
		count_unseen(HTTP_UNSEEN_H2);
		give_up(s);
		break;
	default:
		s->flags |= NOT_HTTP(e->way);
		if (s->flags & HTTP_NO_TX && s->flags & HTTP_NO_RX)
			give_up(s);
	}
}

/* What comes on the way of requests. */
static inline void on_request_way(struct event *e, int kind, u32 part)
{
	struct http_sock *s = e->s;

	if (kind == SNIFF_REQUEST && s->phase != HTTP_REQUEST)
		on_new_request(e, part);
	else if (kind == SNIFF_REQUEST)
		on_pipelined(e, part);
	else if (kind == SNIFF_H2) /* as was agreed by an Upgrade */
		give_up(s);
	else if (s->phase == HTTP_REQUEST && s->prefix_len < HTTP_PREFIX)
		s->prefix_len = piece_append(&e->p, s->prefix, s->prefix_len);
}

/* What comes on the way of answers. */
static inline void on_answer_way(struct event *e, int kind)
{
	struct http_sock *s = e->s;

	if (kind == SNIFF_RESPONSE) {
		/* What was too fast to be looked at was a 100 Continue. */
		if (s->phase == HTTP_REQUEST || next_request(e) ||
		    s->flags & HTTP_UNREAD)
			on_answer(e);
	} else if (s->phase == HTTP_REQUEST && !(s->flags & HTTP_ANSWERED)) {
		give_up(s); /* it only looked like a request */
	}
	s->last_ns = e->now;
}

/* @len bytes of @e->word: keep them until there are more. */
static inline void keep_part(struct event *e, u32 len)
{
	struct http_sock *s = e->s;

	s->part_way = e->way;
	s->part_len = len;
	s->part_ns = e->now;
	__builtin_memcpy(s->part, e->word, HTTP_ANSWER);
}

/* Put the piece behind the part before it; what both are. */
static inline int join_part(struct event *e, u32 len)
{
	struct http_sock *s = e->s;
	u32 n = s->part_len & (HTTP_ANSWER - 1);
	int kind;

	bpf_probe_read_kernel(s->part + n, HTTP_ANSWER, e->word);
	__builtin_memcpy(e->word, s->part, sizeof(e->word));
	len += n;
	if (len > HTTP_ANSWER)
		len = HTTP_ANSWER;
	kind = sniff(e->word[0], len);
	s->part_len = kind == SNIFF_SHORT ? len : 0;
	e->now = s->part_ns;
	return kind;
}

/* The first bytes of the piece to @e->word, behind them zero. How many. */
static inline u32 look(struct event *e)
{
	struct scratch *sc;
	u64 n;

	e->word[0] = 0;
	e->word[1] = 0;
	if (e->p.len >= HTTP_ANSWER || e->p.at == AT_NONE)
		return piece_head(&e->p, e->word, HTTP_ANSWER);
	sc = get_scratch();
	if (!sc)
		return 0;
	n = piece_append(&e->p, sc->flow.queued.prefix, 0);
	if (n > HTTP_ANSWER)
		n = HTTP_ANSWER;
	OPAQUE(n);
	if (n > HTTP_ANSWER)
		return 0;
	bpf_probe_read_kernel(e->word, n, sc->flow.queued.prefix);
	return n;
}

/* Content that can't be seen, as of sendfile(2). */
static inline void on_opaque(struct event *e)
{
	if (e->way == WAY_RX)
		count_unseen(e->p.ptr ? HTTP_UNSEEN_UNREAD : HTTP_UNSEEN_WAY);
	else if (e->p.ptr)
		count_unseen(HTTP_UNSEEN_UNREAD);
	if (e->s && e->way != request_way(e->s))
		e->s->last_ns = e->now;
}

static inline void on_kind(struct event *e, int kind, u32 len)
{
	struct http_sock *s = e->s;
	u32 part = 0;

	if (s->part_len && s->part_way == e->way) {
		part = s->part_len;
		kind = join_part(e, len);
	} else if (kind == SNIFF_SHORT) {
		keep_part(e, len);
	}
	part = nb_forget(part);
	kind = nb_forget(kind);
	e->now = nb_forget(e->now);
	if (kind == SNIFF_SHORT) {
		e->next = s->phase == HTTP_RESPONSE && e->way == request_way(s);
#ifdef NB_PLAN_tls
		e->next |= e->way == WAY_TX;
#endif
		return;
	}
	if (s->role == HTTP_NO_ROLE)
		on_unknown(e, kind, part);
	else if (e->way == request_way(s))
		on_request_way(e, kind, part);
	else
		on_answer_way(e, kind);
#ifdef NB_PLAN_tls
	if (e->way == WAY_TX)
		s->tx_end += part;
#endif
}

/*
 * Most requests: the next one in one piece, which is read to its place before
 * it is known what it is. What is lost then is of the request before, and would
 * have told only of others in its piece. 0: it is something else.
 */
static inline int on_next_request(struct event *e)
{
	struct http_sock *s = e->s;
	u32 n;

	if (NB_RARE(!s) || s->phase != HTTP_RESPONSE ||
	    e->way != request_way(s) || NB_RARE(s->part_len) ||
	    NB_RARE(e->p.at != AT_NONE) || NB_RARE(e->p.len < HTTP_ANSWER))
		return 0;
	n = piece_head(&e->p, s->prefix, HTTP_PREFIX);
	if (NB_RARE(!n) ||
	    NB_RARE(sniff(*(u64 *)s->prefix, n) != SNIFF_REQUEST))
		return 0;
	on_request(e, n);
	return 1;
}

/* If it is in time, its bytes need not be looked at. */
static inline int is_next_answer(const struct event *e)
{
	const struct http_sock *s = e->s;

	return !NB_RARE(!s) && !NB_RARE(!(s->flags & HTTP_ANSWERED)) &&
	       !NB_RARE(s->piped) && e->way != request_way(s) &&
	       !NB_RARE(s->no != s->last) && !NB_RARE(s->part_len);
}

/*
 * Most of a server's answers: one of which it is known without a clock that
 * nobody is going to see the call. 0: it is something else.
 */
static inline int on_quick_answer(struct event *e)
{
	struct http_sock *s = e->s;

	if (!is_next_answer(e) || s->phase != HTTP_REQUEST ||
	    !(e->c->flags & HTTP_QUICK) || !served_quickly(e->sk, s->no, e->id))
		return 0;
	s->phase = HTTP_RESPONSE;
	s->flags |= HTTP_UNREAD;
	return 1;
}

/*
 * Most answers: one so soon that nobody is going to see the call, and of whose
 * bytes nothing need be known. 0: it is something else.
 */
static inline int on_fast_answer(struct event *e)
{
	struct http_sock *s = e->s;

	if (!is_next_answer(e) || NB_RARE(is_late(e)))
		return 0;
	if (s->phase == HTTP_REQUEST) {
		if (e->way == WAY_RX)
			return 0; /* its stack waits for the answer proper */
		served(e->sk, e->id);
		s->phase = HTTP_RESPONSE;
		s->first_ns = e->now;
		s->flags |= HTTP_UNREAD;
	}
	s->last_ns = e->now;
	return 1;
}

static inline void on_any_piece(struct event *e)
{
	u32 len, kind;

	/* Whatever way it was described in. */
	e->p.ptr = nb_forget(e->p.ptr);
	e->p.len = nb_forget(e->p.len);
#ifndef NB_PLAN_tls /* where it always is in one way */
	e->p.at = nb_forget(e->p.at);
	e->p.n = nb_forget(e->p.n);
#endif
	len = nb_forget(look(e));
	if (!len) {
		on_opaque(e);
		return;
	}
	kind = nb_forget(sniff(nb_forget(e->word[0]), len));
	if (!e->s)
		e->s = new_sock(e->sk);
	if (e->s)
		on_kind(e, kind, len);
}

#endif
