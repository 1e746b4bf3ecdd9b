/* SPDX-License-Identifier: Apache-2.0 */
/* The map "counters", shared by every eBPF text and lib/loop. */
#ifndef NB_COUNTERS_H
#define NB_COUNTERS_H

enum nb_counter {
	NB_COUNT_LOST,	 /* records that found the buffer full */
	NB_COUNT_FULL,	 /* entries that found a map full */
	NB_COUNT_MISSED, /* things that an event no program saw has cost */
	NB_COUNTERS,
};

/* For so long after it was woken up, a command looks for records itself. */
#define NB_QUIET_NS 10000000

#endif
