/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What user space is told of a call: its beginning and answer, with the stack,
 * and its end.
 */
#ifndef NB_BPF_TELL_H
#define NB_BPF_TELL_H

#include "events.bpf.h"
#include "procs.bpf.h"
#include "sock.bpf.h"
#include "socks.bpf.h"
#include "stack.bpf.h"
#include "trace_http.h"

#define UNTAKEN (1U << 28) /* bytes at most, at once */

/*
 * Bytes of the call, if the last one sent is at @end: none if that is before
 * its beginning, as not all was taken of what it was to be sent with.
 */
static inline u32 bytes_until(const struct http_sock *s, u32 end)
{
	return s->tx_start - end < UNTAKEN ? 0 : end - s->tx_start;
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
	return bytes_until(s, end);
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
	if (NB_RARE(s->flags & HTTP_SLOW))
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

#endif
