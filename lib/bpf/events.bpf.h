/* SPDX-License-Identifier: GPL-2.0 */
/* Records to user space, and the count of those that were lost. */
#ifndef NB_BPF_EVENTS_H
#define NB_BPF_EVENTS_H

#include "count.bpf.h"
#include "counters.h"

/* A record that finds its buffer full is counted. */
#ifdef NB_PERF_BUFFER
BPF_PERF_OUTPUT(events);

/* 0, or -errno: there is no room. That is not counted. */
static inline int nb_submit_try(void *ctx, void *rec, u32 size)
{
	return events.perf_submit(ctx, rec, size);
}

static inline void nb_submit(void *ctx, void *rec, u32 size)
{
	if (events.perf_submit(ctx, rec, size) < 0)
		nb_count(NB_COUNT_LOST);
}

#define nb_submit_quietly nb_submit
#define nb_submit_soon(ctx, rec, size, now) nb_submit(ctx, rec, size)
#else
/* The command sets the size when it creates the map. */
BPF_RINGBUF_OUTPUT(events, 1);

static inline int nb_submit_try(void *ctx, void *rec, u32 size)
{
	(void)ctx;
	return events.ringbuf_output(rec, size, 0);
}

static inline void nb_submit(void *ctx, void *rec, u32 size)
{
	(void)ctx;
	if (events.ringbuf_output(rec, size, 0) < 0)
		nb_count(NB_COUNT_LOST);
}

#ifdef NB_QUIET
/* Of a processor: what the command was not woken up for. */
struct nb_quiet {
	u64 woken; /* when it was, CLOCK_MONOTONIC */
	u32 n;	   /* records of nb_submit_quietly() */
	u32 pad;
};

BPF_PERCPU_ARRAY(quiet, struct nb_quiet, 1);

static inline void nb_submit_how(void *rec, u32 size, u64 how)
{
	if (events.ringbuf_output(rec, size, how) < 0)
		nb_count(NB_COUNT_LOST);
}

/*
 * Without waking the command up, which takes several times as long, but for one
 * record in NB_QUIET of a processor's. The command looks for itself now and
 * then. The text defines NB_QUIET.
 */
static inline void nb_submit_quietly(void *ctx, void *rec, u32 size)
{
	int zero = 0;
	struct nb_quiet *q = quiet.lookup(&zero);
	u64 how = BPF_RB_NO_WAKEUP;

	(void)ctx;
	if (q && ++q->n % NB_QUIET == 0)
		how = BPF_RB_FORCE_WAKEUP;
	nb_submit_how(rec, size, how);
}

/*
 * The same for records that are to be seen soon: the first one after
 * NB_QUIET_NS wakes the command up, which goes on looking for that long
 * (nb_loop_linger()).
 * @now: CLOCK_MONOTONIC.
 */
static inline void nb_submit_soon(void *ctx, void *rec, u32 size, u64 now)
{
	int zero = 0;
	struct nb_quiet *q = quiet.lookup(&zero);
	u64 how = BPF_RB_FORCE_WAKEUP;

	(void)ctx;
	if (q && now - q->woken <= NB_QUIET_NS)
		how = BPF_RB_NO_WAKEUP;
	else if (q)
		q->woken = now;
	nb_submit_how(rec, size, how);
}
#endif
#endif

#endif
