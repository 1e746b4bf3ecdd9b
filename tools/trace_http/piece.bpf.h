/* SPDX-License-Identifier: GPL-2.0 */
/* Where the bytes are that a call sends or has received. */
#ifndef NB_BPF_PIECE_H
#define NB_BPF_PIECE_H

#include "kernel.bpf.h"
#include "syscall.bpf.h"
#include "tp.bpf.h"
#include "trace_http.h"

/* Elements of a vector that are looked at. */
#define VECTOR 4

enum vector_at {
	AT_NONE,
	AT_KERNEL,
	AT_USER,
};

struct piece {
	u64 ptr;    /* in user space; 0: it can't be read */
	u32 len;    /* bytes there, of */
	u32 all;    /* bytes in all */
	u64 vector; /* struct iovec[], which begins with these */
	u32 skip;   /* bytes of its first element that are not meant */
	u32 at;	    /* enum vector_at */
	u32 n;	    /* elements */
};

static inline void piece_set(struct piece *p, u64 ptr, u64 len, u32 all)
{
	p->ptr = ptr;
	p->len = len < all ? len : all;
	p->all = all;
	p->at = AT_NONE;
}

static inline int read_element(const struct piece *p, int i, struct iovec *v)
{
	const struct iovec *at = (const struct iovec *)p->vector + i;

	return p->at == AT_USER ? bpf_probe_read_user(v, sizeof(*v), at)
				: bpf_probe_read_kernel(v, sizeof(*v), at);
}

/* The first element of a vector of @n that has bytes. */
static inline void piece_vector(struct piece *p, u64 vector, u32 n, u32 skip,
				int at, u32 all)
{
	struct iovec v;

	p->vector = vector;
	p->skip = skip;
	p->at = at;
	p->n = n;
	p->all = all;
	p->ptr = 0;
	p->len = 0;
	if (read_element(p, 0, &v))
		return;
	p->ptr = (u64)v.iov_base + skip;
	p->len = v.iov_len - skip;
	if (p->len >= all || n < 2) {
		if (p->len > all)
			p->len = all;
		p->at = AT_NONE;
	}
}

#ifdef NB_VALUE_ITER_UBUF
static inline u64 ubuf_of(struct iov_iter *iter)
{
	return (u64)FIELD(iter, ubuf);
}
#endif

static inline u64 vector_of(struct iov_iter *iter)
{
#ifdef NB_OFFSET_iov_iter___iov
	return (u64)FIELD(iter, __iov);
#else
	return (u64)FIELD(iter, iov);
#endif
}

/* What @msg is going to send. */
static inline void piece_of_msg(struct piece *p, struct msghdr *msg)
{
	struct iov_iter *iter = &msg->msg_iter;
	u32 all = FIELD(iter, count), skip = FIELD(iter, iov_offset);
#ifdef NB_OFFSET_iov_iter_iter_type
	u32 type = FIELD(iter, iter_type);
#else
	u32 type = FIELD(iter, type) & ~1U; /* READ or WRITE */
#endif

#ifdef NB_VALUE_ITER_UBUF
	if (type == NB_VALUE_ITER_UBUF) {
		piece_set(p, ubuf_of(iter) + skip, all, all);
		return;
	}
#endif
	if (type == NB_VALUE_ITER_IOVEC)
		piece_vector(p, vector_of(iter), FIELD(iter, nr_segs), skip,
			     AT_KERNEL, all);
	else
		piece_set(p, 0, 0, all);
}

