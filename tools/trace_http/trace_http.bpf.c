// SPDX-License-Identifier: GPL-2.0
/*
 * trace_http's eBPF text. A call is seen where its bytes go: what is sent as
 * TCP begins to take it from the process, what is received as the process gets
 * it.
 */
#pragma netbcc types sock inet_sock tcp_sock net
#pragma netbcc types msghdr iov_iter iovec
#pragma netbcc types task_struct signal_struct mm_struct pt_regs
#pragma netbcc types linux_binprm file dentry
#pragma netbcc field sock sk_protocol
#pragma netbcc field bpf_verifier_state may_goto_depth
#pragma netbcc field task_struct state
#pragma netbcc field tcp_sock tcp_clock_cache
#pragma netbcc field iov_iter __iov
#pragma netbcc field iov_iter iter_type
#pragma netbcc enum iter_type ITER_IOVEC
#pragma netbcc enum iter_type ITER_UBUF
#pragma netbcc cast tcp_sock
#pragma netbcc func bpf_task_pt_regs
#pragma netbcc func tcp_recvmsg
#pragma netbcc func tcp_sendmsg_locked
#pragma netbcc func tcp_sendpage_locked
#pragma netbcc func tcp_cleanup_rbuf
#pragma netbcc tracepoint sched_switch
#pragma netbcc tracepoint sock_recv_length
#pragma netbcc tracepoint tcp_destroy_sock
#pragma netbcc tracepoint tcp_sendmsg_locked

#ifdef NB_TYPES_HEADERS
#include <linux/binfmts.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#endif

#include "calls.bpf.h"
#include "func.bpf.h"
#include "kernel.bpf.h"
#include "pipe.bpf.h"
#include "procs.bpf.h"
#include "samples.bpf.h"
#include "sock.bpf.h"
#include "tcpclock.bpf.h"
#include "thread.bpf.h"
#include "tp.bpf.h"
#include "trace_http.h"
#include "underway.bpf.h"
#include "waits.bpf.h"

/* linux/socket.h: user-visible, so constant. */
#define MSG_PEEK 2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000
#define RECV_IGNORED (MSG_PEEK | MSG_TRUNC | MSG_ERRQUEUE)

/* Is the current process traced? */
static inline int is_traced(struct event *e)
{
	u32 tgid = e->id >> 32;
	u8 *proc;

	if (NB_RARE(!(e->c->flags & HTTP_NAMED)))
		return 1;
	proc = find_proc(tgid);
	return !NB_RARE(!proc) && *proc & HTTP_PROC_TRACED;
}

#ifdef NB_PLAN_tls
#include "tls.bpf.h"
#else
/*
 * What is sent or received is of interest: begin with *@e. Then the caller has
 * to unclaim().
 */
static inline int begin(struct event *e, void *ctx, struct sock *sk)
{
	e->c = get_config();
	if (NB_RARE(!e->c) || NB_RARE(!(e->c->flags & HTTP_LIVE)))
		return 0;
	e->id = bpf_get_current_pid_tgid();
	if (!is_traced(e))
		return 0;
	e->s = find_sock(sk);
	if (e->s && NB_RARE(e->s->role == HTTP_NOT)) {
		if (e->s->tls && e->c->flags & HTTP_SEES_TLS)
			tls_use(sk, e->id);
		return 0;
	}
	e->ctx = ctx;
	e->sk = sk;
	return claim();
}

/* 0: that was all. 1: the scratch says what is left to do; as of begin(). */
static inline int is_more(const struct event *e)
{
	if (e->more)
		return 1;
	unclaim();
	return 0;
}

/* As is_more(). */
static inline int on_send(void *ctx, struct sock *sk, struct msghdr *msg)
{
	struct event e;

	if (!begin(&e, ctx, sk))
		return 0;
	e.way = WAY_TX;
	e.more = 0;
	if (on_quick_answer(&e))
		return is_more(&e);
	e.now = bpf_ktime_get_ns();
	if (!on_fast_answer(&e)) {
		piece_of_msg(&e.p, msg);
		on_piece(&e);
	}
	return is_more(&e);
}

/* The same of a page in the kernel, of sendfile(2) before 6.5. */
static inline int on_send_page(void *ctx, struct sock *sk, u32 size)
{
	struct event e;

	if (!begin(&e, ctx, sk))
		return 0;
	e.way = WAY_TX;
	e.now = bpf_ktime_get_ns();
	e.more = 0;
	if (!on_fast_answer(&e)) {
		piece_set(&e.p, 0, 0, size);
		on_piece(&e);
	}
	return is_more(&e);
}

