/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A request begins, or an answer does: what that makes of the socket.
 */
#ifndef NB_BPF_MESSAGES_H
#define NB_BPF_MESSAGES_H

#include "flow.bpf.h"
#include "piece.bpf.h"
#include "sniff.bpf.h"
#include "socks.bpf.h"
#include "tell.bpf.h"
#include "trace_http.h"
#include "waits.bpf.h"

/* The connection is of no more interest. */
static inline void give_up(struct http_sock *s)
{
	s->role = HTTP_NOT;
	s->phase = HTTP_IDLE;
}

static inline int is_connect(const struct http_sock *s)
{
	return *(u64 *)s->prefix ==
	       WORD('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ');
}

/* The three digits of "HTTP/1.1 200", as characters. */
static inline u32 status_of(const struct event *e)
{
	return e->word[1] >> 8 & 0xffffff;
}

/* An answer begins, and a request waits for one. */
static inline void on_answer(struct event *e)
{
	struct http_sock *s = e->s;
	u32 status = status_of(e);
	int is_switch = status == STATUS('1', '0', '1');

	if ((status & 0xff) == '1' && !is_switch)
		return; /* the answer proper is yet to come */
	s->first_ns = e->now;
	s->last_ns = e->now;
	s->phase = HTTP_RESPONSE;
	s->flags |= HTTP_ANSWERED;
	s->flags &= ~HTTP_UNREAD;
	e->tell = s->start_ns && is_late(e);
	if (e->way == WAY_TX)
		served(e->sk, e->id);
	e->over = is_switch || ((status & 0xff) == '2' && is_connect(s));
	if (e->over)
		s->tls = HTTP_TLS_MAYBE;
	if (e->way == WAY_RX && !e->tell)
		unpark_stack(e->sk, s->no, 0);
}

/* User space is to know a process from its first request on. */
static inline void tell_proc(struct event *e)
{
	u32 tgid = e->id >> 32;
	struct http_proc_rec rec = {};
	u8 *proc = find_proc(tgid);

	e->s->owner = tgid;
	if (!proc || *proc & HTTP_PROC_KNOWN)
		return;
	*proc |= HTTP_PROC_KNOWN;
	rec.kind = HTTP_REC_PROC;
	rec.pid = tgid;
	nb_submit(e->ctx, &rec, sizeof(rec));
}

/*
 * A request begins, and none waits for an answer. Its first bytes are at
 * prefix.
 */
static inline void on_request(struct event *e, u32 prefix_len)
{
	struct http_sock *s = e->s;

	end_call(e->ctx, e->sk, s, HTTP_NEXT);
	s->phase = HTTP_REQUEST;
	s->flags &= HTTP_ANSWERED;
	s->start_ns = e->now;
	s->pid_tgid = e->id;
	s->no++;
	s->last = s->no;
	s->nyoung = 0;
	s->rx_bytes = 0;
	s->prefix_len = prefix_len;
	s->tx_start = next_tx(e->sk, s);
	if (e->way == WAY_TX)
		e->park = s->no;
	else
		serve(e->sk, s->no, s->start_ns, e->id, !e->part);
	if (NB_RARE(s->owner != e->id >> 32))
		tell_proc(e);
	e->asked = 1;
}

/* The same with its bytes still where they are, but for @part of them. */
static inline void on_new_request(struct event *e, u32 part)
{
	struct http_sock *s = e->s;
	u32 n;

	if (part)
		__builtin_memcpy(s->prefix, s->part, HTTP_ANSWER);
	n = nb_forget(piece_append(&e->p, s->prefix, part));
	s->role = e->way == WAY_TX ? HTTP_CLIENT : HTTP_SERVER;
	e->part = part;
	on_request(e, n);
	if (e->way == WAY_RX)
		s->rx_bytes = part;
#ifndef NB_PLAN_tls /* where they do not count yet */
	else
		s->tx_start -= part;
#endif
}

/* Is there " HTTP/1." in the first line of the @len bytes at @text? */
static inline int is_request_line(const u8 *text, u32 len)
{
	u64 last = 0;

	for (u32 i = 0; i < HTTP_PREFIX; i++) {
		OPAQUE(len);
		if (i >= len || text[i] == '\n')
			return 0;
		last = last >> 8 | (u64)text[i] << 56;
		if (last == WORD(' ', 'H', 'T', 'T', 'P', '/', '1', '.'))
			return 1;
	}
	return 0;
}

/* The request to be answered now, if any waits. */
static inline int next_request(struct event *e)
{
	struct queue_key key = {};
	struct http_sock *s = e->s;
	struct queued *q;

	if (s->no == s->last)
		return 0;
	end_call(e->ctx, e->sk, s, HTTP_NEXT);
	key.sk = (u64)e->sk;
	key.no = s->no + 1;
	q = queue.lookup(&key);
	if (q) {
		s->start_ns = q->start_ns;
		s->pid_tgid = q->pid_tgid;
		s->prefix_len = q->prefix_len;
		bpf_probe_read_kernel(s->prefix, HTTP_PREFIX, q->prefix);
		queue.delete(&key);
	} else { /* there was no room for it */
		s->start_ns = 0;
		s->prefix_len = 0;
	}
	s->no++;
	s->nyoung = 0;
	s->rx_bytes = 0;
	s->tx_start = next_tx(e->sk, s);
	s->phase = HTTP_REQUEST;
	s->flags |= HTTP_PIPELINED;
	return 1;
}

static inline u8 request_way(const struct http_sock *s)
{
	return s->role == HTTP_CLIENT ? WAY_TX : WAY_RX;
}

/*
 * The piece is to be looked through for messages (pipe_look()), of which @known
 * was found already, where all ways meet.
 */
static inline void pipe_take(struct event *e, u8 known, u32 part)
{
	struct scratch *sc = get_scratch();
	struct flow_work *w;

	if (!sc)
		return;
	e->more = 1;
	w = &sc->flow;
	w->id = e->id;
	w->sk = (u64)e->sk;
	/* Of the piece; the request began with the part before it. */
	w->now = part ? bpf_ktime_get_ns() : e->now;
	w->way = e->way;
	w->asks = e->way == request_way(e->s);
	w->known = known;
	w->stage = 0;
	w->part = part;
	w->p = e->p;
#ifdef NB_PLAN_tls
	w->stack = 0; /* libssl's function returns later */
#else
	w->stack = known && e->way == WAY_TX; /* of the known one */
#endif
}

/* And the stack is taken, as of on_news(). */
static inline void pipe_stack(struct event *e)
{
#ifndef NB_PLAN_tls
	struct scratch *sc = get_scratch();

	if (!sc || e->way != WAY_TX)
		return;
	if (!sc->flow.asks && !is_late(e))
		return;
	sc->flow.stack = 1;
	sc->park = 0;
	sc->tell = 0;
	sc->over = 0;
	sc->id = e->id;
#endif
}

/* One more request, while another waits for its answer. */
static inline void on_pipelined(struct event *e, u32 part)
{
	struct scratch *sc = get_scratch();
	u32 n;

	if (!sc)
		return;
	n = piece_append(&e->p, sc->flow.queued.prefix, 0);
	if (!is_request_line(sc->flow.queued.prefix, n))
		return;
#ifndef NB_PLAN_tls /* whose functions say so */
	if (e->way == WAY_TX && next_tx(e->sk, e->s) == e->s->tx_start)
		return; /* once more, as TCP had no room for it */
#endif
	pipe_take(e, 0, part);
	pipe_stack(e);
}

#endif
