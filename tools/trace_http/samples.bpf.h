/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where servers compute: what a thread is doing now and then, between a request
 * and its answer. Runs in interrupts, so that it interrupts all others; but the
 * thread's registers are on top of its kernel stack as ever, be it that this or
 * an earlier system call or fault came from user space.
 */
#ifndef NB_BPF_SAMPLES_H
#define NB_BPF_SAMPLES_H

#include "calls.bpf.h"
#include "trace_http.h"
#include "waits.bpf.h"

BPF_PERCPU_ARRAY(young_next, u32, 1);

/*
 * Most calls are answered in time, and it would be waste to let user space have
 * what comes of them. But of one that is not all samples count: those of its
 * youth are kept, and handed over when it turns out late.
 */
static inline void on_sample(void *ctx)
{
	u32 tid = bpf_get_current_pid_tgid(), at;
	struct running *s = get_running();
	struct http_config *c;
	struct http_sock *sock;
	struct http_wait *w;
	int zero = 0;
	u32 *next;

	if (!s)
		return;
	s->sampled = bpf_ktime_get_ns();
	s->fresh = 0;
	if (!none_out(tid))
		is_in(tid, s);
	if (s->tid != tid || !s->no)
		return;
	sock = unanswered(s);
	if (!sock)
		return;
	c = get_config();
	if (!c)
		return;
	next = young_next.lookup(&zero);
	if (!next)
		return;
	at = bpf_get_smp_processor_id() * HTTP_YOUNG_CPU +
	     *next % HTTP_YOUNG_CPU;
	w = young.lookup(&at);
	if (!w)
		return;
	w->kind = HTTP_REC_SAMPLE;
	w->ns = HTTP_SAMPLE_NS;
	w->at_ns = s->sampled;
	wait_take(ctx, s, w);
	if (w->at_ns - sock->start_ns < c->young_ns &&
	    sock->nyoung < HTTP_YOUNG) {
		sock->young[sock->nyoung++ & (HTTP_YOUNG - 1)] = at;
		*next += 1;
	} else {
		wait_submit(ctx, w);
	}
}

#endif
