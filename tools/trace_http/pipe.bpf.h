/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets on which a request may come with what is left of the one before it,
 * or was sent before that was answered (pipelining). What goes over them is
 * looked through for where messages begin (steps.bpf.h), until one is alone and
 * over.
 */
#ifndef NB_BPF_PIPE_H
#define NB_BPF_PIPE_H

#include "calls.bpf.h"
#include "flow.bpf.h"
#include "steps.bpf.h"

/* Of a request that was alone its first bytes go on. */
static inline void pipe_prefix(struct flow_work *w, struct http_sock *s)
{
	u32 n = s->prefix_len;

	if (s->no == s->last && n < HTTP_PREFIX)
		s->prefix_len = piece_append(&w->p, s->prefix, n);
}

/* What is known of the direction before the piece; with a request in it. */
static inline void pipe_begin(struct flow_work *w, struct http_sock *s)
{
	u64 key = w->sk;
	struct pipe *p = pipes.lookup(&key);
	struct flow blank = {};

	w->mode = p != 0;
	w->alone = s->no == s->last;
	w->first = s->last;
	w->last = s->last;
	if (p) {
		if (w->asks && (p->asked.skip || p->asked.state == FLOW_HEAD))
			pipe_prefix(w, s);
		w->f = w->asks ? p->asked : p->answered;
		w->heads = p->heads;
		w->answer = p->answer;
		return;
	}
	w->f = blank;
	w->f.skip = w->known;
	w->f.tail = w->part;
	w->f.tail_ns = s->part_ns;
	__builtin_memcpy(w->f.text, s->part, HTTP_ANSWER);
	w->answer = s->no - 1;
	w->heads = 0;
	if (*(u32 *)s->prefix == (u32)WORD('H', 'E', 'A', 'D', 0, 0, 0, 0))
		w->heads = 1ULL << (s->no & 63);
}

/* All of it was looked at, before TCP took a part of it. */
static inline int pipe_is_again(struct flow_work *w, struct sock *sk,
				struct http_sock *s)
{
	u64 key = w->sk;
	struct pipe *p = pipes.lookup(&key);
	const struct flow *f;

	if (!p)
		return 0;
	f = w->asks ? &p->asked : &p->answered;
	return f->has_seq && f->seq == next_tx(sk, s) + w->p.all;
}

/* Begin to look through the piece. 0: there is nothing to look for. */
static inline int pipe_open(struct flow_work *w, struct sock *sk,
			    struct http_sock *s)
{
	if (pipe_is_again(w, sk, s)) {
#ifdef NB_PLAN_tls /* the sequence goes on with what libssl takes */
		s->tx_end += w->p.all;
#endif
		w->id = 0;
		return 0;
	}
	pipe_begin(w, s);
	flow_open(w);
	if (!flow_rewind(&w->f, next_tx(sk, s)))
		flow_fail(w);
	return 1;
}

/*
 * One request is not more than one at once, unless it goes on, and more may
 * come with its last bytes, or it is so long that TCP may not take all of it,
 * or the next one has begun.
 */
static inline int pipe_is_none(const struct flow_work *w)
{
	if (w->mode || w->n > w->known)
		return 0;
	if (w->way == WAY_TX && w->p.all > FLOW_SURE && w->f.done)
		return 0;
	return w->f.state == FLOW_START && !w->f.tail;
}

static inline struct pipe *pipe_new(struct scratch *sc, struct http_sock *s)
{
	u64 key = sc->flow.sk;

	sc->made.asked.state = FLOW_START; /* and all else is zero for ever */
	if (pipes.update(&key, &sc->made))
		return 0;
	s->piped = 1;
	s->part_len = 0;
	return pipes.lookup(&key);
}

/* Whose scratch it is; NULL: not this thread's, or it has nothing to do. */
static inline struct scratch *pipe_scratch(void)
{
	struct scratch *sc = get_scratch();

	if (!sc || !sc->flow.id)
		return 0;
	return sc->flow.id == bpf_get_current_pid_tgid() ? sc : 0;
}

