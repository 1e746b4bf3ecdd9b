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
#else
/* The command sets the size when it creates the map. */
BPF_RINGBUF_OUTPUT(events, 1);

static inline void nb_submit(void *ctx, void *rec, u32 size)
{
	(void)ctx;
	if (events.ringbuf_output(rec, size, 0) < 0)
		nb_count(NB_COUNT_LOST);
}
#endif

#endif