/* System calls by their numbers; as user space had them, so constant. */
#ifdef NB_ARCH_arm64
#define NR_read 63
#define NR_readv 65
#define NR_recvfrom 207
#define NR_recvmsg 212
#define NR_preadv2 286
#define REGS_NR(r) ((r)->syscallno)
#define REGS_ARG2(r) ((r)->regs[1])
#define REGS_ARG3(r) ((r)->regs[2])
#define REGS_ARG4(r) ((r)->regs[3])
#define IS_COMPAT(task) ((task)->thread_info.flags >> 22 & 1)
#else
#define NR_read 0
#define NR_readv 19
#define NR_recvfrom 45
#define NR_recvmsg 47
#define NR_preadv2 327
#define REGS_NR(r) ((r)->orig_ax)
#define REGS_ARG2(r) ((r)->si)
#define REGS_ARG3(r) ((r)->dx)
#define REGS_ARG4(r) ((r)->r10)
#define IS_COMPAT(task) ((task)->thread_info.status & 2)
#endif

/* struct user_msghdr: name, namelen, iov, iovlen. */
static inline void piece_of_user_msg(struct piece *p, u64 msg, u32 all)
{
	u64 v[2];

	if (bpf_probe_read_user(v, sizeof(v), (void *)(msg + 16)))
		piece_set(p, 0, 0, all);
	else
		piece_vector(p, v[0], v[1], 0, AT_USER, all);
}

/*
 * What the current system call has received, @all bytes: where it was told to
 * put them, as the kernel's own description has moved on by now.
 */
static inline void piece_of_call(struct piece *p, u32 all)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u32 nr = REGS_NR(regs);

	if (NB_RARE(IS_COMPAT(task))) {
		piece_set(p, 0, 0, all);
		return;
	}
	if (nr == NR_recvfrom || nr == NR_read) {
		piece_set(p, REGS_ARG2(regs), all, all);
		return;
	}
	switch (nr) {
	case NR_readv:
	case NR_preadv2:
		piece_vector(p, REGS_ARG2(regs), REGS_ARG3(regs), 0, AT_USER,
			     all);
		break;
	case NR_recvmsg:
		piece_of_user_msg(p, REGS_ARG2(regs), all);
		break;
	default:
		piece_set(p, 0, 0, all);
	}
}

/* The flags that the current system call was told to receive with. */
static inline u32 flags_of_call(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u32 nr = REGS_NR(regs);

	return nr == NR_recvfrom  ? REGS_ARG4(regs)
	       : nr == NR_recvmsg ? REGS_ARG3(regs)
				  : 0;
}

/*
 * Its first bytes, at most @max (a constant), to @to; how many. 0: nothing of
 * it can be read.
 */
static inline u32 piece_head(const struct piece *p, void *to, u64 max)
{
	u64 n = p->len;

	if (!p->ptr)
		return 0;
	if (n > max)
		n = max;
	asm volatile("" : "+r"(n));
	if (n > max || bpf_probe_read_user(to, n, (void *)p->ptr))
		return 0;
	return n;
}

/*
 * Behind @off bytes (at most HTTP_PREFIX) at @to, as many as fit before
 * HTTP_PREFIX, of all elements; how many there are then.
 */
static inline u32 piece_append(const struct piece *p, u8 *to, u32 off)
{
	struct iovec v = { .iov_base = (void *)p->ptr, .iov_len = p->len };
	u64 n, left = p->all, at = off;

	for (int i = 0; i < VECTOR; i++) {
		if (i &&
		    (p->at == AT_NONE || i >= p->n || read_element(p, i, &v)))
			break;
		if (at >= HTTP_PREFIX || (v.iov_len && !v.iov_base))
			break;
		n = v.iov_len < left ? v.iov_len : left;
		left = nb_forget(left - n);
		if (n > HTTP_PREFIX - at)
			n = HTTP_PREFIX - at;
		if (!n)
			continue;
		/* Of what is compared, verifiers of 6.1 forget the bounds. */
		n--;
		asm volatile("" : "+r"(n), "+r"(at));
		n &= HTTP_PREFIX - 1;
		at &= HTTP_PREFIX - 1;
		n++;
		if (bpf_probe_read_user(to + at, n, v.iov_base))
			break;
		at = nb_forget(at + n);
	}
	return nb_forget(at);
}

#endif
