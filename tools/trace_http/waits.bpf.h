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
#include "socks.bpf.h"
#include "stack.bpf.h"
#include "thread.bpf.h"
#include "tp.bpf.h"
#include "trace_http.h"

/* What the thread that runs on a CPU has received last. */
struct running {
	u64 sk;
	u64 start_ns; /* of the call: another socket may have this address */
	u32 no;	      /* 0: it has been answered */
	u32 tid;      /* whose this is; 0: nobody's */
	u64 sampled;  /* when the CPU was looked at last */
	u32 fresh;    /* and is going to be, but was not since the request */
	u32 pad;
};

/* The same of one that does not run, by its number. */
struct serving {
	u64 sk;
	u64 start_ns;
	u64 out_ns; /* since when it waits; 0: it only lost the processor */
	u32 no;	    /* 0: it runs, or has nothing to answer */
	u32 pad;
};

BPF_PERCPU_ARRAY(runnings, struct running, 1);
BPF_F_TABLE("hash", u32, struct serving, servings, 16384, BPF_F_NO_PREALLOC);
/* How many of these there are, by the last bits of their threads' numbers. */
#define OUT 16384
BPF_ARRAY(out, u32, OUT);
BPF_F_TABLE("hash", u32, struct http_wait, waits, 1024, BPF_F_NO_PREALLOC);
BPF_PERCPU_ARRAY(wait_scratch, struct http_wait, 1);

static inline struct running *get_running(void)
{
	int zero = 0;

	return runnings.lookup(&zero);
}

/*
 * The current thread has received a request, of which the first bytes were
 * there just now (@is_new), or earlier. Programs of uprobes may lose the
 * processor here, and another thread leave its own behind, or a sample: so
 * nobody's until it is looked at once more. In the worst case a wait goes
 * unseen.
 */
static inline void serve(struct sock *sk, u32 no, u64 start_ns, u32 tid,
			 int is_new)
{
	volatile struct running *r = get_running();

	if (!r)
		return;
	r->tid = 0;
	r->sk = (u64)sk;
	r->no = no;
	r->start_ns = start_ns;
#ifdef NB_PLAN_tls
	r->fresh = 0;
#else
	r->fresh = is_new && start_ns - r->sampled < 2 * HTTP_SAMPLE_NS;
#endif
	if (r->sk == (u64)sk)
		r->tid = tid;
}

/*
 * It is about to be answered, and has had the processor ever since, which is
 * looked at all the time but was not meanwhile: so it is soon, and no clock
 * need be read, which is a third of what an answer takes. 0: that is not known.
 */
static inline int served_quickly(struct sock *sk, u32 no, u32 tid)
{
	struct running *r = get_running();

	if (!r || !r->fresh || r->tid != tid || r->sk != (u64)sk || r->no != no)
		return 0;
	r->no = 0;
	return 1;
}

/* It is about to be answered. */
static inline void served(struct sock *sk, u32 tid)
{
	struct running *r = get_running();

	if (r && r->tid == tid && r->sk == (u64)sk)
		r->no = 0;
}

/* Of the current thread, whose @r is: what it serves, who it is, its stack. */
static inline void wait_take(void *ctx, const struct running *r,
			     struct http_wait *w)
{
	u64 id = bpf_get_current_pid_tgid();

