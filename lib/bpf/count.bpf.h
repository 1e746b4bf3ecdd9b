/* SPDX-License-Identifier: GPL-2.0 */
/* Counting what could not be shown. */
#ifndef NB_BPF_COUNT_H
#define NB_BPF_COUNT_H

#include "counters.h"

BPF_ARRAY(counters, u64, NB_COUNTERS);

static void nb_count(int which)
{
	u64 *n = counters.lookup(&which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

#endif
