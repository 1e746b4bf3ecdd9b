/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is left to do once all is known of a piece: to tell of a late call, to
 * take the thread's stack.
 */
#ifndef NB_BPF_NEWS_H
#define NB_BPF_NEWS_H

#include "messages.bpf.h"
#include "python.bpf.h"
#include "socks.bpf.h"
#include "stack.bpf.h"
#include "tell.bpf.h"
#include "trace_http.h"
#include "waits.bpf.h"

/* The first byte of its answer was late; a server is about to send it. */
static inline void tell_call(struct event *e, struct scratch *sc)
{
	if (!fill_sock(e, &sc->rec.call)) {
		e->tell = 0;
		return;
	}
	fill_call(e, &sc->rec.call);
	e->s->flags |= HTTP_SLOW;
	e->s->tx_end = next_tx(e->sk, e->s);
	if (e->way == WAY_RX)
		submit_call(e->ctx, &sc->rec,
			    unpark_stack(e->sk, e->s->no, &sc->rec.stack));
}

#ifdef NB_PLAN_tls
/* As libssl's function returns, it is told, with the stack. */
static inline void tls_news(struct event *e)
{
	e->t->park = e->park;
	e->t->tell = e->tell;
	e->t->over = e->over;
	__builtin_memcpy(e->t->word, e->word, sizeof(e->word));
}
#endif

/*
 * A call is late, or has begun. What takes the thread's stack comes later,
 * where all ways meet (on_stack()): else the verifier would go through it for
 * each.
 */
static inline void on_news(struct event *e)
{
	struct scratch *sc = get_scratch();

	if (!sc)
		return;
#ifdef NB_PLAN_tls
	if (e->way == WAY_TX) {
		tls_news(e);
		return;
	}
#endif
	if (e->tell)
		tell_call(e, sc);
	if (e->way == WAY_TX) {
		e->more = 1;
		sc->park = e->park;
		sc->tell = e->tell;
		sc->over = e->over;
		sc->id = e->id;
	} else if (e->over) {
		end_call(e->ctx, e->sk, e->s, HTTP_SWITCH);
		give_up(e->s);
	}
}

/* What was sampled of the call while it was young. */
static inline void samples_submit(void *ctx, struct sock *sk,
				  const struct http_sock *s)
{
	for (int i = 0; i < HTTP_YOUNG && i < s->nyoung; i++) {
		u32 at = s->young[i];
		struct http_wait *w = young.lookup(&at);

		if (w && w->sk == (u64)sk && w->no == s->no)
			wait_submit(ctx, w);
		else
			count_unseen(HTTP_UNSEEN_YOUNG);
	}
}

/* The current thread's stack, for what on_news() has left to do. Last. */
static inline void on_stack(void *ctx, struct sock *sk)
{
	struct scratch *sc = get_scratch();
	struct queue_key key = {};
	struct http_sock *s;
	u64 id;

	if (!sc || !sc->id)
		return;
	id = bpf_get_current_pid_tgid();
	if (sc->id != id)
		return;
	sc->id = 0;
	http_python_take(id >> 32, &sc->rec.stack);
	http_stack_take(ctx, &sc->rec.stack,
			HTTP_STACK_WALK | HTTP_STACK_COPY | HTTP_STACK_PYTHON);
	key.sk = (u64)sk;
	key.no = sc->park;
	if (key.no && parked.update(&key, &sc->rec.stack))
		count_unseen(HTTP_UNSEEN_PARK);
	s = find_sock(sk);
	if (sc->tell) {
		submit_call(ctx, &sc->rec, 1);
		if (s)
			samples_submit(ctx, sk, s);
	}
	if (sc->over && s) {
		end_call(ctx, sk, s, HTTP_SWITCH);
		give_up(s);
	}
}

#endif
