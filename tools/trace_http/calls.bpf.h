/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls, by socket. What is sent is looked at before it is, with the socket
 * locked, so that no answer can be seen before its request.
 */
#ifndef NB_BPF_CALLS_H
#define NB_BPF_CALLS_H

#include "events.bpf.h"
#include "flow.bpf.h"
#include "piece.bpf.h"
#include "procs.bpf.h"
#include "python.bpf.h"
#include "sniff.bpf.h"
#include "sock.bpf.h"
#include "stack.bpf.h"
#include "thread.bpf.h"
#include "tp.bpf.h"
#include "trace_http.h"
#include "waits.bpf.h"

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
	u32 part; /* bytes so many came before the piece */
	struct piece p;
	u64 word[2]; /* its first bytes */
#ifdef NB_PLAN_tls
	struct tls_thread *t;
#endif
};

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

/*
 * Bytes of the call sent so far: what system calls wanted to send, or less if
 * that is over; a FIN, which counts as a byte, is none.
 */
static inline u32 sent_bytes(struct sock *sk, const struct http_sock *s,
			     int why)
{
	u32 end = s->tx_end, next = next_tx(sk, s);

	if ((s32)(next - end) < 0 && why != HTTP_SWITCH)
		end = next;
	return end - s->tx_start;
}

static inline void tell_end(void *ctx, u64 sk, struct http_sock *s, int why,
			    u32 tx_bytes)
{
	struct http_end rec = {};

	s->flags &= ~HTTP_SLOW;
	rec.kind = HTTP_REC_END;
	rec.why = why;
	rec.no = s->no;
	rec.sk = sk;
	rec.last_ns = s->last_ns;
	rec.rx_bytes = s->rx_bytes;
	rec.tx_bytes = tx_bytes;
	nb_submit(ctx, &rec, sizeof(rec));
}

/* The call has come to its end, which user space wants if it was slow. */
static inline void end_call(void *ctx, struct sock *sk, struct http_sock *s,
			    int why)
{
	if (s->flags & HTTP_SLOW)
		tell_end(ctx, (u64)sk, s, why, sent_bytes(sk, s, why));
}

static inline int role_wanted(const struct http_config *c, u8 role)
{
	if (c->flags & HTTP_ONLY_CLIENT && role != HTTP_CLIENT)
		return 0;
	return !(c->flags & HTTP_ONLY_SERVER) || role == HTTP_SERVER;
}

static inline int ip_wanted(const struct http_config *c, u8 ip)
{
	if (c->flags & HTTP_ONLY_IP4 && ip != 4)
		return 0;
	return !(c->flags & HTTP_ONLY_IP6) || ip == 6;
}

/* What all calls of the socket have in common. 0: they are not wanted. */
static inline int fill_sock(struct event *e, struct http_call *call)
{
	struct http_sock *s = e->s;
	struct nb_tuple t = {};
	struct sock *sk = e->sk;

#ifdef NB_PLAN_tls
	sk = (struct sock *)s->peer;
	if (sk)
#endif
		nb_sk_tuple(sk, &t);
	if (!role_wanted(e->c, s->role) || !ip_wanted(e->c, t.ip))
		return 0;
	call->kind = HTTP_REC_CALL;
	call->role = s->role;
	call->ip = t.ip;
	call->sk = (u64)e->sk;
	call->uid = bpf_get_current_uid_gid();
	call->netns = nb_sk_netns(sk);
	__builtin_memcpy(call->saddr, t.saddr, sizeof(call->saddr));
	__builtin_memcpy(call->daddr, t.daddr, sizeof(call->daddr));
	call->sport = t.sport;
	call->dport = t.dport;
	bpf_get_current_comm(call->comm, sizeof(call->comm));
	return 1;
}

/* And this one. */
static inline void fill_call(struct event *e, struct http_call *call)
{
	const struct http_sock *s = e->s;

	call->flags = s->flags;
#ifdef NB_PLAN_tls
	call->flags |= HTTP_TLS;
#endif
	call->no = s->no;
	call->start_ns = s->start_ns;
	call->first_ns = s->first_ns;
	call->pid = s->pid_tgid >> 32;
	call->tid = s->pid_tgid;
	call->prefix_len = s->prefix_len;
	__builtin_memcpy(call->answer, e->word, sizeof(call->answer));
	bpf_probe_read_kernel(call->prefix, HTTP_PREFIX, s->prefix);
}

/* Forget the stack of a call's request, or with @st put it there. Was it? */
static inline int unpark_stack(struct sock *sk, u32 no, struct http_stack *st)
{
	struct queue_key key = {};
	struct http_stack *kept;

	key.sk = (u64)sk;
	key.no = no;
	if (st) {
		kept = parked.lookup(&key);
		if (!kept)
			return 0;
		bpf_probe_read_kernel(st, sizeof(*st), kept);
	}
	return !parked.delete(&key);
}

/* With its stack, if there is one, and room for it. */
static inline void submit_call(void *ctx, struct http_record *rec,
			       int has_stack)
{
	u64 size = sizeof(rec->call) + HTTP_STACK_HEAD;
	u32 bytes = rec->stack.stack_bytes;

	if (has_stack) {
		rec->call.flags |= HTTP_STACK;
		if (bytes > HTTP_STACK_BYTES)
			bytes = HTTP_STACK_BYTES;
		size += bytes;
		OPAQUE(size);
		if (size > sizeof(*rec) || nb_submit_try(ctx, rec, size) >= 0)
			return;
		rec->call.flags &= ~HTTP_STACK;
		count_unseen(HTTP_UNSEEN_STACK);
	}
	nb_submit(ctx, rec, sizeof(rec->call));
}

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
	e->tell = s->start_ns && e->now - s->start_ns >= e->c->min_ns;
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
		serve(e->sk, s->no, s->start_ns, e->id);
	if (s->owner != e->id >> 32)
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
	w = &sc->flow;
	w->id = e->id;
	w->sk = (u64)e->sk;
	w->now = e->now;
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
	struct http_sock *s = e->s;

	if (!sc || e->way != WAY_TX)
		return;
	if (!sc->flow.asks && e->now - s->start_ns < e->c->min_ns)
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
	pipe_take(e, 0, part);
	pipe_stack(e);
}

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

	if (!s || s->phase != HTTP_RESPONSE || e->way != request_way(s) ||
	    s->part_len || e->p.at != AT_NONE || e->p.len < HTTP_ANSWER)
		return 0;
	n = piece_head(&e->p, s->prefix, HTTP_PREFIX);
	if (!n || sniff(*(u64 *)s->prefix, n) != SNIFF_REQUEST)
		return 0;
	on_request(e, n);
	return 1;
}

/*
 * Most answers: one so soon that nobody is going to see the call, and of whose
 * bytes nothing need be known. 0: it is something else.
 */
static inline int on_fast_answer(struct event *e)
{
	struct http_sock *s = e->s;

	if (!s || !(s->flags & HTTP_ANSWERED) || s->piped ||
	    e->way == request_way(s) || s->no != s->last || s->part_len ||
	    e->now - s->start_ns >= e->c->min_ns)
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
