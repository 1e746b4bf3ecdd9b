/* SPDX-License-Identifier: GPL-2.0 */
/* What the hooks on system calls see. */
#ifndef NB_BPF_SYSCALL_H
#define NB_BPF_SYSCALL_H

#include "kernel.bpf.h"

/*
 * The records of the tracepoints syscalls/sys_enter_* and sys_exit_*, as their
 * "format" files give them; the same since they came to be.
 */
struct nb_sys_enter {
	u64 common;
	s64 nr;
	u64 args[6];
};

struct nb_sys_exit {
	u64 common;
	s64 nr;
	s64 ret;
};

/*
 * The raw tracepoints sys_enter (regs, nr) and sys_exit (regs, ret) serve all
 * system calls; numbers are those of the native ABI.
 */
#ifdef NB_ARCH_arm64
#define NB_SYSCALL_NR(regs) NB_GET(regs, syscallno)
#define NB_SYSCALL_ARG1(regs) NB_GET(regs, orig_x0)
#define NB_SYSCALL_ARG2(regs) NB_GET(regs, regs[1])
#define NB_SYSCALL_ARG3(regs) NB_GET(regs, regs[2])
#define NB_NR_accept 202
#define NB_NR_connect 203
#define NB_NR_accept4 242
#else
#define NB_SYSCALL_NR(regs) NB_GET(regs, orig_ax)
#define NB_SYSCALL_ARG1(regs) NB_GET(regs, di)
#define NB_SYSCALL_ARG2(regs) NB_GET(regs, si)
#define NB_SYSCALL_ARG3(regs) NB_GET(regs, dx)
#define NB_NR_connect 42
#define NB_NR_accept 43
#define NB_NR_accept4 288
#endif

/* Is the current system call one of the 32-bit ABI, with other numbers? */
static inline int nb_task_compat(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

#ifdef NB_ARCH_arm64
	return NB_GET(task, thread_info.flags) >> 22 & 1; /* TIF_32BIT */
#else
	return NB_GET(task, thread_info.status) & 2; /* TS_COMPAT */
#endif
}

#endif
