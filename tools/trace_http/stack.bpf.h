/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Taking the current thread's user stack: registers, return addresses along the
 * frame pointers, and a copy of the stack for DWARF. Out of any program that
 * runs in the thread, from its system calls or from uprobes. The text wants the
 * types task_struct and pt_regs, and says
 *
 *	#pragma netbcc func bpf_task_pt_regs
 */
#ifndef HTTP_STACK_BPF_H
#define HTTP_STACK_BPF_H

#include "kernel.bpf.h"
#include "stack.h"
#include "syscall.bpf.h"

#ifdef NB_ARCH_arm64
#define HTTP_REGS_TOP 16384 /* THREAD_SIZE, with pages of 4 or 16 kB */

static inline int http_regs_keep(struct http_stack *st, struct pt_regs *regs)
{
	if (regs->pstate & 0x1f) /* not EL0t of the 64-bit kind */
		return 0;
	st->ip = regs->pc;
	st->sp = regs->sp;
	st->bp = regs->regs[29];
	for (int i = 0; i < 10; i++)
		st->saved[i] = regs->regs[19 + i];
	st->saved[10] = regs->regs[30];
	return 1;
}
#else
#define HTTP_REGS_TOP 16384 /* THREAD_SIZE without KASAN */

static inline int http_regs_keep(struct http_stack *st, struct pt_regs *regs)
{
	if ((regs->cs & 0xffff) != 0x33) /* __USER_CS */
		return 0;
	st->ip = regs->ip;
	st->sp = regs->sp;
	st->bp = regs->bp;
	st->saved[0] = regs->bx;
	st->saved[1] = regs->r12;
	st->saved[2] = regs->r13;
	st->saved[3] = regs->r14;
	st->saved[4] = regs->r15;
	return 1;
}
#endif

/*
 * The registers with which the thread came into the kernel are on top of its
 * kernel stack. bpf_task_pt_regs() (Linux 5.15) knows where exactly; without it
 * they are taken from where they are on kernels older than it.
 */
static inline int http_regs_read(struct http_stack *st)
{
	struct pt_regs *regs = (void *)st->bytes;
#ifdef NB_ARGS_bpf_task_pt_regs
	void *from = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
#else
	struct task_struct *task = (void *)bpf_get_current_task();
	void *from = NB_GET(task, stack) + HTTP_REGS_TOP - sizeof(*regs);
#endif

	/* For now to where the copy comes to be: programs' stacks are small. */
	if (bpf_probe_read_kernel(regs, sizeof(*regs), from))
		return 0;
	return http_regs_keep(st, regs);
}

/*
 * As much as is mapped from the stack pointer on, at most HTTP_STACK_BYTES: by
 * chunks, of which the last one ends with the page where a chunk fails.
 */
static inline void http_stack_copy(struct http_stack *st)
{
	u64 sp = st->sp;
	u32 rest = HTTP_STACK_CHUNK - (sp & (HTTP_STACK_CHUNK - 1));
	u32 i;

#pragma unroll
	for (i = 0; i < HTTP_STACK_BYTES / HTTP_STACK_CHUNK; i++) {
		u8 *to = st->bytes + i * HTTP_STACK_CHUNK;
		void *from = (void *)(sp + i * HTTP_STACK_CHUNK);

		if (bpf_probe_read_user(to, HTTP_STACK_CHUNK, from)) {
			if (!bpf_probe_read_user(to, rest, from))
				st->stack_bytes += rest;
			return;
		}
		st->stack_bytes += HTTP_STACK_CHUNK;
	}
	st->flags |= HTTP_STACK_ALL;
}

/*
 * Take what @want says (HTTP_STACK_WALK, HTTP_STACK_COPY) into *@st, which is
 * in a map and keeps what it had of CPython's: http_python_take(), which needs
 * bytes[], comes before. @ctx: the program's.
 */
static inline void http_stack_take(void *ctx, struct http_stack *st, u32 want)
{
	long n;

	st->flags = want;
	st->ip = 0;
	st->sp = 0;
	st->err = 0;
	st->nips = 0;
	st->stack_bytes = 0;
	if (want & HTTP_STACK_WALK) {
		n = bpf_get_stack(ctx, st->ips, sizeof(st->ips),
				  BPF_F_USER_STACK);
		if (n < 0)
			st->err = (s32)n;
		else
			st->nips = (u32)n >> 3;
	}
	if (nb_task_compat()) {
		st->flags |= HTTP_STACK_COMPAT;
		return;
	}
	if (!http_regs_read(st))
		return;
	st->flags |= HTTP_STACK_REGS;
	if (want & HTTP_STACK_COPY)
		http_stack_copy(st);
}

#endif
