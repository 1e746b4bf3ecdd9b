/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes on functions of the kernel's, as perf events. An entry needs no name.
 * A return that may have many calls under way gets a named event in tracefs
 * (Documentation/trace/kprobetrace.rst), as only that says how many and counts
 * what it missed. Names outlive a process that is killed: they are in the group
 * "netbcc", and what is there and not in use is a leftover.
 */
#ifndef NB_KPROBE_H
#define NB_KPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"

#define NB_KPROBES_MAX 32

/* The named events of this process. All zero: none. */
struct nb_kprobes {
	size_t n;
	char name[NB_KPROBES_MAX][64];
	int events;  /* tracefs' kprobe_events, once n > 0 */
	int profile; /* tracefs' kprobe_profile, or -1 */
};

/* Can functions be probed (CONFIG_KPROBE_EVENTS)? */
bool nb_kprobe_possible(struct nb_kernel *kernel);

/*
 * A perf event for the entry of @func, or for its return, of which @calls may
 * be under way at once (0: as the kernel likes, twice the number of CPUs or
 * more). A descriptor, which the caller closes before it calls
 * nb_kprobes_remove(), or -errno.
 */
int nb_kprobe_open(struct nb_kernel *kernel, struct nb_kprobes *kprobes,
		   const char *func, bool ret, unsigned calls);

/* Remove the names, once the events are closed. */
void nb_kprobes_remove(struct nb_kprobes *kprobes);

/*
 * How many returns were missed, as too many calls were under way (before Linux
 * 5.17 or so tracefs says 0).
 */
uint64_t nb_kprobes_missed(const struct nb_kprobes *kprobes);

/* Remove what netbcc's commands have left that were killed. */
void nb_kprobes_clean(struct nb_kernel *kernel);

#endif
