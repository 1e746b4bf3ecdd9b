/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs on functions of the kernel's, written once for fentry and kprobes:
 *
 *	int on_send(NB_FUNC_CTX *ctx)
 *	{
 *		struct sock *sk = NB_FUNC_ARG(ctx, 1);
 *
 *	int on_sent(NB_FUNC_CTX *ctx)
 *	{
 *		long ret = NB_FUNC_RET(ctx, tcp_sendmsg);
 *
 * At a function's return a kprobe does not know its arguments any more: what is
 * wanted of them has to be kept at its entry. NB_FUNC_RET wants the text to say
 * "#pragma netbcc func tcp_sendmsg" (lib/cc/types.h): behind the arguments is
 * what it returns.
 */
#ifndef NB_BPF_FUNC_H
#define NB_BPF_FUNC_H

#include "kernel.bpf.h"

#ifdef NB_FENTRY
#define NB_FUNC_CTX unsigned long long
#define NB_FUNC_ARG(ctx, n) ((void *)(ctx)[(n)-1])
#define NB_FUNC_RET(ctx, func) ((long)(ctx)[NB_ARGS_##func])
#else
#define NB_FUNC_CTX struct pt_regs
#define NB_FUNC_ARG(ctx, n) ((void *)NB_FUNC_ARG##n(ctx))
#ifdef NB_ARCH_arm64
#define NB_FUNC_ARG1(c) (c)->regs[0]
#define NB_FUNC_ARG2(c) (c)->regs[1]
#define NB_FUNC_ARG3(c) (c)->regs[2]
#define NB_FUNC_ARG4(c) (c)->regs[3]
#define NB_FUNC_ARG5(c) (c)->regs[4]
#define NB_FUNC_RET(ctx, func) ((long)(ctx)->regs[0])
#else
#define NB_FUNC_ARG1(c) (c)->di
#define NB_FUNC_ARG2(c) (c)->si
#define NB_FUNC_ARG3(c) (c)->dx
#define NB_FUNC_ARG4(c) (c)->cx
#define NB_FUNC_ARG5(c) (c)->r8
#define NB_FUNC_RET(ctx, func) ((long)(ctx)->ax)
#endif
#endif

#endif