	w->no = r->no;
	w->sk = r->sk;
	w->start_ns = r->start_ns;
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

static inline void count_out(u32 tid, u32 n)
{
	u32 at = tid % OUT, *count = out.lookup(&at);

	if (count)
		__sync_fetch_and_add(count, n);
}

/* Is none of these threads out? */
static inline int none_out(u32 tid)
{
	u32 at = tid % OUT, *count = out.lookup(&at);

	return count && !*count;
}

/* The current thread is going to wait: since when. 0: it is not known. */
static inline u64 wait_begins(void *ctx, const struct running *r)
{
	struct http_wait *w;
	u32 tid = r->tid;
	int zero = 0;

	w = wait_scratch.lookup(&zero);
	if (!w)
		return 0;
	w->kind = HTTP_REC_WAIT;
	wait_take(ctx, r, w);
	return waits.update(&tid, w) ? 0 : bpf_ktime_get_ns();
}

/* The current thread, which serves what is in @r, stops running. */
static inline void goes_out(void *ctx, const struct running *r, int is_wait)
{
	struct serving made = {}, *s;
	u32 tid = r->tid, was = 0;

	made.sk = r->sk;
	made.start_ns = r->start_ns;
	made.no = r->no;
	if (is_wait)
		made.out_ns = wait_begins(ctx, r);
	s = servings.lookup(&tid);
	if (s) {
		was = s->no;
		*s = made;
	} else if (servings.insert(&tid, &made)) {
		waits.delete(&tid);
		return;
	}
	if (!was)
		count_out(tid, 1);
}

static inline void wait_ends(void *ctx, const struct http_config *c, u32 tid,
			     const struct serving *s)
{
	u64 now = bpf_ktime_get_ns();
	struct http_wait *w = waits.lookup(&tid);

	if (w && now - s->out_ns >= c->wait_ns) {
		w->ns = now - s->out_ns;
		w->at_ns = now;
		wait_submit(ctx, w);
	}
	waits.delete(&tid);
}

/* The thread @tid, which is not the current one yet, goes on. */
static inline void comes_in(void *ctx, const struct http_config *c, u32 tid,
			    struct running *r)
{
	struct serving *s = servings.lookup(&tid);

	if (!s || !s->no)
		return;
	count_out(tid, -1);
	if (s->out_ns)
		wait_ends(ctx, c, tid, s);
	r->sk = s->sk;
	r->start_ns = s->start_ns;
	r->no = s->no;
	r->tid = tid;
	s->no = 0;
}

/* The socket of what @r serves. NULL: another thread has answered. */
static inline struct http_sock *unanswered(const struct running *r)
{
	struct http_sock *s = find_sock((struct sock *)r->sk);

	if (!s || s->no != r->no || s->start_ns != r->start_ns)
		return 0;
	return s->phase == HTTP_REQUEST ? s : 0;
}

/*
 * The current thread @tid runs, though it was not seen to come in again: there
 * are threads that a kernel shows to nobody as they stop running. How long it
 * was out is not known then, but what it serves is, unless that has been
 * something else since.
 */
static inline void is_in(u32 tid, struct running *r)
{
	struct serving *s = servings.lookup(&tid);
	u32 no;

	if (!s || !s->no)
		return;
	no = s->no;
	s->no = 0;
	count_out(tid, -1);
	waits.delete(&tid);
	if (r->tid == tid)
		return;
	r->sk = s->sk;
	r->start_ns = s->start_ns;
	r->no = no;
	r->tid = tid;
	if (!unanswered(r))
		r->no = 0;
}

static inline u32 tid_of(struct task_struct *task)
{
	return FIELD(task, pid);
}

/*
 * Does it wait, or could it go on? Where the kernel has the processor taken
 * from it on its way back to user space, that is called no preemption.
 */
static inline int is_waiting(struct task_struct *task)
{
#if defined(NB_OFFSET_task_struct_state) || \
	(defined(NB_TYPES_HEADERS) &&       \
	 LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0))
	return FIELD(task, state) != 0;
#else
	return FIELD(task, __state) != 0;
#endif
}

static inline void on_switch(void *ctx, u64 preempt, struct task_struct *prev,
			     struct task_struct *next)
{
	struct http_config *c = get_config();
	struct running *r = get_running();
	u32 tid;

	if (!c || !r || !(c->flags & HTTP_LIVE))
		return;
	tid = tid_of(prev);
	if (!none_out(tid))
		is_in(tid, r);
	if (r->no && r->tid == tid)
		goes_out(ctx, r, !preempt && is_waiting(prev));
	r->no = 0;
	r->tid = 0;
	r->fresh = 0;
	tid = tid_of(next);
	if (!none_out(tid))
		comes_in(ctx, c, tid, r);
}

/* The current thread, which ends. */
static inline void forget_thread(u32 tid)
{
	struct running *r = get_running();

	if (r && !none_out(tid))
		is_in(tid, r);
	if (r)
		r->no = 0;
	servings.delete(&tid);
	waits.delete(&tid);
	tls_threads.delete(&tid);
}

#endif
