/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs of trace_http.bpf.c that are on functions of the kernel's, where
 * it has no tracepoints that will do.
 */
#ifndef NB_BPF_FUNCS_H
#define NB_BPF_FUNCS_H

#include "calls.bpf.h"
#include "func.bpf.h"
#include "pipe.bpf.h"
#include "tp.bpf.h"
#include "underway.bpf.h"

/* tcp_sendmsg_locked(sk, msg, size) */
int http_send(NB_FUNC_CTX *ctx)
{
	if (!on_send(ctx, NB_FUNC_ARG(ctx, 1), NB_FUNC_ARG(ctx, 2)))
		return 0;
	on_stack(ctx, NB_FUNC_ARG(ctx, 1));
	if (pipe_scratch())
		http_send_next.call(ctx, 0);
	unclaim();
	return 0;
}

/* Behind it, as all functions with this name. */
int http_send_more(NB_FUNC_CTX *ctx)
{
	if (on_pipe(ctx, NB_FUNC_ARG(ctx, 1)))
		http_send_next.call(ctx, 0);
	unclaim();
	return 0;
}

/* tcp_sendpage_locked(sk, page, offset, size, flags) */
int http_send_page(NB_FUNC_CTX *ctx)
{
	if (!on_send_page(ctx, NB_FUNC_ARG(ctx, 1), (u64)NB_FUNC_ARG(ctx, 4)))
		return 0;
	on_stack(ctx, NB_FUNC_ARG(ctx, 1));
	if (pipe_scratch())
		http_send_page_next.call(ctx, 0);
	unclaim();
	return 0;
}

int http_send_page_more(NB_FUNC_CTX *ctx)
{
	if (on_pipe(ctx, NB_FUNC_ARG(ctx, 1)))
		http_send_page_next.call(ctx, 0);
	unclaim();
	return 0;
}

/*
 * tcp_recvmsg(sk, msg, len, flags, addr_len), before 5.19 with nonblock behind
 * len.
 */
#if defined(NB_ARGS_tcp_recvmsg) && NB_ARGS_tcp_recvmsg == 6
#define RECV_FLAGS(ctx) ((u64)NB_FUNC_ARG(ctx, 5))
#else
#define RECV_FLAGS(ctx) ((u64)NB_FUNC_ARG(ctx, 4))
#endif

/*
 * tcp_cleanup_rbuf(sk, copied), which others call too: of a socket in softirq,
 * whoever is interrupted then, nobody has the lock.
 */
int http_receiving(NB_FUNC_CTX *ctx)
{
	int bytes = (u64)NB_FUNC_ARG(ctx, 2);
	struct event e;

	e.c = get_config();
	if (bytes <= 0 || !e.c || !(e.c->flags & HTTP_LIVE))
		return 0;
	e.id = bpf_get_current_pid_tgid();
	if (!is_traced(&e))
		return 0;
	e.ctx = ctx;
	e.sk = NB_FUNC_ARG(ctx, 1);
	if (find_sock(e.sk) || !FIELD(e.sk, sk_lock.owned) ||
	    flags_of_call() & RECV_IGNORED)
		return 0;
	if (!claim())
		return 0;
	on_under_way(&e, bytes);
	if (pipe_scratch())
		http_receiving_next.call(ctx, 0);
	unclaim();
	return 0;
}

int http_receiving_more(NB_FUNC_CTX *ctx)
{
	if (on_pipe(ctx, NB_FUNC_ARG(ctx, 1)))
		http_receiving_next.call(ctx, 0);
	unclaim();
	return 0;
}

#ifdef NB_FENTRY
int http_received(NB_FUNC_CTX *ctx)
{
	if (!on_received(ctx, NB_FUNC_ARG(ctx, 1),
			 (int)NB_FUNC_RET(ctx, tcp_recvmsg), RECV_FLAGS(ctx)))
		return 0;
	if (pipe_scratch())
		http_received_next.call(ctx, 0);
	unclaim();
	return 0;
}

int http_received_more(NB_FUNC_CTX *ctx)
{
	if (on_pipe(ctx, NB_FUNC_ARG(ctx, 1)))
		http_received_next.call(ctx, 0);
	unclaim();
	return 0;
}
#else
/* A receive call that is under way, by thread. */
struct call {
	struct sock *sk;
	u64 flags;
};

BPF_HASH(calls, u64, struct call, 4096);

/* Of traced processes only, and of sockets that are of interest. */
static inline void on_receive(struct sock *sk, u64 flags)
{
	struct call call = {};
	struct event e;

	if (!begin(&e, 0, sk))
		return;
	call.sk = sk;
	call.flags = flags;
	if (calls.update(&e.id, &call))
		nb_count(NB_COUNT_MISSED);
	unclaim();
}

int http_receive(NB_FUNC_CTX *ctx)
{
	on_receive(NB_FUNC_ARG(ctx, 1), RECV_FLAGS(ctx));
	return 0;
}

int http_received(NB_FUNC_CTX *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct call *found = calls.lookup(&id), call;

	if (!found)
		return 0;
	call = *found;
	calls.delete(&id);
	if (!on_received(ctx, call.sk, (int)NB_FUNC_RET(ctx, tcp_recvmsg),
			 call.flags))
		return 0;
	if (pipe_scratch())
		http_received_next.call(ctx, 0);
	unclaim();
	return 0;
}

int http_received_more(NB_FUNC_CTX *ctx)
{
	struct scratch *sc = pipe_scratch();

	if (sc && on_pipe(ctx, (struct sock *)sc->flow.sk))
		http_received_next.call(ctx, 0);
	unclaim();
	return 0;
}
#endif

#endif
