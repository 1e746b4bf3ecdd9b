// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

/* Nothing where a clock has gone back. */
static uint64_t since(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

void out_stages_get(const void *rec, uint64_t *ret)
{
	const struct out_times *times = rec;
	/* Without functions to look at, all before the queue is IP's. */
	uint64_t ip = times->ip ? times->ip : times->begun;

	ret[OUT_TCP] = times->ip ? since(times->begun, ip) : NB_DELAY_UNKNOWN;
	ret[OUT_IP] = ip ? since(ip, times->queued) : NB_DELAY_UNKNOWN;
	ret[OUT_QDISC] = since(times->queued, times->sent);
	ret[OUT_TOTAL] = ret[OUT_QDISC] + (ip ? ret[OUT_IP] : 0) +
			 (times->ip ? ret[OUT_TCP] : 0);
	ret[OUT_SOCK] = times->called && times->begun
				? since(times->called, times->begun)
				: NB_DELAY_UNKNOWN;
	ret[OUT_DRIVER] = times->done ? since(times->sent, times->done)
				      : NB_DELAY_UNKNOWN;
}
