/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where servers wait: between a request and its answer, a thread that gives up
 * the processor of itself does so with the stack that tells why.
 */
#ifndef NB_BPF_WAITS_H
#define NB_BPF_WAITS_H

#include "events.bpf.h"
#include "procs.bpf.h"
#include "python.bpf.h"
#include "stack.bpf.h"
#include "thread.bpf.h"
#include "trace_http.h"

/* What a thread has received last, by its number. */
struct serving {
	u64 sk;
	u64 out_ns; /* since when it waits; 0: it does not */
	u32 no;	    /* 0: it has been answered */
	u32 pad;
};

BPF_F_TABLE("hash", u32, struct serving, servings, 16384, BPF_F_NO_PREALLOC);
BPF_F_TABLE("hash", u32, struct http_wait, waits, 1024, BPF_F_NO_PREALLOC);
BPF_PERCPU_ARRAY(wait_scratch, struct http_wait, 1);

/* The current thread has received a request. */
static inline void serve(struct sock *sk, u32 no, u32 tid)
{
	struct serving *s = servings.lookup(&tid), made = {};

	if (s) {
		s->sk = (u64)sk;
		s->no = no;
		s->out_ns = 0;
		return;
	}
	made.sk = (u64)sk;
	made.no = no;
	servings.insert(&tid, &made);
}

/* It is about to be answered. */
static inline void served(struct sock *sk, u32 tid)
{
	struct serving *s = servings.lookup(&tid);

	if (s && s->sk == (u64)sk)
		s->no = 0;
}

/* Of the thread that serves @s, the current one: who it is, and its stack. */
static inline void wait_take(void *ctx, const struct serving *s,
			     struct http_wait *w)
{
	u64 id = bpf_get_current_pid_tgid();

	w->no = s->no;
	w->sk = s->sk;
	w->pid = id >> 32;
	w->tid = id;
	http_python_take(id >> 32, &w->stack);
	http_stack_take(ctx, &w->stack,
			HTTP_STACK_WALK | HTTP_STACK_COPY | HTTP_STACK_PYTHON);
}

/* Hand it over. */
static inline void wait_submit(void *ctx, struct http_wait *w)
{
	u64 size = w->stack.stack_bytes;

	if (size > HTTP_STACK_BYTES)
		size = HTTP_STACK_BYTES;
	size += __builtin_offsetof(struct http_wait, stack.bytes);
	OPAQUE(size);
	if (size <= sizeof(*w))
		nb_submit(ctx, w, size);
}

/* The current thread is going to wait. */
static inline void wait_begins(void *ctx, u32 tid)
{
	struct serving *s = servings.lookup(&tid);
	int zero = 0;
	struct http_wait *w;

	if (!s || !s->no)
		return;
	w = wait_scratch.lookup(&zero);
	if (!w)
		return;
	w->kind = HTTP_REC_WAIT;
	wait_take(ctx, s, w);
	if (!waits.update(&tid, w))
		s->out_ns = bpf_ktime_get_ns();
}

/* The thread @tid, which is not the current one yet, goes on. */
static inline void wait_ends(void *ctx, const struct http_config *c, u32 tid)
{
	struct serving *s = servings.lookup(&tid);
	struct http_wait *w;
	u64 now;

	if (!s || !s->out_ns)
		return;
	now = bpf_ktime_get_ns();
	w = waits.lookup(&tid);
	if (w && s->no && now - s->out_ns >= c->wait_ns) {
		w->ns = now - s->out_ns;
		w->at_ns = now;
		wait_submit(ctx, w);
	}
	s->out_ns = 0;
	waits.delete(&tid);
}

static inline void on_switch(void *ctx, u64 preempt, struct task_struct *prev,
			     struct task_struct *next)
{
	struct http_config *c = get_config();

	if (!c || !(c->flags & HTTP_LIVE))
		return;
	if (!preempt)
		wait_begins(ctx, NB_GET(prev, pid));
	wait_ends(ctx, c, NB_GET(next, pid));
}

static inline void forget_thread(u32 tid)
{
	servings.delete(&tid);
	waits.delete(&tid);
	tls_threads.delete(&tid);
}

#endif
