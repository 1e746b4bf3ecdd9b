/* SPDX-License-Identifier: Apache-2.0 */
/* May the kernel take the processor from a thread in the kernel? */
#ifndef NB_PREEMPT_H
#define NB_PREEMPT_H

#include <stdbool.h>

/*
 * Does it, by what it says of itself? @mode: debugfs' sched/preempt, in which
 * the mode in use is in parentheses (sched_dynamic_show() in kernel/sched), or
 * NULL; @version: as of uname(2), with PREEMPT or PREEMPT_RT where that was
 * built in, or PREEMPT_DYNAMIC where it is chosen at the start (init/Makefile);
 * @cmdline: /proc/cmdline, which may do that by preempt=MODE. Where nothing
 * says so: no, though such a kernel may have been built to.
 */
bool nb_preempt_says(const char *mode, const char *version,
		     const char *cmdline);

/* The same of the running kernel. */
bool nb_preempt(void);

#endif
