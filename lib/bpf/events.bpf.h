/* SPDX-License-Identifier: GPL-2.0 */
/* Records to user space, and the count of those that were lost. */
#ifndef NB_BPF_EVENTS_H
#define NB_BPF_EVENTS_H

#include "counters.h"

BPF_ARRAY(counters, u64, NB_COUNTERS);

static void nb_count(int which)
{
	u64 *n = counters.lookup(&which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

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
