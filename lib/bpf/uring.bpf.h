/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the raw tracepoint io_uring_complete says: an operation of io_uring's
 * has come to a result. Its arguments have changed often (include/trace/events/
 * io_uring.h): (ring, user_data, res) in 5.5, a flags argument in 5.12, the
 * request in 5.17, extra ones in 5.19, and since 6.13 (ring, request, cqe).
 * NB_URING says that they are known here. The text wants "#pragma netbcc
 * tracepoint io_uring_complete" and the fields below.
 */
#ifndef NB_BPF_URING_H
#define NB_BPF_URING_H

#include "kernel.bpf.h"

#pragma netbcc tracepoint io_uring_complete
#pragma netbcc field io_kiocb cqe
#pragma netbcc field io_kiocb opcode
#pragma netbcc field io_accept file_slot

#ifdef NB_TYPES_HEADERS
#undef NB_TP_ARGS_io_uring_complete
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 0, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define NB_TP_ARGS_io_uring_complete 7
#include <linux/io_uring_types.h>
#define NB_OFFSET_io_kiocb_cqe __builtin_offsetof(struct io_kiocb, cqe)
#define NB_OFFSET_io_kiocb_opcode __builtin_offsetof(struct io_kiocb, opcode)
/* struct io_accept, io_uring/net.c: file, addr, addr_len, flags, file_slot */
#define NB_OFFSET_io_accept_file_slot 28
#endif
#endif

#define NB_URING_OP_ACCEPT 13 /* enum io_uring_op, linux/io_uring.h */
#define NB_URING_F_MORE 2     /* IORING_CQE_F_MORE: one of many */

struct nb_uring {
	long res;
	u32 flags;  /* of the completion, 0 before 5.12 */
	int opcode; /* -1: not known, as always for one of many */
	u32 slot;   /* where accept puts a socket that gets no descriptor */
};

#ifdef NB_TP_ARGS_io_uring_complete
#define NB_URING
static inline void nb_uring_result(struct bpf_raw_tracepoint_args *ctx,
				   struct nb_uring *u)
{
	void *req = 0;

	u->flags = 0;
	u->opcode = -1;
	u->slot = 0;
#if NB_TP_ARGS_io_uring_complete >= 5
	req = (void *)ctx->args[1];
	u->res = (int)ctx->args[3];
	u->flags = ctx->args[4];
#elif NB_TP_ARGS_io_uring_complete == 3 && defined(NB_OFFSET_io_kiocb_cqe)
	/* struct io_uring_cqe: user_data, res, flags; user-visible. */
	bpf_probe_read_kernel(&u->flags, 4, (char *)ctx->args[2] + 12);
	bpf_probe_read_kernel(&u->res, 4, (char *)ctx->args[2] + 8);
	u->res = (int)u->res;
	req = (void *)ctx->args[1];
#else
	u->res = (int)ctx->args[2];
#if NB_TP_ARGS_io_uring_complete == 4
	u->flags = ctx->args[3];
#endif
#endif
#ifdef NB_OFFSET_io_kiocb_opcode
	if (req) {
		u8 opcode = 0;

		bpf_probe_read_kernel(&opcode, 1,
				      (char *)req + NB_OFFSET_io_kiocb_opcode);
		u->opcode = opcode;
	}
#endif
#ifdef NB_OFFSET_io_accept_file_slot
	/* What an operation keeps is at the request's start (io_kiocb_to_cmd).
	 */
	if (u->opcode == NB_URING_OP_ACCEPT)
		bpf_probe_read_kernel(&u->slot, 4,
				      (char *)req +
					      NB_OFFSET_io_accept_file_slot);
#endif
}
#endif

#endif
