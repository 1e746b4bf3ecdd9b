/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLS: what libssl's functions are given to send, and have received. A call is
 * as any other's, but of a connection of libssl's (SSL *) in place of a socket.
 * Which socket that has is seen by what the thread uses: in the function, or
 * before it, if others than libssl send and receive (asyncio, node).
 */
#ifndef NB_BPF_TLS_H
#define NB_BPF_TLS_H

#include "calls.bpf.h"
#include "func.bpf.h"
#include "pipe.bpf.h"
#include "thread.bpf.h"

/* By process, and odd: no address of a socket. Some 64 bytes are its own. */
static inline u64 tls_conn(u64 ssl, u64 id)
{
	return id >> 32 << 42 | ssl >> 6 << 1 | 1;
}

/* As begin(), of the connection @conn, or of none yet. */
static inline int tls_begin(struct event *e, void *ctx, u64 conn)
{
	e->c = get_config();
	if (!e->c || !(e->c->flags & HTTP_LIVE))
		return 0;
	e->id = bpf_get_current_pid_tgid();
	if (!is_traced(e))
		return 0;
	e->ctx = ctx;
	e->sk = (struct sock *)conn;
	e->s = socks.lookup(&conn);
	return 1;
}

/* The current thread is in a function of libssl's from here on. */
static inline struct tls_thread *tls_enter(u64 id, u64 conn)
{
	u32 tid = id;
	struct tls_thread *t = tls_threads.lookup(&tid), made = {};

	if (!t) {
		tls_threads.update(&tid, &made);
		t = tls_threads.lookup(&tid);
		if (!t)
			return 0;
	}
	t->conn = conn;
	t->used = 0;
	t->park = 0;
	t->tell = 0;
	t->over = 0;
	return t;
}

/* The connection has this socket: both know of each other. */
static inline void tls_tie(struct http_sock *s, u64 conn, u64 sk)
{
	struct http_sock *tcp = socks.lookup(&sk);
	int which = HTTP_UNSEEN_TLS;
	u64 *n;

	s->peer = sk;
	if (!tcp)
		return;
	tcp->peer = conn;
	if (tcp->tls != HTTP_TLS_COUNTED)
		return;
	tcp->tls = HTTP_TLS_MAYBE;
	n = unseen.lookup(&which);
	if (n)
		*n -= 1; /* of all processors it is right */
}

static inline void tls_piece(struct event *e, u64 buf, u32 len)
{
	struct scratch *sc = get_scratch();

	if (!sc || !claim()) {
		e->t->had = 0;
		return;
	}
	e->now = bpf_ktime_get_ns();
	if (on_fast_answer(e)) {
		if (e->way == WAY_RX)
			e->s->rx_bytes += len;
		else
			e->s->tx_end += len;
	} else {
		piece_set(&e->p, buf, len, len);
		e->p.n = 0;
		on_piece(e);
	}
	if (sc->flow.id != e->id)
		unclaim(); /* else tls_pipe() does */
}

/* Of pipelined calls, behind tls_piece(), which has claimed the scratch. */
static inline int tls_pipe(void *ctx)
{
	struct scratch *sc = pipe_scratch();

	if (!sc)
		return 0;
	if (on_pipe(ctx, (struct sock *)sc->flow.sk))
		return 1;
	unclaim();
	return 0;
}

BPF_PROG_ARRAY(http_tls_next, 1);

int http_tls_more(NB_FUNC_CTX *ctx)
{
	if (tls_pipe(ctx))
		http_tls_next.call(ctx, 0);
	return 0;
}

/* SSL_write(ssl, buf, num), SSL_write_ex(ssl, buf, num, written) */
int http_tls_write(NB_FUNC_CTX *ctx)
{
	u64 conn =
		tls_conn((u64)NB_FUNC_ARG(ctx, 1), bpf_get_current_pid_tgid());
	u64 len = (u64)NB_FUNC_ARG(ctx, 3);
	struct event e;

	if ((s32)len <= 0 || !tls_begin(&e, ctx, conn))
		return 0;
	e.t = tls_enter(e.id, conn);
	if (!e.t || (e.s && e.s->role == HTTP_NOT))
		return 0;
	e.t->len = len;
	e.t->had = len;
	e.t->count = (u64)NB_FUNC_ARG(ctx, 4);
	if (e.s && e.s->again) { /* it is as before */
		e.t->had = e.s->again;
		e.s->tx_end += e.s->again;
		e.s->again = 0;
		return 0;
	}
	e.way = WAY_TX;
	tls_piece(&e, (u64)NB_FUNC_ARG(ctx, 2), len);
	if (pipe_scratch())
		http_tls_next.call(ctx, 0);
	return 0;
}

