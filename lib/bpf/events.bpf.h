/* SPDX-License-Identifier: GPL-2.0 */
/* Records to user space, and the count of those that were lost. */
#ifndef NB_BPF_EVENTS_H
#define NB_BPF_EVENTS_H

#include "count.bpf.h"

/* A record that finds its buffer full is counted. */
#ifdef NB_PERF_BUFFER
BPF_PERF_OUTPUT(events);

static inline void nb_submit(void *ctx, void *rec, u32 size)
{
	if (events.perf_submit(ctx, rec, size) < 0)
		nb_count(NB_COUNT_LOST);
}

#define nb_submit_quietly nb_submit
#else
/* The command sets the size when it creates the map. */
BPF_RINGBUF_OUTPUT(events, 1);

static inline void nb_submit(void *ctx, void *rec, u32 size)
{
	(void)ctx;
	if (events.ringbuf_output(rec, size, 0) < 0)
		nb_count(NB_COUNT_LOST);
}

#ifdef NB_QUIET
/*
 * Without waking the command up, which takes several times as long, but for one
 * record in NB_QUIET of a processor's. The command looks for itself now and
 * then. The text defines NB_QUIET.
 */
BPF_PERCPU_ARRAY(quiet, u32, 1);

static inline void nb_submit_quietly(void *ctx, void *rec, u32 size)
{
	int zero = 0;
	u32 *n = quiet.lookup(&zero);
	u64 how = BPF_RB_NO_WAKEUP;

	(void)ctx;
	if (n && ++*n % NB_QUIET == 0)
		how = BPF_RB_FORCE_WAKEUP;
	if (events.ringbuf_output(rec, size, how) < 0)
		nb_count(NB_COUNT_LOST);
}
#endif
#endif

#endif
