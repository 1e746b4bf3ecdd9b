/* SPDX-License-Identifier: Apache-2.0 */
/* May the kernel take the processor from a thread in the kernel? */
#ifndef NB_PREEMPT_H
#define NB_PREEMPT_H

#include <stdbool.h>

/*
 * Does it, by what it says of itself? @mode: debugfs' sched/preempt, in which
 * the mode in use is in parentheses, or NULL; @version: as of uname(2), with
 * PREEMPT where that was built in, or PREEMPT_DYNAMIC where it is chosen at the
 * start; @cmdline: /proc/cmdline, which may do that by preempt=MODE (all of
 * Linux 5.12's kernel/sched/core.c). Where nothing says so: no.
 */
bool nb_preempt_says(const char *mode, const char *version,
		     const char *cmdline);

/* The same of the running kernel. */
bool nb_preempt(void);

#endif
