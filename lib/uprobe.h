/* SPDX-License-Identifier: Apache-2.0 */
/* Uprobes: programs on functions of files, in whatever process runs them. */
#ifndef NB_UPROBE_H
#define NB_UPROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/* Does the kernel have them? 0, or -EOPNOTSUPP with the reason in @why. */
int nb_uprobe_usable(struct nb_error *why);

/*
 * What a program is to be loaded for (enum bpf_attach_type): where the kernel
 * has them (Linux 6.6) it is attached by links of their own, which are gone at
 * once if they are closed at once, while perf events wait for each other.
 */
int nb_uprobe_attach_type(void);

/*
 * Run the program @prog (of the type kprobe) as any process gets to the
 * instruction at @offset, in bytes, of the file at @path; with @ret as the
 * function that begins there returns. The file is looked up now: what comes to
 * be at @path later is another one. A descriptor, which ends it when the caller
 * closes it, or -errno. Takes CAP_SYS_ADMIN; of some kernels since
 * Linux 5.8 CAP_PERFMON will do.
 */
int nb_uprobe_attach(const char *path, uint64_t offset, bool ret, int prog);

#endif