/* What was found where messages begin. 0: that is of no interest. */
static inline int pipe_found(struct scratch *sc, struct sock *sk,
			     struct http_sock *s)
{
	struct flow_work *w = &sc->flow;
	u64 key = w->sk;
	struct pipe *p = pipes.lookup(&key);

	if (pipe_is_none(w))
		return 0;
	w->f.seq = next_tx(sk, s) + w->p.all;
#ifdef NB_PLAN_tls /* where they have been counted */
	if (!w->mode)
		w->f.seq -= w->p.all;
#endif
	w->f.has_seq = w->way == WAY_TX;
	if (!p)
		p = pipe_new(sc, s);
	if (!p) {
		w->lost = 1;
		s->last = w->last; /* these are lost as well */
		return 1;
	}
	if (w->asks)
		p->asked = w->f;
	else
		p->answered = w->f;
	p->heads = w->heads;
	p->answer = w->answer;
	s->last = w->last;
	if (w->last != w->first)
		s->flags |= HTTP_PIPELINED;
	return 1;
}

/* One more request was sent where the first one was. */
static inline void pipe_park(struct scratch *sc)
{
	struct queue_key key = {};

	key.sk = sc->flow.sk;
	key.no = ++sc->flow.first;
	if (parked.update(&key, &sc->rec.stack))
		count_unseen(HTTP_UNSEEN_PARK);
}

static inline void pipe_asked(struct event *e, struct flow_work *w)
{
	struct http_sock *s = e->s;

	/* A part of the next request may have come before the piece. */
	s32 before = w->more ? w->counted : w->p.all;

	if (w->mode && w->alone) {
		if (w->way == WAY_RX)
			s->rx_bytes += before;
		else if (s->phase != HTTP_REQUEST && w->more &&
			 s->flags & HTTP_SLOW)
			tell_end(e->ctx, (u64)e->sk, s, HTTP_NEXT,
				 next_tx(e->sk, s) + before - s->tx_start);
	}
	if (s->phase != HTTP_REQUEST && next_request(e)) {
		if (w->way == WAY_RX) {
			s->rx_bytes = w->p.all - before;
			serve(e->sk, s->no, s->start_ns, e->id,
			      s->start_ns == w->now);
		} else {
			s->tx_start += before;
		}
	}
	if (s->owner != e->id >> 32)
		tell_proc(e);
}

/* The call is late. */
static inline void pipe_tell(struct event *e, struct scratch *sc)
{
	struct http_sock *s = e->s;
	int has_stack = sc->flow.stack;
#ifdef NB_PLAN_tls
	u32 tid = e->id;

	/* The last one has the stack, when libssl's function returns. */
	if (e->way == WAY_TX && sc->flow.at == sc->flow.n) {
		e->t = tls_threads.lookup(&tid);
		if (e->t)
			tls_news(e);
		return;
	}
#endif
	if (!fill_sock(e, &sc->rec.call))
		return;
	fill_call(e, &sc->rec.call);
	s->flags |= HTTP_SLOW;
	s->tx_end = next_tx(e->sk, s);
	if (e->way == WAY_RX)
		has_stack = unpark_stack(e->sk, s->no, &sc->rec.stack);
	submit_call(e->ctx, &sc->rec, has_stack);
}

/*
 * An answer begins, to the next request. What of the piece is before it is of
 * the one before.
 */
static inline int pipe_turn(struct event *e, struct flow_work *w, u32 off)
{
	struct http_sock *s = e->s;

	if (e->way == WAY_RX) {
		s->rx_bytes += off - w->counted;
		w->counted = off;
	}
	if (s->phase == HTTP_REQUEST)
		return 1;
	if (off) /* it had those before */
		s->last_ns = w->now;
	if (s->flags & HTTP_SLOW)
		tell_end(e->ctx, (u64)e->sk, s, HTTP_NEXT,
			 next_tx(e->sk, s) + off - s->tx_start);
	if (!next_request(e)) {
		count_unseen(HTTP_UNSEEN_PIPE);
		return 0;
	}
	s->tx_start += off;
	return 1;
}

