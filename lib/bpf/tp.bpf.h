/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs on raw tracepoints, written once for those that know the types of
 * their arguments (NB_TYPED, tp_btf) and those that don't:
 *
 *	int on_send(NB_TP_CTX *ctx)
 *	{
 *		struct sock *sk = (struct sock *)NB_TP_ARG(ctx, 1);
 *
 * Typed, a pointer may be followed as in C, which is several times as fast as
 * NB_GET: but only in functions that programs call, as libbcc makes probe reads
 * of it elsewhere.
 */
#ifndef NB_BPF_TP_H
#define NB_BPF_TP_H

#include "kernel.bpf.h"

/* FIELD: a field of a pointer that the kernel has handed over. */
#ifdef NB_TYPED
#define NB_TP_CTX unsigned long long
#define NB_TP_ARG(ctx, n) ((ctx)[(n)-1])
#define FIELD(ptr, field) ((ptr)->field)
#else
#define NB_TP_CTX struct bpf_raw_tracepoint_args
#define NB_TP_ARG(ctx, n) ((ctx)->args[(n)-1])
#define FIELD(ptr, field) NB_GET(ptr, field)
#endif

/*
 * @ptr, which the kernel has handed over, as the struct @type that it is known
 * to be: no more than a word to the verifier, where "#pragma netbcc cast" has
 * found it able to hear it.
 */
#ifdef NB_CAST_FUNC
#define NB_CAST(type, ptr)                                       \
	(((struct type * (*)(const void *, u32))(NB_CAST_FUNC))( \
		(ptr), NB_CAST_##type))
#endif

#endif
