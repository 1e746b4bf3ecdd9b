// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

/* Nothing where a clock has gone back. */
static uint64_t since(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

void in_stages_get(const void *rec, uint64_t *ret)
{
	const struct in_times *times = rec;
	/* Without functions to look at, all before the socket is IP's. */
	uint64_t tcp = times->tcp ? times->tcp : times->socket;
	/* Where the driver has called the protocols itself. */
	uint64_t stack = times->stack ? times->stack : times->driver;

	ret[IN_MAC] = since(times->driver, stack);
	ret[IN_IP] = since(stack, tcp);
	ret[IN_TCP] = since(tcp, times->read);
	ret[IN_TOTAL] = ret[IN_MAC] + ret[IN_IP] + ret[IN_TCP];
	ret[IN_GRO] =
		times->queued || times->moved ? NB_DELAY_UNKNOWN : ret[IN_MAC];
	ret[IN_SOFTIRQ] = times->queued ? ret[IN_MAC] : NB_DELAY_UNKNOWN;
	ret[IN_BACKLOG] = times->tcp && times->unlocked
				  ? since(times->tcp, times->unlocked)
				  : NB_DELAY_UNKNOWN;
	ret[IN_APP] = since(times->socket, times->read);
}