/* The stack is that of who has called it. */
static inline void tls_wrote(struct event *e, struct scratch *sc)
{
	struct queue_key key = {};

	http_python_take(e->id >> 32, &sc->rec.stack);
	http_stack_take(e->ctx, &sc->rec.stack,
			HTTP_STACK_WALK | HTTP_STACK_COPY | HTTP_STACK_PYTHON);
	key.sk = (u64)e->sk;
	key.no = e->t->park;
	if (key.no && parked.update(&key, &sc->rec.stack))
		count_unseen(HTTP_UNSEEN_PARK);
	if (e->t->tell) {
		__builtin_memcpy(e->word, e->t->word, sizeof(e->word));
		e->tell = 1;
		tell_call(e, sc);
	}
	if (e->tell) {
		submit_call(e->ctx, &sc->rec, 1);
		samples_submit(e->ctx, e->sk, e->s);
	}
	if (e->t->over) {
		end_call(e->ctx, e->sk, e->s, HTTP_SWITCH);
		give_up(e->s);
	}
}

/* What the current thread was in, which ends; or NULL. */
static inline struct tls_thread *tls_leave(u64 *conn)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct tls_thread *t = tls_threads.lookup(&tid);

	if (!t || !t->conn)
		return 0;
	*conn = t->conn;
	t->conn = 0;
	return t;
}

/*
 * How many bytes libssl has taken, as its function returns @ret: a record of
 * them, where it was told that a part is enough
 * (SSL_MODE_ENABLE_PARTIAL_WRITE). Of one byte SSL_write() can't return that,
 * but SSL_write_ex() does of many.
 */
static inline u32 tls_taken(const struct tls_thread *t, s32 ret)
{
	u64 n = ret;

	if (ret == 1 && t->len > 1)
		bpf_probe_read_user(&n, sizeof(n), (void *)t->count);
	return n && n < t->len ? n : t->len;
}

int http_tls_wrote(NB_FUNC_CTX *ctx)
{
	u64 conn;
	struct tls_thread *t = tls_leave(&conn);
	struct scratch *sc = get_scratch();
	struct event e;
	s32 ret;

	if (!t || !sc || !tls_begin(&e, ctx, conn) || !e.s)
		return 0;
	ret = NB_FUNC_RET(ctx, SSL_write);
	if (ret <= 0) {
		e.s->again = t->had;
		e.s->tx_end -= t->had;
	} else {
		e.s->tx_end += tls_taken(t, ret) - t->had;
	}
	if (t->used && e.s->peer != t->sk)
		tls_tie(e.s, conn, t->sk);
	if (!t->park && !t->tell && !t->over)
		return 0;
	e.t = t;
	e.tell = 0;
	e.way = WAY_TX;
	if (!claim())
		return 0;
	tls_wrote(&e, sc);
	unclaim();
	return 0;
}

static inline void tls_read(void *ctx, u64 ssl, u64 buf, u64 count)
{
	u64 conn = tls_conn(ssl, bpf_get_current_pid_tgid());
	struct tls_thread *t;
	struct event e;

	if (!tls_begin(&e, ctx, conn))
		return;
	t = tls_enter(e.id, conn);
	if (!t)
		return;
	t->buf = buf;
	t->count = count;
}

/* SSL_read(ssl, buf, num) */
int http_tls_read(NB_FUNC_CTX *ctx)
{
	tls_read(ctx, (u64)NB_FUNC_ARG(ctx, 1), (u64)NB_FUNC_ARG(ctx, 2), 0);
	return 0;
}

/* SSL_read_ex(ssl, buf, num, readbytes) */
int http_tls_read_ex(NB_FUNC_CTX *ctx)
{
	tls_read(ctx, (u64)NB_FUNC_ARG(ctx, 1), (u64)NB_FUNC_ARG(ctx, 2),
		 (u64)NB_FUNC_ARG(ctx, 4));
	return 0;
}

int http_tls_got(NB_FUNC_CTX *ctx)
{
	s32 ret = NB_FUNC_RET(ctx, SSL_read);
	u64 conn, len = (u32)ret;
	struct tls_thread *t = tls_leave(&conn);
	struct event e;

	if (!t || ret <= 0 || !tls_begin(&e, ctx, conn))
		return 0;
	if (e.s && e.s->role == HTTP_NOT)
		return 0;
	if (t->count &&
	    bpf_probe_read_user(&len, sizeof(len), (void *)t->count))
		return 0;
	if ((s32)len <= 0)
		return 0;
	if (e.s && t->sk && e.s->peer != t->sk && (t->used || !e.s->inside))
		tls_tie(e.s, conn, t->sk);
	e.t = t;
	e.way = WAY_RX;
	tls_piece(&e, t->buf, len);
	if (e.s && t->sk && !e.s->peer)
		tls_tie(e.s, conn, t->sk);
	if (e.s && t->used)
		e.s->inside = 1;
	if (pipe_scratch())
		http_tls_next.call(ctx, 0);
	return 0;
}

/* SSL_free(ssl) */
int http_tls_free(NB_FUNC_CTX *ctx)
{
	u64 conn =
		tls_conn((u64)NB_FUNC_ARG(ctx, 1), bpf_get_current_pid_tgid());

	end_tls(ctx, conn, 0);
	return 0;
}

#endif