/* Of one answer that was found. */
static inline void pipe_answer(struct event *e, struct scratch *sc)
{
	struct flow_work *w = &sc->flow;
	const struct flow_start *start;
	u64 at = w->at++;

	OPAQUE(at);
	start = &w->starts[at & (FLOW_STARTS - 1)];
	e->word[0] = start->word[0];
	e->word[1] = start->word[1];
	e->now = start->ns;
	if (!pipe_turn(e, w, (s32)start->off > 0 ? start->off : 0))
		return;
	on_answer(e);
	if (e->tell)
		pipe_tell(e, sc);
	if (e->over) {
		w->end = 1;
		w->at = w->n;
	}
}

/* Behind the last one. */
static inline void pipe_answered(struct event *e, struct flow_work *w)
{
	/* Unless all of it may be the beginning of the next one. */
	if (w->f.state != FLOW_START || w->f.tail < w->p.all)
		e->s->last_ns = w->now;
	if (w->way == WAY_RX)
		e->s->rx_bytes += w->p.all - w->counted;
	if (!w->n && e->s->phase == HTTP_REQUEST && w->f.state == FLOW_OPEN &&
	    !(e->s->flags & HTTP_ANSWERED)) {
		pipe_drop(e->s, (u64)e->sk);
		give_up(e->s); /* it only looked like a request */
	}
	if (w->end) {
		end_call(e->ctx, e->sk, e->s, HTTP_SWITCH);
		pipe_drop(e->s, (u64)e->sk);
		give_up(e->s);
	}
}

/*
 * What was asked and answered is not known: what is under way is missing, but
 * for a request that is alone, as most are.
 */
static inline void pipe_lose(struct event *e)
{
	struct http_sock *s = e->s;

	if (s->no == s->last) {
		pipe_drop(s, (u64)e->sk);
		return;
	}
	count_more(HTTP_UNSEEN_PIPE,
		   s->last - s->no + (s->phase == HTTP_REQUEST));
	end_call(e->ctx, e->sk, s, HTTP_NEXT);
	forget_sock(s, (u64)e->sk);
}

static inline void pipe_end(struct event *e, struct flow_work *w)
{
	w->id = 0;
	if (w->unseen)
		count_more(HTTP_UNSEEN_PIPE, w->unseen);
	if (w->asks)
		pipe_asked(e, w);
	else
		pipe_answered(e, w);
	if (w->mode && w->way == WAY_TX)
		count_sent(e, w->p.all);
	if (w->lost)
		pipe_lose(e);
	else if (w->asks)
		pipe_leave(e);
}

/*
 * Look through the piece of pipe_take(), and then do what is to be done for one
 * message after the other, by a run of the program each. 0: that was all.
 */
static inline int on_pipe(void *ctx, struct sock *sk)
{
	struct scratch *sc = pipe_scratch();
	struct http_sock *s = sc ? find_sock(sk) : 0;
	struct event e;

	if (!sc)
		return 0;
	e.c = get_config();
	e.id = sc->flow.id;
	if (!s || !e.c || sc->flow.sk != (u64)sk) {
		sc->flow.id = 0;
		return 0;
	}
	switch (sc->flow.stage++) {
	case 0:
		return pipe_open(&sc->flow, sk, s);
	case 1:
		if (flow_run(&sc->flow, s))
			sc->flow.stage = 1;
		return 1;
	case 2:
		if (pipe_found(sc, sk, s))
			return 1;
		sc->flow.id = 0;
		return 0;
	}
	e.ctx = ctx;
	e.sk = sk;
	e.s = s;
	e.now = sc->flow.now;
	e.way = sc->flow.way;
	e.park = 0;
	e.tell = 0;
	e.over = 0;
	if (!sc->flow.asks && sc->flow.at < sc->flow.n) {
		pipe_answer(&e, sc);
		return 1;
	}
	if (sc->flow.stack && sc->flow.asks &&
	    sc->flow.first != sc->flow.last) {
		if (sc->flow.stage <= 3 + FLOW_MESSAGES) {
			pipe_park(sc);
			return 1;
		}
		count_more(HTTP_UNSEEN_PARK, sc->flow.last - sc->flow.first);
	}
	pipe_end(&e, &sc->flow);
	return 0;
}

#endif