static inline int on_received(void *ctx, struct sock *sk, int bytes, u32 flags)
{
	struct event e;

	if (NB_RARE(bytes <= 0) || NB_RARE(flags & RECV_IGNORED))
		return 0;
	try_clock(sk);
	if (!begin(&e, ctx, sk))
		return 0;
	e.more = 0;
	if (NB_RARE(!e.s) && nb_sk_protocol(sk) != NB_IPPROTO_TCP)
		return is_more(&e);
	e.way = WAY_RX;
	e.now = received_ns(&e, flags);
#ifndef NB_PLAN_raw
	if (e.s && NB_RARE(e.s->rx_seen) && was_under_way(&e, bytes))
		return is_more(&e);
#endif
	if (on_fast_answer(&e)) {
		e.s->rx_bytes += bytes;
	} else {
		piece_of_call(&e.p, bytes);
		on_piece(&e);
	}
	return is_more(&e);
}

/* What they go on with, which looks through pieces of pipelined calls. */
BPF_PROG_ARRAY(http_send_next, 1);
BPF_PROG_ARRAY(http_send_page_next, 1);
BPF_PROG_ARRAY(http_received_next, 1);
BPF_PROG_ARRAY(http_receiving_next, 1);

#ifdef NB_PLAN_raw
/* tcp_sendmsg_locked(sk, msg, skb, size_goal) */
int http_send(NB_TP_CTX *ctx)
{
	if (!on_send(ctx, (struct sock *)NB_TP_ARG(ctx, 1),
		     (struct msghdr *)NB_TP_ARG(ctx, 2)))
		return 0;
	on_stack(ctx, (struct sock *)NB_TP_ARG(ctx, 1));
	if (pipe_scratch())
		http_send_next.call(ctx, 0);
	unclaim();
	return 0;
}

/* Behind it, as all functions with this name. */
int http_send_more(NB_TP_CTX *ctx)
{
	if (on_pipe(ctx, (struct sock *)NB_TP_ARG(ctx, 1)))
		http_send_next.call(ctx, 0);
	unclaim();
	return 0;
}

/* sock_recv_length(sk, ret, flags) */
int http_received(NB_TP_CTX *ctx)
{
	if (!on_received(ctx, (struct sock *)NB_TP_ARG(ctx, 1),
			 (int)NB_TP_ARG(ctx, 2), NB_TP_ARG(ctx, 3)))
		return 0;
	if (pipe_scratch())
		http_received_next.call(ctx, 0);
	unclaim();
	return 0;
}

int http_received_more(NB_TP_CTX *ctx)
{
	if (on_pipe(ctx, (struct sock *)NB_TP_ARG(ctx, 1)))
		http_received_next.call(ctx, 0);
	unclaim();
	return 0;
}
#else
#include "funcs.bpf.h"
#endif

/* tcp_destroy_sock(sk) */
int http_destroy(NB_TP_CTX *ctx)
{
	on_destroy(ctx, (struct sock *)NB_TP_ARG(ctx, 1));
	return 0;
}

/* sched_process_exec(task, old_pid, bprm) */
int http_exec(struct bpf_raw_tracepoint_args *ctx)
{
	on_exec(ctx, (struct task_struct *)ctx->args[0],
		(struct linux_binprm *)ctx->args[2]);
	return 0;
}

/* sched_process_fork(parent, child) */
int http_fork(struct bpf_raw_tracepoint_args *ctx)
{
	on_fork((struct task_struct *)ctx->args[0],
		(struct task_struct *)ctx->args[1]);
	return 0;
}

/* task_rename(task, name) */
int http_rename(struct bpf_raw_tracepoint_args *ctx)
{
	on_rename((struct task_struct *)ctx->args[0],
		  (const char *)ctx->args[1]);
	return 0;
}

/* sched_process_exit(task) */
int http_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];

	on_exit(task);
	forget_thread(NB_GET(task, pid));
	return 0;
}

/* sched_switch(preempt, prev, next) */
int http_switch(NB_TP_CTX *ctx)
{
	on_switch(ctx, NB_TP_ARG(ctx, 1) & 1,
		  (struct task_struct *)NB_TP_ARG(ctx, 2),
		  (struct task_struct *)NB_TP_ARG(ctx, 3));
	return 0;
}

/* HTTP_SAMPLE_HZ times a second, on each CPU */
int http_sample(void *ctx)
{
	on_sample(ctx);
	return 0;
}
#endif
